package formats

import (
	"strings"
	"testing"
	"time"
)

func TestParseDateOrder(t *testing.T) {
	for text, want := range map[string]DateOrder{"": DateOrderUnknown, "dmy": DayMonthYear, "mdy": MonthDayYear, "ymd": YearMonthDay} {
		if got, err := ParseDateOrder(text); err != nil || got != want || got.String() != text {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
	if _, err := ParseDateOrder("DMY"); err == nil {
		t.Error("DMY is taken for an order")
	}
}

func TestParseLocalTimeInAnOrder(t *testing.T) {
	zone := salesforceOptions(t).Zone
	for _, c := range []struct {
		in    string
		order DateOrder
		want  string // "" for a refusal
	}{
		{"02/03/2026 09:12:00", DateOrderUnknown, ""},
		{"02/03/2026 09:12:00", DayMonthYear, "2026-03-02T08:12:00Z"},
		{"02/03/2026 09:12:00", MonthDayYear, "2026-02-03T08:12:00Z"},
		{"02/03/2026 09:12:00", YearMonthDay, ""},
		{"2026/03/02 9:12", DayMonthYear, "2026-03-02T08:12:00Z"},
		{"2026. 3. 2. 9:12", DayMonthYear, ""},
		{"14/03/2026 09:12:00", MonthDayYear, "2026-03-14T08:12:00Z"}, // no month is 14
		{"03/14/2026 09:12:00", DayMonthYear, "2026-03-14T08:12:00Z"},
		{"02.03.2026 09:12:00", MonthDayYear, "2026-03-02T08:12:00Z"},
		{"2-3-2026 9:12 CET", DayMonthYear, "2026-03-02T08:12:00Z"},
		{"02.03.2026, 09:12:00 MEZ", DateOrderUnknown, "2026-03-02T08:12:00Z"},
		{"02.07.2026 09:12:00 MESZ", DateOrderUnknown, "2026-07-02T07:12:00Z"},
		{"02.07.2026 09:12:00 MEZ", DateOrderUnknown, ""},
		{"25.10.2026 02:30:00 MESZ", DateOrderUnknown, "2026-10-25T00:30:00Z"}, // the hour that comes twice
		{"25.10.2026 02:30:00 MEZ", DateOrderUnknown, "2026-10-25T01:30:00Z"},
		{"3/2/2026, 9:12:00\u202fAM GMT+01:00", MonthDayYear, "2026-03-02T08:12:00Z"},
		{"2/03/2026, 9:12:07 p.\u00a0m.", DayMonthYear, "2026-03-02T20:12:07Z"},
		{"2026/03/02 午後9:12:07", YearMonthDay, "2026-03-02T20:12:07Z"},
		{"2026/03/02 午前 9:12 CET", YearMonthDay, "2026-03-02T08:12:00Z"},
		{"31/04/2026 09:12", DayMonthYear, ""},
		{"2/3/26 9:12", DayMonthYear, ""},
		{"+2/3/2026 9:12", DayMonthYear, ""},
		{"2/3/2026/5 9:12", DayMonthYear, ""},
	} {
		ms, wrong := parseLocalTimeIn(c.in, zone, c.order)
		got := ""
		if wrong == "" {
			got = time.UnixMilli(ms).UTC().Format(time.RFC3339)
		}
		if got != c.want {
			t.Errorf("%q, %q: got %q, want %q (%s)", c.in, c.order, got, c.want, wrong)
		}
	}
}

// The order that is set for the source counts where the file does not tell.
func TestDateOrderOfTheSource(t *testing.T) {
	data := readSample(t, "salesforce-login-history", "undecided.csv")
	for order, want := range map[DateOrder]string{DayMonthYear: "2026-03-02T09:12:00Z", MonthDayYear: "2026-02-03T09:12:00Z"} {
		var got rtemEvents
		decodeInSteps(t, loginHistory.New(Options{DateOrder: order}), []byte(data), 100, &got)
		if len(got.events) != 2 || got.events[0].When().Format(time.RFC3339) != want {
			t.Errorf("%s: got %v", order, got.events)
		}
	}
}

// What the file tells has to be near its start, and rows before it are read by it too.
func TestDateOrderShowsInLaterRows(t *testing.T) {
	const header, ambiguous, telling = "Username,Login Time,Source IP\n", "ada@acme.example,02/03/2026 09:12:00,203.0.113.5\n", "ada@acme.example,14/02/2026 09:12:00,203.0.113.5\n"
	for rows, want := range map[int]int{10: 11, 5000: 1} {
		var got rtemEvents
		data := header + strings.Repeat(ambiguous, rows) + telling
		decodeInSteps(t, loginHistory.New(Options{}), []byte(data), 5000, &got)
		if len(got.events) != want {
			t.Errorf("%d rows before the telling one: %d events", rows, len(got.events))
		}
	}
}

func TestFromWindows1252(t *testing.T) {
	for in, want := range map[string]string{"plain": "plain", "M\xfcnchen \x80": "München €", "schon ü": "schon ü", "\x81": `\x81`, "": ""} {
		if got := fromWindows1252(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// Titles of other languages, separators and code pages that are not known are no
// header of ours.
func TestSetupPagesAreKnownByAllTheirTitles(t *testing.T) {
	for _, head := range []string{
		"Datum;Benutzer\n02.03.2026;x\n", "Benutzername,Anmeldezeit\nx,y\n", "Fecha,Usuario,Acci\xc3\n", "\x93\xfa\x95t,\x83\x86\x81[\x83U\n",
		"Date|User|Action|Section\n", "Date User Action Section\n",
	} {
		for _, format := range []Format{loginHistory, setupAuditTrail} {
			if why := format.Detect([]byte(head)); why != "" {
				t.Errorf("%s claims %q: %s", format.Name, head, why)
			}
		}
	}
}
