package detectors

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

// Rules that wake together have mostly looked at the same arrivals before. One query asks
// for all of them what has arrived since, and each takes its part when its turn comes.

// roundLasts bounds how old such an answer may be; what arrives meanwhile is looked at by
// the next run.
const roundLasts = time.Minute

// round is what arrived, for each rule that has not asked yet.
type round struct {
	at, from, until time.Time
	found           map[string]arrivedWindows
}

type rounds struct {
	mu   sync.Mutex
	open []*round
}

// take gives a rule its part of a round, once.
func (o *rounds) take(rule Rule, now time.Time) (*round, arrivedWindows, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open = slices.DeleteFunc(o.open, func(r *round) bool { return len(r.found) == 0 || now.Before(r.at) || now.Sub(r.at) > roundLasts })
	for _, r := range o.open {
		if found, waits := r.found[rule.stateName()]; waits {
			delete(r.found, rule.stateName())
			return r, found, true
		}
	}
	return nil, arrivedWindows{}, false
}

func (o *rounds) add(r *round) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open = append(o.open, r)
}

// arrived says since when the rule has not looked, and what came since then and settled.
func (r *Runner) arrived(ctx context.Context, rule Rule, now time.Time) (from time.Time, found arrivedWindows, err error) {
	if open, found, waits := r.rounds.take(rule, now); waits {
		return open.from, found, nil
	}
	marks, err := r.watermarks(ctx)
	if err != nil {
		return time.Time{}, arrivedWindows{}, err
	}
	from = orEpoch(marks[rule.stateName()]).UTC()
	settled := now.Add(-r.options.Settle)
	if !settled.After(from) {
		return from, arrivedWindows{}, nil
	}
	newest, err := r.newestEvent(ctx)
	if err != nil {
		return from, arrivedWindows{}, err
	}
	together := []Rule{rule}
	for _, other := range r.rules {
		if other.stateName() != rule.stateName() && other.Window == rule.Window && orEpoch(marks[other.stateName()]).Equal(from) {
			together = append(together, other)
		}
	}
	digested := orEpoch(marks[digestMark]).UTC()
	if from.Sub(digested) > digestBehind {
		// After a change of what is digested, all there is: not by the conditions of all rules.
		if err := r.digest(ctx); err != nil {
			return from, arrivedWindows{}, err
		}
		digested = from
	}
	all, arrived, err := r.windowsArrived(ctx, together, from, digested, settled, now)
	if err != nil && len(together) > 1 {
		// One rule's condition must not keep the others from looking.
		together = together[:1]
		all, arrived, err = r.windowsArrived(ctx, together, from, digested, settled, now)
	}
	if err != nil {
		return from, arrivedWindows{}, err
	}
	if err := r.digestArrived(ctx, arrived.hours, digested, arrived.latest); err != nil {
		return from, arrivedWindows{}, err
	}
	shared := &round{at: now, from: from, until: settled, found: map[string]arrivedWindows{}}
	for i, other := range together {
		all[i].newest = newest
		if i > 0 {
			shared.found[other.stateName()] = all[i]
		}
	}
	r.rounds.add(shared)
	return from, all[0], nil
}

// watermarks are those of all rules, by the name of their state.
func (r *Runner) watermarks(ctx context.Context) (map[string]time.Time, error) {
	records, err := readRecords(clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"session_timezone": "UTC"})), r.store,
		"SELECT rule, max(watermark) AS watermark FROM watermarks GROUP BY rule")
	if err != nil {
		return nil, fmt.Errorf("read watermarks of the rules: %w", err)
	}
	marks := make(map[string]time.Time, len(records))
	for _, row := range records {
		at, _ := row["watermark"].(time.Time)
		marks[textOf(row["rule"])] = at.UTC()
	}
	return marks, nil
}

// newestEvent is the latest event time; no window after it holds any.
func (r *Runner) newestEvent(ctx context.Context) (newest time.Time, err error) {
	settings := clickhouse.Settings{"session_timezone": "UTC", "final": 0}
	if err := r.store.QueryRow(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), "SELECT max(time) FROM events").Scan(&newest); err != nil {
		return time.Time{}, fmt.Errorf("find the newest event: %w", err)
	}
	return newest.UTC(), nil
}

