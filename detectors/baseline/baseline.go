// Package baseline judges a series of values, one bucket after the other, against
// what it knows of the same series: the four-tail digest. The state of a series has a
// bounded size, goes into a short byte string and comes back as it was, and the result
// is the same wherever that happens. The package reads no clock and no storage.
//
// Four views of a bucket are ranked apart, each among its own past: the level, the
// step from the bucket before, the drift from what is usual at that hour, and the mean
// of the last drifts. The score is the mean of the two largest surprises.
package baseline

import (
	"math"
	"time"
)

// Direction says which side of the usual is strange.
type Direction uint8

const (
	Both Direction = iota
	Up
	Down
)

// Guards are what a count must reach, besides being unusual, to open an episode. The
// zero value asks for nothing.
type Guards struct {
	// Least is the smallest value that matters; downward, the smallest median.
	Least float64
	// Ratio is how many times the seasonal median the value must be; downward, how
	// many times smaller.
	Ratio float64
	// OverPeak is how many times the largest value of the history it must be; 0
	// asks for nothing. Upward only.
	OverPeak float64
}

// Options are one setting for a kind of series. A state comes back only under the
// Bucket, Direction and Counts with which it was saved.
type Options struct {
	// Bucket is the time from one value to the next; 5 minutes if it is not positive.
	Bucket time.Duration
	// Direction is Both unless told.
	Direction Direction
	// Counts says that values count something: a bucket that is missing is 0, a
	// history begins with the first value that is not 0, and an episode needs a value
	// that stands out of counting noise and passes Guards. Otherwise a missing bucket
	// is unknown, and what a value must stand out of is the series' own noise.
	Counts bool
	// FillZeros makes a missing bucket 0 without the rest of Counts.
	FillZeros bool
	Guards    Guards
	// WarmUp is how many buckets the history must have, of counts buckets that are
	// not 0, before anything is judged; 0 stands for 50 of them and 7 days.
	WarmUp int
}

const (
	minBuckets = 50
	// WarmUp is the least time that a history covers before it is judged by.
	WarmUp = 7 * 24 * time.Hour
	// maxGap is how long a gap is filled with zeros. What is older has faded.
	maxGap = 8 * 7 * 24 * time.Hour
)

// WarmUpFor is the warm-up, in buckets, for a series of a known length: 7 days where
// they are no more than a quarter of it, so that a weekend is known before anything is
// judged, else 15 %; at least 50.
func WarmUpFor(length int, bucket time.Duration) int {
	week := int(WarmUp / max(bucket, time.Millisecond))
	if week > length/4 {
		week = length * 15 / 100
	}
	return max(minBuckets, week)
}

// Series is the baseline of one series and the episode that is open in it. It is not
// safe for concurrent use.
type Series struct {
	o Options

	seen    bool
	begun   bool
	start   int64 // ms of Unix time: the first bucket of the history
	last    int64 // ms of Unix time: the newest bucket of all
	used    uint64
	rebased int64 // days that were taken off the weights

	tails  [views]tail
	season season
	usual  [guesses]record
	before float64   // root of the bucket before
	recent []float64 // the last drifts, oldest first; none after a gap

	waiting []judged
	open    *Episode
	below   uint8
	ended   []Episode
}

// New begins a series without a history.
func New(o Options) *Series {
	if o.Bucket <= 0 {
		o.Bucket = 5 * time.Minute
	}
	return &Series{o: o}
}

// Verdict is what is said of one bucket.
type Verdict struct {
	At    time.Time
	Value float64
	// Score is how surprising the bucket is: 0 is usual, 2.5 is one value in several
	// hundred in two views, 100 is the most. It is 0 while the history warms up and
	// for what is no number.
	Score float64
	// Open says that the bucket is one of the strange ones of an episode, Warm that the
	// history suffices.
	Open, Warm bool
	// Down says that the surprise is that the value is so small.
	Down bool
	// Surprises are those of level, step, short mean of drifts, and drift.
	Surprises [views]float64
	// Median is the usual value of the bucket's hour, of the week if ByWeek, else of
	// the day. Share is the part of the history on the usual side of the value, 0 to
	// 1, PeakBefore the largest (if Down, smallest) value before.
	Median, Share, PeakBefore float64
	ByWeek                    bool
	// History is how much time the baseline covers, Buckets how many buckets of it.
	History time.Duration
	Buckets int
	// Ended are the episodes that ended with this bucket or, in a series of counts, in
	// the gap before it.
	Ended []Episode
}

