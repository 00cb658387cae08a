package formats

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/crmwatch/crmwatch/schema"
)

const syslogName = "syslog"

// syslog is a file of syslog messages: RFC 5424, RFC 3164 as it is found in the wild
// (without PRI, as in /var/log/messages; with ISO times, as rsyslog writes them), one
// a line or with their length in front (RFC 6587). Each message says which it is.
//
// A message that is a record of another format is read as that format reads it; see
// syslogInner.
var syslog = Format{
	Name:   syslogName,
	Title:  "syslog (RFC 5424, RFC 3164)",
	Line:   true,
	Detect: detectSyslog,
	New:    func(o Options) Decoder { return newSyslogLog(o) },
}

type syslogLog struct {
	lines   lines
	tenant  string
	hasher  schema.UIDHasher
	event   schema.Event
	header  syslogHeader
	clock   syslogClock
	text    syslogText
	cef     cefReader
	leef    leefReader
	inner   syslogInner
	carried innerSink
	scratch []byte
	pairs   []pair
}

func newSyslogLog(o Options) *syslogLog {
	l := &syslogLog{lines: newLines(o.Start), tenant: o.Tenant, clock: newSyslogClock(o)}
	l.cef, l.leef = newCEFReader(o), newLEEFReader(o)
	l.inner = newSyslogInner(o)
	l.text.record = newGenericRecord(syslogName, syslogName, o)
	return l
}

// Refer implements Dated.
func (l *syslogLog) Refer(now time.Time) {
	l.clock.reference = now
	l.cef.clock.reference, l.leef.clock.reference = now, now
}

// Decode implements Decoder.
func (l *syslogLog) Decode(data []byte, atEOF bool, sink Sink) int {
	used, ok := l.lines.start(data, atEOF, sink)
	for ok && used < len(data) {
		rest := data[used:]
		n, count, kind := l.frame(rest, atEOF)
		switch kind {
		case frameOpen:
			return used
		case frameWhole:
			l.message(rest[:n], bytes.TrimRight(rest[count:n], " \t\r\n\x00"), true, sink)
			used += l.lines.pass(rest[:n])
			continue
		case frameCut:
			l.lines.reject(sink, rest, len(rest)+1, ReasonCut, "the message is shorter than the number in front of it says: it was cut off while it was written")
			return used + l.lines.pass(rest)
		}
		line, n, ended := l.lines.cut(rest, atEOF, sink)
		if n == 0 {
			break
		}
		if line != nil {
			l.message(line, line, ended, sink)
		}
		used += l.lines.passLine(n, ended)
	}
	return used
}

// frameKind is what the number in front of a message turned out to be.
type frameKind uint8

const (
	// frameNone: there is none that can be used; the line's end ends the message.
	frameNone frameKind = iota
	// frameOpen: more has to be seen.
	frameOpen
	frameWhole
	// frameCut: the file ends within the message.
	frameCut
)

// maxCountDigits is how many digits the length of a message has at most.
const maxCountDigits = 7

// frame looks for a message with its length in front (RFC 6587, 3.4.1). n is its
// length with the number, which is count bytes long with its space. A number that
// would take the beginning of another line along, or leave something behind that
// begins no message, is wrong and counts for nothing.
func (l *syslogLog) frame(data []byte, atEOF bool) (n, count int, kind frameKind) {
	if l.lines.skip != skipNothing || data[0]-'1' >= 9 {
		return 0, 0, frameNone
	}
	digits := leadingDigits(data, maxCountDigits+1)
	if digits > maxCountDigits {
		return 0, 0, frameNone
	}
	if len(data) < digits+3 && !atEOF && bytes.HasPrefix([]byte(" <"), data[digits:]) {
		return 0, 0, frameOpen
	}
	if !isPRI(data[min(digits+1, len(data)):]) || data[digits] != ' ' {
		return 0, 0, frameNone
	}
	size, _ := strconv.Atoi(string(data[:digits]))
	count = digits + 1
	if n = count + size; size < len("<1>1") || n > l.lines.max {
		return 0, 0, frameNone
	}
	seen := data[count:min(n, len(data))]
	if bytes.Contains(seen, hole) || holdsMessage(seen) {
		return 0, 0, frameNone
	}
	switch {
	case n < len(data):
		next := data[n:]
		digits := leadingDigits(next, maxCountDigits)
		switch begin := next[digits:]; {
		case digits == 0 && (next[0] == '\n' || next[0] == '\r'),
			digits > 0 && len(begin) >= 2 && begin[0] == ' ' && begin[1] == '<':
			return n, count, frameWhole
		case digits > 0 && !atEOF && len(begin) < 2 && bytes.HasPrefix([]byte(" <"), begin):
			return 0, 0, frameOpen
		}
		return 0, 0, frameNone
	case !atEOF:
		return 0, 0, frameOpen
	case n == len(data):
		return n, count, frameWhole
	}
	if end := bytes.IndexByte(seen, '\n'); end >= 0 && end < len(seen)-1 {
		return 0, 0, frameNone
	}
	return 0, 0, frameCut
}

