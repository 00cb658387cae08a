package posture

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

// TestResult is the outcome of one test of a check.
type TestResult struct {
	Check, Test string
	// Problem says what differs from what was expected; empty when the test passed.
	Problem string
}

// TestChecks runs the tests inside the checks in a migrated database that nothing else
// uses. Each test has a tenant of its own, and the period ends with the latest event of
// all, and is 30 days long as that of a run is.
func TestChecks(ctx context.Context, store schema.Store, shared Shared, checks []Check) ([]TestResult, error) {
	batch := schema.NewBatch()
	var latest time.Time
	for _, c := range checks {
		for i, test := range c.Tests {
			latest = later(latest, test.fill(batch, testTenant(c, i)))
		}
	}
	block, err := batch.AppendBlock(nil)
	if err != nil {
		return nil, err
	}
	insert := clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"async_insert": 0, "max_partitions_per_insert_block": 0}))
	if err := store.InsertFormat(insert, "Native", "INSERT INTO events", bytes.NewReader(block)); err != nil {
		return nil, fmt.Errorf("insert the tests' events: %w", err)
	}
	var results []TestResult
	for _, c := range checks {
		// Tests with the same parameters are asked together.
		ran := map[string]Report{}
		for i, test := range c.Tests {
			set := fmt.Sprint(test.Params)
			report, known := ran[set]
			if !known {
				tuned, err := c.WithParameters(test.Params)
				if err != nil {
					return nil, err
				}
				if report, err = Run(ctx, store, shared, []Check{tuned}, Options{Now: latest}); err != nil {
					return nil, err
				}
				ran[set] = report
			}
			mine := report.Only(func(r Result) bool { return r.Tenant == testTenant(c, i) })
			problem := "it has no result"
			if len(mine.Results) == 1 {
				if problem = test.Expect.differences(mine.Results[0]); strings.HasPrefix(mine.Results[0].Reason, queryFailed) {
					problem = mine.Results[0].Reason
				}
			}
			results = append(results, TestResult{c.ID, test.Name, problem})
		}
	}
	return results, nil
}

func testTenant(c Check, test int) string { return fmt.Sprintf("%s/%d", c.ID, test) }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// fill appends the test's rows, and returns the time of the latest.
func (t Test) fill(batch *schema.Batch, tenant string) (latest time.Time) {
	n := uint64(0)
	var hash schema.UIDHasher
	for _, e := range t.Events {
		e.Rows(func(event *schema.Event) {
			hash.Reset()
			hash.Part(tenant)
			hash.Number(n)
			n++
			event.UID = hash.Sum()
			event.Text[schema.MetadataTenantUID] = tenant
			latest = later(latest, event.When())
			batch.Append(event)
		})
	}
	return latest
}

// differences says how a result differs from what is expected.
func (e Expectation) differences(r Result) string {
	var out []string
	if r.Verdict != e.Verdict {
		out = append(out, fmt.Sprintf("verdict is %s, want %s", r.Verdict, e.Verdict))
	}
	if e.LookedAt != nil && r.LookedAt != *e.LookedAt {
		out = append(out, fmt.Sprintf("looked at %d, want %d", r.LookedAt, *e.LookedAt))
	}
	var things []string
	said := r.Reason
	for _, p := range r.Products {
		for _, x := range p.Evidence {
			said += "\n" + x.Says
			if x.Verdict != CannotJudge {
				things = append(things, x.Thing)
			}
		}
	}
	if e.Things != nil {
		slices.Sort(things)
		want := slices.Sorted(slices.Values(e.Things))
		if !slices.Equal(things, want) {
			out = append(out, fmt.Sprintf("what did not pass is %q, want %q", things, want))
		}
	}
	if !strings.Contains(said, e.Says) {
		out = append(out, fmt.Sprintf("it says %q, want %q in it", said, e.Says))
	}
	if len(out) > 0 && e.Says == "" {
		out = append(out, fmt.Sprintf("it says %q", said))
	}
	return strings.Join(out, "; ")
}
