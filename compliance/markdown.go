package compliance

import (
	"fmt"
	"io"
	"strings"
)

// WriteMarkdown writes the summary as Markdown (CommonMark with tables) that can be
// read as it is. Values are escaped, so that none becomes markup.
func WriteMarkdown(w io.Writer, s Summary, seals ...Seal) error {
	v, err := newView(s)
	if err != nil {
		return err
	}
	v.seal(seals)
	m := &markdown{}
	m.front(v)
	for _, section := range v.Sections {
		m.line("## %s", escape(section.Title))
		m.line("%s", escape(section.About))
		for _, answer := range section.Answers {
			m.answer(answer)
		}
	}
	m.controls(v)
	m.line("## About this summary")
	m.line("Made: %s", v.MadeAt)
	for _, version := range v.Versions {
		m.line("%s: %s", version.Name, escape(orUnknown(version.Value)))
	}
	m.line("Hash of the content (SHA-256): `%s`", v.ContentHash)
	m.line("Hash of the JSON form (SHA-256): `%s`", v.Hash)
	for _, line := range v.Seal {
		m.line("%s: `%s`", line.Name, line.Value)
	}
	m.line("The queries behind the figures are in the HTML and the JSON form.")
	_, err = io.WriteString(w, m.out.String())
	return err
}

func orUnknown(text string) string {
	if text == "" {
		return "not known"
	}
	return text
}

type markdown struct{ out strings.Builder }

// line writes a paragraph, or nothing where there is nothing to say.
func (m *markdown) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if strings.TrimSpace(text) == "" {
		return
	}
	if m.out.Len() > 0 {
		m.out.WriteByte('\n')
	}
	m.out.WriteString(text + "\n")
}

func (m *markdown) list(items []string) {
	if len(items) > 0 {
		m.line("- %s", strings.Join(items, "\n- "))
	}
}

func (m *markdown) front(v view) {
	m.line("# %s", escape(v.Title))
	of := "All organisations that are monitored"
	if v.Tenant != "" {
		of = "Organisation " + escape(v.Tenant)
	}
	m.line("%s. %s. Made by crmwatch on %s.", v.Period, of, v.MadeAt)
	if len(v.Notices) > 0 {
		m.line("## Before you read on")
		m.list(escapeAll(v.Notices))
	}
	if len(v.Glance) > 0 {
		m.line("## At a glance")
		rows := [][]string{}
		for _, g := range v.Glance {
			rows = append(rows, []string{g.Title, g.Value, g.Change, g.Of})
		}
		m.table([]headView{{Title: "Figure"}, {Title: "In this period", Numeric: true}, {Title: "Compared"}, {Title: "See"}}, rows)
	}
	m.points("What needs attention first", v.Attention, "Nothing that was asked for.", v.QuietAttention, "")
	m.points("What was not monitored", v.Unmonitored, "No gap was found.", v.QuietUnmonitored, " What each can see stands with it.")
}

func (m *markdown) points(title string, points []point, none string, quiet []string, caution string) {
	m.line("## %s", title)
	var items []string
	for _, p := range points {
		item := escape(p.Text)
		if p.Title != "" {
			item += " See " + escape(p.Title) + "."
		}
		items = append(items, item)
	}
	m.list(items)
	if len(points) == 0 {
		m.line("%s", none)
	}
	if len(quiet) > 0 {
		m.line("Asked without finding any: %s.%s", escape(strings.Join(quiet, "; ")), caution)
	}
}

func (m *markdown) answer(a answerView) {
	m.line("### %s", escape(a.Title))
	m.line("*%s*", escape(strings.Join(a.Controls, "; ")))
	if a.Problem != "" {
		m.line("**Not answered:** %s", escape(a.Problem))
	}
	m.line("%s", escape(a.Sentence))
	m.line("%s", escape(a.Empty))
	switch {
	case len(a.Figures) > 0:
		rows := [][]string{}
		for _, f := range a.Figures {
			rows = append(rows, []string{f.Title, f.Value, f.Change})
		}
		m.table([]headView{{Title: "Figure"}, {Title: "In this period", Numeric: true}, {Title: "Compared"}}, rows)
	case a.Show == ShowList:
		m.rowList(a)
	case len(a.Rows) > 0:
		rows := [][]string{}
		for _, row := range a.Rows {
			texts := []string{}
			for _, c := range row {
				texts = append(texts, c.Text+cutNote(c))
			}
			rows = append(rows, texts)
		}
		m.table(a.Head, rows)
	}
	m.line("%s", escape(a.More))
}

