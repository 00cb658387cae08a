package incident

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// What is touched is counted by the log that counts most, and a bulk job's reads once.
func TestRecordOfAnAlert(t *testing.T) {
	store := enginetest.OpenStore(t)
	exec := func(query string, args ...any) {
		t.Helper()
		if err := store.Exec(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	from := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	exec(`INSERT INTO events (event_uid, time, metadata_tenant_uid, metadata_product_name, metadata_log_name, actor_user_uid, src_endpoint_ip, resources_type, resources_name, resources_uid, x_rows_processed)
		SELECT generateUUIDv4(), toDateTime64('2026-03-02 10:00:00', 3, 'UTC') + number, 'acme', 'Salesforce', log, user, '203.0.113.77', type, name, uid, rows FROM
		(SELECT arrayJoin([(1, 'RestApi', 'u1', 'sobject', 'Contact', '', 40), (2, 'RestApi', 'u1', 'sobject', 'Contact', '', 2), (3, 'ApiTotalUsage', 'u1', 'sobject', 'Contact', '', 0),
			(4, 'BulkApi2', 'u1', 'sobject', 'Case', '7507x0001', 100), (5, 'BulkApi2', 'u1', 'sobject', 'Case', '7507x0001', 300), (6, 'UI', 'u1', 'Lead', '', '00Q1', 0), (7, 'UI', 'u1', 'Lead', '', '00Q2', 0),
			(8, 'RestApi', 'u2', 'sobject', 'Contact', '', 9999), (5000, 'RestApi', 'u1', 'sobject', 'Contact', '', 9999)]) AS t,
			t.1 AS number, t.2 AS log, t.3 AS user, t.4 AS type, t.5 AS name, t.6 AS uid, t.7 AS rows)`)
	a := schema.Alert{
		UID: schema.HashUID("a"), Title: "Possible <script>alert(1)</script> | theft", TenantUID: "acme", EntityType: "user", EntityUID: "u1", Entity: "svc [x](https://evil.example) \u202e", Severity: schema.SeverityHigh,
		FirstSeen: from, LastSeen: from.Add(time.Hour), Status: schema.AlertAcknowledged,
		Findings: []schema.Finding{{UID: schema.HashUID("f"), DetectedAt: from.Add(2 * time.Hour), Rule: "r", Title: "T", Message: "M `x`", FirstSeen: from, LastSeen: from}},
	}
	for i, row := range []string{"'open', '', 'crmwatch', '', ''", "'acknowledge', 'otto', 'slack', '', 'closed already'", "'acknowledge', 'mira', 'cli', 'token | revoked', ''"} {
		exec(`INSERT INTO alert_transitions (alert_uid, transition_uid, at, action, actor, via, note, refused) SELECT {a:UUID}, generateUUIDv4(), {at:DateTime64(3, 'UTC')}, `+row,
			schema.Named("a", a.UID.String()), schema.Named("at", from.Add(time.Duration(i+1)*time.Hour).Format("2006-01-02 15:04:05.000")))
	}
	r, err := Build(t.Context(), store, a, from.Add(61*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	n := r.Nature
	if n.Events != 7 || n.Records != 342 || n.PersonRecords != 344 || n.Subjects != 2 || len(n.Data) != 3 || n.Data[0].Type != "Case" || n.Data[0].Records != 300 || n.Data[1].Records != 42 || n.Data[2].Named != 2 {
		t.Errorf("touched: %+v", n)
	}
	// Detected with the first transition, and taken in hand by whoever was not refused.
	if c := r.Clock; !c.Detected.Equal(from.Add(time.Hour)) || !c.Ends.Equal(from.Add(73*time.Hour)) || c.LeftMinutes != 12*60 || c.Taken == nil || !c.Taken.Equal(from.Add(3*time.Hour)) || c.Told != nil {
		t.Errorf("the clock: %+v", c)
	}
	var md, page bytes.Buffer
	if err := WriteMarkdown(&md, r); err != nil {
		t.Fatal(err)
	}
	if err := WriteHTML(&page, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"12 hours 0 minutes left", `theft`, `token \| revoked`, "acknowledge, which was refused: closed already", "Article 33(3)(b)", `\[x\]`, `\\u202e`} {
		if !strings.Contains(md.String(), want) {
			t.Errorf("the Markdown does not say %q:\n%s", want, md.String())
		}
	}
	for _, live := range []string{"<script>", "https://evil", "\u202e"} {
		if strings.Contains(md.String(), live) || live != "https://evil" && strings.Contains(page.String(), live) {
			t.Errorf("log text became %q", live)
		}
	}
	if strings.Count(page.String(), "<textarea") != len(r.Questions) || !strings.Contains(page.String(), "&lt;script&gt;") {
		t.Errorf("the page is\n%s", page.String())
	}
	// Over, and nothing stored any more.
	a.EntityUID, a.Findings[0].Evidence = "gone", []schema.UID{schema.HashUID("e")}
	r, err = Build(t.Context(), store, a, from.Add(100*time.Hour))
	if err != nil || !r.Nature.Gone || !strings.Contains(r.Clock.left(), "over since 27 hours 0 minutes") {
		t.Errorf("later: %+v, %v", r.Clock, err)
	}
}
