package subject

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/crmwatch/crmwatch/schema"
)

// Occurrence is where a table names the person.
type Occurrence struct {
	Table string `json:"table"`
	// Rows name the person, and Own of them are of what the person did.
	Rows uint64 `json:"rows"`
	Own  uint64 `json:"own"`
	// Columns counts the rows by the column that names the person.
	Columns map[string]uint64 `json:"columns"`
}

// Where writes the columns in words, the most frequent first.
func (o Occurrence) Where() string {
	names := slices.Collect(maps.Keys(o.Columns))
	slices.SortFunc(names, func(a, b string) int {
		if o.Columns[a] != o.Columns[b] {
			return int(min(max(int64(o.Columns[b])-int64(o.Columns[a]), -1), 1))
		}
		return strings.Compare(a, b)
	})
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = fmt.Sprintf("%s %d", name, o.Columns[name])
	}
	return strings.Join(parts, ", ")
}

// Find counts where the tables name the person. Tables that do not are left out.
func Find(ctx context.Context, store schema.Store, s Subject) ([]Occurrence, error) {
	all, err := layouts(ctx, store)
	if err != nil {
		return nil, err
	}
	var found []Occurrence
	for _, l := range all {
		o, err := count(ctx, store, s, l)
		if err != nil {
			return nil, err
		}
		if o.Rows > 0 {
			found = append(found, o)
		}
	}
	return found, nil
}

func count(ctx context.Context, store schema.Store, s Subject, l layout) (Occurrence, error) {
	o := Occurrence{Table: l.name, Columns: map[string]uint64{}}
	naming := l.naming()
	if len(naming) == 0 {
		return o, nil
	}
	own := "0"
	if l.name == "events" {
		own = acts()
	}
	parts := []string{"countIf(" + l.names() + ")", "countIf(" + own + ")"}
	for _, c := range naming {
		parts = append(parts, "countIf("+c.named()+")")
	}
	values := make([]uint64, len(parts))
	into := make([]any, len(parts))
	for i := range values {
		into[i] = &values[i]
	}
	query := strings.Join([]string{"SELECT", strings.Join(parts, ",\n"), "FROM", l.name}, "\n")
	if err := store.QueryRow(named(ctx), query, s.parameters()...).Scan(into...); err != nil {
		return o, fmt.Errorf("look for the person in %s: %w", l.name, withoutPerson(err))
	}
	o.Rows, o.Own = values[0], values[1]
	if l.own && l.name != "events" {
		o.Own = o.Rows
	}
	for i, c := range naming {
		if n := values[i+2]; n > 0 {
			o.Columns[c.name] = n
		}
	}
	return o, nil
}

// named is the context of statements that name the person.
func named(ctx context.Context) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithSettings(quiet()))
}

// withoutPerson keeps of an error of the database its first words: the rest may quote
// the statement and what was looked for.
func withoutPerson(err error) error {
	if exception, ok := err.(*clickhouse.Exception); ok {
		return fmt.Errorf("the database refused: %s (code %d)", exception.Name, exception.Code)
	}
	text := err.Error()
	if i := strings.Index(text, "param_"); i >= 0 {
		text = text[:i] + "..."
	}
	if len(text) > 300 {
		text = text[:300] + "..."
	}
	return fmt.Errorf("%s", text)
}
