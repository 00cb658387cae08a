package simulate

import (
	"fmt"
	"time"
)

// trouble is a service behind the gateway that fails or is slow for a while.
type trouble struct {
	service string
	window  window
	// status is what callers get, 0 for the usual; slow is how many milliseconds longer
	// they wait.
	status, slow int
}

func (w *world) troubleOf(service string, when time.Time) trouble {
	for _, t := range w.troubles {
		if t.service == service && t.window.holds(when) {
			return t
		}
	}
	return trouble{}
}

// daytime is a busy hour of a working day.
func (i *incident) daytime() time.Time { return i.world.at(i.workday(), 9*time.Hour+11*time.Minute) }

// planErrorStorm: a field was removed, and most of an integration's queries are refused.
func planErrorStorm(i *incident) error {
	in, err := i.victim("chat")
	if err != nil {
		return err
	}
	begin := i.daytime()
	in.fails = window{begin, begin.Add(150 * time.Minute)}
	in.failing = func(c *call) {
		if c.path == "query" {
			c.status, c.rows, c.exception = 400, 0, "\"INVALID_FIELD: No such column 'Priority' on entity 'Case'\""
		}
	}
	i.label(i.integrationLabel(in, begin, in.fails.to))
	return nil
}

func (i *incident) serviceTrouble(t trouble) {
	w := i.world
	w.troubles = append(w.troubles, t)
	l := Label{Product: Kong, EntityType: "service", EntityUID: t.service, Entity: t.service, From: t.window.from, To: t.window.to}
	for _, c := range w.consumers {
		if c.service == t.service {
			l.Aliases = append(l.Aliases, c.id, c.username)
		}
	}
	i.label(l)
}

// planOutage: what the gateway stands before does not answer.
func planOutage(i *incident) error {
	begin := i.daytime().Add(2 * time.Hour)
	i.serviceTrouble(trouble{[...]string{"erp", "crm"}[i.ordinal%2], window{begin, begin.Add(45 * time.Minute)}, 503, 0})
	return nil
}

// planSlow: it answers, after seconds.
func planSlow(i *incident) error {
	begin := i.daytime()
	i.serviceTrouble(trouble{[...]string{"crm", "erp"}[i.ordinal%2], window{begin, begin.Add(5 * time.Hour)}, 0, 2600})
	return nil
}

// planSilent: a type of log stops to be written.
func planSilent(i *incident) error {
	w := i.world
	// Types that are written at all hours; without them no other incident is hidden.
	t := [...]*table{tableTotalUsage, tableContentTransfer}[i.ordinal%2]
	begin := w.at(i.workday(), 6*time.Hour)
	lasts := [...]time.Duration{34 * time.Hour, 62 * time.Hour}[i.ordinal%2]
	if latest := w.end().Add(-lasts - 6*time.Hour); begin.After(latest) && w.Days > 3 {
		begin = latest
	}
	silence := window{begin, begin.Add(lasts)}
	w.exports.silence(t, silence)
	name := "Salesforce " + t.name
	i.label(Label{Product: Salesforce, EntityType: "source", EntityUID: name, Entity: t.name + " of Salesforce", From: begin, To: silence.to})
	return nil
}

// planStopped: a program that always calls hangs, and nobody notices.
func planStopped(i *incident) error {
	in, err := i.victim("erp", "chat")
	if err != nil {
		return err
	}
	begin := i.daytime()
	if latest := i.world.end().Add(-15 * time.Hour); begin.After(latest) && i.world.Days > 1 {
		begin = latest
	}
	in.stopped = window{begin.Truncate(time.Hour), begin.Truncate(time.Hour).Add(14 * time.Hour)}
	l := i.integrationLabel(in, in.stopped.from, in.stopped.to)
	if in.flow != "" {
		l.Aliases = []string{in.flow}
	}
	i.label(l)
	return nil
}

