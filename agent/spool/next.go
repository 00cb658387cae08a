package spool

import (
	"context"
	"fmt"
	"hash/crc32"

	"github.com/crmwatch/crmwatch/schema"
)

// Next returns the oldest batch that was not handed out yet, and waits for one. Each
// has to be acknowledged; what is not when the spool is closed comes again.
func (s *Spool) Next(ctx context.Context) (*Record, error) {
	select {
	case s.reading <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-s.reading }()
	for {
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			return nil, ErrClosed
		}
		g, changed := s.at(), s.changed
		s.mu.Unlock()
		if g != nil {
			record, err := s.readNext(g)
			if record != nil || err != nil {
				return record, err
			}
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// at is the segment in which the cursor has something to read; nil when there is
// none. It is called with the lock held.
func (s *Spool) at() *segment {
	for _, g := range s.segments {
		if g.info.number < s.cursor.segment {
			continue
		}
		if g.info.number > s.cursor.segment {
			s.cursor = position{g.info.number, segmentHeader}
		}
		if s.cursor.offset < g.durable && g.ext != extAcked {
			return g
		}
		if g != s.active {
			g.closeReader()
		}
	}
	return nil
}

// readNext reads the record at the cursor and moves the cursor on. It returns nothing
// for a record that needs no delivery.
func (s *Spool) readNext(g *segment) (*Record, error) {
	s.mu.Lock()
	at, durable, last := s.cursor.offset, g.durable, g.last
	s.mu.Unlock()
	if g.reader == nil {
		var err error
		if g.reader, err = s.openSegment(g); err != nil {
			return nil, fmt.Errorf("read spool: %w", err)
		}
	}
	c := &scanner{file: g.reader, size: durable, offset: at, window: make([]byte, 0, recordHeader)}
	header := make([]byte, recordHeader)
	if err := readFull(g.reader, header, at); err != nil {
		return nil, fmt.Errorf("read spool segment %s: %w", g.name(), err)
	}
	step := found{offset: at}
	var ok bool
	if step.info, ok = decodeRecord(header); !ok || at+step.info.length() > durable {
		var err error
		if step, err = c.next(); err != nil {
			return nil, fmt.Errorf("read spool: %w", err)
		}
	}
	if step.end {
		s.pass(g, durable)
		s.lose(g, step.info, "records at its end are damaged", nil)
		return nil, nil
	}
	end := step.offset + step.info.length()
	s.mu.Lock()
	sequence := step.info.sequence
	skip := sequence <= s.acked || s.above[sequence] || s.inHole(sequence) || sequence > last
	if gap := max(s.handed, s.acked) + 1; !skip && sequence > gap {
		s.mu.Unlock()
		s.lose(g, recordInfo{sequence: sequence - 1}, "its header is damaged", nil)
		s.mu.Lock()
	}
	s.mu.Unlock()
	if skip {
		s.pass(g, end)
		return nil, nil
	}
	record, err := s.readRecord(g, &step)
	if err != nil {
		return nil, err
	}
	s.pass(g, end)
	return record, nil
}

func (s *Spool) openSegment(g *segment) (File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.FS.Open(g.name())
}

// pass moves the cursor on in a segment.
func (s *Spool) pass(g *segment, to int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cursor.segment == g.info.number {
		s.cursor.offset = to
	}
}

// readRecord reads meta and payload. A damaged payload is told and passed over.
func (s *Spool) readRecord(g *segment, step *found) (*Record, error) {
	info := &step.info
	buffer, b := s.takeKept(info)
	inMemory := buffer != nil
	if !inMemory {
		n := info.metaLength + info.payloadLength
		buffer = s.buffer(n)[:n]
		b = buffer
		if err := readFull(g.reader, b, step.offset+recordHeader); err != nil {
			return nil, fmt.Errorf("read spool segment %s: %w", g.name(), err)
		}
	}
	meta, metaWhole := metaOf(g.cipher, info, b[:info.metaLength])
	payload := b[info.metaLength:]
	whole := inMemory || crc32.Checksum(payload, castagnoli) == info.payloadCRC
	if whole {
		var err error
		payload, err = g.cipher.open(info, partPayload, payload)
		whole = err == nil
	}
	if !whole || !metaWhole {
		if metaWhole {
			meta = append([]byte(nil), meta...)
		} else {
			meta = nil
		}
		s.lose(g, *info, "its content is damaged", meta)
		return nil, nil
	}
	r := &Record{Meta: meta, buffer: buffer}
	r.AgentUID, r.Sequence, r.Sealed = s.agentUID, info.sequence, info.sealed
	if info.eventsRows > 0 {
		r.Events = schema.Frames{Rows: info.eventsRows, Size: info.eventsSize, Hash: info.eventsHash, Data: payload[:info.eventsLength], Framed: info.eventsFramed}
	}
	if info.quarantineRows > 0 {
		r.Quarantine = schema.Frames{Rows: info.quarantineRows, Size: info.quarantineSize, Hash: info.quarantineHash, Data: payload[info.eventsLength:], Framed: info.quarantineFramed}
	}
	s.mu.Lock()
	s.handed = max(s.handed, info.sequence)
	s.mu.Unlock()
	return r, nil
}

// lose tells of records up to info's that cannot be read, and passes them over.
func (s *Spool) lose(g *segment, info recordInfo, why string, meta []byte) {
	s.mu.Lock()
	g.damaged = true
	d := Damage{From: max(s.handed, s.acked) + 1, To: info.sequence, Segment: g.name(), Why: why, Meta: meta}
	if d.To == 0 {
		d.To = g.last
	}
	if meta != nil {
		d.From = d.To
	}
	if d.From > d.To {
		s.mu.Unlock()
		return
	}
	s.handed = max(s.handed, d.To)
	told := s.addHole(d.From, d.To) == 0
	s.advance()
	s.wake()
	s.mu.Unlock()
	if told {
		return // when the spool was opened
	}
	s.Log.Error("batches of the spool cannot be read; what they covered is read again", "first", d.From, "last", d.To, "segment", d.Segment, "why", why)
	if s.OnDamage != nil {
		s.OnDamage(d)
	}
}

// Done acknowledges a record: the database has it. Its bytes are not valid any more.
func (s *Spool) Done(r *Record) error {
	s.mu.Lock()
	s.recycle(r.buffer)
	r.buffer = nil
	s.mu.Unlock()
	return s.Ack(r.Sequence)
}

// Ack acknowledges a batch. Segments that are delivered as a whole are marked so. The
// error is ErrClosed.
func (s *Spool) Ack(sequence uint64) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrClosed
	}
	if sequence > s.acked {
		s.above[sequence] = true
	}
	s.sinceSave++
	finished := s.advance()
	var err error
	// When nothing waits any more, nothing may come for long that would save it.
	if finished || s.acked+1 == s.next || s.sinceSave >= 256 || s.Now().Sub(s.savedAt) >= saveEvery {
		err = s.save()
	}
	if err == nil && finished {
		err = s.finish()
	}
	s.wake()
	s.noteState(err)
	s.mu.Unlock()
	s.sweep(false)
	return nil
}

