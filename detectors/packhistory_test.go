package detectors

import (
	"context"
	"flag"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/engine"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

var (
	packEvents = flag.Uint64("pack-events", 5_000_000, "events of the larger history that BenchmarkPack makes; the smaller has a tenth")
	packDays   = flag.Uint64("pack-days", 30, "days over which they lie")
	packTrace  = flag.Bool("pack-trace", false, "print the statements that read many rows, whose cost is then too high")
	packData   = flag.String("pack-data", "", "directory that keeps them and their digests for the next run of as many")
)

// A company with 60 integrations and 500 people: calls of the CRM's API with a gateway
// before it, pages, logins, a few failures and slow calls, bulk jobs by night.
const companyEvents = `INSERT INTO events (time, ingested_at, event_uid, metadata_tenant_uid, metadata_product_name, metadata_log_name, metadata_log_format,
    class_uid, activity_id, status_id, actor_user_uid, actor_user_name, actor_session_uid, x_src_endpoint_network, src_endpoint_ip,
    http_request_user_agent, api_operation, api_version, api_service_name, resources_type, resources_name, http_response_code, status_code,
    duration, traffic_bytes_in, x_rows_processed, logon_type_id, auth_protocol_id, metadata_correlation_uid)
WITH cityHash64(number) AS h, h % 1000 AS kind, kind < 4 AS login, kind >= 4 AND kind < 44 AS page, kind >= 44 AND kind < 344 AS gateway, cityHash64(number, 5) % 100 < 60 AS ours,
    if(page OR login AND ours, 60 + cityHash64(number, 1) % 500, cityHash64(number, 1) % 60) AS who, login AND cityHash64(number, 6) % 50 = 0 OR NOT login AND cityHash64(number, 6) % 200 = 0 AS fails
SELECT toDateTime64('2026-03-02 00:00:00', 3, 'UTC') + toIntervalMillisecond(toUInt64(number * {step:Float64})) AS t, t + toIntervalSecond(10),
    generateUUIDv4(), 'acme', if(gateway, 'Kong Gateway', 'Salesforce'), multiIf(login, 'Login', page, 'URI', gateway, 'http-log', 'RestApi'), if(gateway, 'kong', 'salesforce-elf'),
    multiIf(login, 3002, page, 6001, 6003), multiIf(login, 1, page, 2, cityHash64(number, 2) % 20 = 0, 3, 2), if(fails, 2, 1),
    concat('005', leftPad(toString(who), 12, '0')), if(who < 60, concat('svc-', toString(who), '@acme.example'), concat('user-', toString(who), '@acme.example')),
    concat('s', toString(who), '-', toString(intDiv(toUnixTimestamp(t), 7200))), concat('198.19.', toString(who % 250), '.0/24'), concat('198.19.', toString(who % 250), '.', toString(1 + who % 3)),
    if(who < 60, concat('acme-sync-', toString(who), '/1.0'), 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0'), 'query', if(who < 60, '62.0', ''), if(gateway, concat('crm-', toString(who % 8)), ''),
    'sobject', ['Account', 'Contact', 'Case', 'Lead', 'Opportunity', 'Task', 'Event', 'Asset'][1 + (who + cityHash64(number, 3) % 4) % 8],
    if(login OR page, 0, if(fails, [400, 404, 429, 500][1 + cityHash64(number, 7) % 4], 200)), if(login AND fails, 'LOGIN_ERROR_INVALID_PASSWORD', ''),
    if(login, 0, 20 + cityHash64(number, 8) % 300), if(login OR page, 0, 500 + cityHash64(number, 9) % 20000), if(login OR page OR gateway, 0, 1 + cityHash64(number, 10) % 50),
    multiIf(NOT login, 0, ours, 2, 3), if(login AND NOT ours, 6, 0), concat('r', toString(number))
FROM numbers({first:UInt64}, {count:UInt64})`

// A packHistory is the history that BenchmarkPack looks back at, summarised but for the
// arrivals of its last five minutes.
type packHistory struct {
	store       schema.Store
	before, now time.Time
}

// packCost is what the engine has done so far, as it counts itself: the answers' summary
// does not know of what is read after an answer has begun.
type packCost struct {
	rows, queries uint64
	cpu, took     time.Duration
}

func (h packHistory) cost(b *testing.B) packCost {
	var c packCost
	var micros uint64
	err := h.store.QueryRow(b.Context(), `SELECT sumIf(value, event = 'SelectedRows'), sumIf(value, event = 'Query'), sumIf(value, event IN ('UserTimeMicroseconds', 'SystemTimeMicroseconds'))
FROM system.events`).Scan(&c.rows, &c.queries, &micros)
	if err != nil {
		b.Fatal(err)
	}
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	c.cpu = time.Duration(micros)*time.Microsecond + time.Duration(usage.Utime.Nano()+usage.Stime.Nano())
	return c
}

// openPackHistory makes the history, or finds it in -pack-data.
func openPackHistory(b *testing.B, running *engine.Engine, rules []Rule, events uint64) packHistory {
	days := *packDays
	end := testBase.Add(time.Duration(days) * day)
	h := packHistory{store: openPackStore(b, running, events), before: end.Add(-5*time.Minute + 5*time.Second), now: end.Add(time.Minute)}
	if _, err := schema.Migrate(b.Context(), h.store); err != nil {
		b.Fatal(err)
	}
	minute := events / days / 24 / 60
	last := 5 * minute
	step := float64(days) * float64(day.Milliseconds()) / float64(events)
	fill := func(first, count uint64) {
		if err := h.store.Exec(b.Context(), companyEvents, schema.Named("step", step), schema.Named("first", first), schema.Named("count", count)); err != nil {
			b.Fatal(err)
		}
	}
	// What came lately came in small parts, which the engine merges as it does elsewhere.
	fillMinutes := func(first, minutes uint64) {
		for m := range minutes {
			fill(first+m*minute, minute)
		}
	}
	var known uint64
	if err := h.store.QueryRow(b.Context(), "SELECT count() FROM events WHERE metadata_tenant_uid = 'acme'").Scan(&known); err != nil {
		b.Fatal(err)
	}
	switch {
	case known == 0:
		started := time.Now()
		recent := events - 60*minute
		for first := uint64(0); first < recent; first += events / days {
			fill(first, min(events/days, recent-first))
		}
		fillMinutes(recent, 55)
		fmt.Printf("%d events over %d days written in %s\n", events, days, time.Since(started).Round(time.Second))
	case known > events-2*last && known <= events:
		err := h.store.Exec(b.Context(), "ALTER TABLE events DELETE IN PARTITION {day:String} WHERE time >= {first:DateTime64(3)} AND metadata_tenant_uid = 'acme' SETTINGS mutations_sync = 2",
			schema.Named("day", end.Add(-time.Second).Format("20060102")),
			clickhouse.DateNamed("first", testBase.Add(time.Duration(float64(events-last)*step)*time.Millisecond), clickhouse.MilliSeconds))
		if err != nil {
			b.Fatal(err)
		}
	default:
		b.Fatalf("the database of %d events in %s holds %d: remove the directory", events, *packData, known)
	}
	runner := NewRunner(h.store, rules, Options{Clock: func() time.Time { return h.now }})
	if at, err := runner.Watermark(b.Context(), digestMark); err != nil {
		b.Fatal(err)
	} else if at.Unix() <= 0 {
		started := time.Now()
		if err := runner.digest(b.Context()); err != nil {
			b.Fatal(err)
		}
		fmt.Printf("summarised in %s\n", time.Since(started).Round(time.Second))
	}
	if *packOpen {
		h.before = end.Add(-5*time.Minute + 12*time.Second)
		h.open(b, rules)
		if err := h.store.Exec(b.Context(), "TRUNCATE TABLE watermarks"); err != nil {
			b.Fatal(err)
		}
		if err := runner.Commit(b.Context(), Arrival{Rule: digestMark, ArrivedTo: h.before.Add(-2 * time.Second), watermark: digestMark}); err != nil {
			b.Fatal(err)
		}
		if err := runner.digest(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	// What an earlier run looked at has arrived only now.
	for _, table := range []string{"watermarks", "findings"} {
		if err := h.store.Exec(b.Context(), "TRUNCATE TABLE "+table); err != nil {
			b.Fatal(err)
		}
	}
	marks := []string{digestMark}
	for _, rule := range rules {
		marks = append(marks, rule.stateName())
	}
	for _, mark := range marks {
		if err := runner.Commit(b.Context(), Arrival{Rule: mark, ArrivedTo: h.before, watermark: mark}); err != nil {
			b.Fatal(err)
		}
	}
	fillMinutes(events-last, 5)
	return h
}

// startPackEngine starts an engine in -pack-data, or takes that of the tests.
func startPackEngine(b *testing.B) *engine.Engine {
	if *packData == "" {
		return enginetest.Start(b)
	}
	running, err := engine.Start(b.Context(), engine.Options{Dir: *packData, Command: enginetest.Command()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := running.Stop(ctx); err != nil {
			b.Error(err)
		}
	})
	return running
}

// openPackStore connects to the database of so many events, and makes it if need be.
func openPackStore(b *testing.B, running *engine.Engine, events uint64) schema.Store {
	options, err := running.Endpoint().ClientOptions(engine.Admin)
	if err != nil {
		b.Fatal(err)
	}
	options.ReadTimeout = 20 * time.Minute
	connect := func() schema.Store {
		store, err := clickhouse.Open(options)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = store.Close() })
		return store
	}
	if *packData == "" {
		_, options.Auth.Database = enginetest.OpenDatabase(b)
		return connect()
	}
	database := fmt.Sprintf("pack_%d", events)
	if err := connect().Exec(b.Context(), "CREATE DATABASE IF NOT EXISTS "+database); err != nil {
		b.Fatal(err)
	}
	options.Auth.Database = database
	return connect()
}
