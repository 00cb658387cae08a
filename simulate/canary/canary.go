// Package canary plants secrets into logs, so that tests can look for them where no
// secret may be.
package canary

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// Canary is a secret that was planted into a copy of a log.
type Canary struct {
	// File is the log, Copy the name of its copy.
	File, Copy string
	Kind       string
	// Secret is the part that must not leave.
	Secret string
	// Around is the text into which it was planted.
	Around string
}

// Plant copies each of the logs so many times into a folder, with a secret of another
// kind in each copy, between two words somewhere behind its first line. Logs without
// such a place, and packed ones, are left out. The same seed plants the same.
func Plant(logs []string, into string, copies int, seed uint64) ([]Canary, error) {
	r := rand.New(rand.NewPCG(seed, 2))
	var planted []Canary
	for _, log := range logs {
		if strings.HasSuffix(log, ".zip") || strings.HasSuffix(log, ".gz") {
			continue
		}
		text, err := os.ReadFile(log)
		if err != nil {
			return nil, fmt.Errorf("read log to plant into: %w", err)
		}
		places := Places(text)
		if len(places) == 0 {
			continue
		}
		for n := range copies {
			kind := kinds[(len(planted)+n)%len(kinds)]
			secret, at := kind.secret(r), places[r.IntN(len(places))]
			out := bytes.Clone(text[:at])
			out = append(out, " "+fmt.Sprintf(kind.text, secret)+" "...)
			out = append(out, text[at+1:]...)
			name := fmt.Sprintf("%04d-%s", len(planted), filepath.Base(log))
			if err := os.WriteFile(filepath.Join(into, name), out, 0o600); err != nil {
				return nil, fmt.Errorf("write planted copy: %w", err)
			}
			planted = append(planted, Canary{log, name, kind.kind, secret, string(text[max(0, at-40):min(len(text), at+40)])})
		}
	}
	return planted, nil
}

// Samples lists the samples below a folder with one folder a format; what is expected
// of them and what fuzzing found are no samples.
func Samples(folder string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*", "*"))
	if err != nil {
		return nil, err
	}
	var samples []string
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && filepath.Ext(file) != ".golden" && filepath.Base(filepath.Dir(file)) != "fuzz" {
			samples = append(samples, file)
		}
	}
	return samples, nil
}

// kinds are secrets of many kinds, each as it stands in logs; %s is the part that
// must not leave. Where kind is a token, its own form gives it away.
var kinds = []struct {
	kind, text string
	secret     func(*rand.Rand) string
}{
	{"bearer token", "Authorization: Bearer %s", mixed(40)},
	{"basic credentials", "Authorization: Basic %s", func(r *rand.Rand) string {
		return base64.StdEncoding.EncodeToString([]byte("svc:" + mixed(18)(r)))
	}},
	{"password", "password=%s", mixed(12)},
	{"password in a URL", "https://svc:%s@crm.acme.example/api", mixed(14)},
	{"client secret", "client_secret=%s", mixed(32)},
	{"API key", "api_key=%s", mixed(24)},
	{"refresh token", "refresh_token=%s", mixed(48)},
	{"JSON Web Token", "%s", func(r *rand.Rand) string {
		part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
		return part(`{"alg":"HS256","typ":"JWT"}`) + "." + part(`{"sub":"`+mixed(12)(r)+`","iat":1772438400}`) + "." + mixed(43)(r)
	}},
	{"Slack token", "%s", prefixed("xoxb-1234567890-", 24)},
	{"GitHub token", "%s", prefixed("ghp_", 36)},
	{"AWS key", "%s", func(r *rand.Rand) string { return "AKIA" + strings.ToUpper(mixed(16)(r)) }},
	{"Google key", "%s", prefixed("AIza", 35)},
	{"Stripe key", "%s", prefixed("sk_live_", 24)},
	{"HubSpot token", "%s", func(r *rand.Rand) string {
		h := func(n int) string { return hexadecimal(n)(r) }
		return "pat-eu1-" + h(8) + "-" + h(4) + "-" + h(4) + "-" + h(4) + "-" + h(12)
	}},
	{"Salesforce session", "%s", func(r *rand.Rand) string { return "00D5g0000000001!AQ" + mixed(90)(r) }},
	{"private key", `-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA%s\n-----END RSA PRIVATE KEY-----`, mixed(120)},
	{"card number", "card 4%s", func(r *rand.Rand) string {
		digits := make([]byte, 15)
		sum := 8 // the 4 in front counts twice
		for i := range 14 {
			digits[i] = '0' + byte(r.IntN(10))
			d := int(digits[i] - '0')
			if i%2 == 1 {
				if d *= 2; d > 9 {
					d -= 9
				}
			}
			sum += d
		}
		digits[14] = '0' + byte((10-sum%10)%10)
		return string(digits)
	}},
	{"bank account", "IBAN DE89%s", func(*rand.Rand) string { return "370400440532013000" }},
	{"session cookie", "Cookie: sid=%s", mixed(32)},
	{"signing key", "X-Amz-Signature=%s", hexadecimal(64)},
	{"SAML assertion", "SAMLResponse=%s", mixed(200)},
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func mixed(n int) func(*rand.Rand) string { return drawn(alphabet, n) }

func hexadecimal(n int) func(*rand.Rand) string { return drawn("0123456789abcdef", n) }

func drawn(from string, n int) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = from[r.IntN(len(from))]
		}
		b[0], b[1] = from[r.IntN(10)], from[len(from)-1-r.IntN(6)] // of both kinds, as real ones are
		return string(b)
	}
}

func prefixed(prefix string, n int) func(*rand.Rand) string {
	return func(r *rand.Rand) string { return prefix + mixed(n)(r) }
}

// Places are the offsets of blanks between letters behind the first line: inside a
// value, wherever that is.
func Places(text []byte) (places []int) {
	letter := func(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
	first := bytes.IndexByte(text, '\n')
	for i := max(1, first+1); i+1 < len(text); i++ {
		if text[i] == ' ' && letter(text[i-1]) && letter(text[i+1]) {
			places = append(places, i)
		}
	}
	return places
}
