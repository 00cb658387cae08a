package formats

import (
	"bytes"
	"errors"

	"github.com/crmwatch/crmwatch/schema"
)

// ipaasPages reads JSON records: one a line, in an array, or in the pages of an API
// ({"data":[...],"total":2}), several one behind the other. Only one record at a
// time is parsed, so a long page costs no memory.
type ipaasPages struct {
	jsonLog
	// open counts the objects around the records that are not closed yet.
	open int
}

func newIPaaSPages(start Position, r *ipaasReader) *ipaasPages {
	p := &ipaasPages{}
	p.lines = newLines(start)
	p.objects.classify = func(path string) int { return int(r.classify(path)) }
	p.record = func(e *schema.Event) *recordFailure {
		r.begin(e)
		for i := range p.objects.leaves {
			leaf := &p.objects.leaves[i]
			r.field(leaf.node.path, ipaasField(leaf.node.field), leaf.text)
		}
		return r.end(func(h *schema.UIDHasher) {
			sum := p.objects.hash()
			h.Number(sum.Hi)
			h.Number(sum.Lo)
		})
	}
	return p
}

// Decode implements Decoder.
func (p *ipaasPages) Decode(data []byte, atEOF bool, sink Sink) int {
	used, ok := p.lines.start(data, atEOF, sink)
	for ok && used < len(data) {
		n := p.next(data[used:], atEOF, sink)
		if n == 0 {
			break
		}
		used += n
	}
	return used
}

// next deals with what begins at data, and returns its length, or 0 to see more.
func (p *ipaasPages) next(data []byte, atEOF bool, sink Sink) int {
	if p.lines.skip == skipZeros && data[0] != 0 {
		p.lines.skip = skipNothing
	}
	if p.lines.skip != skipNothing || data[0] == 0 {
		return p.reject(data, atEOF, sink, nil)
	}
	rest, full := data, atEOF
	if len(rest) >= p.lines.max {
		rest, full = rest[:p.lines.max], true
	}
	switch c := rest[0]; c {
	case ' ', '\t', '\r', '\n', ',', '[', ']':
		return p.lines.pass(rest[:1])
	case byteOrderMark[0]:
		if len(rest) < len(byteOrderMark) && !full {
			return 0
		}
		if bytes.HasPrefix(rest, byteOrderMark) { // files that were joined
			return p.lines.pass(byteOrderMark)
		}
	case '}':
		if p.open > 0 {
			p.open--
			return p.lines.pass(rest[:1])
		}
	case '"':
		if p.open > 0 {
			if n := ipaasMember(rest); n > 0 {
				return p.lines.pass(rest[:n])
			} else if !full {
				return 0
			}
		}
	case '{':
		return p.braces(data, rest, full, atEOF, sink)
	}
	end := bytes.IndexAny(rest, "{\n")
	if end < 0 && !full {
		return 0
	}
	if end > 0 && rest[end] == '{' { // a page is one line: what follows is still good
		p.lines.reject(sink, rest[:end], 1, ReasonSyntax, "expected a JSON object: remove what is no JSON, or export again")
		return p.lines.pass(rest[:end])
	}
	return p.reject(data, atEOF, sink, nil)
}

// braces deals with an object: what is around the records of a page, or a record.
func (p *ipaasPages) braces(data, rest []byte, full, atEOF bool, sink Sink) int {
	n, depth, is, more := ipaasEnvelope(rest)
	if is {
		p.open += depth
		return p.lines.pass(rest[:n])
	}
	if more && !full {
		return 0
	}
	length, err := p.objects.object(rest)
	if err == nil {
		p.object(rest[:length], sink)
		return length
	}
	if n = objectLength(rest); n == 0 {
		if !full {
			return 0
		}
		if !errors.Is(err, errJSONCut) {
			return p.reject(data, atEOF, sink, err)
		}
		return p.reject(data, atEOF, sink, errJSONCut)
	}
	if next := bytes.Index(rest[:n], []byte("\n{")); next >= 0 {
		n = next + 1 // a brace too many has swallowed the records behind it
	}
	p.lines.reject(sink, rest[:n], min(p.objects.at+1, n), ReasonSyntax, err.Error()+": this is not valid JSON; export it again")
	return p.lines.pass(rest[:n])
}

// ipaasPageNames are the members of an answer that hold the records.
var ipaasPageNames = map[string]bool{
	"data": true, "result": true, "results": true, "records": true, "items": true, "events": true, "entries": true,
	"jobs": true, "activity_logs": true, "auditLogs": true, "value": true,
}

// ipaasEnvelope finds out whether the object at the start of data is what an API
// puts around records. n is where the first of them begins, and depth how many
// objects are open there. more says that it has to see more.
func ipaasEnvelope(data []byte) (n, depth int, is, more bool) {
	i := 1
	depth = 1
	for {
		i += jsonSpace(data[i:])
		if i >= len(data) {
			return 0, 0, false, true
		}
		if data[i] == ',' {
			i++
			continue
		}
		if data[i] != '"' {
			return 0, 0, false, false
		}
		length := jsonStringLength(data[i:])
		if length == 0 {
			return 0, 0, false, true
		}
		name := data[i+1 : i+length-1]
		i += length
		i += jsonSpace(data[i:])
		if i >= len(data) {
			return 0, 0, false, true
		}
		if data[i] != ':' {
			return 0, 0, false, false
		}
		i++
		i += jsonSpace(data[i:])
		if i >= len(data) {
			return 0, 0, false, true
		}
		if ipaasPageNames[string(name)] {
			switch {
			case data[i] == '[':
				next := i + 1 + jsonSpace(data[i+1:])
				if next >= len(data) {
					return 0, 0, false, true
				}
				if data[next] == '{' || data[next] == ']' {
					return i + 1, depth, true, false
				}
			case data[i] == '{' && depth < 3:
				depth++
				i++
				continue
			}
		}
		length = jsonValueLength(data[i:])
		if length == 0 {
			return 0, 0, false, true
		}
		i += length
	}
}

// ipaasMember is the length of a member ("total":2) at the start of data; 0 when it
// is cut off or none.
func ipaasMember(data []byte) int {
	i := jsonStringLength(data)
	if i == 0 {
		return 0
	}
	i += jsonSpace(data[i:])
	if i >= len(data) || data[i] != ':' {
		return 0
	}
	i++
	i += jsonSpace(data[i:])
	n := 0
	if i < len(data) {
		n = jsonValueLength(data[i:])
	}
	if n == 0 {
		return 0
	}
	return i + n
}

func jsonSpace(data []byte) (n int) {
	for n < len(data) && (data[n] == ' ' || data[n] == '\t' || data[n] == '\r' || data[n] == '\n') {
		n++
	}
	return n
}

// jsonValueLength is the length of the value at the start of data, which is not
// empty; 0 when it is cut off or none.
func jsonValueLength(data []byte) int {
	depth := 0
	for i := 0; i < len(data); {
		switch c := data[i]; c {
		case '"':
			n := jsonStringLength(data[i:])
			if n == 0 {
				return 0
			}
			i += n
		case '{', '[':
			depth++
			i++
		case '}', ']':
			if depth == 0 {
				return i // a bare value ends here
			}
			depth--
			i++
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
			i++
			continue
		default:
			i++
			continue
		}
		if depth == 0 {
			return i
		}
	}
	return 0
}
