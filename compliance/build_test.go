package compliance

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/engine"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

// An event arrives every hour for 200 hours from 27 February, some of them twice; none
// on 3 March.
const someLogins = `INSERT INTO events (time, event_uid, class_uid, activity_id, status_id, actor_user_uid, metadata_tenant_uid, metadata_product_name, traffic_bytes_in)
SELECT toDateTime64('2026-02-27 00:00:00', 3, 'UTC') + INTERVAL number % 200 HOUR AS time, toUUID(concat('00000000-0000-0000-0000-', leftPad(toString(number % 200), 12, '0'))),
    3002, 1, if(number % 10 = 0, 2, 1), concat('u', toString(number % 4)), if(number % 200 = 150, 'other', 'acme'), 'Salesforce', 1000000
FROM numbers(240) WHERE toDate(time) != '2026-03-03'`

const everyShow = `section: shows
title: Shows
about: One statement of each show, and some that go wrong.
statements:
  - id: figures
    title: Figures
    controls: [GDPR 32]
    show: figures
    says: "{{.failed}} of {{plural .logins \"login\"}} failed ({{percent .failed .logins}}), {{.bytes}} were read, {{if gt .failed 10}}many{{else}}few{{end}}, longest {{.longest}}, {{join .users}}."
    columns:
      failed: {title: Failed, front: true}
      logins: {title: Logins, front: true}
      bytes: {title: Read, unit: bytes}
      longest: {title: Longest, unit: ms}
    query: |
      SELECT countIf(status_id = 2) AS failed, count() AS logins, sum(traffic_bytes_in) AS bytes, 61500 AS longest, failed / (logins - logins) AS undefined,
          arraySort(groupUniqArray(actor_user_uid)) AS users
      FROM events
      WHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)} AND ({tenant:String} = '' OR metadata_tenant_uid = {tenant:String})
    empty: Nothing.
  - id: no-figures
    title: Figures of nothing
    controls: [GDPR 33]
    show: figures
    front: attention
    says: "{{.n}} others."
    query: SELECT count() AS n, max(time) AS last FROM events WHERE metadata_tenant_uid = 'nobody' HAVING n > 0
    empty: There is nobody.
  - id: rows
    title: Rows
    controls: [ISO 27001:2022 A.8.15]
    show: table
    front: attention
    says: "{{.Count}} rows, the last of {{with index .Rows 3}}{{.user}} at {{minute .last}}{{end}}."
    query: |
      SELECT actor_user_uid AS user, max(time) AS last, toDate(max(time)) AS day, toNullable('') AS nothing, CAST(NULL AS Nullable(UInt8)) AS unknown,
          map('b', 1, 'a', 2) AS counts, toUUID('00000000-0000-0000-0000-000000000001') AS id, true AS yes, toDecimal64(1.5, 2) AS share, toUInt64(18446744073709551615) AS most,
          toInt256('-123456789012345678901234567890') AS huge, 1e300 AS large, toIPv4('203.0.113.7') AS address, CAST('a' AS Enum8('a' = 1)) AS word
      FROM events
      WHERE ({tenant:String} = '' OR metadata_tenant_uid = {tenant:String})
      GROUP BY user ORDER BY user
    empty: Nothing.
  - id: no-rows
    title: No rows
    controls: [ISO 27001:2022 A.8.15]
    show: table
    query: SELECT time, actor_user_uid AS user, traffic_bytes_in AS bytes FROM events WHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)} AND {tenant:String} = 'nobody'
    empty: There is no such tenant.
  - id: trend
    title: Trend
    controls: [SOC 2 CC7.2]
    show: trend
    query: |
      SELECT toDate(time) AS day, count() AS logins FROM events
      WHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)} AND ({tenant:String} = '' OR metadata_tenant_uid = {tenant:String})
      GROUP BY day ORDER BY day WITH FILL FROM toDate({from:DateTime64(3)}) TO toDate({from:DateTime64(3)}) + 9
    empty: Nothing.
  - id: list
    title: List
    controls: [SOC 2 CC7.2]
    show: list
    front: unmonitored
    says: "{{len .Rows}} lines."
    query: SELECT 'HubSpot' AS product, 3 AS days UNION ALL SELECT 'Zoho CRM' AS product, 4 AS days
    empty: Nothing.
`

