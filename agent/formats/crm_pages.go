package formats

import (
	"bytes"
	"slices"

	"github.com/crmwatch/crmwatch/schema"
)

// crmPages reads JSON objects as records: one a line, in an array, or in the pages
// of an API ({"results":[...],"paging":{...}}), also several behind each other. Only
// one record at a time is parsed, so a long page costs no memory.
type crmPages struct {
	// start says whether an object is a page, how long it is up to its first record,
	// and how many objects that opens.
	start func(data []byte) (n, depth int, is bool)
	// read makes the event, which is empty, of the object that was just scanned.
	read    func(e *schema.Event, objects *jsonObjects) *csvFailure
	objects jsonObjects
	event   schema.Event
	place   Position
	// max is MaxRecord, except in tests.
	max int
	// open counts the pages' objects that are not closed yet.
	open int
	// inLongLine: the rest of a line that was rejected as too long follows.
	inLongLine bool
}

// newCRMPages reads records of a crmFormat.
func newCRMPages(start Position, record crmRecord) *crmPages {
	return newPages(start, crmPageStart, record.format.role, record.readObject)
}

func newPages(at Position, start func([]byte) (n, depth int, is bool), classify func(path string) int, read func(*schema.Event, *jsonObjects) *csvFailure) *crmPages {
	if at.Offset == 0 && at.Line == 0 {
		at.Line = 1
	}
	return &crmPages{start: start, read: read, objects: jsonObjects{classify: classify}, place: at, max: MaxRecord}
}

// Decode implements Decoder.
func (p *crmPages) Decode(data []byte, atEOF bool, sink Sink) (used int) {
	for used < len(data) {
		rest, full := data[used:], atEOF
		if len(rest) >= p.max {
			rest, full = rest[:p.max], true
		}
		n := p.next(rest, full, sink)
		if n == 0 {
			break
		}
		p.place.Offset += int64(n)
		if p.place.Line > 0 {
			p.place.Line += int64(bytes.Count(rest[:n], []byte{'\n'}))
		}
		used += n
	}
	return used
}

// next deals with what begins at rest and returns its length, or 0 to see more.
// With full there is no more to see.
func (p *crmPages) next(rest []byte, full bool, sink Sink) int {
	if p.inLongLine {
		return p.line(rest, full, sink, ReasonTooLong, tooLong)
	}
	switch rest[0] {
	case ' ', '\t', '\r', '\n', ',', '[', ']':
		return 1
	case byteOrderMark[0]: // also in the middle, where files were joined
		if len(rest) < len(byteOrderMark) && !full {
			return 0
		}
		if bytes.HasPrefix(rest, byteOrderMark) {
			return len(byteOrderMark)
		}
	case '}':
		if p.open > 0 {
			p.open--
			return 1
		}
	case '"':
		if p.open > 0 {
			n, _, ok := crmPageMember(rest)
			switch {
			case ok:
				return n
			case !full:
				return 0
			}
		}
	case '{':
		if n, depth, is := p.start(rest); is {
			p.open += depth
			return n
		}
		return p.object(rest, full, sink)
	}
	return p.line(rest, full, sink, ReasonSyntax, "expected a JSON object: remove what is no JSON, or export again")
}

// object deals with a record.
func (p *crmPages) object(rest []byte, full bool, sink Sink) int {
	n := objectLength(rest)
	if n == 0 {
		switch {
		case !full:
			return 0
		case len(rest) >= p.max:
			return p.line(rest, full, sink, ReasonTooLong, tooLong)
		}
		return p.line(rest, full, sink, ReasonCut, "the object is not closed: the file was cut off or damaged; export it again")
	}
	reason, detail := ReasonSyntax, "this is not valid JSON: export it again"
	if length, err := p.objects.object(rest[:n]); err == nil && length == n {
		p.event.Reset()
		p.event.Number[schema.SourceOffset] = uint64(p.place.Offset)
		failure := p.read(&p.event, &p.objects)
		if failure == nil {
			sink.Event(&p.event)
			return n
		}
		reason, detail = failure.reason, failure.detail
	} else if next := bytes.Index(rest[:n], []byte("\n{")); next >= 0 {
		n = next + 1 // a brace too many, or a quote too few, has swallowed the records behind it
	}
	sink.Reject(Rejection{Position: p.place, Reason: reason, Detail: detail, Content: rest[:n]})
	return n
}

