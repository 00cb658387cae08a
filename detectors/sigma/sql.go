package sigma

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// literal writes a text of a Sigma rule as ClickHouse's string literal. All text from
// outside goes through it. What cannot be printed is written by its bytes, so that a
// literal stays in its line.
func literal(text string) string {
	var out strings.Builder
	out.WriteByte('\'')
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == '\'' || r == '\\':
			out.WriteByte('\\')
			out.WriteRune(r)
		case r == '\n':
			out.WriteString(`\n`)
		case r == '\t':
			out.WriteString(`\t`)
		case r == utf8.RuneError && size == 1 || !unicode.IsPrint(r):
			for _, b := range []byte(text[i : i+size]) {
				fmt.Fprintf(&out, `\x%02X`, b)
			}
		default:
			out.WriteString(text[i : i+size])
		}
		i += size
	}
	out.WriteByte('\'')
	return out.String()
}

func literals(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = literal(text)
	}
	return strings.Join(quoted, ", ")
}

func isASCII(texts ...string) bool {
	for _, text := range texts {
		for i := range len(text) {
			if text[i] >= utf8.RuneSelf {
				return false
			}
		}
	}
	return true
}

// sql is the field's value as text.
func (f field) sql() string {
	switch f.kind {
	case numberKind:
		return "toString(" + f.column + ")"
	case unmappedKind:
		return "unmapped[" + literal(f.column) + "]"
	case urlKind:
		return "concat(http_request_url_path, if(http_request_url_query_string = '', '', '?'), http_request_url_query_string)"
	case keywordKind:
		return "concatWithSeparator('\\n', " + strings.Join(keywordColumns, ", ") + ", arrayStringConcat(mapValues(unmapped), '\\n'))"
	}
	return f.column
}

// columns are the columns that the field reads.
func (f field) columns() []string {
	switch f.kind {
	case unmappedKind:
		return []string{"unmapped"}
	case urlKind:
		return []string{"http_request_url_path", "http_request_url_query_string"}
	case keywordKind:
		return append(slices.Clone(keywordColumns), "unmapped")
	}
	return []string{f.column}
}

// sql writes a term as ClickHouse's condition.
func (t *term) sql() string {
	switch t.op {
	case isAnd:
		parts := make([]string, len(t.terms))
		for i, kid := range t.terms {
			parts[i] = inAnd(kid)
		}
		return strings.Join(parts, " AND ")
	case isOr:
		return strings.Join(t.alternatives(), " OR ")
	case isNot:
		return "NOT (" + t.terms[0].sql() + ")"
	case isAtLeast:
		parts := make([]string, len(t.terms))
		for i, kid := range t.terms {
			parts[i] = "(" + kid.sql() + ")"
		}
		return fmt.Sprintf("arrayCount(x -> x, [%s]) >= %d", strings.Join(parts, ", "), t.n)
	}
	if t.match == nil {
		return "true"
	}
	return matchesSQL([]*match{t.match})
}

// inAnd writes a term of an AND.
func inAnd(t *term) string {
	if t.op == isOr && len(t.alternatives()) > 1 {
		return "(" + t.sql() + ")"
	}
	return t.sql()
}

// alternatives writes the terms of an OR, with the values of one comparison together.
func (t *term) alternatives() []string {
	if t.op != isOr {
		return []string{t.sql()}
	}
	type group struct {
		key     string
		matches []*match
		term    *term
	}
	var groups []group
	for _, kid := range t.terms {
		if kid.op != isMatch || kid.match == nil {
			groups = append(groups, group{term: kid})
			continue
		}
		key := kid.match.groupKey()
		i := slices.IndexFunc(groups, func(g group) bool { return key != "" && g.key == key })
		if i < 0 {
			groups = append(groups, group{key: key, matches: []*match{kid.match}})
			continue
		}
		groups[i].matches = append(groups[i].matches, kid.match)
	}
	var out []string
	for _, g := range groups {
		if g.term != nil {
			text := g.term.sql()
			if g.term.op == isAnd {
				text = "(" + text + ")"
			}
			out = append(out, text)
			continue
		}
		out = append(out, matchesSQL(g.matches))
	}
	return out
}

// groupKey is the same for matches that can be written as one comparison.
func (m *match) groupKey() string {
	if m.by != byPattern {
		return ""
	}
	s, text := m.pattern.shape()
	if s != shapeEqual && s != shapeContains {
		return ""
	}
	_, isNumber := m.number()
	return fmt.Sprint(m.field, s, m.cased, isNumber, isASCII(text))
}

