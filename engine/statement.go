package engine

import "strings"

// statement is what the HTTP layer must know about a query's text before the engine sees it.
type statement struct {
	text   string // for an INSERT with data: without FORMAT clause and data
	format string // the FORMAT clause's name, empty without one
	insert insertKind
	data   int  // where the INSERT's data begins in the source text
	second bool // another statement follows a semicolon
}

// insertKind tells where an INSERT's rows come from.
type insertKind byte

const (
	notInsert   insertKind = iota
	insertData             // bytes after FORMAT name or VALUES
	insertInput            // INSERT ... SELECT ... FROM input(...) FORMAT name: bytes, read through the SELECT
	insertOpen             // an INSERT whose FORMAT or VALUES has not come yet
	insertOther            // INSERT ... SELECT, FROM INFILE, WATCH
)

// parseStatement finds an INSERT's data and the output format. It does not check syntax: that is the engine's part.
func parseStatement(source string) statement {
	lex := &lexer{text: source}
	first := lex.next()
	if isKeyword(source, first, "INSERT") {
		return parseInsert(lex)
	}
	s := statement{text: source}
	depth := 0
	for tok := first; tok.kind != tokenEnd && tok.kind != tokenBroken; tok = lex.next() {
		switch {
		case tok.kind == tokenSymbol:
			depth += nesting(source[tok.start])
			if source[tok.start] == ';' && depth == 0 {
				s.second = lex.next().kind != tokenEnd
				return s
			}
		case depth == 0 && isKeyword(source, tok, "FORMAT"):
			before := *lex
			if name := lex.next(); name.kind == tokenWord || name.kind == tokenQuoted {
				s.format = unquote(source[name.start:name.end])
			} else {
				*lex = before
			}
		}
	}
	return s
}

func parseInsert(lex *lexer) statement {
	source := lex.text
	tok := lex.next()
	for isKeyword(source, tok, "INTO") || isKeyword(source, tok, "TABLE") || isKeyword(source, tok, "FUNCTION") {
		tok = lex.next()
	}
	// The table's name is passed by position, so that a table called "values" or "format" is not taken for a clause.
	for {
		dot := *lex
		if tok = lex.next(); tok.kind != tokenSymbol || source[tok.start] != '.' {
			*lex = dot
			break
		}
		lex.next()
	}
	s := statement{text: source, insert: insertOpen}
	depth, selects, input := 0, false, false
	opened := false // the previous token was an opening bracket
	for {
		tok = lex.next()
		switch {
		case tok.kind == tokenEnd || tok.kind == tokenBroken:
			if selects {
				s.insert = insertOther
			}
			return s
		case tok.kind == tokenSymbol:
			depth += nesting(source[tok.start])
		case isKeyword(source, tok, "SELECT") || isKeyword(source, tok, "WITH") || isKeyword(source, tok, "WATCH"):
			selects = selects || depth == 0 || opened
		case isKeyword(source, tok, "INFILE"):
			selects = true
		case isKeyword(source, tok, "INPUT"):
			input = true
		case depth == 0 && !selects && isKeyword(source, tok, "VALUES"):
			s.insert, s.format, s.text, s.data = insertData, "Values", source[:tok.start], tok.end
			return s
		case depth == 0 && isKeyword(source, tok, "FORMAT"):
			return s.afterFormat(lex, tok, selects, input)
		}
		opened = tok.kind == tokenSymbol && source[tok.start] == '('
	}
}

// afterFormat completes an INSERT at its FORMAT clause: a name, perhaps SETTINGS, and then the data.
func (s statement) afterFormat(lex *lexer, format token, selects, input bool) statement {
	source := lex.text
	name := lex.next()
	if name.kind != tokenWord && name.kind != tokenQuoted {
		return s
	}
	s.format = unquote(source[name.start:name.end])
	if selects && !input {
		s.insert = insertOther
		return s
	}
	end, settings := name.end, ""
	if after := *lex; isKeyword(source, after.next(), "SETTINGS") {
		settings, end = settingsClause(lex)
	}
	s.data = skipToData(source, end)
	s.insert = insertData
	s.text = source[:format.start] + settings
	if selects {
		s.insert, s.text = insertInput, source
	}
	return s
}

// settingsClause reads "SETTINGS name = value, ..." and returns it with the position behind it.
func settingsClause(lex *lexer) (clause string, end int) {
	start := lex.next()
	for {
		lex.next() // name
		lex.next() // =
		value := lex.next()
		end = value.end
		if value.kind == tokenSymbol && lex.text[value.start] == '-' {
			end = lex.next().end
		}
		after := *lex
		if comma := lex.next(); comma.kind != tokenSymbol || lex.text[comma.start] != ',' {
			*lex = after
			return " " + lex.text[start.start:end], end
		}
	}
}

// skipToData applies the engine's own rule: data begins behind the first line end, or behind the spaces.
func skipToData(source string, pos int) int {
	for pos < len(source) && strings.IndexByte(" \t\f", source[pos]) >= 0 {
		pos++
	}
	if pos < len(source) && source[pos] == '\r' {
		pos++
	}
	if pos < len(source) && source[pos] == '\n' {
		pos++
	}
	return pos
}

func nesting(c byte) int {
	switch c {
	case '(', '[', '{':
		return 1
	case ')', ']', '}':
		return -1
	}
	return 0
}

func isKeyword(source string, tok token, keyword string) bool {
	return tok.kind == tokenWord && strings.EqualFold(source[tok.start:tok.end], keyword)
}
