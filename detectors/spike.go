package detectors

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// seriesKey is an entity of a rule that follows each over time.
type seriesKey struct{ tenant, product, uid string }

// block is the stretch of the coarse grid in which a window lies.
func (r Rule) block(window int64) int64 {
	return gridIndex(gridWindow(window, r.Window).From, r.Lookback)
}

// seriesFrom is where the series of a block begin.
func (r Rule) seriesFrom(block int64) time.Time {
	return gridWindow(block, r.Lookback).From.Add(-r.Lookback)
}

// spikes judges the series of a spike rule and returns the episodes that open in
// one of the windows. Series start at a coarse grid, so that one walk serves many
// windows and yields what a walk for each would.
func (r *Runner) spikes(ctx context.Context, rule Rule, windows []int64, step func()) ([]draft, error) {
	blocks := map[int64][]int64{}
	var order []int64
	for _, w := range windows {
		block := rule.block(w)
		if blocks[block] == nil {
			order = append(order, block)
		}
		blocks[block] = append(blocks[block], w)
	}
	var drafts []draft
	for _, block := range order {
		found, err := r.spikesOfBlock(ctx, rule, block, blocks[block])
		if err != nil {
			return nil, fmt.Errorf("evaluate rule %s over %s: %w", rule.ID, gridWindow(block, rule.Lookback).From.Format(time.RFC3339), err)
		}
		drafts = append(drafts, found...)
		for range blocks[block] {
			step()
		}
	}
	return drafts, nil
}

func (r *Runner) spikesOfBlock(ctx context.Context, rule Rule, block int64, windows []int64) ([]draft, error) {
	windows, err := r.screen(ctx, rule, windows)
	if err != nil || len(windows) == 0 {
		return nil, err
	}
	from := rule.seriesFrom(block)
	to := gridWindow(windows[len(windows)-1], rule.Window).To.Add(episodeLimit)
	params := map[string]any{"bucket": uint32(rule.Bucket / time.Second), "with_evidence": uint8(0), "entity_uid": ""}
	records, err := r.read(ctx, rule, from, to, params)
	if err != nil {
		return nil, err
	}
	series, names, err := seriesOf(records)
	if err != nil {
		return nil, err
	}
	events, err := eventsOf(records)
	if err != nil {
		return nil, err
	}
	var drafts []draft
	around := neighbourhood{rule, series, map[peersKey]*peersOf{}}
	for _, key := range sortedSeries(series) {
		// Walking a series costs more than reading it. Without a screen all are walked: by
		// that the screens are proven.
		if rule.Screen != "" && !rule.mayOpen(series[key], windows) {
			continue
		}
		episodes, warm := findEpisodes(series[key], rule.Bucket, rule.Guards)
		var found []draft
		var of []Episode
		for _, e := range around.episodes(key, warm, windows[0]) {
			found, of = append(found, newcomerDraft(rule, key, names[key], e)), append(of, e.Episode)
		}
		for _, e := range episodes {
			found, of = append(found, spikeDraft(rule, key, names[key], e)), append(of, e)
		}
		for i, episode := range of {
			if _, asked := slices.BinarySearch(windows, gridIndex(episode.From, rule.Window)); !asked {
				continue
			}
			d := found[i]
			maps.Copy(d.finding.Attributes, showSeries(rule, series[key], episode))
			maps.Copy(d.finding.Attributes, showPeak(rule, highest(rule, series[key], episode)))
			d.setCount(countDuring(rule.Metric, episode, events[key]))
			if d.finding.Evidence, err = r.spikeEvidence(ctx, rule, key, episode); err != nil {
				return nil, err
			}
			drafts = append(drafts, d)
		}
	}
	return drafts, nil
}

// seriesOf sorts the rows of a spike rule into series.
func seriesOf(records []record) (map[seriesKey][]Bucket, map[seriesKey]string, error) {
	series, names := map[seriesKey][]Bucket{}, map[seriesKey]string{}
	for _, row := range records {
		key := seriesKey{textOf(row["tenant"]), textOf(row["product"]), textOf(row["entity_uid"])}
		at, ok := row["bucket"].(time.Time)
		if !ok {
			return nil, nil, fmt.Errorf("column bucket is %T, want a DateTime", row["bucket"])
		}
		value, err := strconv.ParseFloat(textOf(row["value"]), 64)
		if err != nil {
			return nil, nil, fmt.Errorf("column value is not a number: %w", err)
		}
		series[key] = append(series[key], Bucket{From: at.UTC(), Value: value})
		names[key] = max(names[key], textOf(row["entity"]))
	}
	for _, s := range series {
		slices.SortFunc(s, func(a, b Bucket) int { return a.From.Compare(b.From) })
	}
	return series, names, nil
}