// planLimit: an integration in a loop runs against the organisation's limit.
func planLimit(i *incident) error {
	in, err := i.victim("marketing", "erp")
	if err != nil {
		return err
	}
	w := i.world
	begin := w.at(i.day(), 13*time.Hour+20*time.Minute)
	i.at(begin, func(t time.Time) {
		owner := *in
		owner.dice = i.dice
		for n := range 220 {
			w.rest(&owner, in.session(0), t.Add(time.Duration(n)*9*time.Second), call{method: "POST", path: "composite/sobjects", entity: "CampaignMember", fields: 5, status: 403,
				exception: "\"REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded.\""})
		}
	})
	i.label(i.integrationLabel(in, begin, begin.Add(34*time.Minute)))
	return nil
}

// planWorkflow: the middleware's flow fails for most of a day, since what it is to write
// was renamed.
func planWorkflow(i *incident) error {
	in, err := i.carriedVictim()
	if err != nil {
		return err
	}
	begin := i.daytime()
	if latest := i.world.end().Add(-10 * time.Hour); begin.After(latest) && i.world.Days > 1 {
		begin = latest
	}
	in.fails = window{begin, begin.Add(9 * time.Hour)}
	in.failing = func(c *call) {
		c.status, c.rows, c.exception = 400, 0, "\"INVALID_FIELD: No such column 'External_Number__c'\""
	}
	l := Label{Product: MuleSoft, EntityType: "integration", EntityUID: in.flow, Entity: in.flow, From: begin, To: in.fails.to, Aliases: []string{longID(in.id), in.username}}
	i.world.taken[longID(in.id)] = true
	i.label(l)
	return nil
}

// carriedVictim is an integration whose calls the middleware carries.
func (i *incident) carriedVictim() (*integration, error) {
	for _, in := range i.world.integrations {
		if in.flow != "" && !i.world.taken[longID(in.id)] {
			return in, nil
		}
	}
	return nil, fmt.Errorf("no integration behind the middleware is left: give more integrations")
}

// planBypass: calls with the integration's session, from its own machine, that did not
// come through the middleware.
func planBypass(i *incident) error {
	in, err := i.carriedVictim()
	if err != nil {
		return err
	}
	w := i.world
	begin := w.at(i.day(), 17*time.Hour+33*time.Minute)
	end := begin
	for n := range 24 {
		end = begin.Add(time.Duration(n) * 25 * time.Second)
		i.at(end, func(t time.Time) {
			thief := i.disguise(in)
			thief.client = in.client
			w.rest(thief, in.session(0), t, call{method: "GET", path: "query", entity: "Order", rows: i.dice.between(40, 200), fields: 9, query: "SELECT Id, OrderNumber, Status, TotalAmount FROM Order"})
		})
	}
	i.label(i.integrationLabel(in, begin, end.Add(time.Millisecond)))
	return nil
}

// planShadow: a service account that is on nobody's list begins to call.
func planShadow(i *incident) error {
	w, d := i.world, i.dice
	number := uint64(len(w.people)+len(w.integrations)+7+i.ordinal) * 97
	in := &integration{kind: "chat", name: "Meeting Notes", username: fmt.Sprintf("notes-helper-%d@%s", i.ordinal+1, w.domain), client: "meeting-notes", agent: "meeting-notes/0.4",
		version: "62.0", dice: d, id: recordID(prefixUser, w.idBase(prefixUser)+number), app: recordID(prefixConnectedApp, w.idBase(prefixConnectedApp)+90_000+number)}
	begin := w.at(i.day(), 8*time.Hour)
	for hour := range 7 {
		i.at(begin.Add(time.Duration(hour)*time.Hour), func(t time.Time) {
			s := w.serviceLogin(in, t, i.network().host(90), in.agent)
			for _, when := range d.instants(12, t.Add(time.Minute), 50*time.Minute) {
				w.rest(in, s, when, call{method: "GET", path: "query", entity: "Event", rows: d.between(1, 9), fields: 7, query: "SELECT Id, Subject, StartDateTime FROM Event"})
			}
		})
	}
	l := i.integrationLabel(in, begin, begin.Add(7*time.Hour))
	l.Networks, l.Aliases = []string{i.network().prefix()}, []string{in.app, longID(in.app), in.name, in.client}
	i.label(l)
	return nil
}
