package detectors

import (
	"context"
	"maps"
	"slices"
	"time"
)

// stateArrivals is Arrivals for rules that keep a state: the rows that arrived are
// read once, and the entities that they touch are judged from the state alone.
func (r *Runner) stateArrivals(ctx context.Context, rule Rule, a Arrival, windows []int64) (Arrival, error) {
	fresh, err := r.collect(ctx, rule, windows, &Window{a.ArrivedFrom, a.ArrivedTo}, func(int64) {})
	if err != nil {
		return a, err
	}
	for _, index := range windows {
		a.Windows = append(a.Windows, gridWindow(index, rule.Window))
	}
	a.fresh, a.scope = fresh, map[seriesKey]time.Time{}
	var state ruleState
	newest := map[string]time.Time{}
	if rule.Kind == KindSilence {
		state, newest, err = r.recallActivity(ctx, rule, fresh, a.scope)
	} else {
		state, err = r.recallTouched(ctx, rule, fresh, a.scope)
	}
	if err != nil {
		return a, err
	}
	drafts, err := r.judge(ctx, rule, state, newest, func(key seriesKey, at time.Time) bool {
		from, judged := a.scope[key]
		if rule.Kind == KindSilence {
			at = at.Add(rule.Silence.Bucket)
		}
		return judged && !at.Before(from)
	})
	if err != nil {
		return a, err
	}
	a.Findings, err = r.finish(ctx, rule, drafts)
	return a, err
}

// recallTouched joins what arrived with what was known. What arrived at a moment
// changes the findings of that moment's window and later ones: that is the scope.
func (r *Runner) recallTouched(ctx context.Context, rule Rule, fresh ruleState, scope map[seriesKey]time.Time) (ruleState, error) {
	var earliest time.Time
	for key, e := range fresh {
		from := gridWindow(gridIndex(e.earliest, rule.Window), rule.Window).From
		scope[key] = from
		if earliest.IsZero() || from.Before(earliest) {
			earliest = from
		}
	}
	query, since := seenQuery, time.Time{}
	if rule.Kind == KindSequence {
		query, since = stepsQuery, earliest.Add(-rule.Sequence.Within)
	}
	state, err := r.recall(ctx, rule, query, fresh.keys(), since)
	if err != nil {
		return nil, err
	}
	state.join(fresh)
	return state, nil
}

// recallActivity is recallTouched for silence. Of most entities that were active it is
// enough to know that the gap before was short; the whole memory is read of those that
// were quiet, and of those that are quiet while others go on. What arrived at a moment
// changes what is said from the end of the bucket before it on.
func (r *Runner) recallActivity(ctx context.Context, rule Rule, fresh ruleState, scope map[seriesKey]time.Time) (ruleState, map[string]time.Time, error) {
	kind := rule.Silence
	last, err := r.lastBuckets(ctx, rule)
	if err != nil {
		return nil, nil, err
	}
	newest := fresh.newest()
	for key, at := range last {
		if known, touched := newest[key.tenant]; touched && at.After(known) {
			newest[key.tenant] = at
		}
	}
	var earliest time.Time
	for _, e := range fresh {
		if earliest.IsZero() || e.earliest.Before(earliest) {
			earliest = e.earliest
		}
	}
	recent, err := r.recall(ctx, rule, activityQuery, fresh.keys(), earliest.Add(-kind.least()-2*kind.Bucket))
	if err != nil {
		return nil, nil, err
	}
	recent.join(fresh)
	var whole []seriesKey
	for key, e := range fresh {
		before, found := recent[key].bucketBefore(e.earliest)
		end := newest[key.tenant]
		if found && recent[key].longestQuiet(end, kind.Bucket) < kind.least() {
			scope[key] = before.Add(kind.Bucket)
			delete(recent, key)
			continue
		}
		whole = append(whole, key)
	}
	for key, at := range last {
		end, touched := newest[key.tenant]
		if _, arrived := fresh[key]; touched && !arrived && end.Sub(at.Add(kind.Bucket)) >= kind.least() && end.Sub(at) <= silenceForgotten {
			whole = append(whole, key)
		}
	}
	state, err := r.recall(ctx, rule, activityQuery, whole, time.Time{})
	if err != nil {
		return nil, nil, err
	}
	for _, key := range whole {
		e, arrived := fresh[key]
		if !arrived {
			scope[key] = last[key].Add(kind.Bucket)
			continue
		}
		state.join(ruleState{key: e})
		scope[key] = e.earliest
		if before, found := state[key].bucketBefore(e.earliest); found {
			scope[key] = before.Add(kind.Bucket)
		}
	}
	return state, newest, nil
}

// bucketBefore is the last bucket before a moment.
func (e *entityState) bucketBefore(at time.Time) (before time.Time, found bool) {
	for bucket := range e.buckets {
		if bucket.Before(at) && (!found || bucket.After(before)) {
			before, found = bucket, true
		}
	}
	return before, found
}

// longestQuiet is the longest time between two buckets, or after the last one.
func (e *entityState) longestQuiet(end time.Time, size time.Duration) time.Duration {
	buckets := append(slices.Collect(maps.Keys(e.buckets)), end)
	slices.SortFunc(buckets, time.Time.Compare)
	longest := time.Duration(0)
	for i := 1; i < len(buckets); i++ {
		longest = max(longest, buckets[i].Sub(buckets[i-1])-size)
	}
	return longest
}
