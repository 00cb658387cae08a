package main

import (
	"slices"

	"github.com/crmwatch/crmwatch/schema"
	"github.com/crmwatch/crmwatch/simulate"
)

// score counts over a whole simulated time.
type score struct {
	planted, found      int
	kinds               map[string][2]int // found, planted
	rules               map[string]*ruleScore
	wrong               int // findings
	alerts, wrongAlerts int
	entities            int
	weeks               float64
	verdict             verdict
}

// ruleScore is one rule's part in it.
type ruleScore struct {
	findings, right, notes int
	// incidents are those that the rule told of, first those that it told of first.
	incidents, first int
}

func (s score) recall() float64 { return float64(s.found) / float64(max(1, s.planted)) }

// perThousand is a count a thousand entities and week.
func (s score) perThousand(n int) float64 {
	return float64(n) / (float64(max(1, s.entities)) / 1000 * s.weeks)
}

// worst is the least recall of a kind.
func (s score) worst() float64 {
	least := 1.0
	for _, k := range s.kinds {
		least = min(least, float64(k[0])/float64(k[1]))
	}
	return least
}

func (l lived) score() score {
	labels := l.truth.Incidents
	s := score{planted: len(labels), kinds: map[string][2]int{}, rules: map[string]*ruleScore{}, entities: entities(l.truth),
		weeks: l.truth.To.Sub(l.truth.From).Hours() / (7 * 24)}
	for _, r := range l.rules {
		s.rules[r.ID] = &ruleScore{}
	}
	s.verdict = judgeFindings(l.findings, labels)
	s.alerts, s.wrongAlerts = s.verdict.alerts, s.verdict.wrong
	for _, f := range l.findings {
		r := s.rules[f.Rule]
		switch {
		case !loud(f):
			r.notes++
			continue
		case s.verdict.right[f.UID]:
			r.right++
		default:
			s.wrong++
		}
		r.findings++
	}
	for i, label := range labels {
		k := s.kinds[label.Kind]
		k[1]++
		told := s.verdict.found[i]
		if len(told) > 0 {
			k[0]++
			s.found++
			first := slices.MinFunc(told, func(a, b schema.Finding) int { return a.LastSeen.Compare(b.LastSeen) })
			s.rules[first.Rule].first++
		}
		s.kinds[label.Kind] = k
		named := map[string]bool{}
		for _, f := range told {
			named[f.Rule] = true
		}
		for rule := range named {
			s.rules[rule].incidents++
		}
	}
	return s
}

// entities counts who might have been accused: identities of people and programs, by
// product.
func entities(truth simulate.Manifest) int {
	all := map[string]bool{}
	for _, i := range truth.Innocents {
		if i.EntityType != "network" {
			all[i.Product+" "+i.EntityUID] = true
		}
	}
	for _, l := range truth.Incidents {
		if l.EntityType == "user" || l.EntityType == "integration" {
			all[l.Product+" "+l.EntityUID] = true
		}
	}
	return len(all)
}
