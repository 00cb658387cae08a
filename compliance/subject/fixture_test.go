package subject_test

import (
	"context"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/compliance/subject"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

const (
	name = "alice@acme.example"
	uid  = "0057x000001AbCdAAK"
)

func alice(t testing.TB) subject.Subject {
	t.Helper()
	s, err := subject.New(subject.Request{Addresses: []string{name}, UIDs: []string{uid}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fill puts invented events of 50 users over 4 days into the tables, and what rules say
// of them: user 7 is alice.
const fillEvents = `INSERT INTO events (time, event_uid, ingested_at, metadata_tenant_uid, metadata_product_name, class_uid, activity_id, actor_user_uid,
    actor_user_name, actor_user_email_addr, user_name, src_endpoint_ip, x_src_endpoint_network, src_endpoint_location_city, http_request_user_agent,
    http_request_url_path, message, unmapped, raw_data)
SELECT toDateTime64('2026-03-02 00:00:00', 3, 'UTC') + number * 17 AS time, generateUUIDv4(number), time + 3600, 'acme', 'Salesforce', 6003, 2,
    if(number % 50 = 7, '0057x000001AbCdAAK', concat('0057x0000000', leftPad(toString(number % 50), 3, '0'), 'AAA')),
    if(number % 50 = 7, if(number % 100 = 7, 'Alice@ACME.example', 'alice@acme.example'), concat('user', toString(number % 50), '@acme.example')) AS name,
    '', if(number % 997 = 0, 'alice@acme.example', ''),
    if(number % 50 = 7, concat('203.0.113.', toString(number % 3)), concat('198.51.100.', toString(number % 50))),
    if(number % 50 = 7, '203.0.113.0/24', '198.51.100.0/24'), if(number % 50 = 7, 'Porto', 'Lyon'),
    if(number % 50 = 7, 'Mozilla/5.0 (X11; odd) Firefox/140.0', 'python-requests/2.31'),
    multiIf(number % 50 = 7, '/home/alice%40acme.example/x', number % 499 = 0, '/share/ALICE%40ACME.EXAMPLE', '/x'),
    if(number % 331 = 0, concat(name, ' asked alice@acme.example alice@acme.example, not alicia@acme.example'), ''),
    if(number % 50 = 7, map('owner', concat('{"id":"', '0057x000001AbCdAAK', '"}')), map('a', 'b')), if(number % 50 = 7, 'by alice\\u0040acme.example', '')
FROM numbers({rows:UInt64})`

const fillFindings = `INSERT INTO findings (finding_uid, version, detected_at, rule, severity_id, title, message, metadata_tenant_uid, entity_type, entity_uid, entity,
    window_from, window_to, first_seen, last_seen, count, attributes, evidence, evidence_sql)
SELECT {uid:UUID}, 1, now64(3), 'export-burst', 3, 'Alice@ACME.example reads much', 'alice@acme.example read much from 203.0.113.1', 'acme', 'user', '0057x000001AbCdAAK',
    'alice@acme.example', {from:DateTime64(3)}, {from:DateTime64(3)}, {from:DateTime64(3)}, {from:DateTime64(3)}, 3, map('addresses', '203.0.113.1, 203.0.113.2'),
    (SELECT arraySlice(groupArray(event_uid), 1, 20) FROM events WHERE actor_user_uid = '0057x000001AbCdAAK'),
    'SELECT * FROM events WHERE actor_user_uid = \'0057x000001AbCdAAK\''`

var windowFrom = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

var digests = []string{
	`INSERT INTO event_facets SELECT 'network', toDate(time), 'acme', 'Salesforce', 'Api', actor_user_uid, x_src_endpoint_network, min(time), max(time) FROM events GROUP BY ALL`,
	`INSERT INTO event_facets SELECT 'login', toDate(time), 'acme', 'Salesforce', 'Api', lower(actor_user_uid), concat('+', http_request_user_agent), min(time), max(time) FROM events GROUP BY ALL`,
	`INSERT INTO event_hours (hour, uid, name, calls, paired_by, named, alone, named_by, version) SELECT toStartOfHour(time) AS hour, actor_user_uid, max(actor_user_name), count(), map('', [4, 8]), map(lower(max(actor_user_name)), [4]), map(lower(max(actor_user_name)), 2), map(lower(max(actor_user_name)), ['']), 1 FROM events GROUP BY ALL`,
	`INSERT INTO event_days (day, uid, calls, version) SELECT toDate(time) AS day, actor_user_uid, count(), 1 FROM events GROUP BY ALL`,
	`INSERT INTO event_partners (hour, sort, who, calls, version) SELECT toStartOfHour(time) AS hour, 'name', lower(actor_user_name), count(), 1 FROM events GROUP BY ALL`,
	`INSERT INTO event_logins (hour, tenant, network, uid, name, minutes, counts, version) SELECT toStartOfHour(time) AS hour, 'acme', x_src_endpoint_network, actor_user_uid, lower(actor_user_name), [0], [count()], 1 FROM events GROUP BY ALL`,
	`INSERT INTO rule_seen (rule, tenant, product, entity_uid, value, stretch, first_seen, last_seen, saved_at) SELECT 'r', 'acme', '', actor_user_uid, x_src_endpoint_network, 0, min(time), max(time), now() FROM events GROUP BY ALL`,
	`INSERT INTO rule_steps SELECT 'r', 'acme', '', actor_user_uid, time, 's', event_uid, src_endpoint_ip, actor_user_name, now() FROM events WHERE actor_user_uid = '0057x000001AbCdAAK' LIMIT 9`,
	`INSERT INTO alerts (alert_uid, version, status, title, entity_uid, entity, finding_uids, content_hash) SELECT generateUUIDv4(), 1, 'open', title, entity_uid, entity, [finding_uid], 77 FROM findings`,
	`INSERT INTO alert_transitions (alert_uid, transition_uid, action, finding_uids) SELECT alert_uid, generateUUIDv4(), 'open', finding_uids FROM alerts`,
	`INSERT INTO notifications (alert_uid, notifier, version, state, content_hash) SELECT alert_uid, 'slack', 1, 'sent', 77 FROM alerts`,
	`INSERT INTO silences (silence_uid, version, author, reason, matchers) SELECT generateUUIDv4(), 1, 'bob', 'Alice@acme.example is away', ['entity=alice@acme.example']`,
	`INSERT INTO quarantine (quarantine_uid, x_source_file, content) SELECT generateUUIDv4(), '/x', '"alice@acme.example",broken'`,
	`INSERT INTO summaries (summary_uid, period, content, content_hash) SELECT generateUUIDv4(), 'daily', '{"title":"x","rows":[["alice@acme.example","203.0.113.1"]]}' AS c, lower(hex(SHA256(c)))`,
	`INSERT INTO summaries (summary_uid, period, content, content_hash) SELECT generateUUIDv4(), 'daily', '{"title":"x","rows":[["203.0.113.2",7],["203.0.113.21",8]]}' AS c, lower(hex(SHA256(c)))`,
	`INSERT INTO rule_runs (rule, started_at, error) SELECT 'r', now64(3), 'user alice@acme.example: boom'`,
}

// filled is a store with rows events and what hangs on them.
func filled(t testing.TB, rows uint64) schema.Store {
	t.Helper()
	ctx := context.Background()
	store := enginetest.Open(t)
	if _, err := schema.Migrate(ctx, store); err != nil {
		t.Fatal(err)
	}
	fill(t, store, rows)
	return store
}

func fill(t testing.TB, store schema.Store, rows uint64) {
	t.Helper()
	ctx := context.Background()
	finding := schema.FindingUID("export-burst", "acme", "user", uid, windowFrom).String()
	if err := store.Exec(ctx, fillEvents, schema.Named("rows", rows)); err != nil {
		t.Fatal(err)
	}
	if err := store.Exec(ctx, fillFindings, schema.Named("uid", finding), schema.Named("from", windowFrom)); err != nil {
		t.Fatal(err)
	}
	for _, statement := range digests {
		if err := store.Exec(ctx, statement); err != nil {
			t.Fatalf("%v\n%s", err, statement)
		}
	}
}
