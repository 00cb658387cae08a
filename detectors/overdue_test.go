package detectors

import (
	"slices"
	"testing"
	"time"
)

func TestOverdue(t *testing.T) {
	now := time.Date(2026, 3, 1, 10, 2, 0, 0, time.UTC)
	r := NewRunner(nil, []Rule{{ID: "often", Schedule: "*/5 * * * *"}, {ID: "daily", Schedule: "@daily"}}, Options{Clock: func() time.Time { return now }})
	for _, c := range []struct {
		at   time.Time
		want []string
	}{
		{now, nil},
		{now.Add(8 * time.Minute), nil}, // 10:10, one run is missing
		{now.Add(9*time.Minute + time.Second), []string{"often"}}, // two are
		{now.Add(40 * time.Hour), []string{"often", "daily"}},
	} {
		if got := r.Overdue(c.at); !slices.Equal(got, c.want) {
			t.Errorf("at %s: %v", c.at, got)
		}
	}
	r.ran.Store("often", now.Add(10*time.Minute))
	if got := r.Overdue(now.Add(12 * time.Minute)); got != nil {
		t.Errorf("after a run: %v", got)
	}
}
