package detectors

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// remembered runs a rule that judges by state over grid windows: the state is made in
// memory of all events up to them, and nothing that is stored has a part in it.
func (r *Runner) remembered(ctx context.Context, rule Rule, windows []int64, step func()) ([]draft, error) {
	holding, err := r.windowsHolding(ctx, rule, nil)
	if err != nil {
		return nil, err
	}
	asked := map[int64]bool{}
	for _, w := range windows {
		asked[w] = true
	}
	state, err := r.collect(ctx, rule, slices.Compact(slices.Sorted(slices.Values(append(holding, windows...)))), nil, func(window int64) {
		if asked[window] {
			step()
		}
	})
	if err != nil {
		return nil, err
	}
	return r.judge(ctx, rule, state, state.newest(), func(_ seriesKey, at time.Time) bool {
		return asked[gridIndex(at, rule.Window)]
	})
}

// newest is the newest bucket of each tenant: up to it silence is judged. What stops
// altogether brings nothing that could wake a rule; that the sources' own state says.
func (s ruleState) newest() map[string]time.Time {
	newest := map[string]time.Time{}
	for key, e := range s {
		for bucket := range e.buckets {
			if bucket.After(newest[key.tenant]) {
				newest[key.tenant] = bucket
			}
		}
	}
	return newest
}

// judge words what the state says of the moments that are asked for: the start of a
// finding's window or, of a silence, its last bucket.
func (r *Runner) judge(ctx context.Context, rule Rule, state ruleState, newest map[string]time.Time, asked func(seriesKey, time.Time) bool) (drafts []draft, err error) {
	novelties := map[int64]map[seriesKey]Novelty{}
	for _, key := range state.keys() {
		e := state[key]
		switch rule.Kind {
		case KindFirstSeen:
			for _, n := range FindNovelties(slices.Collect(maps.Values(e.sightings)), rule.FirstSeen, rule.Window) {
				if asked(key, n.Window.From) {
					index := gridIndex(n.Window.From, rule.Window)
					if novelties[index] == nil {
						novelties[index] = map[seriesKey]Novelty{}
					}
					novelties[index][key] = n
				}
			}
		case KindSequence:
			for _, chain := range FindChains(e.steps, rule.Sequence, rule.Window) {
				if asked(key, chain.Window.From) {
					drafts = append(drafts, chainDraft(rule, key, chain))
				}
			}
		case KindSilence:
			for _, quiet := range FindQuiets(slices.Collect(maps.Keys(e.buckets)), newest[key.tenant], rule.Silence) {
				if asked(key, quiet.Last) {
					d := quietDraft(rule, key, quiet)
					if d.finding.Evidence, err = r.lastEvents(ctx, rule, key, quiet); err != nil {
						return nil, fmt.Errorf("evaluate rule %s over %s: %w", rule.ID, quiet.Last.Format(time.RFC3339), err)
					}
					drafts = append(drafts, d)
				}
			}
		}
	}
	for _, index := range slices.Sorted(maps.Keys(novelties)) {
		found, err := r.noveltyDrafts(ctx, rule, gridWindow(index, rule.Window), novelties[index])
		if err != nil {
			return nil, fmt.Errorf("evaluate rule %s over %s: %w", rule.ID, gridWindow(index, rule.Window).From.Format(time.RFC3339), err)
		}
		drafts = append(drafts, found...)
	}
	return drafts, nil
}

func (s ruleState) keys() []seriesKey {
	return slices.SortedFunc(maps.Keys(s), compareSeries)
}
