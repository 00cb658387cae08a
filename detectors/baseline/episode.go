package baseline

import "time"

const (
	// An episode opens when two of three buckets reach openScore, or one alone reaches
	// openAtOnce; it closes after closeAfter buckets below closeScore. Of an hour or
	// more there are so many fewer in a week that less suffices.
	openScore      = 2.7
	openScoreHour  = 2.2
	openAtOnce     = 3.6
	openAtOnceHour = 2.85
	closeScore     = 1.3
	closeAfter     = 3
	openOf         = 3
	openNeeds      = 2
	// openBeyond is how many units past everything seen the bucket that opens an
	// episode must lie, atOnceBeyond the one that does so alone. Rank alone is not
	// enough: every series has its largest value of the month once a month.
	openBeyond   = 0.3
	atOnceBeyond = 1
)

// EpisodeLimit is how long the values of an open episode stay out of the baseline:
// what lasts longer is the new normal. Of buckets longer than an hour it is 24.
const EpisodeLimit = 24 * time.Hour

// Bucket is one point of a series.
type Bucket struct {
	From  time.Time
	Value float64
}

// Episode is a stretch of a series far from its baseline.
type Episode struct {
	// From is the start of the first strange bucket, To the end of the last.
	From, To time.Time
	// Down says that the values are too small, rather than too large.
	Down bool
	// Total is the sum of the strange buckets' values.
	Total float64
	// Peak is the bucket with the highest score; of equals, as where the score can rise no
	// more, the one furthest out, and of those the first.
	Peak Bucket
	// Score is the peak's, Median its slot's usual value, Share the part of the
	// history on the usual side of the peak (0 to 1), PeakBefore the history's
	// largest value, or smallest if Down.
	Score, Median, Share, PeakBefore float64
	// ByWeek says that the slot is the hour of the week, not of the day.
	ByWeek bool
	// History is how much time the baseline covers, Buckets how many buckets of it.
	History time.Duration
	Buckets int
}

// Slot names the hour with which the peak is compared: "Tuesday 10:00" or "10:00".
func (e Episode) Slot() string { return slotName(e.Peak.From, e.ByWeek) }

func (s *Series) openScores() (score, atOnce float64) {
	if s.o.Bucket >= time.Hour {
		return openScoreHour, openAtOnceHour
	}
	return openScore, openAtOnce
}

// advance judges one bucket and moves the series on.
func (s *Series) advance(at int64, x float64) judged {
	j := s.look(at, x)
	s.rate(&j)
	j.high = j.score >= closeScore && s.warm(at) && s.guarded(j)
	s.passed(j)
	if s.open != nil {
		j.within = s.continueEpisode(j)
		return j
	}
	s.waiting = append(s.waiting, j)
	if s.opens(j) {
		s.startEpisode(j)
		j.within = true
		return j
	}
	// A bucket becomes part of the baseline only when it can no longer open an
	// episode together with a later one.
	if len(s.waiting) >= openOf {
		s.learn(s.waiting[0])
		s.waiting = append(s.waiting[:0], s.waiting[1:]...)
	}
	return j
}

func (s *Series) opens(now judged) bool {
	score, atOnce := s.openScores()
	if !now.high || now.score < score {
		return false
	}
	if now.score >= atOnce && now.beyond >= atOnceBeyond {
		return true
	}
	count := 0
	for _, j := range s.waiting {
		if j.high && j.score >= score && j.down == now.down {
			count++
		}
	}
	return count >= openNeeds && now.beyond >= openBeyond
}

func (s *Series) startEpisode(now judged) {
	score, _ := s.openScores()
	s.open = &Episode{Down: now.down, Buckets: int(s.tails[level].count), PeakBefore: s.tails[level].high.value}
	s.open.History = time.Duration(now.at-s.start) * time.Millisecond
	if now.down {
		s.open.PeakBefore = s.tails[level].low.value
	}
	s.below = 0
	for _, j := range s.waiting {
		if s.open.From.IsZero() && (!j.high || j.score < score || j.down != now.down) {
			s.learn(j)
			continue
		}
		s.extend(j)
	}
	s.waiting = s.waiting[:0]
}

// extend adds a strange bucket to the open episode.
func (s *Series) extend(j judged) {
	e, at := s.open, time.UnixMilli(j.at).UTC()
	if e.From.IsZero() {
		e.From = at
	}
	e.To = at.Add(s.o.Bucket)
	e.Total += j.x
	further := j.x > e.Peak.Value
	if e.Down {
		further = j.x < e.Peak.Value
	}
	if e.Peak.From.IsZero() || j.score > e.Score || j.score == e.Score && further {
		e.Peak, e.Score = Bucket{at, j.x}, j.score
		e.Median, e.ByWeek, e.Share = j.median, j.byWeek, j.share
	}
}

// continueEpisode says whether the bucket belongs to the episode.
func (s *Series) continueEpisode(j judged) (strange bool) {
	// The short mean still remembers the peak when all is back to normal.
	strange = j.score >= closeScore && s.stands(j)
	if strange {
		s.below = 0
		s.extend(j)
	} else {
		s.below++
	}
	// Calm buckets are ordinary; strange ones are learnt only once the episode has
	// lasted so long that they are the new normal.
	limit := max(EpisodeLimit, 24*s.o.Bucket)
	if !strange || time.UnixMilli(j.at).Sub(s.open.From) >= limit {
		s.learn(j)
	}
	if s.below >= closeAfter {
		s.ended = append(s.ended, *s.open)
		s.open = nil
	}
	return strange
}
