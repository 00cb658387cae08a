package formats

import (
	"bytes"
	"unicode/utf8"
	"unsafe"

	"github.com/crmwatch/crmwatch/schema"
)

const logfmtName = "logfmt"

// logfmt is lines of key=value pairs, as logrus, go-kit, Heroku and others write
// them. They are read by the names that loggers give.
var logfmt = Format{
	Name:   logfmtName,
	Title:  "logfmt (key=value lines)",
	Line:   true,
	Detect: detectLogfmt,
	New:    func(o Options) Decoder { return newLogfmtLog(o) },
}

type logfmtLog struct {
	lines  lines
	pairs  logfmtPairs
	record genericRecord
	hasher schema.UIDHasher
	event  schema.Event
	// valid is the line where it had to be made UTF-8, and words those that are in no pair.
	valid, words []byte
	// seen, if not nil, is told of each pair that is looked at.
	seen func(field genericField, value string)
}

func newLogfmtLog(o Options) *logfmtLog {
	return &logfmtLog{lines: newLines(o.Start), record: newGenericRecord(logfmtName, "logfmt log", o)}
}

// Decode implements Decoder.
func (l *logfmtLog) Decode(data []byte, atEOF bool, sink Sink) int {
	used, ok := l.lines.start(data, atEOF, sink)
	for ok && used < len(data) {
		line, n, ended := l.lines.cut(data[used:], atEOF, sink)
		if n == 0 {
			break
		}
		if line != nil {
			l.line(line, sink)
		}
		used += l.lines.passLine(n, ended)
	}
	return used
}

func (l *logfmtLog) line(raw []byte, sink Sink) {
	e, r := &l.event, &l.record
	e.Reset()
	r.begin(e)
	text := bytes.TrimPrefix(raw, byteOrderMark) // files that were joined
	if !utf8.Valid(text) {
		l.valid = appendValid(l.valid[:0], unsafe.String(unsafe.SliceData(text), len(text)))
		text = l.valid
	}
	line := unsafe.String(unsafe.SliceData(text), len(text))
	l.pairs.begin()
	l.words = l.words[:0]
	count := 0
	for rest := line; ; {
		var key, value string
		var isPair bool
		key, value, rest, isPair = l.pairs.next(rest)
		switch {
		case isPair:
			count++
			r.pair(key, value)
			if l.seen != nil {
				l.seen(genericFieldOf(key), value)
			}
			continue
		case key != "":
			if len(l.words) > 0 {
				l.words = append(l.words, ' ')
			}
			l.words = append(l.words, key...)
			continue
		}
		break
	}
	if count == 0 {
		l.lines.reject(sink, raw, 1, ReasonSyntax, "expected key=value pairs: a text of several lines has to be in quotes, with \\n for its lines")
		return
	}
	if l.pairs.isOpen {
		l.lines.reject(sink, raw, len(raw)+1, ReasonQuote, "a value in quotes is not closed at the end of the line: the line was cut off, or a quote in a value stands without a backslash")
		return
	}
	e.AddUnmapped("words", unsafe.String(unsafe.SliceData(l.words), len(l.words)))
	if failure := r.end(); failure != nil {
		l.lines.reject(sink, raw, 1, failure.reason, failure.detail)
		return
	}
	h := &l.hasher
	h.Reset()
	h.Part(e.Text[schema.MetadataTenantUID])
	h.Part(logfmtName)
	h.Part(line)
	e.UID = h.Sum()
	e.Number[schema.SourceOffset] = uint64(l.lines.at.Offset)
	sink.Event(e)
}

// detectLogfmt wants at least half of the lines to be pairs with a time that can be
// read.
func detectLogfmt(head []byte) string {
	head = bytes.TrimPrefix(head, byteOrderMark)
	first, _, _ := bytes.Cut(bytes.TrimLeft(head, "\r\n\x00"), []byte{'\n'})
	if bytes.IndexByte(head, '=') < 0 || len(first) == 0 || first[0] == '{' || first[0] == '[' || first[0] == '<' {
		return ""
	}
	evidence, seen, pairs := genericEvidence{}, countingSink{}, 0
	l := newLogfmtLog(Options{})
	l.seen = func(field genericField, value string) {
		pairs++
		if value != "" {
			evidence.see(field, value)
		}
	}
	lines := 0
	for rest := head; len(rest) > 0 && lines < 100; lines++ {
		line, more, whole := bytes.Cut(rest, []byte{'\n'})
		if rest = more; whole || lines == 0 {
			if line = bytes.TrimRight(line, " \t\r"); len(line) > 0 {
				l.line(line, &seen)
			}
		}
	}
	if seen.events == 0 || seen.unreadable() || pairs < 2*seen.events || !evidence.isLog() || isOthers(head) {
		return ""
	}
	return "lines of key=value pairs with a time and " + evidence.examples()
}
