package redact

import "strings"

// value finds the value behind the mark. prose says that it stands behind ": " and
// without quotes, as a word in a sentence does.
func (f *namedField) value(kind Kind, nameStart int) (from, to int, prose bool) {
	s, i, depth := f.s, f.after, f.depth
	for range 2 { // == and => and :=
		if c, n := at(s, i, depth); c == '=' || c == '>' {
			i += n
		}
	}
	spaced := i
	for range maxGap {
		c, n := at(s, i, depth)
		if !isSpace(c) && !(f.encoded && c == '+') {
			break
		}
		i += n
	}
	if (kind == KindAuthorization || kind == KindCookie) && f.mark == ':' {
		quote, _ := before(s, nameStart)
		c, _ := at(s, i, depth)
		// Without a quote before the name it is a line of its own, not a field of JSON.
		if !isQuote(quote) || !isQuote(c) && c != '[' && c != '\\' && marked(s[i:]) == 0 {
			return i, f.lineEnd(i, quote), false
		}
	}
	if marks := marked(s[i:]); marks > 0 {
		return i + marks, f.end(i + marks), false
	}
	prose = f.mark == ':' && i > spaced
	c, n := at(s, i, depth)
	escaped := c == '\\'
	if escaped {
		i += n
		c, n = at(s, i, depth)
	}
	switch {
	case c == '[' || c == '(' || c == '{' && kind != KindSecret:
		if end := strings.IndexByte(s[i:], closing(c)); end >= 0 {
			return i, f.end(i + end + 1), false
		}
		return i, len(s), false
	case isQuote(c):
		from = i + n
		if c2, n2 := at(s, from, depth); c2 == c { // a quote written twice, as inside CSV
			if c3, _ := at(s, from+n2, depth); isAlnum(c3) {
				from += n2
			}
		}
		return from, f.quoted(from, c, escaped), false
	}
	to = f.end(i)
	if kind == KindAuthorization && isScheme(s[i:to]) {
		for range maxGap {
			c, n := at(s, to, anyDepth)
			if !isSpace(c) && c != '+' {
				break
			}
			to += n
		}
		to = f.end(to)
	}
	return i, to, prose
}

func closing(open byte) byte {
	switch open {
	case '[':
		return ']'
	case '(':
		return ')'
	}
	return '}'
}

// quoted finds the end of a value in quotes. One that was opened by \" ends at any
// quote, another only at one that is not escaped.
func (f *namedField) quoted(from int, quote byte, escaped bool) int {
	for i := from; ; {
		c, n := at(f.s, i, f.depth)
		switch {
		case n == 0:
			return i
		case c == quote:
			return i
		case c == '\\' && n == 1:
			if next, m := at(f.s, i+1, f.depth); escaped && next == quote {
				return i
			} else if m > 0 {
				n += m
			}
		}
		i += n
	}
}

// end finds the end of a value without quotes.
func (f *namedField) end(i int) int {
	from := i
	for {
		c, n := at(f.s, i, f.depth)
		if n == 0 || isSpace(c) || isQuote(c) {
			break
		}
		if c == ';' || c == '<' || c == '>' || c == '|' {
			break
		}
		if c == '&' && (f.mark != ':' || f.encoded) || (c == ',' || c == '}') && (f.mark == ':' || f.encoded) {
			break
		}
		i += n
	}
	for i > from+1 && strings.IndexByte(")}],.", f.s[i-1]) >= 0 {
		i--
	}
	return i
}

// lineEnd finds the end of a header: the end of the line, or the quote around it.
func (f *namedField) lineEnd(i int, quote byte) int {
	for {
		c, n := at(f.s, i, f.depth)
		if n == 0 || c == '\n' || c == '\r' || n == 2 && c == ' ' || isQuote(quote) && c == quote {
			return i
		}
		i += n
	}
}
