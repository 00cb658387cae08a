package detectors

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

const (
	// togetherFrom is how many entities of one product make one finding when they leave
	// their baselines in the same bucket: what moves many is one event.
	togetherFrom = 5
	// topContributors is how many of them that finding names.
	topContributors = 5
)

// together puts the findings of a spike rule that begin in the same bucket at one product
// into one, with those that stand out most named first. What an exception covers stays by
// itself.
func together(rule Rule, findings []schema.Finding) []schema.Finding {
	type event struct {
		tenant, product string
		at              time.Time
	}
	events := map[event][]schema.Finding{}
	eventOf := func(f schema.Finding) (event, bool) {
		_, noted := f.Attributes[ExceptionAttribute]
		return event{f.TenantUID, f.Product, f.WindowFrom}, f.Suppressed == "" && !noted
	}
	for _, f := range findings {
		if e, free := eventOf(f); free {
			events[e] = append(events[e], f)
		}
	}
	var kept []schema.Finding
	for _, f := range findings {
		e, free := eventOf(f)
		parts := events[e]
		switch {
		case !free || len(parts) < togetherFrom:
			kept = append(kept, f)
		case parts[0].UID == f.UID:
			kept = append(kept, parent(rule, slices.Clone(parts)))
		}
	}
	sortFindings(kept)
	return kept
}

// parent is the one finding of what several entities did at once.
func parent(rule Rule, parts []schema.Finding) schema.Finding {
	score := func(f schema.Finding) float64 {
		x, _ := strconv.ParseFloat(f.Attributes["score"], 64)
		return x
	}
	slices.SortFunc(parts, func(a, b schema.Finding) int {
		return cmp.Or(cmp.Compare(score(b), score(a)), cmp.Compare(a.EntityUID, b.EntityUID))
	})
	f := parts[0]
	f.EntityType, f.EntityUID, f.Entity = "source", f.Product+" of "+f.TenantUID, f.Product
	f.Title = rule.Title + ", many at once"
	f.Count, f.Evidence = 0, nil
	var top []string
	fresh := 0
	for i, part := range parts {
		f.Severity = max(f.Severity, part.Severity)
		f.Count += part.Count
		if part.LastSeen.After(f.LastSeen) {
			f.LastSeen, f.WindowTo = part.LastSeen, part.WindowTo
		}
		if part.Attributes["new_entity"] != "" {
			fresh++
		}
		if i < topContributors {
			f.Evidence = append(f.Evidence, part.Evidence[:min(len(part.Evidence), maxEvidence/topContributors)]...)
			top = append(top, fmt.Sprintf("%s %s (largest %s before %s)", part.Entity, withSeparators(part.Attributes["value"]), sayBucket(rule.Bucket), withSeparators(part.Attributes["peak_before"])))
		}
	}
	f.UID = findingUID(f, f.WindowFrom)
	f.Attributes = map[string]string{"entities": strconv.Itoa(len(parts)), "new_entities": strconv.Itoa(fresh), "metric": string(rule.Metric), "contributors": strings.Join(top, "; "),
		"peak": strconv.Itoa(len(parts)), "peak_unit": "entities"}
	more := ""
	if len(parts) > topContributors {
		more = fmt.Sprintf("; and %d more", len(parts)-topContributors)
	}
	f.Message = fmt.Sprintf("%d entities of %s left what is usual for each in the %s of %s, in %s: %s%s.", len(parts), f.Product, sayBucket(rule.Bucket),
		sayTime(f.WindowFrom), rule.Metric, strings.Join(top, "; "), more)
	f.EvidenceSQL = evidenceSQL(f)
	return f
}
