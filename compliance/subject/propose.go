package subject

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// Proposal is a value that stands beside the person's own in events.
type Proposal struct {
	Kind  Kind   `json:"kind"`
	Value string `json:"value"`
	Rows  uint64 `json:"rows"`
}

// Flag is the option by which the proposal is taken.
func (p Proposal) Flag() string {
	if p.Kind == Address {
		return "--email " + p.Value
	}
	return "--" + string(p.Kind) + " " + p.Value
}

// maxProposals bounds what is proposed, and how many other identities are named.
const maxProposals = 20

// kindOf says what an identity column holds.
func kindOf(name string) Kind {
	switch {
	case strings.HasSuffix(name, "_uid"):
		return UID
	case strings.HasSuffix(name, "_email_addr"):
		return Address
	}
	return Name
}

// Propose lists names, addresses and ids that stand beside the person's in the same
// rows, the most frequent first. Whether they are the same person's, people decide.
func Propose(ctx context.Context, store schema.Store, s Subject) ([]Proposal, error) {
	var all []Proposal
	for _, group := range beside {
		for _, name := range group {
			var others []string
			for _, other := range group {
				if other != name {
					others = append(others, isNamed(quoted(other)))
				}
			}
			query := strings.Join([]string{"SELECT toString(" + quoted(name) + ") AS value, count() AS n FROM events WHERE", quoted(name) + " != '' AND NOT", isNamed(quoted(name)),
				"AND (" + strings.Join(others, " OR ") + ") GROUP BY value ORDER BY n DESC, value LIMIT {limit:UInt32}"}, " ")
			rows, err := store.Query(named(ctx), query, append(s.parameters(), schema.Named("limit", uint32(maxProposals)))...)
			if err != nil {
				return nil, fmt.Errorf("look for more identifiers: %w", withoutPerson(err))
			}
			for rows.Next() {
				p := Proposal{Kind: kindOf(name)}
				if err := rows.Scan(&p.Value, &p.Rows); err != nil {
					rows.Close()
					return nil, fmt.Errorf("look for more identifiers: %w", err)
				}
				known := slices.IndexFunc(all, func(other Proposal) bool { return other.Value == p.Value })
				switch {
				case s.Has(p.Value) || strings.HasPrefix(p.Value, tokenPrefix):
				case known >= 0:
					all[known].Rows += p.Rows
				default:
					all = append(all, p)
				}
			}
			rows.Close()
			if err := rows.Err(); err != nil {
				return nil, fmt.Errorf("look for more identifiers: %w", withoutPerson(err))
			}
		}
	}
	return all, nil
}

// Namesakes are other identities of which one of the person's names is a word: they stay
// as they are, while the word is replaced in texts.
func Namesakes(ctx context.Context, store schema.Store, s Subject) ([]string, error) {
	var all []string
	for _, group := range beside {
		for _, name := range group {
			query := strings.Join([]string{"SELECT DISTINCT toString(" + quoted(name) + ") AS value FROM events WHERE", says(quoted(name)), "AND NOT", isNamed(quoted(name)),
				"ORDER BY value LIMIT {limit:UInt32}"}, " ")
			rows, err := store.Query(named(ctx), query, append(s.parameters(), schema.Named("limit", uint32(maxProposals)))...)
			if err != nil {
				return nil, fmt.Errorf("look for namesakes: %w", withoutPerson(err))
			}
			for rows.Next() {
				var value string
				if err := rows.Scan(&value); err != nil {
					rows.Close()
					return nil, fmt.Errorf("look for namesakes: %w", err)
				}
				all = append(all, value)
			}
			rows.Close()
			if err := rows.Err(); err != nil {
				return nil, fmt.Errorf("look for namesakes: %w", withoutPerson(err))
			}
		}
	}
	return all, nil
}
