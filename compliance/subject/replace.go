package subject

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/crmwatch/crmwatch/schema"
)

// rewrite writes the rows anew and deletes the old. Events are done day by day; what was
// done before a kill is not done again.
func (e *erasure) rewrite(ctx context.Context) error {
	// Rows that refer to others come after those they refer to: nothing is looked up in
	// the rows themselves, so the order does not matter for what comes out.
	for _, l := range e.layouts {
		if l.name == "events" {
			if err := e.rewriteEvents(ctx, l); err != nil {
				return err
			}
			continue
		}
		var n uint64
		if err := e.store.QueryRow(ctx, "SELECT count() FROM erasure_rows WHERE name = {name:String}", schema.Named("name", l.name)).Scan(&n); err != nil {
			return fmt.Errorf("count rows of %s: %w", l.name, err)
		}
		if n == 0 {
			continue
		}
		e.Step(fmt.Sprintf("%s: %d rows", l.name, n))
		if err := e.rewriteTable(ctx, l); err != nil {
			return err
		}
	}
	return nil
}

// daysAtOnce and rowsAtOnce bound what one statement writes anew.
const (
	daysAtOnce = 30
	rowsAtOnce = 1_000_000
)

func (e *erasure) rewriteEvents(ctx context.Context, l layout) error {
	rows, err := e.store.Query(ctx, "SELECT toString(toYYYYMMDD(time)) AS part, count() FROM events WHERE event_uid IN (SELECT id FROM erasure_rows WHERE name = 'events') GROUP BY part ORDER BY part")
	if err != nil {
		return fmt.Errorf("find the days: %w", err)
	}
	defer rows.Close()
	var days []string
	counts := map[string]uint64{}
	for rows.Next() {
		var day string
		var n uint64
		if err := rows.Scan(&day, &n); err != nil {
			return fmt.Errorf("find the days: %w", err)
		}
		days, counts[day] = append(days, day), n
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("find the days: %w", err)
	}
	values := make([]string, len(l.columns))
	for i, c := range l.columns {
		values[i] = e.subject.erased(c, l)
	}
	kept := ""
	if e.journal.method == "delete" {
		kept = "AND own = 0"
	}
	for begin, end := 0, 0; begin < len(days); begin = end {
		// Days of few rows together, for a statement costs something by itself.
		var n uint64
		for end = begin; end < len(days) && end-begin < daysAtOnce && (end == begin || n+counts[days[end]] <= rowsAtOnce); end++ {
			n += counts[days[end]]
		}
		from, to := days[begin], days[end-1]
		e.Step(fmt.Sprintf("events from %s to %s: %d rows (%d of %d days)", from, to, n, end, len(days)))
		within := "toYYYYMMDD(time) BETWEEN toUInt32({from:String}) AND toUInt32({to:String})"
		known := "event_uid IN (SELECT id FROM erasure_rows WHERE name = 'events' AND part BETWEEN "
		if err := e.doWith(ctx, "write the events from "+from+" anew", []any{schema.Named("from", from), schema.Named("to", to)},
			"INSERT INTO events ("+l.list()+")", "SELECT", strings.Join(values, ",\n"), "FROM events",
			"WHERE", within, "AND", known, "{from:String} AND {to:String}", kept+")",
			"AND", keyed("event_uid"), "NOT IN (SELECT event_uid FROM events WHERE", within,
			"AND event_uid IN (SELECT", keyed("id"), "FROM erasure_rows WHERE name = 'events' AND part BETWEEN {from:String} AND {to:String}))"); err != nil {
			return err
		}
		if err := e.remove(ctx, "ALTER TABLE events DELETE WHERE "+known+"'"+from+"' AND '"+to+"')"); err != nil {
			return fmt.Errorf("delete the old events from %s: %w", from, err)
		}
	}
	return nil
}

func (e *erasure) rewriteTable(ctx context.Context, l layout) error {
	values := make([]string, len(l.columns))
	for i, c := range l.columns {
		values[i] = e.subject.erased(c, l) + " AS " + quoted(c.name)
	}
	kept := ""
	if e.journal.method == "delete" && l.own {
		kept = "AND own = 0"
	}
	concerned := l.fingerprint() + " IN (SELECT id FROM erasure_rows WHERE name = '" + l.name + "'"
	if err := e.do(ctx, "write rows of "+l.name+" anew", "INSERT INTO", l.name, "("+l.list()+")",
		"SELECT * FROM (SELECT", strings.Join(values, ",\n"), "FROM", l.name, "WHERE", concerned, kept+"))",
		"WHERE", l.fingerprint(), "NOT IN (SELECT", l.fingerprint(), "FROM", l.name+")"); err != nil {
		return err
	}
	if err := e.remove(ctx, "ALTER TABLE "+l.name+" DELETE WHERE "+concerned+")"); err != nil {
		return fmt.Errorf("delete the old rows of %s: %w", l.name, err)
	}
	return nil
}

func (e *erasure) doWith(ctx context.Context, what string, more []any, parts ...string) error {
	all := *e
	all.parameters = append(append([]any{}, e.parameters...), more...)
	return all.do(ctx, what, parts...)
}

// remove runs a statement that deletes, and waits until it is done everywhere.
func (e *erasure) remove(ctx context.Context, statement string) error {
	settings := quiet()
	settings["mutations_sync"] = 2
	return e.store.Exec(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), statement)
}
