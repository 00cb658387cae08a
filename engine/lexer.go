package engine

import "strings"

// tokenKind is as much of ClickHouse's token types (src/Parsers/Lexer.h) as finding a statement's clauses needs.
type tokenKind byte

const (
	tokenEnd tokenKind = iota
	tokenWord
	tokenQuoted // `identifier` or "identifier"
	tokenString // 'literal', x'ff', $tag$heredoc$tag$
	tokenNumber
	tokenSymbol // one byte of punctuation
	tokenBroken // a literal or comment that is not closed
)

type token struct {
	kind       tokenKind
	start, end int
}

// lexer cuts SQL text into ClickHouse's tokens; spaces and comments are skipped.
// The rules are those of src/Parsers/Lexer.cpp: nested /* */, "--", "//", "# " and "#!" comments, backslash and doubled
// quotes, heredocs, and the typographic quotes that ClickHouse accepts.
type lexer struct {
	text string
	pos  int
}

func (l *lexer) next() token {
	if broken, start := l.skipBlank(); broken {
		return token{tokenBroken, start, len(l.text)}
	}
	start := l.pos
	if start >= len(l.text) {
		return token{tokenEnd, start, start}
	}
	c := l.text[start]
	switch {
	case c == '\'' || c == '"' || c == '`':
		return l.quoted(start, c)
	case (c|0x20 == 'x' || c|0x20 == 'b') && l.at(start+1) == '\'':
		l.pos++
		return l.quoted(start, '\'')
	case c == '$':
		if tok, ok := l.heredoc(start); ok {
			return tok
		}
	case isDigit(c):
		return l.number(start)
	case c >= 0x80:
		return l.unicode(start)
	}
	if isWordByte(c) || c == '$' && isWordByte(l.at(start+1)) {
		for l.pos++; isWordByte(l.at(l.pos)) || l.at(l.pos) == '$'; {
			l.pos++
		}
		return token{tokenWord, start, l.pos}
	}
	l.pos++
	return token{tokenSymbol, start, l.pos}
}

func (l *lexer) at(i int) byte {
	if i < len(l.text) {
		return l.text[i]
	}
	return 0
}

// skipBlank passes spaces and comments; broken means that a comment opened at start is not closed.
func (l *lexer) skipBlank() (broken bool, start int) {
	for l.pos < len(l.text) {
		c, following := l.text[l.pos], l.at(l.pos+1)
		switch {
		case c == ' ' || c >= '\t' && c <= '\r':
			l.pos++
		case c == '-' && following == '-', c == '/' && following == '/', c == '#' && (following == ' ' || following == '!'):
			length := strings.IndexByte(l.text[l.pos:], '\n')
			if length < 0 {
				l.pos = len(l.text)
				return false, 0
			}
			l.pos += length
		case c == '/' && following == '*':
			start = l.pos
			if !l.skipNestedComment() {
				return true, start
			}
		case strings.HasPrefix(l.text[l.pos:], "\u00a0"), strings.HasPrefix(l.text[l.pos:], "\ufeff"):
			l.pos += len("\u00a0")
			if c == 0xef {
				l.pos++
			}
		default:
			return false, 0
		}
	}
	return false, 0
}

func (l *lexer) skipNestedComment() bool {
	for depth := 0; l.pos+1 < len(l.text); {
		switch l.text[l.pos : l.pos+2] {
		case "/*":
			depth++
			l.pos += 2
		case "*/":
			depth--
			l.pos += 2
			if depth == 0 {
				return true
			}
		default:
			l.pos++
		}
	}
	l.pos = len(l.text)
	return false
}

func (l *lexer) quoted(start int, quote byte) token {
	kind := tokenQuoted
	if quote == '\'' {
		kind = tokenString
	}
	for i := l.pos + 1; i < len(l.text); i++ {
		switch l.text[i] {
		case '\\':
			i++
		case quote:
			if l.at(i+1) == quote {
				i++
				continue
			}
			l.pos = i + 1
			return token{kind, start, l.pos}
		}
	}
	l.pos = len(l.text)
	return token{tokenBroken, start, l.pos}
}

// heredoc reads $tag$ ... $tag$; without a closing tag the dollar sign begins an ordinary word.
func (l *lexer) heredoc(start int) (token, bool) {
	length := strings.IndexByte(l.text[start+1:], '$')
	if length < 0 {
		return token{}, false
	}
	tag := l.text[start : start+length+2]
	body := strings.Index(l.text[start+len(tag):], tag)
	if body < 0 {
		return token{}, false
	}
	l.pos = start + len(tag) + body + len(tag)
	return token{tokenString, start, l.pos}, true
}

func (l *lexer) number(start int) token {
	kind := tokenNumber
	for c := l.at(l.pos); isWordByte(c) || c == '.'; c = l.at(l.pos) {
		l.pos++
		if c|0x20 == 'e' && (l.at(l.pos) == '-' || l.at(l.pos) == '+') {
			l.pos++
		}
	}
	return token{kind, start, l.pos}
}

// unicode reads typographic quotes (‘...’ is a string, “...” an identifier) and takes any other character as a symbol.
func (l *lexer) unicode(start int) token {
	for _, pair := range [...]struct {
		open, close string
		kind        tokenKind
	}{{"‘", "’", tokenString}, {"“", "”", tokenQuoted}} {
		if !strings.HasPrefix(l.text[start:], pair.open) {
			continue
		}
		length := strings.Index(l.text[start+len(pair.open):], pair.close)
		if length < 0 {
			l.pos = len(l.text)
			return token{tokenBroken, start, l.pos}
		}
		l.pos = start + len(pair.open) + length + len(pair.close)
		return token{pair.kind, start, l.pos}
	}
	for l.pos++; l.at(l.pos)&0xc0 == 0x80; {
		l.pos++
	}
	return token{tokenSymbol, start, l.pos}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWordByte(c byte) bool {
	return c == '_' || isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z'
}
