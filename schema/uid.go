package schema

import (
	"encoding/binary"
	"encoding/hex"

	"github.com/zeebo/xxh3"
)

// UID is a deterministic 128-bit identity, written and stored as a UUID.
type UID [16]byte

// String is the UUID form, lower case with dashes.
func (u UID) String() string {
	var out [36]byte
	hex.Encode(out[:8], u[:4])
	hex.Encode(out[9:13], u[4:6])
	hex.Encode(out[14:18], u[6:8])
	hex.Encode(out[19:23], u[8:10])
	hex.Encode(out[24:], u[10:])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}

// UIDHasher collects the parts of an identity. The hash is XXH3-128: fast, and
// not made to resist a forger. That is enough here, because a forger who wanted
// to hide one event behind another would have to choose the whole record, and
// the server writes most of it (request id, times, counters).
type UIDHasher struct{ buf []byte }

// Reset starts a new identity.
func (h *UIDHasher) Reset() { h.buf = h.buf[:0] }

// Part adds one part. Its length goes in too, so ("ab","c") is not ("a","bc").
func (h *UIDHasher) Part(s string) {
	h.buf = binary.AppendUvarint(h.buf, uint64(len(s)))
	h.buf = append(h.buf, s...)
}

// Number adds a number.
func (h *UIDHasher) Number(n uint64) { h.buf = binary.LittleEndian.AppendUint64(h.buf, n) }

// Sum is the identity of all parts added since Reset.
func (h *UIDHasher) Sum() UID {
	sum := xxh3.Hash128(h.buf)
	return sum.Bytes()
}

// HashUID is the identity of a list of parts.
func HashUID(parts ...string) UID {
	var h UIDHasher
	for _, p := range parts {
		h.Part(p)
	}
	return h.Sum()
}
