package spool

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Recovery is what Open found.
type Recovery struct {
	// Missing are batches that were not delivered and cannot be read.
	Missing []Damage
	// SetAside names files that were renamed, with the reason.
	SetAside []string
	// TornBytes is what was being written when the last run ended.
	TornBytes int64
	// Pending is how many batches wait for delivery.
	Pending uint64
}

// recover finds out what the last run left. Nothing is changed before it is sure
// that no segment is of a newer crmwatch.
func (s *Spool) recover() (Recovery, error) {
	var r Recovery
	names, err := s.FS.List()
	if err != nil {
		return r, fmt.Errorf("list segments: %w", err)
	}
	slices.Sort(names)
	segments, bad, err := s.readHeaders(names)
	if err != nil {
		return r, err
	}
	state, known, err := s.readState()
	if err != nil {
		return r, err
	}
	for _, name := range names {
		if strings.HasSuffix(name, extTemporary) {
			if err := s.FS.Remove(name); err != nil {
				return r, fmt.Errorf("remove unfinished %s: %w", name, err)
			}
		}
	}
	if err := s.identify(state, known, segments); err != nil {
		return r, err
	}
	for _, name := range bad {
		if err := s.setAside(&r, name, extDamaged, "its header is damaged"); err != nil {
			return r, err
		}
	}
	if err := s.admit(&r, segments); err != nil {
		return r, err
	}
	s.next = max(1, state.Next)
	s.acked, s.holes = state.Acked, state.Holes
	s.stats.DroppedBatches, s.stats.DroppedRows = state.DroppedBatches, state.DroppedRows
	for _, sequence := range state.Above {
		s.above[sequence] = true
	}
	var damage []Damage
	for _, g := range s.segments {
		found, err := s.scan(&r, g)
		if err != nil {
			return r, err
		}
		damage = append(damage, found...)
	}
	s.overlay()
	if !known {
		s.assumeAcked()
	}
	s.findMissing(&r, damage)
	s.advance()
	if err := s.settle(); err != nil {
		return r, err
	}
	r.Pending = s.pendingBatches()
	s.sweep(false)
	return r, nil
}

// readHeaders reads the headers of all segments and names those that have none.
func (s *Spool) readHeaders(names []string) (segments []*segment, bad []string, err error) {
	for _, name := range names {
		base, ext, _ := strings.Cut(name, ".")
		ext = "." + ext
		if ext != extOpen && ext != extReady && ext != extAcked {
			continue
		}
		if number, err := strconv.ParseUint(base, 10, 64); err == nil {
			s.number = max(s.number, number)
		}
		info, err := s.readHeader(name)
		var newer *NewerFormatError
		switch {
		case errors.As(err, &newer):
			return nil, nil, err
		case errors.Is(err, errDamagedHeader):
			bad = append(bad, name)
			continue
		case err != nil:
			return nil, nil, fmt.Errorf("read segment %s: %w", name, err)
		}
		s.number = max(s.number, info.number)
		segments = append(segments, &segment{info: info, base: base, ext: ext, first: info.first, last: info.first - 1})
	}
	slices.SortStableFunc(segments, func(a, b *segment) int {
		return cmp.Or(cmp.Compare(a.info.number, b.info.number), cmp.Compare(a.strayness(), b.strayness()))
	})
	return segments, bad, nil
}

// strayness is 0 for a segment that has the name it was given.
func (g *segment) strayness() int {
	if g.base == segmentBase(g.info.number) {
		return 0
	}
	return 1
}

func (s *Spool) readHeader(name string) (segmentInfo, error) {
	f, err := s.FS.Open(name)
	if err != nil {
		return segmentInfo{}, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return segmentInfo{}, err
	}
	header := make([]byte, min(size, segmentHeader))
	if err := readFull(f, header, 0); err != nil {
		return segmentInfo{}, err
	}
	return decodeSegment(name, header)
}