// noteState logs when acknowledgements cannot be written, and when they can again.
// That is no reason to stop: losing them costs a delivery that the database knows
// already. It is called with the lock held.
func (s *Spool) noteState(err error) {
	if (err != nil) == s.unsaved {
		return
	}
	s.unsaved = err != nil
	if err != nil {
		s.Log.Error("acknowledgements cannot be written; delivering goes on", "error", err)
	} else {
		s.Log.Info("acknowledgements are written again")
	}
}

// advance moves the acknowledged mark over all that follows it, and says whether a
// segment came to its end by that. It is called with the lock held.
func (s *Spool) advance() (finished bool) {
	for {
		next := s.acked + 1
		if s.above[next] {
			delete(s.above, next)
			s.acked = next
			continue
		}
		moved := false
		for i := 0; i < len(s.holes); i++ {
			if h := s.holes[i]; h.To < next {
				s.holes = append(s.holes[:i], s.holes[i+1:]...)
				i--
			} else if h.From <= next {
				s.acked, moved = h.To, true
			}
		}
		if !moved {
			break
		}
	}
	for _, g := range s.segments {
		if g != s.active && g.ext == extReady && g.last <= s.acked {
			finished = true
		}
	}
	return finished
}

// finish marks the segments that are delivered. It is called with the lock held,
// after the state was saved.
func (s *Spool) finish() error {
	renamed := false
	for i := 0; i < len(s.segments); i++ {
		g := s.segments[i]
		if g == s.active || g.ext != extReady || g.last > s.acked {
			continue
		}
		g.closeReader()
		ext := extAcked
		if g.damaged {
			ext = extDamaged
		}
		if err := s.rename(g, ext); err != nil {
			return err
		}
		g.ackedAt, renamed = s.Now(), true
		if g.damaged {
			s.segments = append(s.segments[:i], s.segments[i+1:]...)
			i--
		}
	}
	if !renamed {
		return nil
	}
	return s.FS.SyncFolder()
}

// Redeliver hands out again what was delivered and is still kept: the database lost
// its last seconds. What it has already it stores once.
func (s *Spool) Redeliver() (batches int, err error) {
	s.reading <- struct{}{}
	defer func() { <-s.reading }()
	s.mu.Lock()
	defer s.mu.Unlock()
	first := uint64(0)
	for _, g := range s.segments {
		if g.last < g.first {
			continue
		}
		if first == 0 {
			first = g.first
		}
		if g.ext == extAcked {
			if err := s.rename(g, extReady); err != nil {
				return batches, err
			}
		}
		if g.first <= s.acked {
			batches += int(min(g.last, s.acked) - g.first + 1)
		}
	}
	if first == 0 || first > s.acked {
		return 0, nil
	}
	s.acked, s.handed = first-1, first-1
	clear(s.above)
	s.cursor = position{}
	s.wake()
	if err := s.save(); err != nil {
		return batches, err
	}
	return batches, s.FS.SyncFolder()
}

// Each calls fn with the meta of every readable batch after a sequence number, in
// order. Payloads are not read. It is for the time before the first Append.
func (s *Spool) Each(after uint64, fn func(sequence uint64, meta []byte) error) error {
	s.mu.Lock()
	segments := append([]*segment(nil), s.segments...)
	s.mu.Unlock()
	for _, g := range segments {
		if g.last <= after {
			continue
		}
		err := s.eachOf(g, func(f *found, c *scanner) error {
			if f.info.sequence <= after {
				return nil
			}
			meta, ok, err := c.meta(g.cipher, f)
			if err != nil || !ok {
				return err
			}
			return fn(f.info.sequence, meta)
		})
		if err != nil {
			return fmt.Errorf("read spool: %w", err)
		}
	}
	return nil
}

// eachOf goes through the readable records of a segment.
func (s *Spool) eachOf(g *segment, fn func(*found, *scanner) error) error {
	f, err := s.FS.Open(g.name())
	if err != nil {
		return err
	}
	defer f.Close()
	c := &scanner{file: f, size: g.durable, offset: segmentHeader}
	for {
		step, err := c.next()
		if err != nil || step.end {
			return err
		}
		if step.info.sequence > g.last {
			return nil
		}
		if err := fn(&step, c); err != nil {
			return err
		}
	}
}
