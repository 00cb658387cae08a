package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/engine"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/crmwatch/crmwatch/simulate"
)

// The test binary is its engine's process as well.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == engineChild {
		if err := engine.RunChild(context.Background()); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A small company, a few kinds, the rules for them: all is found, nobody else accused.
func TestSmallCompany(t *testing.T) {
	c := company{seed: 11, days: 10, users: 40, integrations: 18, each: 1,
		kinds: []string{"password-spray", "brute-force", "secret-hunting", "impossible-travel", "token-replay", "mass-delete", "privilege-grant", "workflow-failures"},
		rules: []string{"password-spray", "brute-force", "secret-hunting-query", "several-countries", "token-replay", "mass-change", "privilege-change", "workflow-failures"}}
	l, err := c.live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := l.score()
	var printed bytes.Buffer
	s.print(&printed)
	if s.planted != 8 || s.found != 8 {
		l.explain(&printed, s)
		t.Errorf("%d of %d found\n%s", s.found, s.planted, &printed)
	}
	if s.wrongAlerts > 1 {
		l.explain(&printed, s)
		t.Errorf("%d false alerts\n%s", s.wrongAlerts, &printed)
	}
	if !strings.Contains(printed.String(), "mass-delete") || !strings.Contains(printed.String(), "Recall") {
		t.Errorf("printed %s", &printed)
	}
}

func TestMatching(t *testing.T) {
	from := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	label := simulate.Label{Kind: "token-theft", EntityUID: "005A", Entity: "svc@acme.example", Aliases: []string{"app-1"}, Networks: []string{"203.0.113.0/24"},
		From: from, To: from.Add(time.Hour), Rules: []string{"integration-new-network"}}
	finding := func(rule, entity string, at time.Time, severity schema.Severity) schema.Finding {
		return schema.Finding{UID: schema.HashUID(rule, entity, at.String()), Rule: rule, EntityType: "integration", EntityUID: entity, FirstSeen: at, LastSeen: at.Add(time.Minute), Severity: severity}
	}
	findings := []schema.Finding{
		finding("integration-new-network", "005a", from.Add(10*time.Minute), schema.SeverityMedium), // right
		finding("traffic-spike", "app-1", from.Add(20*time.Minute), schema.SeverityLow),             // right, by a rule that is not asked for
		finding("integration-new-network", "005A", from.Add(-3*24*time.Hour), schema.SeverityLow),   // too early
		finding("integration-new-network", "005B", from, schema.SeverityLow),                        // an innocent
		finding("integration-new-network", "005C", from, schema.SeverityInformational),              // a note
	}
	v := judgeFindings(findings, []simulate.Label{label})
	if len(v.found[0]) != 1 || v.found[0][0].UID != findings[0].UID {
		t.Errorf("found %v", v.found[0])
	}
	if len(v.right) != 2 {
		t.Errorf("%d findings are right, want 2", len(v.right))
	}
	// The three findings of 005A and 005a are not one alert: ids are as the logs have them.
	if v.wrong != 2 {
		t.Errorf("%d alerts are wrong of %d: %v", v.wrong, v.alerts, v.wrongOnes)
	}
	l := lived{truth: simulate.Manifest{From: from, To: from.AddDate(0, 0, 14), Incidents: []simulate.Label{label}}, findings: findings}
	for _, f := range findings {
		l.rules = append(l.rules, rule(f.Rule))
	}
	s := l.score()
	if s.recall() != 1 || s.worst() != 1 || s.wrong != 2 || s.rules["integration-new-network"].notes != 1 || s.rules["integration-new-network"].first != 1 {
		t.Errorf("score %+v", s)
	}
	if got := (score{entities: 500, weeks: 2}).perThousand(3); got != 3 {
		t.Errorf("3 of 500 in two weeks are %v a thousand and week", got)
	}
}

func rule(id string) detectors.Rule { return detectors.Rule{ID: id} }
