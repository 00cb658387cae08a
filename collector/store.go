package collector

import (
	"context"
	"fmt"
	"net/http"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

// verdict is what the table of deliveries says about one.
type verdict int

const (
	isNew verdict = iota
	isDuplicate
	isConflict
	isForeign
)

// store inserts the parts of a delivery that their stores do not know yet, notes them and
// answers when all have theirs. The inserts' tokens make it harmless that two collectors
// do so at once.
func (c *Collector) store(w http.ResponseWriter, r *http.Request, agent string, d schema.Delivery, parts []part) {
	ctx, cancel := context.WithTimeout(r.Context(), c.InsertTime+c.BodyTime)
	defer cancel()
	known, missing, err := c.judgeAll(ctx, agent, d, parts)
	if err != nil {
		c.unavailable(w, agent, err)
		return
	}
	log := c.Log.With("agent", agent, "agent_uid", d.AgentUID, "sequence", d.Sequence)
	switch known {
	case isForeign:
		log.Error("an agent delivers with the state folder of another")
		answerError(w, http.StatusForbidden, "foreign", "this agent uid belongs to an agent of another name")
		return
	case isConflict:
		c.count(&c.stats.Conflicts)
		log.Error("one batch comes with two contents: two agents have the same state folder, or it was restored from a backup")
		answerError(w, http.StatusConflict, "conflict", "this batch is known with other content")
		return
	case isDuplicate:
		c.count(&c.stats.Duplicates)
		answer(w, http.StatusOK, map[string]any{"status": "duplicate", "sequence": d.Sequence})
		return
	}
	for _, p := range missing {
		if err := p.inserter.Insert(ctx, p.Delivery); err != nil {
			c.unavailable(w, agent, err)
			return
		}
		if err := c.note(ctx, agent, d, p); err != nil {
			c.unavailable(w, agent, err)
			return
		}
	}
	c.filtered(agent, d)
	c.mu.Lock()
	c.own(d.AgentUID, agent)
	c.stats.Stored++
	last, seen := c.last[d.AgentUID]
	if gap := seen && d.Sequence > last+1; gap {
		c.stats.Gaps++
		log.Warn("batches of this agent are missing or on another way", "after", last)
	}
	c.last[d.AgentUID] = max(last, d.Sequence)
	c.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{"status": "stored", "sequence": d.Sequence})
}

func (c *Collector) unavailable(w http.ResponseWriter, agent string, err error) {
	c.Log.Warn("a delivery cannot be stored; the agent keeps it", "agent", agent, "error", err.Error())
	w.Header().Set("Retry-After", "2")
	answerError(w, http.StatusServiceUnavailable, "unavailable", "the database does not take it at the moment")
}

// judgeAll asks the stores of all parts, and gives those parts that their stores do not
// have yet. A delivery of which any part is in conflict is stored nowhere.
func (c *Collector) judgeAll(ctx context.Context, agent string, d schema.Delivery, parts []part) (known verdict, missing []part, err error) {
	for _, p := range parts {
		known, err := c.judge(ctx, p.Conn, agent, d)
		if err != nil {
			return 0, nil, err
		}
		switch known {
		case isForeign, isConflict:
			return known, nil, nil
		case isNew:
			missing = append(missing, p)
		}
	}
	if len(parts) > 0 && len(missing) == 0 {
		return isDuplicate, nil, nil
	}
	return isNew, missing, nil
}

// judge asks a store's table of deliveries.
func (c *Collector) judge(ctx context.Context, conn schema.Store, agent string, d schema.Delivery) (verdict, error) {
	c.mu.Lock()
	owner := c.owners[d.AgentUID]
	c.mu.Unlock()
	if owner == "" {
		// The first that had something stored, and not whoever claims it.
		if err := conn.QueryRow(ctx, "SELECT argMin(agent, (received_at, agent)) FROM deliveries WHERE agent_uid = {uid:String}",
			schema.Named("uid", d.AgentUID)).Scan(&owner); err != nil {
			return 0, fmt.Errorf("look up agent: %w", err)
		}
		if owner == agent {
			c.mu.Lock()
			c.own(d.AgentUID, agent)
			c.mu.Unlock()
		}
	}
	if owner != "" && owner != agent {
		return isForeign, nil
	}
	var n, same uint64
	err := conn.QueryRow(ctx, `SELECT count(), countIf(hex(events_hash) = {events:String} AND hex(quarantine_hash) = {quarantine:String})
FROM deliveries WHERE agent_uid = {uid:String} AND sequence = {sequence:UInt64}`,
		schema.Named("uid", d.AgentUID), schema.Named("sequence", d.Sequence),
		schema.Named("events", fmt.Sprintf("%X", d.Events.Hash)), schema.Named("quarantine", fmt.Sprintf("%X", d.Quarantine.Hash))).Scan(&n, &same)
	switch {
	case err != nil:
		return 0, fmt.Errorf("look up delivery: %w", err)
	case n == 0:
		return isNew, nil
	case same == n:
		return isDuplicate, nil
	}
	return isConflict, nil
}

// own remembers whose an agent uid is. It is called with the lock held.
func (c *Collector) own(uid, agent string) {
	if len(c.owners) > 100_000 {
		clear(c.owners)
		clear(c.last)
	}
	c.owners[uid] = agent
}

// ledgerSettings let ClickHouse gather the small inserts of many agents into one, and
// answer when that is stored.
var ledgerSettings = clickhouse.Settings{"async_insert": 1, "wait_for_async_insert": 1, "async_insert_busy_timeout_max_ms": 50}

// note records a part that is stored: under the hashes of the whole delivery, by which it
// is known again, and with the counts of the part.
func (c *Collector) note(ctx context.Context, agent string, d schema.Delivery, p part) error {
	err := p.Conn.Exec(clickhouse.Context(ctx, clickhouse.WithSettings(ledgerSettings)),
		`INSERT INTO deliveries (agent_uid, sequence, agent, events_hash, quarantine_hash, rows, quarantined, sealed_at)
VALUES ({uid:String}, {sequence:UInt64}, {agent:String}, unhex({events:String}), unhex({quarantine:String}), {rows:UInt64}, {quarantined:UInt64}, fromUnixTimestamp64Milli({sealed:Int64}, 'UTC'))`,
		schema.Named("uid", d.AgentUID), schema.Named("sequence", d.Sequence), schema.Named("agent", agent),
		schema.Named("events", fmt.Sprintf("%X", d.Events.Hash)), schema.Named("quarantine", fmt.Sprintf("%X", d.Quarantine.Hash)),
		schema.Named("rows", uint64(p.Events.Rows)), schema.Named("quarantined", uint64(p.Quarantine.Rows)), schema.Named("sealed", d.Sealed.UnixMilli()))
	if err != nil {
		return fmt.Errorf("note delivery: %w", err)
	}
	return nil
}
