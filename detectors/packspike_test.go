package detectors

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

// burstEvents are calls of one integration that take far more than it ever took.
const burstEvents = `INSERT INTO events (time, ingested_at, event_uid, metadata_tenant_uid, metadata_product_name, metadata_log_name, metadata_log_format,
    class_uid, activity_id, status_id, actor_user_uid, actor_user_name, resources_type, resources_name, http_response_code, traffic_bytes_in, x_rows_processed)
SELECT {at:DateTime64(3)} + toIntervalMillisecond(number % 60000), {at:DateTime64(3)} + toIntervalMinute(2), generateUUIDv4(), 'acme', 'Salesforce', 'RestApi', 'salesforce-elf',
    6003, 2, 1, '005000000000007', 'svc-7@acme.example', 'sobject', 'Account', 200, 400000, 2000
FROM numbers({count:UInt64})`

// BenchmarkPackEpisode shows what one run of each spike rule costs on a day on which one
// integration leaves what is usual, with the history of BenchmarkPack behind it: the run
// that finds it, and so each run until midnight. -pack-trace shows by what.
func BenchmarkPackEpisode(b *testing.B) {
	rules, err := Builtin()
	if err != nil {
		b.Fatal(err)
	}
	history := openPackHistory(b, startPackEngine(b), rules, *packEvents)
	at := history.now.Add(-5 * time.Minute)
	b.Cleanup(func() {
		// The history is as large as it was when it is opened again.
		if err := history.store.Exec(context.Background(), "ALTER TABLE events DELETE IN PARTITION {day:String} WHERE time >= {at:DateTime64(3)} SETTINGS mutations_sync = 2",
			schema.Named("day", at.Format("20060102")), clickhouse.DateNamed("at", at, clickhouse.MilliSeconds)); err != nil {
			b.Error(err)
		}
	})
	// Six times what each of 60 integrations does in an hour.
	if err := history.store.Exec(b.Context(), burstEvents, schema.Named("count", max(200, *packEvents / *packDays / 24 / 60 * 6)), clickhouse.DateNamed("at", at, clickhouse.MilliSeconds)); err != nil {
		b.Fatal(err)
	}
	store := history.store
	if *packTrace {
		store = tracedStore{store, b, history}
	}
	runner := NewRunner(store, rules, Options{Clock: func() time.Time { return history.now }})
	if err := runner.digest(b.Context(), history.now); err != nil {
		b.Fatal(err)
	}
	for _, rule := range rules {
		if rule.Kind != KindSpike {
			continue
		}
		if *packTrace {
			fmt.Println(rule.ID)
		}
		before, started := history.cost(b), time.Now()
		arrival, err := runner.Arrivals(b.Context(), rule, history.now)
		if err == nil {
			err = runner.settle(b.Context(), arrival)
		}
		if err != nil {
			b.Fatal(err)
		}
		took, after := time.Since(started), history.cost(b)
		if len(arrival.Findings) != 1 {
			b.Errorf("%s: %d findings, want the one of the burst", rule.ID, len(arrival.Findings))
		}
		fmt.Printf("%-36s %9d rows %6d ms %4d queries\n", rule.ID, after.rows-before.rows, took.Milliseconds(), after.queries-before.queries-1)
		b.ReportMetric(float64(after.rows-before.rows), rule.ID+"-rows")
	}
}
