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
