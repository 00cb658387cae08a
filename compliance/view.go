package compliance

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
)

// view is a summary as HTML and Markdown show it: all values in words, none of them
// markup yet.
type view struct {
	Title, Tenant, Period, MadeAt string
	Versions                      []pair
	// Notices are what a reader must know before the first figure.
	Notices     []string
	Glance      []glance
	Attention   []point
	Unmonitored []point
	// QuietAttention and QuietUnmonitored are the titles of what was looked at and
	// found nothing.
	QuietAttention, QuietUnmonitored []string
	Sections                         []sectionView
	Frameworks                       []frameworkView
	ContentHash, Hash                string
	// Seal ties the page to the evidence chain.
	Seal []pair
}

type pair struct{ Name, Value string }

// glance is a figure on the front page.
type glance struct {
	Title, Value, Change, Statement string
	// Of is the statement's title.
	Of string
}

// point is a sentence on the front page.
type point struct {
	Text, Statement, Title string
}

type sectionView struct {
	ID, Title, About string
	Answers          []answerView
}

type frameworkView struct {
	Name     string
	Controls []controlView
}

type controlView struct {
	ID, Title string
	// Answers are evidence in this period, Silent had nothing to say.
	Answers, Silent []statementLink
}

type statementLink struct{ ID, Title string }

// newView puts a summary into words.
func newView(s Summary) (view, error) {
	c := s.Content
	v := view{
		Title:  "Monitoring summary of " + c.Period.String(),
		Tenant: alerting.PlainLine(c.Tenant),
		Period: c.Period.Span() + " (UTC)",
		MadeAt: s.Making.At.UTC().Format("2 January 2006, 15:04:05") + " UTC",
		Versions: []pair{{"crmwatch", alerting.PlainLine(c.Versions.Crmwatch)}, {"Database schema", alerting.PlainLine(c.Versions.Schema)},
			{"ClickHouse", alerting.PlainLine(c.Versions.Engine)}},
	}
	var err error
	if v.ContentHash, err = s.ContentHash(); err != nil {
		return view{}, err
	}
	if v.Hash, err = s.Hash(); err != nil {
		return view{}, err
	}
	if c.Settings != "" {
		v.Versions = append(v.Versions, pair{"Settings (SHA-256)", alerting.PlainLine(c.Settings)})
	}
	costs := map[string]Cost{}
	for _, cost := range s.Making.Costs {
		costs[cost.Statement] = cost
	}
	number := 0
	for _, section := range c.Sections {
		shown := sectionView{ID: section.ID, Title: alerting.PlainLine(section.Title), About: alerting.PlainLine(section.About)}
		for _, answer := range section.Answers {
			number++
			shown.Answers = append(shown.Answers, newAnswerView(s, answer, costs[answer.ID], number))
		}
		v.Sections = append(v.Sections, shown)
	}
	v.front(s)
	v.frameworks(c)
	return v, nil
}

// front fills the front page.
func (v *view) front(s Summary) {
	c := s.Content
	unanswered := []string{}
	for _, answer := range c.answers {
		title := alerting.PlainLine(answer.Title)
		if answer.Problem != "" {
			unanswered = append(unanswered, title)
		}
		if answer.Show == ShowFigures && len(answer.Rows) == 1 {
			v.glance(c, answer)
		}
		found := point{alerting.PlainLine(answer.Sentence), answer.ID, title}
		switch {
		case answer.Front == FrontNone || answer.Problem != "":
		case answer.Front == FrontAttention && answer.Sentence != "":
			v.Attention = append(v.Attention, found)
		case answer.Front == FrontAttention:
			v.QuietAttention = append(v.QuietAttention, title)
		case answer.Sentence != "":
			v.Unmonitored = append(v.Unmonitored, found)
		default:
			v.QuietUnmonitored = append(v.QuietUnmonitored, title)
		}
	}
	if s.Making.At.Before(c.Period.To) {
		v.Notices = append(v.Notices, fmt.Sprintf("This summary was made before its period was over: nothing after %s is in it.", v.MadeAt))
	}
	if n := len(unanswered); n > 0 {
		v.Notices = append(v.Notices, fmt.Sprintf("%s could not be answered, so this summary is not whole: %s. The reason stands with each.", count(n, "question"), strings.Join(unanswered, "; ")))
	}
	if missing := uncollected(s); missing != "" {
		v.Unmonitored = append([]point{{Text: missing}}, v.Unmonitored...)
	} else {
		v.QuietUnmonitored = append([]string{fmt.Sprintf("%ss without any stored event", alerting.PlainLine(c.Collected.Unit))}, v.QuietUnmonitored...)
	}
}

