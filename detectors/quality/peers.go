package main

import (
	"math"
	"slices"
)

// robustZ is |x - median| / MAD of the values of the last window; it is worked out
// anew at every value, from sorted history.
func robustZ(values []float64, window int) []float64 {
	scores := make([]float64, len(values))
	var sorted []float64
	var mid, mad float64
	for i, x := range values {
		if len(sorted) > 10 {
			if i%12 == 0 || mad == 0 && i < 200 {
				mid = sorted[len(sorted)/2]
				away := make([]float64, len(sorted))
				for k, y := range sorted {
					away[k] = math.Abs(y - mid)
				}
				slices.Sort(away)
				mad = 1.4826 * away[len(away)/2]
			}
			scores[i] = math.Abs(x-mid) / math.Max(mad, 1e-3*math.Abs(mid)+1e-9)
		}
		k, _ := slices.BinarySearch(sorted, x)
		sorted = slices.Insert(sorted, k, x)
		if i >= window {
			k, _ = slices.BinarySearch(sorted, values[i-window])
			sorted = slices.Delete(sorted, k, k+1)
		}
	}
	return scores
}

// seasonalNaive is the distance from the value a week (until then, a day) before, in
// units of the usual such distance.
func seasonalNaive(values []float64, week int) []float64 {
	scores := make([]float64, len(values))
	sum, count := 0.0, 0.0
	for i, x := range values {
		lag := week
		if i < week {
			lag = week / 7
		}
		if i < lag {
			continue
		}
		away := math.Abs(x - values[i-lag])
		if count > 10 {
			scores[i] = away / (sum/count + 1e-9)
		}
		sum += away
		count++
	}
	return scores
}
