package simulate

import (
	"fmt"
	"slices"
	"time"
)

// planSharing takes turns: first an API key of the gateway, then the session of
// an integration; where only one product is simulated, always that one's.
func planSharing(i *incident) error {
	w := i.world
	if len(w.consumers) > 0 && (i.ordinal%2 == 0 || len(w.integrations) == 0) {
		return planKeySharing(i)
	}
	in, err := i.victim("marketing", "erp", "chat")
	if err != nil {
		return err
	}
	begin := w.at(i.day(), 13*time.Hour+6*time.Minute)
	end := begin
	for n := range 30 {
		end = begin.Add(time.Duration(n) * 80 * time.Second)
		i.at(end, func(t time.Time) {
			s := in.session(0)
			s.address = i.network().host(140)
			w.probe(i, in, s, t, call{method: "GET", path: "query", entity: "Lead", rows: 200, fields: 9, query: "SELECT Id, Name, Email, Phone, Company FROM Lead"})
		})
	}
	l := i.integrationLabel(in, begin, end.Add(time.Millisecond))
	l.Rules, l.Networks = []string{ruleNewNetwork}, []string{i.network().prefix()}
	i.label(l)
	return nil
}

func planKeySharing(i *incident) error {
	w := i.world
	at := slices.IndexFunc(w.consumers, func(c *consumer) bool { return c.kind != "storefront" && c.rotates < 0 && !w.taken[c.id] })
	if at < 0 {
		return fmt.Errorf("no consumer of the gateway is left: give more integrations")
	}
	c := w.consumers[at]
	begin := w.at(i.day(), 14*time.Hour+5*time.Minute)
	end := begin
	for n := range 45 {
		end = begin.Add(time.Duration(n) * 50 * time.Second)
		i.at(end, func(t time.Time) { w.gatewayCall(c, i.dice, t, i.network().host(61), "curl/8.9.1", 200) })
	}
	i.label(Label{Product: Kong, EntityType: "integration", EntityUID: c.id, Entity: c.username, From: begin, To: end.Add(time.Millisecond),
		Rules: []string{ruleNewNetwork}, Networks: []string{i.network().prefix()}})
	return nil
}

// planSpike: a broken loop calls 2,400 times in an hour, from the integration's
// own machines and with its own session.
func planSpike(i *incident) error {
	in, err := i.victim("marketing", "erp", "chat")
	if err != nil {
		return err
	}
	w := i.world
	begin := w.at(i.day(), 14*time.Hour+2*time.Minute)
	for hour := range 2 {
		i.at(begin.Add(time.Duration(hour)*time.Hour), func(t time.Time) {
			for _, when := range i.dice.instants(1200, t, 29*time.Minute) {
				owner := *in
				owner.dice = i.dice
				w.rest(&owner, in.session(0), when, call{method: "GET", path: "query", entity: "Lead", rows: 1, fields: 6,
					query: "SELECT Id, Email, Status FROM Lead WHERE Id = '" + longID(anyRecordID(i.dice, prefixLead)) + "'"})
			}
		})
	}
	i.label(i.integrationLabel(in, begin, begin.Add(time.Hour+30*time.Minute)))
	return nil
}

// planHunt: searches for what opens other doors, from the integration's network.
func planHunt(i *incident) error {
	in, err := i.victim("chat", "marketing", "bi")
	if err != nil {
		return err
	}
	w := i.world
	begin := w.at(i.day(), 15*time.Hour+21*time.Minute)
	end := begin
	for n, word := range []string{"AKIA", "ASIA", "password", "secret", "BEGIN PRIVATE KEY", "snowflakecomputing.com"} {
		end = begin.Add(time.Duration(n) * 21 * time.Second)
		i.at(end, func(t time.Time) {
			w.probe(i, in, in.session(0), t, call{method: "GET", path: "query", entity: "Case", rows: i.dice.between(2, 80), fields: 3,
				query: "SELECT Id, Subject, Description FROM Case WHERE Subject LIKE '%" + word + "%'"})
		})
	}
	i.label(i.integrationLabel(in, begin, end.Add(time.Millisecond)))
	return nil
}
