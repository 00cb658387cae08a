package redact

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strings"
)

// PseudonymKeySize is the length of a pseudonym key in bytes.
const PseudonymKeySize = 32

// pseudonymPrefix begins every pseudonym; keyIDSize and pseudonymSize are the numbers
// of characters of the two parts behind it.
const (
	pseudonymPrefix = "user-"
	keyIDSize       = 6
	pseudonymSize   = 16
)

var pseudonymLetters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// PseudonymKey makes pseudonyms: user-KEYID-HASH. HASH is the first 10 bytes of the
// HMAC-SHA256 of the value, in lower case and without space around it, in base32. KEYID
// is 6 hexadecimal digits made of the key; it tells whose pseudonyms are comparable, and
// nothing of the key. Without the key nobody can make the pseudonym of a name, and so
// not find out whose it is.
type PseudonymKey struct {
	key []byte
	id  string
}

// NewPseudonymKey makes a key of PseudonymKeySize random bytes.
func NewPseudonymKey(key []byte) *PseudonymKey {
	k := &PseudonymKey{key: append([]byte(nil), key...)}
	k.id = hex.EncodeToString(k.sum("\x00key id")[:keyIDSize/2])
	return k
}

func (k *PseudonymKey) sum(value string) []byte { return keyed(k.key, value) }

func keyed(key []byte, value string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(value))
	return mac.Sum(nil)
}

// ID is the key's id as it stands in its pseudonyms.
func (k *PseudonymKey) ID() string { return k.id }

// Pseudonym is the pseudonym of a name or an address. keepDomain adds the domain of an
// e-mail address.
func (k *PseudonymKey) Pseudonym(value string, keepDomain bool) string {
	value = normalName(value)
	pseudonym := pseudonymPrefix + k.id + "-" + pseudonymLetters.EncodeToString(k.sum(value)[:10])
	if at := strings.LastIndexByte(value, '@'); keepDomain && at > 0 && isDomain(value[at+1:]) {
		pseudonym += value[at:]
	}
	return pseudonym
}

// normalName is what is hashed of a name.
func normalName(value string) string { return strings.ToLower(strings.TrimSpace(value)) }

// isDomain says whether s can be the name of a domain, in lower case.
func isDomain(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && c != '-' && c != '.' && c < 0x80 {
			return false
		}
	}
	return s != ""
}

// PseudonymKeyID is the id of the key that a pseudonym was made with; "" when s is not
// a pseudonym. A domain may stand behind it.
func PseudonymKeyID(s string) string {
	s, _, _ = strings.Cut(s, "@")
	rest, ok := strings.CutPrefix(s, pseudonymPrefix)
	if !ok || len(rest) != keyIDSize+1+pseudonymSize || rest[keyIDSize] != '-' {
		return ""
	}
	for i := range keyIDSize {
		if !isHex(rest[i]) {
			return ""
		}
	}
	for i := keyIDSize + 1; i < len(rest); i++ {
		if c := rest[i]; c-'a' >= 26 && c-'2' >= 6 {
			return ""
		}
	}
	return rest[:keyIDSize]
}

// uidCipher turns identities into others, one to one, as nobody can without the key. An
// identity is a hash of the whole record: whoever knows the rest of a record could try
// names until the hash fits.
func uidCipher(key []byte) cipher.Block {
	block, err := aes.NewCipher(keyed(key, "\x00event uid"))
	if err != nil {
		panic(err) // the key is 32 bytes long
	}
	return block
}
