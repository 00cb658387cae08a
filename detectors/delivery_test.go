package detectors

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/crmwatch/crmwatch/schema"
)

var allOrders = flag.Bool("all-orders", false, "deliver the events of every rule's tests, not of every sixth, in every order, and evaluate every window; takes long")

// order is a way in which the same events can arrive.
type order struct {
	name string
	// arrival is an expression over the columns of events: when a row arrives. again is
	// when it arrives a second time; empty is never.
	arrival, again string
	// every is how far the wakes of the rule are apart.
	every time.Duration
}

// shuffled delivers every row in one of two hours, whatever its time.
func shuffled(seed int) string {
	return fmt.Sprintf("toDateTime64('2027-01-01 00:10:00', 3, 'UTC') + toIntervalHour(sipHash64(event_uid, %d) %% 2)", seed)
}

// orders are those of the promise, and the hardest of all first.
var orders = []order{
	{name: "in random order and twice", arrival: shuffled(1), again: shuffled(2), every: time.Hour},
	{name: "live", arrival: "time + toIntervalSecond(30)", every: day},
	{name: "6 hours late", arrival: "time + toIntervalHour(6)", every: day},
	// Some sources write as they go, others a file a day.
	{name: "every second row a day late", arrival: "if(sipHash64(event_uid) % 2 = 0, time + toIntervalSecond(30), toStartOfDay(time, 'UTC') + toIntervalHour(31))", every: day},
	{name: "a user's rows a day late", arrival: "if(sipHash64(metadata_log_name, actor_user_uid) % 2 = 0, time + toIntervalSecond(30), toStartOfDay(time, 'UTC') + toIntervalHour(31))", every: day},
	{name: "in random order", arrival: shuffled(3), every: time.Hour},
	{name: "the newest first", arrival: "toDateTime64('2027-01-01 00:10:00', 3, 'UTC') + toIntervalDay(intDiv(dateDiff('day', time, toDateTime64('2027-01-01 00:00:00', 3, 'UTC')), 4))", every: day},
	{name: "live, and all again at the end", arrival: "time + toIntervalSecond(30)", again: "toDateTime64('2027-01-01 00:10:00', 3, 'UTC')", every: day},
}

// The same events, live, late, in random order or twice, end in the same findings: their
// identities, counts, evidence and words. Every rule is tried on the events of its own
// tests, one rule at a time, because the events of others would wake it where it ought
// to wake by itself. Without -all-orders it is one order, and of query rules the window in
// which most of the tests end, because each evaluation of a window is planned anew.
func TestArrivalOrderChangesNothing(t *testing.T) {
	rules, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	store := openStore(t)
	if err := store.Exec(t.Context(), "CREATE TABLE staged AS events"); err != nil {
		t.Fatal(err)
	}
	for n, rule := range rules {
		// Each rule costs seconds: without the flag, every sixth stands for all, and those
		// that look ahead.
		if n%6 != 0 && rule.Lookahead == 0 && !*allOrders {
			continue
		}
		for i, part := range alikeTests(t, rule) {
			if i > 0 && !*allOrders {
				continue
			}
			t.Run(fmt.Sprintf("%s/%d", rule.ID, i), func(t *testing.T) { deliveredRule(t, store, part) })
		}
	}
}

