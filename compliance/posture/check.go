// Package posture holds what was collected against the guidance for securing CRM
// integrations: OAuth instead of passwords, keys that are renewed, people with a second
// factor, logs that arrive. A check is data: one YAML file with its question, its SQL,
// how to mend what it finds, and its own tests.
package posture

import (
	"cmp"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/detectors"
)

// Verdict is what a check says of the logs of a product, or of a tenant.
type Verdict string

// The verdicts, from the best to the worst. Nothing passes for want of evidence: a
// verdict is Pass only where something was looked at that could have failed.
const (
	Pass        Verdict = "pass"
	CannotJudge Verdict = "cannot judge"
	Attention   Verdict = "attention"
	Fail        Verdict = "fail"
)

var verdicts = []Verdict{Pass, CannotJudge, Attention, Fail}

// ParseVerdict reads a verdict by its name.
func ParseVerdict(name string) (Verdict, bool) {
	v := Verdict(name)
	return v, slices.Contains(verdicts, v)
}

// rank is higher where the verdict is worse.
func (v Verdict) rank() int { return slices.Index(verdicts, v) }

// worse is the worse of two. What passed at one place outweighs what could not be judged
// at another: the places tell.
func worse(a, b Verdict) Verdict {
	if a == "" || a == CannotJudge && b == Pass {
		return b
	}
	if b == "" || b == CannotJudge && a == Pass {
		return a
	}
	if a.rank() > b.rank() {
		return a
	}
	return b
}

// Check is one question, read from one YAML file.
//
// The query returns one row for each thing that was looked at (an integration, a person,
// a key), with the columns tenant, product, thing, verdict (pass, attention, fail, or
// unknown where the thing could not be judged), says (what was seen, or why it could not
// be judged), events, first_seen and last_seen. It has the parameters
// {from:DateTime64(3)} and {to:DateTime64(3)}, the period, {history_from:DateTime64(3)},
// the beginning of what it may look back on, and its own Params. It may read the shared
// subqueries (see Shared) beside the tables.
type Check struct {
	ID       string
	Title    string
	Why      string
	Question string
	// Singular and Plural name the things.
	Singular, Plural string
	// Controls lists what it serves, such as "GDPR 32".
	Controls []string
	Params   []detectors.Param
	// NeedsParams are lists that the installation has to fill.
	NeedsParams []string
	// Needs says, by product or family of products, which logs it needs: there, no row
	// means that it could not be judged. Elsewhere it means that it does not apply.
	Needs map[string]string
	Query string
	// Mend says, by product or family of products, how to put right what it finds.
	Mend  map[string]string
	Tests []Test
	// Limits says what a pass does not prove.
	Limits string
	// File is where it was read from.
	File string

	text []byte
}

// Test is a case in a check's own file: events in, a verdict out.
type Test struct {
	Name   string
	Params map[string]any
	Events []detectors.TestEvent
	Expect Expectation
}

// Expectation is what a test wants of the tenant of its events; fields left empty are not
// compared.
type Expectation struct {
	Verdict  Verdict `yaml:"verdict"`
	LookedAt *uint64 `yaml:"looked_at"`
	// Things are those that did not pass, in any order.
	Things []string `yaml:"things"`
	// Says is a part of the first thing's text, or of the reason.
	Says string `yaml:"says"`
}

// families are products of which a check can speak together.
var families = map[string][]string{
	"Microsoft":  {"Dynamics 365", "Microsoft Entra ID", "Microsoft 365"},
	"gateways":   {"Kong Gateway", "nginx", "Envoy", "Apache HTTP Server", "API Gateway"},
	"middleware": {"Mule runtime", "MuleSoft", "MuleSoft Anypoint Platform", "Boomi", "Workato", "BPA Platform"},
}

// family is what a product belongs to; itself where it belongs to nothing.
func family(product string) string {
	for name, products := range families {
		if slices.ContainsFunc(products, func(p string) bool { return strings.EqualFold(p, product) }) {
			return name
		}
	}
	return product
}

// of finds what is said of a product, of its family, or of any product.
func of(said map[string]string, product string) string {
	return cmp.Or(said[product], said[family(product)], said["any"])
}

// param finds a parameter by its name.
func (c Check) param(name string) (detectors.Param, bool) {
	for _, p := range c.Params {
		if p.Name == name {
			return p, true
		}
	}
	return detectors.Param{}, false
}

// unset lists the parameters that the check needs and that are empty.
func (c Check) unset() (names []string) {
	for _, name := range c.NeedsParams {
		p, _ := c.param(name)
		if list, isList := p.Value.([]string); isList && len(list) == 0 {
			names = append(names, name)
		}
	}
	return names
}
