package compliance

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// nasty is a summary with values that logs, and those who write into logs, can hold.
func nasty() Summary {
	day := func(d int) time.Time { return time.Date(2026, 3, d, 0, 0, 0, 0, time.UTC) }
	week := Period{Weekly, day(2), day(9)}
	texts := []string{
		`<script>alert(1)</script><img src=x onerror=alert(1)>`,
		`"><a href="javascript:alert(1)">x</a>`,
		`| a | b | **bold** _under_ [link](http://attacker.example) ![p](https://attacker.example/p.png) ` + "`code`",
		"# heading", "1. list", "- dash\nsecond line\tand tab",
		`=HYPERLINK("http://attacker.example","x")`, "+1+2", "-2+3", "@SUM(A1)", "\t=1+1", `'"=1+1`, "-17", "\uff1d1+1",
		"\u202egnp.exe \u05e9\u05dc\u05d5\u05dd", "مرحبا بالعالم", "bell\a and escape\x1b[31m", "😀 é e\u0301",
		"", strings.Repeat("long ", 400), strings.Repeat("x", 300), "svc_erp@acme.example", "https://acme.example/a_b", `{{.}} </style> &amp; ${1}`,
	}
	table := Answer{
		ID: "texts", Title: "Texts <b>of</b> others", Controls: []string{"GDPR 32", "ISO 27001:2022 A.8.15"}, Show: ShowTable, Limit: 30,
		Sentence: `Said by <i>somebody</i> | "quoted" & more.`, Front: FrontAttention,
		Columns: []Column{{Name: "text", Title: "Text | <u>of</u>", Kind: KindText}, {Name: "n", Title: "Count", Kind: KindNumber}, {Name: "at", Title: "At", Kind: KindTime}, {Name: "many", Title: "Many", Kind: KindList}},
		Query:   "SELECT '</code><script>' AS text WHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)} AND {tenant:String} = 'a'",
	}
	for i, text := range texts {
		table.Rows = append(table.Rows, Row{text, json.Number([]string{"0", "18446744073709551615", "-5", "0.25"}[i%4]), "2026-03-04T05:06:07.000Z", []any{"=a", "<b>"}})
	}
	table.Rows = append(table.Rows, Row{nil, nil, nil, []any{}})
	cut := table
	cut.ID, cut.Title, cut.Limit, cut.Front, cut.Sentence, cut.Rows = "some-rows", "Some rows", 2, FrontNone, "", table.Rows[18:22]
	list := Answer{
		ID: "lines", Title: "Lines", Controls: []string{"SOC 2 CC7.2"}, Show: ShowList, Limit: 20, Front: FrontUnmonitored, Sentence: "2 products are not monitored.",
		Columns: []Column{{Name: "what", Title: "What", Kind: KindText}, {Name: "took", Title: "Took", Kind: KindNumber, Unit: UnitMilliseconds}},
		Rows:    []Row{{"<i>HubSpot</i>", json.Number("123456")}, {"Zoho | CRM", nil}},
		Query:   "SELECT 1 AS what, 2 AS took",
	}
	wide := Answer{ID: "wide", Title: "Wide", Controls: []string{"GDPR 33"}, Show: ShowTable, Limit: 20, Query: "SELECT 1"}
	row := Row{}
	for i := range 14 {
		wide.Columns = append(wide.Columns, Column{Name: fmt.Sprint("c", i), Title: "What somebody has to know of it, number " + fmt.Sprint(i), Kind: []Kind{KindText, KindNumber, KindTime}[i%3]})
		row = append(row, []any{"svc-invoicing@acme.example", json.Number("123456789012"), "2026-03-04T05:06:07.000Z"}[i%3])
	}
	wide.Rows = []Row{row, row}
	eight := wide
	eight.ID, eight.Title, eight.Columns, eight.Rows = "eight", "Eight columns", slices.Clone(wide.Columns[:8]), []Row{{"Salesforce", json.Number("51"), "2026-03-04T05:06:07.000Z",
		"somebody.with.a.name@acme.example", json.Number("47901"), "2026-03-04T05:06:07.000Z", "LOGIN_ERROR_INVALID_PASSWORD", json.Number("123456789")}}
	figures := Answer{
		ID: "figures", Title: "Figures", Controls: []string{"GDPR 5"}, Show: ShowFigures, Limit: 20, Sentence: "1,234 logins.",
		Columns: []Column{{Name: "logins", Title: "Logins", Kind: KindNumber, Front: true}, {Name: "bytes", Title: "Read", Kind: KindNumber, Unit: UnitBytes, Front: true},
			{Name: "share", Title: "Share", Kind: KindNumber, Unit: UnitPercent}, {Name: "who", Title: "Most by", Kind: KindText}, {Name: "late", Title: "Late", Kind: KindNumber, Unit: UnitSeconds, Front: true}},
		Rows:   []Row{{json.Number("1234"), json.Number("48000000000"), json.Number("99.95"), `<b>"eve"</b>`, nil}},
		Before: Row{json.Number("2000"), json.Number("48000000000"), json.Number("1"), "x", json.Number("3")},
		Query:  "SELECT 1",
	}
	trend := Answer{
		ID: "trend", Title: "Trend", Controls: []string{"SOC 2 CC7.2"}, Show: ShowTrend, Limit: 20,
		Columns: []Column{{Name: "day", Title: "Day", Kind: KindDay}, {Name: "bytes", Title: "Read <x>", Kind: KindNumber, Unit: UnitBytes}, {Name: "failed", Title: "Failed", Kind: KindNumber}},
		Rows: []Row{{"2026-03-02", json.Number("1000000"), json.Number("0")}, {"2026-03-03", json.Number("2500000"), json.Number("3")}, {"2026-03-04", json.Number("0"), json.Number("0")},
			{"2026-03-06", json.Number("1800000"), nil}, {"2026-03-08", json.Number("900000"), json.Number("1")}},
		Query: "SELECT 1",
	}
	problem := Answer{ID: "broken", Title: "Broken", Controls: []string{"GDPR 33"}, Show: ShowTable, Limit: 20, Problem: "code: 60, message: Unknown table <t>", Columns: []Column{}, Rows: []Row{}, Query: "SELECT x FROM t"}
	empty := Answer{ID: "nothing", Title: "Nothing", Controls: []string{"GDPR 33"}, Show: ShowTable, Limit: 20, Empty: "No row. <b>Something</b> would put one here.",
		Columns: []Column{{Name: "a", Title: "A", Kind: KindText}}, Rows: []Row{}, Query: "SELECT 1 AS a WHERE 0"}
	s := Summary{
		Content: Content{
			Format: formatVersion, Tenant: `acme <x> | 'y'`, Period: week, Versions: Versions{"v1.0", "0017_silences", "26.7.2.1"}, Settings: strings.Repeat("ab", 32),
			Collected:       Collected{Unit: "day", From: []time.Time{day(2), day(3), day(6), day(8)}},
			CollectedBefore: Collected{Unit: "day", From: []time.Time{day(1).AddDate(0, 0, -1)}},
			Sections: []SectionAnswer{
				{ID: "first", Title: "First <section>", About: "About | it & <more>.", Answers: []Answer{figures, table, cut}},
				{ID: "second", Title: "Second", About: "More.", Answers: []Answer{trend, list, problem, empty, wide, eight}},
			},
		},
		Making: Making{At: time.Date(2026, 3, 9, 6, 0, 0, 0, time.UTC), Milliseconds: 1234, Costs: []Cost{{"figures", 1000000, 12}, {"texts", 3, 1}}},
	}
	s.Content.Controls = controlAnswers(s.Content, nil)
	return s
}
