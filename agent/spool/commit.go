package spool

import (
	"context"
	"errors"
	"time"
)

// errTorn is a segment with half a record at its end.
var errTorn = errors.New("half a record is written")

// commit is a group of records that one sync makes durable.
type commit struct {
	records []*pending
	bytes   int64
	// full is closed when there is enough to sync at once, done when it is decided.
	full, done chan struct{}
	err        error
}

// lead waits for others to join the commit and then makes it durable.
func (s *Spool) lead(c *commit) {
	timer := time.NewTimer(s.SyncDelay)
	select {
	case <-timer.C:
	case <-c.full:
	}
	timer.Stop()
	s.turn <- struct{}{}
	c.err = s.sync(c)
	<-s.turn
	close(c.done)
}

// sync makes all that is written durable. A sync that failed is never trusted to
// have worked later, because the kernel forgets what it could not write: the records
// go into a new segment.
func (s *Spool) sync(c *commit) error {
	err := s.trySync(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commit, s.orphans = nil, nil
	if err == nil {
		s.active.durable = s.active.size
		s.stats.Syncs++
		s.keep(c.records)
	}
	s.wake()
	return err
}

func (s *Spool) trySync(c *commit) error {
	for attempt := 0; ; {
		err := s.place(context.Background(), nil, 0)
		if err != nil {
			return err
		}
		s.mu.Lock()
		file := s.active.file
		s.mu.Unlock()
		if err = file.Sync(); err == nil {
			return nil
		}
		s.noteFull(err)
		if !isFull(err) {
			if attempt++; attempt >= maxAttempts {
				return s.fail(err)
			}
			s.Log.Error("a spool segment cannot be synced; its records go into a new one", "error", err)
		}
		s.abandon()
		if isFull(err) {
			s.sweep(true)
			if err := s.pause(context.Background(), 100*time.Millisecond); err != nil {
				return err
			}
		}
	}
}

// What is kept in memory of records that are about to be handed out.
const (
	keptRecords     = 2
	keptRecordBytes = 64 << 20
)

// keep leaves records that are next to be handed out in memory, so that they need not
// be read from the disk again. It is called with the lock held, after the sync.
func (s *Spool) keep(records []*pending) {
	for sequence, b := range s.kept {
		if sequence <= s.handed {
			delete(s.kept, sequence)
			s.recycle(b)
		}
	}
	for _, p := range records {
		if p.info.sequence <= max(s.handed, s.acked)+keptRecords && len(s.kept) < keptRecords && len(p.buffer) <= keptRecordBytes/keptRecords {
			s.kept[p.info.sequence] = p.buffer
			p.buffer = nil
		}
	}
}

// takeKept is the record's bytes behind its header, if they are in memory.
func (s *Spool) takeKept(info *recordInfo) (whole, behind []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	whole = s.kept[info.sequence]
	delete(s.kept, info.sequence)
	if int64(len(whole)) != info.length() {
		return nil, nil
	}
	return whole, whole[recordHeader:]
}
