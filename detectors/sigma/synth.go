package sigma

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// goal is a term that is to hold, or not.
type goal struct {
	term *term
	want bool
}

// solver looks for an event that reaches goals, from an ordinary event on. It tries
// the alternatives in turn, up to a bound.
type solver struct {
	base  event
	tries int
	check func(event) bool
}

const maxTries = 400

// satisfy makes an event in which a term holds or does not; nil if none was found.
func satisfy(base event, t *term, want bool, others ...goal) event {
	goals := append([]goal{{t, want}}, others...)
	s := &solver{base: base, check: func(e event) bool {
		return !slices.ContainsFunc(goals, func(g goal) bool { return g.term.holds(e) != g.want })
	}}
	return s.solve(goals, nil)
}

// demand is what a comparison asks of its field.
type demand struct {
	match *match
	want  bool
}

func (s *solver) solve(goals []goal, demands []demand) event {
	if s.tries > maxTries {
		return nil
	}
	if len(goals) == 0 {
		s.tries++
		return s.meet(demands)
	}
	g, rest := goals[0], goals[1:]
	with := func(more ...goal) event { return s.solve(append(more, rest...), demands) }
	every := func(want bool) []goal {
		var all []goal
		for _, kid := range g.term.terms {
			all = append(all, goal{kid, want})
		}
		return all
	}
	switch {
	case g.term.op == isMatch:
		if g.term.match == nil {
			return s.solve(rest, demands)
		}
		return s.solve(rest, append(slices.Clone(demands), demand{g.term.match, g.want}))
	case g.term.op == isNot:
		return with(goal{g.term.terms[0], !g.want})
	case g.term.op == isAnd == g.want && g.term.op != isAtLeast:
		return with(every(g.want)...)
	case g.term.op == isAtLeast && !g.want:
		return with(every(false)...)
	case g.term.op == isAtLeast:
		kids := every(true)
		for i := 0; i+g.term.n <= len(kids); i++ {
			if e := with(slices.Clone(kids[i : i+g.term.n])...); e != nil {
				return e
			}
		}
		return nil
	}
	for _, kid := range g.term.terms {
		if e := with(goal{kid, g.want}); e != nil {
			return e
		}
	}
	return nil
}

// meet gives each field a value that meets all that is asked of it.
func (s *solver) meet(demands []demand) event {
	e := maps.Clone(s.base)
	var fields []field
	for _, d := range demands {
		if !slices.Contains(fields, d.match.field) {
			fields = append(fields, d.match.field)
		}
	}
	for _, f := range fields {
		var own []demand
		for _, d := range demands {
			if d.match.field == f && d.match.by != byField {
				own = append(own, d)
			}
		}
		fits := func(value string) bool {
			if f.kind == numberKind {
				if _, err := strconv.ParseUint(value, 10, columnBits(f.column)); err != nil {
					return false
				}
			}
			return !slices.ContainsFunc(own, func(d demand) bool { return d.match.holds(value, e) != d.want })
		}
		if i := slices.IndexFunc(candidates(e.value(f), own), fits); i >= 0 {
			e.set(f, candidates(e.value(f), own)[i])
		}
	}
	for _, d := range demands {
		if d.match.by == byField && d.match.holds(e.value(d.match.field), e) != d.want {
			value := e.value(d.match.other)
			if value == "" {
				value = "alice@acme.example"
				e.set(d.match.other, value)
			}
			if !d.want {
				value = "bob@acme.example"
			}
			e.set(d.match.field, value)
		}
	}
	if s.check(e) {
		return e
	}
	return nil
}

// candidates are values worth trying for a field, the present one first.
func candidates(present string, demands []demand) []string {
	out := []string{present}
	var starts, middles, ends []string
	for _, d := range demands {
		m := d.match
		switch {
		case m.by == byNumber:
			bound, _ := strconv.ParseFloat(m.bound, 64)
			for _, step := range []float64{0, 1, -1} {
				out = append(out, strconv.FormatFloat(float64(int64(bound))+step, 'f', -1, 64))
			}
			out = append(out, m.bound)
		case !d.want:
		case m.by == byRange:
			out = append(out, m.prefix.Addr().Next().String(), m.prefix.Addr().String())
		case m.by == byRegexp:
			out = append(out, regexpSamples(m.regexp)...)
		case m.by == byPattern:
			out = append(out, m.pattern.sample())
			switch s, text := m.pattern.shape(); s {
			case shapeStarts:
				starts = append(starts, text)
			case shapeEnds:
				ends = append(ends, text)
			case shapeEqual:
			case shapeLike:
				middles = append(middles, m.pattern.sample())
			default:
				middles = append(middles, text)
			}
		}
	}
	longest := func(texts []string) string {
		best := ""
		for _, text := range texts {
			if len(text) > len(best) {
				best = text
			}
		}
		return best
	}
	for _, between := range []string{"", " ", "x"} {
		parts := slices.DeleteFunc(append(append([]string{longest(starts)}, middles...), longest(ends)), func(s string) bool { return s == "" })
		out = append(out, strings.Join(parts, between), between+strings.Join(parts, between)+between)
	}
	return append(out, "ordinary", "", "200", "1", "2", "3", "0", "198.51.100.20", "/index")
}
