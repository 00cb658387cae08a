package retention

import (
	"context"
	"fmt"

	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/compliance/audit"
	"github.com/crmwatch/crmwatch/compliance/hold"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

// wicked are tenants that would be statements, parameters or patterns, were they not quoted.
var wicked = []string{`a' OR 1=1`, `a\`, `\' OR 1=1 --`, `{x:String}`, `? $1 @p`, ` TTL time SETTINGS x = 1`, `) OR (1=1`}

var by = audit.Record{Actor: "carol@desk", Via: audit.ViaCLI}

func open(t *testing.T) schema.Store {
	t.Helper()
	conn := enginetest.Open(t)
	if _, err := schema.Migrate(context.Background(), conn); err != nil {
		t.Fatal(err)
	}
	return conn
}

func apply(t *testing.T, conn schema.Store, rules ...Rule) Applied {
	t.Helper()
	p := NewPolicy(rules...)
	done, err := Apply(context.Background(), conn, &p, builtIn(t), by, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func builtIn(t *testing.T) []detectors.Rule {
	t.Helper()
	rules, err := detectors.Load()
	if err != nil {
		t.Fatal(err)
	}
	// No built-in rule keeps a state; a user's may.
	return append(rules, detectors.Rule{ID: "login-place", Kind: detectors.KindFirstSeen, Needs: detectors.Needs{Classes: []uint16{3002}}})
}

func exec(t *testing.T, conn schema.Store, statement string, args ...any) {
	t.Helper()
	if err := conn.Exec(context.Background(), statement, args...); err != nil {
		t.Fatalf("%v\n%s", err, statement)
	}
}

// put stores one event of a tenant and class, so many seconds old.
func put(t *testing.T, conn schema.Store, tenant, product string, class uint16, age time.Duration, user string) {
	t.Helper()
	exec(t, conn, `INSERT INTO events (time, event_uid, metadata_tenant_uid, metadata_product_name, class_uid, actor_user_name)
SELECT toDateTime64(toUnixTimestamp(now()) - {age:Int64}, 3, 'UTC'), generateUUIDv4(), {tenant:String}, {product:String}, {class:UInt16}, {user:String}`,
		schema.Named("age", int64(age/time.Second)), schema.Named("tenant", tenant), schema.Named("product", product), schema.Named("class", class), schema.Named("user", user))
}

// left counts what the engine leaves of the events when it merges, by tenant, class and user.
func left(t *testing.T, conn schema.Store) map[string]int {
	t.Helper()
	exec(t, conn, "OPTIMIZE TABLE events FINAL")
	return stored(t, conn)
}

func stored(t *testing.T, conn schema.Store) map[string]int {
	t.Helper()
	rows, err := conn.Query(context.Background(), "SELECT toString(metadata_tenant_uid), class_uid, toString(actor_user_name), count() FROM events WHERE metadata_product_name != 'crmwatch' OR actor_user_name = 'kept' GROUP BY ALL")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	found := map[string]int{}
	for rows.Next() {
		var tenant, user string
		var class uint16
		var n uint64
		if err := rows.Scan(&tenant, &class, &user, &n); err != nil {
			t.Fatal(err)
		}
		found[fmt.Sprintf("%s %d %s", tenant, class, user)] = int(n)
	}
	return found
}

func TestWhatIsDueGoesAndNothingElse(t *testing.T) {
	conn := open(t)
	rules := []Rule{
		{What: Events, Keep: 400 * day}, {What: Events, Class: 6003, Keep: 90 * day}, {What: Events, Class: 4002, Keep: 30 * day},
		{What: Events, Tenant: "acme", Keep: 180 * day}, {What: Events, Tenant: "acme", Class: 4002, Keep: 14 * day},
		{What: Events, Tenant: "archive", Keep: Forever},
	}
	for _, tenant := range wicked {
		rules = append(rules, Rule{What: Events, Tenant: tenant, Keep: 2 * day})
	}
	// Of each, one is due since a second, and one is a minute from it: the test takes less.
	cases := []struct {
		tenant, product string
		class           uint16
		keep            time.Duration
	}{
		{"globex", "Salesforce", 3002, 400 * day}, {"globex", "Salesforce", 6003, 90 * day}, {"globex", "Salesforce", 4002, 30 * day},
		{"", "Salesforce", 6003, 90 * day}, {"acme", "Salesforce", 3002, 180 * day}, {"acme", "Salesforce", 6003, 180 * day}, {"acme", "Salesforce", 4002, 14 * day},
		{"acm", "Salesforce", 4002, 30 * day},
	}
	for _, tenant := range wicked {
		cases = append(cases, struct {
			tenant, product string
			class           uint16
			keep            time.Duration
		}{tenant, "Salesforce", 6003, 2 * day})
	}
	want := map[string]int{"archive 3002 kept": 1, "globex 3004 kept": 1, "globex 3002 kept": 1}
	put(t, conn, "archive", "Salesforce", 3002, 9000*day, "kept")
	put(t, conn, "globex", "crmwatch", 3004, 9000*day, "kept") // audit is not told of
	for _, c := range cases {
		put(t, conn, c.tenant, c.product, c.class, c.keep, "due")
		put(t, conn, c.tenant, c.product, c.class, c.keep-time.Minute, "kept")
		want[fmt.Sprintf("%s %d kept", c.tenant, c.class)] = 1
	}
	apply(t, conn, rules...)
	if diff := cmp.Diff(want, left(t, conn)); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
	// A file that comes when it is old already is stored, and gone at the next merge.
	put(t, conn, "globex", "Salesforce", 4002, 31*day, "late")
	if diff := cmp.Diff(want, left(t, conn)); diff != "" {
		t.Errorf("left after a late file (-want +got):\n%s", diff)
	}
	if again := apply(t, conn, rules...); len(again.Changes) != 0 {
		t.Errorf("the same policy was applied again: %v", again.Changes)
	}
	if moved := apply(t, conn, append(rules, Rule{What: Events, Class: 4002, Keep: 7 * day}, Rule{What: Findings, Keep: 60 * day})...); len(moved.Changes) < 2 {
		t.Errorf("a change was not applied: %v", moved.Changes)
	}
	delete(want, "globex 4002 kept")
	delete(want, "acm 4002 kept")
	if diff := cmp.Diff(want, left(t, conn)); diff != "" {
		t.Errorf("left after the change (-want +got):\n%s", diff)
	}
	var changes uint64
	if err := conn.QueryRow(context.Background(), "SELECT count() FROM events FINAL WHERE metadata_product_name = 'crmwatch' AND metadata_event_code = 'retention.change' AND actor_user_name = 'carol@desk'").Scan(&changes); err != nil || changes != 2 {
		t.Errorf("%d changes are in the audit, %v", changes, err)
	}
	// Taken out of the configuration again, everything is kept.
	apply(t, conn)
	put(t, conn, "globex", "Salesforce", 4002, 9000*day, "kept")
	want["globex 4002 kept"] = 1
	if diff := cmp.Diff(want, left(t, conn)); diff != "" {
		t.Errorf("left without a policy (-want +got):\n%s", diff)
	}
}

func TestAHoldWinsAndItsReleaseLetsGo(t *testing.T) {
	ctx := context.Background()
	conn := open(t)
	apply(t, conn, Rule{What: Events, Keep: 30 * day}, Rule{What: Findings, Keep: 30 * day}, Rule{What: Quarantine, Keep: 30 * day})
	// What comes knows itself to be due, and waits to be deleted: a hold that only changed
	// the table's expression would not save it.
	for _, table := range hold.Tables() {
		exec(t, conn, schema.Place{}.TTLMerges(table, false))
	}
	for _, user := range []string{"alice", "bob"} {
		put(t, conn, wicked[0], "Salesforce", 3002, 40*day, user)
		put(t, conn, "globex", "Salesforce", 3002, 40*day, user)
		exec(t, conn, "INSERT INTO findings (finding_uid, detected_at, metadata_tenant_uid, entity) SELECT generateUUIDv4(), now() - toIntervalDay(40), {t:String}, {u:String}", schema.Named("t", wicked[0]), schema.Named("u", user))
		exec(t, conn, "INSERT INTO quarantine (quarantine_uid, ingested_at, content) SELECT generateUUIDv4(), now() - toIntervalDay(40), {u:String}", schema.Named("u", user))
	}
	h := hold.Hold{UID: schema.HashUID("h"), CreatedAt: time.Now(), CreatedBy: "carol@desk", Reason: "matter 17", Tenant: wicked[0], Users: []string{"ALICE"}}
	if err := Hold(ctx, conn, h, builtIn(t), by, time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"findings", "quarantine"} {
		exec(t, conn, "OPTIMIZE TABLE "+table+" FINAL")
	}
	want := map[string]int{wicked[0] + " 3002 alice": 1}
	if diff := cmp.Diff(want, left(t, conn)); diff != "" {
		t.Errorf("left under the hold (-want +got):\n%s", diff)
	}
	count := func() (n map[string]uint64) {
		n = map[string]uint64{}
		for _, table := range []string{"findings", "quarantine"} {
			var rows, alice uint64
			if err := conn.QueryRow(ctx, "SELECT count(), countIf("+map[string]string{"findings": "entity", "quarantine": "content"}[table]+" = 'alice') FROM "+table).Scan(&rows, &alice); err != nil {
				t.Fatal(err)
			}
			n[table], n[table+" of alice"] = rows, alice
		}
		return n
	}
	if diff := cmp.Diff(map[string]uint64{"findings": 1, "findings of alice": 1, "quarantine": 1, "quarantine of alice": 1}, count()); diff != "" {
		t.Errorf("findings and quarantine under the hold (-want +got):\n%s", diff)
	}
	// A policy that is changed while it stands keeps it.
	apply(t, conn, Rule{What: Events, Keep: 10 * day}, Rule{What: Findings, Keep: 10 * day}, Rule{What: Quarantine, Keep: 10 * day})
	if diff := cmp.Diff(want, left(t, conn)); diff != "" {
		t.Errorf("left under the hold and another policy (-want +got):\n%s", diff)
	}
	h.ReleasedAt, h.ReleasedBy, h.ReleaseReason = time.Now(), "dave@desk", "settled"
	if err := Release(ctx, conn, h, builtIn(t), by, time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{}, left(t, conn)); diff != "" {
		t.Errorf("left after the release (-want +got):\n%s", diff)
	}
	for _, table := range []string{"findings", "quarantine"} {
		exec(t, conn, "OPTIMIZE TABLE "+table+" FINAL")
	}
	if n := count(); n["findings"]+n["quarantine"] != 0 {
		t.Errorf("left after the release: %v", n)
	}
}

// What is told of events goes with them, by tenant, class, kind and rule.
func TestWhatIsMadeOfEventsGoesWithThem(t *testing.T) {
	conn := open(t)
	rows := map[string]string{
		"event_facets":   "SELECT k, toDate(now() - a * 86400), ten, u, now() - a * 86400, now() - a * 86400",
		"event_hours":    "SELECT c, toStartOfHour(now() - a * 86400), ten, u, now() - a * 86400",
		"event_partners": "SELECT 'id', toStartOfHour(now() - a * 86400), ten, u",
		"event_logins":   "SELECT toStartOfHour(now() - a * 86400), ten, u",
		"rule_seen":      "SELECT 'login-place#1', ten, u, now() - a * 86400, now() - a * 86400, now()",
	}
	columns := map[string]string{
		"event_facets": "kind, day, tenant, uid, first, last", "event_hours": "class_uid, hour, tenant, uid, last", "event_partners": "sort, hour, tenant, who", "event_logins": "hour, tenant, uid", "rule_seen": "rule, tenant, entity_uid, first_seen, last_seen, saved_at",
	}
	const from = " FROM (SELECT arrayJoin([('acme', 10), ('acme', 20), ('globex', 20), ('globex', 40), ('globex', 500)]) AS x, x.1 AS ten, x.2 AS a, arrayJoin([('login', 3002), ('bulk', 6003)]) AS y, y.1 AS k, y.2 AS c, concat(ten, ' ', toString(a), ' ', toString(c)) AS u)"
	apply(t, conn, Rule{What: Events, Keep: 400 * day}, Rule{What: Events, Class: 6003, Keep: 30 * day}, Rule{What: Events, Tenant: "acme", Keep: 15 * day})
	names := map[string]string{"event_facets": "uid", "event_hours": "uid", "event_partners": "who", "event_logins": "uid", "rule_seen": "entity_uid"}
	read := func() map[string][]string {
		found := map[string][]string{}
		for table, name := range names {
			exec(t, conn, "OPTIMIZE TABLE "+table+" FINAL")
			var list []string
			if err := conn.QueryRow(context.Background(), "SELECT arraySort(groupUniqArray("+name+")) FROM "+table).Scan(&list); err != nil {
				t.Fatal(err)
			}
			found[table] = list
		}
		return found
	}
	for table, values := range rows {
		exec(t, conn, "INSERT INTO "+table+" ("+columns[table]+") "+values+from)
	}
	byClass := []string{"acme 10 3002", "acme 10 6003", "globex 20 3002", "globex 20 6003", "globex 40 3002"}
	ofCalls := []string{"acme 10 3002", "acme 10 6003", "globex 20 3002", "globex 20 6003"}
	ofLogins := []string{"acme 10 3002", "acme 10 6003", "globex 20 3002", "globex 20 6003", "globex 40 3002", "globex 40 6003"}
	want := map[string][]string{"event_facets": byClass, "event_hours": byClass, "event_partners": ofCalls, "event_logins": ofLogins, "rule_seen": ofLogins}
	if diff := cmp.Diff(want, read()); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
	// Unless told.
	apply(t, conn, Rule{What: Events, Keep: 1 * day}, Rule{What: Digests, Keep: 100 * day})
	if diff := cmp.Diff(want, read()); diff != "" {
		t.Errorf("left when digests are kept longer (-want +got):\n%s", diff)
	}
}

// An insert that was under way when the times were changed makes parts that do not know
// them: without being told again, they would be kept for ever.
func TestPartsOfAnInsertUnderWayAreToldAgain(t *testing.T) {
	conn := open(t)
	put(t, conn, "acme", "Salesforce", 3002, 40*day, "due")
	put(t, conn, "acme", "Salesforce", 3002, 20*day, "kept")
	rules := []Rule{{What: Events, Keep: 30 * day}}
	p := NewPolicy(rules...)
	ttl := tables[0].ttl(p, builtIn(t), nil)
	exec(t, conn, "ALTER TABLE events MODIFY SETTING materialize_ttl_recalculate_only = 1")
	exec(t, conn, "ALTER TABLE events MODIFY TTL "+ttl+" SETTINGS materialize_ttl_after_modify = 0")
	unaware := func() (n uint64) {
		if err := conn.QueryRow(context.Background(), "SELECT count() FROM system.parts WHERE database = currentDatabase() AND table = 'events' AND active AND rows > 0 AND delete_ttl_info_max = toDateTime(0)").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := unaware(); n != 2 {
		t.Fatalf("%d parts know no times, want 2", n)
	}
	defer func(before int) { inFlight = before }(inFlight)
	inFlight = 0
	apply(t, conn, rules...)
	if n := unaware(); n != 0 {
		t.Errorf("%d parts still know no times", n)
	}
	if diff := cmp.Diff(map[string]int{"acme 3002 kept": 1}, left(t, conn)); diff != "" {
		t.Errorf("left after they were told (-want +got):\n%s", diff)
	}
}