// readObject makes the event of the object that was just scanned.
func (r *crmRecord) readObject(e *schema.Event, objects *jsonObjects) *csvFailure {
	var has crmRoles
	for i := range objects.leaves {
		if role := objects.leaves[i].node.field; role != crmUnmapped {
			has = has.with(role)
		}
	}
	log := r.format.log(has)
	if log == "" {
		return &csvFailure{ReasonUnknownFormat, "the object lacks the fields by which a record of " + r.format.product + " is known; an API's error answer and its counters are no records", -1}
	}
	r.begin(e, log)
	for i := range objects.leaves {
		leaf := &objects.leaves[i]
		r.put(leaf.node.field, -1, leaf.node.path, leaf.text)
	}
	if failure := r.finish(); failure != nil {
		return failure
	}
	if !r.identity() {
		sum := objects.hash()
		r.hasher.Number(sum.Hi)
		r.hasher.Number(sum.Lo)
	}
	e.UID = r.hasher.Sum()
	return nil
}

// line rejects the line at rest, or as much of it as there is.
func (p *crmPages) line(rest []byte, full bool, sink Sink, reason, detail string) int {
	n := bytes.IndexByte(rest, '\n') + 1
	switch {
	case n > 0:
		p.inLongLine = false
	case !full:
		return 0
	default:
		n = len(rest)
		if p.inLongLine = n >= p.max; p.inLongLine {
			reason, detail = ReasonTooLong, tooLong
			n = wholeCharacters(rest)
		}
	}
	if reason != ReasonTooLong && bytes.IndexByte(rest[:n], 0) >= 0 {
		reason, detail = ReasonNotText, "the line holds zero bytes: it is binary data, or a file that was damaged"
	}
	sink.Reject(Rejection{Position: p.place, Reason: reason, Detail: detail, Content: rest[:n]})
	return n
}

// crmPageLists are the members of a page that hold its records, and crmPageOthers
// those that may stand before them.
var (
	crmPageLists  = []string{"results", "records", "data", "items", "value"}
	crmPageOthers = []string{"paging", "total", "count", "offset", "hasMore", "next_offset", "info", "@odata.context", "@odata.nextLink"}
)

// crmPageStart says whether an object is a page, and how long it is up to its first
// record.
func crmPageStart(data []byte) (n, depth int, is bool) {
	for n = 1; ; {
		for n < len(data) && isJSONSpace(data[n]) {
			n++
		}
		if n == len(data) || data[n] != '"' {
			return 0, 0, false
		}
		length := jsonStringLength(data[n:])
		if length == 0 || !slices.Contains(crmPageLists, string(data[n+1:n+length-1])) && !slices.Contains(crmPageOthers, string(data[n+1:n+length-1])) {
			return 0, 0, false
		}
		length, list, ok := crmPageMember(data[n:])
		n += length
		if !ok || list {
			return n, 1, ok
		}
	}
}

// crmPageMember is the length of a member of a page at the start of data; of a list
// of records, up to and with its bracket. It is not ok when it is cut off.
func crmPageMember(data []byte) (n int, list, ok bool) {
	name := jsonStringLength(data)
	if name == 0 {
		return 0, false, false
	}
	n = name
	for n < len(data) && (isJSONSpace(data[n]) || data[n] == ':') {
		n++
	}
	switch {
	case n == len(data):
		return 0, false, false
	case data[n] == '[' && slices.Contains(crmPageLists, string(data[1:name-1])):
		return n + 1, true, true
	case data[n] == '{':
		length := objectLength(data[n:])
		return n + length, false, length > 0
	}
	n, ok = jsonMember(data)
	return n, false, ok
}

func isJSONSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',' }

// crmPageNames lists the names in the first record of a file's head, inner ones as
// paths; nil when it is not JSON. The record itself may be cut off.
func crmPageNames(head []byte) []string {
	head = bytes.TrimLeft(head, " \t\r\n[")
	if len(head) == 0 || head[0] != '{' {
		return nil
	}
	if n, _, is := crmPageStart(head); is {
		if head = bytes.TrimLeft(head[n:], " \t\r\n"); len(head) == 0 || head[0] != '{' {
			return []string{}
		}
	}
	objects := jsonObjects{classify: func(string) int { return 0 }}
	names := []string{}
	if n, err := objects.object(head); err == nil || n >= len(head) {
		for i := range objects.leaves {
			names = append(names, objects.leaves[i].node.path)
		}
	}
	return names
}
