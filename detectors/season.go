package detectors

import (
	"math"
	"sort"
	"time"
)

// seasonByWeek is how much history must be known before an hour is compared with
// the same hour of the same weekday, rather than of any day.
const seasonByWeek = 21 * day

const hoursOfWeek = 7 * 24

// season remembers a series by the hour of the week.
type season struct {
	hours [hoursOfWeek][]float64
	start time.Time
}

func hourOfWeek(at time.Time) int { return int(at.Weekday())*24 + at.Hour() }

// add puts a value into its slot, which stays sorted.
func (s *season) add(at time.Time, x float64) {
	if s.start.IsZero() {
		s.start = at
	}
	slot := &s.hours[hourOfWeek(at)]
	i := sort.SearchFloat64s(*slot, x)
	*slot = append(*slot, 0)
	copy((*slot)[i+1:], (*slot)[i:])
	(*slot)[i] = x
}

// median is the usual value of the moment's slot, and whether the slot is the
// hour of the week. ok is false while the slot is empty.
func (s *season) median(at time.Time) (median float64, byWeek, ok bool) {
	slot := s.hours[hourOfWeek(at)]
	byWeek = !s.start.IsZero() && at.Sub(s.start) >= seasonByWeek && len(slot) > 0
	if !byWeek {
		slot = nil
		for weekday := range 7 {
			slot = append(slot, s.hours[weekday*24+at.Hour()]...)
		}
		sort.Float64s(slot)
	}
	if len(slot) == 0 {
		return 0, false, false
	}
	return middle(slot), byWeek, true
}

// middle is the median of sorted values; NaN of none.
func middle(sorted []float64) float64 {
	n := len(sorted)
	switch {
	case n == 0:
		return math.NaN()
	case n%2 == 1:
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}
