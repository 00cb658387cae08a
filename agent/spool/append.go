package spool

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"time"
)

// pending is a record that is being written: header, meta and payload in one buffer,
// with room for the encryption's tags.
type pending struct {
	info    recordInfo
	buffer  []byte
	meta    int // length of the plain meta
	payload int // of the plain payload
	rows    int64
	// cipher is what the parts in the buffer are encrypted with.
	cipher *segmentCipher
}

// Append keeps a batch and returns its sequence number when it is durable. It waits
// while the quota is reached or the disk is full. An error means that ctx is done,
// that the spool is closed, or ErrNotDurable: then the batch may be lost.
func (s *Spool) Append(ctx context.Context, b Batch) (uint64, error) {
	p, err := s.encode(b)
	if err != nil {
		return 0, err
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	c, leads, err := s.write(ctx, p)
	<-s.turn
	if err != nil {
		s.release(p)
		return 0, fmt.Errorf("spool batch: %w", err)
	}
	if leads {
		s.lead(c)
	}
	<-c.done
	s.release(p)
	if c.err != nil {
		return 0, fmt.Errorf("spool batch: %w", c.err)
	}
	return p.info.sequence, nil
}

func (s *Spool) release(p *pending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recycle(p.buffer)
	p.buffer = nil
}

// encode lays out the record but for what its segment decides.
func (s *Spool) encode(b Batch) (*pending, error) {
	var f *framer
	select {
	case f = <-s.framers:
	default:
		var err error
		if f, err = newFramer(s.Compression); err != nil {
			return nil, err
		}
	}
	defer func() {
		select {
		case s.framers <- f:
		default:
		}
	}()
	p := &pending{meta: len(b.Meta), rows: int64(b.Events.Rows + b.Quarantine.Rows)}
	// Encryption puts a tag behind each part; the gap for that of the meta is there
	// from the start.
	buf := s.buffer(recordHeader + len(b.Meta) + len(b.Events.Data) + len(b.Quarantine.Data) + 128)
	buf = append(buf[:recordHeader], b.Meta...)
	if len(s.keys) > 0 {
		buf = append(buf, make([]byte, 16)...)
	}
	start := len(buf)
	var err error
	if buf, p.info.eventsFramed, err = f.append(buf, b.Events); err != nil {
		return nil, fmt.Errorf("spool batch: %w", err)
	}
	p.info.eventsLength = len(buf) - start
	if buf, p.info.quarantineFramed, err = f.append(buf, b.Quarantine); err != nil {
		return nil, fmt.Errorf("spool batch: %w", err)
	}
	p.payload = len(buf) - start
	if len(s.keys) > 0 {
		buf = append(buf, make([]byte, 16)...)
	}
	p.buffer = buf
	if p.meta > maxMeta || p.payload > maxPayload-16 {
		return nil, fmt.Errorf("spool batch: it has %d bytes, more than a record can hold", len(buf))
	}
	p.info.sealed = b.Sealed
	p.info.eventsRows, p.info.eventsSize, p.info.eventsHash = b.Events.Rows, b.Events.Size, b.Events.Hash
	p.info.quarantineRows, p.info.quarantineSize, p.info.quarantineHash = b.Quarantine.Rows, b.Quarantine.Size, b.Quarantine.Hash
	return p, nil
}

// stamp finishes the record for a place in a segment.
func (p *pending) stamp(g *segment, sequence uint64) error {
	gap := g.cipher.overhead()
	metaEnd := recordHeader + p.meta
	payloadStart := metaEnd + gap
	if p.cipher != nil {
		// It was in a segment that failed: back to plain first.
		if _, err := p.cipher.open(&p.info, partMeta, p.buffer[recordHeader:payloadStart]); err != nil {
			return err
		}
		if _, err := p.cipher.open(&p.info, partPayload, p.buffer[payloadStart:]); err != nil {
			return err
		}
		p.cipher = nil
	}
	p.info.sequence, p.info.counter = sequence, g.counter
	p.info.metaLength, p.info.payloadLength = p.meta+gap, p.payload+gap
	if g.cipher != nil {
		g.cipher.seal(&p.info, partMeta, p.buffer[recordHeader:metaEnd])
		g.cipher.seal(&p.info, partPayload, p.buffer[payloadStart:payloadStart+p.payload])
		p.cipher = g.cipher
	}
	p.info.metaCRC = crc32.Checksum(p.buffer[recordHeader:payloadStart], castagnoli)
	p.info.payloadCRC = crc32.Checksum(p.buffer[payloadStart:], castagnoli)
	p.info.put(p.buffer)
	return nil
}

// maxAttempts is how often in a row the disk may fail to keep a batch.
const maxAttempts = 4

// write puts the record behind all others and joins the commit that makes it durable.
// The caller holds the turn.
func (s *Spool) write(ctx context.Context, p *pending) (c *commit, leads bool, err error) {
	if err := s.room(ctx, int64(len(p.buffer))); err != nil {
		return nil, false, err
	}
	s.mu.Lock()
	sequence := s.next
	s.mu.Unlock()
	if err := s.place(ctx, p, sequence); err != nil {
		return nil, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	if s.commit == nil {
		s.commit = &commit{done: make(chan struct{}), full: make(chan struct{})}
		leads = true
	}
	c = s.commit
	c.records = append(c.records, p)
	before := c.bytes
	c.bytes += int64(len(p.buffer))
	if before < s.SyncBytes && c.bytes >= s.SyncBytes {
		close(c.full)
	}
	return c, leads, nil
}

// place writes the record into the active segment or a new one, behind those that
// lost theirs. A full disk is waited for; a segment in which writing fails otherwise
// is left for a new one. Without a record only the lost ones are written.
func (s *Spool) place(ctx context.Context, p *pending, sequence uint64) error {
	wait := 50 * time.Millisecond
	for attempt := 0; ; {
		err := s.placeOrphans()
		if err == nil && p != nil {
			err = s.tryPlace(p, sequence)
		}
		s.noteFull(err)
		if err == nil {
			return nil
		}
		if !isFull(err) {
			if attempt++; attempt >= maxAttempts {
				return s.fail(err)
			}
			s.Log.Error("a spool segment cannot be written; a new one is begun", "error", err)
		}
		s.abandonTorn(err)
		if isFull(err) {
			s.sweep(true)
			if err := s.pause(ctx, wait); err != nil {
				return err
			}
			wait = min(2*wait, 2*time.Second)
		}
	}
}

// placeOrphans writes the records of the open commit whose segment was abandoned.
func (s *Spool) placeOrphans() error {
	for {
		s.mu.Lock()
		if len(s.orphans) == 0 {
			s.mu.Unlock()
			return nil
		}
		p := s.orphans[0]
		s.mu.Unlock()
		if err := s.tryPlace(p, p.info.sequence); err != nil {
			return err
		}
		s.mu.Lock()
		s.orphans = s.orphans[1:]
		s.mu.Unlock()
	}
}

func (s *Spool) tryPlace(p *pending, sequence uint64) error {
	g, err := s.segmentFor(sequence)
	if err != nil {
		return err
	}
	if err := p.stamp(g, sequence); err != nil {
		return err
	}
	if err := writeAll(g.file, p.buffer, g.size); err != nil {
		// What was written of it must not stand in front of the next record.
		if cut := g.file.Truncate(g.size); cut != nil {
			return fmt.Errorf("%w in %s: %w, and it cannot be taken back: %w", errTorn, g.name(), err, cut)
		}
		return fmt.Errorf("write %s: %w", g.name(), err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g.size += int64(len(p.buffer))
	g.counter++
	g.last = sequence
	g.batches++
	g.rows += p.rows
	if g.oldest.IsZero() {
		g.oldest = p.info.sealed
	}
	return nil
}

// segmentFor is the active segment, or a new one when that has its size.
func (s *Spool) segmentFor(sequence uint64) (*segment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.active; g != nil {
		// A segment with records that wait for their sync is not closed under them.
		young := s.Now().Sub(g.info.created) < segmentAge || g.batches == 0
		if s.commit != nil || g.size < s.SegmentBytes && young {
			return g, nil
		}
		if err := s.retire(); err != nil {
			return nil, err
		}
	}
	g, err := s.begin(sequence)
	if err != nil {
		return nil, err
	}
	s.number = g.info.number
	s.segments = append(s.segments, g)
	s.active = g
	return g, nil
}

// segmentAge closes a segment that takes long to fill, so that it can be let go.
const segmentAge = 5 * time.Minute

// retire closes the active segment: it has its size. It is called with the lock held.
func (s *Spool) retire() error {
	g := s.active
	if err := s.rename(g, extReady); err != nil {
		return err
	}
	if err := s.FS.SyncFolder(); err != nil {
		return fmt.Errorf("retire segment %s: %w", g.name(), err)
	}
	g.file.Close()
	g.file, s.active = nil, nil
	return nil
}

// abandonTorn leaves the active segment after an error, unless the disk was full and
// the segment is as it was before.
func (s *Spool) abandonTorn(err error) {
	if isFull(err) && !errors.Is(err, errTorn) {
		return
	}
	s.abandon()
}

// abandon leaves the active segment, of which only the synced part is trusted. The
// records that wait for their sync become orphans. The caller holds the turn.
func (s *Spool) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.active
	if g == nil {
		return
	}
	s.active = nil
	var waiting []*pending
	if s.commit != nil {
		waiting = s.commit.records
	}
	written := waiting[:len(waiting)-len(s.orphans)]
	s.orphans = slices.Clone(waiting)
	for _, p := range written {
		g.batches--
		g.rows -= p.rows
	}
	if len(waiting) > 0 {
		g.last = waiting[0].info.sequence - 1
	}
	g.size = g.durable
	// Should the cut fail: the later copy of a record goes before the earlier one.
	_ = g.file.Truncate(g.durable)
	g.file.Close()
	g.file = nil
	if g.batches == 0 {
		s.segments = slices.DeleteFunc(s.segments, func(other *segment) bool { return other == g })
		_ = s.FS.Remove(g.name())
		return
	}
	_ = s.rename(g, extReady)
}

// fail ends the spool's taking: the disk does not keep anything.
func (s *Spool) fail(cause error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fatal = fmt.Errorf("%w: %w", ErrNotDurable, cause)
	s.wake()
	return s.fatal
}

// pause waits for a while, or until something has changed.
func (s *Spool) pause(ctx context.Context, d time.Duration) error {
	s.mu.Lock()
	changed, closed := s.changed, s.closed
	s.mu.Unlock()
	if closed {
		return ErrClosed
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-changed:
	case <-timer.C:
	}
	return nil
}
