package formats

import (
	"strings"
)

// pair is a field of a record with its own name.
type pair struct{ name, value string }

// structured reads the structured data of RFC 5424 and puts what follows it into
// message. The names of elements that the RFC itself defines (origin, timeQuality,
// meta) stand in front of those of their parameters: they speak of the sender.
func (h *syslogHeader) structured(pairs []pair, line string) (_ []pair, failure *recordFailure, at int) {
	if !h.standard {
		return pairs, nil, 0
	}
	rest := h.data
	if rest == "-" || strings.HasPrefix(rest, "- ") {
		rest = rest[1:]
	}
	for len(rest) > 0 && rest[0] == '[' {
		var n int
		var ok bool
		if pairs, n, ok = dataElement(pairs, rest); n < 0 {
			return pairs, &recordFailure{ReasonQuote, `the structured data is not closed: a value needs a quote at its end, an element a "]", and a quote, a backslash or "]" inside a value a backslash before it`}, len(line)
		} else if !ok {
			break // the sender left out the structured data: this is the message
		}
		rest = rest[n:]
	}
	rest = strings.TrimLeft(rest, " ")
	h.messageAt = len(line) - len(rest)
	h.message = strings.TrimPrefix(rest, string(byteOrderMark))
	return pairs, nil, 0
}

// dataElement reads one [ID NAME="VALUE"...] at the start of s, which is n bytes
// long. ok is false when s is something else, and n negative when it has no end.
func dataElement(pairs []pair, s string) (_ []pair, n int, ok bool) {
	i := 1
	for i < len(s) && isDataName(s[i]) {
		i++
	}
	id := s[1:i]
	if id == "" {
		return pairs, 0, false
	}
	have := len(pairs)
	for {
		at := i
		for i < len(s) && s[i] == ' ' {
			i++
		}
		if i == len(s) {
			return pairs[:have], -1, false
		}
		if s[i] == ']' {
			return pairs, i + 1, true
		}
		from := i
		for i < len(s) && isDataName(s[i]) {
			i++
		}
		if i == len(s) {
			return pairs[:have], -1, false
		}
		if from == at || from == i || !strings.HasPrefix(s[i:], `="`) {
			return pairs[:have], 0, false
		}
		name := s[from:i]
		value, length := dataValue(s[i+2:])
		if length < 0 {
			return pairs[:have], -1, false
		}
		i += 2 + length
		if strings.IndexByte(id, '@') < 0 {
			name = id + "." + name
		}
		pairs = append(pairs, pair{name, value})
	}
}

// isDataName says whether RFC 5424 allows a byte in a name; bytes above ASCII are
// found too.
func isDataName(c byte) bool {
	return c > ' ' && c != '=' && c != ']' && c != '"' && c != 0x7F
}

// dataValue is what stands before the quote that closes a value, and its length with
// the quote; -1 when there is none. A backslash before anything but \, " and ] is
// itself.
func dataValue(s string) (value string, length int) {
	escaped := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if i+1 < len(s) && (s[i+1] == '\\' || s[i+1] == '"' || s[i+1] == ']') {
				escaped = true
				i++
			}
		case '"':
			if escaped {
				return unescapeBefore(s[:i], `\"]`), i + 1
			}
			return s[:i], i + 1
		}
	}
	return "", -1
}

// unescapeBefore takes out the backslashes that stand before one of special.
func unescapeBefore(s, special string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte(special, s[i+1]) >= 0 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
