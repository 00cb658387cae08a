package alerting_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/schema"
)

const hostile = "<!channel> ``` \x1b[2J\u202e'; DROP TABLE events; --"

// storeEvents stores four events, of which the last has values that attack.
func storeEvents(t *testing.T, store schema.Store) (uids []schema.UID) {
	t.Helper()
	for i := range 4 {
		uid := schema.HashUID("event", string(rune('a'+i)))
		uids = append(uids, uid)
		name, ip, rows := "svc-sync@acme.example", "203.0.113.9", uint64(0)
		if i == 3 {
			name, ip, rows = hostile+strings.Repeat("x", 500), "", 4711
		}
		for range 2 { // each arrives twice
			if err := store.Exec(t.Context(), `INSERT INTO events (time, event_uid, class_uid, metadata_tenant_uid, actor_user_name, api_operation, src_endpoint_ip, resources_type, x_rows_processed, status_id)
				VALUES ({at:DateTime64(3)}, {uid:UUID}, 6003, 'acme', {name:String}, 'Query', {ip:String}, 'Account', {rows:UInt64}, 1)`,
				schema.Named("at", at(1).Add(time.Duration(i)*time.Minute).Format("2006-01-02 15:04:05.000")), schema.Named("uid", uid.String()), schema.Named("name", name), schema.Named("ip", ip), schema.Named("rows", rows)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return uids
}

func TestEvidenceText(t *testing.T) {
	o := openOffice(t)
	uids := storeEvents(t, o.store)
	f := finding("recon", at(1))
	f.Evidence = uids
	o.mustFind(f, about(finding("other", at(2)), "user", "005X", "other@acme.example"))
	read := func(uid schema.UID) string {
		text, err := alerting.EvidenceText(t.Context(), o.store, uid)
		if err != nil {
			t.Fatal(err)
		}
		expectHarmless(t, text)
		return text
	}
	var story, other schema.UID
	all, err := o.desk.Alerts(t.Context(), alerting.AlertFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if a.Entity == "svc-sync@acme.example" {
			story = a.UID
		} else {
			other = a.UID
		}
	}
	golden(t, "testdata/overview/evidence.txt", []byte(read(story)))
	if got := read(other); !strings.Contains(got, "name no rows") {
		t.Errorf("no evidence: %s", got)
	}
	if got := read(schema.HashUID("nothing")); !strings.Contains(got, "no such alert") {
		t.Errorf("no alert: %s", got)
	}
	// More than ten: some of each finding, and how many there are.
	var many []schema.Finding
	for i, rule := range []string{"a", "b", "c"} {
		f := finding(rule, at(1))
		f.Evidence = slices.Clone(uids[:1])
		for j := range 20 {
			f.Evidence = append(f.Evidence, schema.HashUID("gone", rule, string(rune('a'+j))))
		}
		if i == 2 {
			f.Severity, f.Evidence = schema.SeverityHigh, append([]schema.UID{uids[3]}, f.Evidence...)
		}
		many = append(many, f)
	}
	o.mustFind(many...)
	if got := read(story); !strings.Contains(got, "4 of 64 rows of evidence") || !strings.Contains(got, "4711") {
		t.Errorf("many rows:\n%s", got)
	}
	if err := o.store.Exec(t.Context(), "TRUNCATE TABLE events"); err != nil {
		t.Fatal(err)
	}
	if got := read(story); !strings.Contains(got, "not stored any more") {
		t.Errorf("rows are gone: %s", got)
	}
}

func TestOverviewText(t *testing.T) {
	o := openOffice(t)
	// What was checked long ago is not kept.
	now := time.Now().UTC().Truncate(time.Second)
	w := alerting.Watch{Now: now}
	first, err := alerting.OverviewText(t.Context(), o.store, w)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"a@acme.example", "b@acme.example", hostile} {
		f := about(finding("recon", at(1).Add(time.Duration(i)*time.Hour)), "user", name, name)
		f.Severity = schema.Severity(int(schema.SeverityMedium) + i)
		o.mustFind(f)
	}
	for i, name := range []string{"LoginEvent", "ApiEvent " + hostile} {
		if err := o.store.Exec(t.Context(), `INSERT INTO source_lateness (checked_at, metadata_tenant_uid, metadata_product_name, metadata_log_name, events, last_event, last_arrival, lateness_p95_s)
			VALUES ({at:DateTime64(3)}, 'acme', 'Salesforce', {name:String}, 7, {at:DateTime64(3)}, {came:DateTime64(3)}, 14400)`,
			schema.Named("at", now.Format("2006-01-02 15:04:05.000")), schema.Named("name", name), schema.Named("came", now.Add(-time.Duration(i+1)*26*time.Hour).Format("2006-01-02 15:04:05.000"))); err != nil {
			t.Fatal(err)
		}
	}
	w.Behind, w.Blind, w.BlindKnown = []string{"kong: 12 MB " + hostile}, []string{"recon-then-bulk", "secret-hunting-query"}, true
	second, err := alerting.OverviewText(t.Context(), o.store, w)
	if err != nil {
		t.Fatal(err)
	}
	expectHarmless(t, first+second)
	golden(t, "testdata/overview/overview.txt", []byte(first+"----\n"+second))
}

func TestShowText(t *testing.T) {
	o := openOffice(t)
	o.mustFind(about(finding("recon", at(1)), "user", "a", "ada@acme.example"), about(finding("recon", at(2)), "user", "b", "bea@acme.example"))
	all, err := o.desk.Alerts(t.Context(), alerting.AlertFilter{})
	if err != nil || len(all) != 2 {
		t.Fatalf("%d alerts: %v", len(all), err)
	}
	for what, want := range map[string][]string{
		all[0].UID.String()[:8]:                  {"What happened (UTC)", all[0].Entity},
		strings.ToUpper(all[1].UID.String()[:8]): {"What happened (UTC)", all[1].Entity},
		"acme":                                   {"ALERT ", "ada@acme.example", "bea@acme.example"},
		"bea@":                                   {"What happened (UTC)", "bea@acme.example"},
		"nobody":                                 {"no such alert"},
		hostile:                                  {"no such alert"},
		"%":                                      {"no such alert"},
	} {
		text, err := alerting.ShowText(t.Context(), o.store, what, alerting.Style{Width: 100})
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		expectHarmless(t, text)
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("%s: no %q in\n%s", what, part, text)
			}
		}
	}
}
