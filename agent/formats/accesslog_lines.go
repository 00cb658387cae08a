package formats

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// lines cuts a log into lines, whatever they mean. It rejects what is no line: runs
// of zero bytes, and lines longer than max. What it reads does not depend on how
// the log is cut into calls.
type lines struct {
	// at is where the next byte stands.
	at Position
	// max is MaxRecord, except in tests.
	max  int
	skip skipping
}

// skipping is what the lines are in the middle of, its start having been rejected.
type skipping uint8

const (
	skipNothing skipping = iota
	skipLine
	skipZeros
	skipFile
)

// holeSize is how many zero bytes inside a line mean that a piece of the file was
// never written (a crash, a truncation while writing), rather than odd text.
const holeSize = 8

var hole = make([]byte, holeSize)

func newLines(start Position) lines {
	if start.Offset == 0 && start.Line == 0 {
		start.Line = 1
	}
	return lines{at: start, max: MaxRecord}
}

// start looks at the first bytes of the file: a byte order mark is passed over, and
// UTF-16 is refused as a whole. ok is false when it has to see more.
func (l *lines) start(data []byte, atEOF bool, sink Sink) (used int, ok bool) {
	switch {
	case l.skip == skipFile:
		return l.pass(data), true
	case l.at.Offset != 0:
		return 0, true
	case len(data) < 4 && !atEOF:
		return 0, false
	case looksUTF16(data):
		l.skip = skipFile
		l.reject(sink, data[:min(len(data), l.max)], 0, ReasonNotText, "the file is UTF-16: `iconv -f UTF-16 -t UTF-8` makes it readable")
		return l.pass(data), true
	case bytes.HasPrefix(data, byteOrderMark):
		return l.pass(data[:len(byteOrderMark)]), true
	}
	return 0, true
}

// pass goes on behind read, and returns its length.
func (l *lines) pass(read []byte) int {
	if l.at.Line > 0 {
		l.at.Line += int64(bytes.Count(read, []byte{'\n'}))
	}
	l.at.Offset += int64(len(read))
	return len(read)
}

// passLine is pass for n bytes that are one line, or a part of one without its end.
func (l *lines) passLine(n int, ended bool) int {
	if ended && l.at.Line > 0 {
		l.at.Line++
	}
	l.at.Offset += int64(n)
	return n
}

// cut finds the line at the start of data, which is not empty. n is its length with
// its end, and 0 when more has to be seen; ended is false for a line that the end
// of the file or a hole cuts off. line is nil when the n bytes are no line: they
// were rejected or are white space. The caller passes over the n bytes.
func (l *lines) cut(data []byte, atEOF bool, sink Sink) (line []byte, n int, ended bool) {
	if l.skip == skipZeros || data[0] == 0 {
		return nil, l.zeros(data, atEOF, sink), false
	}
	length := len(data)
	if length > l.max {
		length, atEOF = l.max+1, false
	}
	end := bytes.IndexByte(data[:length], '\n')
	switch {
	case end >= 0:
		line, n, ended = data[:end], end+1, true
	case !atEOF && length <= l.max:
		return nil, 0, false
	default:
		line, n = data[:length], length
	}
	if at := bytes.Index(line, hole); at > 0 {
		line, n, ended = line[:at], at, false
	}
	if l.skip == skipLine || len(line) > l.max {
		l.skip = skipNothing
		if len(line) > l.max {
			l.skip = skipLine
			n = wholeCharacters(line[:l.max])
		}
		l.reject(sink, line[:min(n, len(line))], 0, ReasonTooLong, fmt.Sprintf("the line is longer than %d MiB, the most that a record may have: it is kept in parts", MaxRecord>>20))
		return nil, n, ended
	}
	for len(line) > 0 && (line[len(line)-1] == '\r' || line[len(line)-1] == ' ' || line[len(line)-1] == '\t') {
		line = line[:len(line)-1]
	}
	if len(line) == 0 {
		line = nil
	}
	return line, n, ended
}

// zeros rejects a run of zero bytes once, however long it is.
func (l *lines) zeros(data []byte, atEOF bool, sink Sink) (n int) {
	for n < len(data) && data[n] == 0 {
		n++
	}
	if l.skip != skipZeros {
		if n == len(data) && n < l.max && !atEOF {
			return 0
		}
		n = min(n, l.max)
		l.reject(sink, data[:n], 0, ReasonNotText, "zero bytes stand where a line should: the file was truncated while it was written, or a crash kept its text from the disk; what follows them is read")
	}
	l.skip = skipZeros
	if n < len(data) && data[n] != 0 {
		l.skip = skipNothing
	}
	return n
}

// reject gives content, which stands at the current place, to the sink.
func (l *lines) reject(sink Sink, content []byte, column int, reason, detail string) {
	if (reason == ReasonSyntax || reason == ReasonCut) && bytes.IndexByte(content, 0) >= 0 {
		reason, detail = ReasonNotText, "the line holds zero bytes: it is binary data, or a file that was damaged"
	}
	sink.Reject(Rejection{Position: l.at, Column: column, Reason: reason, Detail: detail, Content: content})
}

// appendValid appends text to dst and makes it valid UTF-8: a byte that is no part
// of it is written as \xHH, so that it can still be recognised.
func appendValid(dst []byte, text string) []byte {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			dst = appendHexEscape(dst, text[i])
		} else {
			dst = append(dst, text[i:i+size]...)
		}
		i += size
	}
	return dst
}

// validText is s, with what is not UTF-8 written as \xHH.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string(appendValid(nil, s))
}

func appendHexEscape(dst []byte, c byte) []byte {
	const digits = "0123456789ABCDEF"
	return append(dst, '\\', 'x', digits[c>>4], digits[c&15])
}

// hexByte reads two hexadecimal digits.
func hexByte(s string) (c byte, ok bool) {
	if len(s) < 2 {
		return 0, false
	}
	high, low := hexDigit(s[0]), hexDigit(s[1])
	return high<<4 | low, high < 16 && low < 16
}

// hexDigit is the value of a hexadecimal digit, and 16 or more for other bytes.
func hexDigit(c byte) byte {
	switch {
	case c-'0' < 10:
		return c - '0'
	case c|0x20-'a' < 6:
		return (c | 0x20) - 'a' + 10
	}
	return 16
}
