package route_test

import (
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting/route"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/google/go-cmp/cmp"
)

func words(t *testing.T, line string) []string {
	t.Helper()
	list, err := route.SplitWords(line)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// drop is an alert of one rule that people silence.
func drop() schema.Alert {
	return schema.Alert{
		UID: schema.HashUID("drop"), Status: schema.AlertOpen, Severity: schema.SeverityLow, TenantUID: "acme", EntityType: "integration", EntityUID: "005B",
		Entity: "svc-erp@acme.example", FirstSeen: now, LastSeen: now, Findings: []schema.Finding{{Rule: "traffic-drop", Product: "Salesforce", Severity: schema.SeverityLow}},
	}
}

func TestParseSilence(t *testing.T) {
	// As typed on a phone: dashes and quotes are not those of a shell.
	s, err := route.ParseSilence(words(t, `—match rule=traffic-drop 'entity=svc-*' --for 1d12h --reason “moving the ERP”`), "Mira (U0MIRA)", now)
	if err != nil {
		t.Fatal(err)
	}
	want := route.Silence{
		UID: s.UID, Match: route.Match{Rule: route.Patterns{"traffic-drop"}, Entity: route.Patterns{"svc-*"}}, CreatedAt: now,
		StartsAt: now, EndsAt: now.Add(36 * time.Hour), Author: "Mira (U0MIRA)", Reason: "moving the ERP",
	}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Error(diff)
	}
	short, err := route.ParseSilence(words(t, "rule=traffic-drop 90m moving the ERP --up-to high"), "Mira", now)
	if err != nil || short.Reason != "moving the ERP" || !short.EndsAt.Equal(now.Add(90*time.Minute)) || short.UpTo != schema.SeverityHigh || len(short.Match.Rule) != 1 {
		t.Errorf("the short form: %+v, %v", short, err)
	}
	later, err := route.ParseSilence([]string{"--match=rule=x", "--from=2026-03-05T00:00:00Z", "--until", "2026-03-05T01:00:00+00:00", "--reason", "r", "--up-to", "critical"}, "root@soc-1", now)
	if err != nil || later.UpTo != schema.SeverityCritical || later.Active(now) || !later.Active(later.StartsAt) || later.Active(later.EndsAt) {
		t.Errorf("%+v, %v", later, err)
	}
}

func TestParseSilenceRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"--for 2h --reason r":                                    "must not mute everything",
		"rule=x --reason r":                                      "must end",
		"rule=x --for 2h":                                        "needs a reason",
		"rule=x --for 2h --reason":                               "--reason has no value",
		"rule=x --for 31d --reason r":                            "at most 30 days",
		"rule=x --for 0h --reason r":                             "duration",
		"rule=x --for soon --reason r":                           "duration",
		"rule=x --for -2h --reason r":                            "duration",
		"rule=x --until 2026-03-01T00:00:00Z --reason r":         "must end later",
		"rule=x --until tomorrow --reason r":                     "the time",
		"rule=x --for 1h --until 2027-03-01T00:00:00Z":           "keep one",
		"rule=x --for 2h --reason r --up-to grave":               "severity",
		"rule=x --for 2h --reason r --forever yes":               "there is no --forever",
		"rule=x --for 2h --reason r --from 2029-01-01T00:00:00Z": "more than a year",
		"entity=a[ --for 2h --reason r":                          "malformed",
	} {
		if _, err := route.ParseSilence(words(t, line), "root", now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %q, got %v", line, want, err)
		}
	}
	if _, err := route.SplitWords(`a "b`); err == nil {
		t.Error("an open quote was taken")
	}
}

func TestSilenceMutes(t *testing.T) {
	s, err := route.ParseSilence(words(t, "rule=traffic-* --for 2h --reason r"), "root", now)
	if err != nil {
		t.Fatal(err)
	}
	// Its author has seen a high one, and a critical one is never muted unasked.
	for severity, want := range map[schema.Severity]schema.Severity{
		schema.SeverityLow: schema.SeverityMedium, schema.SeverityHigh: schema.SeverityHigh, schema.SeverityCritical: schema.SeverityHigh,
	} {
		settled := s
		settled.Settle([]schema.Alert{{Severity: severity}})
		if settled.UpTo != want {
			t.Errorf("with an alert that is %s: up to %s", severity, settled.UpTo)
		}
	}
	s.Settle(nil)
	grown := drop()
	grown.Severity = schema.SeverityHigh
	story := drop()
	story.Findings = append(story.Findings, schema.Finding{Rule: "token-replay", Severity: schema.SeverityLow})
	if !s.Mutes(drop()) || s.Mutes(grown) || s.Mutes(story) {
		t.Errorf("mutes %v, what is above %v, what another rule speaks of %v", s.Mutes(drop()), s.Mutes(grown), s.Mutes(story))
	}
}

