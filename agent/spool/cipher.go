package spool

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// KeySize is the length of a spool key, in bytes.
const KeySize = 32

// errUnknownKey is a segment that none of the keys at hand opens.
var errUnknownKey = errors.New("it is encrypted with a key that is not at hand: name it in old_key_files")

// keyID names a key without telling anything about it.
func keyID(key []byte) (id [8]byte, err error) {
	derived, err := hkdf.Key(sha256.New, key, nil, "crmwatch spool key id", len(id))
	if err != nil {
		return id, fmt.Errorf("name spool key: %w", err)
	}
	copy(id[:], derived)
	return id, nil
}

// segmentCipher encrypts the records of one segment. Each segment has a key of its
// own, made from the spool's key and a random salt, and is never appended to after
// it was closed, so a nonce, which is a record's place, never comes twice.
type segmentCipher struct {
	aead     cipher.AEAD
	agentUID string
}

func newSalt() (salt [32]byte, err error) {
	_, err = rand.Read(salt[:])
	return salt, err
}

func newCipher(key []byte, info *segmentInfo) (*segmentCipher, error) {
	derived, err := hkdf.Key(sha256.New, key, info.salt[:], "crmwatch spool segment", KeySize)
	if err != nil {
		return nil, fmt.Errorf("derive segment key: %w", err)
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, fmt.Errorf("derive segment key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("derive segment key: %w", err)
	}
	return &segmentCipher{aead, info.agentUID}, nil
}

// cipherFor finds the key of a segment; nil for one that is not encrypted.
func (s *Spool) cipherFor(info *segmentInfo) (*segmentCipher, error) {
	if !info.encrypted {
		return nil, nil
	}
	for _, key := range s.keys {
		id, err := keyID(key)
		if err != nil {
			return nil, err
		}
		if id == info.keyID {
			return newCipher(key, info)
		}
	}
	return nil, errUnknownKey
}

func (c *segmentCipher) overhead() int {
	if c == nil {
		return 0
	}
	return c.aead.Overhead()
}

// The two encrypted parts of a record.
const (
	partMeta    = 0
	partPayload = 1
)

func (c *segmentCipher) nonce(r *recordInfo, part byte) []byte {
	nonce := make([]byte, 12)
	binary.BigEndian.PutUint32(nonce, r.counter)
	nonce[11] = part
	return nonce
}

// bound is what the encryption binds a part to: the agent and the whole header but
// for the checksums, which are made of the encrypted bytes.
func (c *segmentCipher) bound(r *recordInfo) []byte {
	plain := *r
	plain.metaCRC, plain.payloadCRC = 0, 0
	b := make([]byte, recordHeader, recordHeader+agentUIDLength)
	plain.put(b)
	return append(b, c.agentUID...)
}

// seal encrypts b, which has room for the overhead behind it, in its place.
func (c *segmentCipher) seal(r *recordInfo, part byte, b []byte) []byte {
	return c.aead.Seal(b[:0], c.nonce(r, part), b, c.bound(r))
}

// open decrypts b in its place.
func (c *segmentCipher) open(r *recordInfo, part byte, b []byte) ([]byte, error) {
	if c == nil {
		return b, nil
	}
	return c.aead.Open(b[:0], c.nonce(r, part), b, c.bound(r))
}
