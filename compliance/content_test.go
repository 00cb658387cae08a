package compliance

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/goccy/go-yaml"

	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

// sumHours brings the tables of hours and days up to date.
func sumHours(t testing.TB, store schema.Store) {
	t.Helper()
	rules, err := detectors.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	// Whatever rule is evaluated, the hours are summed first.
	rule := rules[slices.IndexFunc(rules, func(r detectors.Rule) bool { return r.ID == "payload-spike" })]
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	if _, err := detectors.NewRunner(store, []detectors.Rule{rule}, detectors.Options{}).Evaluate(context.Background(), rule, at, at.Add(24*time.Hour)); err != nil {
		t.Fatal(err)
	}
}

// run executes the statements of a file; each ends with a line that ends with ";".
func runFile(t testing.TB, store schema.Store, name string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "truth", name))
	if err != nil {
		t.Fatal(err)
	}
	for statement := range strings.SplitSeq(string(text), ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if err := store.Exec(context.Background(), statement); err != nil {
			t.Fatalf("%s: %v\n%.200s", name, err, statement)
		}
	}
}

// truthStore holds the events and rows of testdata/truth.
func truthStore(t testing.TB) schema.Store {
	t.Helper()
	store := enginetest.OpenStore(t)
	// What is written down is of a month that is long over.
	for _, table := range []string{"rule_coverage", "source_lateness", "self_tests", "rule_runs", "deliveries"} {
		storeEvents(t, store, "ALTER TABLE "+table+" REMOVE TTL")
	}
	runFile(t, store, "events.sql")
	runFile(t, store, "tables.sql")
	sumHours(t, store)
	return store
}

func builtin(t testing.TB) []Section {
	t.Helper()
	sections, err := Load(knownControls(t))
	if err != nil {
		t.Fatal(err)
	}
	return sections
}

