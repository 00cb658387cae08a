// Package route decides, of an alert and the time, who is told: routes to notifiers,
// silences, maintenance windows and inhibition. It is pure: it reads no clock, no
// file and no database.
package route

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// Match is what an alert must be like: all that is given must hold. Its keys are
// those of the configuration, and of the text form key=pattern.
type Match struct {
	Severity Severities `yaml:"severity"`
	Rule     Patterns   `yaml:"rule"`
	Product  Patterns   `yaml:"product"`
	// Entity is a name or a uid; Integration is the same of integrations alone.
	Entity      Patterns `yaml:"entity"`
	Integration Patterns `yaml:"integration"`
	EntityType  Patterns `yaml:"entity_type"`
	Tenant      Patterns `yaml:"tenant"`
	// Tactic is an ATT&CK tactic by name or id; Technique is an id, which also stands
	// for its sub-techniques.
	Tactic    Patterns `yaml:"tactic"`
	Technique Patterns `yaml:"technique"`
}

// keys are the keys of the text form in the order in which they are written.
var keys = []string{"severity", "rule", "product", "entity", "integration", "entity_type", "tenant", "tactic", "technique"}

// field is where the patterns of a key are kept; nil where there is no such key.
func (m *Match) field(key string) *[]string {
	switch key {
	case "severity":
		return (*[]string)(&m.Severity)
	case "rule":
		return (*[]string)(&m.Rule)
	case "product":
		return (*[]string)(&m.Product)
	case "entity":
		return (*[]string)(&m.Entity)
	case "integration":
		return (*[]string)(&m.Integration)
	case "entity_type":
		return (*[]string)(&m.EntityType)
	case "tenant":
		return (*[]string)(&m.Tenant)
	case "tactic":
		return (*[]string)(&m.Tactic)
	case "technique":
		return (*[]string)(&m.Technique)
	}
	return nil
}

// Empty says that nothing is asked for: every alert matches.
func (m Match) Empty() bool {
	return !slices.ContainsFunc(keys, func(key string) bool { return len(*m.field(key)) > 0 })
}

// Strings is the text form, one condition a string.
func (m Match) Strings() []string {
	var all []string
	for _, key := range keys {
		list := *m.field(key)
		if len(list) == 0 {
			continue
		}
		text := strings.Join(list, ",")
		if key == "severity" && len(list) == 1 && strings.ContainsAny(text[:1], "<>") {
			all = append(all, key+strings.ReplaceAll(text, " ", ""))
			continue
		}
		all = append(all, key+"="+text)
	}
	return all
}

// String is the text form on one line.
func (m Match) String() string {
	if m.Empty() {
		return "every alert"
	}
	return strings.Join(m.Strings(), " ")
}

// ParseMatch reads the text form: key=pattern, key=pattern,pattern or key!=pattern,
// and severity>=high. A key that comes twice adds its patterns.
func ParseMatch(conditions []string) (Match, error) {
	var m Match
	for _, text := range conditions {
		at := strings.IndexAny(text, "=<>!")
		if at <= 0 {
			return Match{}, fmt.Errorf("%q is no condition: write key=pattern, such as rule=traffic-drop or entity=svc-*; keys are %s", text, strings.Join(keys, ", "))
		}
		key, rest := strings.ToLower(strings.TrimSpace(text[:at])), text[at:]
		list := m.field(key)
		if list == nil {
			return Match{}, fmt.Errorf("there is no key %q: use one of %s", key, strings.Join(keys, ", "))
		}
		not := false
		switch {
		case strings.HasPrefix(rest, "!="):
			not, rest = true, rest[2:]
		case strings.HasPrefix(rest, "="):
			rest = rest[1:]
		case key != "severity":
			return Match{}, fmt.Errorf("%q compares: only severity can be compared; write %s=pattern", text, key)
		}
		if not && key == "severity" {
			return Match{}, fmt.Errorf("%q: a severity cannot be excluded; compare it, such as severity<high", text)
		}
		for part := range strings.SplitSeq(rest, ",") {
			part = strings.TrimSpace(part)
			if not {
				part = "!" + part
			}
			*list = append(*list, part)
		}
	}
	_, problems := m.compile()
	if len(problems) > 0 {
		return Match{}, fmt.Errorf("%s: %s", problems[0].Key, problems[0].Message)
	}
	return m, nil
}

