package spool

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// room waits until the quota has room for n more bytes, or makes it.
func (s *Spool) room(ctx context.Context, n int64) error {
	for {
		s.mu.Lock()
		err, changed := s.fatal, s.changed
		if s.closed {
			err = ErrClosed
		}
		over := s.bytes()+n > s.Quota
		if err != nil || !over {
			s.setWaiting(false)
			s.mu.Unlock()
			return err
		}
		s.mu.Unlock()
		if s.sweep(true) {
			continue
		}
		s.mu.Lock()
		if s.WhenFull == Drop && s.dropOldest() {
			s.mu.Unlock()
			continue
		}
		if s.pendingBatches() == 0 && s.commit == nil {
			// Larger than the whole quota: then it is alone.
			s.mu.Unlock()
			return nil
		}
		s.setWaiting(true)
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-changed:
		}
	}
}

// setWaiting logs the beginning and the end of backpressure. It is called with the
// lock held.
func (s *Spool) setWaiting(waiting bool) {
	if waiting == s.stats.Waiting {
		return
	}
	s.stats.Waiting = waiting
	if waiting {
		s.Log.Warn("the spool has reached its quota; reading waits until batches are delivered", "quota_bytes", s.Quota, "pending_batches", s.pendingBatches())
	} else {
		s.Log.Info("the spool has room again")
	}
}

// noteFull logs when the disk becomes full and when it has room again.
func (s *Spool) noteFull(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	full := isFull(err)
	if full == s.full || err != nil && !full {
		return
	}
	s.full = full
	s.stats.DiskFull = full
	if full {
		s.Log.Error("the disk of the spool is full; reading waits until there is room", "error", err)
	} else {
		s.Log.Info("the disk of the spool has room again")
	}
}

// bytes is what the segments take on disk. It is called with the lock held.
func (s *Spool) bytes() (n int64) {
	for _, g := range s.segments {
		n += g.size
	}
	return n
}

// sweep deletes delivered segments that were kept long enough, or, in need of room,
// all of them. It says whether it deleted any.
func (s *Spool) sweep(need bool) (deleted bool) {
	s.mu.Lock()
	var old []*segment
	now := s.Now()
	for _, g := range s.segments {
		if g.ext == extAcked && !g.damaged && (need || now.Sub(g.ackedAt) >= s.RetainAfterAck) {
			old = append(old, g)
		}
	}
	s.mu.Unlock()
	if len(old) == 0 {
		return false
	}
	if s.BeforeUnlink != nil {
		if err := s.BeforeUnlink(); err != nil {
			s.Log.Error("positions cannot be written; delivered segments stay", "error", err)
			return false
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// The next number has to be durable before the segments that prove it are gone.
	if err := s.save(); err != nil {
		s.Log.Error("the state of the spool cannot be written; delivered segments stay", "error", err)
		return false
	}
	for _, g := range old {
		if g.ext != extAcked || !slices.Contains(s.segments, g) {
			continue // it is delivered again, or gone
		}
		g.closeReader()
		if err := s.FS.Remove(g.name()); err != nil {
			s.Log.Error("a delivered segment cannot be deleted", "segment", g.name(), "error", err)
			continue
		}
		s.segments = slices.DeleteFunc(s.segments, func(other *segment) bool { return other == g })
		deleted = true
	}
	if err := s.FS.SyncFolder(); err != nil {
		s.Log.Error("the spool folder cannot be synced", "error", err)
	}
	return deleted
}

// dropOldest gives up the oldest segment that nobody has begun to deliver, and counts
// it. It is called with the lock held.
func (s *Spool) dropOldest() bool {
	for _, g := range s.segments {
		if g == s.active || g.ext != extReady || g.first <= s.handed || g.last < g.first {
			continue
		}
		h := hole{g.first, g.last}
		s.stats.DroppedBatches += uint64(g.batches)
		s.stats.DroppedRows += uint64(g.rows)
		s.holes = append(s.holes, h)
		s.Log.Error("the spool has reached its quota; its oldest batches are dropped", "first", h.From, "last", h.To, "rows", g.rows)
		if err := s.save(); err != nil {
			s.Log.Error("the state of the spool cannot be written", "error", err)
		}
		g.closeReader()
		if err := s.FS.Remove(g.name()); err != nil {
			s.Log.Error("a segment cannot be deleted", "segment", g.name(), "error", err)
			return false
		}
		s.segments = slices.DeleteFunc(s.segments, func(other *segment) bool { return other == g })
		s.advance()
		return true
	}
	return false
}

// Stats is how a spool stands.
type Stats struct {
	// Bytes is what the segments take, delivered ones included.
	Bytes, Quota int64
	// Pending is what is durable and not acknowledged.
	PendingBatches uint64
	PendingRows    int64
	// Oldest is when the oldest pending batch was sealed, as far as its segment tells.
	Oldest time.Time
	// Waiting says that appends wait for the quota, DiskFull for the disk.
	Waiting, DiskFull bool
	// Counted since the spool was made.
	DroppedBatches, DroppedRows uint64
	// Counted since it was opened.
	DamagedBatches, Syncs uint64
	// Next is the sequence number of the next batch, Acked that through which all are
	// acknowledged.
	Next, Acked uint64
}

// Stats says how the spool stands.
func (s *Spool) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Bytes, stats.Quota, stats.Next, stats.Acked = s.bytes(), s.Quota, s.next, s.acked
	stats.PendingBatches = s.pendingBatches()
	for _, g := range s.segments {
		if g.ext == extAcked || g.last <= s.acked {
			continue
		}
		stats.PendingRows += g.rows
		if stats.Oldest.IsZero() {
			stats.Oldest = g.oldest
		}
	}
	return stats
}

// pendingBatches counts what is not acknowledged. It is called with the lock held.
func (s *Spool) pendingBatches() uint64 {
	pending := s.next - 1 - s.acked - uint64(len(s.above))
	for _, h := range s.holes {
		if h.To > s.acked {
			pending -= h.To - max(h.From, s.acked+1) + 1
		}
	}
	return pending
}

// String is the hole for a person.
func (h hole) String() string {
	if h.From == h.To {
		return fmt.Sprint(h.From)
	}
	return fmt.Sprintf("%d-%d", h.From, h.To)
}
