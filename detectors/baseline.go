package detectors

import (
	"time"

	"github.com/crmwatch/crmwatch/detectors/baseline"
)

// Guards, Bucket and Episode are those of the baseline engine.
type (
	Guards  = baseline.Guards
	Bucket  = baseline.Bucket
	Episode = baseline.Episode
)

// episodeLimit is how long the values of an open episode stay out of the baseline.
const episodeLimit = baseline.EpisodeLimit

func defaultGuards(metric Metric) Guards {
	least := 20.0
	if metric == MetricBytes {
		least = 5 << 20
	}
	return Guards{Least: least, Ratio: 1.5}
}

// FindEpisodes judges a series of one entity. Buckets are size long, in time order; a
// bucket that is missing counts as 0. The bucket under test is never in its own
// baseline, and the result depends on nothing but the series.
func FindEpisodes(series []Bucket, size time.Duration, guards Guards) []Episode {
	if size <= 0 {
		return nil
	}
	judge := baseline.New(baseline.Options{Bucket: size, Direction: baseline.Up, Counts: true, Guards: guards})
	var episodes []Episode
	for _, bucket := range series {
		episodes = append(episodes, judge.Observe(bucket.From, bucket.Value).Ended...)
	}
	if open, is := judge.Current(); is {
		episodes = append(episodes, open)
	}
	return episodes
}
