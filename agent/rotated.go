package agent

import (
	"context"
	"errors"
	"io"

	"github.com/crmwatch/crmwatch/agent/formats"
)

// unpackedTwin finds the generation that a packed file may be the copy of: logs
// are packed after they were rotated. While that one is still being read, the
// packed file waits.
func (s *sourceState) unpackedTwin(f *watchedFile) (rest SourcePosition, wait bool) {
	in := f.in
	stream, err := openStream(in, s.w.MaxUnpacked)
	if err != nil {
		return SourcePosition{}, false
	}
	defer stream.Close()
	head := make([]byte, headSize)
	n, _ := io.ReadFull(stream, head)
	head = head[:n]
	same := func(p *SourcePosition) bool {
		if p.Offset == 0 {
			return len(head) > 0 && p.ID != "" && p.wasNamedBy(head)
		}
		return p.HeadLength <= int64(len(head)) && fingerprint(head[:p.HeadLength]) == p.Head
	}
	for _, g := range s.generations {
		if same(&g.position) {
			if g.file != nil || !s.durable(&g.position) {
				return SourcePosition{}, true
			}
			return g.position, false
		}
	}
	for i := range s.ended {
		if p := &s.ended[i]; same(p) {
			if !s.durable(p) {
				return SourcePosition{}, true
			}
			rest = *p
		}
	}
	return rest, false
}

// durable says that all that was read of a generation is stored: only then may its
// offset be carried further elsewhere.
func (s *sourceState) durable(p *SourcePosition) bool {
	known, ok := s.w.Positions.Get(p.ID)
	return ok && known.Offset == p.Offset
}

// loadRest reads what a generation left unread from a packed copy of its file. It
// says whether the file is such a copy.
func (s *sourceState) loadRest(ctx context.Context, r *reader, job exportJob) (found bool, err error) {
	stream, err := openStream(job.input, s.w.MaxUnpacked)
	if err != nil {
		return false, nil
	}
	defer stream.Close()
	p := job.rest
	before, err := lastBefore(stream, p.Offset)
	if err != nil || (p.Offset > 0 && fingerprint(before) != p.Marker) {
		return false, nil
	}
	format, err := formats.ByName(p.Format)
	if err != nil {
		return false, nil
	}
	g := &generation{position: p, format: format, redactor: r.redactor, privacy: r.privacy, residency: r.residency, tail: before}
	g.head = make([]byte, p.HeadLength)
	g.state.modTime = job.position.ModTime
	g.decoder = s.newDecoder(format, p.Offset, p.Line)
	buf := make([]byte, 0, formats.MaxRecord+2*blockSize)
	for {
		n, readErr := io.ReadFull(stream, buf[len(buf):min(cap(buf), len(buf)+blockSize)])
		buf = buf[:len(buf)+n]
		atEOF := readErr != nil
		start := g.position.Offset
		if len(buf) > 0 {
			s.decode(g, buf, atEOF, r.sealer, s.w.Now())
		}
		buf = append(buf[:0], buf[g.position.Offset-start:]...)
		if r.sealer.full() {
			if err := r.sealer.seal(ctx); err != nil {
				return true, err
			}
		}
		if err := ctx.Err(); err != nil {
			return true, err
		}
		if atEOF {
			if !errors.Is(readErr, io.EOF) && !errors.Is(readErr, io.ErrUnexpectedEOF) {
				s.w.Log.Warn("a packed log cannot be read to its end", "source", s.Name, "file", job.input.Name, "error", whyUnreadable(readErr))
			}
			return true, nil
		}
	}
}

// lastBefore reads up to offset and returns the last markerSize bytes before it.
func lastBefore(r io.Reader, offset int64) ([]byte, error) {
	from := max(0, offset-markerSize)
	if _, err := io.CopyN(io.Discard, r, from); err != nil {
		return nil, err
	}
	before := make([]byte, offset-from)
	_, err := io.ReadFull(r, before)
	return before, err
}