// Problem is one mistake: Key is its place under what was checked, such as
// "match.entity", and Message names the mend.
type Problem struct{ Key, Message string }

// matcher is a Match that has been read.
type matcher struct {
	severities                                severitySet
	rule, product, entity, integration        globs
	entityType, tenant, tactics, technique    globs
	hasRule, hasProduct, hasTactic, hasTechnq bool
}

func (m Match) compile() (c matcher, problems []Problem) {
	var err error
	if c.severities, err = m.Severity.compile(); err != nil {
		problems = append(problems, Problem{"severity", err.Error()})
	}
	for _, f := range []struct {
		key  string
		list Patterns
		into *globs
	}{
		{"rule", m.Rule, &c.rule}, {"product", m.Product, &c.product}, {"entity", m.Entity, &c.entity},
		{"integration", m.Integration, &c.integration}, {"entity_type", m.EntityType, &c.entityType},
		{"tenant", m.Tenant, &c.tenant}, {"tactic", m.Tactic, &c.tactics}, {"technique", m.Technique, &c.technique},
	} {
		if *f.into, err = f.list.compile(); err != nil {
			problems = append(problems, Problem{f.key, err.Error()})
		}
	}
	for _, name := range m.Tactic {
		if _, known := findTactic(strings.TrimPrefix(name, "!")); !known && !strings.ContainsAny(name, "*?[") {
			problems = append(problems, Problem{"tactic", fmt.Sprintf("the tactic %q is not known: use one of %s", name, strings.Join(tacticNames(), ", "))})
		}
	}
	c.hasRule, c.hasProduct = !c.rule.empty(), !c.product.empty()
	c.hasTactic, c.hasTechnq = !c.tactics.empty(), !c.technique.empty()
	return c, problems
}

// ofAlert says whether the conditions on the alert itself hold.
func (c matcher) ofAlert(a schema.Alert) bool {
	switch {
	case !c.severities.has(a.Severity), !c.tenant.match(a.TenantUID), !c.entityType.match(a.EntityType):
		return false
	case !c.entity.empty() && !c.entity.match(a.Entity, a.EntityUID):
		return false
	case !c.integration.empty() && (a.EntityType != "integration" || !c.integration.match(a.Entity, a.EntityUID)):
		return false
	}
	return true
}

// ofFinding says whether the conditions on a finding hold.
func (c matcher) ofFinding(f schema.Finding) bool {
	return c.rule.match(f.Rule) && c.product.match(f.Product) && c.ofAttack(f.Attack)
}

func (c matcher) ofAttack(ids []string) bool {
	if c.hasTechnq && !c.technique.match(withParents(ids)...) {
		return false
	}
	return !c.hasTactic || c.tactics.match(tacticsOf(ids)...)
}

// any says whether the alert holds what is asked for: one of its findings is enough.
// Routes ask this, so that nobody misses what is meant for them.
func (c matcher) any(a schema.Alert) bool {
	if !c.ofAlert(a) {
		return false
	}
	if len(a.Findings) == 0 {
		return !c.hasRule && !c.hasProduct && c.ofAttack(a.Attack)
	}
	return slices.ContainsFunc(a.Findings, c.ofFinding)
}

// all says whether the alert is nothing but what is asked for: every finding that is
// more than a note matches. Silences ask this: what is silenced for one rule is told
// when another one speaks of the same entity.
func (c matcher) all(a schema.Alert) bool {
	if !c.ofAlert(a) || len(a.Findings) == 0 && (c.hasRule || c.hasProduct || c.hasTactic || c.hasTechnq) {
		return false
	}
	weighty := 0
	for _, f := range a.Findings {
		if f.Severity > schema.SeverityInformational {
			weighty++
			if !c.ofFinding(f) {
				return false
			}
		}
	}
	return weighty > 0 || !slices.ContainsFunc(a.Findings, func(f schema.Finding) bool { return !c.ofFinding(f) })
}

// Any says whether the alert holds what is asked for; see Check for mistakes, of
// which each makes nothing match.
func (m Match) Any(a schema.Alert) bool {
	c, problems := m.compile()
	return len(problems) == 0 && c.any(a)
}

// All says whether all of the alert is what is asked for.
func (m Match) All(a schema.Alert) bool {
	c, problems := m.compile()
	return len(problems) == 0 && c.all(a)
}

// Check lists the mistakes.
func (m Match) Check() []Problem {
	_, problems := m.compile()
	return problems
}
