package formats

import (
	"strings"
	"testing"

	"github.com/crmwatch/crmwatch/agent/redact"
	"github.com/crmwatch/crmwatch/schema"
)

// The secrets of the samples come into events where they are taken out again.
func TestIPaaSSecretsAreRedacted(t *testing.T) {
	secrets := []string{"hunter2", "Zx81Zx81", "sk_live_", "AQEAQExample", "abcdef1234567890"}
	seen := map[string]bool{}
	eachSample(t, ipaasFormats, func(format Format, file string, data []byte) {
		r := redact.New([]byte(strings.Repeat("k", 32)))
		decodeInSteps(t, format.New(Options{}), data, len(data), redacted{func(e *schema.Event) {
			before := eventText(e)
			r.Event(e)
			after := eventText(e)
			for _, secret := range secrets {
				seen[secret] = seen[secret] || strings.Contains(before, secret)
				if strings.Contains(after, secret) {
					t.Errorf("%s: %q is still there: %s", file, secret, after)
				}
			}
		}})
	})
	for _, secret := range secrets {
		// The data of Workato's job lines do not even get into an event.
		if lines := secret == "sk_live_"; seen[secret] == lines {
			t.Errorf("%q was in an event: %v", secret, seen[secret])
		}
	}
}

type redacted struct{ event func(*schema.Event) }

func (r redacted) Event(e *schema.Event) { r.event(e) }
func (redacted) Reject(Rejection)        {}

func eventText(e *schema.Event) string {
	parts := e.Text[:]
	for _, a := range e.Unmapped {
		parts = append(parts[:len(parts):len(parts)], a.Value)
	}
	return strings.Join(parts, "\n")
}
