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

const holdingAnyQuery = `SELECT toInt64(floor(toUnixTimestamp64Milli(time) / {size:Int64})) AS w
FROM events
WHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)} AND (%s
)
LIMIT 1
SETTINGS max_threads = 1, max_block_size = 8192`

// windowsAround lists the grid windows that hold events and that arrivals in others
// (sorted) can change. The windows of the arrivals are known to hold some, so their events,
// in a live run those of a whole day, are not read for it, and no window holds any after the
// newest event.
func (r *Runner) windowsAround(ctx context.Context, rule Rule, arrived []int64, newest time.Time) (holding []int64, err error) {
	first, last := gridWindow(arrived[0], rule.Window), gridWindow(arrived[len(arrived)-1], rule.Window)
	stretches := []Window{{first.From.Add(-rule.overhang()), first.From}, {last.To, earlier(last.To.Add(rule.reach()), newest.Add(time.Millisecond))}}
	if last.From.Sub(first.From) != time.Duration(len(arrived)-1)*rule.Window {
		stretches = append(stretches, Window{first.From, last.To})
	}
	for _, stretch := range stretches {
		if !stretch.From.Before(stretch.To) {
			continue
		}
		found, err := r.windowsHoldingAny(ctx, rule, stretch)
		if err != nil {
			return nil, err
		}
		holding = append(holding, found...)
	}
	slices.Sort(holding)
	return holding, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// windowsHoldingAny is windowsHolding. Of a few windows each is asked for one event: its
// other events are not read then.
func (r *Runner) windowsHoldingAny(ctx context.Context, rule Rule, within Window) (holding []int64, err error) {
	const few = 3
	windows := gridWindows(within.From, within.To, rule.Window)
	if len(windows) > few {
		return r.windowsHolding(ctx, rule, &within)
	}
	// What the screen leaves out is not evaluated, whether it holds events or not.
	screened := windows
	if rule.Screen != "" {
		var err error
		if screened, err = r.screen(ctx, rule, windows); err != nil {
			return nil, err
		}
	}
	for _, index := range windows {
		if !slices.Contains(screened, index) {
			holding = append(holding, index)
			continue
		}
		window := gridWindow(index, rule.Window)
		if window.From.Before(within.From) {
			window.From = within.From
		}
		found, err := r.windowNumbers(ctx, rule, holdingAnyQuery, clickhouse.DateNamed("from", window.From, clickhouse.MilliSeconds),
			clickhouse.DateNamed("to", earlier(window.To, within.To), clickhouse.MilliSeconds))
		if err != nil {
			return nil, err
		}
		holding = append(holding, found...)
	}
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
	// newest is the latest event time in the store.
	newest time.Time
	// median and longest are how late the rows came: arrival less event time.
	median, longest time.Duration
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
