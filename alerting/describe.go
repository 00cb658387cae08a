package alerting

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/crmwatch/crmwatch/schema"
)

// describe fills in all that follows from the findings.
func describe(key storyKey, s *story) schema.Alert {
	a := s.alert
	if a.Status == "" {
		a.Status = schema.AlertOpen
	}
	a.TenantUID, a.FirstSeen, a.LastSeen = key.tenant, s.first, s.last
	a.Findings = make([]schema.Finding, 0, len(s.findings))
	for _, f := range s.findings {
		a.Findings = append(a.Findings, f)
	}
	slices.SortFunc(a.Findings, inOrder)
	a.FindingUIDs = allUIDs(a.Findings, a.FindingUIDs)
	nameEntity(&a, key)
	a.Attack = attackOf(a.Findings)
	a.Severity = max(a.Severity, severityOf(a.Findings))
	a.Title = titleOf(a)
	return a
}

func inOrder(a, b schema.Finding) int {
	firstA, lastA := seen(a)
	firstB, lastB := seen(b)
	return cmp.Or(firstA.Compare(firstB), lastA.Compare(lastB), cmp.Compare(a.Rule, b.Rule), bytes.Compare(a.UID[:], b.UID[:]))
}

// allUIDs lists the loaded findings in order, then those that are known by uid only.
func allUIDs(findings []schema.Finding, known []schema.UID) []schema.UID {
	uids := make([]schema.UID, 0, max(len(findings), len(known)))
	loaded := make(map[schema.UID]bool, len(findings))
	for _, f := range findings {
		uids = append(uids, f.UID)
		loaded[f.UID] = true
	}
	for _, uid := range known {
		if !loaded[uid] {
			loaded[uid] = true
			uids = append(uids, uid)
		}
	}
	return uids
}

// nameEntity picks the best name and type that the findings about the story's
// own entity give: a name beats a bare uid, "integration" beats "user".
func nameEntity(a *schema.Alert, key storyKey) {
	a.EntityUID = key.entity
	for _, f := range a.Findings {
		if makeKey(f.TenantUID, f.EntityType, f.EntityUID, f.Entity) != key {
			continue
		}
		if a.EntityType == "" || f.EntityType == "integration" {
			a.EntityType = f.EntityType
		}
		if f.Entity != "" && (a.Entity == "" || a.Entity == a.EntityUID) {
			a.Entity = f.Entity
		}
	}
	if a.EntityType == "" && key.kind == identityKind {
		a.EntityType = "user"
	}
	a.Entity = cmp.Or(a.Entity, key.entity)
}

func attackOf(findings []schema.Finding) []string {
	var ids []string
	for _, f := range findings {
		for _, id := range f.Attack {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// chainRules is how many different rules have to agree before their findings are
// a chain of attack and weigh more than each alone. What is only worth noting agrees
// with everything, and so counts for nothing.
const chainRules = 3

// severityOf is the highest severity of the findings, one step higher when the
// findings of chainRules rules tell a chain.
func severityOf(findings []schema.Finding) schema.Severity {
	rules := map[string]bool{}
	var severity schema.Severity
	for _, f := range findings {
		severity = max(severity, f.Severity)
		if f.Severity > schema.SeverityInformational {
			rules[f.Rule] = true
		}
	}
	if len(rules) >= chainRules && severity > schema.SeverityUnknown {
		severity = min(severity+1, schema.SeverityCritical)
	}
	return severity
}
