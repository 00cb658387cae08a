package agent

import (
	"bytes"
	"os"
	"time"

	"github.com/crmwatch/crmwatch/agent/formats"
	"github.com/crmwatch/crmwatch/agent/redact"
)

// generation is one life of a followed file, from its creation to its end, across
// renames, and over to a copy when the file itself was truncated.
type generation struct {
	position SourcePosition
	format   formats.Format
	decoder  formats.Decoder
	redactor *redact.Redactor
	privacy  *redact.Privacy
	// residency keeps out what belongs elsewhere; outside is the first that it kept out.
	residency *Residency
	outside   outside
	// file is held open while there may be more to come: the name is not needed to
	// read on, and the inode cannot be given to another file.
	file *os.File
	// path is where the file is now, "" when it has left the source's paths.
	path  string
	state fileState
	// grewAt is when its size last changed, as far as we saw.
	grewAt time.Time
	// head and tail are the bytes behind the position's fingerprints.
	head, tail []byte
	last       recordIdentity
	trouble    string
	// broken says that what was read is no longer in the file, drained that nothing
	// whole is left to read, over that the generation has ended, verified that state
	// is of a file that was found to be this one.
	broken, drained, over, verified bool
	// suspect says that the file changed since its marker was last compared, and
	// checks counts polls until it is compared anyway.
	suspect bool
	checks  int
}

// recordIdentity counts the events that one record holds.
type recordIdentity struct {
	offset uint64
	n      uint64
	any    bool
}

// rotated says that the file is no longer where it was created: nothing new is
// expected, and a last line without an end is all that there will be.
func (g *generation) rotated() bool { return g.path != g.position.Path }

// clean takes secrets and people out of a record that could not be understood.
func (g *generation) clean(content string) string {
	return g.privacy.Content(g.redactor.Text(g.residency.content(content)))
}

// writtenBy is a moment at which all that was read so far had been written.
func (g *generation) writtenBy(now time.Time) time.Time {
	if written := time.Unix(0, g.state.modTime); g.state.modTime > 0 && written.Before(now) {
		return written
	}
	return now
}

// caughtUp says that every byte is read.
func (g *generation) caughtUp() bool { return g.position.Offset >= g.state.size }

// intact says whether what was read still stands in the file.
func (g *generation) intact() (bool, error) {
	if g.state.size < g.position.Offset {
		return false, nil
	}
	if g.position.Offset == 0 {
		return true, nil
	}
	return g.position.markerMatches(g.file)
}

// refresh looks at the open file. Whatever changed about it makes it suspect: its
// marker is compared at the next poll.
func (g *generation) refresh(now time.Time) error {
	state, err := stateOf(g.file)
	if err != nil {
		return err
	}
	g.suspect = g.suspect || state != g.state
	if state.size != g.state.size || g.grewAt.IsZero() {
		g.grewAt = now
	}
	g.state = state
	return nil
}

// name gives the generation its id, once its first line is there. The id is made
// of what the file is: should the positions be lost, it comes out the same, and
// what is read again collapses with what is stored. A file that takes up the place
// of another life (the same inode, truncated, and the same first line) gets the
// next id that no position has.
func (g *generation) name(first []byte, taken func(id string) bool) {
	for life := 0; ; life++ {
		if id := g.position.nameOf(first, life); !taken(id) {
			g.position.ID = id
			return
		}
	}
}

// moveOn records that used bytes were decoded.
func (g *generation) moveOn(used []byte) {
	if len(used) == 0 {
		return
	}
	p := &g.position
	if missing := headSize - len(g.head); missing > 0 {
		g.head = append(g.head, used[:min(missing, len(used))]...)
		p.HeadLength, p.Head = int64(len(g.head)), fingerprint(g.head)
	}
	g.tail = append(g.tail, used[max(0, len(used)-markerSize):]...)
	if extra := len(g.tail) - markerSize; extra > 0 {
		g.tail = append(g.tail[:0], g.tail[extra:]...)
	}
	p.Marker = fingerprint(g.tail)
	p.Offset += int64(len(used))
	p.Line = linesAfter(p.Line, used)
}

// recheck says that it is time to compare the marker although nothing seems to have
// changed: a file can be overwritten within one tick of the file system's clock.
func (g *generation) recheck() bool {
	const every = 16
	g.checks++
	return g.checks%every == 0
}

// unknownLine is a line number that nobody counted.
const unknownLine = -1

// linesAfter is the number of lines before the end of read, which stands behind
// that many lines.
func linesAfter(lines int64, read []byte) int64 {
	if lines == unknownLine {
		return unknownLine
	}
	return lines + int64(bytes.Count(read, []byte("\n")))
}

// adopt makes file the one that the generation goes on with.
func (g *generation) adopt(file *os.File, now time.Time) error {
	if g.file != nil && g.file != file {
		g.file.Close()
	}
	g.file, g.state, g.drained, g.verified = file, fileState{}, false, true
	if err := g.refresh(now); err != nil {
		return err
	}
	p := &g.position
	p.Device, p.Inode, p.Birth = g.state.device, g.state.inode, g.state.birth
	return g.load()
}

// load reads the bytes behind the fingerprints, so that they can be carried on.
func (g *generation) load() error {
	p := &g.position
	var err error
	if g.head, err = readRange(g.file, 0, min(headSize, p.Offset)); err != nil {
		return err
	}
	if g.tail, err = readRange(g.file, max(0, p.Offset-markerSize), p.Offset); err != nil {
		return err
	}
	return nil
}

func (g *generation) close() {
	if g.file != nil {
		g.file.Close()
		g.file = nil
	}
}
