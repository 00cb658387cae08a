package simulate

import (
	"fmt"
	"slices"
	"time"
)

// incident is one asked-for occurrence: a script of steps at fixed times.
type incident struct {
	IncidentKind
	world *world
	dice  dice
	// ordinal counts incidents of this name from 0, number all of them.
	ordinal, number int
	steps           []step
	own             network
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
func (i *incident) network() network {
	if i.own == "" {
		i.own = attackerNetwork(i.world.attackers)
		i.world.attackers++
	}
	return i.own
}

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
