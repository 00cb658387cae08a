package detectors

import (
	"math"
	"time"

	"github.com/influxdata/tdigest"
)

const (
	tailCompression = 80
	// tailWeightScale makes ageing weights whole numbers: the digest is exact in
	// them. A value's weight doubles every tailHalfLife, so that older ones fade
	// relative to it.
	tailWeightScale = 16
	tailHalfLife    = 28 * day
	// tailBonus rewards the distance past every value seen: beyond the extreme the
	// rank says nothing more.
	tailBonus = 3
	// tailFlatness is the least spread taken into account, as a share of the median.
	tailFlatness = 0.02
	// tailLimit keeps a score finite whatever the distance.
	tailLimit = 100
)

// tail is the distribution of one feature's past values, asked only for how far
// up a new value lies. It keeps its own count and extremes, because a digest
// merges its outermost values.
type tail struct {
	digest  *tdigest.TDigest
	count   int
	weight  float64
	newest  float64
	largest float64
}

func newTail() *tail {
	return &tail{digest: tdigest.NewWithCompression(tailCompression), largest: math.Inf(-1)}
}

// add puts a value into the past. Values that are not finite are left out. The
// age counts from the start of the series.
func (t *tail) add(x float64, age time.Duration) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return
	}
	weight := math.Round(tailWeightScale * math.Exp2(float64(age/day)*float64(day)/float64(tailHalfLife)))
	t.digest.Add(x, weight)
	t.count++
	t.weight += weight
	t.newest = weight
	t.largest = math.Max(t.largest, x)
}

// share is the part of the past that is at least x, never less than half of one
// value: what was never seen may still be one in that many.
func (t *tail) share(x float64) float64 {
	least := t.newest / (2 * (t.weight + t.newest))
	if x > t.largest {
		return least
	}
	// Just below x, so that values equal to x count as reaching it.
	above := 1 - t.digest.CDF(math.Nextafter(x, math.Inf(-1)))
	if math.IsNaN(above) {
		return 1
	}
	return math.Min(1, math.Max(least, above))
}

// score is how surprising x is upward: -log10 of twice the share of the past at
// or above it, plus a reward for the distance past the largest value. Typical
// values score 0 or less. A tail without a past says ok = false.
func (t *tail) score(x float64) (score float64, ok bool) {
	if t.count == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return 0, false
	}
	score = -math.Log10(2 * t.share(x))
	if x > t.largest {
		low, middle, high := t.digest.Quantile(0.01), t.digest.Quantile(0.5), t.digest.Quantile(0.99)
		spread := math.Max(high-low, tailFlatness*math.Abs(middle))
		spread = math.Max(spread, math.SmallestNonzeroFloat64)
		score += tailBonus * (x - t.largest) / spread
	}
	if math.IsNaN(score) {
		return 0, false
	}
	return math.Max(0, math.Min(score, tailLimit)), true
}
