package sigma

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The types of correlations.
const (
	eventCount      = "event_count"
	valueCount      = "value_count"
	temporal        = "temporal"
	temporalOrdered = "temporal_ordered"
)

// correlation is what a correlation rule asks of the events of others.
type correlation struct {
	kind    string
	refs    []*node
	rules   []*rule
	groupBy []*node
	// within is the timespan, in seconds.
	within     uint64
	conditions []bound
	counted    *node
	// aliases has, by name and rule, the field that stands for the name.
	aliases map[string]map[*rule]*node
	alias   *node
}

// bound is a comparison with a count.
type bound struct {
	word string
	n    uint64
}

var timespan = regexp.MustCompile(`^(\d{1,6})([smhdwM])$`)

var spanSeconds = map[string]uint64{"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "M": 30 * 86400}

// longestSpan is how far a rule of crmwatch may look back, in seconds.
const longestSpan = 400 * 86400

func (s *ruleSet) readCorrelation(r *rule, n *node) *correlation {
	doc := r.doc
	if n.kind != mapNode {
		s.problem(doc, n, "a mapping belongs under correlation:", "write type:, rules:, group-by:, timespan: and condition:")
		return nil
	}
	c := &correlation{alias: n.get("aliases")}
	for _, e := range n.entries {
		switch e.key.text {
		case "type":
			c.kind = s.text(doc, e.value)
		case "rules", "group-by":
			list := []*node{e.value}
			if e.value.kind == listNode {
				list = e.value.items
			}
			for _, item := range list {
				s.text(doc, item)
			}
			if e.key.text == "rules" {
				c.refs = list
			} else {
				c.groupBy = list
			}
		case "timespan":
			text := s.text(doc, e.value)
			if m := timespan.FindStringSubmatch(text); m != nil {
				amount, _ := strconv.ParseUint(m[1], 10, 64)
				c.within = amount * spanSeconds[m[2]]
			}
			if c.within == 0 || c.within > longestSpan {
				s.problem(doc, e.value, fmt.Sprintf("timespan %q is no time of up to 400 days", text), "write for example 30s, 10m, 1h or 7d")
			}
		case "condition":
			s.readBounds(doc, c, e.value)
		case "generate":
			r.generate = s.text(doc, e.value) == "true"
		case "aliases":
		default:
			s.problem(doc, e.key, "the key "+e.key.text+" is not known", "keys are type, rules, group-by, timespan, condition, aliases and generate")
		}
	}
	if !slices.Contains([]string{eventCount, valueCount, temporal, temporalOrdered}, c.kind) {
		s.problem(doc, n.get("type"), fmt.Sprintf("the correlation type %q is not known", c.kind), "use event_count, value_count, temporal or temporal_ordered")
	}
	if len(c.refs) == 0 {
		s.problem(doc, n, "rules is missing", "list the names or ids of the rules")
	}
	if n.get("timespan") == nil {
		s.problem(doc, n, "timespan is missing", "write for example timespan: 10m")
	}
	counts := c.kind == eventCount || c.kind == valueCount
	if counts && len(c.conditions) == 0 {
		s.problem(doc, n, "condition is missing", "write for example condition: {gte: 10}")
	}
	if !counts && len(c.conditions) > 0 {
		s.problem(doc, n.get("condition"), "a temporal correlation has no condition", "delete it: all rules have to be met")
	}
	if c.kind == valueCount && c.counted == nil {
		s.problem(doc, n, "value_count counts no field", "write condition: {field: NAME, gte: 10}")
	}
	return c
}

func (s *ruleSet) readBounds(d *document, c *correlation, n *node) {
	for _, e := range n.entries {
		text := s.text(d, e.value)
		switch e.key.text {
		case "gt", "gte", "lt", "lte", "eq":
			value, err := strconv.ParseUint(text, 10, 32)
			if err != nil {
				s.problem(d, e.value, fmt.Sprintf("%q is not a whole number from 0", text), "write for example gte: 10")
			}
			c.conditions = append(c.conditions, bound{e.key.text, value})
		case "field":
			c.counted = e.value
		default:
			s.problem(d, e.key, fmt.Sprintf("the comparison %q is not known", e.key.text), "use gt, gte, lt, lte or eq, and field")
		}
	}
	if n.kind != mapNode {
		s.problem(d, n, "a condition is a comparison", "write for example condition: {gte: 10}")
	}
}

// link finds the rules that correlations refer to.
func (s *ruleSet) link() {
	for _, r := range s.rules {
		if r.correlation == nil {
			continue
		}
		c := r.correlation
		for _, ref := range c.refs {
			other := s.byName[ref.text]
			if other == nil {
				s.problem(r.doc, ref, "no rule has the name or id "+ref.text, "put the rule into the same file, or name its file beside this one; if it has mistakes, mend them first")
				continue
			}
			c.rules = append(c.rules, other)
			other.used = true
			if r.generate {
				defer func() { other.generate = true }()
			}
		}
		s.readAliases(r)
	}
	for _, r := range s.rules {
		if r.correlation == nil {
			continue
		}
		for i, other := range r.correlation.rules {
			switch {
			case other.reaches(r, map[*rule]bool{}):
				s.problem(r.doc, r.correlation.ref(other), "the correlation refers to itself, by way of "+other.title, "take one of the references out")
			case other.correlation != nil:
				s.problem(r.doc, r.correlation.ref(other), "the rule "+other.title+" is a correlation too, and correlations of correlations are not compiled", "refer to the rules that it refers to")
			case slices.Contains(r.correlation.rules[:i], other):
				s.problem(r.doc, r.correlation.ref(other), "the rule "+other.title+" is named twice", "name it once")
			}
		}
	}
}

func (c *correlation) ref(other *rule) *node {
	for _, ref := range c.refs {
		if ref.text == other.id || ref.text == other.name {
			return ref
		}
	}
	return nil
}

// reaches says whether a rule refers to another, directly or not, or is it.
func (r *rule) reaches(to *rule, seen map[*rule]bool) bool {
	if r == to {
		return true
	}
	if r.correlation == nil || seen[r] {
		return false
	}
	seen[r] = true
	return slices.ContainsFunc(r.correlation.rules, func(other *rule) bool { return other.reaches(to, seen) })
}

func (s *ruleSet) readAliases(r *rule) {
	c := r.correlation
	if c.alias == nil {
		return
	}
	c.aliases = map[string]map[*rule]*node{}
	for _, e := range c.alias.entries {
		fields := map[*rule]*node{}
		for _, f := range e.value.entries {
			other := s.byName[f.key.text]
			if other == nil || !slices.Contains(c.rules, other) {
				s.problem(r.doc, f.key, "the correlation has no rule "+f.key.text, "use a name that stands under rules:")
				continue
			}
			s.text(r.doc, f.value)
			fields[other] = f.value
		}
		for _, other := range c.rules {
			if fields[other] == nil {
				s.problem(r.doc, e.key, fmt.Sprintf("the alias %s names no field of the rule %s", e.key.text, other.title), "name one for each rule")
			}
		}
		c.aliases[e.key.text] = fields
	}
}

// grouping is a field by which events are grouped.
type grouping struct {
	name string
	// fields has one field for each rule.
	fields []field
}

// column is the grouping's column in the query.
func (g grouping) column() string {
	name := strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(g.name)), "_")
	return "by_" + name
}

// sql is the value, which may stand elsewhere for each rule.
func (g grouping) sql() string {
	same := !slices.ContainsFunc(g.fields, func(f field) bool { return f != g.fields[0] })
	if same {
		return g.fields[0].sql()
	}
	var out strings.Builder
	out.WriteString("multiIf(")
	for i, f := range g.fields[:len(g.fields)-1] {
		fmt.Fprintf(&out, "rule = %d, %s, ", i+1, f.sql())
	}
	return out.String() + g.fields[len(g.fields)-1].sql() + ")"
}
