package sigma

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// event is a row of the events table by column; a key of unmapped stands as
// "unmapped." and its name. Columns that are not there are empty, or 0.
type event map[string]string

const unmappedPrefix = "unmapped."

// value is a field's value as text.
func (e event) value(f field) string {
	switch f.kind {
	case numberKind:
		if e[f.column] == "" {
			return "0"
		}
		return e[f.column]
	case unmappedKind:
		return e[unmappedPrefix+f.column]
	case urlKind:
		if e["http_request_url_query_string"] == "" {
			return e["http_request_url_path"]
		}
		return e["http_request_url_path"] + "?" + e["http_request_url_query_string"]
	case keywordKind:
		var all []string
		for _, column := range keywordColumns {
			all = append(all, e[column])
		}
		for name, value := range e {
			if strings.HasPrefix(name, unmappedPrefix) {
				all = append(all, value)
			}
		}
		return strings.Join(all, "\n")
	}
	return e[f.column]
}

// set gives a field a value.
func (e event) set(f field, value string) {
	switch f.kind {
	case unmappedKind:
		e[unmappedPrefix+f.column] = value
	case urlKind:
		e["http_request_url_path"], e["http_request_url_query_string"], _ = strings.Cut(value, "?")
	case keywordKind:
		e["message"] = value
	default:
		e[f.column] = value
	}
}

// holds says whether an event satisfies a term, as the engine would.
func (t *term) holds(e event) bool {
	switch t.op {
	case isAnd:
		return !slices.ContainsFunc(t.terms, func(kid *term) bool { return !kid.holds(e) })
	case isOr:
		return slices.ContainsFunc(t.terms, func(kid *term) bool { return kid.holds(e) })
	case isNot:
		return !t.terms[0].holds(e)
	case isAtLeast:
		n := 0
		for _, kid := range t.terms {
			if kid.holds(e) {
				n++
			}
		}
		return n >= t.n
	}
	return t.match == nil || t.match.holds(e.value(t.match.field), e)
}

func (m *match) holds(value string, e event) bool {
	switch m.by {
	case byNothing:
		return value == "" || m.field.kind == numberKind && value == "0"
	case byRegexp:
		return m.regexp.MatchString(value)
	case byRange:
		addr, err := netip.ParseAddr(value)
		return err == nil && m.prefix.Contains(addr)
	case byNumber:
		n, err := strconv.ParseFloat(value, 64)
		bound, _ := strconv.ParseFloat(m.bound, 64)
		if err != nil {
			return false
		}
		return map[string]bool{"<": n < bound, "<=": n <= bound, ">": n > bound, ">=": n >= bound}[m.sign]
	case byField:
		other := e.value(m.other)
		p := plainPattern(other).around(m.before, m.after)
		return p.matches(value, m.cased)
	}
	if s, _ := m.pattern.shape(); s == shapeAny {
		return value != ""
	}
	return m.pattern.matches(value, m.cased)
}