// holdsMessage says whether another message begins on a later line of text.
func holdsMessage(text []byte) bool {
	for {
		newline := bytes.IndexByte(text, '\n')
		if newline < 0 {
			return false
		}
		text = text[newline+1:]
		next := text
		if n := leadingDigits(next, maxCountDigits); n > 0 && n < len(next) && next[n] == ' ' {
			next = next[n+1:]
		}
		if isPRI(next) {
			return true
		}
	}
}

func leadingDigits(data []byte, most int) (n int) {
	for n < len(data) && n < most && data[n]-'0' < 10 {
		n++
	}
	return n
}

// isPRI says whether data begins with a priority such as <134>, or what is there of
// one with at least one digit.
func isPRI(data []byte) bool {
	if len(data) < 2 || data[0] != '<' {
		return false
	}
	n := leadingDigits(data[1:], 4)
	return n >= 1 && n <= 3 && (len(data) == n+1 || data[n+1] == '>')
}

// message makes an event of a message, whose text is a part of raw.
func (l *syslogLog) message(raw, text []byte, ended bool, sink Sink) {
	text = bytes.TrimPrefix(text, byteOrderMark) // files that were joined
	if len(text) == 0 {
		return
	}
	valid := utf8.Valid(text)
	if !valid {
		l.scratch = appendValid(l.scratch[:0], unsafe.String(unsafe.SliceData(text), len(text)))
		text = l.scratch
	}
	line := unsafe.String(unsafe.SliceData(text), len(text))
	failure, at := l.read(raw, line, sink)
	if failure == nil {
		return
	}
	reason, detail := failure.reason, failure.detail
	if !ended && at >= len(line) {
		reason, detail = ReasonCut, "the line ends too early: the message was cut off while it was written"
	}
	column := at + 1
	if !valid || len(raw) != len(text) {
		column = 0
	}
	l.lines.reject(sink, raw, column, reason, detail)
}

// read makes the events of a message, or says what is wrong with it and where.
func (l *syslogLog) read(raw []byte, line string, sink Sink) (failure *recordFailure, at int) {
	h := &l.header
	if failure, at = h.read(line, &l.clock); failure != nil {
		return failure, at
	}
	if l.pairs, failure, at = h.structured(l.pairs[:0], line); failure != nil {
		return failure, at
	}
	switch {
	case isCEF(h.message):
		l.event.Reset()
		if failure, at = l.cef.read(&l.event, h.message, h.time()); failure == nil {
			l.around(&l.event)
			l.give(&l.event, line, 0, sink)
			return nil, 0
		}
		return failure, h.messageAt + at
	case isLEEF(h.message):
		l.event.Reset()
		if failure, at = l.leef.read(&l.event, h.message, h.time()); failure == nil {
			l.around(&l.event)
			l.give(&l.event, line, 0, sink)
			return nil, 0
		}
		return failure, h.messageAt + at
	}
	l.carried.log, l.carried.raw, l.carried.line, l.carried.sink = l, raw, line, sink
	if l.inner.read(h.app, h.message, &l.carried) {
		return nil, 0
	}
	e := &l.event
	e.Reset()
	if failure = l.text.read(e, h, l.pairs); failure != nil {
		return failure, h.timeAt
	}
	l.give(e, line, 0, sink)
	return nil, 0
}