// The lateness of all arrivals that matter to a rule is that of their windows, put
// together. Under number 0 are all events, also those that matter to no rule: the last
// arrival, and by hour those that are not digested yet. The rules and the digest look at
// the same events, and may have come differently far.
const arrivedQuery = `SELECT arrayJoin(arrayPushFront(arrayFilter((i, k) -> k = 1 AND events > 0, arrayEnumerate(kept), kept), toUInt32(0))) AS number,
    arraySort(groupUniqArray(w)) AS windows, max(last) AS latest, toFloat32(quantileTDigestMerge(0.5)(lateness)) AS median, max(longest) AS longest,
    sumMapIf(map(hour, undigested), number = 0 AND undigested > 0) AS fresh, sumMapIf(map(hour, undigested_calls), number = 0 AND undigested > 0) AS calls,
    sumMapIf(map(hour, undigested_logins), number = 0 AND undigested > 0) AS logins
FROM (
    WITH greatest(0, toUnixTimestamp64Milli(ingested_at) - toUnixTimestamp64Milli(time)) AS late,
        ingested_at > {arrived_from:DateTime64(3)} AS new_to_rules, ingested_at > {digested:DateTime64(3)} AS new_to_digest
    SELECT toInt64(floor(toUnixTimestamp64Milli(time) / {size:Int64})) AS w, toStartOfHour(time) AS hour, [%s] AS kept, max(ingested_at) AS last,
        countIf(new_to_rules) AS events, quantileTDigestStateIf(0.5)(late, new_to_rules) AS lateness, maxIf(late, new_to_rules) AS longest,
        countIf(new_to_digest) AS undigested, countIf(new_to_digest AND class_uid IN (6003, 4002)) AS undigested_calls, countIf(new_to_digest AND class_uid = 3002) AS undigested_logins
    FROM events
    WHERE ingested_at > least({arrived_from:DateTime64(3)}, {digested:DateTime64(3)}) AND ingested_at <= {arrived_to:DateTime64(3)}
    GROUP BY w, hour, kept
)
GROUP BY number`

// undigested are the hours into which events arrived after the digest's mark, in order, and
// when the last did.
type undigested struct {
	hours  []arrivedHour
	latest time.Time
}

// windowsArrived lists, for rules with windows of one size, the grid windows touched by
// rows that arrived in (from, to] and that the rule reads; and the hours touched by any that
// arrived in (digested, to].
func (r *Runner) windowsArrived(ctx context.Context, rules []Rule, from, digested, to, now time.Time) ([]arrivedWindows, undigested, error) {
	conditions := make([]string, len(rules))
	args := []any{schema.Named("size", rules[0].Window.Milliseconds()),
		clickhouse.DateNamed("arrived_from", from, clickhouse.MilliSeconds), clickhouse.DateNamed("arrived_to", to, clickhouse.MilliSeconds),
		clickhouse.DateNamed("digested", digested, clickhouse.MilliSeconds)}
	for i, rule := range rules {
		condition, own := readsOf(rule, fmt.Sprintf("r%d_", i))
		if kept, bounds := r.horizonOf(rule, now).condition(fmt.Sprintf("k%d_", i)); kept != "" {
			condition, own = "("+condition+"\n) AND "+kept, append(own, bounds...)
		}
		conditions[i] = "if((" + condition + "\n), 1, 0)"
		args = append(args, own...)
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.QueryTimeout)
	defer cancel()
	settings := r.readerSettings(maxSeriesRows)
	settings["final"] = 0
	records, err := readRecords(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), r.store, fmt.Sprintf(arrivedQuery, strings.Join(conditions, ",\n")), args...)
	if err != nil {
		return nil, undigested{}, fmt.Errorf("find what has arrived for rule %s and %d others: %w", rules[0].ID, len(rules)-1, err)
	}
	found := make([]arrivedWindows, len(rules))
	var rest undigested
	for _, row := range records {
		number, _ := row["number"].(uint32)
		latest, _ := row["latest"].(time.Time)
		if number == 0 {
			for i := range found {
				if latest.After(from) {
					found[i].latest = latest.UTC()
				}
			}
			rest.latest = latest.UTC()
			fresh, _ := row["fresh"].(map[time.Time]uint64)
			calls, _ := row["calls"].(map[time.Time]uint64)
			logins, _ := row["logins"].(map[time.Time]uint64)
			for hour, events := range fresh {
				rest.hours = append(rest.hours, arrivedHour{hour.UTC(), events, calls[hour], logins[hour]})
			}
			slices.SortFunc(rest.hours, func(a, b arrivedHour) int { return a.at.Compare(b.at) })
			continue
		}
		at := &found[number-1]
		at.windows, _ = row["windows"].([]int64)
		median, _ := row["median"].(float32)
		longest, _ := row["longest"].(int64)
		at.median, at.longest = time.Duration(min(int64(median), longest))*time.Millisecond, time.Duration(longest)*time.Millisecond
	}
	return found, rest, nil
}

var parameterName = regexp.MustCompile(`\{\s*(\w+)\s*:`)

// readsOf is the rule's condition and its parameters, under names of their own.
func readsOf(rule Rule, prefix string) (condition string, args []any) {
	if rule.Reads == "" {
		return "1", nil
	}
	used := map[string]bool{}
	condition = parameterName.ReplaceAllStringFunc(rule.Reads, func(open string) string {
		name := parameterName.FindStringSubmatch(open)[1]
		if _, declared := rule.Param(name); !declared {
			return open
		}
		used[name] = true
		return "{" + prefix + name + ":"
	})
	for _, p := range rule.Params {
		if used[p.Name] {
			args = append(args, schema.Named(prefix+p.Name, p.Value))
		}
	}
	return condition, args
}