// number is the value of an equality with a numeric column.
func (m *match) number() (string, bool) {
	text, plain := m.pattern.plain()
	if m.by != byPattern || m.field.kind != numberKind || !plain {
		return "", false
	}
	n, err := strconv.ParseUint(text, 10, 64)
	return strconv.FormatUint(n, 10), err == nil
}

// matchesSQL writes one comparison, or several that share everything but the value.
func matchesSQL(ms []*match) string {
	m := ms[0]
	value := m.field.sql()
	switch m.by {
	case byNothing:
		if m.field.kind == numberKind {
			return m.field.column + " = 0"
		}
		return value + " = ''"
	case byRegexp:
		return "match(" + value + ", " + literal(m.source) + ")"
	case byRange:
		kind, last := "4", lastOf(m.prefix)
		if m.prefix.Addr().Is6() {
			kind = "6"
		}
		return fmt.Sprintf("ifNull(toIPv%sOrNull(toString(%s)) BETWEEN toIPv%s('%s') AND toIPv%s('%s'), false)", kind, value, kind, m.prefix.Addr(), kind, last)
	case byNumber:
		bound, _ := strconv.ParseFloat(m.bound, 64)
		number := strconv.FormatFloat(bound, 'f', -1, 64)
		if math.IsInf(bound, 0) || math.IsNaN(bound) {
			number = "toFloat64(" + literal(m.bound) + ")"
		}
		if m.field.kind == numberKind {
			return fmt.Sprintf("%s %s %s", m.field.column, m.sign, number)
		}
		return fmt.Sprintf("ifNull(toFloat64OrNull(toString(%s)) %s %s, false)", value, m.sign, number)
	case byField:
		a, b := m.folded(value, true), m.folded(m.other.sql(), true)
		switch {
		case m.before && m.after:
			return "position(" + a + ", " + b + ") > 0"
		case m.after:
			return "startsWith(" + a + ", " + b + ")"
		case m.before:
			return "endsWith(" + a + ", " + b + ")"
		}
		return a + " = " + b
	}
	return patternsSQL(ms, value)
}

// folded is an expression without case, unless case counts.
func (m *match) folded(sql string, ascii bool) string {
	switch {
	case m.cased:
		return sql
	case ascii:
		return "lower(" + sql + ")"
	}
	return "lowerUTF8(" + sql + ")"
}

func patternsSQL(ms []*match, value string) string {
	m := ms[0]
	var texts, numbers []string
	for _, one := range ms {
		if n, is := one.number(); is && !slices.Contains(numbers, n) {
			numbers = append(numbers, n)
		}
		_, text := one.pattern.shape()
		if !m.cased {
			text = strings.ToLower(text)
		}
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	if len(numbers) == 1 {
		return m.field.column + " = " + numbers[0]
	}
	if len(numbers) > 1 {
		return m.field.column + " IN (" + strings.Join(numbers, ", ") + ")"
	}
	ascii := isASCII(texts...)
	suffix := ""
	if !m.cased {
		suffix = "CaseInsensitive"
		if !ascii {
			suffix += "UTF8"
		}
	}
	switch s, _ := m.pattern.shape(); s {
	case shapeEqual:
		folded := value
		if slices.ContainsFunc(texts, hasLetter) {
			folded = m.folded(value, ascii)
		}
		if len(texts) > 1 {
			return folded + " IN (" + literals(texts) + ")"
		}
		return folded + " = " + literal(texts[0])
	case shapeAny:
		return value + " != ''"
	case shapeContains:
		if len(texts) > 1 && len(texts) < 250 {
			return "multiSearchAny" + suffix + "(" + value + ", [" + literals(texts) + "])"
		}
		parts := make([]string, len(texts))
		for i, text := range texts {
			parts[i] = "position" + suffix + "(" + value + ", " + literal(text) + ") > 0"
		}
		if len(parts) == 1 {
			return parts[0]
		}
		return "(" + strings.Join(parts, " OR ") + ")"
	case shapeStarts:
		return "startsWith(" + m.folded(value, ascii) + ", " + literals(texts) + ")"
	case shapeEnds:
		return "endsWith(" + m.folded(value, ascii) + ", " + literals(texts) + ")"
	}
	word := " ILIKE "
	if m.cased {
		word = " LIKE "
	}
	return value + word + literal(m.pattern.like())
}

func hasLetter(text string) bool { return strings.IndexFunc(text, unicode.IsLetter) >= 0 }

// lastOf is the last address of a network.
func lastOf(prefix netip.Prefix) netip.Addr {
	bytes := prefix.Addr().AsSlice()
	for bit := prefix.Bits(); bit < len(bytes)*8; bit++ {
		bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	last, _ := netip.AddrFromSlice(bytes)
	return last
}
