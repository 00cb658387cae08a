package formats

import (
	"bytes"
	"errors"
	"fmt"
	"unsafe"

	"github.com/crmwatch/crmwatch/schema"
)

const apiGatewayName = "aws-apigateway"

// apiGateway is the access log of AWS API Gateway: JSON whose names the operator
// chooses, CLF, CSV or XML, one record a line; as it stands in files, in the lines and
// answers of CloudWatch Logs, and in what a subscription delivers. Sources: AWS's
// tables of $context variables for REST, HTTP and WebSocket APIs, and its formats of
// subscriptions and of get-log-events.
//
// AWS does not escape what it writes. A record in which quotes stand inside a value is
// mended where only one reading is possible.
var apiGateway = Format{
	Name:   apiGatewayName,
	Title:  "AWS API Gateway access log (JSON, CLF, CSV, XML; from CloudWatch)",
	Line:   true,
	Detect: detectAPIGateway,
	New:    func(o Options) Decoder { return newAPIGatewayLog(o) },
}

type apiGatewayLog struct {
	lines lines
	// page is what stands around the records that are read.
	page cloudWatchPage
	// events reads the log events of CloudWatch, objects the records.
	events, objects jsonObjects
	call            apiGatewayCall
	tenant          string
	hasher          schema.UIDHasher
	event           schema.Event
	mended          []byte
	// strict: a line has to have the id that AWS gives requests. byLine: the last
	// event was read from such a line.
	strict, byLine bool
}

func newAPIGatewayLog(o Options) *apiGatewayLog {
	l := &apiGatewayLog{lines: newLines(o.Start), tenant: o.Tenant}
	l.call.clock.zone = o.Zone
	l.events.classify = classifyLogEvent
	l.objects.classify = classifyAPIGateway
	return l
}

// Decode implements Decoder.
func (l *apiGatewayLog) Decode(data []byte, atEOF bool, sink Sink) int {
	used, ok := l.lines.start(data, atEOF, sink)
	for ok && used < len(data) {
		n := l.next(data[used:], atEOF, sink)
		if n == 0 {
			break
		}
		used += n
	}
	return used
}

// next deals with what begins at data, and returns its length, or 0 to see more.
func (l *apiGatewayLog) next(data []byte, atEOF bool, sink Sink) int {
	if l.lines.skip == skipZeros && data[0] != 0 {
		l.lines.skip = skipNothing
	}
	if l.lines.skip != skipNothing || data[0] == 0 {
		return l.line(data, atEOF, sink)
	}
	rest, full := data, atEOF
	if len(rest) >= l.lines.max {
		rest, full = rest[:l.lines.max], true
	}
	switch rest[0] {
	case ' ', '\t', '\r', '\n', ',', '[', ']':
		return l.lines.pass(rest[:1])
	case byteOrderMark[0]:
		if len(rest) < len(byteOrderMark) && !full {
			return 0
		}
		if bytes.HasPrefix(rest, byteOrderMark) { // files that were joined
			return l.lines.pass(byteOrderMark)
		}
	case '}':
		if l.page.open {
			l.page = cloudWatchPage{}
			return l.lines.pass(rest[:1])
		}
		return l.damaged(data, rest, full, atEOF, sink, errJSONValue)
	case '"':
		if l.page.open {
			if n := ipaasMember(rest); n > 0 {
				return l.lines.pass(rest[:n])
			} else if !full {
				return 0
			}
		}
		return l.damaged(data, rest, full, atEOF, sink, errJSONValue)
	case '{':
		return l.braces(data, rest, full, atEOF, sink)
	}
	return l.line(data, atEOF, sink)
}

// braces deals with an object: what CloudWatch puts around log events, a log event, or
// a record.
func (l *apiGatewayLog) braces(data, rest []byte, full, atEOF bool, sink Sink) int {
	page, n, more := cloudWatchPageStart(rest)
	if n > 0 {
		l.page = page
		return l.lines.pass(rest[:n])
	}
	if more && !full {
		return 0
	}
	if l.page.open {
		n, err := l.events.object(rest)
		if err == nil && hasMessage(&l.events) {
			l.logEvent(rest[:n], sink)
			return l.lines.pass(rest[:n])
		}
		if err != nil {
			return l.broken(data, rest, full, atEOF, sink, err, l.events.at)
		}
		l.page = cloudWatchPage{} // it was cut off, and records follow
	}
	n, err := l.objects.object(rest)
	switch {
	case err != nil:
		return l.broken(data, rest, full, atEOF, sink, err, l.objects.at)
	case n == len(rest) && !full:
		return 0
	case n < len(rest) && bytes.IndexByte([]byte(" \t\r\n,]}{\x00"), rest[n]) < 0:
		// A quote and a brace inside a value have ended it too early.
		return l.broken(data, rest, full, atEOF, sink, errJSONComma, n)
	}
	if hasMessage(&l.objects) && !hasRequest(&l.objects) { // a log event without a page
		if length, err := l.events.object(rest[:n]); err == nil && length == n {
			l.logEvent(rest[:n], sink)
			return l.lines.pass(rest[:n])
		}
	}
	l.begin()
	failure := l.record()
	l.give(rest[:n], failure, sink)
	return l.lines.pass(rest[:n])
}

