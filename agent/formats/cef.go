package formats

import (
	"bytes"
	"strings"
	"time"
	"unsafe"

	"github.com/crmwatch/crmwatch/schema"
)

const cefName = "cef"

// cef is the Common Event Format, version 0 or 1, one event a line:
//
//	CEF:VERSION|VENDOR|PRODUCT|VERSION|SIGNATURE ID|NAME|SEVERITY|EXTENSION
//
// Events with a syslog header in front are read by the format syslog. Source: the
// vendors' descriptions of the Common Event Format.
var cef = Format{
	Name:   cefName,
	Title:  "Common Event Format (CEF)",
	Line:   true,
	Detect: func(head []byte) string { return detectCarried(head, isCEF, "CEF:VERSION|VENDOR|PRODUCT|...") },
	New: func(o Options) Decoder {
		r := newCEFReader(o)
		return &carriedLines{lines: newLines(o.Start), format: cefName, tenant: o.Tenant, clock: &r.clock,
			read: func(e *schema.Event, line string) (*recordFailure, int) { return r.read(e, line, 0) }}
	},
}

// isCEF says whether s begins as CEF does.
func isCEF(s string) bool {
	rest, found := strings.CutPrefix(s, "CEF:")
	return found && rest != "" && strings.TrimLeft(rest, " ") != "" && strings.TrimLeft(rest, " ")[0]-'0' < 10
}

// detectCarried claims a log when at least half of its first lines begin as is says.
func detectCarried(head []byte, is func(string) bool, what string) string {
	read, total := 0, 0
	for len(head) > 0 && total < 20 {
		line, rest, _ := bytes.Cut(head, []byte{'\n'})
		head = rest
		line = bytes.TrimPrefix(bytes.TrimLeft(line, " \t\r\x00"), byteOrderMark)
		if len(line) == 0 {
			continue
		}
		if is(string(line[:min(len(line), 16)])) && bytes.Count(line, []byte{'|'}) >= 5 {
			read++
		} else if len(head) == 0 && total > 0 {
			break // the head may be cut off in this line
		}
		total++
	}
	if read == 0 || read*2 < total {
		return ""
	}
	return "lines of the form " + what
}

// cefReader makes events of CEF.
type cefReader struct {
	clock  syslogClock
	record genericRecord
	pairs  []pair
	labels cefLabels
	// Fields of the present event that are looked at together with others.
	act, category, source6, server6 string
}

func newCEFReader(o Options) cefReader {
	return cefReader{clock: newSyslogClock(o), record: newGenericRecord(cefName, cefName, o)}
}

// cefHeaderFields is how many fields stand in front of the extension.
const cefHeaderFields = 7

// read fills the empty event e from s. when is the time around it, for events that
// have none of their own; 0 means that there is none.
func (r *cefReader) read(e *schema.Event, s string, when int64) (failure *recordFailure, at int) {
	if !isCEF(s) {
		return notCarried(s, "CEF:")
	}
	var head [cefHeaderFields]string
	rest := s
	for i := range head {
		end := fieldEnd(rest)
		if end < 0 {
			if i < cefHeaderFields-1 {
				return &recordFailure{ReasonColumnCount, "a CEF header has seven fields with | between them: CEF:VERSION|VENDOR|PRODUCT|VERSION|SIGNATURE ID|NAME|SEVERITY|"}, len(s)
			}
			end = len(rest)
		}
		head[i] = rest[:end]
		if strings.IndexByte(head[i], '\\') >= 0 {
			head[i] = unescapeBefore(head[i], `\|`)
		}
		head[i] = strings.TrimSpace(head[i])
		rest = rest[min(end+1, len(rest)):]
	}
	r.pairs = cefPairs(r.pairs[:0], rest)
	r.record.begin(e)
	r.record.vendor, r.record.product, r.record.log = head[1], head[2], cefName
	times := r.extension(e)
	return r.finish(e, &head, times, when), len(s) - len(rest)
}

