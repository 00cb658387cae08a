package alerting

import (
	"fmt"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// maxSnooze is the longest snooze: what may sleep longer is resolved, or a false positive.
const maxSnooze = 30 * 24 * time.Hour

// change applies what a person asks to an alert. A refusal says in one sentence what
// to do instead; the alert is then as it was.
func change(a schema.Alert, r schema.AlertRequest, now time.Time) (changed schema.Alert, refused string) {
	if refused = refusal(a, r, now); refused != "" {
		return a, refused
	}
	before := a.Status
	a.StatusBy, a.StatusAt, a.StatusNote, a.Request = r.Actor, now, r.Note, r.UID
	a.SnoozedUntil = time.Time{}
	switch r.Action {
	case schema.ActionAcknowledge:
		a.Status = schema.AlertAcknowledged
	case schema.ActionSnooze:
		a.Status, a.SnoozedUntil = schema.AlertSnoozed, r.Until
		// A snooze that is made longer still goes back to what was before the first.
		if before != schema.AlertSnoozed {
			a.StatusBefore = before
		}
		return a, ""
	case schema.ActionResolve:
		a.Status = schema.AlertResolved
	case schema.ActionFalsePositive:
		a.Status = schema.AlertFalsePositive
	case schema.ActionReopen:
		a.Status = schema.AlertOpen
	}
	a.StatusBefore = ""
	return a, ""
}

func refusal(a schema.Alert, r schema.AlertRequest, now time.Time) string {
	switch {
	case a.Status == schema.AlertMerged:
		return fmt.Sprintf("the alert goes on in alert %s", a.MergedInto)
	case r.Action == schema.ActionReopen && !a.Status.Closed():
		return fmt.Sprintf("the alert is %s, not closed", a.Status)
	case r.Action == schema.ActionReopen:
		return ""
	case a.Status == schema.AlertResolved && r.Action == schema.ActionFalsePositive:
		// What was resolved may turn out to have been nothing.
		return ""
	case a.Status.Closed():
		return fmt.Sprintf("the alert is closed as %s%s: reopen it first", a.Status, by(a))
	case r.Action == schema.ActionAcknowledge && a.Status == schema.AlertAcknowledged && a.StatusBy == r.Actor:
		return "you have acknowledged it already"
	case r.Action == schema.ActionSnooze && !r.Until.After(now):
		return "a snooze must end in the future"
	case r.Action == schema.ActionSnooze && r.Until.After(now.Add(maxSnooze)):
		return fmt.Sprintf("a snooze may last %s at most: resolve the alert instead", sayLong(maxSnooze))
	}
	switch r.Action {
	case schema.ActionAcknowledge, schema.ActionSnooze, schema.ActionResolve, schema.ActionFalsePositive:
		return ""
	}
	return fmt.Sprintf("%q is nothing that can be done with an alert", r.Action)
}

// by names who gave an alert its status.
func by(a schema.Alert) string {
	if a.StatusBy == "" {
		return ""
	}
	return " (by " + a.StatusBy + ")"
}

// grown moves an alert on by what its findings have become. What is closed opens again
// for a finding that nobody has seen, and what sleeps wakes when it gets worse; so do
// both when an episode rises above the peak of which people were told. A false positive
// stays closed while all is of the kind that was judged to be nothing, however much it is.
func grown(a schema.Alert, before savedAlert, joined []schema.Finding, risen bool, now time.Time) schema.Alert {
	if len(joined) > 0 {
		a.JoinedAt = now
	}
	worse := a.Severity > before.Severity
	switch a.Status {
	case schema.AlertSnoozed:
		if worse {
			return awake(a, now, "its severity has risen")
		}
		if risen {
			return awake(a, now, "it has risen above its peak")
		}
	case schema.AlertResolved:
		if len(joined) > 0 || worse || risen {
			return reopened(a, now, "more was found")
		}
	case schema.AlertFalsePositive:
		if worse || newKind(a, joined) {
			return reopened(a, now, "something of another kind was found")
		}
	}
	return a
}

// newKind says whether joined holds a finding of a rule that the alert did not have.
func newKind(a schema.Alert, joined []schema.Finding) bool {
	isNew := make(map[schema.UID]bool, len(joined))
	for _, f := range joined {
		isNew[f.UID] = true
	}
	known := map[string]bool{}
	for _, f := range a.Findings {
		if !isNew[f.UID] {
			known[f.Rule] = true
		}
	}
	for _, f := range joined {
		if !known[f.Rule] {
			return true
		}
	}
	return false
}

func reopened(a schema.Alert, now time.Time, note string) schema.Alert {
	return set(a, schema.AlertOpen, now, note)
}

// awake ends a snooze.
func awake(a schema.Alert, now time.Time, note string) schema.Alert {
	before := a.StatusBefore
	if before == "" {
		before = schema.AlertOpen
	}
	return set(a, before, now, note)
}

// set gives an alert a status without anybody having asked for it.
func set(a schema.Alert, status schema.AlertStatus, now time.Time, note string) schema.Alert {
	a.Status, a.StatusBy, a.StatusAt, a.StatusNote = status, "", now, note
	a.SnoozedUntil, a.StatusBefore = time.Time{}, ""
	return a
}
