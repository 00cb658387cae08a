package alerting

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/crmwatch/crmwatch/schema"
)

// Style says how stories are written for a terminal or a file.
type Style struct {
	// Color writes ANSI colours: the caller decides, by NO_COLOR and by whether
	// the output is a terminal.
	Color bool
	// Width is the width of the lines in characters; 0 means 100, less than 60 is 60.
	Width int
	// Runbook gives the next steps for a rule; nil leaves them out.
	Runbook func(rule string) []string
}

const (
	maxConsoleSteps   = 40
	maxConsoleQueries = 10
	maxConsoleDetails = 12
	// maxDetail is how much of one attribute is shown, in characters.
	maxDetail = 300
	// maxMessage is how much of a finding's message is shown, in characters.
	maxMessage = 2000
	// maxSQL is how much of a query is shown, in characters.
	maxSQL = 8000
)

// WriteText writes alerts as stories for a person: what happened in the order of
// time, to whom, how unusual it is, and what to do next. Log text in it is made
// harmless: nothing in it can move the cursor, hide or reorder what is read.
func WriteText(w io.Writer, alerts []schema.Alert, style Style) error {
	out := newConsole(w, style)
	for i, a := range alerts {
		if i > 0 {
			out.line("")
		}
		if a.Status == schema.AlertDigest {
			out.digest(a)
			continue
		}
		out.alert(a)
	}
	if err := out.w.Flush(); err != nil {
		return fmt.Errorf("write alerts: %w", err)
	}
	return nil
}

// console lays text out in lines of a given width. Write errors stay in the
// buffered writer until it is flushed.
type console struct {
	w     *bufio.Writer
	style Style
}

// lineWidth is the width of the lines, in characters.
func (s Style) lineWidth() int {
	if s.Width == 0 {
		return 100
	}
	return max(s.Width, 60)
}

func newConsole(w io.Writer, style Style) *console {
	style.Width = style.lineWidth()
	return &console{bufio.NewWriter(w), style}
}

const (
	labelWidth = 10
	timeWidth  = len(dayTime) + 2
)

func (c *console) alert(a schema.Alert) {
	steps := timeline(a)
	c.line(c.paint(severityColor[a.Severity], strings.ToUpper(a.Severity.String())) + "  " + c.paint(bold, shown(a.Title, maxTitle)))
	c.field("Who", who(a))
	c.field("When", saySpan(a.FirstSeen, a.LastSeen)+" UTC"+lasted(a))
	if a.SeenAfter > 0 {
		c.field("Seen", sayLong(a.SeenAfter)+" after the last event")
	}
	n, atLeast := events(steps)
	c.field("Evidence", sayFound(len(a.FindingUIDs), n, atLeast))
	if len(a.Attack) > 0 {
		c.field("ATT&CK", nameTechniques(a.Attack))
	}
	if text := controls(a); text != "" {
		c.field("Controls", text)
	}
	if a.Status != schema.AlertOpen || !a.StatusAt.IsZero() {
		c.field("Status", sayStatus(a))
	}
	if !a.RisenAt.IsZero() {
		c.field("Risen", "above its peak, "+sayWhen(a.RisenAt)+" UTC: "+shown(a.Risen, maxNote))
	}
	c.heading("What happened (UTC)")
	kept, gap, left := shorten(steps, maxConsoleSteps)
	for i, s := range kept {
		if i == gap {
			c.wrapped(strings.Repeat(" ", 2+timeWidth), fmt.Sprintf("… %s left out", sayCount(uint64(left), "step")))
		}
		c.step(s)
	}
	if lines := nextSteps(a, c.style.Runbook); len(lines) > 0 {
		c.heading("Next steps")
		for i, line := range lines {
			c.wrapped(fmt.Sprintf("  %2d. ", i+1), shown(line, maxMessage))
		}
	}
	c.queries(queries(steps))
	c.line("")
	c.field("Alert", a.UID.String())
}

func (c *console) step(s step) {
	severity := strings.ToUpper(s.severity.String())
	head := "  " + sayWhen(s.first) + "  "
	c.line(head + c.paint(bold, s.title) + "  " + c.paint(severityColor[s.severity], severity))
	indent := strings.Repeat(" ", 2+timeWidth)
	if s.message != "" {
		c.wrapped(indent, shown(s.message, maxMessage))
	}
	if s.sparkline != "" {
		c.wrapped(indent, s.sparkline)
	}
	c.wrapped(indent, stepFacts(s))
	if text := sayDetails(s.details); text != "" {
		c.wrapped(indent, text)
	}
}

