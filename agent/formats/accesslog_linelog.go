package formats

import (
	"bytes"
	"unsafe"

	"github.com/crmwatch/crmwatch/schema"
)

// lineLog reads a log in which every line is a record.
type lineLog struct {
	lines  lines
	tenant string
	hasher schema.UIDHasher
	event  schema.Event
	// read fills the event, which is empty, from a line, or says what is wrong with
	// it and at which byte; a place behind the line means that it ends too early.
	read func(e *schema.Event, line string) (failure *recordFailure, at int)
}

// Decode implements Decoder.
func (l *lineLog) Decode(data []byte, atEOF bool, sink Sink) int {
	used, ok := l.lines.start(data, atEOF, sink)
	for ok && used < len(data) {
		line, n, ended := l.lines.cut(data[used:], atEOF, sink)
		if n == 0 {
			break
		}
		if line != nil {
			l.line(line, ended, sink)
		}
		used += l.lines.passLine(n, ended)
	}
	return used
}

func (l *lineLog) line(raw []byte, ended bool, sink Sink) {
	e := &l.event
	e.Reset()
	text := bytes.TrimPrefix(raw, byteOrderMark) // files that were joined have it in the middle
	line := unsafe.String(unsafe.SliceData(text), len(text))
	failure, at := l.read(e, line)
	if failure != nil {
		reason, detail := failure.reason, failure.detail
		if !ended && at >= len(line) {
			reason, detail = ReasonCut, "the line ends too early: the record was cut off while it was written"
		}
		l.lines.reject(sink, raw, len(raw)-len(text)+at+1, reason, detail)
		return
	}
	e.UID = l.uid(line)
	e.Text[schema.MetadataTenantUID] = l.tenant
	e.Text[schema.MetadataLogName] = "access"
	e.Number[schema.SourceOffset] = uint64(l.lines.at.Offset)
	sink.Event(e)
}

// uid is the identity of a line: the same, whichever format reads it.
func (l *lineLog) uid(line string) schema.UID {
	l.hasher.Reset()
	l.hasher.Part(l.tenant)
	l.hasher.Part("access")
	l.hasher.Part(line)
	return l.hasher.Sum()
}

// detectLines is how many of the first lines of a head can be read, and how many
// there are. A line that the head may cut off does not count against it.
func detectLines(head []byte, canRead func(line string) bool) (read, total int) {
	for len(head) > 0 && total < 20 {
		line, rest, ended := bytes.Cut(head, []byte{'\n'})
		head = rest
		line = bytes.TrimRight(bytes.TrimLeft(line, "\x00"), " \r\t")
		if len(line) == 0 {
			continue
		}
		if canRead(unsafe.String(unsafe.SliceData(line), len(line))) {
			read++
		} else if !ended && total > 0 {
			break
		}
		total++
	}
	return read, total
}