// around keeps what the header says beside the event of a record that it carries.
func (l *syslogLog) around(e *schema.Event) {
	h := &l.header
	e.AddUnmapped("syslog.hostname", h.host)
	e.AddUnmapped("syslog.app_name", h.app)
	e.AddUnmapped("syslog.procid", h.pid)
	e.AddUnmapped("syslog.msgid", h.msgid)
	if h.pri >= 0 {
		e.AddUnmapped("syslog.facility", h.facility())
		e.AddUnmapped("syslog.severity", h.severityName())
	}
	for _, p := range l.pairs {
		e.AddUnmapped(p.name, p.value)
	}
}

// give hands on the event number n of a line. The year that a line does not name is
// part of its identity.
func (l *syslogLog) give(e *schema.Event, line string, n uint64, sink Sink) {
	h := &l.hasher
	h.Reset()
	h.Part(l.tenant)
	h.Part(syslogName)
	h.Part(line)
	h.Number(n)
	if l.header.yearless {
		h.Number(uint64(e.When().Year()))
	}
	e.UID = h.Sum()
	e.Text[schema.MetadataTenantUID] = l.tenant
	if e.Text[schema.MetadataLogFormat] == "" {
		e.Text[schema.MetadataLogFormat] = syslogName
	}
	e.Number[schema.SourceOffset] = uint64(l.lines.at.Offset)
	sink.Event(e)
}

// detectSyslog claims a log when at least half of its first lines are messages.
func detectSyslog(head []byte) string {
	read, total := 0, 0
	var kinds syslogKinds
	for len(head) > 0 && total < 20 {
		if n := leadingCount(string(head[:min(len(head), 16)])); n > 0 {
			size, _ := strconv.Atoi(string(head[:n-1]))
			if end := n + size; end <= len(head) && !holdsMessage(head[n:end]) {
				kinds.counted = true
				read += kinds.line(head[n:end])
				total++
				head = bytes.TrimLeft(head[end:], "\r\n")
				continue
			}
		}
		line, rest, ended := bytes.Cut(head, []byte{'\n'})
		head = rest
		line = bytes.TrimRight(bytes.TrimLeft(line, "\x00"), " \r\t")
		if len(line) == 0 {
			continue
		}
		n := kinds.line(line)
		if n == 0 && !ended && total > 0 {
			break // the head may be cut off in this line
		}
		read += n
		total++
	}
	if read == 0 || read*2 < total || !kinds.sure() {
		return ""
	}
	return fmt.Sprintf("%d of the first %d lines begin as syslog messages do%s", read, total, kinds.how())
}

// syslogKinds collects what kinds of messages a head has.
type syslogKinds struct {
	header                                    syslogHeader
	clock                                     syslogClock
	standard, traditional, bare, ids, counted bool
}

// line is 1 for a line that is a message, and 0 for another.
func (k *syslogKinds) line(line []byte) int {
	if !k.isMessage(unsafe.String(unsafe.SliceData(line), len(line))) {
		return 0
	}
	return 1
}

func (k *syslogKinds) isMessage(line string) bool {
	h := &k.header
	line = strings.TrimPrefix(line, string(byteOrderMark))
	if failure, _ := h.read(line, &k.clock); failure != nil {
		return false
	}
	switch {
	case h.standard:
		k.standard = true
	case h.pri >= 0 && (h.stamped || h.app != "" || isCarried(h.message)):
		k.traditional = true
	case h.pri < 0 && h.host != "" && (h.app != "" || isCEF(h.message) || isLEEF(h.message) || isRepeated(h.message)):
		if _, level := levelSeverity(h.host); level || strings.ContainsAny(h.host, "[]/") {
			return false
		}
		k.bare = k.bare || h.yearless || h.app == ""
		k.ids = k.ids || h.pid != ""
	default:
		return false
	}
	return true
}

// sure says whether the lines are no other log's: those with a date in numbers, no
// priority and no process id could be.
func (k *syslogKinds) sure() bool { return k.standard || k.traditional || k.bare || k.ids }

func (k *syslogKinds) how() string {
	switch {
	case k.counted:
		return ", with their lengths in front (RFC 6587)"
	case k.standard:
		return " (RFC 5424)"
	case k.traditional:
		return " (RFC 3164)"
	}
	return " (without priority)"
}

// isSyslogLine says whether a line is a syslog message, for formats whose records may
// stand in one.
func isSyslogLine(line []byte) bool {
	var k syslogKinds
	return k.line(line) == 1 && k.sure()
}
