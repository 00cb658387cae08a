package detectors

import "time"

const (
	// An episode opens when two of three buckets reach openScore, or one alone
	// reaches openAtOnce; it closes after closeAfter buckets below closeScore.
	openScore  = 2.5
	openAtOnce = 4
	closeScore = 1.3
	closeAfter = 3
	openOf     = 3
	openNeeds  = 2
	// episodeLimit is how long the values of an open episode stay out of the
	// baseline: what lasts longer is the new normal.
	episodeLimit = day
)

// Bucket is one point of a series.
type Bucket struct {
	From  time.Time
	Value float64
}

// Episode is a stretch of a series far above its baseline.
type Episode struct {
	// From is the start of the first elevated bucket, To the end of the last.
	From, To time.Time
	// Total is the sum of the elevated buckets' values.
	Total float64
	// Peak is the bucket with the highest score; of equals the first.
	Peak Bucket
	// Score is the peak's, Median its slot's usual value, Share the part of the
	// history below the peak (0 to 1), PeakBefore the history's largest value.
	Score, Median, Share, PeakBefore float64
	// ByWeek says that the slot is the hour of the week, not of the day.
	ByWeek bool
	// History is how much time the baseline covers, Buckets how many buckets of it.
	History time.Duration
	Buckets int
}

// walk is the state of one series while its buckets are judged in time order.
type walk struct {
	size     time.Duration
	guards   Guards
	base     *baseline
	waiting  []judged
	open     *Episode
	below    int
	episodes []Episode
}

// judged is a bucket with its verdict.
type judged struct {
	at    time.Time
	f     features
	score float64
	high  bool
}

// FindEpisodes judges a series of one entity. Buckets are size long, in time
// order; a bucket that is missing counts as 0. The bucket under test is never in
// its own baseline, and the result depends on nothing but the series.
func FindEpisodes(series []Bucket, size time.Duration, guards Guards) []Episode {
	if len(series) == 0 || size <= 0 {
		return nil
	}
	w := &walk{size: size, guards: guards, base: newBaseline(size)}
	next := series[0].From
	for _, bucket := range series {
		for ; next.Before(bucket.From); next = next.Add(size) {
			w.step(next, 0)
		}
		w.step(bucket.From, bucket.Value)
		next = bucket.From.Add(size)
	}
	if w.open != nil {
		w.episodes = append(w.episodes, *w.open)
	}
	return w.episodes
}

// step judges one bucket. Its score is computed only where it can matter: when it
// passes the guards, or an episode is open.
func (w *walk) step(at time.Time, x float64) {
	f := w.base.look(at, x)
	high := w.base.warm(at) && w.base.guarded(f, w.guards)
	now := judged{at: at, f: f, high: high}
	if high || w.open != nil {
		now.score = w.base.score(f)
	}
	w.base.passed(x)
	if w.open != nil {
		w.continueEpisode(now)
		return
	}
	w.waiting = append(w.waiting, now)
	if w.opens(now) {
		w.startEpisode()
		return
	}
	// A bucket becomes part of the baseline only when it can no longer open an
	// episode together with a later one.
	for len(w.waiting) >= openOf {
		w.base.learn(w.waiting[0].at, w.waiting[0].f)
		w.waiting = w.waiting[1:]
	}
}

func (w *walk) opens(now judged) bool {
	if !now.high {
		return false
	}
	if now.score >= openAtOnce {
		return true
	}
	count := 0
	for _, j := range w.waiting {
		if j.high && j.score >= openScore {
			count++
		}
	}
	return count >= openNeeds
}

func (w *walk) startEpisode() {
	w.open, w.below = &Episode{History: w.waiting[len(w.waiting)-1].at.Sub(w.base.start), Buckets: w.base.level.count, PeakBefore: w.base.peak}, 0
	for _, j := range w.waiting {
		if w.open.From.IsZero() && (!j.high || j.score < openScore) {
			w.base.learn(j.at, j.f)
			continue
		}
		w.extend(j)
	}
	w.waiting = nil
}

// extend adds an elevated bucket to the open episode.
func (w *walk) extend(j judged) {
	e := w.open
	if e.From.IsZero() {
		e.From = j.at
	}
	e.To = j.at.Add(w.size)
	e.Total += j.f.level
	if e.Peak.From.IsZero() || j.score > e.Score {
		e.Peak, e.Score = Bucket{j.at, j.f.level}, j.score
		e.Median, e.ByWeek = j.f.median, j.f.byWeek
		e.Share = 1 - w.base.level.share(j.f.level)
	}
}

func (w *walk) continueEpisode(j judged) {
	// The short mean still remembers the peak when traffic is back to normal.
	elevated := j.score >= closeScore && w.base.stands(j.f, w.guards)
	if elevated {
		w.below = 0
		w.extend(j)
	} else {
		w.below++
	}
	// Calm buckets are ordinary traffic; elevated ones are learnt only once the
	// episode has lasted so long that they are the new normal.
	if !elevated || j.at.Sub(w.open.From) >= episodeLimit {
		w.base.learn(j.at, j.f)
	}
	if w.below >= closeAfter {
		w.episodes = append(w.episodes, *w.open)
		w.open = nil
	}
}
