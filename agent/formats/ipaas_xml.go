package formats

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/crmwatch/crmwatch/schema"
)

// ipaasXML reads XML exports: elements of one name are records, what is around them
// is passed over. Only one record at a time is parsed. Document types are not read,
// so no entity can make more of a record than it is.
type ipaasXML struct {
	lines  lines
	reader *ipaasReader
	event  schema.Event
	// paths remembers the names that were put together.
	paths map[string]string
}

// maxXMLFields is how many fields one record may have.
const maxXMLFields = 1000

func newIPaaSXML(start Position, r *ipaasReader) *ipaasXML {
	return &ipaasXML{lines: newLines(start), reader: r}
}

// Decode implements Decoder.
func (x *ipaasXML) Decode(data []byte, atEOF bool, sink Sink) int {
	used, ok := x.lines.start(data, atEOF, sink)
	for ok && used < len(data) {
		n := x.next(data[used:], atEOF, sink)
		if n == 0 {
			break
		}
		used += n
	}
	return used
}

// next deals with what begins at data, and returns its length, or 0 to see more.
func (x *ipaasXML) next(data []byte, atEOF bool, sink Sink) int {
	if x.lines.skip == skipZeros && data[0] != 0 {
		x.lines.skip = skipNothing
	}
	if data[0] == 0 || x.lines.skip != skipNothing {
		line, n, ended := x.lines.cut(data, atEOF, sink)
		if line != nil {
			x.lines.reject(sink, line, 1, ReasonNotText, "expected an XML element")
		}
		return x.lines.passLine(n, ended)
	}
	rest, full := data, atEOF
	if len(rest) >= x.lines.max {
		rest, full = rest[:x.lines.max], true
	}
	if n := jsonSpace(rest); n > 0 {
		return x.lines.pass(rest[:n])
	}
	if len(rest) < len(byteOrderMark) && !full {
		return 0
	}
	if bytes.HasPrefix(rest, byteOrderMark) {
		return x.lines.pass(byteOrderMark)
	}
	if rest[0] != '<' {
		n := bytes.IndexByte(rest, '<')
		if n < 0 {
			if !full {
				return 0
			}
			n = len(rest)
		}
		x.lines.reject(sink, bytes.TrimRight(rest[:n], " \t\r\n"), 1, ReasonSyntax, "text stands between the elements: remove it, or export again")
		return x.lines.pass(rest[:n])
	}
	return x.tag(rest, full, sink)
}

// tag deals with a tag: a record's, or another, which is passed over.
func (x *ipaasXML) tag(rest []byte, full bool, sink Sink) int {
	end := bytes.IndexByte(rest, '>')
	if bytes.HasPrefix(rest, []byte("<!--")) {
		if end = bytes.Index(rest, []byte("-->")); end >= 0 {
			end += 2
		}
	}
	if end < 0 {
		if !full {
			return 0
		}
		return x.cut(rest, sink)
	}
	name := xmlName(rest)
	if xmlLocal(name) != x.reader.product.element {
		return x.lines.pass(rest[:end+1])
	}
	n := end + 1
	if rest[end-1] != '/' {
		closing := bytes.Index(rest, []byte("</"+name+">"))
		// Another that opens before means that this one was cut off.
		another := xmlOpens(rest[end+1:], name)
		if another >= 0 && (closing < 0 || end+1+another < closing) {
			return x.cut(rest[:end+1+another], sink)
		}
		if closing < 0 {
			if !full {
				return 0
			}
			return x.cut(rest, sink)
		}
		n = closing + len(name) + 3
	}
	if failure := x.record(rest[:n]); failure != nil {
		x.lines.reject(sink, rest[:n], 1, failure.reason, failure.detail)
	} else {
		sink.Event(&x.event)
	}
	return x.lines.pass(rest[:n])
}

func (x *ipaasXML) cut(rest []byte, sink Sink) int {
	if len(rest) >= x.lines.max {
		x.lines.reject(sink, rest, 1, ReasonTooLong, tooLong)
	} else {
		x.lines.reject(sink, rest, 1, ReasonCut, "the element "+x.reader.product.element+" is not closed: the file was cut off or damaged; export it again")
	}
	return x.lines.pass(rest)
}

// xmlName is the name in the tag at the start of data.
func xmlName(data []byte) string {
	end := 1
	for end < len(data) && end <= 64 && !bytes.ContainsRune([]byte(" \t\r\n/>"), rune(data[end])) {
		end++
	}
	return string(data[1:end])
}

