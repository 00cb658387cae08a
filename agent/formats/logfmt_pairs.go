package formats

import (
	"strings"
	"unicode/utf8"
)

// logfmtPairs cuts lines into pairs of key=value. A value in double quotes may hold
// spaces and escapes as Go and JSON write them; one that is not closed goes on to the
// end of the line. The zero value is ready to use.
type logfmtPairs struct {
	quoted jsonObjects
	// isOpen says that a value of this line is not closed.
	isOpen bool
}

// begin starts a line: what was cut out of earlier ones is no longer valid.
func (p *logfmtPairs) begin() { p.quoted.scratch, p.isOpen = p.quoted.scratch[:0], false }

// next cuts the first pair off the line. A word without "=" has no value, and isPair
// is false. At the end of the line, key is "".
func (p *logfmtPairs) next(line string) (key, value, rest string, isPair bool) {
	line = strings.TrimLeft(line, " \t")
	end := 0
	for end < len(line) && line[end] != '=' && line[end] != ' ' && line[end] != '\t' {
		end++
	}
	if end == len(line) || line[end] != '=' {
		return line[:end], "", line[end:], false
	}
	if end == 0 { // "=" belongs to nothing
		for end < len(line) && line[end] != ' ' && line[end] != '\t' {
			end++
		}
		return line[:end], "", line[end:], false
	}
	key, line = line[:end], line[end+1:]
	if line == "" || line[0] != '"' {
		end = 0
		for end < len(line) && line[end] != ' ' && line[end] != '\t' {
			end++
		}
		return key, line[:end], line[end:], true
	}
	escaped := false
	for end = 1; end < len(line) && line[end] != '"'; end++ {
		if line[end] == '\\' {
			escaped = true
			end++
		}
	}
	if end >= len(line) {
		end, p.isOpen = len(line), true
	}
	if value = line[1:end]; escaped {
		if value = p.quoted.unescape(value); !utf8.ValidString(value) { // \xff
			from := len(p.quoted.scratch)
			p.quoted.scratch = appendValid(p.quoted.scratch, value)
			value = p.quoted.own(from)
		}
	}
	return key, value, line[min(end+1, len(line)):], true
}
