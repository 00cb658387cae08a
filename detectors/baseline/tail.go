package baseline

import (
	"math"
	"slices"
	"sync"

	"github.com/influxdata/tdigest"
)

const (
	// compression is the digest's: at most about so many centroids, the outermost of
	// them single values.
	compression = 80
	// pendingValues is how many values wait before they are merged.
	pendingValues = 32
	// halfLife, in days: a value's weight doubles every halfLife, so that older ones
	// fade beside it. Weights that have grown rebaseHalfLives times are divided, which
	// is exact.
	halfLife        = 28
	rebaseHalfLives = 8
	rebaseWeight    = 1 << rebaseHalfLives
	// extremeLife is how many days an extreme is remembered by itself: as long as it
	// weighs a sixteenth of a new value.
	extremeLife = 4 * halfLife

	// topShare is the outer part of the past that gives a tail its scale.
	topShare = 0.05
	// leastScale is the smallest scale, as a share of how wide the past is, leastFlat
	// as a share of its median.
	leastScale = 0.05
	leastFlat  = 0.006
	// mostSurprise keeps a score finite whatever the distance.
	mostSurprise = 100
)

// tail is the distribution of one view's past values, asked only for how far out a new
// one lies. The library's digest does the merging; what is kept from one merge to the
// next is its list of centroids, so that a tail which was saved and restored goes on
// exactly as one that was not. The extremes are kept apart, because a digest merges
// its outermost values.
type tail struct {
	centroids tdigest.CentroidList // by mean, merged
	pending   tdigest.CentroidList // in order of arrival, not merged yet
	weight    float64              // of all
	count     uint64
	high, low extreme
}

// extreme is an outermost value and the day of the series on which it was last seen.
type extreme struct {
	value float64
	day   int64
}

// digests lends the library's digests, each for one merge.
var digests = sync.Pool{New: func() any { return tdigest.NewWithCompression(compression) }}

// add takes a finite value into the past.
func (t *tail) add(x, weight float64, today int64) {
	if t.count == 0 || x >= t.high.value {
		t.high = extreme{x, today}
	}
	if t.count == 0 || x <= t.low.value {
		t.low = extreme{x, today}
	}
	t.count++
	t.weight += weight
	t.pending = append(t.pending, tdigest.Centroid{Mean: x, Weight: weight})
	if len(t.pending) >= pendingValues {
		t.merge(today)
	}
}

func (t *tail) merge(today int64) {
	d := digests.Get().(*tdigest.TDigest)
	defer digests.Put(d)
	d.Reset()
	d.AddCentroidList(t.centroids)
	d.AddCentroidList(t.pending)
	t.centroids, t.pending = d.Centroids(t.centroids[:0]), t.pending[:0]
	t.weight = 0
	for i, c := range t.centroids {
		// Single precision, which is what is saved.
		c.Weight = float64(float32(c.Weight))
		t.centroids[i].Weight = c.Weight
		t.weight += c.Weight
	}
	if today-t.high.day > extremeLife {
		t.high = extreme{t.centroids[len(t.centroids)-1].Mean, today}
	}
	if today-t.low.day > extremeLife {
		t.low = extreme{t.centroids[0].Mean, today}
	}
}

// rebase divides every weight.
func (t *tail) rebase(by float64) {
	for _, list := range [...]tdigest.CentroidList{t.centroids, t.pending} {
		for i := range list {
			list[i].Weight /= by
		}
	}
	t.weight /= by
}

// reaching is the weight of the past that is at least x, or downward at most x.
func (t *tail) reaching(x float64, up bool) float64 {
	sum := 0.0
	for _, c := range t.pending {
		if up && c.Mean >= x || !up && c.Mean <= x {
			sum += c.Weight
		}
	}
	if up {
		for i := len(t.centroids) - 1; i >= 0 && t.centroids[i].Mean >= x; i-- {
			sum += t.centroids[i].Weight
		}
		return sum
	}
	for i := 0; i < len(t.centroids) && t.centroids[i].Mean <= x; i++ {
		sum += t.centroids[i].Weight
	}
	return sum
}

