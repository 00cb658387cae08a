package alerting

import (
	"strconv"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// transitionsOf says what a new version of an alert means: what opened, joined, rose,
// woke, doubled or went on elsewhere by itself. Their uids follow from the version, so that
// after a crash the same version writes the same rows.
func transitionsOf(a schema.Alert, before savedAlert, joined []schema.Finding, rises []rise, now time.Time) []schema.AlertTransition {
	base := schema.AlertTransition{
		Alert: a.UID, At: now, Version: a.Version, From: before.Status, To: a.Status,
		FromSeverity: before.Severity, ToSeverity: a.Severity, Via: schema.ViaItself,
	}
	var list []schema.AlertTransition
	add := func(action schema.AlertAction, fill func(*schema.AlertTransition)) {
		t := base
		t.Action = action
		t.UID = schema.HashUID("transition", a.UID.String(), strconv.FormatUint(a.Version, 10), string(action))
		if fill != nil {
			fill(&t)
		}
		list = append(list, t)
	}
	uids := func(t *schema.AlertTransition) {
		for _, f := range joined {
			t.Findings = append(t.Findings, f.UID)
		}
	}
	note := func(t *schema.AlertTransition) { t.Note = a.StatusNote }
	switch {
	case before.Version == 0:
		add(schema.ActionOpen, uids)
		return list
	case a.Status == schema.AlertMerged && before.Status != schema.AlertMerged:
		add(schema.ActionMerge, func(t *schema.AlertTransition) { t.Note = "goes on in alert " + a.MergedInto.String() })
		return list
	}
	if len(joined) > 0 {
		add(schema.ActionJoin, uids)
	}
	if a.Severity > before.Severity {
		add(schema.ActionRaise, nil)
	}
	if len(rises) > 0 {
		add(schema.ActionAbovePeak, func(t *schema.AlertTransition) {
			t.Note = sayRises(rises)
			for _, r := range rises {
				t.Findings = append(t.Findings, r.finding.UID)
			}
		})
	}
	switch {
	case before.Status == schema.AlertSnoozed && a.Status != schema.AlertSnoozed:
		add(schema.ActionWake, note)
	case before.Status.Closed() && !a.Status.Closed():
		add(schema.ActionReopen, note)
	case !before.Status.Closed() && a.Status == schema.AlertResolved:
		add(schema.ActionAutoResolve, note)
	}
	return list
}

// requested is the transition that a request makes, or that was refused.
func requested(r schema.AlertRequest, before, after schema.Alert, now time.Time, refused string) schema.AlertTransition {
	t := schema.AlertTransition{
		UID: r.UID, Alert: before.UID, At: now, Action: r.Action, From: before.Status, To: after.Status,
		FromSeverity: before.Severity, ToSeverity: after.Severity,
		Actor: r.Actor, Via: r.Via, Note: r.Note, Until: r.Until, Refused: refused,
	}
	if refused == "" {
		t.Version = after.Version
	}
	return t
}
