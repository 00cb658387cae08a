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
// identity showed on which day, event_hours, how much it did in which hour, event_logins,
// which of its logins failed, and event_partners, which of its calls another product tells
// of too. event_services,
// event_days, event_changes, event_peaks, event_callers and event_reads are made of event_hours.

const (
	// digestMark is the name of the digest's watermark; a change of what is digested
	// needs another.
	digestMark = "digest 5"
	// digestRows is about how many events are digested at a time, digestTimeout how long
	// one statement over them may take.
	digestRows    = 4_000_000
	digestTimeout = 10 * time.Minute
	// digestAtOnce is of how many events all facets are found in one pass.
	digestAtOnce = 100_000
	// unsettled is how long an insert may take from the moment that it stamps.
	unsettled = 15 * time.Second
)

const arrivedHoursQuery = `SELECT toStartOfHour(time) AS hour, count() AS events, countIf(class_uid IN (6003, 4002)) AS calls, countIf(class_uid = 3002) AS logins, max(ingested_at) AS latest
FROM events
WHERE ingested_at > {arrived_from:DateTime64(3)} AND ingested_at <= {arrived_to:DateTime64(3)}
GROUP BY hour
ORDER BY hour`

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
	hours, err := readRecords(clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"final": 0, "session_timezone": "UTC"})), r.store, arrivedHoursQuery,
		clickhouse.DateNamed("arrived_from", from, clickhouse.MilliSeconds), clickhouse.DateNamed("arrived_to", until, clickhouse.MilliSeconds))
	if err != nil {
		return fmt.Errorf("find what is to be digested: %w", err)
	}
	latest := from
	for begin := 0; begin < len(hours); {
		// Neighbouring days together, so that many small ones are few statements; whole
		// days, because they are summed too.
		end, rows := begin, uint64(0)
		for end < len(hours) && (end == begin || dayOf(hours[end]).Equal(dayOf(hours[end-1])) ||
			rows < digestRows && dayOf(hours[end]).Sub(dayOf(hours[end-1])) <= 3*day) {
			events, _ := hours[end]["events"].(uint64)
			rows += events
			if at, _ := hours[end]["latest"].(time.Time); at.After(latest) {
				latest = at
			}
			end++
		}
		if err := r.digestHours(ctx, hours[begin:end], from); err != nil {
			return fmt.Errorf("digest the events from %s: %w", dayOf(hours[begin]).Format(time.DateOnly), err)
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

// digestHours digests what arrived after a moment in some hours of event time (sorted).
func (r *Runner) digestHours(ctx context.Context, arrived []record, from time.Time) error {
	var touched, called, around, days, calledDays, loggedIn []string
	var events uint64
	for _, row := range arrived {
		n, _ := row["events"].(uint64)
		events += n
		hour := hourOf(row)
		touched = append(touched, hour.Format(time.DateTime))
		days = append(days, hour.Format(time.DateOnly))
		if logins, _ := row["logins"].(uint64); logins > 0 {
			loggedIn = append(loggedIn, hour.Format(time.DateTime))
		}
		if calls, _ := row["calls"].(uint64); calls > 0 {
			for beside := -2; beside <= 2; beside++ {
				at := hour.Add(time.Duration(beside) * time.Hour)
				around = append(around, at.Format(time.DateTime))
				if beside >= -1 && beside <= 1 {
					called, calledDays = append(called, at.Format(time.DateTime)), append(calledDays, at.Format(time.DateOnly))
				}
			}
		}
	}
	for _, list := range []*[]string{&called, &around, &calledDays} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	bounds := []any{clickhouse.DateNamed("from", dayOf(arrived[0]), clickhouse.MilliSeconds), clickhouse.DateNamed("to", dayOf(arrived[len(arrived)-1]).Add(day), clickhouse.MilliSeconds),
		schema.Named("version", uint64(time.Now().UnixNano()))}
	digest := func(statement string, args ...any) error {
		ctx, cancel := context.WithTimeout(ctx, digestTimeout)
		defer cancel()
		return r.store.Exec(clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
			"async_insert": 0, "session_timezone": "UTC", "do_not_merge_across_partitions_select_final": 1, "optimize_move_to_prewhere_if_final": 1})), statement, append(args, bounds...)...)
	}
	hours := schema.Named("hours", touched)
	facets := facetsStatement
	if events > digestAtOnce {
		facets = facetsByKind
	}
	if err := digest(facets, clickhouse.DateNamed("arrived_from", from, clickhouse.MilliSeconds)); err != nil {
		return err
	}
	if err := digest(hoursStatement, hours); err != nil {
		return err
	}
	if err := digest(servicesStatement, hours); err != nil {
		return err
	}
	if len(loggedIn) > 0 {
		if err := digest(loginsStatement, schema.Named("hours", loggedIn)); err != nil {
			return err
		}
	}
	whole := schema.Named("days", slices.Compact(days))
	if err := digest(changesStatement, whole); err != nil {
		return err
	}
	if len(called) == 0 {
		return nil
	}
	for _, statement := range []string{daysStatement, peaksStatement, callersStatement, readsStatement} {
		if err := digest(statement, whole); err != nil {
			return err
		}
	}
	if err := digest(partnersStatement, schema.Named("hours", called), schema.Named("around", around)); err != nil {
		return err
	}
	return digest(partnerDaysStatement, schema.Named("days", calledDays))
}

func hourOf(row record) time.Time {
	at, _ := row["hour"].(time.Time)
	return at.UTC()
}

func dayOf(row record) time.Time { return hourOf(row).Truncate(day) }

// usesDigest says whether any rule reads the digest.
func (r *Runner) usesDigest() bool {
	return slices.ContainsFunc(r.rules, func(rule Rule) bool {
		return strings.Contains(rule.Query, "FROM event_") || strings.Contains(rule.Screen, "FROM event_")
	})
}
