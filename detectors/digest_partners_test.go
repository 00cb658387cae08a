package detectors

import (
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/schema"
)

// randomCalls are calls of a day's last hours, one of twelve that arrive one after the other
// in no order of time: ids that are used by several products, hours and quarters, those that
// are used once, and none; names that differ in case; some arrive twice.
const randomCalls = `INSERT INTO events (time, ingested_at, event_uid, metadata_tenant_uid, metadata_product_name, metadata_log_name, class_uid, activity_id, status_id,
    actor_user_uid, actor_user_name, actor_app_name, metadata_correlation_uid, src_endpoint_name, x_source_name)
WITH number AS n, cityHash64(n, {seed:UInt64}) AS h
SELECT toDateTime64('2026-03-02 10:00:00', 3, 'UTC') + toIntervalSecond(cityHash64(h, 1) % 28800), {arrives:DateTime64(3)}, toUUID(concat('00000000-0000-4000-8000-', leftPad(toString(n), 12, '0'))),
    if(h % 7 = 0, 'other', 'acme'), ['Salesforce', 'Kong Gateway', 'Mule runtime'][1 + h % 3], ['RestApi', 'ApiTotalUsage', 'BulkApi2'][1 + (cityHash64(h, 2) % 12) % 3], if(cityHash64(h, 3) % 20 = 0, 3002, 6003), 2, 1,
    if(h % 3 = 0, concat('005', toString(cityHash64(h, 4) % 4)), ''), ['', 'Sync', 'sync', 'etl'][1 + cityHash64(h, 5) % 4], ['', 'sync', 'loader'][1 + cityHash64(h, 6) % 3],
    multiIf(cityHash64(h, 7) % 5 = 0, '', cityHash64(h, 7) % 5 = 1, concat('once-', toString(n)), concat('r', toString(cityHash64(h, 8) % 400))), if(cityHash64(h, 9) % 30 = 0, 'composite', ''), ['', 'a', 'b'][1 + cityHash64(h, 11) % 3]
FROM numbers(3000)
WHERE h % 12 = {part:UInt64} OR cityHash64(h, 10) % 12 = {part:UInt64}`

const partnersSeen = `SELECT concat(toString(hour), ' ', sort, ' ', tenant, ' ', product, ' ', who), toString((calls, matched, mapSort(through), mapSort(carriers), calls_by_hour)) FROM event_partners FINAL`

// What is known of calls and their partners does not depend on whether it comes from the
// calls that event_hours holds, arrival by arrival, or from all events at once.
func TestPartnersFromHoursAndFromEvents(t *testing.T) {
	store := openStore(t)
	arrives := time.Date(2026, 3, 2, 18, 0, 0, 0, time.UTC)
	known := func(clock time.Time) map[string]string {
		t.Helper()
		runner := NewRunner(store, []Rule{oneRule(t, "crm-call-without-middleware-call")}, Options{Clock: func() time.Time { return clock }})
		if err := runner.digest(t.Context()); err != nil {
			t.Fatal(err)
		}
		rows, err := store.Query(t.Context(), partnersSeen)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		seen := map[string]string{}
		for rows.Next() {
			var key, value string
			if err := rows.Scan(&key, &value); err != nil {
				t.Fatal(err)
			}
			seen[key] = value
		}
		return seen
	}
	var held map[string]string
	for part := range 12 {
		at := arrives.Add(time.Duration(part) * 5 * time.Minute)
		if err := store.Exec(t.Context(), randomCalls, schema.Named("seed", uint64(1)), schema.Named("part", uint64(part)), clickhouse.DateNamed("arrives", at, clickhouse.MilliSeconds)); err != nil {
			t.Fatal(err)
		}
		held = known(at.Add(time.Minute))
	}
	for _, table := range []string{"event_partners", "event_hours", "watermarks"} {
		if err := store.Exec(t.Context(), "TRUNCATE TABLE "+table); err != nil {
			t.Fatal(err)
		}
	}
	fromEvents := known(arrives.Add(30 * day))
	if diff := cmp.Diff(fromEvents, held); diff != "" {
		t.Errorf("partners (-from events +from hours):\n%s", diff)
	}
	var matched, several, carried uint64
	if err := store.QueryRow(t.Context(), `SELECT sumIf(matched, sort = 'id'), countIf(sort = 'id' AND length(through) > 1),
    countIf(endsWith(sort, 'by day') AND arrayExists(hours -> bitCount(hours) > 1, mapValues(carriers)))
FROM event_partners FINAL`).Scan(&matched, &several, &carried); err != nil {
		t.Fatal(err)
	}
	if matched == 0 || several == 0 || carried == 0 || len(held) < 100 {
		t.Errorf("%d calls matched, %d rows with several partners, %d days with a log of several hours, %d rows: want some", matched, several, carried, len(held))
	}
	var paired uint64
	if err := store.QueryRow(t.Context(), "SELECT sum(length(paired_by)) + sum(length(named)) + sum(length(alone)) + sum(length(named_by)) FROM event_hours FINAL").Scan(&paired); err != nil {
		t.Fatal(err)
	}
	if paired != 0 {
		t.Errorf("event_hours holds %d calls of long ago", paired)
	}
}

// A digest that is behind the rules, as after a change of what is digested, knows all events
// before a rule looks at those that came last.
func TestDigestBehindTheRules(t *testing.T) {
	store := openStore(t)
	arrives := time.Date(2026, 3, 2, 18, 0, 0, 0, time.UTC)
	for part, at := range []time.Time{arrives, arrives.Add(4 * time.Hour)} {
		if err := store.Exec(t.Context(), randomCalls, schema.Named("seed", uint64(1)), schema.Named("part", uint64(part)), clickhouse.DateNamed("arrives", at, clickhouse.MilliSeconds)); err != nil {
			t.Fatal(err)
		}
	}
	rule := oneRule(t, "crm-call-without-middleware-call")
	runner := NewRunner(store, []Rule{rule}, Options{Clock: func() time.Time { return arrives.Add(5 * time.Hour) }})
	mark := arrives.Add(3 * time.Hour)
	if err := runner.Commit(t.Context(), Arrival{Rule: rule.ID, ArrivedTo: mark, watermark: rule.stateName()}); err != nil {
		t.Fatal(err)
	}
	from, found, err := runner.arrived(t.Context(), rule, arrives.Add(5*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if !from.Equal(mark) || !found.latest.Equal(arrives.Add(4*time.Hour)) {
		t.Errorf("looked at what arrived from %s to %s", from, found.latest)
	}
	var events, digested uint64
	if err := store.QueryRow(t.Context(), "SELECT (SELECT count() FROM events FINAL), (SELECT sum(calls) FROM event_hours FINAL)").Scan(&events, &digested); err != nil {
		t.Fatal(err)
	}
	if events < 300 || digested != events {
		t.Errorf("%d of %d events are digested", digested, events)
	}
	at, err := runner.Watermark(t.Context(), digestMark)
	if err != nil || !at.Equal(found.latest) {
		t.Errorf("digested up to %s, want %s (%v)", at, found.latest, err)
	}
}
