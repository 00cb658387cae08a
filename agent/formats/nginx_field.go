package formats

import (
	"strings"
	"unicode/utf8"
)

// isSeconds says whether s is a time as nginx writes it: 0.815.
func isSeconds(s string) bool {
	dot := strings.IndexByte(s, '.')
	if dot < 1 || dot > 6 || len(s) != dot+4 {
		return false
	}
	for i := range len(s) {
		if i != dot && s[i]-'0' > 9 {
			return false
		}
	}
	return true
}

// nextField reads one field from line[at:], which begins with spaces: in quotes, or
// up to the next space. A quote inside a quoted field is escaped; one that is not,
// as in logs without escaping, ends the field only in front of a space.
func nextField(line string, at int) (value string, quoted bool, next int, ok bool) {
	for at < len(line) && line[at] == ' ' {
		at++
	}
	if at == len(line) {
		return "", false, at, false
	}
	if line[at] != '"' {
		end := strings.IndexByte(line[at:], ' ')
		if end < 0 {
			return line[at:], false, len(line), true
		}
		value = line[at : at+end]
		if eq := strings.IndexByte(value, '='); eq > 0 && eq+1 < len(value) && value[eq+1] == '"' { // name="a b"
			if _, _, next, ok = nextField(line, at+eq+1); ok {
				return line[at:next], false, next, true
			}
		}
		return value, false, at + end, true
	}
	for i := at + 1; i < len(line); i++ {
		end := strings.IndexByte(line[i:], '"')
		if end < 0 {
			break
		}
		i += end
		if i+1 < len(line) && line[i+1] != ' ' || isEscaped(line, i) {
			continue
		}
		return line[at+1 : i], true, i + 1, true
	}
	return "", true, len(line), false
}

// isEscaped says whether an odd number of backslashes stands before line[at].
func isEscaped(line string, at int) bool {
	n := 0
	for n < at && line[at-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

// text undoes the escapes of a field and makes it valid UTF-8. Control characters
// stay escaped.
func (l *nginxLog) text(s string) string {
	if l.plain || strings.IndexByte(s, '\\') < 0 && utf8.ValidString(s) {
		return s
	}
	l.scratch = l.scratch[:0]
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\\' && i+1 < len(s) {
			if next := s[i+1]; next == '"' || next == '\\' {
				c = next
				i++
			} else if b := apacheEscape(next); b != 0 && l.name == apacheName {
				c = b
				i++
			} else if b, ok := hexByte(s[min(i+2, len(s)):]); ok && next == 'x' && b >= ' ' && b != 0x7F {
				c = b
				i += 3
			}
		}
		l.scratch = append(l.scratch, c)
	}
	s = string(l.scratch)
	if !utf8.ValidString(s) {
		s = string(appendValid(nil, s))
	}
	return s
}
