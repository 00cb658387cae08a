package subject

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// tokenPrefix begins what an erasure puts in the place of names.
const tokenPrefix = "erased-"

// secret is what an erasure replaces by: random, and destroyed at its end. While it is
// there, the same value has the same token in every table, whenever the erasure is cut
// off and goes on.
type secret struct {
	uid schema.UID
	key []byte
}

func (k secret) sum(parts ...string) []byte {
	mac := hmac.New(sha256.New, k.key)
	for _, part := range parts {
		mac.Write([]byte(part))
		mac.Write([]byte{0})
	}
	return mac.Sum(nil)
}

// prefix is how all tokens of the erasure begin.
func (k secret) prefix() string { return tokenPrefix + hex.EncodeToString(k.uid[:4]) }

// name is the token of an identifier.
func (k secret) name(value string) string {
	return k.prefix() + "-" + hex.EncodeToString(k.sum("name", strings.ToLower(strings.TrimSpace(value)))[:3])
}

// words are two numbers for SipHash, which makes other identities of identities.
func (k secret) words() (k0, k1 uint64) {
	sum := k.sum("identity")
	return binary.LittleEndian.Uint64(sum), binary.LittleEndian.Uint64(sum[8:])
}

// masked is a short text with tokens in the person's place, found in it as in texts of
// the database.
func (s Subject) masked(text string, k secret) string {
	if s.Has(text) {
		return k.name(text)
	}
	for _, i := range s.Identifiers {
		if !i.Words {
			continue
		}
		re, err := regexp.Compile(i.pattern())
		if err != nil {
			return k.prefix()
		}
		for range 2 { // see reworded
			text = re.ReplaceAllString(text, "${1}"+k.name(i.Value)+"${2}")
		}
	}
	return text
}
