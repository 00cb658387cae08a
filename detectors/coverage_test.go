package detectors

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/compliance/audit"
	"github.com/crmwatch/crmwatch/schema"
)

func TestCoverageSaysWhatARuleCannotSee(t *testing.T) {
	rules := []Rule{oneRule(t, "brute-force"), oneRule(t, "vendor-threat-finding")}
	store := openStore(t)
	row := func(product string, text map[schema.Text]string) {
		e := schema.Event{UID: schema.HashUID(product), Number: [schema.NumberCount]uint64{}}
		e.SetTime(testBase)
		e.Text[schema.MetadataProductName], e.Text[schema.MetadataLogName] = product, "Login"
		for column, value := range text {
			e.Text[column] = value
		}
		e.Number[schema.ClassUID], e.Number[schema.ActivityID], e.Number[schema.StatusID] = 3002, 1, 2
		insertEvents(t, store, []schema.Event{e})
	}
	row("named", map[schema.Text]string{schema.ActorUserName: "jdoe@acme.example"})
	row("nameless", nil)
	report, err := NewRunner(store, rules, Options{}).CheckCoverage(t.Context(), 7*day)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Sight{"brute-force named": Sees, "brute-force nameless": Blind, "vendor-threat-finding named": Blind, "vendor-threat-finding nameless": Blind}
	for _, c := range report.Rules {
		if c.Sight != want[c.Rule+" "+c.Product] {
			t.Errorf("%s in %s: %+v", c.Rule, c.Product, c)
		}
		delete(want, c.Rule+" "+c.Product)
	}
	if len(want) > 0 {
		t.Errorf("nothing is said of %v", want)
	}
	if blind := report.BlindRules(rules); len(blind) != 1 || blind[0] != "vendor-threat-finding" {
		t.Errorf("blind rules: %v", blind)
	}
	for _, s := range report.Sources {
		if s.Median <= 0 || s.Longest < s.Median || s.Longest > time.Since(testBase)+time.Minute {
			t.Errorf("lateness of %s: %s, %s", s.Product, s.Median, s.Longest)
		}
	}
	if err := SaveCoverage(t.Context(), store, report, time.Now()); err != nil {
		t.Fatal(err)
	}
	var kept, late uint64
	if err := store.QueryRow(t.Context(), "SELECT (SELECT count() FROM rule_coverage), (SELECT countIf(lateness_max_s > 0) FROM source_lateness)").Scan(&kept, &late); err != nil || kept != 4 || late != 2 {
		t.Errorf("%d rows of coverage and %d of lateness are kept, %v", kept, late, err)
	}
}

// What is done with crmwatch itself neither gives sight to rules that want logins, nor
// makes the logs of an old case old, nor is the rule that watches it ever blind.
func TestCoverageLeavesCrmwatchOut(t *testing.T) {
	rules := []Rule{oneRule(t, "brute-force"), oneRule(t, "export-burst"), oneRule(t, "monitor-weakened")}
	store := openStore(t)
	var old schema.Event
	old.UID = schema.HashUID("old")
	old.SetTime(testBase)
	old.Text[schema.MetadataProductName], old.Text[schema.MetadataLogName], old.Text[schema.ActorUserName] = "Salesforce", "ReportExport", "jdoe@acme.example"
	old.Number[schema.ClassUID], old.Number[schema.ActivityID] = 6001, 7
	insertEvents(t, store, []schema.Event{old})
	now := time.Now()
	for range 3 {
		now = now.Add(time.Second)
		err := audit.Write(t.Context(), store, audit.Record{At: now, Actor: "reader", Via: audit.ViaEngine, Action: "login.refuse", Failed: true, Attributes: map[string]string{"src_endpoint_ip": "127.0.0.1"}},
			audit.Record{At: now, Actor: "ana@soc-1", Action: "command.run", Object: "query"})
		if err != nil {
			t.Fatal(err)
		}
	}
	report, err := NewRunner(store, rules, Options{}).CheckCoverage(t.Context(), 7*day)
	if err != nil {
		t.Fatal(err)
	}
	if want := testBase.Add(time.Millisecond); !report.Within.To.Equal(want) {
		t.Errorf("the check ends at %s, want %s", report.Within.To, want)
	}
	if len(report.Sources) != 1 || report.Sources[0].Product != "Salesforce" {
		t.Errorf("sources are %+v", report.Sources)
	}
	if blind := report.BlindRules(rules); !slices.Equal(blind, []string{"brute-force"}) {
		t.Errorf("blind rules: %v", blind)
	}
}

