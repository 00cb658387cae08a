package formats

import (
	"testing"
	"time"
)

func TestParseLocalTime(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		in   string
		zone *time.Location
		want string // "" for a refusal
	}{
		{"2026-03-02T08:15:01.204Z", newYork, "2026-03-02T08:15:01.204Z"},
		{"2026-03-02T08:15:01.204+0000", newYork, "2026-03-02T08:15:01.204Z"},
		{"2026-03-02 08:15:01", nil, "2026-03-02T08:15:01Z"},
		{"2026-03-02 08:15:01", newYork, "2026-03-02T13:15:01Z"},
		{"2026-07-02 08:15:01", newYork, "2026-07-02T12:15:01Z"},
		{"3/14/2026 8:15:01 AM EDT", newYork, "2026-03-14T12:15:01Z"},
		{"3/14/2026, 8:15:01 PM", newYork, "2026-03-15T00:15:01Z"},
		{"14/3/2026 08:15", nil, "2026-03-14T08:15:00Z"},
		{"3/3/2026 08:15:01 UTC", newYork, "2026-03-03T08:15:01Z"},
		{"2.3.2026 08:15:01", nil, "2026-03-02T08:15:01Z"},
		{"2026/03/02 08:15:01", nil, "2026-03-02T08:15:01Z"},
		{"3/4/2026 8:15:01 AM", newYork, ""},
		{"3/14/2026 8:15:01 AM PDT", newYork, ""},
		{"3/14/2026 8:15:01 AM PDT", nil, ""},
		{"3/14/26 8:15:01 AM", nil, ""},
		{"31.2.2026 08:15:01", nil, ""},
		{"14.3.2026", nil, ""},
		{"yesterday at noon", nil, ""},
		{"", nil, ""},
	} {
		ms, wrong := parseLocalTime(c.in, c.zone)
		if c.want == "" {
			if wrong == "" {
				t.Errorf("%q: got %s, want a refusal", c.in, time.UnixMilli(ms).UTC())
			}
			continue
		}
		want, err := time.Parse(time.RFC3339, c.want)
		if err != nil {
			t.Fatal(err)
		}
		if wrong != "" || ms != want.UnixMilli() {
			t.Errorf("%q: got %s, %q, want %s", c.in, time.UnixMilli(ms).UTC(), wrong, c.want)
		}
	}
}