// identify decides which agent uid the spool has: that of its state, else that of
// its newest segment, else a new one.
func (s *Spool) identify(state savedState, known bool, segments []*segment) (err error) {
	switch {
	case known:
		s.agentUID = state.AgentUID
	case len(segments) > 0:
		s.agentUID = segments[len(segments)-1].info.agentUID
	default:
		s.agentUID, err = newAgentUID()
	}
	return err
}

func (s *Spool) setAside(r *Recovery, name, ext, why string) error {
	base, _, _ := strings.Cut(name, ".")
	if err := s.FS.Rename(name, base+ext); err != nil {
		return fmt.Errorf("set segment %s aside: %w", name, err)
	}
	r.SetAside = append(r.SetAside, fmt.Sprintf("%s%s: %s", base, ext, why))
	s.Log.Error("a segment is set aside", "segment", base+ext, "why", why)
	return nil
}

// admit takes the segments that are this spool's and can be opened.
func (s *Spool) admit(r *Recovery, segments []*segment) error {
	var last uint64
	for i, g := range segments {
		var err error
		switch {
		case g.info.agentUID != s.agentUID:
			err = s.setAside(r, g.name(), extForeign, "it is of another agent")
		case i > 0 && g.info.number == last:
			err = s.setAside(r, g.name(), extDuplicate, "it is a copy of another segment")
		default:
			last = g.info.number
			g.cipher, err = s.cipherFor(&g.info)
			if errors.Is(err, errUnknownKey) {
				err = s.setAside(r, g.name(), extUnreadable, errUnknownKey.Error())
				break
			}
			s.segments = append(s.segments, g)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// scan finds a segment's records. In one that was written to when the last run
// ended, payloads are checked too, because the disk may have kept a header and not
// what follows it.
func (s *Spool) scan(r *Recovery, g *segment) ([]Damage, error) {
	f, err := s.FS.Open(g.name())
	if err != nil {
		return nil, fmt.Errorf("open segment %s: %w", g.name(), err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, fmt.Errorf("open segment %s: %w", g.name(), err)
	}
	c := &scanner{file: f, size: size, offset: segmentHeader}
	g.size, g.durable = size, segmentHeader
	var damage, tail []Damage
	for {
		step, err := c.next()
		if err != nil {
			return nil, fmt.Errorf("scan segment %s: %w", g.name(), err)
		}
		if step.end {
			r.TornBytes += size - g.durable
			return damage, nil
		}
		if step.skipped > 0 {
			g.damaged = true
		}
		if g.ext == extOpen {
			whole, err := c.payloadIsWhole(&step)
			if err != nil {
				return nil, fmt.Errorf("scan segment %s: %w", g.name(), err)
			}
			if !whole {
				d := Damage{From: step.info.sequence, To: step.info.sequence, Segment: g.name(), Why: "its payload is damaged"}
				if d.Meta, _, err = c.meta(g.cipher, &step); err != nil {
					return nil, fmt.Errorf("scan segment %s: %w", g.name(), err)
				}
				tail = append(tail, d)
				continue
			}
		}
		// Something whole follows: what was taken for the torn end is damage.
		if len(tail) > 0 {
			damage, tail, g.damaged = append(damage, tail...), nil, true
		}
		g.take(&step)
	}
}

// take notes a readable record.
func (g *segment) take(step *found) {
	if g.batches == 0 {
		g.first, g.oldest = step.info.sequence, step.info.sealed
	}
	g.last = max(g.last, step.info.sequence)
	g.batches++
	g.rows += int64(step.info.eventsRows + step.info.quarantineRows)
	g.durable = step.offset + step.info.length()
}

// overlay ends a segment where a later one has the same batches again: they were
// written a second time because the first was not kept for sure.
func (s *Spool) overlay() {
	for i := len(s.segments) - 2; i >= 0; i-- {
		if later := s.segments[i+1].first; s.segments[i].last >= later && s.segments[i+1].batches > 0 {
			s.segments[i].last = later - 1
		}
	}
	for _, g := range s.segments {
		s.next = max(s.next, g.last+1)
	}
}

// assumeAcked takes the acknowledgements from the segments' names when the state is
// lost.
func (s *Spool) assumeAcked() {
	s.acked = s.next - 1
	for _, g := range s.segments {
		if g.ext != extAcked && g.batches > 0 {
			s.acked = g.first - 1
			break
		}
	}
	for _, g := range s.segments {
		if g.ext == extAcked && g.first > s.acked && g.last >= g.first {
			s.holes = append(s.holes, hole{g.first, g.last})
		}
	}
}

// findMissing lists the sequence numbers that were given, are not acknowledged and
// have no record.
func (s *Spool) findMissing(r *Recovery, damage []Damage) {
	from := s.acked + 1
	report := func(to uint64) {
		for ; from < to; from++ {
			if s.inHole(from) || s.above[from] {
				continue
			}
			d := Damage{From: from, To: from, Why: "it is missing"}
			for _, known := range damage {
				if known.From == from {
					d = known
				}
			}
			s.addHole(from, from)
			if n := len(r.Missing); n > 0 && r.Missing[n-1].To+1 == from && d.Meta == nil && r.Missing[n-1].Meta == nil {
				r.Missing[n-1].To = from
				continue
			}
			r.Missing = append(r.Missing, d)
		}
	}
	for _, g := range s.segments {
		if g.last < g.first || g.last < from {
			continue
		}
		report(g.first)
		if uint64(g.batches) < g.last-g.first+1 {
			s.missingInside(g, report, &from)
		}
		from = max(from, g.last+1)
	}
	report(s.next)
	for _, d := range r.Missing {
		s.Log.Error("batches of the spool cannot be read; what they covered is read again", "first", d.From, "last", d.To, "why", d.Why)
	}
}

// missingInside reports the gaps inside one segment.
func (s *Spool) missingInside(g *segment, report func(to uint64), from *uint64) {
	err := s.eachOf(g, func(f *found, _ *scanner) error {
		report(f.info.sequence)
		*from = max(*from, f.info.sequence+1)
		return nil
	})
	if err != nil {
		s.Log.Error("a segment cannot be read", "segment", g.name(), "error", err)
	}
}

// addHole notes that there is no record of some sequence numbers, and returns how many
// of them are news. No two holes overlap. It is called with the lock held.
func (s *Spool) addHole(from, to uint64) (added uint64) {
	for q := from; q <= to; q++ {
		if s.inHole(q) {
			continue
		}
		added++
		if n := len(s.holes); n > 0 && s.holes[n-1].To+1 == q {
			s.holes[n-1].To = q
		} else {
			s.holes = append(s.holes, hole{q, q})
		}
	}
	s.stats.DamagedBatches += added
	return added
}

func (s *Spool) inHole(sequence uint64) bool {
	return slices.ContainsFunc(s.holes, func(h hole) bool { return h.From <= sequence && sequence <= h.To })
}

// settle gives every segment the state that it is in now.
func (s *Spool) settle() error {
	var kept []*segment
	for _, g := range s.segments {
		var err error
		switch {
		case g.last < g.first && g.ext == extOpen && !g.damaged:
			err = s.FS.Remove(g.name())
		case g.last < g.first:
			err = s.rename(g, extDamaged)
		case g.last <= s.acked:
			g.ackedAt = s.Now()
			err = s.rename(g, extAcked)
			kept = append(kept, g)
		default:
			err = s.rename(g, extReady)
			kept = append(kept, g)
		}
		if err != nil {
			return err
		}
	}
	s.segments = kept
	if err := s.FS.SyncFolder(); err != nil {
		return fmt.Errorf("sync spool folder: %w", err)
	}
	return s.save()
}
