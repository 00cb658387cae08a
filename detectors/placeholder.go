package detectors

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

var givenParams = map[Kind]map[string]string{
	KindQuery: {"from": "DateTime64(3)", "to": "DateTime64(3)", "lookback_from": "DateTime64(3)"},
	KindSpike: {"from": "DateTime64(3)", "to": "DateTime64(3)", "bucket": "UInt32", "with_evidence": "UInt8", "entity_uid": "String"},

	KindFirstSeen: {"from": "DateTime64(3)", "to": "DateTime64(3)"},
	KindSequence:  {"from": "DateTime64(3)", "to": "DateTime64(3)"},
	KindSilence:   {"from": "DateTime64(3)", "to": "DateTime64(3)", "bucket": "UInt32"},
}

// screenParams are those of a screen: from and to are the ends of all windows that are
// screened at once, lookback_from is from less the lookback.
var screenParams = map[string]string{"from": "DateTime64(3)", "to": "DateTime64(3)", "lookback_from": "DateTime64(3)", "lookback_days": "UInt32"}

// placeholders compares the parameters that the query uses with those declared,
// and the words of the message with those of the query.
func (c *check) placeholders(rule Rule) {
	given, known := givenParams[rule.Kind]
	if !known {
		return // the kind is the problem
	}
	text := readSQL(rule.Query)
	used := c.used(rule, "query", text, given)
	if rule.Reads != "" {
		c.used(rule, "reads", readSQL(rule.Reads), nil)
	}
	if rule.Screen != "" {
		if rule.Kind.remembers() {
			c.add("only a rule of kind query or spike has a screen", "leave it out", "screen")
		}
		given := maps.Clone(screenParams)
		if rule.Kind == KindSpike {
			given["least"], given["over_peak"] = "Float64", "Float64"
		}
		c.used(rule, "screen", readSQL(rule.Screen), given)
	}
	for _, p := range rule.Params {
		if !used[p.Name] {
			line, column := c.source.keyPosition("params", p.Name)
			c.problems = append(c.problems, c.source.at(line, column,
				fmt.Sprintf("parameter %s is declared and not used", p.Name), fmt.Sprintf("use {%s:%s} in the query, or delete it", p.Name, p.Type)))
		}
	}
	for _, name := range []string{"from", "to"} {
		if !used[name] && rule.Query != "" {
			c.add(fmt.Sprintf("the query does not use {%s:DateTime64(3)}", name), "bound the event time: time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)}", "query")
		}
	}
	for _, word := range messageWords(rule.Message) {
		fromQuery := wordFromQuery(rule.Kind)
		if !(fromQuery && text.identifiers[word.name]) && !slices.Contains(givenWords(rule.Kind), word.name) {
			line, column := c.source.scalarPosition(word.line, word.column, "message")
			detail, mend := fmt.Sprintf("the message uses {{%s}}, which the query does not return", word.name), "use a column of the query, or one of "
			if !fromQuery {
				detail, mend = fmt.Sprintf("the message uses {{%s}}, which a rule of kind %s does not have", word.name, rule.Kind), "use one of "
			}
			c.problems = append(c.problems, c.source.at(line, column, detail, mend+strings.Join(givenWords(rule.Kind), ", ")))
		}
	}
}

// used checks the parameters that one statement of the rule uses, and returns their
// names.
func (c *check) used(rule Rule, key string, text sqlText, given map[string]string) map[string]bool {
	say := map[string]string{"reads": "condition"}[key]
	if say == "" {
		say = key
	}
	used := map[string]bool{}
	for _, p := range text.placeholders {
		used[p.name] = true
		want, known := given[p.name]
		if own, declared := rule.Param(p.name); declared {
			if known {
				c.add(fmt.Sprintf("parameter %s has the name of a given one", p.name), "choose another name", "params", p.name)
			}
			want, known = own.Type, true
		}
		line, column := c.source.scalarPosition(p.line, p.column, key)
		switch {
		case !known:
			c.problems = append(c.problems, c.source.at(line, column,
				fmt.Sprintf("the %s uses parameter %s, which is not declared", say, p.name),
				fmt.Sprintf("declare it under params:, or use one of %s", strings.Join(sortedKeys(given), ", "))))
		case strings.ReplaceAll(p.kind, " ", "") != want:
			c.problems = append(c.problems, c.source.at(line, column,
				fmt.Sprintf("the %s uses parameter %s as %s, declared is %s", say, p.name, p.kind, want),
				fmt.Sprintf("write {%s:%s}", p.name, want)))
		}
	}
	return used
}
