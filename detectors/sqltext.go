package detectors

import "strings"

// sqlText is what a statement mentions, found without the engine.
type sqlText struct {
	// placeholders are the parameters in the order in which they stand.
	placeholders []placeholder
	identifiers  map[string]bool
}

// placeholder is {name:Type} in a statement.
type placeholder struct {
	name, kind   string
	line, column int
}

// readSQL finds parameters and identifiers, and passes over strings and comments.
func readSQL(sql string) sqlText {
	text := sqlText{identifiers: map[string]bool{}}
	line, lineStart := 1, 0
	for i := 0; i < len(sql); {
		switch c := sql[i]; {
		case c == '\n':
			line++
			i++
			lineStart = i
		case strings.HasPrefix(sql[i:], "--"):
			i = skipTo(sql, i, "\n")
		case strings.HasPrefix(sql[i:], "/*"):
			end := skipPast(sql, i+2, "*/")
			line, lineStart = countLines(sql, i, end, line, lineStart)
			i = end
		case c == '\'' || c == '"' || c == '`':
			end := skipQuoted(sql, i)
			if c != '\'' {
				text.identifiers[strings.Trim(sql[i:end], "\"`")] = true
			}
			line, lineStart = countLines(sql, i, end, line, lineStart)
			i = end
		case c == '{':
			end := skipPast(sql, i, "}")
			name, kind, found := strings.Cut(strings.Trim(sql[i:end], "{}"), ":")
			if found {
				text.placeholders = append(text.placeholders, placeholder{
					strings.TrimSpace(name), strings.TrimSpace(kind), line, i - lineStart + 1})
			}
			line, lineStart = countLines(sql, i, end, line, lineStart)
			i = end
		case isWordByte(c):
			end := i
			for end < len(sql) && isWordByte(sql[end]) {
				end++
			}
			text.identifiers[sql[i:end]] = true
			i = end
		default:
			i++
		}
	}
	return text
}

// findWord is the first place of a word in a statement, as line and column.
func findWord(sql, word string) (line, column int, found bool) {
	for i := 0; word != ""; i += len(word) {
		next := strings.Index(sql[i:], word)
		if next < 0 {
			break
		}
		i += next
		before := i == 0 || !isWordByte(sql[i-1])
		after := i+len(word) == len(sql) || !isWordByte(sql[i+len(word)])
		if before && after {
			start := strings.LastIndexByte(sql[:i], '\n') + 1
			return strings.Count(sql[:i], "\n") + 1, i - start + 1, true
		}
	}
	return 0, 0, false
}

func isWordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func skipTo(s string, from int, mark string) int {
	if n := strings.Index(s[from:], mark); n >= 0 {
		return from + n
	}
	return len(s)
}

func skipPast(s string, from int, mark string) int {
	if n := strings.Index(s[from:], mark); n >= 0 {
		return from + n + len(mark)
	}
	return len(s)
}

// skipQuoted is the place after the quoted text that begins at from.
func skipQuoted(s string, from int) int {
	quote := s[from]
	for i := from + 1; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == quote:
			if i+1 < len(s) && s[i+1] == quote {
				i++
				continue
			}
			return i + 1
		}
	}
	return len(s)
}

func countLines(s string, from, to, line, lineStart int) (int, int) {
	for i := from; i < to && i < len(s); i++ {
		if s[i] == '\n' {
			line++
			lineStart = i + 1
		}
	}
	return line, lineStart
}
