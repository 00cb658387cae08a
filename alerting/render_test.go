package alerting_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/alerting/fakeslack"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the expected output")

// inputFinding is a finding as the cases in testdata have it.
type inputFinding struct {
	Rule, Severity, Title, Message string
	Tenant, Product                *string
	EntityType                     string    `json:"entity_type"`
	EntityUID                      string    `json:"entity_uid"`
	Entity                         string    `json:"entity"`
	WindowFrom                     time.Time `json:"window_from"`
	WindowTo                       time.Time `json:"window_to"`
	FirstSeen                      time.Time `json:"first_seen"`
	LastSeen                       time.Time `json:"last_seen"`
	Count                          uint64
	Attack, Controls               []string
	Attributes                     map[string]string
	Evidence                       int
	SQL                            string
}

func readFindings(t *testing.T, path string) []schema.Finding {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var inputs []inputFinding
	if err := json.Unmarshal(text, &inputs); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	or := func(s *string, otherwise string) string {
		if s == nil {
			return otherwise
		}
		return *s
	}
	var findings []schema.Finding
	for _, in := range inputs {
		severity, known := schema.ParseSeverity(in.Severity)
		if !known {
			t.Fatalf("%s: severity %q", path, in.Severity)
		}
		f := schema.Finding{
			Rule: in.Rule, Severity: severity, Title: in.Title, Message: in.Message,
			TenantUID: or(in.Tenant, "acme"), Product: or(in.Product, "Salesforce"),
			EntityType: in.EntityType, EntityUID: in.EntityUID, Entity: in.Entity, WindowFrom: in.WindowFrom, WindowTo: in.WindowTo,
			FirstSeen: in.FirstSeen, LastSeen: in.LastSeen, Count: in.Count, Attack: in.Attack, Controls: in.Controls, Attributes: in.Attributes, EvidenceSQL: in.SQL,
		}
		f.UID = schema.FindingUID(f.Rule, f.TenantUID, f.EntityType, f.EntityUID, f.WindowFrom)
		for i := range in.Evidence {
			f.Evidence = append(f.Evidence, schema.HashUID("evidence", fmt.Sprint(i)))
		}
		findings = append(findings, f)
	}
	return findings
}

func runbook(rule string) []string {
	if rule != "recon-then-bulk" {
		return nil
	}
	return []string{
		"Revoke the integration's tokens in Setup > Connected Apps OAuth Usage.",
		"Ask the owner of the integration whether the export was theirs.",
	}
}

// The output of each case is what a person reads: as text, as Slack's JSON, and
// as Slack would show it. Every message must be taken by a Slack that is as
// strict as the real one, and nothing in it may be live.
func TestStories(t *testing.T) {
	cases, err := filepath.Glob("testdata/stories/*/findings.json")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, path := range cases {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			alerts := alerting.Group(nil, readFindings(t, path))
			var text, message, preview bytes.Buffer
			if err := alerting.WriteText(&text, alerts, alerting.Style{Width: 100, Runbook: runbook}); err != nil {
				t.Fatal(err)
			}
			for _, a := range alerts {
				m := alerting.BuildMessage(a, alerting.MessageOptions{Runbook: runbook})
				encoder := json.NewEncoder(&message)
				encoder.SetIndent("", "  ")
				encoder.SetEscapeHTML(false)
				if err := encoder.Encode(m); err != nil {
					t.Fatal(err)
				}
				preview.WriteString(alerting.Preview(a, alerting.MessageOptions{Channel: "security-alerts", Runbook: runbook}))
				expectAccepted(t, a)
			}
			expectHarmless(t, text.String())
			expectHarmless(t, preview.String())
			golden(t, filepath.Join(dir, "story.txt"), text.Bytes())
			golden(t, filepath.Join(dir, "message.json"), message.Bytes())
			golden(t, filepath.Join(dir, "preview.txt"), preview.Bytes())
		})
	}
}

