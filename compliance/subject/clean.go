package subject

import (
	"context"
	"fmt"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// filesPatience is how long to wait for ClickHouse to delete the files of old parts.
const filesPatience = 2 * time.Minute

// reopenAfter is how long ClickHouse may take by itself. It seldom does: its thread has
// slept for half a minute or more since before the old rows were deleted.
const reopenAfter = time.Second

// filesPoll is how often is looked whether the files are gone.
const filesPoll = 100 * time.Millisecond

// oldParts are those that were old at a time already: what is merged later has none of
// the person's rows, and where logs come all the time, some part is always old.
const oldParts = `SELECT count(), any(concat(table, ' ', name, ': ', removal_state)) FROM system.parts
WHERE database = currentDatabase() AND NOT active AND table IN {names:Array(String)} AND toUnixTimestamp(remove_time) <= {since:UInt32}`

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
	var since uint32
	if err := e.store.QueryRow(ctx, "SELECT toUnixTimestamp(now())").Scan(&since); err != nil {
		return fmt.Errorf("ask for the time: %w", err)
	}
	begun, opened := time.Now(), false
	for {
		var left uint64
		var why string
		if err := e.store.QueryRow(ctx, oldParts, schema.Named("names", names), schema.Named("since", since)).Scan(&left, &why); err != nil {
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
			if err := e.reopen(ctx, names, since); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(filesPoll):
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
func (e *erasure) reopen(ctx context.Context, names []string, since uint32) error {
	for _, name := range names {
		var left uint64
		var why string
		if err := e.store.QueryRow(ctx, oldParts, schema.Named("names", []string{name}), schema.Named("since", since)).Scan(&left, &why); err != nil {
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
