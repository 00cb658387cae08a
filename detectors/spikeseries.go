package detectors

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// seriesBuckets is how many buckets of a series a finding shows, up to its end.
const seriesBuckets = 24

// showSeries hangs the end of a series on the finding of a spike, so that a person sees
// what was usual beside what was not. Buckets without events are 0.
func showSeries(rule Rule, series []Bucket, e Episode) map[string]string {
	end := e.To
	if last := e.Peak.From.Add(seriesBuckets / 2 * rule.Bucket); last.Before(end) {
		// A long episode is shown around its peak.
		end = last
	}
	from := end.Add(-seriesBuckets * rule.Bucket)
	values := make([]string, seriesBuckets)
	for i := range values {
		values[i] = "0"
	}
	first, _ := slices.BinarySearchFunc(series, from, func(b Bucket, t time.Time) int { return b.From.Compare(t) })
	for _, b := range series[first:] {
		i := int(b.From.Sub(from) / rule.Bucket)
		if i >= seriesBuckets {
			break
		}
		values[i] = strconv.FormatFloat(b.Value, 'f', -1, 64)
	}
	return map[string]string{"series": strings.Join(values, ","), "series_step": string(rule.Metric) + " per " + sayBucket(rule.Bucket)}
}

// highest is the largest bucket of an episode that is past the rule's guard against all that
// was before. The peak is the bucket that is least usual: at night that may be a smaller one.
func highest(rule Rule, series []Bucket, e Episode) Bucket {
	most := e.Peak
	first, _ := slices.BinarySearchFunc(series, e.From, func(b Bucket, t time.Time) int { return b.From.Compare(t) })
	for _, b := range series[first:] {
		if !b.From.Before(e.To) {
			break
		}
		if b.Value > most.Value && b.Value >= rule.Guards.OverPeak*e.PeakBefore {
			most = b
		}
	}
	return most
}

// showPeak says how large an episode has become, for those who tell people of it again when
// it has become much larger.
func showPeak(rule Rule, b Bucket) map[string]string {
	return map[string]string{
		"peak": strconv.FormatFloat(b.Value, 'f', -1, 64), "peak_unit": string(rule.Metric), "peak_in": "the " + sayBucket(rule.Bucket) + " of " + sayTime(b.From),
	}
}

// sayBucket names the length of a bucket as a unit.
func sayBucket(d time.Duration) string {
	switch d {
	case time.Hour:
		return "hour"
	case time.Minute:
		return "minute"
	case 24 * time.Hour:
		return "day"
	}
	return sayDuration(d)
}
