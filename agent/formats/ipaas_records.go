package formats

import (
	"bytes"
	"fmt"
	"unsafe"

	"github.com/crmwatch/crmwatch/schema"
)

// headRecords reads a log whose records begin with a line of a known look and may
// have more lines (messages, stack traces): a record goes on until the next line
// that begins one, or the end of the file.
type headRecords struct {
	lines  lines
	tenant string
	// format is the format's name.
	format string
	// isHead looks at the start of a line, without its end and at most headSize bytes.
	isHead func(line []byte) headKind
	// wanted describes the line that begins a record, for messages.
	wanted string
	// record fills the event, which is empty, from the text of a record, or says why
	// it cannot. skip leaves out lines that are no records, such as a header.
	record func(e *schema.Event, text string) (failure *recordFailure, skip bool)

	hasher  schema.UIDHasher
	event   schema.Event
	scratch []byte
	// long: what follows belongs to a record that was rejected as too long.
	long bool
}

// headSize is how much of a line isHead sees.
const headSize = 256

type headKind uint8

const (
	headNo headKind = iota
	headYes
	// headCut: it would be one if the end of the file had not cut it off.
	headCut
)

// Decode implements Decoder.
func (h *headRecords) Decode(data []byte, atEOF bool, sink Sink) int {
	used, ok := h.lines.start(data, atEOF, sink)
	for ok && used < len(data) {
		rest := data[used:]
		if h.lines.skip == skipZeros && rest[0] != 0 {
			h.lines.skip = skipNothing
		}
		n, extent := 0, headLongLine
		if h.lines.skip == skipNothing && rest[0] != 0 {
			n, extent = h.extent(rest, atEOF)
		}
		switch extent {
		case headOpen:
			return used
		case headLongLine:
			line, length, ended := h.lines.cut(rest, atEOF, sink)
			if length == 0 {
				return used
			}
			if line != nil {
				h.stretch(line, false, sink)
			}
			n = h.lines.passLine(length, ended)
		default:
			if at := bytes.Index(rest[:n], hole); at > 0 {
				n = at
			}
			h.stretch(rest[:n], extent == headTooLong, sink)
			n = h.lines.pass(rest[:n])
		}
		used += n
	}
	return used
}

type headExtent uint8

const (
	// headOpen: it has to see more.
	headOpen headExtent = iota
	// headWhole: a record, or lines that belong to none.
	headWhole
	// headTooLong: the same, cut off where it gets too long.
	headTooLong
	// headLongLine: the first line alone is too long, or no text.
	headLongLine
)

// extent finds out how far what begins at rest goes: to the next line that begins a
// record, or a zero byte at a line's start. It does not depend on how much more of
// rest is there, once it has decided.
func (h *headRecords) extent(rest []byte, atEOF bool) (n int, e headExtent) {
	for n < len(rest) {
		if n > 0 && rest[n] == 0 {
			return n, headWhole
		}
		end, whole := len(rest), false
		if newline := bytes.IndexByte(rest[n:], '\n'); newline >= 0 {
			end, whole = n+newline+1, true
		}
		if !whole && !atEOF && (len(rest)-n < headSize || end <= h.lines.max) {
			return 0, headOpen
		}
		if n > 0 {
			switch h.kind(rest[n:end]) {
			case headYes:
				return n, headWhole
			case headCut:
				if !whole && atEOF {
					return n, headWhole
				}
			}
		}
		if end > h.lines.max {
			if n == 0 {
				return 0, headLongLine
			}
			return n, headTooLong
		}
		n = end
	}
	if atEOF {
		return n, headWhole
	}
	return 0, headOpen
}

func (h *headRecords) kind(line []byte) headKind {
	line = bytes.TrimPrefix(line, byteOrderMark) // files that were joined
	line = line[:min(len(line), headSize)]
	return h.isHead(bytes.TrimRight(line, "\r\n"))
}

// stretch deals with a record, or with lines that belong to none.
func (h *headRecords) stretch(raw []byte, cutOff bool, sink Sink) {
	text := bytes.TrimPrefix(bytes.TrimRight(raw, " \t\r\n"), byteOrderMark)
	if len(text) == 0 {
		return
	}
	line, _, _ := bytes.Cut(text, []byte{'\n'})
	kind := h.kind(line)
	switch {
	case kind == headYes && cutOff, kind != headYes && h.long:
		h.long = true
		h.lines.reject(sink, raw, 0, ReasonTooLong, fmt.Sprintf("the record is longer than %d MiB, the most that one may have: it is kept in parts", MaxRecord>>20))
		return
	case kind == headCut && raw[len(raw)-1] != '\n':
		h.lines.reject(sink, raw, len(text)+1, ReasonCut, "the record was cut off in its first line: the log ends while it is written, or was cut")
		return
	case kind != headYes:
		h.lines.reject(sink, raw, 1, ReasonSyntax, "expected "+h.wanted+": these lines belong to a record whose first line is not here, or to another log")
		return
	}
	h.long = false
	e := &h.event
	e.Reset()
	h.scratch = appendValid(h.scratch[:0], unsafe.String(unsafe.SliceData(text), len(text)))
	valid := bytes.ReplaceAll(h.scratch, []byte("\r\n"), []byte("\n"))
	record := unsafe.String(unsafe.SliceData(valid), len(valid))
	failure, skip := h.record(e, record)
	switch {
	case skip:
		return
	case failure != nil:
		h.lines.reject(sink, raw, 1, failure.reason, failure.detail)
		return
	}
	h.hasher.Reset()
	h.hasher.Part(h.tenant)
	h.hasher.Part(h.format)
	h.hasher.Part(record)
	e.UID = h.hasher.Sum()
	e.Number[schema.SourceOffset] = uint64(h.lines.at.Offset)
	e.Text[schema.MetadataTenantUID] = h.tenant
	e.Text[schema.MetadataLogFormat] = h.format
	sink.Event(e)
}

// detectHeads says whether a head's first line begins a record, or two lines further
// down do: a log may begin in the middle of a record.
func detectHeads(head []byte, isHead func([]byte) headKind) bool {
	heads, first := 0, true
	for len(head) > 0 {
		line, rest, _ := bytes.Cut(head, []byte{'\n'})
		head = rest
		line = bytes.TrimLeft(bytes.TrimRight(line, " \r\t"), "\x00")
		if len(line) == 0 {
			continue
		}
		if isHead(line[:min(len(line), headSize)]) == headYes {
			if heads++; first || heads == 2 {
				return true
			}
		}
		first = false
	}
	return false
}

// isTimeCut says whether line is the beginning of a time and nothing more, at least
// four characters of it.
func isTimeCut(line []byte) bool {
	if len(line) < 4 {
		return false
	}
	for _, shape := range []string{"0000-00-00 00:00:00.000", "0000-00-00T00:00:00.000Z", "00/00/0000 00:00:00", "00.00.0000 00:00:00"} {
		if len(line) > len(shape) {
			continue
		}
		same := true
		for i, c := range line {
			if c == ',' && shape[i] == '.' {
				continue
			}
			same = same && (shape[i] == '0' && c-'0' < 10 || shape[i] == c)
		}
		if same {
			return true
		}
	}
	return false
}
