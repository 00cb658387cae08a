// Package retention deletes what is old: the tables themselves do it (ClickHouse's TTL),
// also while no crmwatch runs. What the configuration does not name is kept for ever, and
// what a legal hold covers as long as that stands.
package retention

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// What is kept.
type What string

// What has a time of keeping of its own.
const (
	Events What = "events"
	// Audit is what was done with crmwatch itself: events of the product crmwatch.
	Audit      What = "audit"
	Quarantine What = "quarantine"
	Findings   What = "findings"
	// Alerts go with their transitions, requests and notifications, with what exceptions
	// suppressed, and with silences.
	Alerts What = "alerts"
	// Digests are what rules know of events without reading them: counts and values by
	// hour and day, and what rules remember. They go with their events unless told.
	Digests   What = "digests"
	Summaries What = "summaries"
)

// Whats lists all of them.
var Whats = []What{Events, Audit, Quarantine, Findings, Alerts, Digests, Summaries}

// Rule says how long something is kept.
type Rule struct {
	What What `json:"what"`
	// Tenant is empty for all tenants that have no rule of their own.
	Tenant string `json:"tenant,omitempty"`
	// Class is 0 for all classes that have no rule of their own.
	Class uint16 `json:"class,omitempty"`
	// Keep is how long, in nanoseconds of event time for events, else from when it was
	// written last; Forever is for ever.
	Keep time.Duration `json:"keep"`
}

// Policy is how long what is kept. No rule keeps for ever.
type Policy struct{ rules []Rule }

// NewPolicy puts rules into order. Of two for the same, the last counts.
func NewPolicy(rules ...Rule) Policy {
	var p Policy
	for _, r := range rules {
		p.rules = slices.DeleteFunc(p.rules, func(old Rule) bool {
			return old.What == r.What && old.Tenant == r.Tenant && old.Class == r.Class
		})
		p.rules = append(p.rules, r)
	}
	slices.SortFunc(p.rules, func(a, b Rule) int {
		return cmp.Or(cmp.Compare(slices.Index(Whats, a.What), slices.Index(Whats, b.What)), cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Class, b.Class))
	})
	return p
}

// Rules lists the rules in order.
func (p Policy) Rules() []Rule { return slices.Clone(p.rules) }

// Empty says that everything is kept for ever because nothing is told.
func (p Policy) Empty() bool { return len(p.rules) == 0 }

func (p Policy) find(what What, tenant string, class uint16) (time.Duration, bool) {
	for _, r := range p.rules {
		if r.What == what && r.Tenant == tenant && r.Class == class {
			return r.Keep, true
		}
	}
	return Forever, false
}

// Keep is how long something of a tenant is kept. What is said of a tenant goes before
// what is said of a class of all tenants. A class that no rule names is class 0.
func (p Policy) Keep(what What, tenant string, class uint16) time.Duration {
	for _, look := range []struct {
		tenant string
		class  uint16
	}{{tenant, class}, {tenant, 0}, {"", class}, {"", 0}} {
		if keep, told := p.find(what, look.tenant, look.class); told {
			return keep
		}
	}
	return Forever
}

// Shortest is how long what is made of events of several classes may be kept: as long as
// the first of them. No class is any class.
func (p Policy) Shortest(tenant string, classes []uint16) time.Duration {
	if len(classes) == 0 {
		classes = append(p.classes(), 0)
	}
	keep := Forever
	for _, class := range classes {
		keep = shorter(keep, p.Keep(Events, tenant, class))
	}
	return keep
}

// classes are those that a rule of events names.
func (p Policy) classes() (classes []uint16) {
	for _, r := range p.rules {
		if r.What == Events && r.Class != 0 {
			classes = append(classes, r.Class)
		}
	}
	slices.Sort(classes)
	return slices.Compact(classes)
}

// Tenants are those that rules name for one of several things.
func (p Policy) Tenants(of ...What) (tenants []string) {
	for _, r := range p.rules {
		if r.Tenant != "" && slices.Contains(of, r.What) {
			tenants = append(tenants, r.Tenant)
		}
	}
	slices.Sort(tenants)
	return slices.Compact(tenants)
}

// Horizon is how long events of some classes are kept: all of them, of each tenant that
// has a rule of its own, and of the others.
func (p Policy) Horizon(classes []uint16) (tenants map[string]time.Duration, others time.Duration) {
	tenants = map[string]time.Duration{}
	for _, tenant := range p.Tenants(Events) {
		tenants[tenant] = p.Shortest(tenant, classes)
	}
	return tenants, p.Shortest("", classes)
}

// Memory is how long rules remember of events of some classes.
func (p Policy) memory(tenant string, classes []uint16) time.Duration {
	if keep, told := p.find(Digests, "", 0); told {
		return keep
	}
	return p.Shortest(tenant, classes)
}

// String says in a line how long what is kept.
func (p Policy) String() string {
	if p.Empty() {
		return "everything for ever"
	}
	parts := make([]string, len(p.rules))
	for i, r := range p.rules {
		name := string(r.What)
		if r.Class != 0 {
			name = schema.ClassName(r.Class)
		}
		if r.Tenant != "" {
			name += " of " + r.Tenant
		}
		parts[i] = name + " " + KeepText(r.Keep)
	}
	return strings.Join(parts, ", ")
}