// eventsOf reads how many events each bucket of a series stands for, where the query
// counts them.
func eventsOf(records []record) (map[seriesKey]map[time.Time]uint64, error) {
	events := map[seriesKey]map[time.Time]uint64{}
	for _, row := range records {
		count, counted := row["count"]
		if !counted {
			return nil, nil
		}
		n, err := strconv.ParseUint(textOf(count), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("column count is not a whole number: %w", err)
		}
		key := seriesKey{textOf(row["tenant"]), textOf(row["product"]), textOf(row["entity_uid"])}
		if events[key] == nil {
			events[key] = map[time.Time]uint64{}
		}
		at, _ := row["bucket"].(time.Time)
		events[key][at.UTC()] += n
	}
	return events, nil
}

// countDuring is how many events an episode stands for. Where the query does not count
// them, calls and errors are events themselves; of records and bytes it is 0, not known.
func countDuring(metric Metric, e Episode, events map[time.Time]uint64) uint64 {
	if events == nil {
		if metric == MetricCalls || metric == MetricErrors {
			return uint64(math.Max(0, e.Total))
		}
		return 0
	}
	var n uint64
	for at, count := range events {
		if !at.Before(e.From) && at.Before(e.To) {
			n += count
		}
	}
	return n
}

func sortedSeries(series map[seriesKey][]Bucket) []seriesKey {
	keys := make([]seriesKey, 0, len(series))
	for key := range series {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, compareSeries)
	return keys
}

func compareSeries(a, b seriesKey) int {
	return cmp.Or(cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.product, b.product), cmp.Compare(a.uid, b.uid))
}

// spikeEvidence asks for the events of the episode's peak.
func (r *Runner) spikeEvidence(ctx context.Context, rule Rule, key seriesKey, e Episode) ([]schema.UID, error) {
	params := map[string]any{"bucket": uint32(rule.Bucket / time.Second), "with_evidence": uint8(1), "entity_uid": key.uid}
	records, err := r.read(ctx, rule, e.Peak.From, e.Peak.From.Add(rule.Bucket), params)
	if err != nil {
		return nil, err
	}
	for _, row := range records {
		if key == (seriesKey{textOf(row["tenant"]), textOf(row["product"]), textOf(row["entity_uid"])}) {
			return uidsOf(row["evidence"])
		}
	}
	return nil, nil
}

// spikeDraft explains an episode: what, since when, how unusual against what.
func spikeDraft(rule Rule, key seriesKey, entity string, e Episode) draft {
	f := schema.Finding{
		Rule: rule.ID, Title: rule.Title, Severity: rule.Severity, EntityType: rule.EntityType,
		TenantUID: key.tenant, Product: key.product, EntityUID: key.uid, Entity: entity,
		WindowFrom: e.From, WindowTo: e.To, FirstSeen: e.From, LastSeen: e.To.Add(-time.Millisecond),
		Attack: slices.Clone(rule.Attack),
	}
	f.UID = findingUID(f, e.From)
	values := map[string]string{
		"metric": string(rule.Metric), "value": sayNumber(rule.Metric, e.Peak.Value), "median": sayNumber(rule.Metric, e.Median),
		"peak_before": sayNumber(rule.Metric, e.PeakBefore), "share": sayShare(e.Share), "slot": e.Slot(),
		"history": sayDuration(e.History), "peak_at": sayTime(e.Peak.From), "score": strconv.FormatFloat(e.Score, 'f', 1, 64),
		"length": sayDuration(e.To.Sub(e.From)), "total": sayNumber(rule.Metric, e.Total),
	}
	f.Attributes = maps.Clone(values)
	for _, name := range []string{"value", "median", "peak_before", "total"} {
		values[name] = withSeparators(values[name])
	}
	for name, value := range map[string]string{
		"tenant": key.tenant, "product": key.product, "entity_uid": key.uid,
		"first_seen": sayTime(f.FirstSeen), "last_seen": sayTime(f.LastSeen),
	} {
		values[name] = value
	}
	return draft{finding: f, values: values}
}

// sayShare writes a share of the history, never rounded up to all of it.
func sayShare(share float64) string {
	return strconv.FormatFloat(math.Floor(share*1e4)/100, 'f', -1, 64) + " %"
}

func sayNumber(metric Metric, x float64) string {
	if metric != MetricBytes {
		return strconv.FormatFloat(math.Round(x), 'f', 0, 64)
	}
	for _, unit := range []string{"B", "KB", "MB", "GB"} {
		if x < 1000 {
			return strconv.FormatFloat(x, 'f', min(1, len(unit)-1), 64) + " " + unit
		}
		x /= 1000
	}
	return strconv.FormatFloat(x, 'f', 1, 64) + " TB"
}
