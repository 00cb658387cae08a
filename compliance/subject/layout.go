package subject

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// column is a column as the database has it.
type column struct {
	name, kind string
	use        use
}

// layout is a table as the database has it.
type layout struct {
	table
	columns []column
	// partitions says that rows are looked at partition by partition.
	partitions bool
}

const columnsQuery = `SELECT table, name, type
FROM system.columns
WHERE database = currentDatabase() AND default_kind NOT IN ('ALIAS', 'EPHEMERAL')
ORDER BY table, position`

// errCluster is why an erasure does not begin.
var errCluster = errors.New("this is the database of a cluster, in which crmwatch does not erase yet: `subject find` says what is where")

// layouts reads the tables that the registry knows, in its order. What is not there
// yet, because a migration is pending, is left out.
func layouts(ctx context.Context, store schema.Store) ([]layout, error) {
	rows, err := store.Query(ctx, columnsQuery)
	if err != nil {
		return nil, fmt.Errorf("read the columns of the tables: %w", err)
	}
	defer rows.Close()
	found := map[string][]column{}
	for rows.Next() {
		var name string
		var c column
		if err := rows.Scan(&name, &c.name, &c.kind); err != nil {
			return nil, fmt.Errorf("read the columns of the tables: %w", err)
		}
		found[name] = append(found[name], c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the columns of the tables: %w", err)
	}
	var all []layout
	for _, t := range tables {
		l := layout{table: t, columns: found[t.name], partitions: t.name == "events"}
		if len(l.columns) == 0 {
			continue
		}
		for i := range l.columns {
			l.columns[i].use = t.columns[l.columns[i].name]
		}
		all = append(all, l)
	}
	return all, nil
}

func isCluster(ctx context.Context, store schema.Store) (bool, error) {
	var clustered bool
	err := store.QueryRow(ctx, "SELECT count() > 0 FROM system.tables WHERE database = currentDatabase() AND name = 'events_local'").Scan(&clustered)
	if err != nil {
		return false, fmt.Errorf("look for a cluster's tables: %w", err)
	}
	return clustered, nil
}

// holdsText says of a column's type whether values in it can be text, or the identity of
// a row.
func holdsText(kind string) bool {
	return strings.Contains(kind, "String") || strings.Contains(kind, "UUID")
}

// naming are the columns in which somebody can be named.
func (l layout) naming() []column {
	var of []column
	for _, c := range l.columns {
		if c.use == identity || c.use == text || c.use == place || c.use == tool {
			of = append(of, c)
		}
	}
	return of
}

func (l layout) has(u use) bool {
	return slices.ContainsFunc(l.columns, func(c column) bool { return c.use == u })
}

// list writes the names of the columns.
func (l layout) list() string {
	names := make([]string, len(l.columns))
	for i, c := range l.columns {
		names[i] = quoted(c.name)
	}
	return strings.Join(names, ", ")
}

// fingerprint is an expression that tells rows apart by all that is in them.
func (l layout) fingerprint() string {
	parts := make([]string, len(l.columns))
	for i, c := range l.columns {
		parts[i] = "toString(" + quoted(c.name) + ")"
	}
	return "reinterpretAsUUID(sipHash128(" + strings.Join(parts, ", ") + "))"
}

func quoted(name string) string { return "`" + name + "`" }
