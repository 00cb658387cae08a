package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crmwatch/crmwatch/agent/redact"
	"github.com/crmwatch/crmwatch/agent/spool"
)

// WatchOptions say what a Watcher reads and where it goes.
type WatchOptions struct {
	Sources []Source
	// Inlets are sources whose records come over the network. Receive puts those records
	// into the intake until ctx is done, and returns when no more will come; then, and
	// when the disk has what was put in, Run ends. Both or neither are needed.
	Inlets  []Inlet
	Receive func(ctx context.Context, to *Intake) error
	// Ship takes each batch, one after the other. Positions
	// become durable only when it has returned nil. It is not needed with a Spool.
	Ship func(context.Context, Sealed) error
	// Spool takes each batch together with its positions; a Deliverer sends what it
	// holds. Positions.Follow has to be called before.
	Spool     *spool.Spool
	Positions *Positions
	Redactor  *redact.Redactor
	// Residency keeps out what belongs elsewhere; nil means that everything belongs here.
	Residency *Residency
	Log       *slog.Logger

	// Poll is how often folders and files are looked at; 0 means one second.
	Poll time.Duration
	// Settle is how long an export must stand still to be finished; 0 means two
	// seconds. A shorter time risks reading a file while it is copied in.
	Settle time.Duration
	// RotateWait is how long a rotated log must stand still until it is closed; 0
	// means ten seconds: servers write to the old file until they reopen it.
	RotateWait time.Duration
	// Quiet is how long a log whose records may have several lines must stand still
	// until its last one is taken for whole; 0 means five seconds. What comes later
	// than that is told apart from the record, and goes to quarantine.
	Quiet time.Duration
	// SealAge is how long an event waits for others at most; 0 means one second.
	SealAge time.Duration
	// Drain is how long Run goes on after its context is done; 0 means ten seconds.
	Drain time.Duration
	// MaxUnpacked bounds what comes out of one packed file; 0 means DefaultMaxUnpacked.
	MaxUnpacked int64
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// batchesInFlight is how many sealed batches wait or are inserted at a time.
const batchesInFlight = 2

// Watcher reads sources for as long as it runs. One goroutine looks at files and
// follows logs, one loads exports, one takes in what is received, one ships; a batch
// travels from the first three to the last, and when the database stands still, so
// does reading, while files are still looked after: their descriptors are held, so
// rotation loses nothing.
type Watcher struct {
	WatchOptions
	sources []*sourceState
	sealer  *sealer
	free    chan *filling
	out     chan Sealed
	freed   chan struct{}
	exports chan exportJob
	intake  *Intake
	ledger  ledger
	polls   atomic.Uint64
	buf     []byte

	readers sync.WaitGroup
}

// NewWatcher checks the options and makes a watcher; Run starts it.
func NewWatcher(o WatchOptions) (*Watcher, error) {
	if o.Ship == nil && o.Spool == nil || o.Positions == nil || o.Redactor == nil {
		return nil, errors.New("watch: Ship or Spool, Positions and Redactor are needed")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	setDefault(&o.Poll, time.Second)
	setDefault(&o.Settle, 2*time.Second)
	setDefault(&o.RotateWait, 10*time.Second)
	setDefault(&o.Quiet, 5*time.Second)
	setDefault(&o.SealAge, time.Second)
	setDefault(&o.Drain, 10*time.Second)
	w := &Watcher{
		WatchOptions: o,
		free:         newFillings(batchesInFlight),
		out:          make(chan Sealed, batchesInFlight),
		freed:        make(chan struct{}, 1),
		exports:      make(chan exportJob, exportQueue),
		buf:          make([]byte, 0, blockSize),
	}
	w.sealer = newSealer(w.Redactor.Clone(), w.free, w.out)
	names := map[string]bool{}
	for _, source := range o.Sources {
		if err := source.Check(); err != nil {
			return nil, fmt.Errorf("watch: %w", err)
		}
		if names[source.Name] {
			return nil, fmt.Errorf("watch: two sources are named %s", source.Name)
		}
		names[source.Name] = true
		w.sources = append(w.sources, newSourceState(w, source))
	}
	if err := w.openIntake(names); err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	if w.Spool != nil {
		if err := w.inherit(); err != nil {
			return nil, fmt.Errorf("watch: %w", err)
		}
	}
	return w, nil
}

func setDefault(d *time.Duration, value time.Duration) {
	if *d <= 0 {
		*d = value
	}
}

// Run reads until ctx is done, then ships what it has read, for Drain at most, and
// returns nil. What was not shipped in time is read again by the next Run.
func (w *Watcher) Run(ctx context.Context) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	shipCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(w.Drain, stop) })()
	var shipper sync.WaitGroup
	var shipErr error
	shipper.Go(func() {
		if shipErr = w.shipAll(shipCtx); shipErr != nil {
			fail(shipErr)
		}
		w.discardRest()
	})
	w.readers.Go(func() { w.loadExports(ctx, shipCtx) })
	var receiveErr error
	if w.Receive != nil {
		w.readers.Go(func() { w.takeIn(shipCtx) })
		w.readers.Go(func() {
			defer w.intake.close()
			if receiveErr = w.Receive(ctx, w.intake); receiveErr != nil {
				fail(receiveErr)
			}
		})
	}
	w.follow(ctx)
	err := w.sealer.seal(shipCtx)
	close(w.exports)
	w.readers.Wait()
	close(w.out)
	shipper.Wait()
	for _, source := range w.sources {
		source.close()
	}
	if err = cmp.Or(shipErr, receiveErr, err); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("watch: %w", err)
	}
	return nil
}

