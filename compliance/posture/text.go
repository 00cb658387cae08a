package posture

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Style is how a report is written for people.
type Style struct {
	// Width is the terminal's in characters; 0 is 120.
	Width int
	Color bool
	// Plain makes text of logs harmless on one line.
	Plain func(string) string
	// Full also writes what passed, what cannot be judged, the question and the query.
	Full bool
}

var colors = map[Verdict]string{Fail: "\x1b[31m", Attention: "\x1b[33m", Pass: "\x1b[32m", CannotJudge: "\x1b[2m"}

func (s Style) verdict(v Verdict) string {
	text := fmt.Sprintf("%-12s", v)
	if s.Color {
		return colors[v] + text + "\x1b[0m"
	}
	return text
}

// titleWidth is how long a check's title may be in the table.
const titleWidth = 46

// WriteText writes a report for a terminal: a table of the verdicts for each tenant, then
// what did not pass, and the counts.
func WriteText(w io.Writer, r Report, s Style) error {
	s.Width = cmp.Or(s.Width, 120)
	out := &writer{w: w}
	for _, tenant := range r.Tenants() {
		mine := r.Only(func(x Result) bool { return x.Tenant == tenant })
		out.line("Posture of %s, %s to %s UTC", s.Plain(sayTenant(tenant)), r.From.Format(minute), r.To.Format(minute))
		out.line("")
		if tenant == "" && len(r.Tenants()) > 1 {
			out.line("%s\n", s.fold("Whose logs these are is not known: name it in their source (tenant:), and they are judged together with the others of the tenant.", 0))
		}
		var others []string
		for _, x := range mine.Results {
			if x.NotConcerned && !s.Full {
				others = append(others, x.Check)
				continue
			}
			head := fmt.Sprintf("%s  %-*s  ", s.verdict(x.Verdict), titleWidth, shorten(s.Plain(x.Title), titleWidth))
			out.line("%s%s", head, s.fold(s.Plain(x.gist()), 12+2+titleWidth+2))
		}
		if len(others) > 0 {
			head := fmt.Sprintf("%s  ", s.verdict(CannotJudge))
			out.line("%s%s", head, s.fold(fmt.Sprintf("%d that concern other products: %s", len(others), strings.Join(others, ", ")), 14))
		}
		out.line("")
		for _, x := range mine.Results {
			if s.Full || x.NotPassed > 0 {
				s.detail(out, x)
			}
		}
	}
	out.line("%s", r.SayCounts())
	return out.err
}

const minute = "2006-01-02 15:04"

// sayTenant names a tenant.
func sayTenant(tenant string) string {
	if tenant == "" {
		return "the logs without a tenant"
	}
	return "tenant " + tenant
}

// gist is the one line that the table has of a result.
func (x Result) gist() string {
	switch {
	case x.Verdict == CannotJudge:
		return x.Reason
	case x.NotPassed == 0:
		text := x.sayThings() + ": " + x.sayPassed()
		if x.NotJudged > 0 {
			text += fmt.Sprintf("; %d could not be judged", x.NotJudged)
		}
		return text + x.notJudgedProducts()
	}
	text := fmt.Sprintf("%d of %s", x.NotPassed, x.sayThings())
	if worst, product := x.worst(); worst.Thing != "" {
		text += ": " + shorten(worst.Thing, 60)
		if len(x.Products) > 1 {
			text += " (" + product + ")"
		}
		text += ", " + worst.Says
	}
	return text
}

// worst is the thing that is named first.
func (x Result) worst() (worst Evidence, product string) {
	for _, p := range x.Products {
		for _, e := range p.Evidence {
			if e.Verdict == x.Verdict && (worst.Thing == "" || e.Events > worst.Events) {
				worst, product = e, p.Product
			}
		}
	}
	return worst, product
}

func (x Result) notJudgedProducts() string {
	var names []string
	for _, p := range x.Products {
		if p.Verdict == CannotJudge {
			names = append(names, sayProduct(p.Product))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "; " + strings.Join(names, ", ") + " could not be judged"
}

// sayPassed is what was said of all things, where it is the same.
func (x Result) sayPassed() string {
	var texts []string
	for _, p := range x.Products {
		for _, text := range p.passed {
			if !slices.Contains(texts, text) {
				texts = append(texts, text)
			}
		}
	}
	if len(texts) == 1 {
		return texts[0]
	}
	return "nothing amiss"
}

func sayProduct(name string) string { return cmp.Or(name, "logs without a product") }

// detail writes one result.
func (s Style) detail(out *writer, x Result) {
	out.line("%s  %s (%s)", strings.ToUpper(string(x.Verdict)), s.Plain(x.Title), x.Check)
	field := func(name, text string) {
		if text != "" {
			out.line("  %-9s %s", name, s.fold(text, 12))
		}
	}
	field("Why", x.Why)
	if s.Full {
		field("Question", x.Question)
		field("Limits", x.Limits)
	}
	for _, p := range x.Products {
		if !s.Full && p.NotPassed == 0 {
			continue
		}
		text := fmt.Sprintf("%s: %s, %d looked at, %d not passed, %d not judged", sayProduct(p.Product), p.Verdict, p.LookedAt, p.NotPassed, p.NotJudged)
		field("In", s.Plain(text))
		shown := 0
		for _, e := range p.Evidence {
			if e.Verdict == CannotJudge && !s.Full || shown == s.most() {
				continue
			}
			shown++
			line := fmt.Sprintf("%s: %s", e.Thing, e.Says)
			if e.Events > 0 {
				line += fmt.Sprintf(" (%s, %s)", sayTimes(e.Events), sayDays(e))
			}
			out.line("            - %s", s.fold(s.Plain(line), 14))
		}
		if more := int(p.NotPassed) - shown; more > 0 && !s.Full {
			out.line("            - and %d more", more)
		}
		if p.Verdict == CannotJudge {
			out.line("              %s", s.fold(s.Plain(p.Reason), 14))
		}
		field("Mend", p.Mend)
	}
	field("Controls", strings.Join(x.Controls, ", "))
	if s.Full {
		out.line("  Query, to be run again:")
		for _, line := range strings.Split(x.Query, "\n") {
			out.line("    %s", line)
		}
	}
	out.line("")
}

// most is how many things a detail names.
func (s Style) most() int {
	if s.Full {
		return maxEvidence
	}
	return 5
}

func sayTimes(n uint64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func sayDays(e Evidence) string {
	from, to := e.FirstSeen.Format("2006-01-02"), e.LastSeen.Format("2006-01-02")
	if from == to {
		return e.FirstSeen.Format(minute)
	}
	return from + " to " + to
}

// SayCounts is how many results have which verdict.
func (r Report) SayCounts() string {
	attention := r.Count(Attention)
	verb := "need"
	if attention == 1 {
		verb = "needs"
	}
	return fmt.Sprintf("%d pass, %d %s attention, %d fail, %d could not be judged", r.Count(Pass), attention, verb, r.Count(Fail), r.Count(CannotJudge))
}

// fold breaks text into lines of the terminal's width, those after the first indented.
func (s Style) fold(text string, indent int) string {
	room := max(s.Width-indent, 30)
	var b strings.Builder
	length := 0
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		if i > 0 && length+1+n > room {
			b.WriteString("\n" + strings.Repeat(" ", indent))
			length = 0
		} else if i > 0 {
			b.WriteByte(' ')
			length++
		}
		b.WriteString(word)
		length += n
	}
	return b.String()
}

// writer keeps the first error.
type writer struct {
	w   io.Writer
	err error
}

func (w *writer) line(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.w, format+"\n", args...)
	}
}
