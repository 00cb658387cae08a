package sigma

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/detectors"
)

// detection is a rule's condition, and the log that it is about.
type detection struct {
	source source
	// where is the condition without the log source.
	where *term
	notes detectors.Problems
}

// reader turns one rule's detection into terms.
type reader struct {
	set    *ruleSet
	rule   *rule
	source source
	notes  detectors.Problems
	named  map[string]*term
	// names are the selections in the order in which they stand.
	names []string
	// leaves counts comparisons, to bound them.
	leaves int
}

const maxLeaves = 5000

// detect compiles a rule's detection once; nil after a mistake, which is a problem of
// the set.
func (s *ruleSet) detect(r *rule) *detection {
	if r.compiled != nil || r.broken {
		return r.compiled
	}
	before := len(s.problems)
	rd := &reader{set: s, rule: r, named: map[string]*term{}}
	rd.source = s.logsource(r, &rd.notes)
	var condition *node
	for _, e := range r.detection.entries {
		switch e.key.text {
		case "condition":
			condition = e.value
		case "timeframe":
			rd.problem(e.key, "timeframe belongs to the old aggregations", "write a correlation rule of type event_count with timespan:")
		default:
			rd.named[e.key.text] = rd.selection(e.value)
			rd.names = append(rd.names, e.key.text)
		}
	}
	where := rd.conditions(condition)
	if len(s.problems) > before {
		r.broken = true
		return nil
	}
	r.compiled = &detection{source: rd.source, where: where, notes: rd.notes}
	return r.compiled
}

func (rd *reader) problem(n *node, detail, mend string) {
	rd.set.problem(rd.rule.doc, n, detail, mend)
}

func (rd *reader) note(n *node, detail, mend string) {
	rd.notes = append(rd.notes, rd.rule.doc.at(n, detail, mend))
}

// selection reads what stands under a name: a mapping, a list of mappings, or a list
// of keywords.
func (rd *reader) selection(n *node) *term {
	switch n.kind {
	case mapNode:
		return rd.mapping(n)
	case scalarNode:
		return rd.compare(n, keywordField, nil, n)
	case listNode:
		if len(n.items) == 0 {
			break
		}
		var terms []*term
		for _, item := range n.items {
			switch item.kind {
			case mapNode:
				terms = append(terms, rd.mapping(item))
			case scalarNode:
				terms = append(terms, rd.compare(item, keywordField, nil, item))
			default:
				rd.problem(item, "neither a mapping nor a keyword", "write field: value, or a text to look for")
				return &term{}
			}
		}
		return join(isOr, terms...)
	}
	rd.problem(n, "the selection is empty", "write field: value")
	return &term{}
}

func (rd *reader) mapping(n *node) *term {
	var terms []*term
	for _, e := range n.entries {
		name, rest, _ := strings.Cut(e.key.text, "|")
		var modifiers []string
		if rest != "" {
			modifiers = strings.Split(strings.ToLower(rest), "|")
		}
		f := keywordField
		if name != "" {
			f = rd.field(e.key, name)
		}
		terms = append(terms, rd.compare(e.key, f, modifiers, e.value))
	}
	if len(terms) == 0 {
		rd.problem(n, "the selection is empty", "write field: value")
		return &term{}
	}
	return join(isAnd, terms...)
}

// field finds the column of a field; what is in no table is looked for in unmapped.
func (rd *reader) field(at *node, name string) field {
	if f, known := rd.source.fields[name]; known {
		return f
	}
	f, known := fieldOf(name)
	if !known {
		rd.note(at, fmt.Sprintf("no column of the events table is known for the field %s: the rule reads unmapped['%s']", name, name),
			"look at a record with `crmwatch explain`, and name the column under fields: of a --logsource-map")
	}
	if note := fieldNotes[f.column]; known && note != "" {
		rd.note(at, fmt.Sprintf("%s stands in %s, which %s", name, f.column, note), "compare the rule's values with a record as `crmwatch explain` shows it")
	}
	return f
}

// compare compares a field with one value or a list of values.
func (rd *reader) compare(at *node, f field, modifiers []string, value *node) *term {
	values := []*node{value}
	if value.kind == listNode {
		values = value.items
	}
	if len(values) == 0 || value.kind == mapNode {
		rd.problem(at, "a value or a list of values belongs here", "write field: value, or field: [a, b]")
		return &term{}
	}
	all := slices.Contains(modifiers, "all")
	if all && len(values) < 2 {
		rd.note(at, "all says nothing with one value", "leave |all out, or list more values")
	}
	var terms []*term
	for _, v := range values {
		if rd.leaves++; rd.leaves > maxLeaves {
			rd.problem(at, fmt.Sprintf("the rule has more than %d comparisons", maxLeaves), "split it")
			return &term{}
		}
		if v.kind == listNode || v.kind == mapNode {
			rd.problem(v, "a list of values holds a list or a mapping", "write plain values")
			return &term{}
		}
		t := rd.value(at, f, modifiers, v)
		if t == nil {
			return &term{}
		}
		terms = append(terms, t)
	}
	if all {
		return join(isAnd, terms...)
	}
	return join(isOr, terms...)
}
