package baseline

import (
	"math"
	"time"
)

// The views of a bucket that are ranked apart.
const (
	level = iota
	step
	short
	drift
	views
)

const (
	// flatness is the least difference from the usual that counts, as a share of it.
	flatness = 0.01
	// countingNoise is how many deviations of a count a value must be away from the
	// median, ownNoise how many of the series' drifts otherwise.
	countingNoise = 3
	ownNoise      = 3
	// farBeyond is how many units past everything seen a value is strange also in a
	// series whose drifts are wide.
	farBeyond = 2
	// ownPart is how many times the surprise of its drift that of a bucket's step and
	// of its short mean may be, and 1 more: what follows a spike is not strange because
	// the spike was, nor is the step back.
	ownPart = 3
	// leastDrift is the surprise of the drift without which nothing is strange: a
	// series that grows is at its largest every day.
	leastDrift = 1
)

// judged is a bucket with its views and what is thought of it.
type judged struct {
	at       int64
	x        float64
	view     [views]float64
	guess    [guesses]float64 // NaN where there is none
	expected float64
	median   float64
	byWeek   bool

	score, share float64
	surprise     [views]float64
	// beyond is how far past everything seen the bucket lies, in units of the tail.
	beyond float64
	down   bool
	high   bool
	// within says that the bucket is one of an episode.
	within bool
}

// root makes the noise of counts alike whatever their size, and is nearly straight
// over a range that is small beside its level. It keeps the order of values.
func root(x float64) float64 { return math.Copysign(math.Sqrt(math.Abs(x)), x) }

// shortBuckets is how many buckets make the short mean.
func (s *Series) shortBuckets() int {
	if s.o.Bucket >= time.Hour {
		return 3
	}
	return 10
}

// look computes a bucket's views; it changes nothing.
func (s *Series) look(at int64, x float64) judged {
	j := judged{at: at, x: x}
	s.compare(&j)
	j.view[level] = x
	if len(s.recent) > 0 {
		j.view[step] = root(x) - s.before
	}
	sum, from := j.view[drift], max(0, len(s.recent)-s.shortBuckets()+1)
	for _, d := range s.recent[from:] {
		sum += d
	}
	j.view[short] = sum / float64(len(s.recent)-from+1)
	return j
}

// passed moves the short memory on: every bucket, also one that is kept out of the
// tails, is the predecessor of the next. The season takes all of them too: medians
// bear a few strange values, and what comes back every night must become usual.
func (s *Series) passed(j judged) {
	s.season.add(floorDiv(j.at, 1000), j.x)
	if len(s.recent) >= s.shortBuckets() {
		copy(s.recent, s.recent[1:])
		s.recent = s.recent[:len(s.recent)-1]
	}
	s.recent = append(s.recent, j.view[drift])
	s.before = root(j.x)
}

// rate scores a bucket, each side apart: the step back from a peak is no drop.
func (s *Series) rate(j *judged) {
	weight, _ := s.weight(j.at)
	j.score = -1
	for _, down := range [...]bool{false, true} {
		if down && s.o.Direction == Up || !down && s.o.Direction == Down {
			continue
		}
		var surprise [views]float64
		beyond := 0.0
		for v := range s.tails {
			var past float64
			surprise[v], past = s.tails[v].score(j.view[v], weight, !down)
			if v != step {
				beyond = max(beyond, past)
			}
		}
		for _, v := range [...]int{step, short} {
			surprise[v] = min(surprise[v], 1+ownPart*surprise[drift])
		}
		if score := largestTwo(surprise); score > j.score {
			j.score, j.surprise, j.beyond, j.down = score, surprise, beyond, down
		}
	}
	j.share = 1 - s.tails[level].share(j.x, weight, !j.down)
}

// largestTwo is the mean of the two largest surprises: a strange bucket within the
// usual range of the day stands out in its drift and its step, a lasting one in its
// drift and the mean of the last.
func largestTwo(of [views]float64) float64 {
	var first, second float64
	for _, x := range of {
		switch {
		case x > first:
			first, second = x, first
		case x > second:
			second = x
		}
	}
	return (first + second) / 2
}

// stands says whether a value stands out of the noise.
func (s *Series) stands(j judged) bool {
	if s.o.Counts {
		away, most := j.x-j.median, j.x
		if j.down {
			away, most = -away, j.median
		}
		return most >= s.o.Guards.Least && away >= countingNoise*math.Sqrt(max(0, j.median)+1)
	}
	return j.surprise[drift] >= leastDrift && math.Abs(j.x-j.expected) >= flatness*math.Abs(j.expected) &&
		(j.beyond >= farBeyond || math.Abs(j.view[drift]) >= ownNoise*s.tails[drift].deviation())
}

// guarded says whether a value is strange enough to open an episode.
func (s *Series) guarded(j judged) bool {
	switch g := s.o.Guards; {
	case !s.stands(j):
		return false
	case !s.o.Counts:
		return true
	case j.down:
		return j.x*g.Ratio <= j.median
	default:
		return j.x >= g.Ratio*j.median && j.x >= g.OverPeak*s.tails[level].high.value
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
