package detectors

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

// The digest is what screens read in place of the events: event_facets, which value an
// identity showed on which day, event_hours, how much it did in which hour, and
// event_partners, which of its calls another product tells of too.

const (
	// digestMark is the name of the digest's watermark; a change of what is digested
	// needs another.
	digestMark = "digest 1"
	// digestRows is about how many events are digested at a time.
	digestRows    = 4_000_000
	digestTimeout = 10 * time.Minute
	// unsettled is how long an insert may take from the moment that it stamps.
	unsettled = 15 * time.Second
)

const arrivedDaysQuery = `SELECT toStartOfDay(time) AS day, count() AS events, max(ingested_at) AS latest
FROM events
WHERE ingested_at > {arrived_from:DateTime64(3)} AND ingested_at <= {arrived_to:DateTime64(3)}
GROUP BY day
ORDER BY day`

// digest brings the digest up to what arrived until then; the zero time is everything.
func (r *Runner) digest(ctx context.Context, until time.Time) error {
	if !r.usesDigest() {
		return nil
	}
	from, err := r.Watermark(ctx, digestMark)
	if err != nil {
		return err
	}
	if until.IsZero() {
		until = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	ctx, cancel := context.WithTimeout(ctx, digestTimeout)
	defer cancel()
	days, err := readRecords(clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"final": 0, "session_timezone": "UTC"})), r.store, arrivedDaysQuery,
		clickhouse.DateNamed("arrived_from", from, clickhouse.MilliSeconds), clickhouse.DateNamed("arrived_to", until, clickhouse.MilliSeconds))
	if err != nil {
		return fmt.Errorf("find what is to be digested: %w", err)
	}
	latest := from
	for begin := 0; begin < len(days); {
		// Neighbouring days together, so that many small ones are few statements.
		end, rows := begin, uint64(0)
		for end < len(days) && (end == begin || rows < digestRows && dayOf(days[end]).Sub(dayOf(days[end-1])) <= 3*day) {
			events, _ := days[end]["events"].(uint64)
			rows += events
			if at, _ := days[end]["latest"].(time.Time); at.After(latest) {
				latest = at
			}
			end++
		}
		for _, statement := range []string{facetsStatement, hoursStatement, partnersStatement} {
			err := r.store.Exec(clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
				"async_insert": 0, "session_timezone": "UTC", "do_not_merge_across_partitions_select_final": 1, "optimize_move_to_prewhere_if_final": 1})), statement,
				clickhouse.DateNamed("from", dayOf(days[begin]), clickhouse.MilliSeconds), clickhouse.DateNamed("to", dayOf(days[end-1]).Add(day), clickhouse.MilliSeconds),
				clickhouse.DateNamed("arrived_from", from, clickhouse.MilliSeconds), schema.Named("version", uint64(time.Now().UnixNano())))
			if err != nil {
				return fmt.Errorf("digest the events from %s: %w", dayOf(days[begin]).Format(time.DateOnly), err)
			}
		}
		begin = end
	}
	// What arrived only now may not be all yet that arrived before it.
	if settled := r.options.Clock().Add(-unsettled); latest.After(settled) {
		latest = settled
	}
	if !latest.After(from) {
		return nil
	}
	return r.Commit(ctx, Arrival{Rule: digestMark, watermark: digestMark, ArrivedFrom: from, ArrivedTo: latest})
}

func dayOf(row record) time.Time {
	at, _ := row["day"].(time.Time)
	return at.UTC()
}

// usesDigest says whether any rule reads the digest.
func (r *Runner) usesDigest() bool {
	return slices.ContainsFunc(r.rules, func(rule Rule) bool {
		return strings.Contains(rule.Query, "FROM event_") || strings.Contains(rule.Screen, "FROM event_")
	})
}
