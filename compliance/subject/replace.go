package subject

import (
	"context"
	"fmt"
	"strings"
	"time"

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
			"AND", keyed("event_uid"), "NOT IN (SELECT event_uid FROM events WHERE "+within+")"); err != nil {
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

// filesPatience is how long to wait for ClickHouse to delete the files of old parts.
const filesPatience = 2 * time.Minute

// reopenAfter is how long ClickHouse may take by itself.
const reopenAfter = 5 * time.Second

const oldParts = `SELECT count(), any(concat(table, ' ', name, ': ', removal_state)) FROM system.parts WHERE database = currentDatabase() AND NOT active AND table IN {names:Array(String)}`

// clean makes the files with the old rows go. ClickHouse would keep them for some
// minutes, for the case that a disk loses what was written last.
func (e *erasure) clean(ctx context.Context) error {
	names := e.touched()
	for _, name := range names {
		// Killed while it was opened anew.
		if err := e.store.Exec(ctx, "ATTACH TABLE IF NOT EXISTS "+name); err != nil {
			return fmt.Errorf("open %s again: %w", name, err)
		}
	}
	for _, name := range names {
		if err := e.store.Exec(ctx, "ALTER TABLE "+name+" MODIFY SETTING old_parts_lifetime = 0, cleanup_delay_period = 1, max_cleanup_delay_period = 1, cleanup_delay_period_random_add = 0"); err != nil {
			return fmt.Errorf("hasten the end of old files of %s: %w", name, err)
		}
	}
	begun, opened := time.Now(), false
	for {
		var left uint64
		var why string
		if err := e.store.QueryRow(ctx, oldParts, schema.Named("names", names)).Scan(&left, &why); err != nil {
			return fmt.Errorf("look for old files: %w", err)
		}
		if left == 0 {
			break
		}
		if time.Since(begun) > filesPatience {
			return fmt.Errorf("%d old parts are still on disk (such as %s): something reads them, or the database is busy; run this again", left, why)
		}
		// The thread that deletes files may sleep for minutes, by the settings of before; a
		// table that is opened anew has another. What is sent to it meanwhile is sent again.
		if !opened && time.Since(begun) > reopenAfter {
			opened = true
			if err := e.reopen(ctx, names); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
	for _, name := range names {
		if err := e.store.Exec(ctx, "ALTER TABLE "+name+" RESET SETTING old_parts_lifetime, cleanup_delay_period, max_cleanup_delay_period, cleanup_delay_period_random_add"); err != nil {
			return fmt.Errorf("give %s its setting back: %w", name, err)
		}
	}
	for _, statement := range []string{"DROP TABLE IF EXISTS erasure_rows SYNC", "DROP TABLE IF EXISTS erasure_values SYNC"} {
		if err := e.store.Exec(ctx, statement); err != nil {
			return fmt.Errorf("drop what was looked up: %w", err)
		}
	}
	return nil
}

// reopen opens the tables anew that have old files.
func (e *erasure) reopen(ctx context.Context, names []string) error {
	for _, name := range names {
		var left uint64
		var why string
		if err := e.store.QueryRow(ctx, oldParts, schema.Named("names", []string{name})).Scan(&left, &why); err != nil {
			return fmt.Errorf("look for old files: %w", err)
		}
		if left == 0 {
			continue
		}
		for _, verb := range []string{"DETACH TABLE %s SYNC", "ATTACH TABLE %s"} {
			if err := e.store.Exec(ctx, fmt.Sprintf(verb, name)); err != nil {
				return fmt.Errorf("open %s anew: %w", name, err)
			}
		}
	}
	return nil
}