// Parameters decide what is found, and Compare says what they change.
func TestReplayWithOtherParameters(t *testing.T) {
	rule := oneRule(t, "brute-force")
	store := openStore(t)
	insertEvents(t, store, firing(t, []Rule{rule}))
	deaf, err := rule.WithParameters(map[string]any{"threshold": uint64(100_000)})
	if err != nil {
		t.Fatal(err)
	}
	within := Window{testBase.Add(-30 * day), testBase.Add(30 * day)}
	runner := NewRunner(store, []Rule{rule}, Options{})
	found, err := runner.Replay(t.Context(), within)
	if err != nil || len(found) != 1 {
		t.Fatalf("%d findings, %v", len(found), err)
	}
	none, err := NewRunner(store, []Rule{deaf}, Options{}).Replay(t.Context(), within)
	if err != nil {
		t.Fatal(err)
	}
	if d := Compare(found, none); len(d.Gone) != 1 || len(d.New)+len(d.Changed) != 0 {
		t.Errorf("the difference is %+v", d)
	}
	delays, err := runner.Delays(t.Context(), rule, found)
	if err != nil || len(delays) != 1 || delays[0].Lateness <= 0 || delays[0].Detection < delays[0].Lateness {
		t.Errorf("delays %v, %v", delays, err)
	}
	if stored, err := LoadFindings(t.Context(), store, FindingFilter{}); err != nil || len(stored) != 0 {
		t.Errorf("a replay stored %d findings, %v", len(stored), err)
	}
}

// What a rule needs is looked for in the events of its classes alone, and of several
// columns one may be enough.
func TestCoverageGoesByClassAndOneOf(t *testing.T) {
	rules := []Rule{oneRule(t, "brute-force"), oneRule(t, "credential-several-places"), oneRule(t, "traffic-spike")}
	store := openStore(t)
	row := func(product string, class uint64, text map[schema.Text]string) {
		e := schema.Event{UID: schema.HashUID(product)}
		e.SetTime(testBase)
		e.Text = [schema.TextCount]string{schema.MetadataProductName: product, schema.MetadataLogName: "access"}
		for column, value := range text {
			e.Text[column] = value
		}
		e.Number[schema.ClassUID], e.Number[schema.ActivityID], e.Number[schema.StatusID] = class, 1, 2
		insertEvents(t, store, []schema.Event{e})
	}
	row("gateway", 6003, map[schema.Text]string{schema.ActorUserName: "crm-sync", schema.SessionCredentialUID: "k1", schema.SrcEndpointNetwork: "203.0.113.0/24"})
	row("portal", 4002, map[schema.Text]string{schema.SrcEndpointNetwork: "203.0.113.0/24"})
	row("crm", 3002, map[schema.Text]string{schema.ActorUserUID: "005A"})
	report, err := NewRunner(store, rules, Options{}).CheckCoverage(t.Context(), 7*day)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Sight{
		"brute-force gateway": Blind, "brute-force portal": Blind, "brute-force crm": Sees,
		"credential-several-places gateway": Sees, "credential-several-places portal": Blind, "credential-several-places crm": Blind,
		"traffic-spike gateway": Sees, "traffic-spike portal": Blind, "traffic-spike crm": Blind,
	}
	for _, c := range report.Rules {
		if c.Sight != want[c.Rule+" "+c.Product] {
			t.Errorf("%s in %s: %+v", c.Rule, c.Product, c)
		}
	}
	if i := slices.IndexFunc(report.Rules, func(c Coverage) bool { return c.Rule == "credential-several-places" && c.Product == "portal" }); !slices.Equal(report.Rules[i].Missing, []string{"session_credential_uid or actor_session_uid or actor_session_uid_alt"}) {
		t.Errorf("missing is %q", report.Rules[i].Missing)
	}
	without := report
	without.Rules = slices.DeleteFunc(slices.Clone(report.Rules), func(c Coverage) bool { return c.Product == "crm" })
	if spots := without.BlindSpots(rules[:1]); len(spots) != 1 || spots[0].Add != logsOfClass[schema.ClassAuthentication] {
		t.Errorf("blind spots are %+v", spots)
	}
}

// Where a test of a rule fires, the rule is not blind: what it needs is no more than what
// it can do with.
func TestNoRuleIsBlindWhereItFires(t *testing.T) {
	rules, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range rules {
		for _, test := range rule.Tests {
			if test.Kind != TestFires {
				continue
			}
			report := CoverageReport{Sources: sourcesOf(test)}
			if !slices.ContainsFunc(report.of(rule), func(c Coverage) bool { return c.Sight != Blind }) {
				t.Errorf("rule %s would be blind in its test %q: %+v", rule.ID, test.Name, report.of(rule))
			}
		}
	}
}

// sourcesOf are the sources of a test's events.
func sourcesOf(test Test) (sources []Source) {
	for _, e := range test.Events {
		e.rows(func(event *schema.Event) {
			product, log := event.Text[schema.MetadataProductName], event.Text[schema.MetadataLogName]
			i := slices.IndexFunc(sources, func(s Source) bool { return s.Product == product && s.LogName == log })
			if i < 0 {
				i = len(sources)
				sources = append(sources, Source{Product: product, LogName: log, filled: map[uint16]map[string]bool{}})
			}
			s, class := &sources[i], uint16(event.Number[schema.ClassUID])
			if s.filled[class] == nil {
				s.classes, s.filled[class] = append(s.classes, class), map[string]bool{}
			}
			for column := range eventColumns {
				text, isText := eventColumns[column].(schema.Text)
				number, isNumber := eventColumns[column].(schema.Number)
				if isText && event.Text[text] != "" || isNumber && event.Number[number] != 0 {
					s.filled[class][column] = true
				}
			}
		})
	}
	slices.SortFunc(sources, func(a, b Source) int { return strings.Compare(a.Product+a.LogName, b.Product+b.LogName) })
	return sources
}
