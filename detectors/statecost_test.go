package detectors

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/engine"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

// readRows counts the rows that statements read, as the engine's answers say.
type readRows struct {
	http.RoundTripper
	rows *atomic.Int64
}

func (c readRows) RoundTrip(q *http.Request) (*http.Response, error) {
	answer, err := c.RoundTripper.RoundTrip(q)
	if err != nil {
		return answer, err
	}
	var summary struct {
		ReadRows string `json:"read_rows"`
	}
	if json.Unmarshal([]byte(answer.Header.Get("X-ClickHouse-Summary")), &summary) == nil {
		n, _ := strconv.ParseInt(summary.ReadRows, 10, 64)
		c.rows.Add(n)
	}
	return answer, nil
}

// someCalls fills a stretch of the thirty days: 500 integrations that call all the
// time, one describes and one exports now and then.
const someCalls = `INSERT INTO events (time, ingested_at, event_uid, metadata_tenant_uid, metadata_product_name, metadata_log_name, class_uid,
    activity_id, actor_user_uid, actor_user_name, http_request_user_agent, api_operation, resources_name, src_endpoint_ip, x_src_endpoint_network)
SELECT toDateTime64('2026-03-02 00:00:00', 3, 'UTC') + toIntervalMillisecond(number * {step:UInt64}) AS t, t + toIntervalSecond(10),
    generateUUIDv4(), 'acme', 'Salesforce', 'RestApi', 6003, 2, concat('u', toString(cityHash64(number) % 500)) AS uid, concat('svc-', uid),
    if(number % 100003 = 7, concat('new/', toString(number)), 'sync/1.0'),
    multiIf(cityHash64(number, 1) % 2000 = 1, 'describe', cityHash64(number, 2) % 10000 = 1, 'bulk', 'read'),
    concat('Object', toString(cityHash64(number, 3) % 20)), '203.0.113.20', '203.0.113.0/24'
FROM numbers({first:UInt64}, {count:UInt64})`

// BenchmarkScheduledRun shows what a scheduled run over the arrivals of five minutes
// reads, with five million events of thirty days behind it: rules that keep a state
// beside rules that look back.
func BenchmarkScheduledRun(b *testing.B) {
	const events, days = 5_000_000, 30
	_, database := enginetest.OpenDatabase(b)
	options, err := enginetest.Start(b).Endpoint().ClientOptions(engine.Admin)
	if err != nil {
		b.Fatal(err)
	}
	var rows atomic.Int64
	options.Auth.Database = database
	options.Settings["wait_end_of_query"] = 1
	options.TransportFunc = func(t *http.Transport) (http.RoundTripper, error) { return readRows{t, &rows}, nil }
	store, err := clickhouse.Open(options)
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	if _, err := schema.Migrate(b.Context(), store); err != nil {
		b.Fatal(err)
	}
	fill := func(first, count uint64) {
		err := store.Exec(b.Context(), someCalls, schema.Named("step", uint64(days*day.Milliseconds()/events)),
			schema.Named("first", first), schema.Named("count", count))
		if err != nil {
			b.Fatal(err)
		}
	}
	lastMinutes := uint64(events / days / 24 / 12)
	for d := range uint64(days) {
		count := uint64(events / days)
		if d == days-1 {
			count -= lastMinutes
		}
		fill(d*(events/days), count)
	}
	rules := documentedRules(b)
	for _, id := range []string{"integration-new-network", "recon-then-bulk"} {
		rule, err := Parse(id, []byte(readBuiltin(b, id)))
		if err != nil {
			b.Fatal(err)
		}
		rules = append(rules, rule)
	}
	runner := NewRunner(store, rules, Options{Clock: later})
	wake := func(rule Rule, what string) {
		rows.Store(0)
		started := time.Now()
		if err := runner.Wake(b.Context(), rule); err != nil {
			b.Fatal(err)
		}
		fmt.Printf("%-24s %-10s %-26s read %9d rows in %s\n", rule.ID, rule.Kind, what, rows.Load(), time.Since(started).Round(time.Millisecond))
	}
	for _, rule := range rules {
		if rule.Kind.remembers() {
			wake(rule, "all for the first time")
			continue
		}
		before := testBase.Add(days*day - 5*time.Minute)
		if err := runner.Commit(b.Context(), Arrival{Rule: rule.ID, ArrivedTo: before, watermark: rule.stateName()}); err != nil {
			b.Fatal(err)
		}
	}
	fill(events-lastMinutes-events%days, lastMinutes)
	for _, rule := range rules {
		arrival, err := runner.Arrivals(b.Context(), rule, later())
		if err != nil || len(arrival.Windows) == 0 {
			b.Fatal("nothing has arrived", err)
		}
		wake(rule, "five minutes")
		wake(rule, "nothing")
	}
	fill(events, lastMinutes)
	if err := store.Exec(b.Context(), "ALTER TABLE events DROP INDEX ingested_at_range SETTINGS mutations_sync = 2"); err != nil {
		b.Fatal(err)
	}
	for _, rule := range rules {
		wake(rule, "five minutes, no index")
	}
}