// Slot names the hour with which the bucket is compared: "Tuesday 10:00" or "10:00".
func (v Verdict) Slot() string { return slotName(v.At, v.ByWeek) }

// Observe judges the next bucket and then takes it into the baseline, of which it is
// never part when it is judged. Buckets come in time order: one that is not after the
// newest changes nothing and is not judged. A value that is no number is unknown.
func (s *Series) Observe(at time.Time, value float64) Verdict {
	ms := at.UnixMilli()
	v := Verdict{At: at.UTC(), Value: value}
	s.ended = nil
	if s.seen && ms <= s.last {
		return v
	}
	s.bridge(ms)
	s.seen, s.last = true, ms
	if !finite(value) {
		v.Ended = s.ended
		return v
	}
	before := s.tails[level]
	v.Warm = s.warm(ms)
	if s.begun {
		v.History, v.Buckets = time.Duration(ms-s.start)*time.Millisecond, int(before.count)
	}
	j := s.advance(ms, value)
	if v.Warm {
		v.Score = j.score
	}
	v.Down, v.Surprises, v.Median, v.ByWeek, v.Share = j.down, j.surprise, j.median, j.byWeek, j.share
	if v.PeakBefore = before.high.value; j.down {
		v.PeakBefore = before.low.value
	}
	v.Open, v.Ended = j.within, s.ended
	return v
}

// Current is the episode that is open, if one is.
func (s *Series) Current() (Episode, bool) {
	if s.open == nil {
		return Episode{}, false
	}
	return *s.open, true
}

// bridge goes over the buckets that are missing before the moment.
func (s *Series) bridge(ms int64) {
	if !s.seen {
		return
	}
	size := s.o.Bucket.Milliseconds()
	if !s.o.Counts && !s.o.FillZeros {
		if ms-s.last > int64(s.shortBuckets())*size {
			s.recent = s.recent[:0]
		}
		return
	}
	next := s.last + size
	if gap := maxGap.Milliseconds() / size * size; ms-next > gap {
		next += (ms - next - gap) / size * size
	}
	for ; next < ms; next += size {
		s.advance(next, 0)
	}
}

// warm says whether the history is long enough to judge by.
func (s *Series) warm(at int64) bool {
	if s.o.WarmUp > 0 {
		return s.used >= uint64(s.o.WarmUp)
	}
	return s.used >= minBuckets && at-s.start >= WarmUp.Milliseconds()
}

// learn takes a bucket into the tails.
func (s *Series) learn(j judged) {
	if !s.begun {
		if j.x == 0 && s.o.Counts {
			return
		}
		s.begun, s.start = true, j.at
	}
	if j.x != 0 || !s.o.Counts {
		s.used++
	}
	weight, today := s.weight(j.at)
	for weight > rebaseWeight {
		for v := range s.tails {
			s.tails[v].rebase(rebaseWeight)
		}
		s.rebased += rebaseHalfLives * halfLife
		weight, today = s.weight(j.at)
	}
	for v := range s.tails {
		s.tails[v].add(j.view[v], weight, today)
	}
	s.remember(j)
}

// weight is that of a value of the moment, and the day of the series.
func (s *Series) weight(at int64) (weight float64, today int64) {
	if !s.begun {
		return 1, 0
	}
	today = (at - s.start) / (24 * time.Hour).Milliseconds()
	// Single precision, which is what is saved; and no gap makes it infinite.
	return float64(float32(math.Exp2(min(64, float64(today-s.rebased)/halfLife)))), today
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
