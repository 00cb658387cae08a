package route

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// InhibitReach is how long after the last event of an alert another one may begin and
// still be a consequence of it.
const InhibitReach = 24 * time.Hour

// Inhibition mutes alerts that are a consequence of another one, as long as that is
// open. An alert that is critical is never inhibited, nor one that matches When itself.
type Inhibition struct {
	// When is the cause: one of its findings is enough.
	When Match `yaml:"when"`
	// Mute is the consequence: all of its findings.
	Mute Match `yaml:"mute"`
	// Equal lists what both must have in common: tenant, product, entity, entity_type.
	Equal []string `yaml:"equal"`
}

var equalKeys = []string{"tenant", "product", "entity", "entity_type"}

// Check lists the mistakes.
func (i Inhibition) Check() []Problem {
	_, problems := i.compile()
	return problems
}

type inhibition struct {
	when, mute matcher
	equal      []string
}

func (i Inhibition) compile() (c inhibition, problems []Problem) {
	var wrong []Problem
	c.when, wrong = i.When.compile()
	problems = append(problems, under("when", wrong)...)
	c.mute, wrong = i.Mute.compile()
	problems = append(problems, under("mute", wrong)...)
	if i.When.Empty() {
		problems = append(problems, Problem{"when", "every alert would mute others: say which, such as when: {rule: source-silent}"})
	}
	if i.Mute.Empty() {
		problems = append(problems, Problem{"mute", "everything would be muted: say what, such as mute: {rule: traffic-drop}"})
	}
	for n, key := range i.Equal {
		if !slices.Contains(equalKeys, key) {
			problems = append(problems, Problem{fmt.Sprintf("equal[%d]", n), fmt.Sprintf("%q cannot be compared: use %s", key, strings.Join(equalKeys, ", "))})
		}
	}
	c.equal = i.Equal
	return c, problems
}

// causes says whether an open alert is a reason to mute others.
func (c inhibition) causes(cause schema.Alert) bool {
	return !cause.Status.Closed() && c.when.any(cause)
}

// mutes says whether a consequence is muted by a cause.
func (c inhibition) mutes(cause, consequence schema.Alert) bool {
	switch {
	case cause.UID == consequence.UID, consequence.Severity >= schema.SeverityCritical:
		return false
	case c.when.any(consequence), !c.mute.all(consequence):
		return false
	case consequence.FirstSeen.After(cause.LastSeen.Add(InhibitReach)):
		return false
	}
	for _, key := range c.equal {
		if !equalIn(key, cause, consequence) {
			return false
		}
	}
	return true
}

func equalIn(key string, cause, consequence schema.Alert) bool {
	switch key {
	case "tenant":
		return cause.TenantUID == consequence.TenantUID
	case "entity":
		return cause.EntityUID == consequence.EntityUID
	case "entity_type":
		return cause.EntityType == consequence.EntityType
	}
	// The consequence shows no product that the cause does not.
	have := productsOf(cause)
	return !slices.ContainsFunc(productsOf(consequence), func(p string) bool { return !slices.Contains(have, p) })
}

func productsOf(a schema.Alert) []string {
	var names []string
	for _, f := range a.Findings {
		if !slices.Contains(names, f.Product) {
			names = append(names, f.Product)
		}
	}
	return names
}
