package audit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

// Settings are values by their paths, and the hash of what they were read from.
type Settings struct {
	SHA256 string
	Values map[string]string
}

// Change is a value that is other than before; an empty one was or is not there.
type Change struct{ Path, Was, Now string }

// Changes compares two settings, in the order of paths.
func Changes(was, now map[string]string) (changes []Change) {
	paths := maps.Clone(was)
	if paths == nil {
		paths = map[string]string{}
	}
	maps.Copy(paths, now)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		if was[path] != now[path] {
			changes = append(changes, Change{path, was[path], now[path]})
		}
	}
	return changes
}

// Loaded are settings that crmwatch has begun to use.
type Loaded struct {
	Settings
	// At is when, in milliseconds, and Actor who had it done.
	At    time.Time
	Actor string
	// Before are those that it used before; First says that there were none.
	Before Settings
	First  bool
}

// Load keeps settings under a name, and writes the records that tell makes of them and
// those before. Whatever is cut off, at the next Load the records are written if they
// were not: each load is told once.
func Load(ctx context.Context, store schema.Store, name string, loaded Loaded, tell func(Loaded) []Record) error {
	last, version, told, err := readSettings(ctx, store, name)
	if err != nil {
		return err
	}
	if version > 0 && !told {
		if err := Write(ctx, store, tell(last)...); err != nil {
			return err
		}
	}
	loaded.At = loaded.At.Truncate(time.Millisecond)
	loaded.Before, loaded.First = last.Settings, version == 0
	if err := saveSettings(ctx, store, name, version+1, loaded, false); err != nil {
		return err
	}
	if err := Write(ctx, store, tell(loaded)...); err != nil {
		return err
	}
	return saveSettings(ctx, store, name, version+2, loaded, true)
}

func readSettings(ctx context.Context, store schema.Store, name string) (l Loaded, version uint64, told bool, err error) {
	rows, err := store.Query(ctx, `SELECT version, loaded_at, actor, sha256, settings, before_sha256, before, told = 1
FROM known_settings FINAL WHERE name = {name:String}`, schema.Named("name", name))
	if err != nil {
		return l, 0, false, fmt.Errorf("read known settings: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&version, &l.At, &l.Actor, &l.SHA256, &l.Values, &l.Before.SHA256, &l.Before.Values, &told); err != nil {
			return l, 0, false, fmt.Errorf("read known settings: %w", err)
		}
		l.First = l.Before.SHA256 == ""
	}
	if err := rows.Err(); err != nil {
		return l, 0, false, fmt.Errorf("read known settings: %w", err)
	}
	return l, version, told, nil
}

func saveSettings(ctx context.Context, store schema.Store, name string, version uint64, l Loaded, told bool) error {
	stored := clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"async_insert": 0}))
	batch, err := store.PrepareBatch(stored, "INSERT INTO known_settings (name, version, loaded_at, actor, sha256, settings, before_sha256, before, told)")
	if err != nil {
		return fmt.Errorf("save known settings: %w", err)
	}
	isTold := uint8(0)
	if told {
		isTold = 1
	}
	if err := batch.Append(name, version, l.At, l.Actor, l.SHA256, orEmpty(l.Values), l.Before.SHA256, orEmpty(l.Before.Values), isTold); err != nil {
		return fmt.Errorf("save known settings: %w", errors.Join(err, batch.Abort()))
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("save known settings: %w", err)
	}
	return nil
}

func orEmpty(values map[string]string) map[string]string {
	if values == nil {
		return map[string]string{}
	}
	return values
}
