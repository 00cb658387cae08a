package formats

import (
	"bytes"
	"slices"

	"github.com/crmwatch/crmwatch/schema"
)

const otlpName = "otlp"

// otlp is OpenTelemetry's logs as JSON: the lines of the collector's file exporter,
// each with many records, bodies of OTLP/HTTP requests, and the same spread over
// lines. Source: opentelemetry-proto (logs/v1, common/v1) and the OTLP file exporter
// specification.
var otlp = Format{
	Name:   otlpName,
	Title:  "OpenTelemetry logs (OTLP/JSON)",
	Line:   true,
	Detect: detectOTLP,
	New: func(o Options) Decoder {
		l := &otlpLog{lines: newLines(o.Start)}
		l.lineStart = l.lines.at.Offset
		l.scan.record = newGenericRecord(otlpName, "OpenTelemetry log", o)
		return l
	},
}

// otlpLevel is what the next byte stands in.
type otlpLevel uint8

const (
	otlpOutside otlpLevel = iota
	// otlpData is an object LogsData, or a request.
	otlpData
	otlpResources
	otlpResource
	otlpScopes
	otlpScope
	otlpRecords
)

// otlpLists are the members that lead to the next level, those of older versions too.
var otlpLists = map[otlpLevel][]string{
	otlpData:     {"resourceLogs", "resource_logs"},
	otlpResource: {"scopeLogs", "scope_logs", "instrumentationLibraryLogs"},
	otlpScope:    {"logRecords", "log_records", "logs"},
}

// otlpOthers are the signals that hold no log records.
var otlpOthers = map[string]string{
	"resourceSpans": "spans (traces)", "resource_spans": "spans (traces)",
	"resourceMetrics": "metrics", "resource_metrics": "metrics", "resourceProfiles": "profiles",
}

var otlpMark = []byte(`{"resourceLogs"`)

// otlpLog goes through the levels around the records and holds one record at a time,
// so that a line may be of any length. A line of up to MaxRecord bytes is used only as
// a whole, so that reading can stop behind it and go on later.
type otlpLog struct {
	lines lines
	scan  otlpScan
	event schema.Event
	// level is where the next byte stands, and base the level of the outermost object.
	level, base otlpLevel
	// hasResource says that the resource of the present list was seen.
	hasResource bool
	lineStart   int64
}

// Decode implements Decoder.
func (l *otlpLog) Decode(data []byte, atEOF bool, sink Sink) int {
	used, ok := l.lines.start(data, atEOF, sink)
	l.lineStart = max(l.lineStart, int64(used))
	for ok && used < len(data) {
		rest, full := data[used:], atEOF
		if len(rest) >= l.lines.max {
			rest, full = rest[:l.lines.max], true
		}
		n := l.next(data[used:], rest, full, atEOF, sink)
		if n == 0 {
			break
		}
		used += n
	}
	return used
}

// next deals with what begins at rest and returns its length, or 0 to see more. With
// full there is no more to see.
func (l *otlpLog) next(data, rest []byte, full, atEOF bool, sink Sink) int {
	if l.lines.skip == skipZeros && rest[0] != 0 {
		l.lines.skip = skipNothing
	}
	c := rest[0]
	if l.lines.skip != skipNothing || c == 0 {
		return l.damage(data, atEOF, sink, ReasonSyntax, "")
	}
	switch {
	case c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',':
		n := 1
		for n < len(rest) && (rest[n] == ' ' || rest[n] == '\t' || rest[n] == '\r' || rest[n] == '\n') {
			n++
		}
		return l.pass(rest[:n])
	case c == byteOrderMark[0] && l.level == otlpOutside: // files that were joined
		if len(rest) < len(byteOrderMark) && !full {
			return 0
		}
		if bytes.HasPrefix(rest, byteOrderMark) {
			return l.pass(byteOrderMark)
		}
	case c == '{' && l.level != otlpOutside:
		if len(rest) < len(otlpMark) && !full {
			return 0
		}
		if bytes.HasPrefix(rest, otlpMark) { // what was before it was cut off
			l.level = otlpOutside
		}
	}
	switch l.level {
	case otlpOutside:
		switch c {
		case '[', ']':
			return l.pass(rest[:1])
		case '{':
			return l.open(data, rest, full, atEOF, sink)
		}
	case otlpData, otlpResource, otlpScope:
		switch c {
		case '}':
			if l.level == l.base {
				l.level = otlpOutside
			} else {
				l.level--
			}
			return l.pass(rest[:1])
		case '"':
			return l.member(data, rest, full, atEOF, sink)
		}
	default:
		switch c {
		case ']':
			l.level--
			return l.pass(rest[:1])
		case '{':
			if l.level == otlpRecords {
				return l.object(data, rest, full, atEOF, sink)
			}
			l.enter(l.level + 1)
			return l.pass(rest[:1])
		}
	}
	return l.damage(data, atEOF, sink, ReasonSyntax, "this is no OTLP/JSON: export it again, or have the collector write it anew")
}

