package compliance

import (
	"testing"
	"time"
)

func TestPeriods(t *testing.T) {
	at := func(text string) time.Time {
		t.Helper()
		for _, layout := range []string{time.DateOnly, time.DateTime} {
			if m, err := time.Parse(layout, text); err == nil {
				return m
			}
		}
		t.Fatal(text)
		return time.Time{}
	}
	for _, c := range []struct{ kind, at, from, to, before, name, span string }{
		{"daily", "2026-03-01 23:59:59", "2026-03-01", "2026-03-02", "2026-02-28", "1 March 2026", "1 March 2026"},
		{"weekly", "2026-03-08 23:59:59", "2026-03-02", "2026-03-09", "2026-02-23", "week 10 of 2026", "2 March 2026 to 8 March 2026"},
		{"weekly", "2026-03-09", "2026-03-09", "2026-03-16", "2026-03-02", "week 11 of 2026", "9 March 2026 to 15 March 2026"},
		// ISO 8601: the week with the year's first Thursday is its first.
		{"weekly", "2027-01-01", "2026-12-28", "2027-01-04", "2026-12-21", "week 53 of 2026", "28 December 2026 to 3 January 2027"},
		{"monthly", "2024-02-29", "2024-02-01", "2024-03-01", "2024-01-01", "February 2024", "1 February 2024 to 29 February 2024"},
		{"monthly", "2026-01-31", "2026-01-01", "2026-02-01", "2025-12-01", "January 2026", "1 January 2026 to 31 January 2026"},
	} {
		p, err := PeriodAt(PeriodKind(c.kind), at(c.at))
		if err != nil {
			t.Fatal(err)
		}
		if !p.From.Equal(at(c.from)) || !p.To.Equal(at(c.to)) {
			t.Errorf("%s of %s is %s to %s", c.kind, c.at, p.From, p.To)
		}
		if b := p.Before(); !b.From.Equal(at(c.before)) || !b.To.Equal(p.From) || b.Kind != p.Kind {
			t.Errorf("before %s of %s is %v", c.kind, c.at, b)
		}
		if p.String() != c.name || p.Span() != c.span {
			t.Errorf("%s of %s is called %q, %q", c.kind, c.at, p, p.Span())
		}
		if found, err := NewPeriod(p.From, p.To); err != nil || found != p {
			t.Errorf("[%s, %s) is %v (%v)", c.from, c.to, found, err)
		}
	}
	custom, err := NewPeriod(at("2026-03-01 06:00:00"), at("2026-03-03 06:00:00"))
	if err != nil || custom.Kind != Custom || !custom.Before().From.Equal(at("2026-02-27 06:00:00")) {
		t.Errorf("two days from six are %v, before them %v (%v)", custom, custom.Before(), err)
	}
	if want := "1 March 2026, 06:00:00 to 3 March 2026, 06:00:00"; custom.String() != want {
		t.Errorf("they are called %q", custom)
	}
	// A summary is in UTC whatever the zone in which somebody asks for it.
	berlin := time.FixedZone("", 3600)
	if p, err := PeriodAt(Daily, time.Date(2026, 3, 1, 0, 30, 0, 0, berlin)); err != nil || !p.From.Equal(at("2026-02-28")) {
		t.Errorf("half an hour after midnight in Berlin lies in %v (%v)", p, err)
	}
	if _, err := PeriodAt("yearly", at("2026-03-01")); err == nil {
		t.Error("yearly is taken")
	}
	if _, err := NewPeriod(at("2026-03-01"), at("2026-03-01")); err == nil {
		t.Error("no time is taken")
	}
}

func TestGapsOfCollection(t *testing.T) {
	day := func(d, h int) time.Time { return time.Date(2026, 3, d, h, 0, 0, 0, time.UTC) }
	days := Collected{Unit: "day", From: []time.Time{day(1, 0), day(2, 0), day(5, 0), day(7, 0)}}
	hours := Collected{Unit: "hour", From: []time.Time{day(1, 0), day(1, 1), day(1, 5)}}
	for name, c := range map[string]struct {
		collected Collected
		from, to  time.Time
		want      []string
	}{
		"days":                      {days, day(1, 0), day(9, 0), []string{"3 to 4 March", "6 March", "8 March"}},
		"a last day under way":      {days, day(1, 0), day(8, 12), []string{"3 to 4 March", "6 March"}},
		"nothing missing":           {days, day(1, 0), day(3, 0), nil},
		"hours":                     {hours, day(1, 0), day(1, 8), []string{"1 March, 02:00 to 05:00", "1 March, 06:00 to 08:00"}},
		"to midnight":               {hours, day(1, 6), day(2, 0), []string{"1 March, 06:00 to 24:00"}},
		"over midnight":             {hours, day(1, 22), day(2, 2), []string{"1 March, 22:00 to 2 March, 02:00"}},
		"two months":                {Collected{Unit: "day"}, time.Date(2026, 2, 27, 0, 0, 0, 0, time.UTC), day(3, 0), []string{"27 February to 2 March"}},
		"not known":                 {Collected{Unit: "day", Problem: "x"}, day(1, 0), day(9, 0), nil},
		"made before the beginning": {days, day(8, 0), day(7, 0), nil},
	} {
		var said []string
		for _, gap := range c.collected.gaps(c.from, c.to) {
			said = append(said, c.collected.say(gap))
		}
		if len(said) != len(c.want) {
			t.Errorf("%s: %q, want %q", name, said, c.want)
			continue
		}
		for i := range said {
			if said[i] != c.want[i] {
				t.Errorf("%s: %q, want %q", name, said, c.want)
			}
		}
	}
}
