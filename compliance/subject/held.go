package subject

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/compliance/hold"
	"github.com/crmwatch/crmwatch/schema"
)

// Held is a legal hold that covers rows of the person.
type Held struct {
	Hold hold.Hold
	// Rows counts them by table; none where the hold itself names the person.
	Rows map[string]uint64
}

// Holds lists the standing holds that cover what names the person, or name it themselves:
// what they hold is not erased.
func Holds(ctx context.Context, store schema.Store, s Subject) ([]Held, error) {
	all, err := hold.All(ctx, store)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(h hold.Hold) bool { return !h.Stands() })
	if len(all) == 0 {
		return nil, nil
	}
	known, err := layouts(ctx, store)
	if err != nil {
		return nil, err
	}
	var held []Held
	for _, h := range all {
		found := Held{Hold: h, Rows: map[string]uint64{}}
		for _, l := range known {
			if !slices.Contains(hold.Tables(), l.name) {
				continue
			}
			var n uint64
			query := strings.Join([]string{"SELECT count() FROM", l.name, "WHERE", l.names(), "AND", hold.Condition(l.name, []hold.Hold{h})}, "\n")
			if err := store.QueryRow(named(ctx), query, s.parameters()...).Scan(&n); err != nil {
				return nil, fmt.Errorf("look for holds on %s: %w", l.name, withoutPerson(err))
			}
			if n > 0 {
				found.Rows[l.name] = n
			}
		}
		if len(found.Rows) > 0 || slices.ContainsFunc(append(slices.Clone(h.Users), h.Entities...), s.Has) {
			held = append(held, found)
		}
	}
	return held, nil
}
