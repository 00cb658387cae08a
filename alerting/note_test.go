package alerting_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/schema"
)

func note(rule string, when time.Time) schema.Finding {
	f := finding(rule, when)
	f.Severity = schema.SeverityInformational
	return f
}

// A note is kept and sent to nobody, until something worse joins it.
func TestDeskKeepsNotesToItself(t *testing.T) {
	o := openOffice(t)
	o.mustFind(note("impersonation", at(1)))
	o.flush(time.Hour)
	o.restart()
	o.flush(time.Hour)
	if o.calls("") != 0 || o.console.Len() > 0 {
		t.Errorf("%d calls of Slack, and on the console %q", o.calls(""), o.console.String())
	}
	alerts, err := o.desk.Alerts(t.Context(), alerting.AlertFilter{})
	if err != nil || len(alerts) != 1 || !alerting.IsNote(alerts[0]) {
		t.Fatalf("kept are %+v, %v", alerts, err)
	}
	o.mustFind(finding("bulk-export", at(2)))
	if m := o.theMessage(); !strings.Contains(m.Text, "MEDIUM Finding of bulk-export") || !strings.Contains(m.Text, "2 findings") {
		t.Errorf("the message says %s", m.Text)
	}
}

// What is only worth noting makes no chain of attack, and no title.
func TestNotesWeighNothing(t *testing.T) {
	alerts := alerting.Group(nil, []schema.Finding{note("impersonation", at(1)), note("legacy-authentication", at(1)), finding("traffic-spike", at(2))})
	if len(alerts) != 1 || alerts[0].Severity != schema.SeverityMedium || alerts[0].Title != "Finding of traffic-spike: svc-sync@acme.example" {
		t.Errorf("alerts: %+v", alerts)
	}
}

func TestWriteNotes(t *testing.T) {
	first, again := note("impersonation", at(1)), note("impersonation", at(2))
	first.Message = "svc-sync@acme.example logged in once as ada@acme.example\x1b[2J " + strings.Repeat("and so on ", 20)
	again.Message = first.Message
	other := about(note("legacy-authentication", at(3)), "user", "005-1", "bob@acme.example")
	var out bytes.Buffer
	alerts, notes := alerting.SplitNotes(alerting.Group(nil, []schema.Finding{first, again, other}))
	if err := alerting.WriteNotes(&out, notes, alerting.Style{}); err != nil || len(alerts) > 0 {
		t.Fatalf("%d alerts, %v", len(alerts), err)
	}
	expectHarmless(t, out.String())
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	want := []string{
		"2 notes (informational; times in UTC):",
		"  2025-08-13 00:00  impersonation          svc-sync@acme.example logged in once as ada@acm… (1 more until 2025-08-14 00:00)",
		"  2025-08-15 00:00  legacy-authentication  bob@acme.example: Something happened.",
	}
	if len(lines) != len(want) || lines[0] != want[0] {
		t.Fatalf("notes:\n%s", out.String())
	}
	for i, line := range lines[1:] {
		// The uid of the alert comes first.
		if got := line[:2] + line[12:]; !strings.HasPrefix(got, want[i+1]) || len([]rune(line)) > 140 {
			t.Errorf("line %q, want %q", got, want[i+1])
		}
	}
}

// An alert by which somebody decides says which rules could not look; others do not.
func TestMessageSaysWhatWasNotSeen(t *testing.T) {
	blind := func(entityType string) []string {
		if entityType != "integration" {
			return nil
		}
		return []string{"r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8"}
	}
	const want = "Not seen, for want of logs: r1, r2, r3, r4, r5, r6 and 2 more"
	low := finding("brute-force", at(1))
	low.Severity = schema.SeverityLow
	for name, c := range map[string]struct {
		finding schema.Finding
		says    bool
	}{
		"medium": {finding("brute-force", at(1)), true}, "low": {low, false},
		"another type": {about(finding("brute-force", at(1)), "network", "192.0.2.0/24", ""), false},
	} {
		preview := alerting.Preview(alerting.Group(nil, []schema.Finding{c.finding})[0], alerting.MessageOptions{NotSeen: blind})
		if strings.Contains(preview, want) != c.says {
			t.Errorf("%s:\n%s", name, preview)
		}
	}
}