const wrongAnswers = `section: wrong
title: Wrong
about: What goes wrong is told.
statements:
  - {id: no-table, title: A, controls: [GDPR 5], show: table, query: "SELECT a FROM missing_table", empty: x}
  - {id: two-figures, title: A, controls: [GDPR 5], show: figures, query: "SELECT number FROM numbers(2)", empty: x}
  - {id: trend-of-text, title: A, controls: [GDPR 5], show: trend, query: "SELECT 'a' AS day, 1 AS n", empty: x}
  - {id: trend-of-texts, title: A, controls: [GDPR 5], show: trend, query: "SELECT today() AS day, 'x' AS n", empty: x}
  - {id: no-column, title: A, controls: [GDPR 5], show: table, columns: {b: {title: B}}, query: "SELECT 1 AS a", empty: x}
  - {id: no-word, title: A, controls: [GDPR 5], show: table, says: "{{.b}}", query: "SELECT 1 AS a", empty: x}
  - {id: no-number, title: A, controls: [GDPR 5], show: table, says: "{{percent .a 1}}", query: "SELECT 'x' AS a", empty: x}
  - {id: writes, title: A, controls: [GDPR 5], show: table, query: "WITH 1 AS x SELECT 1) FORMAT Null; DROP TABLE events; SELECT (1", empty: x}
  - {id: too-many, title: A, controls: [GDPR 5], show: table, query: "SELECT number FROM numbers(200000)", empty: x}
  - {id: too-large, title: A, controls: [GDPR 5], show: table, query: "SELECT groupArray(number) FROM numbers(100000000)", empty: x}
  - {id: bytes, title: A, controls: [GDPR 5], show: table, query: "SELECT toUInt8(unhex('FF41'))", empty: x}
  - {id: answered, title: A, controls: [GDPR 5], show: table, query: "SELECT 1 AS a", empty: x}
`

func sectionsOf(t testing.TB, texts ...string) []Section {
	t.Helper()
	files := []detectors.SheetFile{}
	for _, text := range texts {
		name, _, _ := strings.Cut(strings.TrimPrefix(text, "section: "), "\n")
		files = append(files, detectors.SheetFile{Name: "50-" + name + ".yaml", Text: []byte(text)})
	}
	sections, err := load(files, knownControls(t))
	if err != nil {
		t.Fatal(err)
	}
	return sections
}

