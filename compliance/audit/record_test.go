package audit

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

func database(t testing.TB) schema.Store {
	t.Helper()
	conn := enginetest.Open(t)
	if _, err := schema.Migrate(context.Background(), conn); err != nil {
		t.Fatal(err)
	}
	return conn
}

// rows reads the first columns of a query as text.
func rows(t testing.TB, conn schema.Store, query string) (lines []string) {
	t.Helper()
	found, err := conn.Query(context.Background(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer found.Close()
	for found.Next() {
		var line string
		if err := found.Scan(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

var at = time.Date(2026, 3, 2, 9, 0, 0, 123e6, time.UTC)

func TestRecordBecomesAnEvent(t *testing.T) {
	conn := database(t)
	alert := schema.HashUID("alert").String()
	records := []Record{
		{At: at, Actor: "alice@soc-1", Via: ViaCLI, Action: "silence.add", ObjectType: "silence", Object: alert,
			Detail: "rule=traffic-drop is muted for 2h: ERP is moved", Attributes: map[string]string{"up_to": "medium"}},
		{At: at.Add(time.Second), Tenant: "acme", Actor: "alice@soc-1", Via: ViaCLI, Action: "subject.erase", ObjectType: "subject", Object: "S-1"},
		{At: at.Add(2 * time.Second), Actor: "reader", Via: ViaEngine, Action: "login.refuse", Failed: true, Detail: "a password for reader was wrong",
			Attributes: map[string]string{"src_endpoint_ip": "203.0.113.7", "status_code": "wrong password"}},
		{At: at.Add(3 * time.Second), Action: "crmwatch.start", Via: ViaItself},
		{At: at.Add(4 * time.Second), Actor: "alice@soc-1", Action: "hold.ponder", Object: "H-1"},
	}
	// The same acts told again, as after a crash, and in another batch.
	for _, some := range [][]Record{records, records, records[1:3]} {
		if err := Write(t.Context(), conn, some...); err != nil {
			t.Fatal(err)
		}
	}
	got := rows(t, conn, `SELECT concat(toString(time), ' ', toString(class_uid), '/', toString(activity_id), '/', toString(status_id), '/', toString(action_id), ' ', metadata_tenant_uid, ' ',
    metadata_product_name, ' ', metadata_product_vendor_name, ' ', metadata_log_name, ' ', api_operation, ' ', actor_user_name, '(', toString(actor_user_type_id), ') ',
    resources_type, ' ', resources_name, ' ', if(resources_uid = '', '', left(resources_uid, 3)), ' ', src_endpoint_ip, ' ', status_code, ' ', toString(unmapped), ' | ', message)
FROM events FINAL ORDER BY time`)
	want := []string{
		"2026-03-02 09:00:00.123 3004/1/1/0  crmwatch crmwatch audit silence.add alice@soc-1(1) silence  " + alert[:3] + "   {'via':'cli','up_to':'medium'} | rule=traffic-drop is muted for 2h: ERP is moved",
		"2026-03-02 09:00:01.123 6005/7/1/0 acme crmwatch crmwatch audit subject.erase alice@soc-1(1) subject S-1 S-1   {'via':'cli'} | alice@soc-1: subject.erase subject S-1",
		"2026-03-02 09:00:02.123 3002/1/2/2  crmwatch crmwatch audit login.refuse reader(99)    203.0.113.7 wrong password {'via':'engine'} | a password for reader was wrong",
		"2026-03-02 09:00:03.123 6002/3/1/0  crmwatch crmwatch audit crmwatch.start crmwatch(3)      {'via':'crmwatch'} | crmwatch: crmwatch.start",
		"2026-03-02 09:00:04.123 3004/99/1/0  crmwatch crmwatch audit hold.ponder alice@soc-1(1)  H-1 H-1   {} | alice@soc-1: hold.ponder H-1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestTwoActsOfOneMomentAreTwo(t *testing.T) {
	one := Record{At: at, Actor: "alice@soc-1", Action: "rule.change", Object: "brute-force"}
	changed := map[string]func(*Record){
		"object":     func(r *Record) { r.Object = "password-spray" },
		"tenant":     func(r *Record) { r.Tenant = "acme" },
		"actor":      func(r *Record) { r.Actor = "bob@soc-1" },
		"outcome":    func(r *Record) { r.Failed = true },
		"attributes": func(r *Record) { r.Attributes = map[string]string{"now": "4"} },
		"time":       func(r *Record) { r.At = at.Add(time.Millisecond) },
		"uid":        func(r *Record) { r.UID = schema.HashUID("x") },
	}
	for name, change := range changed {
		other := one
		change(&other)
		if one.identity() == other.identity() {
			t.Errorf("a record with another %s has the same identity", name)
		}
	}
	told, again := Record{UID: schema.HashUID("x"), At: at, Action: "alert.resolve"}, Record{UID: schema.HashUID("x"), At: at, Action: "alert.resolve", Detail: "other words"}
	if told.identity() != again.identity() {
		t.Error("an act with an identity of its own has two, told in other words")
	}
}

func TestSecretsAreCutOut(t *testing.T) {
	conn := database(t)
	const secret = "hunter2-Sesame-94d1"
	const hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	err := Write(t.Context(), conn, Record{At: at, Actor: "alice@soc-1", Action: "command.query", Object: "query",
		Detail:     "SELECT * FROM url('https://svc:" + secret + "@files.acme.example/x', CSV) password=" + secret,
		Attributes: map[string]string{"arguments": "--header Authorization: Bearer " + secret, "password": secret, "sha256": hash}})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range rows(t, conn, "SELECT concat(message, ' ', toString(unmapped)) FROM events") {
		if strings.Contains(line, secret) {
			t.Errorf("a secret is stored: %s", line)
		}
		if !strings.Contains(line, hash) || !strings.Contains(line, "files.acme.example") {
			t.Errorf("more than secrets is cut out: %s", line)
		}
	}
}

func TestRecordsThatSayTooLittleAreRefused(t *testing.T) {
	for want, r := range map[string]Record{
		"has no action":                   {At: at},
		"the record of hold.add has no t": {Action: "hold.add"},
	} {
		if err := Write(t.Context(), nil, r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %q in it", err, want)
		}
	}
}
