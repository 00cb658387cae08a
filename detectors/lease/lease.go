// Package lease lets one of several instances of crmwatch on one ClickHouse lead, which
// is to evaluate the rules. ClickHouse has no compare-and-swap, so a lease rests on
// time: an instance writes that it stands for leadership, waits longer than a write may
// take, reads who else stands, and leads if it was the first. It then says again and
// again that it leads, and stops by itself before the time ends for which it has said
// so; others wait until that time has passed.
//
// What it promises: as long as a write is visible within WriteWithin of its beginning,
// and clocks tick alike (they need not agree), no two instances lead at one moment. A
// leader whose process is frozen just between a look at the lease and what it does next
// does that one thing late. Findings have the same identity whoever finds them, so an
// overlap does work twice, and repeats a message at worst; it invents and loses nothing.
package lease

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// The times of a lease. After a leader dies, another leads at the latest after Length +
// Poll + Settle and the time of a few queries: some 45 s. The first leader waits Settle.
const (
	// Length is how long a leader leads upon one word of its own.
	Length = 30 * time.Second
	// Renew is how often it says so.
	Renew = 8 * time.Second
	// Margin is how long before the end it stops: what it does then has so long to end.
	Margin = 6 * time.Second
	// WriteWithin bounds a write or a read of the lease, here and on the server.
	WriteWithin = 3 * time.Second
	// Settle is how long a candidate waits for those who began before it to be seen.
	Settle = 2 * WriteWithin
	// candidacy is how long a candidate can take to lead: another stands only after it.
	candidacy = Settle + 3*WriteWithin
	// Poll is how often an instance that does not lead looks; retry how soon a leader
	// tries again that could not say so.
	Poll  = 5 * time.Second
	retry = time.Second
)

// ErrLost says that this instance does not lead, or not any more.
var ErrLost = errors.New("this instance does not lead: its lease has ended")

// Lease is one instance's part in the leadership of a name.
type Lease struct {
	store        schema.Store
	name, holder string
	log          *slog.Logger
	// serverTime is the time that the server is to take for its own, in milliseconds
	// since 1970; 0 is the server's clock.
	serverTime func() int64
	// now is a clock of this process, which must not go back.
	now func() time.Time

	term uint64
	// stood is when this instance began to stand for leadership; zero while it does not.
	stood time.Time
	// seen is the leader that was last seen, for the log.
	seen string
	// until is when this instance stops to lead, in nanoseconds after began; 0 while it
	// does not lead.
	until atomic.Int64
	began time.Time
}

// New makes a lease on the leadership of name, such as "detectors". It writes nothing.
func New(store schema.Store, name string, log *slog.Logger) *Lease {
	return newLease(store, name, holder(), log, func() int64 { return 0 }, time.Now)
}

func newLease(store schema.Store, name, holder string, log *slog.Logger, serverTime func() int64, now func() time.Time) *Lease {
	return &Lease{store: store, name: name, holder: holder, log: log, serverTime: serverTime, now: now, began: now()}
}

// holder names this process among all that may share the store.
func holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	number := make([]byte, 4)
	_, _ = rand.Read(number) // it never fails
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), hex.EncodeToString(number))
}

// Held is nil while this instance leads, and else ErrLost. It looks at the clock, not at
// the store, so it can be asked before every step that others see.
func (l *Lease) Held() error {
	if until := l.until.Load(); until == 0 || l.now().Sub(l.began) >= time.Duration(until) {
		return ErrLost
	}
	return nil
}

// Run does work whenever this instance leads, until ctx ends. The context of the work
// ends with the lease. Work that ends by itself ends Run, with its error. A store that
// does not answer is logged and tried again. Run returns nil on a clean cancel, and
// then lets others lead at once.
func (l *Lease) Run(ctx context.Context, work func(context.Context) error) error {
	failing := false
	for {
		wait, err := l.step(ctx)
		if ctx.Err() != nil {
			l.release(ctx)
			return nil
		}
		if err != nil && !failing {
			l.log.Error("the store does not tell who leads; it is asked again", "error", err)
		}
		failing = err != nil
		if l.Held() == nil {
			if ended, err := l.lead(ctx, wait, work); ended {
				return err
			}
			continue
		}
		sleep(ctx, wait)
	}
}

// lead does work until the lease is lost, ctx or the work ends; ended says that Run is
// over.
func (l *Lease) lead(ctx context.Context, wait time.Duration, work func(context.Context) error) (ended bool, err error) {
	l.log.Info("this instance leads: it evaluates the rules", "holder", l.holder, "term", l.term)
	working, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- work(working) }()
	for {
		select {
		case err := <-done:
			l.release(ctx)
			return true, err
		case <-ctx.Done():
			err := <-done
			l.release(ctx)
			return true, err
		case <-time.After(wait):
		}
		var failure error
		wait, failure = l.step(ctx)
		if l.Held() == nil {
			if failure != nil && ctx.Err() == nil {
				l.log.Warn("the lease could not be renewed, and is tried again", "error", failure)
			}
			continue
		}
		if ctx.Err() != nil {
			continue // the work ends, and then this
		}
		if failure == nil {
			failure = errors.New("it was not awake to renew it, or another leads")
		}
		l.log.Error("this instance leads no more: its lease was not renewed in time", "term", l.term, "error", failure)
		cancel()
		err := <-done
		if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, ErrLost) {
			l.log.Error("the work of the leader ended with an error", "error", err)
		}
		return false, nil
	}
}

func sleep(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
