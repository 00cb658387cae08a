package schema

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unsafe"

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

// ParseUID reads the UUID form, with dashes or without, in either case.
func ParseUID(s string) (UID, error) {
	decoded, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(decoded) != len(UID{}) {
		return UID{}, fmt.Errorf("read uid %q: it must be a UUID such as %s", s, HashUID("example"))
	}
	return UID(decoded), nil
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

// NamedField says where a named part is found, and has a hash of its name.
type NamedField struct {
	Field int
	Tag   uint64
}

// Fields adds those of values that are not empty, each with its name's tag, in the
// order of names. It is Number and Part for a whole row in one step, because a row
// of a log has dozens of fields.
func (h *UIDHasher) Fields(values []string, names []NamedField) {
	at := len(h.buf)
	buf := h.buf[:cap(h.buf)]
	for _, name := range names {
		value := values[name.Field]
		n := len(value)
		if n == 0 {
			continue
		}
		if len(buf)-at < n+24 {
			buf = slices.Grow(buf[:at], n+4096)
			buf = buf[:cap(buf)]
		}
		to := buf[at : at+n+24]
		// The length goes into the tag, which is as good as random.
		binary.LittleEndian.PutUint64(to, name.Tag+uint64(n))
		switch {
		case n > 16:
			copy(to[8:], value)
		case n >= 8: // two loads that overlap are cheaper than a call of copy
			binary.LittleEndian.PutUint64(to[8:], load64(value, 0))
			binary.LittleEndian.PutUint64(to[n:], load64(value, n-8))
		default:
			for i := range n {
				to[8+i] = value[i]
			}
		}
		at += 8 + n
	}
	h.buf = buf[:at]
}

// load64 reads eight bytes of s, which must be there.
func load64(s string, at int) uint64 {
	_ = s[at+7]
	return binary.LittleEndian.Uint64(unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(unsafe.StringData(s)), at)), 8))
}

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
