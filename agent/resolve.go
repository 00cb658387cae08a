package agent

import (
	"bytes"
	"os"
	"slices"
	"time"

	"github.com/crmwatch/crmwatch/agent/formats"
	"github.com/crmwatch/crmwatch/agent/redact"
)

// sourceState is a source as the watcher sees it from poll to poll.
type sourceState struct {
	Source
	w        *Watcher
	redactor *redact.Redactor
	privacy  *redact.Privacy
	// generations are the files that are followed or may grow again; ended are
	// those that are over, kept to recognise their copies.
	generations []*generation
	ended       []SourcePosition
	files       map[identity]*watchedFile
	finished    finishedExports
	remembered  bool
}

func newSourceState(w *Watcher, s Source) *sourceState {
	return &sourceState{Source: s, w: w, redactor: w.Redactor.Clone(), privacy: newPrivacy(s.Privacy, w.Redactor), files: map[identity]*watchedFile{}}
}

// newDecoder makes a decoder that goes on at offset, behind that many lines.
func (s *sourceState) newDecoder(format formats.Format, offset, lines int64) formats.Decoder {
	return format.New(formats.Options{Tenant: s.Tenant, Zone: s.Zone, DateOrder: s.DateOrder, Start: formats.Position{Offset: offset, Line: lines + 1}})
}

// look lists the source's files and decides for each which generation it is, or
// that it is an export. It returns the positions of generations that got their id.
func (s *sourceState) look(now time.Time) []SourcePosition {
	if !s.remembered {
		s.remember()
	}
	s.observe(now)
	claimed := s.check(now)
	var exports []string
	for _, f := range s.inOrder() {
		if claimed[identityOf(f.in.info)] {
			continue
		}
		if s.Kind == KindExport {
			f.role = roleExport
		}
		switch f.role {
		case roleExport, rolePacked:
			exports = append(exports, exportID(s.Name, identityOf(f.in.info)))
			s.offerExport(f, now)
		case roleUnreadable:
		default:
			s.resolve(f, now)
		}
	}
	s.w.Positions.Seen(exports, now)
	s.endBroken(now)
	return s.nameNew(now)
}

// remember takes up where the last run left.
func (s *sourceState) remember() {
	s.remembered = true
	for _, p := range s.w.Positions.All(s.Name) {
		switch {
		case p.Export:
		case p.Ended:
			s.ended = append(s.ended, p)
		default:
			format, err := formats.ByName(p.Format)
			if err != nil {
				continue
			}
			g := &generation{position: p, format: format, redactor: s.redactor, privacy: s.privacy, residency: s.w.Residency}
			g.decoder = s.newDecoder(format, p.Offset, p.Line)
			s.generations = append(s.generations, g)
		}
	}
}

// check finds out which generations still are what they were, and which files they
// have. A generation whose bytes are no longer in its file is broken.
func (s *sourceState) check(now time.Time) (claimed map[identity]bool) {
	claimed = map[identity]bool{}
	var seen []string
	for _, g := range s.generations {
		g.path, g.broken = "", false
		if g.file == nil {
			s.reopen(g, now)
		} else {
			err := g.refresh(now)
			if err == nil && (g.suspect || g.recheck()) {
				var ok bool
				ok, err = g.intact()
				g.broken, g.suspect = err == nil && !ok, err != nil
			}
			s.trouble(g, err)
		}
		id := g.position.identity()
		f := s.files[id]
		if f == nil || g.broken {
			continue
		}
		g.path = f.path
		f.role = roleFollowed
		claimed[id] = true
		seen = append(seen, g.position.ID)
	}
	s.w.Positions.Seen(seen, now)
	return claimed
}

// reopen opens a file that was closed or is known from the last run, when it is
// there and has changed since.
func (s *sourceState) reopen(g *generation, now time.Time) {
	f := s.files[g.position.identity()]
	if f == nil || (g.verified && f.size == g.state.size && f.mod.UnixNano() == g.state.modTime) {
		return
	}
	file, _, err := openInside(f.in.Root, f.in.Path)
	if err != nil {
		s.trouble(g, err)
		return
	}
	same, err := s.isSame(g, file)
	if err == nil && same {
		err = g.adopt(file, now)
	}
	s.trouble(g, err)
	if err != nil || !same {
		g.broken = err == nil
		g.file = nil
		file.Close()
	}
}

func (s *sourceState) isSame(g *generation, file *os.File) (bool, error) {
	state, err := stateOf(file)
	if err != nil {
		return false, err
	}
	p := &g.position
	if state.identity != p.identity() || (state.birth != 0 && p.Birth != 0 && state.birth != p.Birth) {
		return false, nil
	}
	return p.matches(file, state.size)
}

// endBroken ends the generations whose file was truncated or overwritten and of
// which no copy was found: what they had not read is gone.
func (s *sourceState) endBroken(now time.Time) {
	for _, g := range s.generations {
		if g.broken {
			s.w.Log.Warn("a log was truncated or overwritten; it is read from its start", "source", s.Name, "file", g.position.Path, "read_to", g.position.Offset)
			s.w.ledger.truncated(s.Name)
			s.end(g, now)
		}
	}
	s.dropEnded()
}

// end closes a generation for good. That becomes durable with the batch that holds
// its last records, not before.
func (s *sourceState) end(g *generation, now time.Time) {
	g.close()
	g.over = true
	if g.position.ID == "" {
		return
	}
	g.position.Ended = true
	s.w.cover(g.position, now)
	s.ended = append(s.ended, g.position)
}

func (s *sourceState) dropEnded() {
	s.generations = slices.DeleteFunc(s.generations, func(g *generation) bool { return g.over })
}

// nameNew gives ids to the generations whose first line has come.
func (s *sourceState) nameNew(now time.Time) []SourcePosition {
	var named []SourcePosition
	for _, g := range s.generations {
		if g.position.ID != "" || g.file == nil {
			continue
		}
		first, err := readRange(g.file, 0, headSize)
		s.trouble(g, err)
		final := g.rotated() && now.Sub(g.grewAt) >= s.w.RotateWait
		if len(first) == 0 || (len(first) < headSize && bytes.IndexByte(first, '\n') < 0 && !final) {
			continue
		}
		s.name(g, first)
		named = append(named, g.position)
	}
	return named
}

func (s *sourceState) name(g *generation, first []byte) {
	g.name(first, func(id string) bool {
		if _, known := s.w.Positions.Get(id); known {
			return true
		}
		return slices.ContainsFunc(s.generations, func(o *generation) bool { return o.position.ID == id }) ||
			slices.ContainsFunc(s.ended, func(p SourcePosition) bool { return p.ID == id })
	})
}

// trouble logs what is wrong with a file when it begins and when it changes.
func (s *sourceState) trouble(g *generation, err error) {
	text := ""
	if err != nil {
		text = whyUnreadable(err)
	}
	if text != "" && text != g.trouble {
		s.w.Log.Warn("a log cannot be read; it is tried again", "source", s.Name, "file", g.position.Path, "error", text)
	}
	g.trouble = text
}

func (s *sourceState) close() {
	for _, g := range s.generations {
		g.close()
	}
}
