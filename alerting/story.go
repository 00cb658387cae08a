package alerting

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// StoryGap is the longest quiet time inside one story. Reconnaissance with days
// between its steps is normal, so it is a week.
const StoryGap = 7 * 24 * time.Hour

// Attributes by which a finding can say how it belongs to a story.
const (
	// AttributeStoryEntity is the uid of the user or integration whose story the
	// finding joins, instead of its own entity's: a password spray's network
	// belongs to the user whom it let in.
	AttributeStoryEntity = "story_entity_uid"
	// AttributeStoryPhrase is the finding's word in the alert's title, such as
	// "bulk export"; without it the phrase comes from the rule's id.
	AttributeStoryPhrase = "story_phrase"
)

// storyKey is whom a story is about. Users and integrations share one space of
// uids, because an integration is known by its run-as user.
type storyKey struct{ tenant, kind, entity string }

func keyOf(f schema.Finding) storyKey {
	if uid := f.Attributes[AttributeStoryEntity]; uid != "" {
		return storyKey{f.TenantUID, identityKind, uid}
	}
	return makeKey(f.TenantUID, f.EntityType, f.EntityUID, f.Entity)
}

func keyOfAlert(a schema.Alert) storyKey {
	return makeKey(a.TenantUID, a.EntityType, a.EntityUID, a.Entity)
}

const identityKind = "identity"

func makeKey(tenant, entityType, uid, name string) storyKey {
	if entityType == "user" || entityType == "integration" {
		entityType = identityKind
	}
	return storyKey{tenant, entityType, cmp.Or(uid, name)}
}

// Group joins findings to stories: findings about one entity of one tenant whose
// times of first and last event lie at most StoryGap apart are one alert. It
// returns the existing alerts, changed where findings joined them or came with
// newer content, and the new ones; most severe first, then the earliest.
//
// The result does not depend on the order of findings. An alert keeps its uid
// whatever joins it; a new one's uid follows from tenant, entity and first
// finding. A late finding may close the gap between two existing alerts: the
// earlier one takes over and the other is returned as AlertMerged.
//
// Group reads no clock: Version, UpdatedAt and SeenAfter of existing alerts are
// passed through, those of new ones are zero.
func Group(existing []schema.Alert, findings []schema.Finding) []schema.Alert {
	byKey := map[storyKey][]*story{}
	owner := map[schema.UID]*story{}
	for _, a := range existing {
		s := newStory(a)
		key := keyOfAlert(a)
		byKey[key] = append(byKey[key], s)
		for _, uid := range a.FindingUIDs {
			owner[uid] = s
		}
	}
	loose := map[storyKey][]*story{}
	for _, f := range newest(findings) {
		if s := owner[f.UID]; s != nil {
			s.put(f)
			continue
		}
		key := keyOf(f)
		s := &story{findings: map[schema.UID]schema.Finding{f.UID: f}}
		s.span()
		loose[key] = append(loose[key], s)
	}
	var alerts []schema.Alert
	for key, stories := range byKey {
		alerts = append(alerts, join(key, append(stories, loose[key]...))...)
		delete(loose, key)
	}
	for key, stories := range loose {
		alerts = append(alerts, join(key, stories)...)
	}
	slices.SortFunc(alerts, func(a, b schema.Alert) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), a.FirstSeen.Compare(b.FirstSeen), bytes.Compare(a.UID[:], b.UID[:]))
	})
	return alerts
}

// newest keeps one finding a uid: the one that was detected last.
func newest(findings []schema.Finding) map[schema.UID]schema.Finding {
	unique := make(map[schema.UID]schema.Finding, len(findings))
	for _, f := range findings {
		if known, seen := unique[f.UID]; seen && known.DetectedAt.After(f.DetectedAt) {
			continue
		}
		unique[f.UID] = f
	}
	return unique
}

// story is an alert in the making, or a finding that has not met one.
type story struct {
	alert       schema.Alert
	isAlert     bool
	changed     bool
	findings    map[schema.UID]schema.Finding
	first, last time.Time
}

func newStory(a schema.Alert) *story {
	s := &story{alert: a, isAlert: true, findings: make(map[schema.UID]schema.Finding, len(a.Findings))}
	for _, f := range a.Findings {
		s.findings[f.UID] = f
	}
	s.span()
	return s
}

func (s *story) put(f schema.Finding) {
	s.findings[f.UID] = f
	s.changed = true
	s.span()
}

// span covers the findings, and what the alert already covered: findings may
// have been removed from the database since.
func (s *story) span() {
	s.first, s.last = s.alert.FirstSeen, s.alert.LastSeen
	for _, f := range s.findings {
		first, last := seen(f)
		if s.first.IsZero() || first.Before(s.first) {
			s.first = first
		}
		if last.After(s.last) {
			s.last = last
		}
	}
}

// seen is when a finding's events happened: its window where they are not known.
func seen(f schema.Finding) (first, last time.Time) {
	first, last = f.FirstSeen, f.LastSeen
	if first.IsZero() {
		first = f.WindowFrom
	}
	if last.Before(first) {
		last = first
	}
	return first, last
}

// join sweeps over the stories of one entity in time and makes one alert of
// those between which no gap is longer than StoryGap.
func join(key storyKey, stories []*story) []schema.Alert {
	slices.SortFunc(stories, func(a, b *story) int { return a.first.Compare(b.first) })
	var alerts []schema.Alert
	for len(stories) > 0 {
		n, end := 1, stories[0].last
		for n < len(stories) && stories[n].first.Sub(end) <= StoryGap {
			if stories[n].last.After(end) {
				end = stories[n].last
			}
			n++
		}
		alerts = append(alerts, tell(key, stories[:n])...)
		stories = stories[n:]
	}
	return alerts
}

// tell makes one alert of a cluster, and closes the other alerts in it.
func tell(key storyKey, cluster []*story) []schema.Alert {
	var keeper *story
	for _, s := range cluster {
		if s.isAlert && (keeper == nil || older(s.alert, keeper.alert)) {
			keeper = s
		}
	}
	if keeper != nil && len(cluster) == 1 && !keeper.changed {
		return []schema.Alert{keeper.alert}
	}
	fresh := keeper == nil
	if fresh {
		keeper = cluster[0]
	}
	var merged []schema.Alert
	for _, s := range cluster {
		if s == keeper {
			continue
		}
		for uid, f := range s.findings {
			keeper.findings[uid] = f
		}
		if s.isAlert {
			keeper.alert.Severity = max(keeper.alert.Severity, s.alert.Severity)
			keeper.alert.FindingUIDs = append(slices.Clip(keeper.alert.FindingUIDs), s.alert.FindingUIDs...)
			keeper.alert.FirstSeen = earlier(keeper.alert.FirstSeen, s.alert.FirstSeen)
			if s.alert.LastSeen.After(keeper.alert.LastSeen) {
				keeper.alert.LastSeen = s.alert.LastSeen
			}
			keeper.alert.Peaks = highest(keeper.alert.Peaks, s.alert.Peaks)
			merged = append(merged, s.alert)
		}
	}
	keeper.span()
	alert := describe(key, keeper)
	if fresh {
		alert.UID = schema.HashUID("alert", key.tenant, key.kind, key.entity, alert.FindingUIDs[0].String())
	}
	for i := range merged {
		merged[i].Status = schema.AlertMerged
		merged[i].MergedInto = alert.UID
	}
	return append(merged, alert)
}

func older(a, b schema.Alert) bool {
	return cmp.Or(a.FirstSeen.Compare(b.FirstSeen), bytes.Compare(a.UID[:], b.UID[:])) < 0
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
