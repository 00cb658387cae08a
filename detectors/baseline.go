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
	episodes, _ := findEpisodes(series, size, guards)
	return episodes
}

// findEpisodes also says from which bucket on the history suffices; zero is never.
func findEpisodes(series []Bucket, size time.Duration, guards Guards) (episodes []Episode, warm time.Time) {
	if size <= 0 {
		return nil, time.Time{}
	}
	judge := baseline.New(baseline.Options{Bucket: size, Direction: baseline.Up, Counts: true, Guards: guards})
	for _, bucket := range series {
		verdict := judge.Observe(bucket.From, bucket.Value)
		episodes = append(episodes, verdict.Ended...)
		if verdict.Warm && warm.IsZero() {
			warm = bucket.From
		}
	}
	if open, is := judge.Current(); is {
		episodes = append(episodes, open)
	}
	return episodes, warm
}
