package detectors

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// No series is left out in which an episode begins, of its own or of a new entity, though
// most series are left out on most days.
func TestOnlySeriesThatMayOpenAreWalked(t *testing.T) {
	const days = 28
	rule := Rule{Window: day, Bucket: time.Hour, Guards: Guards{Least: 50, Ratio: 4, OverPeak: 2}}
	begin := testBase.Add(-days * day)
	own, fresh, walked, all := 0, 0, 0, 0
	for round := range uint64(5 * max(1, *screenRounds)) {
		random := rand.New(rand.NewPCG(*screenSeed+round, 4))
		around := neighbourhood{rule, map[seriesKey][]Bucket{}, map[peersKey]*peersOf{}}
		for i := range 16 {
			series := randomSeries(random, begin, days, i)
			if i%8 == 7 {
				// Someone new who does more than all others.
				for n := range series {
					series[n].Value *= 50
				}
			}
			around.series[seriesKey{"acme", "Salesforce", fmt.Sprint("005", i)}] = series
		}
		for _, key := range sortedSeries(around.series) {
			series := around.series[key]
			episodes, warm := findEpisodes(series, rule.Bucket, rule.Guards)
			for d := days / 2; d < days; d++ {
				window := gridIndex(begin.Add(time.Duration(d)*day), day)
				may := rule.mayOpen(series, []int64{window})
				all++
				if may {
					walked++
				}
				for _, e := range episodes {
					if gridIndex(e.From, day) == window {
						if own++; !may {
							t.Errorf("seed %d: the episode of %s from %s is left out", *screenSeed+round, key.uid, e.From)
						}
					}
				}
				for _, e := range around.episodes(key, warm, window) {
					if gridIndex(e.From, day) == window {
						if fresh++; !may {
							t.Errorf("seed %d: the episode of the new %s from %s is left out", *screenSeed+round, key.uid, e.From)
						}
					}
				}
			}
		}
	}
	t.Logf("%d and %d episodes, %d of %d series walked", own, fresh, walked, all)
	if own == 0 || fresh == 0 || walked > all/2 {
		t.Errorf("%d and %d episodes, %d of %d series walked", own, fresh, walked, all)
	}
}
