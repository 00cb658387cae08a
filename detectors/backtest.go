package detectors

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

// Difference is how two sets of findings differ, by their identities.
type Difference struct {
	// New are only in the later set, Gone only in the earlier.
	New, Gone []schema.Finding
	// Changed are in both, with another severity or count; they are the later ones.
	Changed []schema.Finding
}

// Compare says how the findings of two settings of a rule differ.
func Compare(before, after []schema.Finding) Difference {
	var d Difference
	known := make(map[schema.UID]schema.Finding, len(before))
	for _, f := range before {
		known[f.UID] = f
	}
	for _, f := range after {
		old, was := known[f.UID]
		switch {
		case !was:
			d.New = append(d.New, f)
		case old.Severity != f.Severity || old.Count != f.Count:
			d.Changed = append(d.Changed, f)
		}
		delete(known, f.UID)
	}
	for _, f := range before {
		if _, left := known[f.UID]; left {
			d.Gone = append(d.Gone, f)
		}
	}
	return d
}

// OnGrid widens a stretch of event time to the rule's grid: what Replay looks at.
func (r Rule) OnGrid(within Window) Window {
	return Window{
		gridWindow(gridIndex(within.From, r.Window), r.Window).From,
		gridWindow(gridIndex(within.To.Add(-time.Millisecond), r.Window), r.Window).To,
	}
}

// delayChunk is how many findings one query for arrivals is about: their evidence
// goes into the statement's parameters.
const delayChunk = 8

const arrivalOfEvidence = `SELECT event_uid, min(ingested_at) AS arrived
FROM events
WHERE time >= {from:DateTime64(3)} AND time <= {to:DateTime64(3)} AND event_uid IN {uids:Array(UUID)}
GROUP BY event_uid`

// Delay is how long a finding took.
type Delay struct {
	// Lateness is from the first event to its arrival.
	Lateness time.Duration
	// Detection is from the first event until the rule could have spoken: all rows of
	// the finding's evidence had arrived and settled, and the rule's schedule was due.
	Detection time.Duration
}

// Delays says how long findings of a rule took to be found, from the arrivals of
// their evidence. Findings whose evidence is not in the store any more are left out.
func (r *Runner) Delays(ctx context.Context, rule Rule, findings []schema.Finding) ([]Delay, error) {
	var delays []Delay
	for chunk := range slices.Chunk(findings, delayChunk) {
		arrivals, err := r.arrivalsOf(ctx, chunk)
		if err != nil {
			return nil, fmt.Errorf("read arrivals for rule %s: %w", rule.ID, err)
		}
		for _, f := range chunk {
			var first, last time.Time
			for _, uid := range f.Evidence {
				at, known := arrivals[uid]
				if known && (first.IsZero() || at.Before(first)) {
					first = at
				}
				if at.After(last) {
					last = at
				}
			}
			if last.IsZero() {
				continue
			}
			wakes, err := NextWakes(rule, last.Add(r.options.Settle), 1)
			if err != nil || len(wakes) == 0 {
				return nil, err
			}
			delays = append(delays, Delay{max(0, first.Sub(f.FirstSeen)), max(0, wakes[0].Sub(f.FirstSeen))})
		}
	}
	return delays, nil
}

func (r *Runner) arrivalsOf(ctx context.Context, findings []schema.Finding) (map[schema.UID]time.Time, error) {
	var uids []string
	from, to := findings[0].FirstSeen, findings[0].LastSeen
	for _, f := range findings {
		for _, uid := range f.Evidence {
			uids = append(uids, uid.String())
		}
		if f.FirstSeen.Before(from) {
			from = f.FirstSeen
		}
		if f.LastSeen.After(to) {
			to = f.LastSeen
		}
	}
	arrivals := make(map[schema.UID]time.Time, len(uids))
	if len(uids) == 0 {
		return arrivals, nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.QueryTimeout)
	defer cancel()
	settings := r.readerSettings(len(uids))
	// Of a row that came twice, the first arrival counts.
	settings["final"] = 0
	records, err := readRecords(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), r.store, arrivalOfEvidence, schema.Named("uids", uids),
		clickhouse.DateNamed("from", from, clickhouse.MilliSeconds), clickhouse.DateNamed("to", to, clickhouse.MilliSeconds))
	if err != nil {
		return nil, err
	}
	for _, row := range records {
		uid, err := uidOf(row["event_uid"])
		if err != nil {
			return nil, err
		}
		at, _ := row["arrived"].(time.Time)
		arrivals[uid] = at.UTC()
	}
	return arrivals, nil
}