// enter goes to the level of an object, and forgets the one before it.
func (l *otlpLog) enter(level otlpLevel) {
	l.level = level
	if level <= otlpResource {
		l.scan.resource.reset()
		l.hasResource = false
	}
	l.scan.scope.reset()
}

// open deals with an object that is in no other.
func (l *otlpLog) open(data, rest []byte, full, atEOF bool, sink Sink) int {
	length, broken := otlpExtent(rest)
	if length == 0 && !broken && !full {
		return 0
	}
	at := 1 + jsonSpace(rest[1:])
	name := ""
	if at < len(rest) && rest[at] == '"' {
		if n := jsonStringLength(rest[at:]); n > 0 {
			name = string(rest[at+1 : at+n-1])
		}
	}
	whole := rest[:length]
	level := otlpOutside
	switch {
	case slices.Contains(otlpLists[otlpData], name) || bytes.Contains(whole, otlpMark[1:]):
		level = otlpData
	case name == "resource" || name == "schemaUrl" && bytes.Contains(whole, []byte(`"scopeLogs"`)) || slices.Contains(otlpLists[otlpResource], name):
		level = otlpResource
	case name == "scope" || slices.Contains(otlpLists[otlpScope], name):
		level = otlpScope
	}
	if level != otlpOutside {
		l.base = level
		l.enter(level)
		return l.pass(rest[:1])
	}
	if other := otlpOthers[name]; other != "" {
		return l.refuse(data, rest, length, atEOF, sink, ReasonUnknownFormat, "these are OpenTelemetry's "+other+", which hold no log records: export the logs to a file of their own")
	}
	if length > 0 && at == length-1 { // {} is an empty request
		return l.pass(whole)
	}
	if length > 0 && (bytes.Contains(whole, []byte(`imeUnixNano"`)) || bytes.Contains(whole, []byte(`"body"`))) {
		l.enter(otlpData)
		l.level = otlpOutside
		return l.object(data, rest, full, atEOF, sink) // a record whose surroundings are lost
	}
	return l.refuse(data, rest, length, atEOF, sink, ReasonSyntax, "the object has no resourceLogs: it is no OTLP/JSON of logs, or what stood around it is damaged")
}

// refuse rejects the object at rest, of which length bytes are known; 0 is a line.
func (l *otlpLog) refuse(data, rest []byte, length int, atEOF bool, sink Sink, reason, detail string) int {
	if length == 0 {
		return l.damage(data, atEOF, sink, reason, detail)
	}
	l.lines.reject(sink, rest[:length], l.column(), reason, detail)
	return l.pass(rest[:length])
}

// member deals with a member of an object around the records.
func (l *otlpLog) member(data, rest []byte, full, atEOF bool, sink Sink) int {
	cut := func() int {
		if !full {
			return 0
		}
		return l.damage(data, atEOF, sink, ReasonCut, "the line ends before its records do: the collector was stopped while it wrote, or the file was cut")
	}
	at := jsonStringLength(rest)
	if at == 0 || bytes.IndexByte(rest[:at], '\n') >= 0 {
		full = full || at > 0
		return cut()
	}
	name := string(rest[1 : at-1])
	at += jsonSpace(rest[at:])
	if at == len(rest) {
		return cut()
	}
	if rest[at] != ':' {
		return l.damage(data, atEOF, sink, ReasonSyntax, `expected ":" behind a name: this is no OTLP/JSON`)
	}
	at++
	if at += jsonSpace(rest[at:]); at == len(rest) {
		return cut()
	}
	if rest[at] == '[' && slices.Contains(otlpLists[l.level], name) {
		if l.level == otlpResource && !l.hasResource {
			if !l.lookAhead(rest[at:]) && !full {
				return 0
			}
		}
		l.level++
		return l.pass(rest[:at+1])
	}
	n, broken := otlpValueExtent(rest[at:])
	if broken {
		full = true
	}
	if n == 0 {
		return cut()
	}
	value := rest[at : at+n]
	switch {
	case l.level == otlpResource && name == "resource":
		l.scan.resource.read(&l.scan, value, "")
		l.hasResource = true
	case l.level == otlpScope && name == "scope":
		l.scan.scope.read(&l.scan, value, "scope.")
	case otlpOthers[name] != "":
		l.lines.reject(sink, rest[:at+n], l.column(), ReasonUnknownFormat, "these are OpenTelemetry's "+otlpOthers[name]+", which hold no log records: export the logs to a file of their own")
	}
	return l.pass(rest[:at+n])
}