// sayDetails joins attributes, each cut, into one paragraph.
func sayDetails(details []string) string {
	var texts []string
	for i, d := range details {
		if i == maxConsoleDetails {
			texts = append(texts, fmt.Sprintf("… %d more", len(details)-i))
			break
		}
		texts = append(texts, shown(d, maxDetail))
	}
	return strings.Join(texts, " · ")
}

// stepFacts is the small print of a step: until when, how much, which rule.
func stepFacts(s step) string {
	var facts []string
	// What stopped has no events, and of some metrics nobody knows how many there were.
	if s.events > 0 {
		facts = append(facts, sayEvents(s.events, s.atLeast))
	}
	if s.last.Sub(s.first) >= 1e9 {
		facts = append(facts, "until "+sayUntil(s))
	}
	if s.findings > 1 {
		facts = append(facts, sayCount(uint64(s.findings), "finding"))
	}
	if s.evidence > 0 {
		facts = append(facts, sayCount(uint64(s.evidence), "row")+" of evidence")
	}
	facts = append(facts, "rule "+ruleName(s.rule))
	if len(s.attack) > 0 {
		facts = append(facts, techniqueIDs(s.attack))
	}
	return strings.Join(facts, " · ")
}

func sayUntil(s step) string {
	if s.first.UTC().Format("2006-01-02") == s.last.UTC().Format("2006-01-02") {
		return s.last.UTC().Format(onlyTime)
	}
	return sayWhen(s.last)
}

// who names an alert's entity with all that tells it apart.
func who(a schema.Alert) string {
	text := shown(a.Entity, maxName)
	if id := idName(a); id != "" {
		text += " (" + id + ")"
	}
	for _, place := range []string{tenantName(a), products(a)} {
		if place != "" {
			text += ", " + place
		}
	}
	return text
}

func lasted(a schema.Alert) string {
	if d := a.LastSeen.Sub(a.FirstSeen); d >= 1e9 {
		return " (" + sayLong(d) + ")"
	}
	return ""
}

func (c *console) queries(steps []step) {
	if len(steps) == 0 {
		return
	}
	c.heading("Show the rows")
	for i, s := range steps {
		if i == maxConsoleQueries {
			c.line(fmt.Sprintf("  … %d more", len(steps)-i))
			break
		}
		c.line("  " + c.paint(dim, "-- "+ruleName(s.rule)))
		for line := range strings.Lines(cut(plainText(cut(strings.TrimSpace(s.sql), maxSQL)), maxSQL)) {
			c.line("  " + strings.TrimRight(line, "\n"))
		}
	}
}

func (c *console) heading(text string) {
	c.line("")
	c.line("  " + c.paint(bold, text))
}

// field writes a labelled value; the value's later lines stand under its first.
func (c *console) field(label, value string) {
	first := "  " + label + strings.Repeat(" ", max(1, labelWidth-len(label)))
	for i, line := range wrap(value, c.style.Width-len(first)) {
		if i > 0 {
			c.line(strings.Repeat(" ", len(first)) + line)
			continue
		}
		c.line(c.paint(dim, first) + line)
	}
}

func (c *console) wrapped(indent, text string) {
	for i, line := range wrap(text, c.style.Width-len(indent)) {
		if i == 1 {
			indent = strings.Repeat(" ", len(indent))
		}
		c.line(indent + line)
	}
}

func (c *console) line(text string) {
	c.w.WriteString(text)
	c.w.WriteByte('\n')
}

const (
	bold = "1"
	dim  = "2"
)

var severityColor = map[schema.Severity]string{
	schema.SeverityCritical: "1;41;97", schema.SeverityHigh: "1;31", schema.SeverityMedium: "33", schema.SeverityLow: "36",
}

func (c *console) paint(color, text string) string {
	if !c.style.Color || color == "" {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// wrap breaks text between words into lines of at most width characters; a
// longer word is broken where the line ends.
func wrap(text string, width int) []string {
	width = max(width, 20)
	var lines []string
	line, used := "", 0
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		if used > 0 && used+1+n > width {
			lines = append(lines, line)
			line, used = "", 0
		}
		for ; n > width; n -= width {
			end := runesIn(word, width)
			lines = append(lines, word[:end])
			word = word[end:]
		}
		if used > 0 {
			line, used = line+" ", used+1
		}
		line, used = line+word, used+n
	}
	return append(lines, line)
}

// runesIn is the number of bytes that the first n runes of s take.
func runesIn(s string, n int) int {
	for i := range s {
		if n--; n < 0 {
			return i
		}
	}
	return len(s)
}
