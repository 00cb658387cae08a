package detectors

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// SelfTestRule is the rule of findings about crmwatch itself: a rule that can no
// longer fire.
const SelfTestRule = "self-test"

// SelfTestRunbook is what a person does about a finding of SelfTestRule.
var SelfTestRunbook = []string{
	"Run `crmwatch rules test --rule RULE`, with `--rules DIR` for rules of your own: it says what the test expects and what came.",
	"Look at what changed last: the rule's file, crmwatch, or the ClickHouse server.",
	"Mend the rule, or put the former version back, and read it in with a SIGHUP.",
	"What the rule missed meanwhile is found by: crmwatch backtest --config FILE --rule RULE",
}

// SelfTest runs the firing tests inside the rules in a migrated database that
// nothing else uses. Rules are tested with the parameters of
// their files, because those are what the tests prove. A rule that fails is tried
// once more, so that a busy moment is not taken for a broken rule.
func SelfTest(ctx context.Context, scratch schema.Store, rules []Rule) ([]Result, error) {
	var results []Result
	for _, rule := range rules {
		rule = rule.untuned()
		rule.Tests = slices.DeleteFunc(slices.Clone(rule.Tests), func(t Test) bool { return t.Kind != TestFires })
		found, err := testRule(ctx, scratch, rule)
		if err == nil && !allPassed(found) {
			found, err = testRule(ctx, scratch, rule)
		}
		if err != nil {
			return results, fmt.Errorf("test rule %s: %w", rule.ID, err)
		}
		results = append(results, found...)
	}
	return results, nil
}

func allPassed(results []Result) bool {
	return !slices.ContainsFunc(results, func(r Result) bool { return !r.Passed() })
}

// SaveSelfTest keeps the results of a self-test.
func SaveSelfTest(ctx context.Context, store schema.Store, started time.Time, results []Result) error {
	if len(results) == 0 {
		return nil
	}
	batch, err := store.PrepareBatch(writing(ctx), "INSERT INTO self_tests (started_at, rule, test, passed, problem, duration_ms)")
	if err != nil {
		return fmt.Errorf("save self-test: %w", err)
	}
	defer batch.Close()
	for _, r := range results {
		passed := uint8(0)
		if r.Passed() {
			passed = 1
		}
		if err := batch.Append(started, r.Rule, r.Test, passed, r.Problem, uint32(r.Duration.Milliseconds())); err != nil {
			return fmt.Errorf("save self-test of rule %s: %w", r.Rule, err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("save self-test: %w", err)
	}
	return nil
}

// SelfTestFindings are the findings about rules that did not pass: one a rule and day.
func SelfTestFindings(results []Result, at time.Time) []schema.Finding {
	at = at.UTC().Truncate(time.Millisecond)
	failed := map[string][]Result{}
	var order []string
	for _, r := range results {
		if r.Passed() {
			continue
		}
		if failed[r.Rule] == nil {
			order = append(order, r.Rule)
		}
		failed[r.Rule] = append(failed[r.Rule], r)
	}
	var findings []schema.Finding
	for _, rule := range order {
		first := failed[rule][0]
		problem, _, _ := strings.Cut(first.Problem, "\n")
		window := gridWindow(gridIndex(at, day), day)
		f := schema.Finding{
			DetectedAt: at, Rule: SelfTestRule, Severity: schema.SeverityHigh, Title: "A rule can no longer fire",
			Message: fmt.Sprintf("The rule %s does not find what its own test %q says (%s). What it is there for would go unnoticed.", rule, first.Test, problem),
			Product: "crmwatch", EntityType: "rule", EntityUID: rule, Entity: rule,
			WindowFrom: window.From, WindowTo: window.To, FirstSeen: at, LastSeen: at, Count: uint64(len(failed[rule])),
			Attributes:  map[string]string{"failed_tests": textOf(testNames(failed[rule]))},
			EvidenceSQL: "SELECT started_at, rule, test, problem\nFROM self_tests\nWHERE passed = 0\nORDER BY started_at DESC\nLIMIT 20",
		}
		f.UID = findingUID(f, window.From)
		findings = append(findings, f)
	}
	return findings
}

func testNames(results []Result) []string {
	names := make([]string, len(results))
	for i, r := range results {
		names[i] = r.Test
	}
	return names
}
