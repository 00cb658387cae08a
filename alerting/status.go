package alerting

import (
	"fmt"
	"io"

	"github.com/crmwatch/crmwatch/schema"
)

// sayStatus is an alert's status with who gave it, when and why: "snoozed until
// 2026-03-02 14:00 UTC, by Mira, 2026-03-02 10:00:00 UTC: known migration". It is
// harmless on one line.
func sayStatus(a schema.Alert) string {
	text := a.Status.String()
	if a.Status == schema.AlertMerged {
		return "merged into alert " + a.MergedInto.String()
	}
	if a.Status == schema.AlertSnoozed {
		text += " until " + sayWhen(a.SnoozedUntil) + " UTC"
	}
	if a.StatusBy != "" {
		text += ", by " + shown(a.StatusBy, maxName)
	}
	if !a.StatusAt.IsZero() {
		text += ", " + sayWhen(a.StatusAt) + " UTC"
	}
	if a.StatusNote != "" {
		text += ": " + shown(a.StatusNote, maxNote)
	}
	return text
}

// WriteHistory writes what has happened to an alert, one line a transition, made
// harmless for a terminal.
func WriteHistory(w io.Writer, list []schema.AlertTransition, style Style) error {
	out := newConsole(w, style)
	out.heading("History (UTC)")
	for _, t := range list {
		out.wrapped("  "+sayWhen(t.At)+"  ", historyLine(t))
	}
	if err := out.w.Flush(); err != nil {
		return fmt.Errorf("write history of alert: %w", err)
	}
	return nil
}

func historyLine(t schema.AlertTransition) string {
	if t.Refused != "" {
		return fmt.Sprintf("Refused: %s by %s: %s", t.Action, shown(t.Actor, maxName), shown(t.Refused, maxNote))
	}
	switch t.Action {
	case schema.ActionOpen:
		return fmt.Sprintf("Opened, %s, with %s", t.ToSeverity, sayCount(uint64(len(t.Findings)), "finding"))
	case schema.ActionJoin:
		return sayCount(uint64(len(t.Findings)), "finding") + " joined"
	}
	return tellTransition(t)
}
