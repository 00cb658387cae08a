package agent

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/crmwatch/crmwatch/agent/formats"
)

const (
	// liveStretch is how much of a log is read through tail: what has just been
	// written. More than that is a backlog, and read in blocks.
	liveStretch = 64 << 10
	// turnBytes is how much of one log is read before the others have their turn.
	turnBytes = 16 << 20
)

// read decodes what has been appended to a log, and says whether there is more.
// It stops early when batches do not leave as fast as they fill.
func (s *sourceState) read(ctx context.Context, g *generation, now time.Time) (more bool) {
	if g.file == nil || g.broken || g.position.ID == "" {
		return false
	}
	for taken := int64(0); taken < turnBytes; {
		if s.w.sealer.full() {
			if ok, err := s.w.sealer.trySeal(ctx); !ok || err != nil {
				return false
			}
		}
		before := g.position.Offset
		if err := s.stretch(g, now); err != nil {
			if !errors.Is(err, errChanged) {
				s.trouble(g, err)
			}
			return false
		}
		if g.position.Offset == before {
			return false
		}
		taken += g.position.Offset - before
	}
	return true
}

// stretch decodes the next whole lines. A decoder may leave the last of them until it
// sees the next ones, or the log has been quiet. The marker is compared first: a file
// that was truncated and has grown again since must not be read from the middle.
func (s *sourceState) stretch(g *generation, now time.Time) error {
	block, err := s.w.block(g, liveStretch)
	if err != nil {
		return err
	}
	if len(block) == 0 {
		g.drained = true
		return nil
	}
	if err := g.refresh(now); err != nil {
		return err
	}
	ok, err := g.intact()
	if err != nil {
		return err
	}
	if !ok {
		return errChanged
	}
	if len(block) > liveStretch {
		// A backlog: read all that fits.
		if block, err = s.w.block(g, blockSize); err != nil {
			return err
		}
	}
	end := bytes.LastIndexByte(block, '\n') + 1
	if end == 0 && len(block) > liveStretch {
		// One long line: it is whole within the limit, or goes to the decoder as it is.
		if block, err = s.w.block(g, formats.MaxRecord+blockSize); err != nil {
			return err
		}
		end = bytes.LastIndexByte(block, '\n') + 1
		if end == 0 && len(block) > formats.MaxRecord {
			end = len(block)
		}
	}
	if end == 0 {
		g.drained = true
		return nil
	}
	lines := block[:end]
	// The last record of a log that stands still is whole, unless there is more to read
	// than this. It is taken from the block: tail may leave the last line behind.
	quiet := g.format.Multiline && len(block) <= liveStretch && now.Sub(g.grewAt) >= s.w.Quiet
	if end <= liveStretch && !quiet {
		if live, err := tailLines(g.file, g.position.Offset, lines); err == nil {
			lines = live
		} else if errors.Is(err, errChanged) {
			return err
		}
		// A file that cannot be opened a second time is read from the block.
	}
	before := g.position.Offset
	s.decode(g, lines, quiet, s.w.sealer, now)
	if g.position.Offset == before && len(block) > liveStretch {
		// A record of many lines that is longer than the block.
		if block, err = s.w.block(g, formats.MaxRecord+blockSize); err != nil {
			return err
		}
		quiet = g.format.Multiline && int64(len(block)) == g.state.size-before && now.Sub(g.grewAt) >= s.w.Quiet
		s.decode(g, block[:bytes.LastIndexByte(block, '\n')+1], quiet, s.w.sealer, now)
	}
	// What the decoder leaves, having seen all, waits for the lines that end it.
	g.drained = g.position.Offset == before && len(lines) == end
	return nil
}

// block reads up to size+1 bytes at the generation's offset; the one more tells
// that there are more than size.
func (w *Watcher) block(g *generation, size int) ([]byte, error) {
	if cap(w.buf) < size+1 {
		w.buf = make([]byte, 0, size+1)
	}
	n, err := g.file.ReadAt(w.buf[:size+1], g.position.Offset)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return w.buf[:n], err
}

// retire closes rotated logs in which nothing has moved for RotateWait, and takes
// the line without an end that some of them have.
func (s *sourceState) retire(now time.Time) {
	for _, g := range s.generations {
		gone := g.path == ""
		if g.file == nil {
			if gone && !g.verified {
				// Known from an earlier run and not here: it may come back or be a copy now.
				if g.grewAt.IsZero() {
					g.grewAt = now
				}
			}
			if gone && !g.grewAt.IsZero() && now.Sub(g.grewAt) >= s.w.RotateWait {
				s.end(g, now)
			}
			continue
		}
		if err := g.refresh(now); err != nil || !g.rotated() || now.Sub(g.grewAt) < s.w.RotateWait {
			continue
		}
		if !g.drained && g.position.ID != "" {
			continue
		}
		if g.position.ID != "" && !g.caughtUp() {
			fragment, err := readRange(g.file, g.position.Offset, min(g.state.size, g.position.Offset+formats.MaxRecord+blockSize))
			if err != nil {
				s.trouble(g, err)
				continue
			}
			s.decode(g, fragment, true, s.w.sealer, now)
		}
		if gone {
			s.w.Log.Info("a rotated log is read to its end and closed", "source", s.Name, "file", g.position.Path)
			s.end(g, now)
		} else if g.position.ID != "" {
			g.close()
		}
	}
	s.dropEnded()
}
