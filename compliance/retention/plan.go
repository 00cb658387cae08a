package retention

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/crmwatch/crmwatch/compliance/hold"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
)

// settings are how the tables delete. TTL is found anew for each part when the policy
// changes, without rewriting it; what is due goes when the engine merges, or whole parts
// at a time. A table that grows with the logs is rewritten for it once a day at most, and
// not at all where all rows of a day are kept equally long: the day is dropped.
func (t *table) settings(uniform bool) []setting {
	list := []setting{{"materialize_ttl_recalculate_only", "1"}}
	if t.large {
		list = append(list, setting{"merge_with_ttl_timeout", "86400"}, setting{"ttl_only_drop_parts", "0"})
		if uniform {
			list[2].value = "1"
		}
	}
	return list
}

type setting struct{ name, value string }

// Change is what has to be done to a table.
type Change struct {
	Table string
	// TTL is the new one; empty is none.
	TTL        string
	Statements []string
}

// now is what a table of the database has.
type now struct{ ttl, settings string }

var (
	ttlClause      = regexp.MustCompile(`(?s)ORDER BY .*? TTL (.*)$`)
	settingsClause = regexp.MustCompile(`(?s)^(.*) SETTINGS (\w+ = .*)$`)
)

// readNow reads what the tables have. A table that is not there yet is left out.
func readNow(ctx context.Context, store schema.Store) (map[string]now, error) {
	rows, err := store.Query(ctx, "SELECT name, engine_full FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'")
	if err != nil {
		return nil, fmt.Errorf("read the tables: %w", err)
	}
	defer rows.Close()
	all := map[string]now{}
	for rows.Next() {
		var name, engine string
		if err := rows.Scan(&name, &engine); err != nil {
			return nil, fmt.Errorf("read the tables: %w", err)
		}
		var has now
		// Settings hold no text of anybody, so their clause is the last that looks so.
		if m := settingsClause.FindStringSubmatch(engine); m != nil {
			engine, has.settings = m[1], m[2]
		}
		if m := ttlClause.FindStringSubmatch(engine); m != nil {
			has.ttl = m[1]
		}
		all[name] = has
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the tables: %w", err)
	}
	return all, nil
}

// sameText compares two expressions as the server writes them.
func sameText(ctx context.Context, store schema.Store, a, b string) (same bool, err error) {
	if a == b || a == "" || b == "" {
		return a == b, nil
	}
	if err := store.QueryRow(ctx, "SELECT formatQuerySingleLine(concat('SELECT ', {a:String})) = formatQuerySingleLine(concat('SELECT ', {b:String}))",
		schema.Named("a", a), schema.Named("b", b)).Scan(&same); err != nil {
		return false, fmt.Errorf("compare what is kept: %w", err)
	}
	return same, nil
}

// Plan says what has to be done so that the tables keep what a policy says and what holds
// cover. Nothing is to be done twice. Who does not know the rules, and gives none, leaves
// what they remember alone.
func Plan(ctx context.Context, store schema.Store, p Policy, rules []detectors.Rule, holds []hold.Hold) ([]Change, error) {
	place, err := schema.FindPlace(ctx, store)
	if err != nil {
		return nil, err
	}
	has, err := readNow(ctx, store)
	if err != nil {
		return nil, err
	}
	var changes []Change
	for i := range tables {
		t := &tables[i]
		current, there := has[place.Stored(t.name)]
		if !there || t.ofRules && rules == nil {
			continue
		}
		change := Change{Table: t.name, TTL: t.ttl(p, rules, holds)}
		same, err := sameText(ctx, store, current.ttl, change.TTL)
		if err != nil {
			return nil, err
		}
		if same {
			continue
		}
		var missing []setting
		for _, s := range t.settings(t.uniform(p, rules, holds)) {
			if !strings.Contains(", "+current.settings+",", ", "+s.name+" = "+s.value+",") {
				missing = append(missing, s)
			}
		}
		change.Statements = t.statements(place, change.TTL, missing)
		changes = append(changes, change)
	}
	return changes, nil
}

// Script is what a policy and holds make of new tables, for a person to read.
func Script(place schema.Place, p Policy, rules []detectors.Rule, holds []hold.Hold) (statements []string) {
	for i := range tables {
		t := &tables[i]
		if ttl := t.ttl(p, rules, holds); ttl != t.base {
			statements = append(statements, t.statements(place, ttl, t.settings(t.uniform(p, rules, holds)))...)
		}
	}
	return statements
}

// statements change a table. The settings come first, so that nothing is rewritten. The
// last one waits until every part knows its new times: until then the engine would drop
// what it knew to be due before.
func (t *table) statements(place schema.Place, ttl string, missing []setting) (statements []string) {
	if len(missing) > 0 {
		parts := make([]string, len(missing))
		for i, s := range missing {
			parts[i] = s.name + " = " + s.value
		}
		statements = append(statements, place.Alter(t.name, "MODIFY SETTING "+strings.Join(parts, ", ")))
	}
	if ttl == "" {
		return append(statements, place.Alter(t.name, "REMOVE TTL"))
	}
	return append(statements, place.Alter(t.name, "MODIFY TTL "+ttl+" SETTINGS mutations_sync = 1"))
}
