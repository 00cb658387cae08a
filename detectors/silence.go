package detectors

import (
	"maps"
	"slices"
	"time"
)

const (
	// silenceMemory is how much history before a silence says what is usual.
	silenceMemory = 60 * day
	// silenceUsual is the share of that time that lies in gaps no longer than the
	// usual one. Time, not gaps, is counted: of an integration that works in office
	// hours most gaps are of an hour, and most of the time is nights and weekends.
	silenceUsual = 0.9
	// silenceForgotten is how long after its last sign of life an entity is looked at
	// by scheduled runs; its finding stays.
	silenceForgotten = 35 * day
)

// Silence is how a rule of kind silence judges that an entity has stopped.
type Silence struct {
	Bucket time.Duration
	// QuietFor and Times are how long an entity must be quiet: a fixed time, and so
	// many times its usual gap. Where both are given, both must be reached; 0 asks
	// for nothing.
	QuietFor time.Duration
	Times    float64
	// LeastHistory is how long an entity must have been active before.
	LeastHistory time.Duration
}

// Quiet is a stretch of time in which an entity did nothing.
type Quiet struct {
	// Last is the last bucket before it. The quiet begins at the bucket's end.
	Last time.Time
	From time.Time
	// Until is the bucket in which the entity came back; zero while it has not.
	Until time.Time
	// Usual is the entity's usual gap before, from the start of one bucket to the
	// next; Due is when the quiet became one that matters.
	Usual   time.Duration
	Due     time.Time
	History time.Duration
}

// FindQuiets judges the buckets in which an entity was active, in any order, up to
// newest: the newest bucket of anybody. What is said of a quiet stretch depends on
// what was before it, on its own end, and on newest only while it has no end and is
// not yet long enough.
func FindQuiets(buckets []time.Time, newest time.Time, kind Silence) []Quiet {
	buckets = slices.Clone(buckets)
	slices.SortFunc(buckets, time.Time.Compare)
	buckets = slices.CompactFunc(buckets, time.Time.Equal)
	var quiets []Quiet
	// inGaps is the time in gaps of each length, over the memory before bucket i.
	inGaps := map[time.Duration]time.Duration{}
	oldest := 0
	for i, last := range buckets {
		if i > 0 {
			gap := last.Sub(buckets[i-1])
			inGaps[gap] += gap
		}
		for buckets[oldest].Before(last.Add(-silenceMemory)) {
			gap := buckets[oldest+1].Sub(buckets[oldest])
			if inGaps[gap] -= gap; inGaps[gap] <= 0 {
				delete(inGaps, gap)
			}
			oldest++
		}
		q := Quiet{Last: last, From: last.Add(kind.Bucket), History: last.Add(kind.Bucket).Sub(buckets[0])}
		end := newest
		if i+1 < len(buckets) {
			q.Until = buckets[i+1]
			end = q.Until
		}
		if end.Sub(q.From) < kind.least() || q.History < kind.LeastHistory || len(inGaps) == 0 {
			continue
		}
		q.Usual = usualGap(inGaps)
		q.Due = q.From.Add(max(kind.QuietFor, time.Duration(kind.Times*float64(q.Usual))))
		if !end.Before(q.Due) {
			quiets = append(quiets, q)
		}
	}
	return quiets
}

// least is the shortest quiet that can matter, whatever is usual.
func (s Silence) least() time.Duration {
	return max(s.QuietFor, time.Duration(s.Times*float64(s.Bucket)))
}

func usualGap(inGaps map[time.Duration]time.Duration) time.Duration {
	lengths := slices.Sorted(maps.Keys(inGaps))
	total, sum := time.Duration(0), time.Duration(0)
	for _, t := range inGaps {
		total += t
	}
	for _, length := range lengths {
		if sum += inGaps[length]; float64(sum) >= silenceUsual*float64(total) {
			return length
		}
	}
	return lengths[len(lengths)-1]
}
