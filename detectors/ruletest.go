package detectors

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"golang.org/x/sync/errgroup"

	"github.com/crmwatch/crmwatch/schema"
)

// Result is the outcome of one test of a rule.
type Result struct {
	Rule string
	Test string
	Kind TestKind
	// Problem says what differs from what was expected; empty when the test passed.
	Problem  string
	Findings []schema.Finding
	// Duration is the test's share of the time that the rule's tests took together.
	Duration time.Duration
}

// Passed says whether the test found what it expected.
func (r Result) Passed() bool { return r.Problem == "" }

// TestRules runs the tests inside the rules in migrated databases that nothing else
// uses: as many rules at a time as there are databases, because planning their queries
// keeps one core busy each. Results are in the order of the rules. Each test has a tenant
// of its own, so that tests do not see each other. A rule without a test of each kind gets
// a result of its own that did not pass. The error is what kept tests from running.
func TestRules(ctx context.Context, stores []schema.Store, rules []Rule) ([]Result, error) {
	free := make(chan schema.Store, len(stores))
	for _, store := range stores {
		free <- store
	}
	results := make([][]Result, len(rules))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(len(stores))
	for i, rule := range rules {
		group.Go(func() error {
			store := <-free
			defer func() { free <- store }()
			if err := ctx.Err(); err != nil {
				return err
			}
			for _, kind := range []TestKind{TestFires, TestQuiet, TestBoundary} {
				if !slices.ContainsFunc(rule.Tests, func(t Test) bool { return t.Kind == kind }) {
					results[i] = append(results[i], Result{Rule: rule.ID, Test: "coverage", Kind: kind, Problem: fmt.Sprintf("no test of kind %s", kind)})
				}
			}
			found, err := testRule(ctx, store, rule)
			if err != nil {
				return fmt.Errorf("test rule %s: %w", rule.ID, err)
			}
			results[i] = append(results[i], found...)
			return nil
		})
	}
	err := group.Wait()
	return slices.Concat(results...), err
}

// forgetEvents empties the tables that rules read, so that a rule does not read the events
// of all rules tested before it. Those of a cluster keep them: a Distributed table cannot
// be emptied, and the tests have tenants of their own.
func forgetEvents(ctx context.Context, store schema.Store) error {
	var tables []string
	err := store.QueryRow(ctx, `SELECT groupArray(name) FROM system.tables WHERE database = currentDatabase() AND endsWith(engine, 'MergeTree')
    AND (name = 'events' OR startsWith(name, 'event_'))`).Scan(&tables)
	for i := 0; err == nil && i < len(tables); i++ {
		err = store.Exec(ctx, "TRUNCATE TABLE `"+tables[i]+"`")
	}
	if err != nil {
		return fmt.Errorf("forget the events of the tests: %w", err)
	}
	return nil
}

