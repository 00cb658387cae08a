package main

import (
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/crmwatch/crmwatch/simulate"
)

// graceBefore and graceAfter are how far a finding's first and last event may lie outside
// an incident and still be about it: an hour's bucket begins earlier, and what stopped is
// noticed when it is missed.
const (
	graceBefore = time.Hour
	graceAfter  = 24 * time.Hour
)

// loud is whether a finding is for somebody to look at: an informational one is a note.
func loud(f schema.Finding) bool { return f.Severity >= schema.SeverityLow }

// about is whether a finding names the incident's entity, by any of its names, and its time.
func about(f schema.Finding, l simulate.Label) bool {
	if f.LastSeen.Before(l.From.Add(-graceBefore)) || f.FirstSeen.After(l.To.Add(graceAfter)) {
		return false
	}
	names := append([]string{l.EntityUID, l.Entity}, append(slices.Clone(l.Aliases), l.Networks...)...)
	return slices.ContainsFunc([]string{f.EntityUID, f.Entity, f.Attributes[alerting.AttributeStoryEntity]}, func(said string) bool {
		return said != "" && slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(said, name) })
	})
}

// verdict is what the findings were worth, in the order of the findings and the labels.
type verdict struct {
	// found are the findings about each incident by a rule that should tell of it.
	found [][]schema.Finding
	// right are the findings about any incident.
	right map[schema.UID]bool
	// alerts and wrong count the alerts, and those that are about no incident at all.
	alerts, wrong int
	// wrongOnes are the latter.
	wrongOnes []schema.Alert
}

func judgeFindings(findings []schema.Finding, labels []simulate.Label) verdict {
	findings = slices.DeleteFunc(slices.Clone(findings), func(f schema.Finding) bool { return !loud(f) })
	v := verdict{found: make([][]schema.Finding, len(labels)), right: map[schema.UID]bool{}}
	for i, l := range labels {
		for _, f := range findings {
			if !about(f, l) {
				continue
			}
			v.right[f.UID] = true
			if slices.Contains(l.Rules, f.Rule) {
				v.found[i] = append(v.found[i], f)
			}
		}
	}
	for _, a := range alerting.Group(nil, findings) {
		v.alerts++
		if !slices.ContainsFunc(a.FindingUIDs, func(uid schema.UID) bool { return v.right[uid] }) {
			v.wrong++
			v.wrongOnes = append(v.wrongOnes, a)
		}
	}
	return v
}
