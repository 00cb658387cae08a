package detectors

import (
	"strings"
	"testing"
	"time"
)

// The series ends with the episode, has a 0 for each hour without events, and a long
// episode is shown around its peak.
func TestShowSeries(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 3, 2, hour, 0, 0, 0, time.UTC) }
	rule := Rule{Bucket: time.Hour, Metric: MetricCalls}
	series := []Bucket{{From: at(-100), Value: 9}, {From: at(0), Value: 3}, {From: at(2), Value: 1.5}, {From: at(3), Value: 80}, {From: at(4), Value: 7}}
	got := showSeries(rule, series, Episode{From: at(3), To: at(4), Peak: Bucket{From: at(3)}})
	if want := strings.Repeat("0,", 20) + "3,0,1.5,80"; got["series"] != want || got["series_step"] != "calls per hour" {
		t.Errorf("got %v, want %s", got, want)
	}
	long := showSeries(rule, series, Episode{From: at(3), To: at(90), Peak: Bucket{From: at(3)}})
	if want := strings.Repeat("0,", 9) + "3,0,1.5,80,7" + strings.Repeat(",0", 10); long["series"] != want {
		t.Errorf("a long episode: %v, want %s", long, want)
	}
}

// How large an episode is: its largest bucket past the guard against what was before it, and
// at least the bucket that is least usual.
func TestHighest(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 3, 2, hour, 0, 0, 0, time.UTC) }
	rule := Rule{Bucket: time.Hour, Metric: MetricCalls, Guards: Guards{OverPeak: 2}}
	series := []Bucket{{From: at(0), Value: 90_000}, {From: at(3), Value: 700}, {From: at(12), Value: 900}, {From: at(13), Value: 4000}, {From: at(14), Value: 50_000}}
	for _, c := range []struct {
		to   int
		want Bucket
	}{
		{4, series[1]},
		// At noon so many are more, and not far from usual.
		{13, series[1]},
		{14, series[3]},
	} {
		e := Episode{From: at(3), To: at(c.to), Peak: series[1], PeakBefore: 500}
		if got := highest(rule, series, e); got != c.want {
			t.Errorf("until %d: %+v, want %+v", c.to, got, c.want)
		}
	}
	got := showPeak(rule, Bucket{From: at(14), Value: 9200})
	if got["peak"] != "9200" || got["peak_unit"] != "calls" || got["peak_in"] != "the hour of 2026-03-02 14:00:00 UTC" {
		t.Errorf("shown as %v", got)
	}
}
