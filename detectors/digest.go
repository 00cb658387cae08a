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
// of too. event_services, event_days, event_changes, event_peaks, event_callers and
// event_reads are made of event_hours.

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
	// digestBehind is how far the digest may be behind the rules for one query to find what
	// has arrived for both.
	digestBehind = time.Hour
	// unsettled is how long an insert may take from the moment that it stamps.
	unsettled = 15 * time.Second
)

const arrivedHoursQuery = `SELECT toStartOfHour(time) AS hour, count() AS events, countIf(class_uid IN (6003, 4002)) AS calls, countIf(class_uid = 3002) AS logins, max(ingested_at) AS latest
FROM events
WHERE ingested_at > {arrived_from:DateTime64(3)}
GROUP BY hour
ORDER BY hour`

// arrivedHour is an hour of event time into which events arrived, how many of them, and how
// many are calls and logins.
type arrivedHour struct {
	at                    time.Time
	events, calls, logins uint64
}

func (h arrivedHour) day() time.Time { return h.at.Truncate(day) }

// digest brings the digest up to all that has arrived.
func (r *Runner) digest(ctx context.Context) error {
	if !r.usesDigest() {
		return nil
	}
	from, err := r.Watermark(ctx, digestMark)
	if err != nil {
		return err
	}
	records, err := readRecords(clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"final": 0, "session_timezone": "UTC"})), r.store, arrivedHoursQuery,
		clickhouse.DateNamed("arrived_from", from, clickhouse.MilliSeconds))
	if err != nil {
		return fmt.Errorf("find what is to be digested: %w", err)
	}
	var hours []arrivedHour
	var latest time.Time
	for _, row := range records {
		var h arrivedHour
		h.at, _ = row["hour"].(time.Time)
		h.events, _ = row["events"].(uint64)
		h.calls, _ = row["calls"].(uint64)
		h.logins, _ = row["logins"].(uint64)
		if at, _ := row["latest"].(time.Time); at.After(latest) {
			latest = at
		}
		h.at = h.at.UTC()
		hours = append(hours, h)
	}
	return r.digestArrived(ctx, hours, from, latest)
}

// digestArrived digests what arrived after a moment, the last of it at latest, in some hours
// of event time (sorted).
func (r *Runner) digestArrived(ctx context.Context, hours []arrivedHour, from, latest time.Time) error {
	if len(hours) == 0 && from.Unix() > 0 || !r.usesDigest() {
		return nil
	}
	for begin := 0; begin < len(hours); {
		// Neighbouring days together, so that many small ones are few statements; whole
		// days, because they are summed too.
		end, rows := begin, uint64(0)
		for end < len(hours) && (end == begin || hours[end].day().Equal(hours[end-1].day()) ||
			rows < digestRows && hours[end].day().Sub(hours[end-1].day()) <= 3*day) {
			rows += hours[end].events
			end++
		}
		if err := r.digestHours(ctx, hours[begin:end], from); err != nil {
			return fmt.Errorf("digest the events from %s: %w", hours[begin].day().Format(time.DateOnly), err)
		}
		begin = end
	}
	if from.Unix() <= 0 {
		if err := r.digestLeftHours(ctx); err != nil {
			return fmt.Errorf("digest the hours whose events are gone: %w", err)
		}
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
func (r *Runner) digestHours(ctx context.Context, arrived []arrivedHour, from time.Time) error {
	var touched, days, loggedIn []string
	var events uint64
	for _, hour := range arrived {
		events += hour.events
		touched, days = append(touched, hour.at.Format(time.DateTime)), append(days, hour.at.Format(time.DateOnly))
		if hour.logins > 0 {
			loggedIn = append(loggedIn, hour.at.Format(time.DateTime))
		}
	}
	now := r.options.Clock()
	held, older := callHoursOf(arrived, now)
	bounds := []any{clickhouse.DateNamed("from", arrived[0].day(), clickhouse.MilliSeconds), clickhouse.DateNamed("to", arrived[len(arrived)-1].day().Add(day), clickhouse.MilliSeconds),
		schema.Named("version", uint64(time.Now().UnixNano()))}
	digest := func(statement string, args ...any) error {
		ctx, cancel := context.WithTimeout(ctx, digestTimeout)
		defer cancel()
		return r.store.Exec(digesting(ctx), statement, append(args, bounds...)...)
	}
	hours := schema.Named("hours", touched)
	facets := facetsStatement
	if events > digestAtOnce {
		facets = facetsByKind
	}
	if err := digest(facets, clickhouse.DateNamed("arrived_from", from, clickhouse.MilliSeconds)); err != nil {
		return err
	}
	if err := digest(hoursStatement, hours, clickhouse.DateNamed("held_from", now.Add(-heldDays*day), clickhouse.MilliSeconds)); err != nil {
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
	if len(held.called) == 0 && len(older.called) == 0 {
		return nil
	}
	for _, statement := range []string{daysStatement, peaksStatement, callersStatement, readsStatement} {
		if err := digest(statement, whole); err != nil {
			return err
		}
	}
	var calledDays []string
	for statement, of := range map[string]callHours{partnersFromHours: held, partnersFromEvents: older} {
		if len(of.called) == 0 {
			continue
		}
		if err := digest(statement, schema.Named("hours", of.called), schema.Named("around", of.around)); err != nil {
			return err
		}
		for _, hour := range of.called {
			calledDays = append(calledDays, hour[:len(time.DateOnly)])
		}
	}
	slices.Sort(calledDays)
	return digest(partnerDaysStatement, schema.Named("days", slices.Compact(calledDays)))
}

// digesting is the context of what is inserted into the digest out of other tables.
func digesting(ctx context.Context) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"async_insert": 0, "session_timezone": "UTC", "do_not_merge_across_partitions_select_final": 1, "optimize_move_to_prewhere_if_final": 1}))
}

// usesDigest says whether any rule reads the digest.
func (r *Runner) usesDigest() bool {
	return slices.ContainsFunc(r.rules, func(rule Rule) bool {
		return strings.Contains(rule.Query, "FROM event_") || strings.Contains(rule.Screen, "FROM event_")
	})
}