// notCarried is the failure of a line that does not begin as it should.
func notCarried(s, begin string) (failure *recordFailure, at int) {
	if strings.HasPrefix(begin, s[:min(len(s), len(begin))]) {
		at = len(s)
	}
	return &recordFailure{ReasonSyntax, "expected a line that begins with " + begin + "VERSION|: one with a syslog header in front is read by the format syslog"}, at
}

// fieldEnd is where the | stands that ends the field at the start of s; -1 without.
func fieldEnd(s string) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '|':
			return i
		}
	}
	return -1
}

// maxPairs is how many fields of a record are told apart; the last one has the rest.
const maxPairs = 4096

// cefPairs cuts an extension: a value ends where the next name with its = begins. In
// values \= \\ \n and \r are escapes.
func cefPairs(pairs []pair, s string) []pair {
	const none = -1
	name, from := "", none
	start := 0 // of the word that may be a name
	escaped := false
	end := func(to int) {
		if from == none {
			return
		}
		value := strings.TrimRight(s[from:to], " \t")
		if escaped {
			value = cefValue(value)
		}
		pairs = append(pairs, pair{name, value})
		escaped = false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			escaped = true
			i++
		case c == ' ' || c == '\t':
			start = i + 1
		case c == '=' && start < i && len(pairs) < maxPairs && isCEFName(s[start:i]) && (from == none || start > from || start == 0):
			end(start)
			name, from = s[start:i], i+1
			start = i + 1
		}
	}
	end(len(s))
	return pairs
}

// isCEFName says whether a word can be a field's name.
func isCEFName(s string) bool {
	if len(s) > maxTag {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c-'0' >= 10 && c|0x20-'a' >= 26 && c != '_' && c != '-' && c != '.' && c != '[' && c != ']' && c < 0x80 {
			return false
		}
	}
	return true
}

// cefValue undoes the escapes of a value.
func cefValue(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\\' && i+1 < len(s) {
			switch next := s[i+1]; next {
			case 'n', 'r':
				c = '\n'
				i++
			case '=', '\\', '|':
				c = next
				i++
			}
		}
		b.WriteByte(c)
	}
	return b.String()
}

// carriedLines reads a log with one event a line.
type carriedLines struct {
	lines   lines
	format  string
	tenant  string
	clock   *syslogClock
	read    func(e *schema.Event, line string) (failure *recordFailure, at int)
	hasher  schema.UIDHasher
	event   schema.Event
	scratch []byte
}

// Decode implements Decoder.
func (l *carriedLines) Decode(data []byte, atEOF bool, sink Sink) int {
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

// Refer implements Dated.
func (l *carriedLines) Refer(now time.Time) { l.clock.reference = now }

func (l *carriedLines) line(raw []byte, ended bool, sink Sink) {
	text := bytes.TrimLeft(bytes.TrimPrefix(raw, byteOrderMark), " \t")
	l.scratch = appendValid(l.scratch[:0], unsafe.String(unsafe.SliceData(text), len(text)))
	line := unsafe.String(unsafe.SliceData(l.scratch), len(l.scratch))
	e := &l.event
	e.Reset()
	if failure, at := l.read(e, line); failure != nil {
		reason, detail := failure.reason, failure.detail
		if !ended && at >= len(line) {
			reason, detail = ReasonCut, "the line ends too early: the record was cut off while it was written"
		}
		l.lines.reject(sink, raw, min(at, len(raw))+1, reason, detail)
		return
	}
	h := &l.hasher
	h.Reset()
	h.Part(l.tenant)
	h.Part(l.format)
	h.Part(line)
	e.UID = h.Sum()
	if e.Text[schema.MetadataTenantUID] == "" {
		e.Text[schema.MetadataTenantUID] = l.tenant
	}
	e.Text[schema.MetadataLogFormat] = l.format
	e.Number[schema.SourceOffset] = uint64(l.lines.at.Offset)
	sink.Event(e)
}
