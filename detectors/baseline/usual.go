package baseline

import (
	"math"
)

// The guesses at what is usual at a moment: the median of its hour of the week, of its
// hour of the day, and of all.
const (
	byWeek = iota
	byDay
	byLevel
	guesses
)

const (
	// offDays is over how many days a guess is set right when it is off all the time,
	// missDays over how many its error is taken; at most missBuckets.
	offDays     = 3
	missDays    = 7
	missBuckets = 200
	// provenDays is how long a new guess must be good before it is believed: it
	// begins with the error of the worst.
	provenDays = 0.3
)

// record is how good a guess has been, in roots: its mean error, and its mean
// deviation to one side.
type record struct {
	miss, off float64
	count     uint64
}

// compare sets what is usual at a bucket's moment and how far the bucket drifts from
// it, in units of the usual error, so that drifts from a good guess and from a poor one
// can be ranked together. The guess with the least error is taken.
func (s *Series) compare(j *judged) {
	unix := floorDiv(j.at, 1000)
	j.guess = [guesses]float64{math.NaN(), math.NaN(), math.NaN()}
	if s.tails[level].count > 0 {
		j.guess[byLevel] = s.tails[level].median()
		j.median = j.guess[byLevel]
	}
	if ofDay, ok := s.season.day(unix); ok {
		j.guess[byDay], j.median = ofDay, ofDay
	}
	if ofWeek, weeks := s.season.week(unix); weeks > 0 {
		j.guess[byWeek] = ofWeek
		if weeks >= weeksNeeded {
			j.median, j.byWeek = ofWeek, true
		}
	}
	best := -1
	for g, x := range j.guess {
		if !math.IsNaN(x) && (s.usual[g].count > 0 || g == byLevel) && (best < 0 || s.usual[g].miss < s.usual[best].miss) {
			best = g
		}
	}
	if best < 0 {
		return
	}
	j.expected = j.guess[best]
	y, guess := root(j.x), root(j.expected)
	// A guess that never missed bounds the drift rather than making it infinite.
	error := max(s.usual[best].miss, flatness*(math.Abs(y)+math.Abs(guess)))
	if error > 0 {
		j.view[drift] = (y - guess - s.usual[best].off) / error
	}
}

// remember holds a bucket against the guesses that were made before it.
func (s *Series) remember(j judged) {
	worst := 0.0
	for _, r := range s.usual {
		worst = max(worst, r.miss)
	}
	ofDay := s.o.Bucket.Hours() / 24
	proven := 0.0
	if s.usual[byLevel].count > 0 {
		proven = provenDays / ofDay
	}
	for g, x := range j.guess {
		if math.IsNaN(x) {
			continue
		}
		r := &s.usual[g]
		if r.count == 0 {
			r.miss = worst
		}
		r.count++
		off := root(j.x) - root(x)
		r.miss += max(1/(float64(r.count)+proven), min(1.0/missBuckets, ofDay/missDays)) * (math.Abs(off-r.off) - r.miss)
		r.off += max(1/(float64(r.count)+proven), min(0.2, ofDay/offDays)) * (off - r.off)
	}
}