func build(t testing.TB, store schema.Store, o Options) Summary {
	t.Helper()
	o.Controls, o.Version, o.Now = knownControls(t), "v1", clock
	if o.Period.Kind == "" {
		o.Period = march(t)
	}
	s, err := Build(context.Background(), store, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func answerOf(t testing.TB, s Summary, id string) Answer {
	t.Helper()
	for _, answer := range s.Content.answers {
		if answer.ID == id {
			return answer
		}
	}
	t.Fatalf("the summary has no statement %s", id)
	return Answer{}
}

func TestBuildAnswersEachShow(t *testing.T) {
	store := enginetest.OpenStore(t)
	storeEvents(t, store, someLogins)
	s := build(t, store, Options{Tenant: "acme", Sections: sectionsOf(t, everyShow)})
	for _, answer := range s.Content.answers {
		if answer.Problem != "" {
			t.Errorf("%s: %s", answer.ID, answer.Problem)
		}
	}
	for id, want := range map[string]string{
		"figures": "12 of 127 logins failed (9.4 %), 127 MB were read, many, longest 1 min 2 s, u0, u1, u2, u3.",
		"rows":    "4 rows, the last of u3 at 7 March 2026, 07:00 UTC.",
		"list":    "2 lines.",
	} {
		if got := answerOf(t, s, id).Sentence; got != want {
			t.Errorf("%s says %q, want %q", id, got, want)
		}
	}
	for id, want := range map[string]string{"no-figures": "There is nobody.", "no-rows": "There is no such tenant.", "rows": ""} {
		if got := answerOf(t, s, id).Empty; got != want {
			t.Errorf("%s is empty because of %q, want %q", id, got, want)
		}
	}
	row, err := canonical(answerOf(t, s, "rows").Rows[3])
	if err != nil {
		t.Fatal(err)
	}
	if want := `["u3","2026-03-07T07:00:00.000Z","2026-03-07","",null,["a: 2","b: 1"],"00000000-0000-0000-0000-000000000001",true,1.5,18446744073709551615,-123456789012345678901234567890,1e+300,"203.0.113.7","a"]` + "\n"; string(row) != want {
		t.Errorf("cells are %swant %s", row, want)
	}
	if figures := answerOf(t, s, "figures"); len(figures.Before) != 6 || figures.Before[1] != figures.Before[1] || sayCell(figures.Columns[1], figures.Before[1]) != "48" || figures.Rows[0][4] != nil {
		t.Errorf("figures of the month before: %v; of 0 / 0: %v", figures.Before, figures.Rows[0][4])
	}
	if columns := answerOf(t, s, "no-rows").Columns; len(columns) != 3 || columns[0].Kind != KindTime || columns[1].Kind != KindText || columns[2].Kind != KindNumber {
		t.Errorf("an answer without rows has the columns %v", columns)
	}
	if trend := answerOf(t, s, "trend"); len(trend.Rows) != 9 || trend.Rows[2][0] != "2026-03-03" || !isNothing(trend.Rows[2][1]) {
		t.Errorf("the trend is %v", trend.Rows)
	}
	if days := s.Content.Collected.From; len(days) != 6 || s.Content.Collected.Problem != "" {
		t.Errorf("events are stored from %v %s", days, s.Content.Collected.Problem)
	}
	if costs := s.Making.Costs; len(costs) != 6 || costs[0].RowsRead == 0 {
		t.Errorf("the costs are %v", costs)
	}
}

// A statement that cannot be answered says why, and keeps no other from being answered.
func TestBuildTellsWhatGoesWrong(t *testing.T) {
	store := enginetest.OpenStore(t)
	storeEvents(t, store, someLogins)
	s := build(t, store, Options{Sections: sectionsOf(t, wrongAnswers), QueryMemory: 100 << 20})
	for id, want := range map[string]string{
		"no-table": "missing_table", "two-figures": "the query answered 2 rows, where figures are one", "trend-of-text": "the first column of a trend, day, is no day and no hour",
		"trend-of-texts": "the column n of a trend is no number", "no-column": "the query answered no column b", "no-word": `no entry for key "b"`, "no-number": "x is no number",
		"writes": "Syntax error", "bytes": "cannot parse", "too-many": "more than 100,000 rows", "too-large": "needs more memory", "answered": "",
	} {
		answer := answerOf(t, s, id)
		if !strings.Contains(strings.ToLower(answer.Problem), strings.ToLower(want)) || (want == "") != (answer.Problem == "") {
			t.Errorf("%s: the problem is %q, want %q", id, answer.Problem, want)
		}
		if strings.Contains(answer.Problem, "(version") || strings.Contains(answer.Problem, "\n") {
			t.Errorf("%s: what no reader needs is told: %s", id, answer.Problem)
		}
	}
	text, err := s.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(text); err != nil {
		t.Errorf("its own JSON: %v", err)
	}
	var left uint64
	if err := store.QueryRow(context.Background(), "SELECT count() FROM events").Scan(&left); err != nil || left == 0 {
		t.Errorf("%d events are left: %v", left, err)
	}
	var page bytes.Buffer
	if err := WriteHTML(&page, s); err != nil {
		t.Fatal(err)
	}
	if want := "11 questions could not be answered, so this summary is not whole"; !strings.Contains(page.String(), want) {
		t.Errorf("the page does not say %q", want)
	}
	i := slices.IndexFunc(s.Content.Controls, func(c ControlAnswer) bool { return c.ID == "GDPR 5" })
	if control := s.Content.Controls[i]; len(control.Statements) != 1 || len(control.Silent) != 11 {
		t.Errorf("GDPR 5 is spoken to by %v, not by %v", control.Statements, control.Silent)
	}
}

func TestBuildStopsALongQuery(t *testing.T) {
	slow := "section: slow\ntitle: Slow\nabout: Slow.\nstatements:\n  - {id: too-long, title: A, controls: [GDPR 5], show: table, query: 'SELECT sleepEachRow(1) FROM numbers(3)', empty: x}\n"
	s := build(t, enginetest.OpenStore(t), Options{Sections: sectionsOf(t, slow), QueryTimeout: time.Second})
	if problem := answerOf(t, s, "too-long").Problem; problem != "the query took too long and was stopped" {
		t.Errorf("the problem is %q", problem)
	}
}

// The same data make the same content, and a reader may ask as an admin may.
func TestBuildIsTheSameAgain(t *testing.T) {
	store := enginetest.OpenStore(t)
	storeEvents(t, store, someLogins)
	var database string
	if err := store.QueryRow(context.Background(), "SELECT currentDatabase()").Scan(&database); err != nil {
		t.Fatal(err)
	}
	o := Options{Tenant: "acme", Sections: sectionsOf(t, everyShow)}
	first, err := build(t, store, o).ContentHash()
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Exec(context.Background(), "OPTIMIZE TABLE events FINAL"); err != nil {
		t.Fatal(err)
	}
	second, err := build(t, enginetest.OpenAs(t, engine.Reader, database), o).ContentHash()
	if err != nil {
		t.Fatal(err)
	}
	if first != second {
		t.Error("the content differs when the summary is made again")
	}
	storeEvents(t, store, strings.Replace(someLogins, "numbers(240)", "numbers(200, 1)", 1))
	storeEvents(t, store, strings.Replace(someLogins, "0000-0000-0000-0000-'", "0000-0000-0000-0001-'", 1))
	third, err := build(t, store, o).ContentHash()
	if err != nil {
		t.Fatal(err)
	}
	if first == third {
		t.Error("the content is the same although events came")
	}
}

// What a reader is shown to type gives the figure that the summary has.
func TestQueriesCanBeRepeated(t *testing.T) {
	store := enginetest.OpenStore(t)
	storeEvents(t, store, strings.ReplaceAll(someLogins, "'acme'", `'it''s \\ acme'`))
	s := build(t, store, Options{Tenant: `it's \ acme`, Sections: sectionsOf(t, everyShow)})
	figures := answerOf(t, s, "figures")
	command := command(s.Content, figures.Query)
	head, rest, _ := strings.Cut(command, "\n")
	if head != "crmwatch query --data DIR - <<'SQL'" || !strings.HasSuffix(rest, "\nSQL") {
		t.Errorf("the command is %q", command)
	}
	var failed, logins uint64
	sql := "SELECT failed, logins FROM (" + strings.TrimSuffix(rest, "\nSQL") + ") SETTINGS final = 1"
	if err := store.QueryRow(context.Background(), sql).Scan(&failed, &logins); err != nil {
		t.Fatal(err)
	}
	if failed != 12 || logins != 127 {
		t.Errorf("repeated, %d of %d logins failed, and the summary says %s", failed, logins, figures.Sentence)
	}
}

func TestBuildRefuses(t *testing.T) {
	store := enginetest.OpenStore(t)
	sections := sectionsOf(t, everyShow)
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, o := range map[string]Options{
		"no statements":     {Period: march(t)},
		"a period reversed": {Period: Period{Custom, noon, noon.Add(-time.Hour)}, Sections: sections},
		"no period":         {Sections: sections},
		"a tenant of bytes": {Tenant: "a\xff", Period: march(t), Sections: sections},
		"a week of an hour": {Period: Period{Weekly, noon, noon.Add(time.Hour)}, Sections: sections},
	} {
		if _, err := Build(context.Background(), store, o); err == nil {
			t.Errorf("%s: a summary is made", name)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Build(ctx, store, Options{Period: march(t), Sections: sections}); err == nil {
		t.Error("a summary is made although its time is over")
	}
}
