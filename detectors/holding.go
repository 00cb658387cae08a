package detectors

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/crmwatch/crmwatch/schema"
)

const holdingQuery = `SELECT DISTINCT toInt64(floor(toUnixTimestamp64Milli(time) / {size:Int64})) AS w
FROM events
WHERE (%s
)
ORDER BY w`

const holdingRangeQuery = `SELECT DISTINCT toInt64(floor(toUnixTimestamp64Milli(time) / {size:Int64})) AS w
FROM events
WHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)} AND (%s
)
ORDER BY w`

// The lateness of all arrivals that matter is that of their windows, put together. The
// last arrival is one of any event: those that do not matter have been looked at too.
const arrivedQuery = `SELECT w, matters, max(latest) OVER () AS latest, quantileTDigestMerge(0.5)(lateness) OVER () AS median, max(longest) OVER () AS longest
FROM (
    WITH greatest(0, toUnixTimestamp64Milli(ingested_at) - toUnixTimestamp64Milli(time)) AS late,
        (%s
) AS kept
    SELECT toInt64(floor(toUnixTimestamp64Milli(time) / {size:Int64})) AS w, toUInt8(max(kept)) AS matters, max(ingested_at) AS latest,
        quantileTDigestStateIf(0.5)(late, kept) AS lateness, maxIf(late, kept) AS longest
    FROM events
    WHERE ingested_at > {arrived_from:DateTime64(3)} AND ingested_at <= {arrived_to:DateTime64(3)}
    GROUP BY w
)
ORDER BY w`

// windowsAround lists the grid windows that hold events and that arrivals in others
// (sorted) can change. The windows of the arrivals are known to hold some, so their events,
// in a live run those of a whole day, are not read for it.
func (r *Runner) windowsAround(ctx context.Context, rule Rule, arrived []int64) (holding []int64, err error) {
	first, last := gridWindow(arrived[0], rule.Window), gridWindow(arrived[len(arrived)-1], rule.Window)
	stretches := []Window{{first.From.Add(-rule.overhang()), first.From}, {last.To, last.To.Add(rule.reach())}}
	if last.From.Sub(first.From) != time.Duration(len(arrived)-1)*rule.Window {
		stretches = append(stretches, Window{first.From, last.To})
	}
	for _, stretch := range stretches {
		if !stretch.From.Before(stretch.To) {
			continue
		}
		found, err := r.windowsHolding(ctx, rule, &stretch)
		if err != nil {
			return nil, err
		}
		holding = append(holding, found...)
	}
	slices.Sort(holding)
	return holding, nil
}

// windowsHolding lists the grid windows that hold events that the rule reads, within a
// stretch of event time or (nil) at all.
func (r *Runner) windowsHolding(ctx context.Context, rule Rule, within *Window) ([]int64, error) {
	if within == nil {
		return r.windowNumbers(ctx, rule, holdingQuery)
	}
	return r.windowNumbers(ctx, rule, holdingRangeQuery,
		clickhouse.DateNamed("from", within.From, clickhouse.MilliSeconds), clickhouse.DateNamed("to", within.To, clickhouse.MilliSeconds))
}

// arrivedWindows are the grid windows that new rows touched.
type arrivedWindows struct {
	windows []int64
	// latest is the last arrival, also of events that the rule does not read.
	latest time.Time
	// median and longest are how late the rows came: arrival less event time.
	median, longest time.Duration
}

// windowsArrived lists the grid windows touched by rows that arrived in (from, to] and
// that the rule reads.
func (r *Runner) windowsArrived(ctx context.Context, rule Rule, from, to time.Time) (arrived arrivedWindows, err error) {
	err = r.windowRows(ctx, rule, arrivedQuery, func(rows driver.Rows) error {
		var number, longest int64
		var matters uint8
		var at time.Time
		var median float32
		if err := rows.Scan(&number, &matters, &at, &median, &longest); err != nil {
			return err
		}
		arrived.latest = at.UTC()
		if matters == 0 {
			return nil
		}
		arrived.windows = append(arrived.windows, number)
		arrived.median, arrived.longest = time.Duration(min(int64(median), longest))*time.Millisecond, time.Duration(longest)*time.Millisecond
		return nil
	}, clickhouse.DateNamed("arrived_from", from, clickhouse.MilliSeconds), clickhouse.DateNamed("arrived_to", to, clickhouse.MilliSeconds))
	return arrived, err
}

func (r *Runner) windowNumbers(ctx context.Context, rule Rule, query string, args ...any) (numbers []int64, err error) {
	err = r.windowRows(ctx, rule, query, func(rows driver.Rows) error {
		var number int64
		err := rows.Scan(&number)
		numbers = append(numbers, number)
		return err
	}, args...)
	return numbers, err
}

// windowRows asks for windows of the rule's grid and log types, and gives each row to
// scan.
func (r *Runner) windowRows(ctx context.Context, rule Rule, query string, scan func(driver.Rows) error, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, r.options.QueryTimeout)
	defer cancel()
	args = append(args, schema.Named("size", rule.Window.Milliseconds()))
	for _, p := range rule.Params {
		args = append(args, schema.Named(p.Name, p.Value))
	}
	reads := rule.Reads
	if reads == "" {
		reads = "1"
	}
	settings := r.readerSettings(maxSeriesRows)
	settings["final"] = 0
	rows, err := r.store.Query(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), fmt.Sprintf(query, reads), args...)
	if err != nil {
		return fmt.Errorf("find windows for rule %s: %w", rule.ID, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("find windows for rule %s: %w", rule.ID, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("find windows for rule %s: %w", rule.ID, err)
	}
	return nil
}
