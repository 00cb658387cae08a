// Package chain makes what auditors rely on checkable. Summaries and the history of
// alerts get entries in a chain: each entry has the SHA-256 of what it covers and of the
// entry before it, and is signed. So a row that somebody changes, removes or inserts
// later is found, and so is an entry; and whoever has a hash of the chain's head from a
// mail or a message can prove that nothing before it was exchanged, even by the holder
// of the key.
//
// What it does not prove: that what went into the chain was true when it did, and,
// without such a hash from elsewhere, that the last entries were not cut off.
package chain

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// Kind is what an entry covers.
type Kind string

// The kinds of entries.
const (
	// KindSummary is a summary that was made.
	KindSummary Kind = "summary"
	// KindAlerts is what has happened to alerts in a stretch of time.
	KindAlerts Kind = "alerts"
	// KindSchedule says that summaries are made on a schedule from now on, or not any more.
	KindSchedule Kind = "schedule"
	// KindSkipped names periods of a schedule for which no summary is made.
	KindSkipped Kind = "skipped"
	// KindErasureBegun announces that an erasure changes what earlier entries cover, and
	// KindAmendment says what it has changed.
	KindErasureBegun Kind = "erasure-begun"
	KindAmendment    Kind = "amendment"
	// KindRetention says how long what entries cover is kept from now on.
	KindRetention Kind = "retention"
	// KindStray names entries beside the chain, which two instances leave that write at once.
	KindStray Kind = "stray"
)

// Hash is a SHA-256.
type Hash [sha256.Size]byte

// String is the hash in 64 hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes the hexadecimal digits.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (h *Hash) UnmarshalText(text []byte) (err error) {
	*h, err = ParseHash(string(text))
	return err
}

// ParseHash reads 64 hexadecimal digits; lower case, for one hash has one form.
func ParseHash(text string) (Hash, error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != sha256.Size || strings.ToLower(text) != text {
		return Hash{}, fmt.Errorf("%q is not a SHA-256: write its 64 hexadecimal digits in lower case", text)
	}
	return Hash(raw), nil
}

// HashOf is the SHA-256 of some bytes.
func HashOf(content []byte) Hash { return sha256.Sum256(content) }

// Entry is one link of the chain.
type Entry struct {
	// Sequence counts from 1.
	Sequence uint64 `json:"sequence"`
	// At is UTC, in whole milliseconds.
	At   time.Time `json:"at"`
	Kind Kind      `json:"kind"`
	// Subject and SubjectVersion name what the entry is about: a summary, an erasure.
	Subject        schema.UID `json:"-"`
	SubjectVersion uint64     `json:"subject_version"`
	// Content is JSON: what the entry covers, with hashes; see SummaryContent and others.
	Content string `json:"content"`
	// ContentHash is the SHA-256 of Content, Previous the Hash of the entry before, Hash
	// the SHA-256 of Text.
	ContentHash Hash `json:"content_hash"`
	Previous    Hash `json:"previous_hash"`
	Hash        Hash `json:"entry_hash"`
	// PublicKey is an Ed25519 key as WriteKey writes it, Signature that of Text in base64.
	PublicKey string `json:"public_key"`
	Signature string `json:"signature"`
}

const timeForm = "2006-01-02T15:04:05.000Z"

// Text is what is hashed and signed: lines of a name and a value. It needs no program of
// ours to be made again from the columns of the table.
func (e Entry) Text() []byte {
	return fmt.Appendf(nil, "crmwatch evidence 1\nsequence %d\nat %s\nkind %s\nsubject %s %d\ncontent %s\nprevious %s\nkey %s\n",
		e.Sequence, e.At.UTC().Format(timeForm), e.Kind, e.Subject, e.SubjectVersion, e.ContentHash, e.Previous, e.PublicKey)
}

// seal hashes and signs the entry.
func (e *Entry) seal(key ed25519.PrivateKey) {
	e.ContentHash, e.PublicKey = HashOf([]byte(e.Content)), WriteKey(key.Public().(ed25519.PublicKey))
	text := e.Text()
	e.Hash, e.Signature = HashOf(text), base64.StdEncoding.EncodeToString(ed25519.Sign(key, text))
}

// signed says whether the signature is that of the key in the entry.
func (e Entry) signed() bool {
	key, err := ParseKey(e.PublicKey)
	if err != nil {
		return false
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(e.Signature)
	// The decoder passes over line breaks.
	return err == nil && base64.StdEncoding.EncodeToString(signature) == e.Signature && ed25519.Verify(key, e.Text(), signature)
}
