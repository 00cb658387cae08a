package detectors

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// Whatever a rule is about: when it cannot fire any more, its tests say so.
func TestEveryRuleThatCannotFireFailsItsTests(t *testing.T) {
	rules := someRules(t)
	for i := range rules {
		rules[i].Query = wrapQuery(rules[i].Query) + " WHERE 0"
		rules[i].Tests = slices.DeleteFunc(rules[i].Tests, func(t Test) bool { return t.Kind != TestFires })
	}
	results, err := TestRules(t.Context(), []schema.Store{openStore(t)}, rules)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Kind == TestFires && r.Passed() {
			t.Errorf("rule %s returns nothing, and its test %q passes", r.Rule, r.Test)
		}
	}
}

func TestSelfTestTellsARuleThatCannotFire(t *testing.T) {
	good, broken := oneRule(t, "brute-force"), oneRule(t, "password-spray")
	// Tuning says what a user wants to hear of; it does not break a rule.
	tuned, err := good.WithParameters(map[string]any{"threshold": uint64(100_000)})
	if err != nil {
		t.Fatal(err)
	}
	broken.Query = wrapQuery(broken.Query) + " WHERE 0"
	results, err := SelfTest(t.Context(), openStore(t), []Rule{tuned, broken})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Kind != TestFires || r.Passed() != (r.Rule == good.ID) {
			t.Errorf("rule %s, test %q of kind %s: passed %v", r.Rule, r.Test, r.Kind, r.Passed())
		}
	}
	at := time.Date(2026, 3, 2, 0, 0, 1, 0, time.UTC)
	findings := SelfTestFindings(results, at)
	if len(findings) != 1 || findings[0].Severity != schema.SeverityHigh || findings[0].Entity != broken.ID || !strings.Contains(findings[0].Message, "no finding") {
		t.Fatalf("findings are %+v", findings)
	}
	if again := SelfTestFindings(results, at.Add(time.Hour)); again[0].UID != findings[0].UID {
		t.Error("the same day gives another finding")
	}
	store := openStore(t)
	if err := SaveSelfTest(t.Context(), store, time.Now(), results); err != nil {
		t.Fatal(err)
	}
	var passed, failed uint64
	if err := store.QueryRow(t.Context(), "SELECT countIf(passed = 1 AND problem = ''), countIf(passed = 0 AND problem != '') FROM self_tests").Scan(&passed, &failed); err != nil {
		t.Fatal(err)
	}
	if passed == 0 || failed == 0 || int(passed+failed) != len(results) {
		t.Errorf("%d passed and %d failed tests are kept of %d", passed, failed, len(results))
	}
}
