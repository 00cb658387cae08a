package route

import (
	"fmt"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// Mute is why nobody is told of an alert now; the zero Mute is that people are.
type Mute struct {
	// Reason is what mutes it, as it stands in the outbox: "silence UID", "maintenance
	// NAME" or "inhibited by UID".
	Reason string
	// Until is when that ends; zero where only its cause's end ends it.
	Until time.Time
}

// Muted says whether the alert is muted.
func (m Mute) Muted() bool { return m.Reason != "" }

// Quiet is what the configuration says about muting.
type Quiet struct {
	windows     []window
	inhibitions []inhibition
}

// NewQuiet makes a Quiet; mistakes, which Check of each part lists, are an error.
func NewQuiet(maintenance []Maintenance, inhibit []Inhibition) (*Quiet, error) {
	q := &Quiet{}
	for n, m := range maintenance {
		w, problems := m.compile()
		if len(problems) > 0 {
			return nil, fmt.Errorf("maintenance %d: %s: %s", n+1, problems[0].Key, problems[0].Message)
		}
		q.windows = append(q.windows, w)
	}
	for n, i := range inhibit {
		c, problems := i.compile()
		if len(problems) > 0 {
			return nil, fmt.Errorf("inhibit %d: %s: %s", n+1, problems[0].Key, problems[0].Message)
		}
		q.inhibitions = append(q.inhibitions, c)
	}
	return q, nil
}

// Causes says whether an open alert is a reason to mute others.
func (q *Quiet) Causes(a schema.Alert) bool {
	if q == nil {
		return false
	}
	for _, i := range q.inhibitions {
		if i.causes(a) {
			return true
		}
	}
	return false
}

// Inhibits says whether any alert could mute others.
func (q *Quiet) Inhibits() bool { return q != nil && len(q.inhibitions) > 0 }

// RulesOfCauses says whether the findings of a rule could make an alert a cause.
func (q *Quiet) RulesOfCauses(rule string) bool {
	if q == nil {
		return false
	}
	for _, i := range q.inhibitions {
		if i.when.rule.match(rule) {
			return true
		}
	}
	return false
}

// Muted says whether an alert is muted at a time, given the silences and the open
// alerts that are causes. Of several reasons the one that lasts longest is given.
func (q *Quiet) Muted(a schema.Alert, now time.Time, silences []Silence, causes []schema.Alert) (m Mute) {
	longest := func(reason string, until time.Time) {
		if !m.Muted() || until.After(m.Until) {
			m = Mute{reason, until}
		}
	}
	for _, s := range silences {
		if s.Active(now) && s.Mutes(a) {
			longest("silence "+s.UID.String(), s.EndsAt)
		}
	}
	if q == nil {
		return m
	}
	for _, w := range q.windows {
		if a.Severity > w.upTo || !w.match.all(a) {
			continue
		}
		if end := w.end(now); end.After(now) {
			longest("maintenance "+w.name, end)
		}
	}
	if m.Muted() {
		return m
	}
	for _, i := range q.inhibitions {
		for _, cause := range causes {
			if i.causes(cause) && i.mutes(cause, a) {
				return Mute{Reason: "inhibited by " + cause.UID.String()}
			}
		}
	}
	return m
}

// Open lists the maintenance windows that are open at a time, by name.
func (q *Quiet) Open(now time.Time) []string {
	if q == nil {
		return nil
	}
	var names []string
	for _, w := range q.windows {
		if w.end(now).After(now) {
			names = append(names, w.name)
		}
	}
	return names
}
