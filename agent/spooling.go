package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/crmwatch/crmwatch/agent/spool"
	"github.com/crmwatch/crmwatch/schema"
)

// spoolMeta is what a spooled batch covers: it stands in the batch's own record, so
// that data and positions cannot disagree.
type spoolMeta struct {
	Positions []SourcePosition `json:"positions,omitempty"`
	Counts    []metaCount      `json:"counts,omitempty"`
}

type metaCount struct {
	Source      string `json:"source"`
	Events      int64  `json:"events,omitempty"`
	Quarantined int64  `json:"quarantined,omitempty"`
}

func (s *Sealed) meta() ([]byte, error) {
	m := spoolMeta{Positions: s.Positions}
	for _, c := range s.counts {
		m.Counts = append(m.Counts, metaCount{c.source, c.events, c.quarantined})
	}
	return json.Marshal(m)
}

// spoolBatch keeps a sealed batch in the spool. When it returns nil, batch and
// positions are durable.
func (w *Watcher) spoolBatch(ctx context.Context, s Sealed) error {
	meta, err := s.meta()
	if err != nil {
		return fmt.Errorf("describe batch: %w", err)
	}
	sequence, err := w.Spool.Append(ctx, spool.Batch{Meta: meta, Sealed: w.Now(), Events: s.Events, Quarantine: s.Quarantine})
	if err != nil {
		return err
	}
	w.Positions.cover(s.Positions, sequence, w.Now())
	return nil
}

// Follow brings the positions up to what the spool has, and from then on keeps them
// in memory: a batch's record makes them durable. What the spool lost is read again
// from its source; what of it is stored already collapses with it.
func (p *Positions) Follow(s *spool.Spool, r spool.Recovery, log *slog.Logger) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.spoolUID != s.AgentUID() {
		p.sequence = 0
	}
	p.spoolUID = s.AgentUID()
	now := time.Now()
	err := s.Each(p.sequence, func(sequence uint64, data []byte) error {
		var m spoolMeta
		if err := json.Unmarshal(data, &m); err != nil {
			return fmt.Errorf("read what batch %d covers: %w", sequence, err)
		}
		p.take(m.Positions, sequence, now)
		p.sequence = sequence
		return nil
	})
	if err != nil {
		return fmt.Errorf("bring positions up to the spool: %w", err)
	}
	for _, d := range r.Missing {
		p.reread(d.From, log)
	}
	return p.write()
}

// Reread forgets what was covered at or after a sequence number, so that the next
// start reads it again.
func (p *Positions) Reread(d spool.Damage, log *slog.Logger) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reread(d.From, log)
	if err := p.write(); err != nil {
		log.Error("positions cannot be written", "error", err)
	}
}

// reread is called with the lock held.
func (p *Positions) reread(from uint64, log *slog.Logger) {
	for id, position := range p.byID {
		if position.Sequence < from {
			continue
		}
		log.Warn("a file is read again from its start", "source", position.Source, "file", position.Path)
		if position.Export {
			delete(p.byID, id)
			continue
		}
		position.Offset, position.Line, position.Marker, position.Ended, position.Sequence = 0, 0, "", false, 0
		p.byID[id] = position
	}
}

// cover notes positions that are durable in the record of a batch.
func (p *Positions) cover(positions []SourcePosition, sequence uint64, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.take(positions, sequence, now)
	p.sequence = max(p.sequence, sequence)
	p.forget(now)
}

// Snapshot makes all positions durable apart from the spool, which may delete its
// delivered batches then.
func (p *Positions) Snapshot() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.write()
}

// inherit counts what an earlier run has left in the spool as read and not stored.
func (w *Watcher) inherit() error {
	return w.Spool.Each(w.Spool.Stats().Acked, func(_ uint64, data []byte) error {
		var m spoolMeta
		if err := json.Unmarshal(data, &m); err != nil {
			return err
		}
		for _, c := range m.Counts {
			w.ledger.read(c.Source, c.Events, c.Quarantined, 0)
		}
		return nil
	})
}

// Delivered counts a batch as stored. meta is its record's.
func (w *Watcher) Delivered(meta []byte) {
	var m spoolMeta
	if json.Unmarshal(meta, &m) != nil {
		return
	}
	counts := make([]sourceCount, 0, len(m.Counts))
	for _, c := range m.Counts {
		counts = append(counts, sourceCount{c.Source, c.Events, c.Quarantined})
	}
	w.ledger.shipped(counts)
}

// Deliverer sends what is in a spool, in order, one batch after the other.
type Deliverer struct {
	Spool *spool.Spool
	// Send returns nil when the batch is stored for good. It tries as long as it takes;
	// an error means that ctx is done or that it will never work.
	Send func(context.Context, schema.Delivery) error
	Log  *slog.Logger
	// Delivered, if not nil, is called with the meta of each batch that was stored.
	Delivered func(meta []byte)
}

// Run delivers until ctx is done and returns nil then.
func (d *Deliverer) Run(ctx context.Context) error {
	for {
		r, err := d.Spool.Next(ctx)
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, spool.ErrClosed) {
				return nil
			}
			// A disk that fails to read may work again; what it holds is not lost yet.
			d.Log.Error("the spool cannot be read and is tried again", "error", err)
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(time.Second):
			}
			continue
		}
		if err := d.Send(ctx, r.Delivery); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("deliver batch %d: %w", r.Sequence, err)
		}
		meta := r.Meta
		if d.Delivered != nil {
			d.Delivered(meta)
		}
		if err := d.Spool.Done(r); err != nil {
			return nil // it is closed
		}
	}
}
