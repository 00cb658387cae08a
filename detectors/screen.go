package detectors

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Planning a rule's query costs more than running it over a day that holds nothing
// for it. So the windows are screened first, all at once, by a query that is cheap to
// plan; only those that may hold something are evaluated.

const screenQuery = `SELECT DISTINCT toInt64(floor(toUnixTimestamp64Milli(toDateTime64(time, 3, 'UTC')) / {screen_size:Int64})) AS w
FROM (
%s
)
ORDER BY w`

// screen keeps the windows (sorted) in which the rule may find something.
func (r *Runner) screen(ctx context.Context, rule Rule, windows []int64, adjust ...func(clickhouse.Settings)) ([]int64, error) {
	if rule.Screen == "" || len(windows) == 0 {
		return windows, nil
	}
	statement := fmt.Sprintf(screenQuery, strings.TrimRight(rule.Screen, "; \n\t"))
	var kept []int64
	for _, run := range rule.stretches(windows) {
		from, to := gridWindow(run[0], rule.Window).From, gridWindow(run[len(run)-1], rule.Window).To
		records, err := r.readStatement(ctx, rule, statement, from, to, screenArgs(rule, from), adjust...)
		if err != nil {
			return nil, fmt.Errorf("screen the windows of rule %s from %s: %w", rule.ID, from.Format(time.RFC3339), err)
		}
		for _, row := range records {
			index, _ := row["w"].(int64)
			if _, asked := slices.BinarySearch(run, index); asked {
				kept = append(kept, index)
			}
		}
	}
	return kept, nil
}

// screenOf is screen, as if the store held one tenant's events only: those of tenants
// whose names begin with prefix.
func (r *Runner) screenOf(ctx context.Context, rule Rule, windows []int64, prefix string) ([]int64, error) {
	filters := make([]string, 0, 6)
	for table, column := range map[string]string{"events": "metadata_tenant_uid", "event_facets": "tenant", "event_hours": "tenant", "event_partners": "tenant",
		"event_services": "tenant", "event_days": "tenant", "event_changes": "tenant", "event_peaks": "tenant",
		"event_callers": "tenant", "event_reads": "tenant", "event_logins": "tenant"} {
		filters = append(filters, fmt.Sprintf("'%s': 'startsWith(%s, \\'%s\\')'", table, column, prefix))
	}
	return r.screen(ctx, rule, windows, func(settings clickhouse.Settings) {
		settings["additional_table_filters"] = "{" + strings.Join(filters, ", ") + "}"
	})
}

// stretches cuts sorted windows where more than a few are left out: the days between
// two late files need not be read. Series begin anew with each block.
func (r Rule) stretches(windows []int64) [][]int64 {
	const gap = 3
	var runs [][]int64
	begin := 0
	for i := 1; i <= len(windows); i++ {
		if i == len(windows) || windows[i]-windows[i-1] > gap || r.Kind == KindSpike && r.block(windows[i]) != r.block(windows[i-1]) {
			runs = append(runs, windows[begin:i])
			begin = i
		}
	}
	return runs
}

// validateScreen checks the rule's condition and its screen on the engine, as validate
// does its query.
func (r *Runner) validateScreen(ctx context.Context, rule Rule) (Problems, error) {
	for key, statement := range map[string]string{"reads": rule.Reads, "screen": rule.Screen} {
		if statement == "" {
			continue
		}
		checked := rule
		checked.queryKey, checked.Query = key, statement
		if key == "reads" {
			checked.Query = "SELECT count() FROM events WHERE " + statement
		}
		tree, err := r.explain(ctx, checked)
		if err != nil {
			return engineProblem(checked, err)
		}
		if problems := reachProblems(checked, tree); len(problems) > 0 {
			return problems, nil
		}
		run := "SELECT count() FROM events WHERE time < {to:DateTime64(3)} AND (" + rule.Reads + "\n)"
		params := map[string]any{}
		if key == "screen" {
			run = fmt.Sprintf(screenQuery, strings.TrimRight(statement, "; \n\t"))
			params = screenArgs(rule, time.UnixMilli(0))
		}
		if _, err := r.readStatement(ctx, rule, run, time.UnixMilli(0), time.UnixMilli(0), params); err != nil {
			return engineProblem(checked, err)
		}
	}
	return nil, nil
}

// screenArgs are a screen's parameters for windows that begin at from. Those of a spike
// rule look back to where their series begin, and know the guards.
func screenArgs(rule Rule, from time.Time) map[string]any {
	if rule.Kind == KindSpike {
		return map[string]any{"lookback_from": rule.seriesFrom(rule.block(gridIndex(from, rule.Window))), "lookback_days": uint32(rule.Lookback / day), "screen_size": rule.Window.Milliseconds(),
			"least": rule.Guards.Least, "over_peak": rule.Guards.OverPeak}
	}
	return map[string]any{"lookback_from": from.Add(-rule.Lookback), "lookback_days": uint32(rule.Lookback / day), "screen_size": rule.Window.Milliseconds()}
}
