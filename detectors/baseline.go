package detectors

import (
	"math"
	"time"
)

const (
	// minWarmUp and minBuckets are what an entity's history must have before it is
	// judged at all: an empty baseline is a state, never a comparison.
	minWarmUp  = 7 * day
	minBuckets = 50
)

// Guards are what a value must reach besides being unusual.
type Guards struct {
	// Least is the smallest value that matters.
	Least float64
	// Ratio is how many times the seasonal median the value must be.
	Ratio float64
	// OverPeak is how many times the largest value of the history it must be; 0
	// asks for nothing.
	OverPeak float64
}

func defaultGuards(metric Metric) Guards {
	least := 20.0
	if metric == MetricBytes {
		least = 5 << 20
	}
	return Guards{Least: least, Ratio: 1.5}
}

// baseline is what is known of one series before the bucket under test.
type baseline struct {
	size  time.Duration
	start time.Time
	used  int
	level *tail
	step  *tail
	short *tail
	drift *tail

	season season
	peak   float64
	recent []float64
}

func newBaseline(size time.Duration) *baseline {
	return &baseline{size: size, level: newTail(), step: newTail(), short: newTail(), drift: newTail()}
}

// features are the four views of a bucket that are scored apart.
type features struct {
	level, step, short, drift float64
	median                    float64
	byWeek                    bool
}

// shortBuckets is how many buckets make the short mean.
func (b *baseline) shortBuckets() int {
	if b.size >= time.Hour {
		return 3
	}
	return 10
}

// look computes a bucket's features; it changes nothing.
func (b *baseline) look(at time.Time, x float64) features {
	f := features{level: x, step: x, short: x}
	if n := len(b.recent); n > 0 {
		f.step = x - b.recent[n-1]
		sum, taken := x, 1
		for i := n - 1; i >= 0 && taken < b.shortBuckets(); i-- {
			sum += b.recent[i]
			taken++
		}
		f.short = sum / float64(taken)
	}
	var known bool
	if f.median, f.byWeek, known = b.season.median(at); !known {
		f.median = 0
	}
	f.drift = x - f.median
	return f
}

// passed moves the short memory on: every bucket, also one that is kept out of
// the baseline, is the predecessor of the next.
func (b *baseline) passed(x float64) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return
	}
	b.recent = append(b.recent, x)
	if keep := b.shortBuckets(); len(b.recent) > keep {
		b.recent = b.recent[1:]
	}
}

// learn takes a bucket into the baseline.
func (b *baseline) learn(at time.Time, f features) {
	x := f.level
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return
	}
	if b.start.IsZero() {
		if x == 0 {
			return
		}
		b.start = at
	}
	if x != 0 {
		b.used++
	}
	age := at.Sub(b.start)
	b.level.add(f.level, age)
	b.step.add(f.step, age)
	b.short.add(f.short, age)
	b.drift.add(f.drift, age)
	b.season.add(at, x)
	b.peak = math.Max(b.peak, x)
}

// warm says whether the history is long enough to judge by.
func (b *baseline) warm(at time.Time) bool {
	return b.used >= minBuckets && at.Sub(b.start) >= minWarmUp
}

// stands says whether a value stands out of counting noise.
func (b *baseline) stands(f features, g Guards) bool {
	return f.level >= g.Least && f.level-f.median >= 3*math.Sqrt(math.Max(0, f.median)+1)
}

// guarded says whether a value is large enough to open an episode.
func (b *baseline) guarded(f features, g Guards) bool {
	return b.stands(f, g) && f.level >= g.Ratio*f.median && f.level >= g.OverPeak*b.peak
}

// score is the mean surprise of the four features; 0 while there is no baseline.
func (b *baseline) score(f features) float64 {
	sum := 0.0
	for _, feature := range []struct {
		tail *tail
		x    float64
	}{{b.level, f.level}, {b.step, f.step}, {b.short, f.short}, {b.drift, f.drift}} {
		s, ok := feature.tail.score(feature.x)
		if !ok {
			return 0
		}
		sum += s
	}
	return sum / 4
}
