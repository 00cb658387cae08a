package formats

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/crmwatch/crmwatch/schema"
)

// jsonLog reads a log of JSON objects: one a line, in arrays, or spread over lines.
// What stands between objects and is no bracket, comma or white space is rejected,
// line by line, so a damaged object costs nothing but its line.
type jsonLog struct {
	lines   lines
	objects jsonObjects
	hasher  schema.UIDHasher
	event   schema.Event
	// record fills the event, which is empty, from objects.leaves, or says why it
	// cannot.
	record func(e *schema.Event) *recordFailure
	// frames says that a zero byte may stand behind a record, as a line's end does.
	frames bool
}

// recordFailure is why a record that could be parsed is not an event.
type recordFailure struct{ reason, detail string }

// Decode implements Decoder.
func (j *jsonLog) Decode(data []byte, atEOF bool, sink Sink) int {
	used, ok := j.lines.start(data, atEOF, sink)
	// data[from:used] are brackets, commas and white space of the line at used.
	from := used
	for ok && used < len(data) {
		rest := data[used:]
		if len(rest) > j.lines.max {
			rest = rest[:j.lines.max]
		}
		last := atEOF && used+len(rest) == len(data)
		var n int
		switch c := rest[0]; {
		case j.frames && c == 0 && j.lines.skip == skipNothing && (len(rest) > 1 || last) && !bytes.HasPrefix(rest, hole[:2]):
			n = j.lines.passLine(1, false)
			from = used + n
		case j.frames && c == 0 && j.lines.skip == skipNothing && len(rest) == 1:
		case j.lines.skip != skipNothing || c == 0:
			n = j.reject(data[used:], atEOF, sink, nil)
			from = used + n
		case c == '\n':
			n = j.lines.passLine(1, true)
			from = used + n
		case c == ' ' || c == '\t' || c == '\r' || c == '[' || c == ']' || c == ',':
			n = j.lines.passLine(1, false)
		case c == byteOrderMark[0] && bytes.HasPrefix(rest, byteOrderMark): // files that were joined
			n = j.lines.pass(byteOrderMark)
			from = used + n
		case c == '{':
			length, err := j.objects.object(rest)
			switch {
			case err == nil:
				j.object(rest[:length], sink)
				n = length
				from = used + n
			case errors.Is(err, errJSONCut) && !last && len(rest) < j.lines.max:
			default:
				used = j.back(used, from)
				n = j.reject(data[used:], atEOF, sink, err)
				from = used + n
			}
		default:
			used = j.back(used, from)
			n = j.reject(data[used:], atEOF, sink, nil)
			from = used + n
		}
		if n == 0 {
			return j.back(used, from)
		}
		used += n
	}
	if atEOF {
		return used
	}
	return j.back(used, from)
}

// back goes back from used to from, which is on the same line, unless that is so
// far that the caller would have to keep too much.
func (j *jsonLog) back(used, from int) int {
	if used-from >= j.lines.max {
		return used
	}
	j.lines.at.Offset -= int64(used - from)
	return from
}

// object deals with the object that was just scanned.
func (j *jsonLog) object(raw []byte, sink Sink) {
	j.event.Reset()
	j.event.Number[schema.SourceOffset] = uint64(j.lines.at.Offset)
	if failure := j.record(&j.event); failure != nil {
		j.lines.reject(sink, raw, 1, failure.reason, failure.detail)
	} else {
		sink.Event(&j.event)
	}
	if j.lines.at.Line > 0 {
		j.lines.at.Line += int64(j.objects.newlines)
	}
	j.lines.at.Offset += int64(len(raw))
}

// reject rejects the line at the start of data, in which the scanner found err. It
// returns the length of the line, or 0 when it has to see more.
func (j *jsonLog) reject(data []byte, atEOF bool, sink Sink, err error) int {
	place, found := j.objects.at, bytes.IndexByte(data, '{')
	if at := bytes.IndexByte(data, 0); j.frames && at > 0 && bytes.IndexByte(data[:at], '\n') < 0 {
		data, atEOF = data[:at], true
	}
	line, n, ended := j.lines.cut(data, atEOF, sink)
	switch {
	case line == nil:
	case err == nil:
		j.lines.reject(sink, line, 1, ReasonSyntax, `expected a JSON object, "{...}": remove what is no JSON, or write it to another file`)
	case errors.Is(err, errJSONCut) || found+place >= len(line):
		j.lines.reject(sink, line, len(line)+1, ReasonCut, "the object is not closed: the record was cut off while it was written")
	default:
		column := found + place + 1
		j.lines.reject(sink, line, column, ReasonSyntax, fmt.Sprintf("%v in column %d: check how this log is written (log_format with escape=json, a JSON log plugin)", err, column))
	}
	return j.lines.passLine(n, ended)
}

// uid is the identity of the record that was just scanned.
func (j *jsonLog) uid(tenant, log string) schema.UID {
	sum := j.objects.hash()
	j.hasher.Reset()
	j.hasher.Part(tenant)
	j.hasher.Part(log)
	j.hasher.Number(sum.Hi)
	j.hasher.Number(sum.Lo)
	return j.hasher.Sum()
}
