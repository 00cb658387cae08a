package formats

import (
	"bytes"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/crmwatch/crmwatch/schema"
)

// jsonRecords reads JSON objects as rows of a salesforceTable: one a line, in an
// array, or in the answer to a REST query ({"totalSize":2,"done":true,"records":
// [...]}, also inside {"status":0,"result":...}). Only one object at a time is
// parsed, so a long array costs no memory.
type jsonRecords struct {
	table  *salesforceTable
	parser fastjson.Parser
	event  schema.Event
	place  Position
	max    int
	// open counts the objects around "records" that are not closed yet.
	open int
	// inLongLine: the rest of a line that was rejected as too long follows.
	inLongLine bool

	names, fields []string
}

func newJSONRecords(start Position, table *salesforceTable) *jsonRecords {
	if start.Offset == 0 && start.Line == 0 {
		start.Line = 1
	}
	return &jsonRecords{table: table, place: start, max: MaxRecord}
}

// Decode implements Decoder.
func (r *jsonRecords) Decode(data []byte, atEOF bool, sink Sink) (used int) {
	for used < len(data) {
		rest := data[used:]
		full := atEOF
		if len(rest) >= r.max {
			rest, full = rest[:r.max], true
		}
		n := r.next(rest, full, sink)
		if n == 0 {
			break
		}
		r.pass(rest[:n])
		used += n
	}
	return used
}

// pass moves the place over bytes that are done with.
func (r *jsonRecords) pass(done []byte) {
	r.place.Offset += int64(len(done))
	if r.place.Line > 0 {
		r.place.Line += int64(bytes.Count(done, []byte{'\n'}))
	}
}

// next deals with what begins at rest and returns its length, or 0 to see more.
// With full there is no more to see.
func (r *jsonRecords) next(rest []byte, full bool, sink Sink) int {
	if r.inLongLine {
		return r.line(rest, full, sink, ReasonTooLong, tooLong)
	}
	switch c := rest[0]; c {
	case ' ', '\t', '\r', '\n', ',', '[', ']':
		return 1
	case byteOrderMark[0]:
		if r.place.Offset == 0 && len(rest) < len(byteOrderMark) && !full {
			return 0
		}
		if r.place.Offset == 0 && bytes.HasPrefix(rest, byteOrderMark) {
			return len(byteOrderMark)
		}
	case '}':
		if r.open > 0 {
			r.open--
			return 1
		}
	case '"':
		if r.open > 0 {
			if n, ok := jsonMember(rest); ok {
				return n
			} else if !full {
				return 0
			}
		}
	case '{':
		return r.object(rest, full, sink)
	}
	return r.line(rest, full, sink, ReasonSyntax, "expected a JSON object: remove what is no JSON, or export again")
}

const tooLong = "the record is longer than 4 MiB, the most that a record may have"

// object deals with an object: the envelope of a query's answer, or a record.
func (r *jsonRecords) object(rest []byte, full bool, sink Sink) int {
	n, depth, is := jsonEnvelope(rest)
	if is {
		r.open += depth
		return n
	}
	n = objectLength(rest)
	if n == 0 && !full {
		return 0
	}
	if n == 0 {
		if len(rest) >= r.max {
			return r.line(rest, full, sink, ReasonTooLong, tooLong)
		}
		return r.line(rest, full, sink, ReasonCut, "the object is not closed: the file was cut off or damaged; export it again")
	}
	reason, detail := ReasonSyntax, "this is not valid JSON: export it again"
	if value, err := r.parser.ParseBytes(rest[:n]); err == nil {
		failure := r.record(value)
		if failure == nil {
			sink.Event(&r.event)
			return n
		}
		reason, detail = failure.reason, failure.detail
	} else if next := bytes.Index(rest[:n], []byte("\n{")); next >= 0 {
		n = next + 1 // a brace too many has swallowed the records behind it
	}
	sink.Reject(Rejection{Position: r.place, Reason: reason, Detail: detail, Content: rest[:n]})
	return n
}

// record reads an object as a row. Its names become the header when they change.
func (r *jsonRecords) record(value *fastjson.Value) *csvFailure {
	object, err := value.Object()
	if err != nil {
		return &csvFailure{ReasonSyntax, "expected a JSON object", -1}
	}
	known := len(r.names)
	r.fields = r.fields[:0]
	same := true
	r.visit("", object, 0, func(name, text string) {
		i := len(r.fields)
		if i >= known || r.names[i] != name {
			same = false
			r.names = append(r.names[:min(i, len(r.names))], strings.Clone(name))
			known = len(r.names)
		}
		r.fields = append(r.fields, text)
	})
	if !same || len(r.fields) != len(r.names) || len(r.names) == 0 {
		r.names = r.names[:len(r.fields)]
		if !r.table.isHeader(r.names) {
			r.names = r.names[:0]
			return &csvFailure{ReasonHeader, "the object is not a record of " + r.table.object.object + ": it lacks the fields by which one is known", -1}
		}
		if wrong := r.table.setHeader(r.names); wrong != "" {
			r.names = r.names[:0]
			return &csvFailure{ReasonHeader, wrong, -1}
		}
	}
	r.event.Reset()
	r.event.Number[schema.SourceOffset] = uint64(r.place.Offset)
	return r.table.row(r.fields, &r.event)
}

// visit gives the members of an object to found; those of an inner object have
// both names, joined by a dot. "attributes" tells only where the API has the record.
func (r *jsonRecords) visit(prefix string, object *fastjson.Object, depth int, found func(name, text string)) {
	object.Visit(func(key []byte, value *fastjson.Value) {
		name := prefix + string(key)
		switch value.Type() {
		case fastjson.TypeNull:
			found(name, "")
		case fastjson.TypeString:
			found(name, strings.ToValidUTF8(string(value.GetStringBytes()), "\uFFFD"))
		case fastjson.TypeObject:
			if string(key) == "attributes" || depth == 2 {
				return
			}
			r.visit(name+".", value.GetObject(), depth+1, found)
		default:
			found(name, string(value.MarshalTo(nil)))
		}
	})
}

// line rejects the line at rest, or as much of it as there is.
func (r *jsonRecords) line(rest []byte, full bool, sink Sink, reason, detail string) int {
	n := bytes.IndexByte(rest, '\n') + 1
	if n == 0 {
		if !full {
			return 0
		}
		n = len(rest)
		if r.inLongLine = n >= r.max; r.inLongLine {
			reason, detail = ReasonTooLong, tooLong
			n = wholeCharacters(rest)
		}
	} else {
		r.inLongLine = false
	}
	if bytes.IndexByte(rest[:n], 0) >= 0 && reason != ReasonTooLong {
		reason, detail = ReasonNotText, "the line holds zero bytes: it is binary data, or a file that was damaged"
	}
	sink.Reject(Rejection{Position: r.place, Reason: reason, Detail: detail, Content: rest[:n]})
	return n
}