func TestMaintenance(t *testing.T) {
	q, err := route.NewQuiet([]route.Maintenance{
		{Name: "patch night", Match: route.Match{Product: route.Patterns{"Salesforce"}}, Cron: "0 22 * * SUN", For: 4 * time.Hour, Zone: "Europe/Berlin"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	sunday := time.Date(2026, 3, 8, 21, 0, 0, 0, time.UTC) // 22:00 in Berlin
	for after, want := range map[time.Duration]route.Mute{
		-time.Second: {}, 0: {Reason: "maintenance patch night", Until: sunday.Add(4 * time.Hour)},
		4*time.Hour - time.Second: {Reason: "maintenance patch night", Until: sunday.Add(4 * time.Hour)}, 4 * time.Hour: {},
	} {
		if diff := cmp.Diff(want, q.Muted(drop(), sunday.Add(after), nil, nil)); diff != "" {
			t.Errorf("%s after its beginning:\n%s", after, diff)
		}
	}
	critical := drop()
	critical.Severity = schema.SeverityCritical
	if q.Muted(critical, sunday, nil, nil).Muted() {
		t.Error("a critical alert is muted")
	}
	for want, spoil := range map[string]func(m *route.Maintenance){
		"name": func(m *route.Maintenance) { m.Name = "" }, "match": func(m *route.Maintenance) { m.Match = route.Match{} },
		"match.rule": func(m *route.Maintenance) { m.Match.Rule = route.Patterns{"["} }, "cron": func(m *route.Maintenance) { m.Cron = "TZ=UTC" },
		"zone": func(m *route.Maintenance) { m.Zone = "Mars" }, "for": func(m *route.Maintenance) { m.For = 0 }, "up_to": func(m *route.Maintenance) { m.UpTo = "grave" },
	} {
		m := route.Maintenance{Name: "n", Match: route.Match{Rule: route.Patterns{"x"}}, Cron: "@daily", For: time.Hour}
		if problems := m.Check(); problems != nil {
			t.Fatal(problems)
		}
		spoil(&m)
		if problems := m.Check(); len(problems) != 1 || problems[0].Key != want {
			t.Errorf("%s: %v", want, problems)
		}
	}
}

func TestInhibition(t *testing.T) {
	rule := route.Inhibition{
		When: route.Match{Rule: route.Patterns{"source-silent"}}, Mute: route.Match{Rule: route.Patterns{"traffic-drop"}}, Equal: []string{"tenant", "product"},
	}
	q, err := route.NewQuiet(nil, []route.Inhibition{rule})
	if err != nil {
		t.Fatal(err)
	}
	silent := schema.Alert{
		UID: schema.HashUID("silent"), Status: schema.AlertOpen, Severity: schema.SeverityMedium, TenantUID: "acme", EntityType: "source", EntityUID: "Salesforce RestApi",
		FirstSeen: now, LastSeen: now, Findings: []schema.Finding{{Rule: "source-silent", Product: "Salesforce", Severity: schema.SeverityMedium}},
	}
	want := route.Mute{Reason: "inhibited by " + silent.UID.String()}
	if diff := cmp.Diff(want, q.Muted(drop(), now, nil, []schema.Alert{silent})); diff != "" {
		t.Error(diff)
	}
	for name, change := range map[string]func(cause, consequence *schema.Alert){
		"the cause is over":  func(cause, _ *schema.Alert) { cause.Status = schema.AlertResolved },
		"another tenant":     func(cause, _ *schema.Alert) { cause.TenantUID = "other" },
		"another product":    func(cause, _ *schema.Alert) { cause.Findings[0].Product = "HubSpot" },
		"days later":         func(_, a *schema.Alert) { a.FirstSeen = now.Add(25 * time.Hour) },
		"critical":           func(_, a *schema.Alert) { a.Severity = schema.SeverityCritical },
		"a cause by itself":  func(cause, a *schema.Alert) { a.Findings = append(a.Findings, cause.Findings[0]) },
		"another rule spoke": func(_, a *schema.Alert) { a.Findings = append(a.Findings, theft().Findings[0]) },
		"itself":             func(cause, a *schema.Alert) { a.UID = cause.UID },
	} {
		cause, consequence := silent, drop()
		cause.Findings = []schema.Finding{silent.Findings[0]}
		change(&cause, &consequence)
		if m := q.Muted(consequence, now, nil, []schema.Alert{cause}); m.Muted() {
			t.Errorf("%s: %+v", name, m)
		}
	}
	for want, spoil := range map[string]func(i *route.Inhibition){
		"when": func(i *route.Inhibition) { i.When = route.Match{} }, "mute": func(i *route.Inhibition) { i.Mute = route.Match{} },
		"equal[0]": func(i *route.Inhibition) { i.Equal = []string{"colour"} }, "when.rule": func(i *route.Inhibition) { i.When.Rule = route.Patterns{"["} },
	} {
		i := rule
		spoil(&i)
		if problems := i.Check(); len(problems) != 1 || problems[0].Key != want {
			t.Errorf("%s: %v", want, problems)
		}
	}
}
