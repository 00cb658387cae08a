package detectors

import (
	"math"
	"slices"

	"github.com/crmwatch/crmwatch/detectors/baseline"
)

// dayPeak is the largest value of a series on a day of the grid.
type dayPeak struct {
	day  int64
	peak float64
}

// mayOpen says whether an episode may begin in one of the windows (sorted), too often
// rather than too seldom, without walking the series: the question that the screens of spike
// rules ask of all series at once.
func (r Rule) mayOpen(series []Bucket, windows []int64) bool {
	return r.ownMayOpen(series, windows) || r.newcomerMayOpen(series, windows)
}

// ownMayOpen asks for a day whose largest bucket passes the guards against what surely is in
// its baseline. A bucket is not part of the baseline only if an episode holds it: on the day
// on which one may open and the next, and not in the first week.
func (r Rule) ownMayOpen(series []Bucket, windows []int64) bool {
	var told []dayPeak
	for _, b := range series {
		d := gridIndex(b.From, day)
		switch {
		case b.Value <= 0:
		case len(told) > 0 && told[len(told)-1].day == d:
			told[len(told)-1].peak = max(told[len(told)-1].peak, b.Value)
		default:
			told = append(told, dayPeak{d, b.Value})
		}
	}
	if len(told) == 0 {
		return false
	}
	known := told[0].day + int64(baseline.WarmUp/day)
	firstWeek := 0.0
	for _, b := range told {
		if b.day <= known-2 {
			firstWeek = max(firstWeek, b.peak)
		}
	}
	opening := map[int64]bool{}
	for _, o := range told {
		opening[o.day] = o.day >= known && o.peak >= r.Guards.Least && o.peak >= r.Guards.OverPeak*firstWeek
	}
	// usual is the largest of the days up to the one before the day before.
	usual, next := 0.0, 0
	for _, t := range told {
		for ; told[next].day+2 <= t.day; next++ {
			if b := told[next]; !opening[b.day] && !opening[b.day-1] {
				usual = max(usual, b.peak)
			}
		}
		if t.day >= known && t.peak >= r.Guards.Least && t.peak >= r.Guards.OverPeak*usual && r.meets(gridWindow(t.day, day), windows) {
			return true
		}
	}
	return false
}

// newcomerMayOpen asks for a bucket that a new entity would have to be held against others
// for.
func (r Rule) newcomerMayOpen(series []Bucket, windows []int64) bool {
	today, largest, before := int64(math.MinInt64), 0.0, 0.0
	for _, b := range series {
		if window := gridIndex(b.From, r.Window); window != today {
			today, before = window, largest
		}
		largest = max(largest, b.Value)
		if b.Value < r.Guards.Least || b.Value < r.Guards.OverPeak*before {
			continue
		}
		if _, asked := slices.BinarySearch(windows, today); asked {
			return true
		}
	}
	return false
}

// meets says whether one of the windows holds a part of a stretch.
func (r Rule) meets(w Window, windows []int64) bool {
	return slices.ContainsFunc(windows, func(index int64) bool {
		other := gridWindow(index, r.Window)
		return other.From.Before(w.To) && w.From.Before(other.To)
	})
}
