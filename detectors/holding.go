package detectors

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

const holdingQuery = `SELECT DISTINCT toInt64(floor(toUnixTimestamp64Milli(time) / {size:Int64})) AS w, toDateTime64(0, 3, 'UTC') AS latest
FROM events
WHERE ({any:Bool} OR metadata_log_name IN {log_types:Array(String)})
ORDER BY w`

const holdingRangeQuery = `SELECT DISTINCT toInt64(floor(toUnixTimestamp64Milli(time) / {size:Int64})) AS w, toDateTime64(0, 3, 'UTC') AS latest
FROM events
WHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)}
  AND ({any:Bool} OR metadata_log_name IN {log_types:Array(String)})
ORDER BY w`

const arrivedQuery = `SELECT toInt64(floor(toUnixTimestamp64Milli(time) / {size:Int64})) AS w, max(ingested_at) AS latest
FROM events
WHERE ingested_at > {arrived_from:DateTime64(3)} AND ingested_at <= {arrived_to:DateTime64(3)}
  AND ({any:Bool} OR metadata_log_name IN {log_types:Array(String)})
GROUP BY w
ORDER BY w`

// windowsHolding lists the grid windows that hold events of the log types that
// the rule needs, within a stretch of event time or (nil) at all.
func (r *Runner) windowsHolding(ctx context.Context, rule Rule, within *Window) ([]int64, error) {
	if within == nil {
		numbers, _, err := r.windowNumbers(ctx, rule, holdingQuery)
		return numbers, err
	}
	numbers, _, err := r.windowNumbers(ctx, rule, holdingRangeQuery,
		clickhouse.DateNamed("from", within.From, clickhouse.MilliSeconds), clickhouse.DateNamed("to", within.To, clickhouse.MilliSeconds))
	return numbers, err
}

// windowsArrived lists the grid windows touched by rows that arrived in (from, to],
// and the last of these arrivals.
func (r *Runner) windowsArrived(ctx context.Context, rule Rule, from, to time.Time) (windows []int64, latest time.Time, err error) {
	return r.windowNumbers(ctx, rule, arrivedQuery,
		clickhouse.DateNamed("arrived_from", from, clickhouse.MilliSeconds), clickhouse.DateNamed("arrived_to", to, clickhouse.MilliSeconds))
}

func (r *Runner) windowNumbers(ctx context.Context, rule Rule, query string, args ...any) (numbers []int64, latest time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.options.QueryTimeout)
	defer cancel()
	args = append(args, schema.Named("size", rule.Window.Milliseconds()),
		schema.Named("any", len(rule.Needs.LogTypes) == 0), schema.Named("log_types", append([]string{}, rule.Needs.LogTypes...)))
	settings := r.readerSettings(maxSeriesRows)
	settings["final"] = 0
	rows, err := r.store.Query(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), query, args...)
	if err != nil {
		return nil, latest, fmt.Errorf("find windows for rule %s: %w", rule.ID, err)
	}
	defer rows.Close()
	for rows.Next() {
		var number int64
		var at time.Time
		if err := rows.Scan(&number, &at); err != nil {
			return nil, latest, fmt.Errorf("find windows for rule %s: %w", rule.ID, err)
		}
		numbers = append(numbers, number)
		if at.After(latest) {
			latest = at.UTC()
		}
	}
	if err := rows.Err(); err != nil {
		return nil, latest, fmt.Errorf("find windows for rule %s: %w", rule.ID, err)
	}
	return numbers, latest, nil
}
