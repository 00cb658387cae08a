package route_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting/route"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/google/go-cmp/cmp"
)

var now = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC) // a Wednesday

// theft is a story of two rules about an integration.
func theft() schema.Alert {
	return schema.Alert{
		UID: schema.HashUID("theft"), Status: schema.AlertOpen, Severity: schema.SeverityHigh, TenantUID: "acme", EntityType: "integration",
		EntityUID: "005A", Entity: "svc-sync@acme.example", FirstSeen: now, LastSeen: now, Attack: []string{"T1550.001", "T1213"},
		Findings: []schema.Finding{
			{Rule: "token-replay", Product: "Salesforce", Severity: schema.SeverityHigh, Attack: []string{"T1550.001"}},
			{Rule: "export-burst", Product: "Salesforce", Severity: schema.SeverityMedium, Attack: []string{"T1213"}},
			{Rule: "new-client", Product: "Kong Gateway", Severity: schema.SeverityInformational, Attack: []string{"T1036"}},
		},
	}
}

func TestMatch(t *testing.T) {
	cases := []struct {
		text     string
		any, all bool
	}{
		{"severity=high", true, true},
		{"severity>=high", true, true},
		{"severity>= medium", true, true},
		{"severity>high", false, false},
		{"severity<high", false, false},
		{"severity=low,high", true, true},
		{"rule=token-replay", true, false},
		{"rule=TOKEN-*", true, false},
		{"rule=token-replay,export-burst", true, true},
		{"rule=*", true, true},
		{"rule!=token-replay", true, false},
		{"rule!=other", true, true},
		{"rule=new-client", true, false},
		{"product=salesforce", true, true},
		{"product=kong*", true, false},
		{"product=kong* rule=token-replay", false, false},
		{"entity=svc-*", true, true},
		{"entity=005a", true, true},
		{"entity=svc-[a-c]*", false, false},
		{"entity=svc-[!a-c]*", true, true},
		{"entity=svc?sync@acme.example", true, true},
		{"entity!=svc-*", false, false},
		{"integration=svc-*", true, true},
		{"entity_type=user", false, false},
		{"tenant=ac*", true, true},
		{"tenant!=ac*", false, false},
		{"tactic=lateral-movement", true, false},
		{"tactic=TA0009", true, false},
		{"tactic=collection,lateral-movement", true, true},
		{"tactic=impact", false, false},
		{"technique=T1550", true, false},
		{"technique=T1550.001,t1213", true, true},
		{"technique=T1550.002", false, false},
		{"severity>=high rule=token-replay entity=svc-*", true, false},
	}
	for _, c := range cases {
		m, err := route.ParseMatch(strings.Fields(strings.ReplaceAll(c.text, ">= ", ">=")))
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := m.Any(theft()); got != c.any {
			t.Errorf("%s: any is %v", c.text, got)
		}
		if got := m.All(theft()); got != c.all {
			t.Errorf("%s: all is %v", c.text, got)
		}
		again, err := route.ParseMatch(m.Strings())
		if err != nil || !cmp.Equal(m, again) {
			t.Errorf("%s is written as %q, which is read as %+v, %v", c.text, m.Strings(), again, err)
		}
	}
}

// Of an alert whose findings are gone the database still knows the techniques; what
// is not known is told, not muted.
func TestMatchWithoutFindings(t *testing.T) {
	a := theft()
	a.Findings = nil
	for text, want := range map[string][2]bool{"technique=T1213": {true, false}, "rule=*": {false, false}, "entity=svc-*": {true, true}} {
		m, err := route.ParseMatch([]string{text})
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]bool{m.Any(a), m.All(a)}; got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestParseMatchRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"rule": "is no condition", "=x": "is no condition", "rul=x": "there is no key", "rule>x": "only severity", "severity=grave": "is not known",
		"severity>critical": "no severity is", "severity!=low": "cannot be excluded", "entity=a[": "malformed", "entity=[]": "malformed", `entity=a\`: "backslash",
		"tactic=theft": "collection", "rule=": "is empty", "rule=a,": "is empty",
	} {
		if _, err := route.ParseMatch([]string{text}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %q, got %v", text, want, err)
		}
	}
}

// A route by tactic must not miss a rule for want of an entry.
func TestEveryTechniqueOfARuleHasATactic(t *testing.T) {
	rules, err := detectors.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range rules {
		for _, id := range rule.Attack {
			if len(route.TacticsOf([]string{id})) == 0 {
				t.Errorf("%s: technique %s has no tactic", rule.ID, id)
			}
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("entity=svc-[a-z]*")
	f.Add("severity>=high")
	f.Add(`rule=\*,!?`)
	f.Add("entity=\xff[!^&&~]")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := route.ParseMatch([]string{text})
		if err != nil {
			return
		}
		m.All(theft())
		if again, err := route.ParseMatch(m.Strings()); err != nil || !slices.Equal(m.Strings(), again.Strings()) {
			t.Errorf("%q is written as %q: %v", text, m.Strings(), err)
		}
	})
}