// buildBuiltin asks the built-in statements, or some of them.
func buildBuiltin(t testing.TB, store schema.Store, tenant string, p Period, ids ...string) Summary {
	t.Helper()
	sections := builtin(t)
	for i := range sections {
		sections[i].Statements = slices.DeleteFunc(sections[i].Statements, func(s Statement) bool { return len(ids) > 0 && !slices.Contains(ids, s.ID) })
	}
	s, err := Build(context.Background(), store, Options{Tenant: tenant, Period: p, Sections: sections, Controls: knownControls(t), Version: "v1", Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What every built-in statement says of a small set of events is what was counted by hand.
// Each query asked again, with its values written into it, gives the same rows; and of
// another tenant's events nothing shows.
func TestBuiltinStatementsTellTheTruth(t *testing.T) {
	store := truthStore(t)
	s := buildBuiltin(t, store, "acme", march(t))
	var truth map[string][]map[string]any
	text, err := os.ReadFile(filepath.Join("testdata", "truth", "acme.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &truth); err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for section, answer := range s.Content.answers {
		told[answer.ID] = true
		t.Run(answer.ID, func(t *testing.T) {
			if answer.Problem != "" {
				t.Fatalf("%s: %s", section.ID, answer.Problem)
			}
			want, written := truth[answer.ID]
			if !written {
				t.Fatalf("write down in testdata/truth/acme.yaml what is true of %s", answer.ID)
			}
			compareTruth(t, answer, want)
			again := askLiterally(t, store, literal(answer.Query, "acme", march(t)))
			if !reflect.DeepEqual(again, answer.Rows) {
				t.Errorf("asked again by the query that is shown:\n%v\nat first:\n%v", again, answer.Rows)
			}
		})
	}
	for id := range truth {
		if !told[id] {
			t.Errorf("testdata/truth/acme.yaml has %s, and no statement is called so", id)
		}
	}
	all, err := s.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if i := strings.Index(string(all), "OTHER"); i >= 0 {
		t.Errorf("the summary of acme shows something of another tenant: %.200s", all[max(0, i-100):])
	}
	t.Run("whole installation", func(t *testing.T) { wholeInstallation(t, store) })
}

// compareTruth compares the columns that the truth names, of every row.
func compareTruth(t *testing.T, answer Answer, want []map[string]any) {
	t.Helper()
	if len(answer.Rows) != len(want) {
		t.Errorf("%d rows, want %d: %v", len(answer.Rows), len(want), answer.Rows)
		return
	}
	for i, row := range answer.Rows {
		got := map[string]any{}
		for j, column := range answer.Columns {
			got[column.Name] = row[j]
		}
		for name, value := range want[i] {
			cell, is := got[name]
			if !is {
				t.Errorf("row %d has no column %s: %v", i+1, name, got)
			} else if sayTruth(cell) != sayTruth(value) {
				t.Errorf("row %d, %s: %s, want %s", i+1, name, sayTruth(cell), sayTruth(value))
			}
		}
	}
}

func sayTruth(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

// askLiterally asks a query without parameters, as somebody does who copies it.
func askLiterally(t *testing.T, store schema.Store, query string) []Row {
	t.Helper()
	ctx := clickhouse.Context(context.Background(), clickhouse.WithSettings(clickhouse.Settings{"final": 1, "readonly": 2, "session_timezone": "UTC"}))
	rows, err := store.Query(ctx, query)
	if err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
	defer rows.Close()
	_, cells, err := readRows(rows)
	if err != nil {
		t.Fatal(err)
	}
	return cells
}

// With nothing at all in the database, every statement says why it has nothing to say.
func TestBuiltinStatementsOfNothing(t *testing.T) {
	for _, answer := range buildBuiltin(t, enginetest.OpenStore(t), "acme", march(t)).Content.answers {
		switch {
		case answer.Problem != "":
			t.Errorf("%s: %s", answer.ID, answer.Problem)
		case answer.Empty == "" || answer.Sentence != "":
			t.Errorf("%s says %q, and not why there is nothing: %v", answer.ID, answer.Sentence, answer.Rows)
		}
	}
}

// The whole installation has both tenants: of the other are seven events, a login that
// succeeded and one that failed, and a critical alert.
func wholeInstallation(t *testing.T, store schema.Store) {
	want := map[string]map[string]any{
		"events-counted": {"events": 57, "products": 5},
		"logins":         {"logins": 12, "failed": 4, "users": 7},
		"alerts":         {"opened": 4, "severe": 3, "open_at_end": 3},
		"own-acts":       {"act": "alert.acknowledge"},
	}
	for _, answer := range buildBuiltin(t, store, "", march(t), slices.Collect(maps.Keys(want))...).Content.answers {
		if answer.Show == ShowFigures {
			compareTruth(t, answer, []map[string]any{want[answer.ID]})
		} else if len(answer.Rows) != 10 {
			t.Errorf("%s has %d rows, want the nine of acme and alert.resolve: %v", answer.ID, len(answer.Rows), answer.Rows)
		}
	}
}

// An hourly log of February and March that lacks six hours, then one, then the end.
const hourlyLog = `INSERT INTO events (event_uid, time, metadata_tenant_uid, metadata_product_name, metadata_log_name, class_uid)
SELECT generateUUIDv4(), toDateTime64('2026-02-01 00:30:00', 3, 'UTC') + toIntervalHour(number) AS t, 'gaps', 'Salesforce', 'RestApi', 6003
FROM numbers(24 * 59)
WHERE t < '2026-03-10 05:00:00' OR t >= '2026-03-10 11:00:00' AND t < '2026-03-20 05:00:00' OR t >= '2026-03-20 06:00:00' AND t < '2026-03-30 00:00:00'`

// A gap is told where chance does not explain it; and events that arrived since the hours
// were last summed are told of, because they are not counted.
func TestGapsAndEventsThatAreNotCounted(t *testing.T) {
	store := enginetest.OpenStore(t)
	storeEvents(t, store, hourlyLog)
	const some = `INSERT INTO events (time, event_uid, class_uid, metadata_tenant_uid, metadata_product_name) SELECT toDateTime64('2026-03-05 00:00:00', 3, 'UTC'), generateUUIDv4(), 6003, 'acme', 'Kong Gateway' FROM `
	storeEvents(t, store, some+"numbers(12)")
	sumHours(t, store)
	storeEvents(t, store, some+"numbers(7)")
	for _, answer := range buildBuiltin(t, store, "gaps", march(t), "collection-gaps").Content.answers {
		compareTruth(t, answer, []map[string]any{
			{"product": "Salesforce", "log": "RestApi", "first_missing": "2026-03-30T00:00:00.000Z", "last_missing": "2026-03-31T23:00:00.000Z", "hours_missing": 48},
			{"first_missing": "2026-03-10T05:00:00.000Z", "last_missing": "2026-03-10T10:00:00.000Z", "hours_missing": 6},
		})
	}
	for _, answer := range buildBuiltin(t, store, "acme", march(t), "events-counted").Content.answers {
		compareTruth(t, answer, []map[string]any{{"events": 12, "products": 1, "uncounted": 7}})
	}
}
