package simulate

import (
	"fmt"
	"slices"
	"time"
)

// Ids of the rules that incidents should be found by.
const (
	ruleBruteForce     = "brute-force"
	ruleSpray          = "password-spray"
	ruleSeveralPlaces  = "credential-several-places"
	ruleNewNetwork     = "integration-new-network"
	ruleTrafficSpike   = "traffic-spike"
	ruleJobDeleted     = "bulk-job-deleted"
	ruleReconThenBulk  = "recon-then-bulk"
	ruleSecretsQueried = "secret-hunting-query"
)

// IncidentKind is something that can be made to happen.
type IncidentKind struct {
	Name string
	// Summary is one sentence for people.
	Summary string
	// Rules are the ids of the rules that should report it.
	Rules []string
	// products of which at least one is needed.
	products []string
	plan     func(*incident) error
}

// Incidents lists what can be asked for.
func Incidents() []IncidentKind {
	return []IncidentKind{
		{"token-theft", "a stolen refresh token: days of quiet probing, a bulk export from a new network, the job deleted",
			[]string{ruleReconThenBulk, ruleNewNetwork, ruleJobDeleted}, []string{Salesforce}, planTheft},
		{"password-spray", "one network tries a few passwords on many users, in vain",
			[]string{ruleSpray}, []string{Salesforce}, planSpray},
		{"password-spray-success", "the same, and one password fits",
			[]string{ruleSpray}, []string{Salesforce}, planSpray},
		{"brute-force", "forty wrong passwords for one user, then the right one",
			[]string{ruleBruteForce}, []string{Salesforce}, planBruteForce},
		{"credential-sharing", "an API key, or a session, is used by its owner and by somebody elsewhere at once",
			[]string{ruleSeveralPlaces}, []string{Salesforce, Kong}, planSharing},
		{"traffic-spike", "an integration makes many times its usual calls for an hour, from its own network",
			[]string{ruleTrafficSpike}, []string{Salesforce}, planSpike},
		{"secret-hunting", "an integration's session searches cases for keys and passwords",
			[]string{ruleSecretsQueried}, []string{Salesforce}, planHunt},
	}
}

// IncidentNames lists the names that Options.Incidents takes.
func IncidentNames() []string {
	var names []string
	for _, k := range Incidents() {
		names = append(names, k.Name)
	}
	return names
}

func incidentKind(name string) (IncidentKind, bool) {
	for _, k := range Incidents() {
		if k.Name == name {
			return k, true
		}
	}
	return IncidentKind{}, false
}

// incident is one asked-for occurrence: a script of steps at fixed times.
type incident struct {
	IncidentKind
	world *world
	dice  dice
	// ordinal counts incidents of this name from 0, number all of them.
	ordinal, number int
	steps           []step
}

type step struct {
	when time.Time
	do   func(time.Time)
}

// planIncidents gives every incident its victim and its script.
func (w *world) planIncidents() error {
	count := map[string]int{}
	for number, name := range w.Options.Incidents {
		k, _ := incidentKind(name)
		if !slices.ContainsFunc(k.products, func(p string) bool { return slices.Contains(w.Products, p) }) {
			return fmt.Errorf("incident %s needs the logs of %s: add the product", name, k.products[0])
		}
		i := &incident{IncidentKind: k, world: w, dice: newDice(w.Seed, fmt.Sprintf("%s %d", name, count[name])), ordinal: count[name], number: number}
		count[name]++
		if err := k.plan(i); err != nil {
			return fmt.Errorf("plan incident %s: %w", name, err)
		}
		w.actors = append(w.actors, i)
	}
	return nil
}

// at adds a step. Steps run after everyone else has lived the same hour.
func (i *incident) at(when time.Time, do func(time.Time)) {
	i.steps = append(i.steps, step{when, do})
}

func (i *incident) hour(w *world, from time.Time) {
	for _, s := range i.steps {
		if inside(s.when, from) {
			s.do(s.when)
		}
	}
}

// label records the incident, and takes the entity out of the innocents.
func (i *incident) label(l Label) {
	l.Kind, l.Rules = i.Name, append(slices.Clone(i.Rules), l.Rules...)
	if l.Product == Salesforce {
		l.Tenant = longID(i.world.org)
	}
	i.world.taken[l.EntityUID] = true
	i.world.labels = append(i.world.labels, l)
}

func (i *incident) integrationLabel(in *integration, from, to time.Time) Label {
	return Label{Product: Salesforce, EntityType: "integration", EntityUID: longID(in.id), Entity: in.username, From: from, To: to}
}

// network is the incident's own, which nobody else uses.
func (i *incident) network() network { return attackerNetwork(i.number) }

// victim is the next integration of these kinds to which nothing happens yet.
func (i *incident) victim(kinds ...string) (*integration, error) {
	for _, kind := range kinds {
		for _, in := range i.world.integrations {
			if in.kind == kind && !i.world.taken[longID(in.id)] {
				return in, nil
			}
		}
	}
	return nil, fmt.Errorf("no integration of kind %v is left: give more integrations", kinds)
}

// day is a day of the window on which histories are long enough to judge by:
// after eight days, or after two thirds of a shorter window.
func (i *incident) day() int {
	first := min(8, i.world.Days*2/3)
	return first + i.dice.below(i.world.Days-first)
}
