package detectors

import (
	"slices"
	"time"
)

// Window is a stretch of event time, [From, To).
type Window struct{ From, To time.Time }

// gridIndex is the number of the grid window of the given size that holds at.
func gridIndex(at time.Time, size time.Duration) int64 {
	ms, step := at.UnixMilli(), size.Milliseconds()
	index := ms / step
	if ms%step < 0 {
		index--
	}
	return index
}

func gridWindow(index int64, size time.Duration) Window {
	step := size.Milliseconds()
	return Window{time.UnixMilli(index * step).UTC(), time.UnixMilli((index + 1) * step).UTC()}
}

// gridWindows lists the grid windows that meet [from, to).
func gridWindows(from, to time.Time, size time.Duration) []int64 {
	if !from.Before(to) {
		return nil
	}
	first, last := gridIndex(from, size), gridIndex(to.Add(-time.Millisecond), size)
	indexes := make([]int64, 0, last-first+1)
	for i := first; i <= last; i++ {
		indexes = append(indexes, i)
	}
	return indexes
}

// touchedWindows are the windows whose result the arrival of rows in the windows
// arrived can change: those themselves, and of the windows that hold events (both
// lists sorted) those that reach back to them or overhang into them.
func touchedWindows(arrived, holding []int64, size, reach, overhang time.Duration) []int64 {
	after := int64((reach + size - 1) / size)
	before := int64((overhang + size - 1) / size)
	touched := slices.Clone(arrived)
	for _, h := range holding {
		// The nearest arrival at or before h, and the nearest after it.
		i, found := slices.BinarySearch(arrived, h)
		switch {
		case found:
		case i > 0 && h-arrived[i-1] <= after:
			touched = append(touched, h)
		case i < len(arrived) && arrived[i]-h <= before:
			touched = append(touched, h)
		}
	}
	slices.Sort(touched)
	return slices.Compact(touched)
}
