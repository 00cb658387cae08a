package schema_test

import (
	"context"
	"errors"
	"os"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/engine"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

// The questions of docs/querying.md are what analysts copy: each is asked as a reader
// would.
func TestTheDocumentedQuestionsCanBeAsked(t *testing.T) {
	text, err := os.ReadFile("../docs/querying.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 20 {
		t.Errorf("docs/querying.md holds %d questions", len(blocks))
	}
	reader := enginetest.OpenAs(t, engine.Reader, nameOf(t, enginetest.OpenStore(t)))
	for _, block := range blocks {
		rows, err := reader.Query(context.Background(), block[1])
		if err != nil {
			t.Errorf("%v\n%s", err, block[1])
			continue
		}
		for rows.Next() {
			continue // an answer may break off in the middle
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Errorf("%v\n%s", err, block[1])
		}
	}
}

func nameOf(t *testing.T, conn schema.Store) (name string) {
	t.Helper()
	if err := conn.QueryRow(context.Background(), "SELECT currentDatabase()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	return name
}

const viewedEvents = `INSERT INTO events (time, event_uid, metadata_tenant_uid, metadata_product_name, metadata_log_name, class_uid, activity_id, status_id,
    actor_user_uid, actor_user_name, resources_name, resources_uid, x_rows_processed, api_operation) VALUES
    -- two logins of a minute, which one log tells both of and two others one each
    ('2026-03-01 10:00:01.5', '00000000-0000-0000-0000-000000000001', 'acme', 'Salesforce', 'Login', 3002, 1, 2, '005A', 'ada@acme.example', '', '', 0, ''),
    ('2026-03-01 10:00:09.1', '00000000-0000-0000-0000-000000000002', 'acme', 'Salesforce', 'Login', 3002, 1, 2, '005A', 'ada@acme.example', '', '', 0, ''),
    ('2026-03-01 10:00:01', '00000000-0000-0000-0000-000000000003', 'acme', 'Salesforce', 'LoginHistory', 3002, 1, 2, '005A', 'Ada@acme.example', '', '', 0, ''),
    ('2026-03-01 10:00:09.1', '00000000-0000-0000-0000-000000000004', 'acme', 'Salesforce', 'LoginEvent', 3002, 1, 2, '005A', 'ada@acme.example', '', '', 0, ''),
    -- the same event a second time
    ('2026-03-01 10:00:09.1', '00000000-0000-0000-0000-000000000002', 'acme', 'Salesforce', 'Login', 3002, 1, 2, '005A', 'ada@acme.example', '', '', 0, ''),
    -- a success of the minute is another login, and at the end of the range there is none
    ('2026-03-01 10:00:30', '00000000-0000-0000-0000-000000000005', 'acme', 'Salesforce', 'LoginHistory', 3002, 1, 1, '005A', 'ada@acme.example', '', '', 0, ''),
    ('2026-03-02 00:00:00', '00000000-0000-0000-0000-000000000006', 'acme', 'Salesforce', 'Login', 3002, 1, 1, '005A', 'ada@acme.example', '', '', 0, ''),
    -- a call that two logs tell of, and a refused login at crmwatch itself
    ('2026-03-01 11:00:00', '00000000-0000-0000-0000-000000000007', 'acme', 'Salesforce', 'RestApi', 6003, 2, 1, '005A', '', 'Case', '', 20, ''),
    ('2026-03-01 11:00:00', '00000000-0000-0000-0000-000000000008', 'acme', 'Salesforce', 'ApiTotalUsage', 6003, 2, 1, '005A', 'ada@acme.example', 'Case', '', 0, ''),
    ('2026-03-01 11:00:00', '00000000-0000-0000-0000-000000000009', '', 'crmwatch', 'audit', 3002, 1, 2, '', 'reader', '', '', 0, 'refuse_login'),
    -- a bulk job that says three times how far it is
    ('2026-03-01 12:00:00', '00000000-0000-0000-0000-00000000000a', 'acme', 'Salesforce', 'BulkApi2', 6003, 2, 1, '005A', '', 'Case', '750A', 100, 'query'),
    ('2026-03-01 12:01:00', '00000000-0000-0000-0000-00000000000b', 'acme', 'Salesforce', 'BulkApi2', 6003, 2, 1, '005A', '', 'Case', '750A', 300, 'query')`

func TestViewsTellEachThingOnce(t *testing.T) {
	ctx, conn := context.Background(), enginetest.OpenStore(t)
	for _, sql := range []string{
		viewedEvents,
		"INSERT INTO alerts (alert_uid, version, status, title, severity_id) VALUES ('00000000-0000-0000-0000-0000000000aa', 1, 'open', 'x', 4), ('00000000-0000-0000-0000-0000000000aa', 3, 'resolved', 'x', 4)",
		`INSERT INTO alert_transitions (alert_uid, transition_uid, at, action, to_status, actor, refused) VALUES
			('00000000-0000-0000-0000-0000000000aa', generateUUIDv4(), '2026-03-01 10:00:00', 'open', 'open', 'crmwatch', ''),
			('00000000-0000-0000-0000-0000000000aa', generateUUIDv4(), '2026-03-01 10:01:00', 'acknowledge', 'acknowledged', 'eve', 'not allowed'),
			('00000000-0000-0000-0000-0000000000aa', generateUUIDv4(), '2026-03-01 10:05:00', 'acknowledge', 'acknowledged', 'bob', ''),
			('00000000-0000-0000-0000-0000000000aa', generateUUIDv4(), '2026-03-01 12:00:00', 'resolve', 'resolved', 'bob', '')`,
	} {
		if err := conn.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	for sql, want := range map[string]string{
		"SELECT toString(groupArray((status, log))) FROM (SELECT * FROM logins(from = '2026-03-01', to = '2026-03-02') ORDER BY time)": "[('failure','Login'),('failure','Login'),('success','LoginHistory')]",
		"SELECT toString((count(), countIf(told_again), sumIf(records, log = 'RestApi'))) FROM calls":                                  "(4,1,20)",
		"SELECT toString((user_uid, name, toString(first_seen))) FROM identities WHERE name = 'ada@acme.example'":                      "('005A','ada@acme.example','2026-03-01 10:00:01.500')",
		"SELECT toString((job, max(records))) FROM exports GROUP BY job":                                                               "('750A',300)",
		"SELECT toString((actor, action, status)) FROM acts":                                                                           "('reader','refuse_login','failure')",
		"SELECT toString((status, seconds_to_acknowledge, acknowledged_by, seconds_to_close, closed_by)) FROM alert_times":             "('resolved',300,'bob',7200,'bob')",
		"SELECT toString(groupArray(concat(table, '.', name))) FROM system.columns WHERE database = currentDatabase() AND comment = '' AND table IN ('calls', 'exports', 'changes', 'identities', 'acts', 'sources', 'alert_times', 'rule_health')": "[]",
	} {
		var got string
		if err := conn.QueryRow(ctx, sql).Scan(&got); err != nil {
			t.Errorf("%v\n%s", err, sql)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", sql, diff)
		}
	}
}