// glance adds an answer's figures that are meant for the front page.
func (v *view) glance(c Content, a Answer) {
	for i, column := range a.Columns {
		if !column.Front || i >= len(a.Rows[0]) {
			continue
		}
		var before any
		if i < len(a.Before) {
			before = a.Before[i]
		}
		v.Glance = append(v.Glance, glance{alerting.PlainLine(column.Title), alerting.PlainLine(sayCell(column, a.Rows[0][i])), change(c, column, a.Rows[0][i], before), a.ID, alerting.PlainLine(a.Title)})
	}
}

// change compares a figure with that of the period before.
func change(c Content, column Column, now, before any) string {
	n, isNumber := numberOf(now)
	b, wasNumber := numberOf(before)
	name := "the " + periodName(c.Period.Kind) + " before"
	if c.Period.Kind == Custom {
		name = "as long a time before"
	}
	switch {
	case !isNumber || !wasNumber:
		return "nothing to compare with"
	case b == 0 && len(c.CollectedBefore.From) == 0:
		return "nothing is stored from " + name
	case n == b:
		return "as in " + name
	}
	was := fmt.Sprintf("%s in %s", sayCell(column, before), name)
	if p := c.Period.Before(); len(c.CollectedBefore.gaps(p.From, p.To)) > 0 {
		was += ", which is not stored whole"
	} else if len(c.Collected.gaps(c.Period.From, c.Period.To)) > 0 {
		was += "; this period is not stored whole"
	}
	direction := "▲ up from "
	if n < b {
		direction = "▼ down from "
	}
	return direction + was
}

func periodName(kind PeriodKind) string {
	switch kind {
	case Daily:
		return "day"
	case Weekly:
		return "week"
	case Monthly:
		return "month"
	}
	return "time"
}

// uncollected says from which days or hours of the period no event is stored.
func uncollected(s Summary) string {
	c := s.Content
	if c.Collected.Problem != "" {
		return "It is not known from which days events are stored: " + alerting.PlainLine(c.Collected.Problem)
	}
	gaps := c.Collected.gaps(c.Period.From, earlier(c.Period.To, s.Making.At))
	if len(gaps) == 0 {
		return ""
	}
	if len(c.Collected.From) == 0 {
		return "No event is stored from the whole period."
	}
	var parts []string
	for _, gap := range gaps {
		parts = append(parts, c.Collected.say(gap))
	}
	return "No event is stored from " + strings.Join(parts, "; ") + "."
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func count(n int, word string) string {
	text, err := pluralOf(n, word)
	if err != nil {
		return word
	}
	return text
}

// frameworks sorts the controls under their frameworks.
func (v *view) frameworks(c Content) {
	titles := map[string]string{}
	for _, answer := range c.answers {
		titles[answer.ID] = alerting.PlainLine(answer.Title)
	}
	links := func(ids []string) (all []statementLink) {
		for _, id := range ids {
			all = append(all, statementLink{id, titles[id]})
		}
		return all
	}
	for _, control := range c.Controls {
		framework, id := splitControl(control.ID)
		i := slices.IndexFunc(v.Frameworks, func(f frameworkView) bool { return f.Name == framework })
		if i < 0 {
			v.Frameworks = append(v.Frameworks, frameworkView{Name: framework})
			i = len(v.Frameworks) - 1
		}
		v.Frameworks[i].Controls = append(v.Frameworks[i].Controls, controlView{id, alerting.PlainLine(control.Title), links(control.Statements), links(control.Silent)})
	}
}

// splitControl takes a control's id apart: "SOC 2 CC7.2" is CC7.2 of SOC 2.
func splitControl(id string) (framework, control string) {
	cut := strings.LastIndexByte(id, ' ')
	if cut < 0 {
		return "", alerting.PlainLine(id)
	}
	return alerting.PlainLine(id[:cut]), alerting.PlainLine(id[cut+1:])
}