// expectAccepted posts and updates the alert's message in a fake Slack.
func expectAccepted(t *testing.T, a schema.Alert) {
	t.Helper()
	server, slack := startSlack(t, fakeslack.Options{}, nil)
	at, err := slack.Post(t.Context(), a, alerting.RepeatNone)
	if err != nil {
		t.Fatalf("post: %v\n%v", err, server.Calls("chat.postMessage"))
	}
	if err := slack.Update(t.Context(), at, a, alerting.RepeatLost); err != nil {
		t.Fatalf("update: %v", err)
	}
	for _, m := range server.Messages("") {
		if live := m.Live(); len(live) > 0 || m.Unfurl || m.LinkNames {
			t.Errorf("the message holds live text %q (unfurl %v, link names %v)", live, m.Unfurl, m.LinkNames)
		}
		if m.Metadata.EventPayload["alert_uid"] != a.UID.String() {
			t.Errorf("metadata %v does not name alert %s", m.Metadata, a.UID)
		}
	}
}

// expectHarmless fails where text holds a character that does something instead
// of showing something.
func expectHarmless(t *testing.T, text string) {
	t.Helper()
	for i, r := range text {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)) {
			t.Errorf("character %U at byte %d", r, i)
		}
	}
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (make it with -update)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (rewrite it with -update):\n%s", path, diff)
	}
}

func TestColorIsOnlyColor(t *testing.T) {
	alerts := alerting.Group(nil, readFindings(t, "testdata/stories/token-theft/findings.json"))
	var plain, colored bytes.Buffer
	if err := alerting.WriteText(&plain, alerts, alerting.Style{}); err != nil {
		t.Fatal(err)
	}
	if err := alerting.WriteText(&colored, alerts, alerting.Style{Color: true}); err != nil {
		t.Fatal(err)
	}
	stripped := colored.String()
	for _, code := range []string{"0", "1", "2", "33", "36", "1;31", "1;41;97"} {
		stripped = strings.ReplaceAll(stripped, "\x1b["+code+"m", "")
	}
	if stripped == colored.String() {
		t.Error("no colour was written")
	}
	if diff := cmp.Diff(plain.String(), stripped); diff != "" {
		t.Errorf("colours change more than colours:\n%s", diff)
	}
}

// Slack's limits hold for any text and any number of findings.
func TestMessageLimits(t *testing.T) {
	long := map[string]string{
		"ascii": strings.Repeat("a", 100_000), "ampersands": strings.Repeat("&", 100_000), "words": strings.Repeat("word ", 20_000),
		"three bytes": strings.Repeat("語", 100_000), "surrogates": strings.Repeat("😀", 100_000), "quotes": strings.Repeat(`"`, 100_000),
		"controls": strings.Repeat("\x1b", 100_000), "backquotes": strings.Repeat("`", 100_000), "newlines": strings.Repeat("\n", 100_000),
		"invalid": strings.Repeat("\xff", 100_000), "blank": strings.Repeat(" ", 100_000),
	}
	for name, text := range long {
		t.Run(name, func(t *testing.T) {
			var findings []schema.Finding
			for i := range 500 {
				f := finding(fmt.Sprintf("rule-%d-%s", i%7, text[:100]), at(0).Add(time.Duration(i)*time.Hour))
				f.Title, f.Message, f.Entity, f.Product, f.EvidenceSQL = text, text, text, text[:5000], text
				f.Attack, f.Attributes = []string{fmt.Sprintf("T%d", 1000+i), text}, map[string]string{text[:1000]: text}
				findings = append(findings, f)
			}
			alerts := alerting.Group(nil, findings)
			if len(alerts) != 1 || len(alerts[0].Findings) != 500 {
				t.Fatalf("%d alerts", len(alerts))
			}
			endless := func(string) []string {
				return []string{text, text + "2", text + "3", "", "4", "5", "6", "7", "8", "9", "10"}
			}
			server, slack := startSlack(t, fakeslack.Options{}, endless)
			if _, err := slack.Post(t.Context(), alerts[0], alerting.RepeatLost); err != nil {
				t.Fatalf("post: %v", err)
			}
			if live := server.Messages("")[0].Live(); len(live) > 0 {
				t.Errorf("live text: %.200q", live)
			}
			var out bytes.Buffer
			if err := alerting.WriteText(&out, alerts, alerting.Style{Runbook: endless}); err != nil {
				t.Fatal(err)
			}
			expectHarmless(t, out.String())
			// Three next steps are written whole; the rest is bounded.
			if bound := 3*len(text)*5 + 300_000; out.Len() > bound {
				t.Errorf("the text has %d bytes, more than %d", out.Len(), bound)
			}
		})
	}
}
