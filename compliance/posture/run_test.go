package posture

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/goccy/go-yaml"

	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

// noon is when the events of these tests happen.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// login is a login of a service account with a password.
func login(tenant, product string, n int) *schema.Event {
	e := &schema.Event{}
	e.SetTime(noon.Add(time.Duration(n) * time.Second))
	e.UID = schema.HashUID(tenant, product, string(rune('a'+n)))
	e.Text[schema.MetadataTenantUID], e.Text[schema.MetadataProductName], e.Text[schema.MetadataLogName] = tenant, product, "Login"
	e.Text[schema.ActorUserUID], e.Text[schema.ActorUserName], e.Text[schema.LogonType] = "005A", "svc-erp@acme.example", "Other Apex API"
	e.Number[schema.ClassUID], e.Number[schema.ActivityID], e.Number[schema.StatusID], e.Number[schema.LogonTypeID] = schema.ClassAuthentication, schema.AuthLogon, schema.StatusSuccess, 3
	return e
}

func store(t *testing.T, events ...*schema.Event) schema.Store {
	t.Helper()
	store := enginetest.OpenStore(t)
	batch := schema.NewBatch()
	for _, e := range events {
		batch.Append(e)
	}
	block, err := batch.AppendBlock(nil)
	if err == nil {
		err = store.InsertFormat(clickhouse.Context(context.Background(), clickhouse.WithSettings(clickhouse.Settings{"async_insert": 0})), "Native", "INSERT INTO events", bytes.NewReader(block))
	}
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func oauthUsed(t *testing.T) (Shared, []Check) {
	shared, checks := builtin(t)
	for _, c := range checks {
		if c.ID == "oauth-used" {
			return shared, []Check{c}
		}
	}
	t.Fatal("there is no check oauth-used")
	return shared, nil
}

// What is done with crmwatch itself is in the same table, and is not what is judged.
func TestOwnAuditIsNotJudged(t *testing.T) {
	s := store(t, login("acme", "Salesforce", 0), login("acme", AuditProduct, 1), login("", AuditProduct, 2))
	shared, checks := oauthUsed(t)
	report, err := Run(t.Context(), s, shared, checks, Options{Now: noon.AddDate(0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Results) != 1 || len(report.Results[0].Products) != 1 || report.Results[0].Products[0].Product != "Salesforce" {
		t.Errorf("looked at %+v", report.Results)
	}
	if want := noon.Add(time.Millisecond); !report.To.Equal(want) {
		t.Errorf("the period ends at %s, want %s", report.To, want)
	}
}

func TestOneTenantAndTheFuture(t *testing.T) {
	s := store(t, login("acme", "Salesforce", 0), login("globex", "Salesforce", 30))
	shared, checks := oauthUsed(t)
	for _, c := range []struct {
		tenant *string
		now    time.Time
		want   int
	}{{nil, noon.AddDate(0, 0, 1), 2}, {new("acme"), noon.AddDate(0, 0, 1), 1}, {new(""), noon.AddDate(0, 0, 1), 0}, {nil, noon.Add(10 * time.Second), 1}, {nil, noon.Add(-time.Hour), 0}} {
		report, err := Run(t.Context(), s, shared, checks, Options{Tenant: c.tenant, Now: c.now})
		if err != nil || len(report.Results) != c.want {
			t.Errorf("%v at %s: %d results, want %d (%v)", c.tenant, c.now, len(report.Results), c.want, err)
		}
	}
}

// A check that cannot run says so, and the others do run.
func TestAQueryThatFailsIsTold(t *testing.T) {
	s := store(t, login("acme", "Salesforce", 0))
	shared, checks := oauthUsed(t)
	broken := checks[0]
	broken.ID, broken.Query = "broken", "SELECT throwIf(1, 'out of order') AS tenant, '' AS product, '' AS thing, 'pass' AS verdict, '' AS says, 0 AS events, now() AS first_seen, now() AS last_seen"
	report, err := Run(t.Context(), s, shared, []Check{broken, checks[0]}, Options{Now: noon.AddDate(0, 0, 1)})
	if err != nil || len(report.Results) != 2 {
		t.Fatalf("%v: %+v", err, report)
	}
	if r := report.Results[1]; r.Check != "broken" || r.Verdict != CannotJudge || !strings.Contains(r.Reason, "out of order") {
		t.Errorf("it says %+v", r)
	}
	if report.Results[0].Verdict != Fail {
		t.Errorf("the other is %s", report.Results[0].Verdict)
	}
}

// The SQL that is shown is what was asked: run by hand, all of it, it gives as many things.
func TestShownQueriesCanBeRun(t *testing.T) {
	s := store(t, login("acme", "Salesforce", 0))
	shared, checks := builtin(t)
	for i := range checks {
		checks[i] = checks[i].WithInventory(detectors.Inventory{Apps: []detectors.KnownName{{Pattern: `it's \d`}}})
	}
	report, err := Run(t.Context(), s, shared, checks, Options{Now: noon.AddDate(0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range report.Results {
		var things uint64
		if err := s.QueryRow(clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{"final": 1})), "SELECT count() FROM ("+r.Query+")").Scan(&things); err != nil {
			t.Errorf("%s: %v\n%s", r.Check, err, r.Query)
			continue
		}
		if want := r.LookedAt + r.NotJudged; things != want {
			t.Errorf("%s: %d things, want %d", r.Check, things, want)
		}
	}
}

// What is kept is what the statements for auditors read: the last verdict, and what changed.
func TestKeptVerdictsAreTold(t *testing.T) {
	s := enginetest.OpenStore(t)
	for i, verdict := range []Verdict{Pass, Pass, Fail} {
		at := noon.AddDate(0, 0, i)
		r := Report{RanAt: at, From: at.AddDate(0, 0, -30), To: at, Results: []Result{{Check: "oauth-used", Title: "OAuth", Tenant: "acme", Verdict: verdict, Controls: []string{"GDPR 32"}, Products: []Product{
			{Product: "Salesforce", Verdict: verdict, LookedAt: 6, NotPassed: uint64(i / 2), Evidence: []Evidence{{Thing: "svc", Says: "password", Verdict: verdict}}},
			{Product: "nginx", Verdict: CannotJudge, Reason: "no such log"}}}, {Check: "mfa", Title: "MFA", Tenant: "acme", Verdict: CannotJudge, Reason: "no such product"}}}
		if err := Save(t.Context(), s, r); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile("../statements/90-posture.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Statements []struct{ ID, Query string }
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"posture-counts":   "2\t0\t0\t1\t1\t6\t1\t2026-03-04 12:00:00.000\t2",
		"posture-verdicts": "acme\tOAuth\tSalesforce\tfail\t6\t1\t0\tsvc: password\tGDPR 32\nacme\tMFA\t\tcannot judge\t0\t0\t0\tno such product\t\nacme\tOAuth\tnginx\tcannot judge\t0\t0\t0\tno such log\tGDPR 32",
		"posture-changes":  "acme\tOAuth\tSalesforce\t2026-03-04 12:00:00.000\tpass\tfail\tsvc: password",
		"posture-trend":    "2026-03-03\t0\t0\t1\n2026-03-04\t1\t0\t0",
	}
	for _, statement := range file.Statements {
		for tenant, expected := range map[string]string{"acme": want[statement.ID], "": want[statement.ID], "globex": ""} {
			rows, err := s.Query(clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{"final": 1})), "SELECT formatRow('TSV', *) FROM (\n"+statement.Query+"\n)",
				clickhouse.DateNamed("from", noon.Add(time.Hour), clickhouse.MilliSeconds), clickhouse.DateNamed("to", noon.AddDate(0, 0, 7), clickhouse.MilliSeconds), schema.Named("tenant", tenant))
			if err != nil {
				t.Fatalf("%s: %v", statement.ID, err)
			}
			var got strings.Builder
			for rows.Next() {
				var line string
				if err := rows.Scan(&line); err != nil {
					t.Fatal(err)
				}
				got.WriteString(line)
			}
			if err := rows.Close(); err != nil {
				t.Fatal(err)
			}
			if strings.TrimSuffix(got.String(), "\n") != expected {
				t.Errorf("%s of %q is\n%s\nwant\n%s", statement.ID, tenant, got.String(), expected)
			}
		}
	}
}