// follow polls until ctx is done; at once while there is more to read, else at the
// next tick or when a batch has left.
func (w *Watcher) follow(ctx context.Context) {
	for ctx.Err() == nil {
		if w.poll(ctx) {
			continue
		}
		wait := time.NewTimer(min(w.Poll, w.SealAge))
		select {
		case <-ctx.Done():
		case <-wait.C:
		case <-w.freed:
		}
		wait.Stop()
	}
}

// poll looks at every source once and reads a stretch of every log that grew. It
// says whether there is more to read at once.
func (w *Watcher) poll(ctx context.Context) (more bool) {
	now := w.Now()
	var named []SourcePosition
	for _, source := range w.sources {
		named = append(named, source.look(now)...)
	}
	if err := w.Positions.Commit(named, now); err != nil {
		// Without a durable id nothing of a new generation may be shipped.
		w.Log.Error("positions cannot be written; reading waits", "error", err)
		return false
	}
	for _, source := range w.sources {
		for _, g := range source.generations {
			if ctx.Err() != nil {
				return false
			}
			if source.read(ctx, g, now) {
				more = true
			}
		}
		source.retire(now)
	}
	if !w.sealer.empty() && (w.sealer.full() || now.Sub(w.sealer.since) >= w.SealAge) {
		if ok, err := w.sealer.trySeal(ctx); !ok || err != nil {
			more = false
		}
	}
	w.publish(now)
	w.polls.Add(1)
	return more
}

// shipAll ships batches in order until there are no more or one cannot be shipped.
func (w *Watcher) shipAll(ctx context.Context) error {
	var e encoder
	for s := range w.out {
		err := e.encode(&s)
		if err == nil {
			err = w.ship(ctx, s)
		}
		w.free <- s.filling
		if err != nil {
			w.giveUp(&s)
			return err
		}
		s.settle(nil)
		select {
		case w.freed <- struct{}{}:
		default:
		}
	}
	return nil
}

// discardRest lets those who still seal come to an end: what they hand on is read
// again by the next run.
func (w *Watcher) discardRest() {
	for s := range w.out {
		w.free <- s.filling
		w.giveUp(&s)
	}
}

// giveUp tells those who wait for a batch that it comes to nothing, and counts what of
// it was received and will not come again.
func (w *Watcher) giveUp(s *Sealed) {
	s.settle(errNotKept)
	for _, c := range s.counts {
		if slices.ContainsFunc(w.Inlets, func(in Inlet) bool { return in.Name == c.source }) {
			w.intake.Lost(c.source, "stopping", c.events+c.quarantined, 0)
		}
	}
}

// ship hands one batch on, and makes its positions durable when it is acknowledged.
func (w *Watcher) ship(ctx context.Context, s Sealed) error {
	if w.Spool != nil {
		return w.spoolBatch(ctx, s)
	}
	if err := w.Ship(ctx, s); err != nil {
		return err
	}
	w.ledger.shipped(s.counts)
	for failing := false; ; failing = true {
		err := w.Positions.Commit(s.Positions, w.Now())
		if err == nil {
			return nil
		}
		if !failing {
			w.Log.Error("positions cannot be written; shipping waits", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}
