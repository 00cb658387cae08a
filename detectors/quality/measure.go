package main

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/crmwatch/crmwatch/detectors/baseline"
)

// begin is a Monday.
var begin = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// tolerance is how long after an incident an episode still counts as its own.
const tolerance = time.Hour

// rankings are the scores that are compared: that of the engine, its four views, other
// ways to make one of the four, and the peers.
var rankings = []string{
	"score", "level alone", "step alone", "short mean alone", "drift alone",
	"mean of four", "root mean square", "largest", "robust z", "seasonal naive",
}

// tally counts what was planted and found, and what was raised and right.
type tally struct {
	planted, found, raised, right int
	weeks                         float64
}

func (t *tally) add(o tally) {
	t.planted += o.planted
	t.found += o.found
	t.raised += o.raised
	t.right += o.right
	t.weeks += o.weeks
}

func (t *tally) recall() float64       { return float64(t.found) / float64(max(1, t.planted)) }
func (t *tally) precision() float64    { return float64(t.right) / float64(max(1, t.raised)) }
func (t *tally) falsePerWeek() float64 { return float64(t.raised-t.right) / t.weeks }

// judge runs the baseline and its peers over a sample, with the settings that crmwatch
// baseline has, and counts what was found into kinds.
func judge(s sample, kinds map[string]tally) summary {
	size, n := s.shape.bucket, len(s.values)
	truth, judged, open := make([]bool, n), make([]bool, n), make([]bool, n)
	for _, l := range s.labels {
		for i := l.from; i < l.to; i++ {
			truth[i] = true
		}
	}
	series := baseline.New(baseline.Options{Bucket: size, WarmUp: baseline.WarmUpFor(n, size)})
	scores := map[string][]float64{}
	var episodes []baseline.Episode
	var out summary
	for i, x := range s.values {
		v := series.Observe(begin.Add(time.Duration(i)*size), x)
		judged[i], open[i] = v.Warm, v.Open
		episodes = append(episodes, v.Ended...)
		for k, score := range append([]float64{v.Score}, ways(v.Surprises)...) {
			scores[rankings[k]] = append(scores[rankings[k]], score)
		}
		if v.Warm {
			out.tally.weeks += size.Hours() / (7 * 24)
		}
	}
	if e, is := series.Current(); is {
		episodes = append(episodes, e)
	}
	week := int(7 * 24 * time.Hour / size)
	scores["robust z"], scores["seasonal naive"] = robustZ(s.values, week), seasonalNaive(s.values, week)

	count(&out.tally, kinds, s, episodes)
	if s.shape.quiet {
		return out
	}
	out.auc, out.ranked = map[string][]float64{}, map[string][]float64{}
	for _, name := range rankings {
		area, precision := ranking(scores[name], truth, judged)
		out.auc[name], out.ranked[name] = []float64{area}, []float64{precision}
	}
	out.f1 = []float64{f1(open, truth, judged)}
	return out
}

// ways are the four surprises, and the ways to make one of them.
func ways(of [4]float64) []float64 {
	sum, squares := 0.0, 0.0
	for _, x := range of {
		sum += x
		squares += x * x
	}
	return append(of[:], sum/4, math.Sqrt(squares/4), slices.Max(of[:]))
}

// count holds the episodes against the labels.
func count(t *tally, kinds map[string]tally, s sample, episodes []baseline.Episode) {
	at := func(i int) time.Time { return begin.Add(time.Duration(i) * s.shape.bucket) }
	right := make([]bool, len(episodes))
	for _, l := range s.labels {
		kind := kinds[l.kind]
		kind.planted++
		found := false
		for k, e := range episodes {
			if e.From.Before(at(l.to).Add(max(tolerance, 2*s.shape.bucket))) && e.To.After(at(l.from)) {
				found, right[k] = true, true
			}
		}
		if found {
			kind.found++
			t.found++
		}
		t.planted++
		kinds[l.kind] = kind
	}
	t.raised += len(episodes)
	for _, r := range right {
		if r {
			t.right++
		}
	}
}

// ranking is how well a score puts the buckets of incidents above the others: the area
// under the ROC curve, and the average precision. Equal scores count half.
func ranking(score []float64, truth, judged []bool) (area, precision float64) {
	var order []int
	strange := 0.0
	for i := range score {
		if judged[i] {
			order = append(order, i)
			if truth[i] {
				strange++
			}
		}
	}
	calm := float64(len(order)) - strange
	if strange == 0 || calm == 0 {
		return math.NaN(), math.NaN()
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(score[b], score[a]) })
	hits, falses := 0.0, 0.0
	for i := 0; i < len(order); {
		tie, hitsBefore, falsesBefore := score[order[i]], hits, falses
		for ; i < len(order) && score[order[i]] == tie; i++ {
			if truth[order[i]] {
				hits++
			} else {
				falses++
			}
		}
		area += (falses - falsesBefore) * (hits + hitsBefore) / 2 / strange / calm
		precision += (hits - hitsBefore) / strange * hits / float64(i)
	}
	return area, precision
}

// f1 holds open against the truth, bucket by bucket.
func f1(open, truth, judged []bool) float64 {
	var hit, wrong, missed float64
	for i := range open {
		switch {
		case !judged[i]:
		case open[i] && truth[i]:
			hit++
		case open[i]:
			wrong++
		case truth[i]:
			missed++
		}
	}
	if hit == 0 {
		return 0
	}
	return 2 * hit / (2*hit + wrong + missed)
}