// broken deals with an object in which err was found at a place.
func (l *apiGatewayLog) broken(data, rest []byte, full, atEOF bool, sink Sink, err error, place int) int {
	if errors.Is(err, errJSONCut) && !full {
		return 0
	}
	l.objects.at = place
	return l.damaged(data, rest, full, atEOF, sink, err)
}

// damaged deals with what is no object, up to the end of the line or to the next
// object that stands on it. A record is mended where that is possible.
func (l *apiGatewayLog) damaged(data, rest []byte, full, atEOF bool, sink Sink, err error) int {
	n, place := boundary(rest), l.objects.at
	switch {
	case n > 0:
	case !full:
		return 0
	case len(rest) >= l.lines.max:
		return l.line(data, atEOF, sink)
	default:
		n = len(rest)
	}
	unit := bytes.TrimRight(rest[:n], " \t\r")
	reason, detail := ReasonSyntax, `expected a record, "{...}": remove what is none, or write it to another file`
	switch {
	case unit[0] != '{':
		place = 0
	case !l.page.open && l.mend(unit):
		l.begin()
		l.give(unit, l.record(), sink)
		return l.lines.pass(rest[:n])
	case errors.Is(err, errJSONCut) || place >= len(unit):
		reason, detail, place = ReasonCut, "the record is not closed in its line: it was cut off", len(unit)
	case l.page.open:
		detail = fmt.Sprintf("%v in column %d: the log event is no valid JSON; export it again", err, place+1)
	default:
		detail = fmt.Sprintf("%v: API Gateway does not escape the quotes in a value, and here it cannot be told which they are; log $context.error.messageString without quotes in place of $context.error.message", err)
	}
	l.lines.reject(sink, unit, place+1, reason, detail)
	return l.lines.pass(rest[:n])
}

// boundary is where the line at the start of data ends, or an object that is followed
// by another on the same line; 0 when neither is in sight.
func boundary(data []byte) int {
	end := bytes.IndexByte(data, '\n')
	if end < 0 {
		end = len(data)
	}
	n := end
	for _, mark := range [...]string{"}{\"", "},{\""} {
		if at := bytes.Index(data[:n], []byte(mark)); at >= 0 {
			n = at + 1
		}
	}
	if at := bytes.Index(data[:n], hole); at > 0 {
		n = at
	}
	if n == len(data) {
		return 0
	}
	return n
}

// mend reads a record after escaping the quotes inside its values.
func (l *apiGatewayLog) mend(record []byte) bool {
	var ok bool
	if l.mended, ok = escapeQuotes(l.mended[:0], record); !ok {
		return false
	}
	n, err := l.objects.object(l.mended)
	return err == nil && n == len(l.mended)
}

// line deals with a line that is no object.
func (l *apiGatewayLog) line(data []byte, atEOF bool, sink Sink) int {
	line, n, ended := l.lines.cut(data, atEOF, sink)
	if line != nil {
		l.begin()
		failure := l.text(unsafe.String(unsafe.SliceData(line), len(line)))
		if failure != nil && !ended && failure.reason == ReasonSyntax {
			failure = &recordFailure{ReasonCut, "the line ends too early: the record was cut off while it was written"}
		}
		l.give(line, failure, sink)
	}
	return l.lines.passLine(n, ended)
}

// give hands on the event that was read from raw, or why there is none.
func (l *apiGatewayLog) give(raw []byte, failure *recordFailure, sink Sink) {
	if failure != nil {
		l.lines.reject(sink, raw, 1, failure.reason, failure.detail)
		return
	}
	l.event.Number[schema.SourceOffset] = uint64(l.lines.at.Offset)
	sink.Event(&l.event)
}
