package detectors

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

// maxNamedEntities is how many entities a query names; for more, it reads all.
const maxNamedEntities = 1000

const (
	seenQuery = `SELECT tenant, product, entity_uid, value, stretch, min(first_seen) AS first, max(last_seen) AS last
FROM rule_seen
WHERE rule = {rule:String} AND ({all:Bool} OR tenant IN {tenants:Array(String)} AND product IN {products:Array(String)} AND entity_uid IN {uids:Array(String)})
GROUP BY tenant, product, entity_uid, value, stretch`

	stepsQuery = `SELECT DISTINCT tenant, product, entity_uid, time, step, event_uid, value, entity
FROM rule_steps
WHERE rule = {rule:String} AND ({all:Bool} OR tenant IN {tenants:Array(String)} AND product IN {products:Array(String)} AND entity_uid IN {uids:Array(String)})
    AND time >= {since:DateTime64(3)}`

	activityQuery = `SELECT DISTINCT tenant, product, entity_uid, bucket
FROM rule_activity
WHERE rule = {rule:String} AND ({all:Bool} OR tenant IN {tenants:Array(String)} AND product IN {products:Array(String)} AND entity_uid IN {uids:Array(String)})
    AND bucket >= {since:DateTime64(3)}`
)

// recall reads what is stored of entities, from a moment of event time on.
func (r *Runner) recall(ctx context.Context, rule Rule, query string, keys []seriesKey, since time.Time) (ruleState, error) {
	state := ruleState{}
	if len(keys) == 0 {
		return state, nil
	}
	all := len(keys) > maxNamedEntities
	var tenants, products, uids []string
	wanted := map[seriesKey]bool{}
	for _, key := range keys {
		wanted[key] = true
		if !all {
			tenants, products, uids = append(tenants, key.tenant), append(products, key.product), append(uids, key.uid)
		}
	}
	args := []any{
		schema.Named("rule", rule.stateName()), schema.Named("all", all), schema.Named("tenants", once(tenants)),
		schema.Named("products", once(products)), schema.Named("uids", once(uids)), clickhouse.DateNamed("since", orEpoch(since), clickhouse.MilliSeconds),
	}
	records, err := r.askState(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read the state of rule %s: %w", rule.ID, err)
	}
	for _, row := range records {
		key := rowKey(row)
		if !wanted[key] {
			continue
		}
		e := state.entity(key)
		at := func(name string) time.Time {
			t, _ := row[name].(time.Time)
			return t.UTC()
		}
		switch query {
		case seenQuery:
			stretch, _ := row["stretch"].(int64)
			e.saw(sightingKey{textOf(row["value"]), stretch}, at("first"), at("last"))
		case stepsQuery:
			uid, err := uidOf(row["event_uid"])
			if err != nil {
				return nil, fmt.Errorf("read the state of rule %s: %w", rule.ID, err)
			}
			e.didStep(StepEvent{textOf(row["step"]), textOf(row["value"]), at("time"), uid, textOf(row["entity"])})
		case activityQuery:
			e.wasActive(at("bucket"))
		}
	}
	return state, nil
}

// lastBuckets is the last bucket of every entity of a silence rule.
func (r *Runner) lastBuckets(ctx context.Context, rule Rule) (map[seriesKey]time.Time, error) {
	records, err := r.askState(ctx, seenQuery, schema.Named("rule", rule.stateName()), schema.Named("all", true),
		schema.Named("tenants", []string{}), schema.Named("products", []string{}), schema.Named("uids", []string{}))
	if err != nil {
		return nil, fmt.Errorf("read the state of rule %s: %w", rule.ID, err)
	}
	last := map[seriesKey]time.Time{}
	for _, row := range records {
		if at, ok := row["last"].(time.Time); ok {
			last[rowKey(row)] = at.UTC()
		}
	}
	return last, nil
}

func (r *Runner) askState(ctx context.Context, query string, args ...any) ([]record, error) {
	ctx, cancel := context.WithTimeout(ctx, r.options.QueryTimeout)
	defer cancel()
	settings := r.readerSettings(maxSeriesRows)
	settings["final"] = 0 // the statements merge by themselves
	return readRecords(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), r.store, query, args...)
}

func once(texts []string) []string {
	slices.Sort(texts)
	return append([]string{}, slices.Compact(texts)...)
}

// saveState adds what has arrived to what is stored. Doing it again changes nothing.
func (r *Runner) saveState(ctx context.Context, rule string, fresh ruleState) error {
	now := r.options.Clock().UTC().Truncate(time.Second)
	var seen, steps, activity [][]any
	for _, key := range fresh.keys() {
		e := fresh[key]
		for k, s := range e.sightings {
			seen = append(seen, []any{rule, key.tenant, key.product, key.uid, k.value, k.stretch, s.First, s.Last, now})
		}
		for _, s := range e.steps {
			steps = append(steps, []any{rule, key.tenant, key.product, key.uid, s.Time, s.Step, s.UID.String(), s.Value, s.Entity, now})
		}
		var last time.Time
		for bucket := range e.buckets {
			activity = append(activity, []any{rule, key.tenant, key.product, key.uid, bucket, now})
			if bucket.After(last) {
				last = bucket
			}
		}
		if !last.IsZero() {
			seen = append(seen, []any{rule, key.tenant, key.product, key.uid, "", int64(0), e.earliest, last, now})
		}
	}
	for _, table := range []struct {
		insert string
		rows   [][]any
	}{
		{"INSERT INTO rule_seen (rule, tenant, product, entity_uid, value, stretch, first_seen, last_seen, saved_at)", seen},
		{"INSERT INTO rule_steps (rule, tenant, product, entity_uid, time, step, event_uid, value, entity, saved_at)", steps},
		{"INSERT INTO rule_activity (rule, tenant, product, entity_uid, bucket, saved_at)", activity},
	} {
		if err := insertRows(ctx, r.store, table.insert, table.rows); err != nil {
			return fmt.Errorf("save the state of rule %s: %w", rule, err)
		}
	}
	return nil
}

func insertRows(ctx context.Context, store schema.Store, insert string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	batch, err := store.PrepareBatch(writing(ctx), insert)
	if err != nil {
		return err
	}
	defer batch.Close()
	for _, row := range rows {
		if err := batch.Append(row...); err != nil {
			return err
		}
	}
	return batch.Send()
}