func (m *markdown) rowList(a answerView) {
	var items []string
	for _, row := range a.Rows {
		var parts []string
		for i, c := range row {
			text := escape(c.Text + cutNote(c))
			if i > 0 {
				text = escape(a.Head[i].Title) + ": " + text
			}
			parts = append(parts, text)
		}
		items = append(items, strings.Join(parts, "; "))
	}
	m.list(items)
}

func cutNote(c cellView) string {
	if c.Cut == "" {
		return ""
	}
	return " (" + c.Cut + ")"
}

// table writes a table whose columns stand below each other also in the raw text, as
// far as the texts are short.
func (m *markdown) table(head []headView, rows [][]string) {
	const widest = 44
	widths := make([]int, len(head))
	titles := make([]string, len(head))
	for i := range head {
		titles[i] = escape(head[i].Title)
		widths[i] = max(3, len([]rune(titles[i])))
	}
	for _, row := range rows {
		for i := range row {
			row[i] = escape(row[i])
			if n := len([]rune(row[i])); n <= widest {
				widths[i] = max(widths[i], n)
			}
		}
	}
	var out strings.Builder
	write := func(cells []string) {
		for i, text := range cells {
			space := strings.Repeat(" ", max(0, widths[i]-len([]rune(text))))
			if head[i].Numeric {
				text = space + text
			} else {
				text += space
			}
			out.WriteString("| " + text + " ")
		}
		out.WriteString("|\n")
	}
	write(titles)
	for i := range head {
		rule := strings.Repeat("-", widths[i])
		if head[i].Numeric {
			rule = rule[1:] + ":"
		}
		out.WriteString("| " + rule + " ")
	}
	out.WriteString("|\n")
	for _, row := range rows {
		write(row)
	}
	m.line("%s", strings.TrimSuffix(out.String(), "\n"))
}

func (m *markdown) controls(v view) {
	m.line("## Which control is spoken to where")
	m.line("Whether the evidence is enough is for the auditor to judge.")
	for _, framework := range v.Frameworks {
		m.line("### %s", escape(framework.Name))
		rows := [][]string{}
		for _, c := range framework.Controls {
			rows = append(rows, []string{c.ID, c.Title, evidence(c)})
		}
		m.table([]headView{{Title: "Control"}, {Title: "Title"}, {Title: "Evidence in this period"}}, rows)
	}
}

func evidence(c controlView) string {
	titles := func(links []statementLink) string {
		var all []string
		for _, link := range links {
			all = append(all, link.Title)
		}
		return strings.Join(all, "; ")
	}
	switch {
	case len(c.Answers) > 0:
		return titles(c.Answers)
	case len(c.Silent) > 0:
		return "Nothing in this period speaks to it. Asked without an answer: " + titles(c.Silent) + "."
	}
	return "Nothing in this summary speaks to it."
}

func escapeAll(texts []string) []string {
	escaped := make([]string, len(texts))
	for i, text := range texts {
		escaped[i] = escape(text)
	}
	return escaped
}

// escape keeps a text from being markup: HTML becomes entities, and what Markdown could
// read as its own is escaped, also what makes links of bare addresses and mentions. Characters
// that mean something only between others are left where they stand in a word, so that
// names such as svc_erp stay readable.
func escape(text string) string {
	var out strings.Builder
	runes := []rune(text)
	for i, r := range runes {
		switch {
		case r == '&':
			out.WriteString("&amp;")
		case r == '<':
			out.WriteString("&lt;")
		case r == '>':
			out.WriteString("&gt;")
		case strings.ContainsRune("\\`*[]|~!$", r):
			out.WriteByte('\\')
			out.WriteRune(r)
		case r == '_' && !(i > 0 && i+1 < len(runes) && isWord(runes[i-1]) && isWord(runes[i+1])):
			out.WriteString(`\_`)
		case i == 0 && strings.ContainsRune("#+-=:", r):
			out.WriteByte('\\')
			out.WriteRune(r)
		case (r == '.' || r == ')') && i > 0 && digitsOnly(runes[:i]) && (i+1 == len(runes) || runes[i+1] == ' '):
			out.WriteByte('\\')
			out.WriteRune(r)
		case r == ':' && strings.HasPrefix(string(runes[i:min(i+3, len(runes))]), "://"), r == '.' && i >= 3 && strings.EqualFold(string(runes[i-3:i]), "www"),
			r == '@' && !(i > 0 && isWord(runes[i-1])):
			out.WriteByte('\\')
			out.WriteRune(r)
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

func isWord(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 0x7f
}

func digitsOnly(runes []rune) bool {
	if len(runes) > 9 {
		return false
	}
	for _, r := range runes {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}