// past is how far x lies past the extreme of its side; 0 or less when it does not.
func (t *tail) past(x float64, up bool) float64 {
	if up {
		return x - t.high.value
	}
	return t.low.value - x
}

// share is the part of the past that reaches x, never less than half of a new value:
// what was never seen may still be one in that many.
func (t *tail) share(x, newest float64, up bool) float64 {
	least := newest / (2 * (t.weight + newest))
	if t.count == 0 || t.past(x, up) > 0 {
		return least
	}
	return min(1, max(least, t.reaching(x, up)/t.weight))
}

// score is how surprising x is on one side: -log10 of twice the share of the past that
// reaches it and, past everything seen, what the tail would still make of it if it went
// on falling at its own pace. It says how many such units x is past all. Values on
// the other side of the median score 0.
func (t *tail) score(x, newest float64, up bool) (score, units float64) {
	if t.count == 0 {
		return 0, 0
	}
	score = -math.Log10(2 * t.share(x, newest, up))
	if past := t.past(x, up); past > 0 {
		units = min(past/t.scale(up), mostSurprise)
		score += units
	}
	return max(0, min(score, mostSurprise)), units
}

// scale is the distance at which a tail falls to a tenth: the mean excess over the
// value that topShare of the past exceeds. It is not less than a small part of how wide
// the past is, so that noise of bounded size makes no news. Never 0.
func (t *tail) scale(up bool) float64 {
	all := t.sorted()
	cut, median, other := t.at(all, 1-topShare), t.at(all, 0.5), t.at(all, 0.01)
	end, extreme := t.at(all, 0.99), t.high.value
	if !up {
		cut, other, end, extreme = t.at(all, topShare), end, other, t.low.value
	}
	sum, excess := 0.0, 0.0
	for _, c := range all {
		if up && c.Mean > cut || !up && c.Mean < cut {
			sum += c.Weight
			excess += c.Weight * math.Abs(c.Mean-cut)
		}
	}
	if sum > 0 {
		excess /= sum
	}
	least := max(leastScale*math.Abs(end-other), leastScale*math.Abs(extreme-median), leastFlat*math.Abs(median))
	return max(excess, least, math.SmallestNonzeroFloat64) * math.Ln10
}

// sorted is all of the past by value.
func (t *tail) sorted() tdigest.CentroidList {
	all := make(tdigest.CentroidList, 0, len(t.centroids)+len(t.pending))
	all = append(append(all, t.centroids...), t.pending...)
	slices.SortStableFunc(all, func(a, b tdigest.Centroid) int {
		switch {
		case a.Mean < b.Mean:
			return -1
		case a.Mean > b.Mean:
			return 1
		}
		return 0
	})
	return all
}

// at is the value below which a share of the past lies.
func (t *tail) at(all tdigest.CentroidList, share float64) float64 {
	sum := 0.0
	for _, c := range all {
		if sum += c.Weight; sum >= share*t.weight {
			return c.Mean
		}
	}
	return all[len(all)-1].Mean
}

// median is that of a past that is not empty; once values are merged, of those.
func (t *tail) median() float64 {
	if len(t.centroids) == 0 {
		return t.at(t.sorted(), 0.5)
	}
	rest := t.weight
	for _, c := range t.pending {
		rest -= c.Weight
	}
	sum := 0.0
	for _, c := range t.centroids {
		if sum += c.Weight; sum >= rest/2 {
			return c.Mean
		}
	}
	return t.centroids[len(t.centroids)-1].Mean
}

// deviation is half of the width of the middle two thirds, the standard deviation
// where the past is normal.
func (t *tail) deviation() float64 {
	if t.count == 0 {
		return 0
	}
	all := t.sorted()
	return (t.at(all, 0.8413) - t.at(all, 0.1587)) / 2
}
