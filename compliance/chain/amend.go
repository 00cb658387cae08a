package chain

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// Amendment is an erasure that changes what the chain covers.
type Amendment struct {
	// Erasure names the erasure; the same one again, after a crash, is the same.
	Erasure schema.UID
	// By is who erases, Reason why; neither may name the person who is erased.
	By, Reason string
}

// Errors of Amend that leave things as they were.
var (
	// ErrAmended says that the erasure has its amendment already.
	ErrAmended = errors.New("the erasure has ended already")
	// ErrBroken says that the chain itself is not intact.
	ErrBroken = errors.New("the evidence chain is not intact")
)

// Amend lets an erasure change or remove summaries and alert history that entries cover,
// so that a check says "changed by erasure N" and not "forged". It announces the erasure
// in the chain, calls change, and adds an entry with what is different afterwards: the
// old hashes stay, beside the new ones. What was not as the chain says before it began is
// not excused by it.
//
// change has to end with the rows changed on every server (mutations_sync = 2), and can
// be called again. After a crash, Amend with the same Erasure goes on.
func (l *Ledger) Amend(ctx context.Context, a Amendment, change func(context.Context) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	done, err := chained(ctx, l.store, KindAmendment, a.Erasure, 0)
	if err != nil {
		return err
	}
	if done {
		return fmt.Errorf("amend the evidence chain: erasure %s: %w: give another its own uid", a.Erasure, ErrAmended)
	}
	before, err := l.compared(ctx)
	if err != nil {
		return err
	}
	said := ErasureContent{By: a.By, Reason: a.Reason, Unknown: before.requests}
	for _, d := range before.changes {
		said.Differs = append(said.Differs, d.Item)
	}
	for _, item := range before.added {
		said.Unknown = append(said.Unknown, string(item.Item))
	}
	if _, err := l.append(ctx, KindErasureBegun, a.Erasure, 0, said); err != nil {
		return err
	}
	if err := change(ctx); err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	after, err := l.compared(ctx)
	if err != nil {
		return err
	}
	// After a crash what differed when it began is in the entry of that time.
	begun, err := decode[ErasureContent](after.claims.begun[a.Erasure])
	if err != nil {
		return err
	}
	content := AmendmentContent{Erasure: a.Erasure.String(), By: a.By, Reason: a.Reason, Changes: []Change{}}
	for _, d := range after.changes {
		if !slices.Contains(begun.Differs, d.Item) {
			content.Changes = append(content.Changes, d)
		}
	}
	for _, item := range after.added {
		if !slices.Contains(begun.Unknown, string(item.Item)) {
			content.Added = append(content.Added, item)
		}
	}
	for _, uid := range after.requests {
		if !slices.Contains(begun.Unknown, uid) {
			content.Requests = append(content.Requests, uid)
		}
	}
	_, err = l.append(ctx, KindAmendment, a.Erasure, 0, content)
	return err
}

// comparison is where a database is not as its chain says.
type comparison struct {
	claims  *claims
	changes []Change
	// added are rows in the time that entries cover which none of them has; requests those
	// of which the history does not tell.
	added    []ItemValue
	requests []string
}

func (l *Ledger) compared(ctx context.Context) (comparison, error) {
	entries, err := readEntries(ctx, l.store, 0)
	if err != nil {
		return comparison{}, err
	}
	report := &Report{}
	w := walk(entries, []string{l.PublicKey()}, report)
	c := comparison{claims: readClaims(w.main, report)}
	report.order()
	if len(report.Problems) > 0 {
		first := report.Problems[0]
		return c, fmt.Errorf("amend the evidence chain: %w: %s: %s", ErrBroken, first.What, first.Means)
	}
	items, err := readItems(ctx, l.store)
	if err != nil {
		return c, err
	}
	for _, item := range c.claims.order {
		said, has := c.claims.items[item], items[item]
		if has.hash != said.hash && !c.claims.expired(item, said.at, l.options.Clock()) {
			c.changes = append(c.changes, Change{item, said.hash, has.hash})
		}
	}
	for _, item := range slices.Sorted(maps.Keys(items)) {
		has := items[item]
		if _, covered := c.claims.spanOf(has.at); covered && c.claims.items[item] == nil && strings.HasPrefix(string(item), "transition/") {
			c.added = append(c.added, ItemValue{item, has.at, has.hash})
		}
	}
	c.requests, err = strayRequests(ctx, l.store, firstTime)
	return c, err
}
