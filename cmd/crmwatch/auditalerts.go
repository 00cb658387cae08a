package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/alerting/interaction"
	"github.com/crmwatch/crmwatch/alerting/route"
	"github.com/crmwatch/crmwatch/compliance/audit"
	"github.com/crmwatch/crmwatch/schema"
)

// recordRequest records what a person asked to be done with an alert, and what became of
// it. The record has the request's identity and time, so that it is one however often it
// is told.
func recordRequest(store schema.Store) func(context.Context, schema.AlertRequest, schema.AlertTransition, schema.Alert) error {
	return func(ctx context.Context, r schema.AlertRequest, t schema.AlertTransition, a schema.Alert) error {
		return audit.Write(ctx, store, requestRecord(r, t, a))
	}
}

// pastWords say what was done with an alert.
var pastWords = map[schema.AlertAction]string{
	schema.ActionAcknowledge: "has acknowledged", schema.ActionSnooze: "has snoozed", schema.ActionResolve: "has resolved",
	schema.ActionFalsePositive: "has called a false positive", schema.ActionReopen: "has reopened",
}

func requestRecord(r schema.AlertRequest, t schema.AlertTransition, a schema.Alert) audit.Record {
	record := audit.Record{
		UID: r.UID, At: r.At, Tenant: a.TenantUID, Actor: r.Actor, Via: r.Via, Action: "alert." + string(r.Action), ObjectType: "alert", Object: r.Alert.String(),
		Failed: t.Refused != "",
		Attributes: map[string]string{
			"title": a.Title, "entity": a.Entity, "severity": a.Severity.String(), "note": r.Note, "status_detail": t.Refused,
		},
	}
	if a.Title == "" {
		delete(record.Attributes, "severity")
	}
	if !r.Until.IsZero() {
		record.Attributes["until"] = r.Until.UTC().Format(time.RFC3339)
	}
	what := fmt.Sprintf("the alert %s", shorten(r.Alert.String(), 9))
	if a.Title != "" {
		what = fmt.Sprintf("the alert %q", a.Title)
	}
	if record.Failed {
		record.Detail = fmt.Sprintf("%s was refused to %s %s: %s.", r.Actor, strings.ReplaceAll(string(r.Action), "_", " "), what, t.Refused)
	} else {
		record.Attributes["from_status"], record.Attributes["to_status"] = string(t.From), string(t.To)
		record.Detail = fmt.Sprintf("%s %s %s.", r.Actor, pastWords[r.Action], what)
	}
	return record
}

// lookRecord is that somebody looked in Slack, or was not let.
func lookRecord(l interaction.Look) audit.Record {
	r := audit.Record{
		At: l.At, Actor: l.Actor, Via: audit.ViaSlack, Action: "command.run", ObjectType: "command", Object: "/crmwatch " + l.What, Failed: l.Refused != "",
		Attributes: map[string]string{"arguments": l.Of, "status_detail": l.Refused},
		Detail:     fmt.Sprintf("%s has looked at %s %s in Slack.", l.Actor, l.What, l.Of),
	}
	if l.What == "evidence" {
		r.Action, r.ObjectType, r.Object = "alert.show", "alert", l.Of
		r.Attributes["arguments"] = l.What
	}
	if r.Failed {
		r.Action = "command.refuse"
		r.Detail = fmt.Sprintf("%s was refused /crmwatch %s %s: %s.", l.Actor, l.What, l.Of, l.Refused)
	}
	return r
}

// silencesSince is how far back silences are looked at that nobody may have recorded.
const silencesSince = 31 * 24 * time.Hour

// recordSilences records the silences that were added, ended by somebody or came to their
// end, as far as that is not recorded yet. known holds what is, from one call to the next,
// and may be nil.
func recordSilences(ctx context.Context, store schema.Store, now time.Time, known map[schema.UID]bool) error {
	silences, err := alerting.Silences(ctx, store, now, true)
	if err != nil {
		return err
	}
	var records []audit.Record
	for _, s := range silences {
		if s.EndsAt.Before(now.Add(-silencesSince)) {
			continue
		}
		records = append(records, silenceAdded(s))
		if !s.EndsAt.After(now) {
			records = append(records, silenceEnded(s))
		}
	}
	records = slices.DeleteFunc(records, func(r audit.Record) bool { return known[r.UID] })
	if _, err = audit.WriteMissing(ctx, store, records...); err != nil {
		return err
	}
	if known != nil {
		for _, r := range records {
			known[r.UID] = true
		}
	}
	return nil
}

func silenceAdded(s route.Silence) audit.Record {
	hours := s.EndsAt.Sub(s.StartsAt).Hours()
	return audit.Record{
		UID: schema.HashUID("silence.add", s.UID.String()), At: s.CreatedAt, Actor: s.Author, Via: viaOf(s.Author),
		Action: "silence.add", ObjectType: "silence", Object: s.UID.String(),
		Attributes: map[string]string{
			"match": s.Match.String(), "up_to": s.UpTo.String(), "starts_at": s.StartsAt.UTC().Format(time.RFC3339), "ends_at": s.EndsAt.UTC().Format(time.RFC3339),
			"hours": strconv.FormatFloat(hours, 'f', 1, 64), "conditions": strconv.Itoa(len(s.Match.Strings())), "reason": s.Reason,
		},
		Detail: fmt.Sprintf("%s has muted %s, up to %s, from %s to %s UTC: %s", s.Author, s.Match, s.UpTo, s.StartsAt.UTC().Format(minuteTime), s.EndsAt.UTC().Format(minuteTime), s.Reason),
	}
}

func silenceEnded(s route.Silence) audit.Record {
	r := audit.Record{
		UID: schema.HashUID("silence.expire", s.UID.String()), At: s.EndsAt, Actor: s.EndedBy, Via: viaOf(s.EndedBy), Action: "silence.expire", ObjectType: "silence", Object: s.UID.String(),
		Attributes: map[string]string{"match": s.Match.String(), "added_by": s.Author},
		Detail:     fmt.Sprintf("%s has ended the silence of %s before its time.", s.EndedBy, s.Match),
	}
	if s.EndedBy == "" {
		r.Actor, r.Via = "", audit.ViaItself
		r.Detail = fmt.Sprintf("The silence of %s by %s has come to its end.", s.Match, s.Author)
	}
	return r
}

// viaOf tells by the form of a name how somebody came: those of Slack have its id.
func viaOf(actor string) string {
	if strings.HasSuffix(actor, ")") && strings.Contains(actor, " (") {
		return audit.ViaSlack
	}
	return audit.ViaCLI
}
