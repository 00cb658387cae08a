// Package redact keeps secrets from leaving the host. It stands between the
// decoders and everything that stores or shows what they read: columns that hold
// credentials are replaced by a keyed hash, so that a rule can still tell that two
// events used the same one, and secrets in free text are cut out.
//
// A secret is known by its name (password=..., "client_secret":"...", an
// Authorization header), by its look (a JWT, a session id, a cloud key) or by its
// check digits (cards, bank accounts). Words that only speak of secrets, such as a
// search for LIKE '%password%', stay as they are: rules look for them.
//
// Redacting costs little because most text is never looked at twice: a secret needs
// one of a few characters in front of it or a long run of letters and digits, and
// both are found without looking at every byte.
package redact

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
	"unsafe"
)

// MinKeySize is the least number of bytes that a key must have.
const MinKeySize = 16

// maxKnown is how many credentials and hashes a Redactor remembers before it forgets
// all, and maxCredential the length of the longest that it remembers.
const (
	maxKnown      = 1 << 16
	maxCredential = 1 << 10
)

// Redactor replaces secrets. It is not safe for concurrent use: Clone it for each
// worker.
type Redactor struct {
	key   []byte
	mac   hash.Hash
	known map[string]string
	names [knownNames]knownName
	field [fieldsKnown]knownName
	clean [cleanKnown]string
	count [kindCount]uint64
	spans []span
}

// New makes a Redactor. The key makes the hashes: with the same key the same
// credential always has the same hash, and without it nobody can guess one. New
// panics when key has fewer than MinKeySize bytes.
func New(key []byte) *Redactor {
	if len(key) < MinKeySize {
		panic(fmt.Sprintf("redact.New: the key has %d bytes, at least %d are needed", len(key), MinKeySize))
	}
	return &Redactor{
		key:   append([]byte(nil), key...),
		mac:   hmac.New(sha256.New, key),
		known: map[string]string{},
	}
}

// Clone makes a Redactor with the same key that has counted nothing.
func (r *Redactor) Clone() *Redactor { return New(r.key) }

// Count says how many secrets of each kind were replaced so far. KindCredential
// counts the values that were replaced by their hash.
func (r *Redactor) Count() map[Kind]uint64 {
	count := map[Kind]uint64{}
	for kind, n := range r.count {
		if n > 0 {
			count[Kind(kind)] = n
		}
	}
	return count
}

// Text returns s with each secret replaced by [redacted:KIND], and s itself when it
// holds none. Redacting again changes nothing. The result is valid UTF-8 when s is.
func (r *Redactor) Text(s string) string {
	if len(s) < minText {
		return s
	}
	r.spans = r.spans[:0]
	if hasMark(s) {
		r.findNamed(s)
	}
	if len(s) >= minRun {
		r.findTokens(s)
		r.findNumbers(s)
	}
	if len(r.spans) == 0 {
		return s
	}
	return r.replace(s)
}

// Bytes is Text for bytes. It returns b itself when b holds no secret.
func (r *Redactor) Bytes(b []byte) []byte {
	s := unsafe.String(unsafe.SliceData(b), len(b))
	if clean := r.Text(s); len(clean) != len(s) || clean != s {
		return []byte(clean)
	}
	return b
}

// Hash replaces a credential by its keyed hash: HMAC-SHA256, the first 16 bytes, in
// hexadecimal. A hash that this Redactor made stays as it is.
func (r *Redactor) Hash(credential string) string {
	if credential == "" {
		return ""
	}
	if known, ok := r.known[credential]; ok {
		r.count[KindCredential]++
		return known
	}
	if len(r.known) >= maxKnown {
		clear(r.known)
	}
	r.mac.Reset()
	r.mac.Write([]byte(credential))
	sum := hex.EncodeToString(r.mac.Sum(nil)[:16])
	if len(credential) <= maxCredential {
		r.known[strings.Clone(credential)] = sum
	}
	r.known[sum] = sum
	r.count[KindCredential]++
	return sum
}
