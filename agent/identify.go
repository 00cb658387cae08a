package agent

import (
	"bytes"
	"errors"
	"os"
	"time"

	"github.com/crmwatch/crmwatch/agent/formats"
)

// errUndecided means that a file is too young to say what it is.
var errUndecided = errors.New("the file is too short to say what it is")

// resolve decides what a file is that no generation has: a log that another
// generation goes on in, a copy, a new log, an export, or nothing known.
func (s *sourceState) resolve(f *watchedFile, now time.Time) {
	file, _, err := openInside(f.in.Root, f.in.Path)
	if err != nil {
		s.w.ledger.file(s.Name, FileReport{File: f.in.Name, Status: StatusUnreadable, Reason: whyUnreadable(err)}, s.w.Log)
		return
	}
	if !s.place(f, file, now) {
		file.Close()
	}
}

// place finds the generation for an open file; it says whether the file is kept.
func (s *sourceState) place(f *watchedFile, file *os.File, now time.Time) (kept bool) {
	state, err := stateOf(file)
	if err != nil || state.identity != identityOf(f.in.info) {
		// Replaced since it was listed: the next poll sees what it is now.
		return false
	}
	if g := s.continued(file, state); g != nil {
		return s.goOn(g, f, file, now)
	}
	if g := f.copyOf; g != nil && g.broken && state.size <= g.position.Offset {
		return s.begin(f, file, state.size, unknownLine, now)
	}
	if g := s.original(file, state); g != nil && !s.isLive(f, now) {
		f.copyOf = g
		if now.Sub(f.still) >= s.w.RotateWait && state.size <= g.position.Offset {
			return s.begin(f, file, state.size, unknownLine, now)
		}
		return false
	}
	for i := range s.ended {
		p := &s.ended[i]
		back := p.identity() == state.identity && p.Birth == state.birth
		if back || p.Offset >= headSize {
			if same, err := p.matches(file, state.size); err == nil && same {
				return s.begin(f, file, p.Offset, p.Line, now)
			}
		}
	}
	return s.begin(f, file, 0, 0, now)
}

// continued finds the generation that goes on in this file: one whose own file was
// truncated, deleted or replaced, and whose bytes up to its offset are here.
func (s *sourceState) continued(file *os.File, state fileState) *generation {
	for _, g := range s.generations {
		lost := g.broken || (g.path == "" && (g.file == nil || g.state.links == 0))
		if !lost {
			continue
		}
		if same, err := g.position.matches(file, state.size); err == nil && same {
			return g
		}
	}
	return nil
}

// goOn moves a generation to another file. If its own file is deleted but still
// open, that one is read to its end first.
func (s *sourceState) goOn(g *generation, f *watchedFile, file *os.File, now time.Time) (kept bool) {
	if g.file != nil && !g.broken && !g.drained {
		return false
	}
	if err := g.adopt(file, now); err != nil {
		s.trouble(g, err)
		g.file = nil
		return false
	}
	g.broken = false
	g.path = f.path
	f.role = roleFollowed
	return true
}

// original finds an open generation whose beginning this file repeats. Less than
// headSize in common is no evidence: that much may be equal by chance.
func (s *sourceState) original(file *os.File, state fileState) *generation {
	for _, g := range s.generations {
		common := min(state.size, g.position.Offset)
		if g.broken || common < headSize || state.identity == g.position.identity() {
			continue
		}
		if g.file == nil {
			if same, err := g.position.matches(file, state.size); err == nil && same {
				return g
			}
			continue
		}
		if equalRange(file, g.file, 0, headSize) && equalRange(file, g.file, max(0, common-markerSize), common) {
			return g
		}
	}
	return nil
}

// isLive says that a file which repeats another is not a copy of it but a log of
// its own: it goes on growing when a copy would long be complete.
func (s *sourceState) isLive(f *watchedFile, now time.Time) bool {
	return f.still.Sub(f.first) > s.w.RotateWait
}

// formatAt is the format of the log that was last followed at path.
func (s *sourceState) formatAt(path string) (formats.Format, bool) {
	for i := len(s.generations) - 1; i >= 0; i-- {
		if s.generations[i].position.Path == path {
			return s.generations[i].format, true
		}
	}
	for i := len(s.ended) - 1; i >= 0; i-- {
		if s.ended[i].Path == path {
			format, err := formats.ByName(s.ended[i].Format)
			return format, err == nil
		}
	}
	return formats.Format{}, false
}

func equalRange(a, b *os.File, from, to int64) bool {
	x, errA := readRange(a, from, to)
	y, errB := readRange(b, from, to)
	return errA == nil && errB == nil && bytes.Equal(x, y)
}

// begin makes a new generation that starts at offset, once the file shows what it is.
func (s *sourceState) begin(f *watchedFile, file *os.File, offset, line int64, now time.Time) (kept bool) {
	head, err := readRange(file, 0, formats.HeadSize)
	if err != nil {
		return false
	}
	format, err := s.recognise(f, head, now)
	if err != nil || f.role != roleFollowed {
		return false
	}
	g := &generation{format: format, redactor: s.redactor, privacy: s.privacy, residency: s.w.Residency, path: f.path}
	g.position = SourcePosition{Source: s.Name, Path: f.path, Format: format.Name, Offset: offset, Line: line}
	if err := g.adopt(file, now); err != nil {
		return false
	}
	g.decoder = s.newDecoder(format, offset, line)
	if offset > 0 {
		g.position.HeadLength, g.position.Head = int64(len(g.head)), fingerprint(g.head)
		g.position.Marker = fingerprint(g.tail)
		s.name(g, g.head)
		s.w.cover(g.position, now)
	}
	s.generations = append(s.generations, g)
	return true
}

// recognise sets the file's role, and returns the format of one that is followed.
func (s *sourceState) recognise(f *watchedFile, head []byte, now time.Time) (formats.Format, error) {
	if packedAs(head) != packedNot {
		f.role = rolePacked
		return formats.Format{}, nil
	}
	format, ok := formats.Format{}, false
	if s.Format != "" {
		var err error
		if format, err = formats.ByName(s.Format); err != nil {
			return formats.Format{}, err
		}
		ok = true
	} else if format, ok = s.formatAt(f.path); len(head) == 0 && ok {
		// A fresh file where a log has been: it is held from its first moment on.
	} else if bytes.IndexByte(head, '\n') >= 0 || len(head) == formats.HeadSize || now.Sub(f.still) >= s.w.Settle {
		format, _, ok = formats.Detect(bytes.TrimLeft(head, "\x00"))
	} else {
		return formats.Format{}, errUndecided
	}
	switch {
	case ok && format.Line:
		f.role = roleFollowed
	case ok && s.Kind != KindFollow:
		f.role = roleExport
	case len(head) == 0:
		return formats.Format{}, errUndecided
	case now.Sub(f.still) >= s.w.Settle:
		f.role = roleUnreadable
		report := FileReport{File: f.in.Name, Status: StatusNotRecognised, Reason: whyNotRecognised(head)}
		if ok {
			report.Reason = format.Title + " has records of several lines and cannot be followed: use kind export"
		}
		s.w.ledger.file(s.Name, report, s.w.Log)
	}
	return format, nil
}
