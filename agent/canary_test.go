package agent

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// planted are secrets of many kinds, each as it stands in logs; %s is the part that
// must not leave. Where kind is a token, its own form gives it away.
var planted = []struct {
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

// TestNoPlantedSecretLeaves plants secrets into every sample of every format, between
// two words, and looks for them in all that is handed on: the blocks of events and of
// quarantine, which are what the spool and the database get, and the report.
func TestNoPlantedSecretLeaves(t *testing.T) {
	samples, err := filepath.Glob("formats/testdata/*/*")
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	dir := t.TempDir()
	type canary struct{ file, kind, secret, around string }
	var canaries []canary
	for _, sample := range samples {
		if strings.HasSuffix(sample, ".golden") || strings.Contains(sample, "/fuzz/") || strings.HasSuffix(sample, ".zip") {
			continue
		}
		text, err := os.ReadFile(sample)
		if err != nil {
			t.Fatal(err)
		}
		places := spaces(text)
		if len(places) == 0 {
			continue
		}
		for n := range 12 {
			out := bytes.Clone(text)
			p := planted[(len(canaries)+n)%len(planted)]
			secret := p.secret(r)
			at := places[r.IntN(len(places))]
			out = append(out[:at:at], append([]byte(" "+fmt.Sprintf(p.text, secret)+" "), text[at+1:]...)...)
			name := fmt.Sprintf("%04d-%s", len(canaries), filepath.Base(sample))
			if err := os.WriteFile(filepath.Join(dir, name), out, 0o600); err != nil {
				t.Fatal(err)
			}
			canaries = append(canaries, canary{sample, p.kind, secret, string(text[max(0, at-40):min(len(text), at+40)])})
		}
	}
	if len(canaries) < 200 {
		t.Fatalf("only %d secrets were planted", len(canaries))
	}
	var left [][]byte
	report, err := Load(context.Background(), LoadOptions{Paths: []string{dir}, Redactor: testRedactor(), Source: "scan", Workers: 1, Ship: func(_ context.Context, s Sealed) error {
		left = append(left, bytes.Clone(s.Events.Data), bytes.Clone(s.Quarantine.Data))
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	left = append(left, fmt.Append(nil, report))
	for _, c := range canaries {
		for _, block := range left {
			if at := bytes.Index(block, []byte(c.secret)); at >= 0 {
				t.Errorf("%s: a %s leaves: %q, planted at %q", c.file, c.kind, block[max(0, at-60):min(len(block), at+len(c.secret)+10)], c.around)
				break
			}
		}
	}
	t.Logf("%d secrets planted, %d events and %d quarantined records read", len(canaries), report.Totals.Events, report.Totals.Quarantined)
}

// spaces are the places of blanks between letters behind the first line: inside a
// value, wherever that is.
func spaces(text []byte) (places []int) {
	letter := func(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
	first := bytes.IndexByte(text, '\n')
	for i := max(1, first+1); i+1 < len(text); i++ {
		if text[i] == ' ' && letter(text[i-1]) && letter(text[i+1]) {
			places = append(places, i)
		}
	}
	return places
}
