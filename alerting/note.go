package alerting

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/crmwatch/crmwatch/schema"
)

// IsNote says whether an alert is no more than a note: all of it is informational.
// Notes are kept and listed; nobody is told about them unless they ask for it.
func IsNote(a schema.Alert) bool { return a.Severity == schema.SeverityInformational }

// SplitNotes parts the alerts that somebody should look at from the notes.
func SplitNotes(all []schema.Alert) (alerts, notes []schema.Alert) {
	for _, a := range all {
		if IsNote(a) {
			notes = append(notes, a)
		} else {
			alerts = append(alerts, a)
		}
	}
	return alerts, notes
}

const (
	// shortUID is how much of an alert's uid is enough to show it.
	shortUID = 8
	// leastNote is how much of a note's text is shown, however narrow the terminal is.
	leastNote = 80
)

// WriteNotes writes notes as one line a step: the beginning of the alert's uid, when,
// which rule, and who did what. It is made harmless as WriteText makes it.
func WriteNotes(w io.Writer, notes []schema.Alert, style Style) error {
	if len(notes) == 0 {
		return nil
	}
	out := newConsole(w, style)
	type line struct{ uid, when, rule, text, more string }
	var lines []line
	longest := 0
	for _, a := range notes {
		for _, s := range timeline(a) {
			rule := ruleName(s.rule)
			longest = max(longest, utf8.RuneCountInString(rule))
			lines = append(lines, line{a.UID.String()[:shortUID], s.first.UTC().Format(listTime), rule, noteText(a, s), noteMore(s)})
		}
	}
	out.line(sayCount(uint64(len(lines)), "note") + " (informational; times in UTC):")
	for _, l := range lines {
		head := "  " + l.uid + "  " + l.when + "  " + l.rule + strings.Repeat(" ", longest-utf8.RuneCountInString(l.rule)) + "  "
		room := max(style.lineWidth()-utf8.RuneCountInString(head), leastNote) - utf8.RuneCountInString(l.more)
		out.line(head + shown(l.text, room) + l.more)
	}
	if err := out.w.Flush(); err != nil {
		return fmt.Errorf("write notes: %w", err)
	}
	return nil
}

// noteText says who did what.
func noteText(a schema.Alert, s step) string {
	text := s.message
	if text == "" {
		text = s.title
	}
	if a.Entity != "" && !strings.Contains(text, a.Entity) {
		text = a.Entity + ": " + text
	}
	return text
}

// noteMore says that the step is made of several findings, of which one is told.
func noteMore(s step) string {
	if s.findings == 1 {
		return ""
	}
	return fmt.Sprintf(" (%d more until %s)", s.findings-1, s.last.UTC().Format(listTime))
}