// testRule runs the tests of one rule together: each window is evaluated once for
// each set of parameters, and the findings told apart by tenant. It leaves no events.
func testRule(ctx context.Context, store schema.Store, rule Rule) ([]Result, error) {
	started := time.Now()
	batch := schema.NewBatch()
	windows := map[string][]int64{}
	tenants := make([]string, len(rule.Tests))
	for i, test := range rule.Tests {
		tenants[i] = fmt.Sprintf("test/%s/%d/", rule.ID, i)
		set := fmt.Sprint(test.Params)
		windows[set] = append(windows[set], test.fill(batch, tenants[i], rule.Window)...)
	}
	if err := insertBatch(ctx, store, batch); err != nil {
		return nil, err
	}
	type outcome struct {
		findings []schema.Finding
		failure  error
	}
	outcomes := map[string]outcome{}
	for _, test := range rule.Tests {
		set := fmt.Sprint(test.Params)
		if _, done := outcomes[set]; done {
			continue
		}
		tuned, err := rule.WithParameters(test.Params)
		if err != nil {
			return nil, err
		}
		slices.Sort(windows[set])
		var o outcome
		runner := NewRunner(store, []Rule{tuned}, Options{})
		if o.failure = runner.digest(ctx); o.failure == nil {
			o.findings, o.failure = runner.evaluate(ctx, tuned, slices.Compact(windows[set]), func() {})
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		outcomes[set] = o
	}
	var results []Result
	for i, test := range rule.Tests {
		result := Result{Rule: rule.ID, Test: test.Name, Kind: test.Kind, Duration: time.Since(started) / time.Duration(len(rule.Tests))}
		ran := outcomes[fmt.Sprint(test.Params)]
		for _, f := range ran.findings {
			if strings.HasPrefix(f.TenantUID, tenants[i]) {
				result.Findings = append(result.Findings, f)
			}
		}
		// A rule that cannot run has failed its tests; it does not end the others'.
		if ran.failure != nil {
			result.Problem = ran.failure.Error()
		} else {
			result.Problem = compareFindings(test.Expect, result.Findings)
		}
		if result.Passed() {
			// The tests share windows: the screen must let each through for its own sake.
			var err error
			if result.Problem, err = screenedOut(ctx, store, rule, test, tenants[i], result.Findings); err != nil {
				return nil, err
			}
		}
		results = append(results, result)
	}
	return results, forgetEvents(ctx, store)
}

// screenedOut says which finding of a test the rule's screen would have kept from being
// found, had the test's events been the only ones.
func screenedOut(ctx context.Context, store schema.Store, rule Rule, test Test, tenant string, findings []schema.Finding) (string, error) {
	if rule.Screen == "" || len(findings) == 0 {
		return "", nil
	}
	rule, err := rule.WithParameters(test.Params)
	if err != nil {
		return "", err
	}
	var windows []int64
	for _, f := range findings {
		windows = append(windows, gridIndex(f.WindowFrom, rule.Window))
	}
	slices.Sort(windows)
	windows = slices.Compact(windows)
	kept, err := NewRunner(store, []Rule{rule}, Options{}).screenOf(ctx, rule, windows, tenant)
	if err != nil {
		return "", err
	}
	for _, w := range windows {
		if !slices.Contains(kept, w) {
			return fmt.Sprintf("the rule's screen leaves out the window of %s, in which the query finds something", gridWindow(w, rule.Window).From.Format(time.RFC3339)), nil
		}
	}
	return "", nil
}

// fill appends the test's rows to a batch, each with an identity of its own, and
// returns the grid windows that they are in.
func (t Test) fill(batch *schema.Batch, tenant string, window time.Duration) []int64 {
	n := uint64(0)
	var hash schema.UIDHasher
	var windows []int64
	for _, e := range t.Events {
		e.rows(func(event *schema.Event) {
			hash.Reset()
			hash.Part(tenant)
			hash.Number(n)
			event.UID = hash.Sum()
			n++
			event.Text[schema.MetadataTenantUID] = tenant + event.Text[schema.MetadataTenantUID]
			batch.Append(event)
			windows = append(windows, gridIndex(event.When(), window))
		})
	}
	slices.Sort(windows)
	return slices.Compact(windows)
}

func insertBatch(ctx context.Context, store schema.Store, batch *schema.Batch) error {
	if batch.Rows() == 0 {
		return nil
	}
	block, err := batch.AppendBlock(nil)
	if err != nil {
		return err
	}
	settings := clickhouse.Settings{"async_insert": 0}
	if err := store.InsertFormat(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), "Native", "INSERT INTO "+schema.EventsTable, bytes.NewReader(block)); err != nil {
		return fmt.Errorf("insert the test's events: %w", err)
	}
	return nil
}

// compareFindings says how findings differ from what is expected, in any order.
func compareFindings(expected []Expectation, findings []schema.Finding) string {
	left := slices.Clone(findings)
	var differences []string
	for _, want := range expected {
		best, at := []string{"no finding"}, -1
		for i, f := range left {
			if d := want.differences(f); at < 0 || len(d) < len(best) {
				best, at = d, i
			}
		}
		if at >= 0 && len(best) == 0 {
			left = slices.Delete(left, at, at+1)
			continue
		}
		differences = append(differences, fmt.Sprintf("want %s: %s", want.say(), strings.Join(best, ", ")))
	}
	for _, f := range left {
		differences = append(differences, fmt.Sprintf("unexpected finding: %s, count %d, %s, %s to %s: %s", f.Entity, f.Count, f.Severity,
			f.FirstSeen.Format(time.RFC3339), f.LastSeen.Format(time.RFC3339), f.Message))
	}
	return strings.Join(differences, "\n")
}

func (e Expectation) say() string {
	for _, text := range []string{e.Entity, e.EntityUID, e.Message} {
		if text != "" {
			return text
		}
	}
	return "a finding"
}

// differences lists the fields in which a finding is not what is expected.
func (e Expectation) differences(f schema.Finding) []string {
	var out []string
	compare := func(field, want, got string) {
		if want != "" && want != got {
			out = append(out, fmt.Sprintf("%s is %q, want %q", field, got, want))
		}
	}
	compare("entity", e.Entity, f.Entity)
	compare("entity_uid", e.EntityUID, f.EntityUID)
	compare("severity", e.Severity, f.Severity.String())
	compare("first_seen", e.FirstSeen, f.FirstSeen.Format(time.RFC3339Nano))
	compare("last_seen", e.LastSeen, f.LastSeen.Format(time.RFC3339Nano))
	if e.Count != nil {
		compare("count", strconv.FormatUint(*e.Count, 10), strconv.FormatUint(f.Count, 10))
	}
	if e.Evidence != nil {
		compare("evidence", strconv.Itoa(*e.Evidence), strconv.Itoa(len(f.Evidence)))
	}
	if e.Message != "" && !strings.Contains(f.Message, e.Message) {
		out = append(out, fmt.Sprintf("message is %q, want it to say %q", f.Message, e.Message))
	}
	for name, want := range e.With {
		if got := f.Attributes[name]; got != want {
			out = append(out, fmt.Sprintf("attribute %s is %q, want %q", name, got, want))
		}
	}
	return out
}
