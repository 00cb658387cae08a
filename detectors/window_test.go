package detectors

import (
	"slices"
	"testing"
	"time"
)

func TestGridWindows(t *testing.T) {
	at := func(text string) time.Time {
		when, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	cases := []struct {
		from, to string
		size     time.Duration
		want     []string
	}{
		{"2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", day, []string{"2026-03-02T00:00:00Z"}},
		{"2026-03-02T23:59:59.999Z", "2026-03-03T00:00:00.001Z", day, []string{"2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"}},
		{"2026-03-02T01:00:00+02:00", "2026-03-02T01:30:00+02:00", time.Hour, []string{"2026-03-01T23:00:00Z"}},
		{"1969-12-31T23:00:00Z", "1970-01-01T00:00:00Z", day, []string{"1969-12-31T00:00:00Z"}},
		{"2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z", day, nil},
		// The clocks of Europe change on this day; the grid is in UTC.
		{"2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z", 12 * time.Hour, []string{"2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z"}},
	}
	for _, c := range cases {
		var got []string
		for _, index := range gridWindows(at(c.from), at(c.to), c.size) {
			window := gridWindow(index, c.size)
			if window.To.Sub(window.From) != c.size {
				t.Errorf("window %s is not %s long", window.From, c.size)
			}
			got = append(got, window.From.Format(time.RFC3339))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("[%s, %s): %v, want %v", c.from, c.to, got, c.want)
		}
	}
}

func TestTouchedWindows(t *testing.T) {
	holding := []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 30}
	cases := []struct {
		name            string
		arrived         []int64
		reach, overhang time.Duration
		want            []int64
	}{
		{"its own window", []int64{5}, 0, 0, []int64{5}},
		{"windows that look back to it", []int64{5}, 3 * day, 0, []int64{5, 6, 7, 8}},
		{"a part of a window counts as one", []int64{5}, time.Hour, 0, []int64{5, 6}},
		{"an episode may have begun in the window before", []int64{5}, 0, day, []int64{4, 5}},
		{"windows without events are not looked at", []int64{9}, 14 * day, 0, []int64{9}},
		{"two arrivals far apart", []int64{2, 30}, 2 * day, 0, []int64{2, 3, 4, 30}},
		{"its own window even when the list is older", []int64{12}, day, 0, []int64{12}},
	}
	for _, c := range cases {
		if got := touchedWindows(c.arrived, holding, day, c.reach, c.overhang); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"14d": 14 * day, "6d12h": 6*day + 12*time.Hour, "10m": 10 * time.Minute, "-1d2h": -26 * time.Hour, "+0s": 0, "0": 0, "-0d": 0,
	} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("%q is %s (%v), want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "1w", "--1d", "1d-2h", "soon", "1dd"} {
		if got, err := parseDuration(text); err == nil {
			t.Errorf("%q is read as %s", text, got)
		}
	}
}
