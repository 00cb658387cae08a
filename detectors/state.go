package detectors

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"golang.org/x/sync/errgroup"
)

// remembers says whether rules of the kind judge an entity by its state: what it did
// before, however long ago, kept in tables of its own.
func (k Kind) remembers() bool {
	return k == KindFirstSeen || k == KindSequence || k == KindSilence
}

// ruleState is what a rule knows of each entity.
type ruleState map[seriesKey]*entityState

// entityState is what one entity did, as far as its rule's kind asks: one of
// sightings, steps and buckets.
type entityState struct {
	sightings map[sightingKey]Sighting
	steps     []StepEvent
	buckets   map[time.Time]bool
	// earliest is the first moment in it.
	earliest time.Time
}

// sightingKey is a value, and the grid window in which it was seen where the rule
// forgets: then the gaps count.
type sightingKey struct {
	value   string
	stretch int64
}

func (s ruleState) entity(key seriesKey) *entityState {
	e := s[key]
	if e == nil {
		e = &entityState{sightings: map[sightingKey]Sighting{}, buckets: map[time.Time]bool{}}
		s[key] = e
	}
	return e
}

func (e *entityState) reach(at time.Time) {
	if e.earliest.IsZero() || at.Before(e.earliest) {
		e.earliest = at
	}
}

// saw adds a sighting. In whatever order and however often sightings are added, the
// state is the same.
func (e *entityState) saw(key sightingKey, first, last time.Time) {
	s, known := e.sightings[key]
	if !known || first.Before(s.First) {
		s.First = first
	}
	if !known || last.After(s.Last) {
		s.Last = last
	}
	s.Value = key.value
	e.sightings[key] = s
	e.reach(first)
}

func (e *entityState) didStep(step StepEvent) {
	e.steps = append(e.steps, step)
	e.reach(step.Time)
}

func (e *entityState) wasActive(bucket time.Time) {
	e.buckets[bucket] = true
	e.reach(bucket)
}

// join adds what another state knows.
func (s ruleState) join(other ruleState) {
	for key, from := range other {
		e := s.entity(key)
		for k, sighting := range from.sightings {
			e.saw(k, sighting.First, sighting.Last)
		}
		for _, step := range from.steps {
			e.didStep(step)
		}
		for bucket := range from.buckets {
			e.wasActive(bucket)
		}
	}
}

// take adds a row of the rule's query.
func (s ruleState) take(rule Rule, row record) error {
	e := s.entity(rowKey(row))
	at := func(column string) (time.Time, error) {
		t, ok := row[column].(time.Time)
		if !ok {
			return t, fmt.Errorf("column %s is %T, want a time", column, row[column])
		}
		return t.UTC(), nil
	}
	switch rule.Kind {
	case KindFirstSeen:
		first, err := at("first_seen")
		if err != nil {
			return err
		}
		last, err := at("last_seen")
		if err != nil {
			return err
		}
		key := sightingKey{value: textOf(row["value"])}
		if rule.FirstSeen.Forget > 0 {
			key.stretch = gridIndex(first, rule.Window)
		}
		e.saw(key, first, last)
	case KindSequence:
		moment, err := at("time")
		if err != nil {
			return err
		}
		uid, err := uidOf(row["event_uid"])
		if err != nil {
			return fmt.Errorf("column event_uid: %w", err)
		}
		e.didStep(StepEvent{textOf(row["step"]), textOf(row["value"]), moment, uid, textOf(row["entity"])})
	case KindSilence:
		bucket, err := at("bucket")
		if err != nil {
			return err
		}
		count, err := strconv.ParseUint(textOf(row["count"]), 10, 64)
		if err != nil {
			return fmt.Errorf("column count is not a whole number: %w", err)
		}
		if count > 0 {
			e.wasActive(bucket)
		}
	}
	return nil
}

func rowKey(row record) seriesKey {
	return seriesKey{textOf(row["tenant"]), textOf(row["product"]), textOf(row["entity_uid"])}
}

// collect reads grid windows into a state: all rows of theirs, or those that arrived
// in (from, to].
func (r *Runner) collect(ctx context.Context, rule Rule, windows []int64, arrived *Window, step func(window int64)) (ruleState, error) {
	state := ruleState{}
	var one sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelWindows)
	for _, index := range windows {
		group.Go(func() error {
			window := gridWindow(index, rule.Window)
			records, err := r.read(ctx, rule, window.From, window.To, stateParams(rule), arrivedOnly(arrived))
			one.Lock()
			defer one.Unlock()
			for i := 0; i < len(records) && err == nil; i++ {
				err = state.take(rule, records[i])
			}
			if err != nil {
				return fmt.Errorf("evaluate rule %s over %s: %w", rule.ID, window.From.Format(time.RFC3339), err)
			}
			step(index)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return state, nil
}

func stateParams(rule Rule) map[string]any {
	if rule.Kind == KindSilence {
		return map[string]any{"bucket": uint32(rule.Silence.Bucket / time.Second)}
	}
	return nil
}

// arrivedOnly lets a query see only the events that arrived in (From, To]; nil is all.
// The state takes an event that comes again without harm, so the events need not be
// merged first. The filter is a setting: the rule's statement stays as it is, and what
// is written into it are two numbers.
func arrivedOnly(arrived *Window) func(clickhouse.Settings) {
	return func(settings clickhouse.Settings) {
		if arrived == nil {
			return
		}
		filter := "ingested_at > fromUnixTimestamp64Milli(" + strconv.FormatInt(orEpoch(arrived.From).UnixMilli(), 10) +
			") AND ingested_at <= fromUnixTimestamp64Milli(" + strconv.FormatInt(arrived.To.UnixMilli(), 10) + ")"
		settings["final"] = 0
		settings["additional_table_filters"] = "{'events':'" + filter + "'}"
	}
}

// stateName is the rule's name in the tables of state and, for these kinds, of
// watermarks: a rule whose query, parameters or grid are changed is another one, which
// looks at everything again.
func (r Rule) stateName() string {
	if !r.Kind.remembers() {
		return r.ID
	}
	parts := []string{string(r.Kind), r.Query, r.Window.String(), strconv.FormatBool(r.FirstSeen.Forget > 0), r.Silence.Bucket.String()}
	for _, step := range r.Sequence.Steps {
		parts = append(parts, step.Name)
	}
	for _, p := range r.Params {
		parts = append(parts, fmt.Sprintf("%s=%v", p.Name, p.Value))
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x1f")))
	return r.ID + "#" + hex.EncodeToString(sum[:6])
}