func xmlLocal(name string) string { return name[strings.IndexByte(name, ':')+1:] }

// xmlOpens finds the next element with a name; -1 when there is none.
func xmlOpens(data []byte, name string) int {
	tag := []byte("<" + name)
	for from := 0; ; {
		at := bytes.Index(data[from:], tag)
		if at < 0 {
			return -1
		}
		from += at + len(tag)
		if from < len(data) && bytes.IndexByte([]byte(" \t\r\n/>"), data[from]) >= 0 {
			return from - len(tag)
		}
	}
}

// record reads one element. A field's name is the path to it; that of one with an
// attribute Name is that name.
func (x *ipaasXML) record(raw []byte) *recordFailure {
	x.event.Reset()
	x.event.Number[schema.SourceOffset] = uint64(x.lines.at.Offset)
	r := x.reader
	r.begin(&x.event)
	if len(x.paths) > maxJSONNodes || x.paths == nil {
		x.paths = map[string]string{}
	}
	text8 := raw
	if !utf8.Valid(raw) { // what is no character is written as \xHH
		text8 = appendValid(nil, string(raw))
	}
	decoder := xml.NewDecoder(bytes.NewReader(text8))
	var path []string
	var text strings.Builder
	var names []string
	fields := 0
	add := func(name, value string) {
		if value = strings.TrimSpace(value); value == "" {
			return
		}
		if known, ok := x.paths[name]; ok {
			name = known
		} else {
			x.paths[name] = name
		}
		fields++
		r.field(name, r.classify(name), strings.ToValidUTF8(value, "\uFFFD"))
	}
	for {
		if fields >= maxXMLFields {
			x.event.Number[schema.IsTruncated] = 1
			break
		}
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return &recordFailure{ReasonSyntax, "this is not valid XML: export it again"}
		}
		switch t := token.(type) {
		case xml.StartElement:
			if len(path) >= maxJSONDepth {
				return &recordFailure{ReasonSyntax, "elements are nested more than 32 deep"}
			}
			path = append(path, t.Name.Local)
			text.Reset()
			named, value := "", ""
			for _, a := range t.Attr {
				if strings.EqualFold(a.Name.Local, "name") && len(path) > 1 {
					named = a.Value
				}
			}
			for _, a := range t.Attr {
				switch {
				case a.Name.Local == "xmlns" || a.Name.Space == "xmlns":
				case strings.EqualFold(a.Name.Local, "name") && len(path) > 1:
				case strings.EqualFold(a.Name.Local, "value") && named != "":
					value = a.Value
				default:
					add(xmlPath(path, names)+"@"+a.Name.Local, a.Value)
				}
			}
			if named != "" && path[len(path)-1] == "Provider" {
				add(xmlPath(path, names)+"@Name", named)
				named = ""
			}
			names = append(names, named)
			if value != "" {
				add(xmlPath(path, names), value)
			}
		case xml.CharData:
			if text.Len() < MaxRecord {
				text.Write(t)
			}
		case xml.EndElement:
			if len(path) > 0 {
				add(xmlPath(path, names), text.String())
				text.Reset()
				path, names = path[:len(path)-1], names[:len(names)-1]
			}
		}
	}
	return r.end(func(h *schema.UIDHasher) { h.Part(string(raw)) })
}

// xmlPath is the path below the record; an element with a name goes by it.
func xmlPath(path, names []string) string {
	var b strings.Builder
	for i := 1; i < len(path); i++ {
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		if i < len(names) && names[i] != "" {
			if i == len(path)-1 && path[i] == "Data" {
				return path[i-1] + "." + names[i]
			}
			if i == len(path)-1 {
				return path[i] + "." + names[i]
			}
			b.WriteString(names[i])
			continue
		}
		b.WriteString(path[i])
	}
	return b.String()
}

// detectXML says whether the record element stands in a head.
func (p *ipaasProduct) detectXML(head []byte) bool {
	for range 50 {
		head = bytes.TrimLeft(head, " \t\r\n")
		if len(head) == 0 || head[0] != '<' {
			return false
		}
		if xmlLocal(xmlName(head)) == p.element {
			record := head
			if end := xmlOpens(head[1:], xmlName(head)); end >= 0 {
				record = head[:end+1]
			}
			return p.recognise == nil || p.recognise(nil, record)
		}
		end := bytes.IndexByte(head, '>')
		if end < 0 {
			return false
		}
		head = head[end+1:]
	}
	return false
}