// lookAhead finds the resource behind the list that begins at data. It returns false
// when it has to see more.
func (l *otlpLog) lookAhead(data []byte) bool {
	at, broken := otlpValueExtent(data)
	if at == 0 {
		return broken
	}
	for {
		for at < len(data) && isJSONSpace(data[at]) {
			at++
		}
		if at == len(data) {
			return false
		}
		if data[at] != '"' {
			return true
		}
		n := ipaasMember(data[at:])
		if region := data[at:]; bytes.Contains(region[:n], otlpMark) || n == 0 && bytes.Contains(region, otlpMark) {
			return true
		}
		if n == 0 {
			return false
		}
		if rest, found := bytes.CutPrefix(data[at:at+n], []byte(`"resource"`)); found {
			if rest = rest[jsonSpace(rest):]; len(rest) > 0 {
				rest = rest[1:]
				l.scan.resource.read(&l.scan, rest[jsonSpace(rest):], "")
				l.hasResource = true
			}
			return true
		}
		at += n
	}
}

// object deals with a record.
func (l *otlpLog) object(data, rest []byte, full, atEOF bool, sink Sink) int {
	n, broken := otlpExtent(rest)
	if n == 0 {
		if !broken && !full {
			return 0
		}
		return l.damage(data, atEOF, sink, ReasonCut, "the record is not closed: the collector was stopped while it wrote, or the file was cut")
	}
	raw := rest[:n]
	l.event.Reset()
	l.event.Number[schema.SourceOffset] = uint64(l.lines.at.Offset)
	switch failure := l.scan.read(&l.event, raw); {
	case failure != nil:
		l.lines.reject(sink, raw, l.column(), failure.reason, failure.detail)
	default:
		sink.Event(&l.event)
	}
	return l.pass(raw)
}

// otlpExtent is the length of the object at the start of data; 0 when it is not
// closed. It is broken when another LogsData begins in it, which cannot be.
func otlpExtent(data []byte) (n int, broken bool) {
	if n = objectLength(data); n == 0 {
		return 0, bytes.Contains(data[1:], otlpMark)
	}
	if bytes.Contains(data[1:n], otlpMark) {
		return 0, true
	}
	return n, false
}

// otlpValueExtent is otlpExtent for a value of any kind.
func otlpValueExtent(data []byte) (n int, broken bool) {
	if n = jsonValueLength(data); n == 0 {
		return 0, bytes.Contains(data, otlpMark)
	}
	if bytes.Contains(data[:n], otlpMark) || data[0] == '"' && bytes.IndexByte(data[:n], '\n') >= 0 {
		return 0, true
	}
	return n, false
}

// damage rejects the line at data, or what of it stands before another LogsData, and
// begins anew behind it.
func (l *otlpLog) damage(data []byte, atEOF bool, sink Sink, reason, detail string) int {
	line, n, ended := l.lines.cut(data, atEOF, sink)
	if n == 0 {
		return 0
	}
	if line != nil {
		if at := bytes.Index(line[1:], otlpMark); at >= 0 {
			line, n, ended = line[:at+1], at+1, false
		}
		l.lines.reject(sink, line, l.column(), reason, detail)
	}
	l.level = otlpOutside
	l.lines.passLine(n, ended)
	if ended {
		l.lineStart = l.lines.at.Offset
	}
	return n
}

func (l *otlpLog) column() int { return int(l.lines.at.Offset-l.lineStart) + 1 }

// pass goes on behind read, and returns its length.
func (l *otlpLog) pass(read []byte) int {
	l.lines.pass(read)
	if newline := bytes.LastIndexByte(read, '\n'); newline >= 0 {
		l.lineStart = l.lines.at.Offset - int64(len(read)-newline-1)
	}
	return len(read)
}

// detectOTLP looks at the first name of the first object.
func detectOTLP(head []byte) string {
	head = bytes.TrimLeft(jsonStart(head), " \t\r\n[")
	if len(head) == 0 || head[0] != '{' {
		return ""
	}
	rest := bytes.TrimLeft(head[1:], " \t\r\n")
	if len(rest) == 0 || rest[0] != '"' {
		return ""
	}
	n := jsonStringLength(rest)
	if n == 0 {
		return ""
	}
	switch name := string(rest[1 : n-1]); {
	case name == "resourceLogs" || name == "resource_logs":
		return "JSON objects with OTLP's resourceLogs"
	case otlpOthers[name] != "":
		return "JSON objects with OTLP's " + name
	case (name == "resource" || name == "scopeLogs" || name == "schemaUrl") && bytes.Contains(head, []byte(`"scopeLogs"`)) && bytes.Contains(head, []byte(`"logRecords"`)):
		return "JSON objects with OTLP's scopeLogs"
	}
	return ""
}
