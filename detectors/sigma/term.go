package sigma

import (
	"net/netip"
	"regexp"
)

type operator uint8

const (
	isMatch operator = iota
	isAnd
	isOr
	isNot
	// isAtLeast: n or more of the terms hold.
	isAtLeast
)

// term is a detection, or a part of one.
type term struct {
	op    operator
	terms []*term
	n     int
	match *match
}

type comparison uint8

const (
	byPattern comparison = iota
	byRegexp
	byRange
	byNumber
	byNothing
	byField
)

// match compares one field with one value.
type match struct {
	field   field
	by      comparison
	pattern pattern
	cased   bool
	regexp  *regexp.Regexp
	// source is the regular expression with its flags, for the engine.
	source string
	prefix netip.Prefix
	// sign is <, <=, > or >=.
	sign  string
	bound string
	other field
	// before and after: any text may stand before and after the other field's.
	before, after bool
}

func leaf(m match) *term { return &term{op: isMatch, match: &m} }

// join combines terms, and takes the terms of parts that combine in the same way.
func join(op operator, terms ...*term) *term {
	if len(terms) == 1 {
		return terms[0]
	}
	out := &term{op: op}
	for _, t := range terms {
		if t.op == op {
			out.terms = append(out.terms, t.terms...)
			continue
		}
		out.terms = append(out.terms, t)
	}
	return out
}

func negate(t *term) *term {
	if t.op == isNot {
		return t.terms[0]
	}
	return &term{op: isNot, terms: []*term{t}}
}

// matches calls visit for each comparison.
func (t *term) matches(visit func(*match)) {
	if t.match != nil {
		visit(t.match)
	}
	for _, kid := range t.terms {
		kid.matches(visit)
	}
}
