package route

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// Route sends the alerts that match to notifiers.
type Route struct {
	Match Match `yaml:"match"`
	// To names notifiers.
	To []string `yaml:"to"`
	// Continue looks at the routes after it as well.
	Continue bool `yaml:"continue"`
	// Schedule is when the route counts; nil is always.
	Schedule *Schedule `yaml:"schedule"`
}

// Check lists the mistakes of a route, given the names of all notifiers.
func (r Route) Check(notifiers []string) []Problem {
	_, problems := r.compile()
	if len(r.To) == 0 {
		problems = append(problems, Problem{"to", "the route leads to nobody: name notifiers, such as to: [slack]; to mute alerts, use a silence or maintenance"})
	}
	for i, name := range r.To {
		if !slices.Contains(notifiers, name) {
			problems = append(problems, Problem{fmt.Sprintf("to[%d]", i), fmt.Sprintf("there is no notifier %q: there are %s", name, strings.Join(notifiers, ", "))})
		}
	}
	return problems
}

type compiledRoute struct {
	Route
	matcher matcher
	hours   *hours
}

func (r Route) compile() (c compiledRoute, problems []Problem) {
	c.Route = r
	var wrong []Problem
	c.matcher, wrong = r.Match.compile()
	problems = append(problems, under("match", wrong)...)
	if r.Schedule != nil {
		h, wrong := r.Schedule.compile()
		c.hours = &h
		problems = append(problems, under("schedule", wrong)...)
	}
	return c, problems
}

// under places problems one level deeper.
func under(key string, problems []Problem) []Problem {
	placed := make([]Problem, len(problems))
	for i, p := range problems {
		placed[i] = Problem{key + "." + p.Key, p.Message}
	}
	return placed
}

// Table are the routes in their order. The zero Table leads to every notifier.
type Table struct {
	routes    []compiledRoute
	notifiers []string
}

// NewTable makes a table of routes to notifiers, by name. A route with mistakes, which
// Route.Check lists, is an error.
func NewTable(routes []Route, notifiers []string) (*Table, error) {
	t := &Table{notifiers: slices.Clone(notifiers)}
	for i, r := range routes {
		c, problems := r.compile()
		if problems = append(problems, r.Check(notifiers)...); len(problems) > 0 {
			return nil, fmt.Errorf("route %d: %s: %s", i+1, problems[0].Key, problems[0].Message)
		}
		t.routes = append(t.routes, c)
	}
	return t, nil
}

// Decision is who is told of an alert, and by which routes.
type Decision struct {
	// Notifiers are named once each, in the order of the routes.
	Notifiers []string
	// Routes are the indexes of the routes that matched. With none of them, every
	// notifier is told: an alert that nobody thought of is told to all.
	Routes []int
}

// Decide finds the first route that matches, and those after it where it continues.
func (t *Table) Decide(a schema.Alert, now time.Time) Decision {
	var d Decision
	if t == nil {
		return d
	}
	for i, r := range t.routes {
		if !r.matcher.any(a) || r.hours != nil && !r.hours.holds(now) {
			continue
		}
		d.Routes = append(d.Routes, i)
		for _, name := range r.To {
			if !slices.Contains(d.Notifiers, name) {
				d.Notifiers = append(d.Notifiers, name)
			}
		}
		if !r.Continue {
			break
		}
	}
	if len(d.Routes) == 0 {
		d.Notifiers = slices.Clone(t.notifiers)
	}
	return d
}

// CatchesAll says whether some route always matches, so that none goes to everybody
// for want of a route.
func (t *Table) CatchesAll() bool {
	return slices.ContainsFunc(t.routes, func(r compiledRoute) bool { return r.Match.Empty() && r.Schedule == nil })
}

// Unused lists the notifiers that no route names.
func (t *Table) Unused() []string {
	var unused []string
	for _, name := range t.notifiers {
		if !slices.ContainsFunc(t.routes, func(r compiledRoute) bool { return slices.Contains(r.To, name) }) {
			unused = append(unused, name)
		}
	}
	return unused
}

// Shadowed lists the routes, by index, after one that matches everything and does not
// continue: they never count.
func (t *Table) Shadowed() []int {
	for i, r := range t.routes {
		if r.Match.Empty() && r.Schedule == nil && !r.Continue {
			var after []int
			for j := i + 1; j < len(t.routes); j++ {
				after = append(after, j)
			}
			return after
		}
	}
	return nil
}

// Trace is how one route sees an alert.
type Trace struct {
	// Matches says that the alert is what the route is for, InTime that its schedule holds.
	Matches, InTime bool
	// Reached is false where an earlier route has taken the alert.
	Reached bool
}

// Trace says of each route how it sees an alert, for those who wonder.
func (t *Table) Trace(a schema.Alert, now time.Time) []Trace {
	if t == nil {
		return nil
	}
	reached := true
	traces := make([]Trace, len(t.routes))
	for i, r := range t.routes {
		traces[i] = Trace{Matches: r.matcher.any(a), InTime: r.hours == nil || r.hours.holds(now), Reached: reached}
		if traces[i].Matches && traces[i].InTime && !r.Continue {
			reached = false
		}
	}
	return traces
}