// deliveredRule compares what a rule finds when its events are there at once with what
// it finds when they come by and by.
func deliveredRule(t *testing.T, store schema.Store, rule Rule) {
	empty(t, store, "")
	stage(t, store, rule)
	if rule.Kind == KindQuery && !*allOrders {
		store = narrowed{store, rule, lastWindow(rule)}
	}
	want, err := NewRunner(store, []Rule{rule}, Options{}).Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(want) == 0 {
		t.Fatal("the rule found nothing in its own cases")
	}
	readsOnlyItsReach(t, store, rule, want)
	tried := orders
	if !*allOrders {
		tried = orders[:1]
	}
	for _, o := range tried {
		empty(t, store, "staged")
		began := time.Now()
		wakes := deliver(t, store, rule, o)
		got, err := LoadFindings(t.Context(), store, FindingFilter{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(withoutDetection(want), withoutDetection(got), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("delivered %s, findings differ (-at once +delivered):\n%s", o.name, diff)
		}
		t.Logf("%s: %d findings in %d wakes, %s", o.name, len(got), wakes, time.Since(began).Round(time.Millisecond))
	}
}

// readsOnlyItsReach puts copies of all events of the rule's tests, of the same users and
// addresses, right before and right after what arrivals wake a window for. A rule that
// looks at them would keep an old finding when they come late.
func readsOnlyItsReach(t *testing.T, store schema.Store, rule Rule, want []schema.Finding) {
	t.Helper()
	if rule.Kind.remembers() {
		return
	}
	perWindow := map[int64][]schema.Finding{}
	most := gridIndex(want[0].WindowFrom, rule.Window)
	for _, f := range want {
		index := gridIndex(f.WindowFrom, rule.Window)
		perWindow[index] = append(perWindow[index], f)
		if len(perWindow[index]) > len(perWindow[most]) {
			most = index
		}
	}
	window := gridWindow(most, rule.Window)
	var first, last time.Time
	if err := store.QueryRow(t.Context(), "SELECT min(time), max(time) FROM staged").Scan(&first, &last); err != nil {
		t.Fatal(err)
	}
	for _, shift := range []time.Duration{
		window.From.Add(-rule.reach()).Add(-time.Millisecond).Sub(last),
		window.To.Add(rule.overhang()).Sub(first),
	} {
		err := store.Exec(t.Context(), "INSERT INTO events SELECT * REPLACE (time + toIntervalMillisecond({shift:Int64}) AS time, generateUUIDv4() AS event_uid) FROM staged",
			schema.Named("shift", shift.Milliseconds()))
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := NewRunner(store, []Rule{rule}, Options{}).evaluate(t.Context(), rule, []int64{most}, func() {})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(withoutDetection(perWindow[most]), withoutDetection(got), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the window of %s is changed by events outside of what it is woken for (-without +with):\n%s", window.From, diff)
	}
}

// lastWindow is the window in which most of the rule's firing tests end.
func lastWindow(rule Rule) time.Time {
	ends := map[int64]int{}
	most := int64(0)
	for _, test := range rule.Tests {
		if len(test.Expect) > 0 {
			last := slices.Max(test.fill(schema.NewBatch(), "", rule.Window))
			if ends[last]++; ends[last] > ends[most] {
				most = last
			}
		}
	}
	return gridWindow(most, rule.Window).From
}

// narrowed is a store in which a query rule finds nothing but in one window; for the
// others it is not asked.
type narrowed struct {
	schema.Store
	rule   Rule
	window time.Time
}

func (s narrowed) Query(ctx context.Context, query string, args ...any) (driver.Rows, error) {
	if query == wrapQuery(s.rule.Query) {
		for _, arg := range args {
			if from, ok := arg.(driver.NamedDateValue); ok && from.Name == "from" && !from.Value.Equal(s.window) {
				return noRows{}, nil
			}
		}
	}
	return s.Store.Query(ctx, query, args...)
}

// noRows is the answer of a query that returns nothing.
type noRows struct{ driver.Rows }

func (noRows) Columns() []string                { return nil }
func (noRows) ColumnTypes() []driver.ColumnType { return nil }
func (noRows) Next() bool                       { return false }
func (noRows) Err() error                       { return nil }
func (noRows) Close() error                     { return nil }

// empty takes all rows out of all tables but one, and those of the migrations.
func empty(t *testing.T, store schema.Store, but string) {
	t.Helper()
	var tables []string
	err := store.QueryRow(t.Context(), `SELECT groupArray(name) FROM system.tables
WHERE database = currentDatabase() AND endsWith(engine, 'MergeTree') AND name NOT IN ('schema_migrations', {but:String})`,
		schema.Named("but", but)).Scan(&tables)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		if err := store.Exec(t.Context(), "TRUNCATE TABLE `"+table+"`"); err != nil {
			t.Fatal(err)
		}
	}
}

// alikeTests are the rule with those of its tests that give the same parameters: the
// tests that set none, and then the others.
func alikeTests(t *testing.T, rule Rule) (parts []Rule) {
	t.Helper()
	sets := map[string]int{}
	for _, test := range rule.Tests {
		set := fmt.Sprint(test.Params)
		i, known := sets[set]
		if !known {
			tuned, err := rule.WithParameters(test.Params)
			if err != nil {
				t.Fatal(err)
			}
			tuned.Tests = nil
			i, sets[set] = len(parts), len(parts)
			parts = append(parts, tuned)
		}
		parts[i].Tests = append(parts[i].Tests, test)
	}
	parts = slices.DeleteFunc(parts, func(r Rule) bool {
		return !slices.ContainsFunc(r.Tests, func(t Test) bool { return len(t.Expect) > 0 })
	})
	slices.SortStableFunc(parts, func(a, b Rule) int { return len(b.Tests) - len(a.Tests) })
	return parts
}

// stage puts the events of the rule's tests into the table staged, a tenant each.
func stage(t *testing.T, store schema.Store, rule Rule) {
	t.Helper()
	batch := schema.NewBatch()
	for i, test := range rule.Tests {
		test.fill(batch, fmt.Sprintf("test/%s/%d/", rule.ID, i), rule.Window)
	}
	if err := insertBatch(t.Context(), store, batch); err != nil {
		t.Fatal(err)
	}
	if err := store.Exec(t.Context(), "INSERT INTO staged SELECT * FROM events"); err != nil {
		t.Fatal(err)
	}
}

// deliver brings the staged events in an order, and wakes the rule as time goes by.
func deliver(t *testing.T, store schema.Store, rule Rule, o order) (wakes int) {
	t.Helper()
	again := "NULL"
	if o.again != "" {
		again = o.again
	}
	rows, err := store.Query(t.Context(), fmt.Sprintf(`SELECT DISTINCT toDateTime64(toStartOfInterval(arrayJoin([%s, %s]) AS arrives, toIntervalSecond(%d)), 3, 'UTC') + toIntervalSecond(%[3]d) AS at
FROM staged WHERE arrives IS NOT NULL ORDER BY at`, o.arrival, again, int(o.every.Seconds())))
	if err != nil {
		t.Fatal(err)
	}
	var ends []time.Time
	for rows.Next() {
		var at time.Time
		if err := rows.Scan(&at); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, at.UTC())
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	var now time.Time
	runner := NewRunner(store, []Rule{rule}, Options{Clock: func() time.Time { return now }})
	for _, end := range ends {
		for _, arrival := range []string{o.arrival, o.again} {
			if arrival == "" {
				continue
			}
			err := store.Exec(t.Context(), fmt.Sprintf("INSERT INTO events SELECT * REPLACE (%s AS ingested_at) FROM staged WHERE (%[1]s) >= {from:DateTime64(3)} AND (%[1]s) < {to:DateTime64(3)}", arrival),
				clickhouse.DateNamed("from", end.Add(-o.every), clickhouse.MilliSeconds), clickhouse.DateNamed("to", end, clickhouse.MilliSeconds))
			if err != nil {
				t.Fatal(err)
			}
		}
		now = end.Add(time.Minute)
		if err := runner.Wake(t.Context(), rule); err != nil {
			t.Fatal(err)
		}
		wakes++
	}
	return wakes
}
