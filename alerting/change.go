package alerting

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// changeOf says what has happened to an alert after one of its versions, up to another.
// Its text is empty where nothing is worth telling.
func (d *Desk) changeOf(ctx context.Context, a schema.Alert, after, upTo uint64) (Change, error) {
	list, err := transitionsAfter(ctx, d.store, a.UID, after, upTo)
	if err != nil {
		return Change{}, err
	}
	c := Change{Alert: a.UID, Version: upTo, Title: strings.ToUpper(a.Severity.String()) + "  " + shown(a.Title, maxTitle)}
	var lines []string
	for _, t := range list {
		if line := tellTransition(t); line != "" {
			lines = append(lines, line)
		}
		c.Broadcast = c.Broadcast || t.Action == schema.ActionRaise || t.Action == schema.ActionAbovePeak
	}
	if !a.Status.Closed() && a.Status != schema.AlertSnoozed {
		lines = append(lines, newSteps(a, list)...)
	}
	c.Text = strings.Join(lines, "\n")
	return c, nil
}

// tellTransition is a transition in one line; what joined is told by newSteps.
func tellTransition(t schema.AlertTransition) string {
	who := ""
	if t.Actor != "" {
		who = " by " + shown(t.Actor, maxName)
	}
	note := ""
	if t.Note != "" {
		note = ": " + shown(t.Note, maxNote)
	}
	switch t.Action {
	case schema.ActionAcknowledge:
		return "Acknowledged" + who + note
	case schema.ActionSnooze:
		return "Snoozed until " + sayWhen(t.Until) + " UTC" + who + note
	case schema.ActionResolve:
		return "Resolved" + who + note
	case schema.ActionFalsePositive:
		return "Called a false positive" + who + note
	case schema.ActionReopen:
		return "Opened again" + who + note
	case schema.ActionWake:
		return "Awake again" + note
	case schema.ActionAutoResolve:
		return "Resolved by itself" + note
	case schema.ActionMerge:
		return "Part of an earlier alert" + note
	case schema.ActionRaise:
		return fmt.Sprintf("Severity is now %s, it was %s", t.ToSeverity, t.FromSeverity)
	case schema.ActionAbovePeak:
		return "Above its peak" + note
	}
	return ""
}

const (
	// maxNote is how much of what a person wrote is shown, in characters.
	maxNote = 300
	// maxNewSteps is how many new steps a reply names.
	maxNewSteps = 5
)

// newSteps tells the findings that joined and are of rules that the alert did not have:
// another window of the same rule is seen in the message, and is no news.
func newSteps(a schema.Alert, list []schema.AlertTransition) []string {
	joined := map[schema.UID]bool{}
	for _, t := range list {
		if t.Action == schema.ActionJoin {
			for _, uid := range t.Findings {
				joined[uid] = true
			}
		}
	}
	known := map[string]bool{}
	for _, f := range a.Findings {
		if !joined[f.UID] {
			known[f.Rule] = true
		}
	}
	var lines []string
	more := 0
	for _, s := range timeline(a) {
		if known[s.rule] || !slices.ContainsFunc(a.Findings, func(f schema.Finding) bool { return f.Rule == s.rule && joined[f.UID] }) {
			continue
		}
		known[s.rule] = true
		if len(lines) == maxNewSteps {
			more++
			continue
		}
		text := "New step: " + sayWhen(s.first) + "  " + s.title
		if s.message != "" {
			text += "\n" + shown(s.message, maxNote)
		}
		lines = append(lines, text)
	}
	if more > 0 {
		lines = append(lines, "… "+sayCount(uint64(more), "more step"))
	}
	return lines
}
