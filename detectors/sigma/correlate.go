package sigma

import (
	"slices"
	"strings"
	"time"
)

// compound is a correlation with all that its query needs.
type compound struct {
	*correlation
	parts   []*detection
	groups  []grouping
	counted field
	// oneProduct: the rules are about one log source, and so about one product.
	oneProduct bool
	// numbered: the query tells events by the rule that they meet.
	numbered bool
	who      entity
	// main is the grouping that is the entity, or -1.
	main int
}

// correlate compiles a correlation.
func (s *ruleSet) correlate(r *rule) *draft {
	c := &compound{correlation: r.correlation, oneProduct: true, main: -1}
	d := s.begin(r)
	for _, other := range c.rules {
		det := s.detect(other)
		if det == nil {
			return nil
		}
		c.parts = append(c.parts, det)
		d.notes = append(d.notes, det.notes...)
		c.oneProduct = c.oneProduct && det.source.name == c.parts[0].source.name
		if len(d.attack) == 0 || r.correlation != nil {
			for _, id := range other.attack {
				if !slices.Contains(d.attack, id) {
					d.attack = append(d.attack, id)
				}
			}
		}
	}
	if len(c.parts) == 0 || len(c.parts) != len(c.refs) {
		return nil
	}
	c.numbered = c.kind == temporal || c.kind == temporalOrdered || len(c.aliases) > 0
	find := func(n *node, det *detection) field {
		rd := &reader{set: s, rule: r, source: det.source}
		f := rd.field(n, n.text)
		d.notes = append(d.notes, rd.notes...)
		return f
	}
	for _, by := range c.groupBy {
		g := grouping{name: by.text}
		for i, other := range c.rules {
			n := by
			if alias, is := c.aliases[by.text]; is {
				n = alias[other]
			}
			if n == nil {
				return nil
			}
			g.fields = append(g.fields, find(n, c.parts[i]))
		}
		if slices.ContainsFunc(c.groups, func(o grouping) bool { return o.column() == g.column() }) {
			s.problem(r.doc, by, "group-by names "+by.text+" twice", "name it once")
			return nil
		}
		c.groups = append(c.groups, g)
	}
	if c.counted = keywordField; c.kind == valueCount {
		c.counted = find(c.correlation.counted, c.parts[0])
	}
	c.chooseEntity()
	d.entityType, d.runbook = c.who.kind, runbooks[c.who.kind]
	d.columns = c.neededColumns()
	d.logTypes = c.logTypes()
	d.lookback = shortSpan(time.Duration(c.within) * time.Second)
	c.write(d)
	if c.inCells() {
		d.notes = append(d.notes, r.doc.at(r.node.get("correlation").get("condition"),
			"a count that is small or exact is judged in fixed spans of the timespan; of a span without any event nothing is said", "use gt or gte where many events are the sign"))
	}
	c.tests(d)
	return d
}

// chooseEntity makes the first user, address or app of group-by the entity.
func (c *compound) chooseEntity() {
	for _, choice := range []struct {
		kind    string
		columns []string
	}{{"user", userColumns}, {"network", addressColumns}, {"integration", appColumns}, {"source", nil}} {
		for i, g := range c.groups {
			if choice.columns == nil || slices.Contains(choice.columns, g.fields[0].column) {
				c.who, c.main = entity{kind: choice.kind}, i
				return
			}
		}
	}
	c.who = entity{kind: "source"}
}

func (c *compound) neededColumns() []string {
	var columns []string
	for _, part := range c.parts {
		for _, column := range neededColumns(part) {
			if !slices.Contains(columns, column) {
				columns = append(columns, column)
			}
		}
	}
	return columns
}

// logTypes are the log names of all rules, if each has some.
func (c *compound) logTypes() []string {
	var all []string
	for _, part := range c.parts {
		names := part.source.logTypes()
		if names == nil {
			return nil
		}
		for _, name := range names {
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}

// inCells says whether event time is cut into fixed spans: a count that is small or
// exact would be met at the start of every sliding span.
func (c *compound) inCells() bool {
	return len(c.conditions) > 1 || len(c.conditions) == 1 && c.conditions[0].word != "gt" && c.conditions[0].word != "gte"
}

// threshold is the count from which on a sliding span is found.
func (c *compound) threshold() uint64 {
	switch {
	case c.kind == temporal || c.kind == temporalOrdered:
		return uint64(len(c.parts))
	case c.conditions[0].word == "gt":
		return c.conditions[0].n + 1
	}
	return max(c.conditions[0].n, 1)
}

var boundParams = map[string]struct{ name, sign, says string }{
	"gt":  {"above", ">", "the count is above this"},
	"gte": {"at_least", ">=", "the count is this or more"},
	"lt":  {"below", "<", "the count is below this"},
	"lte": {"at_most", "<=", "the count is this or less"},
	"eq":  {"exactly", "=", "the count is this"},
}

// where is the condition of all rules together, one part a line.
func (c *compound) where(indent string) string {
	if len(c.parts) == 1 {
		return c.parts[0].lines(indent)
	}
	var out strings.Builder
	// What narrows the read stands first, where each rule has it.
	var classes []*term
	for _, part := range c.parts {
		for _, clause := range part.source.where {
			if clause.column == "class_uid" {
				classes = append(classes, source{where: source{where: part.source.where}.only("class_uid")}.term())
			}
		}
	}
	if len(classes) == len(c.parts) {
		out.WriteString(indent + inAnd(join(isOr, classes...)) + "\n")
	}
	if c.numbered {
		return out.String() + indent + "notEmpty(rules)\n"
	}
	var all []*term
	for _, part := range c.parts {
		all = append(all, part.whole())
	}
	whole := join(isOr, all...)
	step := "\n" + strings.Repeat(" ", len(indent)) + "OR "
	return out.String() + indent + "(" + strings.Join(whole.alternatives(), step) + ")\n"
}

func (src source) only(column string) []clause {
	return slices.DeleteFunc(slices.Clone(src.where), func(c clause) bool { return c.column != column })
}

// whole is the condition with that of the source.
func (d *detection) whole() *term {
	if len(d.source.where) == 0 {
		return d.where
	}
	return join(isAnd, d.source.term(), d.where)
}
