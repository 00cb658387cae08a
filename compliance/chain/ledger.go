package chain

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// LedgerOptions of a Ledger; the zero value is good.
type LedgerOptions struct {
	// Lease is asked before each entry: its error says that another instance writes the
	// chain by now. Nil where there is only one.
	Lease func() error
	// Clock is time.Now by default.
	Clock func() time.Time
	// Settle is how old what happened to an alert must be until an entry covers it,
	// because what is about to be stored comes later: ten minutes by default, and far
	// longer than the clocks of instances may differ.
	Settle time.Duration
}

// Ledger writes a chain. ClickHouse cannot refuse the second of two entries, so only one
// process may have a Ledger on a database at a time: the one that keeps its alerts.
type Ledger struct {
	store   schema.Store
	key     ed25519.PrivateKey
	options LedgerOptions
	mu      sync.Mutex
}

// ErrForeignKey says that the chain was begun with another key.
var ErrForeignKey = errors.New("the evidence chain goes on under another key")

// NewLedger makes a ledger. It reads and writes nothing yet.
func NewLedger(store schema.Store, key ed25519.PrivateKey, options LedgerOptions) *Ledger {
	if options.Lease == nil {
		options.Lease = func() error { return nil }
	}
	if options.Clock == nil {
		options.Clock = time.Now
	}
	if options.Settle <= 0 {
		options.Settle = 10 * time.Minute
	}
	return &Ledger{store: store, key: key, options: options}
}

// PublicKey is the key that entries are checked with.
func (l *Ledger) PublicKey() string { return WriteKey(l.key.Public().(ed25519.PublicKey)) }

// Head is the last entry of a chain: its zero value where there is none.
func Head(ctx context.Context, store schema.Store) (Entry, error) {
	head, _, err := tail(ctx, store)
	return head, err
}

// tail is the last entry and, where several stand at the end of the chain, the others.
// Two instances that wrote at once leave them; all choose the same one of them.
func tail(ctx context.Context, store schema.Store) (head Entry, strays []Entry, err error) {
	last, err := lastSequence(ctx, store)
	if err != nil || last == 0 {
		return Entry{}, nil, err
	}
	entries, err := readEntries(ctx, store, max(last, 2)-1)
	if err != nil {
		return Entry{}, nil, err
	}
	var ends []Entry
	for _, e := range entries {
		if e.Sequence != last {
			continue
		}
		follows := last == 1 || slices.ContainsFunc(entries, func(before Entry) bool { return before.Sequence == last-1 && before.Hash == e.Previous })
		if follows {
			ends = append(ends, e)
		}
	}
	if len(ends) == 0 {
		return Entry{}, nil, fmt.Errorf("%w: entry %d, its last, does not follow upon another: run crmwatch report verify", ErrBroken, last)
	}
	// They come in the order of their hashes.
	return ends[0], ends[1:], nil
}

// Append writes an entry unless there is one of the same kind, subject and version. It
// returns the entry, or the zero entry where there was one.
func (l *Ledger) Append(ctx context.Context, kind Kind, subject schema.UID, version uint64, content any) (Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.append(ctx, kind, subject, version, content)
}

func (l *Ledger) append(ctx context.Context, kind Kind, subject schema.UID, version uint64, content any) (Entry, error) {
	text, err := encode(content)
	if err != nil {
		return Entry{}, err
	}
	head, strays, err := tail(ctx, l.store)
	if err != nil {
		return Entry{}, err
	}
	if head.Sequence > 0 && head.PublicKey != l.PublicKey() {
		return Entry{}, fmt.Errorf("%w, %s, and ours is %s: restore the file of that key, or name it as summaries.key_file on every machine that runs crmwatch on this database",
			ErrForeignKey, head.PublicKey, l.PublicKey())
	}
	if len(strays) > 0 {
		var found StrayContent
		for _, e := range strays {
			found.Strays = append(found.Strays, e.Hash)
		}
		said, err := encode(found)
		if err != nil {
			return Entry{}, err
		}
		if head, err = l.link(ctx, head, Entry{Kind: KindStray, Content: said}); err != nil {
			return Entry{}, err
		}
	}
	if done, err := chained(ctx, l.store, kind, subject, version); err != nil || done {
		return Entry{}, err
	}
	return l.link(ctx, head, Entry{Kind: kind, Subject: subject, SubjectVersion: version, Content: text})
}

// link signs an entry and stores it behind head.
func (l *Ledger) link(ctx context.Context, head, e Entry) (Entry, error) {
	e.Sequence, e.Previous, e.At = head.Sequence+1, head.Hash, milliseconds(l.options.Clock())
	if e.At.Before(head.At) {
		e.At = head.At // the clock was put back: the order is that of the chain
	}
	e.seal(l.key)
	if err := l.options.Lease(); err != nil {
		return Entry{}, err
	}
	if err := insertEntry(ctx, l.store, e); err != nil {
		return Entry{}, err
	}
	return e, nil
}

// Retention says in the chain how long what it covers is kept from now on, unless it says
// so already: what goes then is not missing.
func (l *Ledger) Retention(ctx context.Context, kept RetentionContent) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var version uint64
	var text string
	subject := schema.HashUID("retention")
	if err := l.store.QueryRow(ctx, "SELECT max(subject_version), argMax(content, sequence) FROM evidence_chain FINAL WHERE kind = 'retention'").Scan(&version, &text); err != nil {
		return fmt.Errorf("read evidence chain: %w", err)
	}
	said, err := encode(kept)
	if err != nil || said == text || text == "" && kept == (RetentionContent{}) {
		return err
	}
	_, err = l.append(ctx, KindRetention, subject, version+1, kept)
	return err
}
