package detectors

import (
	"testing"
	"time"

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
