package incident

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
)

const moment = "2006-01-02 15:04:05"

// say is a moment that may be missing.
func say(t *time.Time) string {
	if t == nil {
		return "nothing is known of one"
	}
	return t.UTC().Format(moment) + " UTC"
}

// left says what is left of the 72 hours.
func (c Clock) left() string {
	d := time.Duration(c.LeftMinutes) * time.Minute
	if d < 0 {
		return fmt.Sprintf("over since %s", spell(-d))
	}
	return spell(d) + " left"
}

func spell(d time.Duration) string {
	if d >= 48*time.Hour {
		return fmt.Sprintf("%d days %d hours", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	}
	return fmt.Sprintf("%d hours %d minutes", d/time.Hour, d%time.Hour/time.Minute)
}

// part is a heading with lines under it, all plain text.
type part struct {
	Title string
	Facts [][2]string
	Head  []string
	Rows  [][]string
	Note  string
	// Blanks are questions with room for an answer.
	Blanks []Question
}

// parts is the record in words.
func (r Record) parts() []part {
	n := r.Nature
	clock := part{Title: "The 72 hours (Article 33(1))", Facts: [][2]string{
		{"First event", r.Clock.FirstEvent.Format(moment) + " UTC"}, {"Last event", r.Clock.LastEvent.Format(moment) + " UTC"},
		{"Detected by crmwatch", r.Clock.Detected.Format(moment) + " UTC"}, {"First message about it", say(r.Clock.Told)}, {"Taken in hand by a person", say(r.Clock.Taken)},
		{"72 hours from detection end", r.Clock.Ends.Format(moment) + " UTC, " + r.Clock.left()},
	}, Note: "The law counts from when the controller became aware of the breach. That cannot be earlier than the detection, from which this counts; when it was is a question below."}
	nature := part{Title: "What happened, and to what (Article 33(3)(a))", Facts: [][2]string{
		{"Who or what acted", strings.TrimSpace(n.EntityType + " " + n.Entity)}, {"Its id", n.EntityUID}, {"Products", strings.Join(n.Products, ", ")}, {"Addresses", strings.Join(n.Addresses, ", ")},
		{"ATT&CK", strings.Join(n.Techniques, ", ")}, {"Events in that time", fmt.Sprint(n.Events)}, {"Records read or changed, by the logs", fmt.Sprint(n.Records)}, {"Bytes carried", fmt.Sprint(n.Bytes)},
		{"Records about people, at most", fmt.Sprint(n.PersonRecords)}, {"Different ones that the logs name", fmt.Sprint(n.Subjects)},
	}, Head: []string{"Type of record", "What it holds, by its name", "Events", "Records", "Named"}}
	for _, d := range n.Data {
		nature.Rows = append(nature.Rows, []string{d.Type, d.Category, fmt.Sprint(d.Events), fmt.Sprint(d.Records), fmt.Sprint(d.Named)})
	}
	nature.Note = "Of several logs that tell of the same read, the one that counts most is taken; what was read twice is counted twice. Logs say how many records a query gave, and seldom whose they were: how many people are concerned is a question below."
	if n.Gone {
		nature.Note = "The events of this alert are not stored any more, so nothing was counted."
	}
	story := part{Title: "Timeline", Head: []string{"From (UTC)", "To (UTC)", "Rule", "What"}}
	for _, s := range r.Timeline {
		story.Rows = append(story.Rows, []string{s.From.Format(moment), s.To.Format(moment), s.Rule, s.Message})
	}
	measures := part{Title: "Measures recorded with the alert (Article 33(3)(d), 33(5))", Head: []string{"At (UTC)", "What", "By", "Note"}}
	for _, m := range r.Measures {
		measures.Rows = append(measures.Rows, []string{m.At.Format(moment), m.What, m.By, m.Note})
	}
	return []part{clock, nature, story, measures, {Title: "To be answered by people", Blanks: r.Questions}}
}

func (r Record) title() string { return "Incident record: " + r.Title }

func (r Record) about() string {
	tenant := ""
	if r.Tenant != "" {
		tenant = ", tenant " + r.Tenant
	}
	return fmt.Sprintf("Alert %s, %s, %s%s. Made on %s UTC of what is stored and was written about the alert; it decides nothing.", r.Alert, r.Severity, r.Status, tenant, r.MadeAt.Format(moment))
}

// WriteJSON writes the record as one JSON object.
func WriteJSON(w io.Writer, r Record) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(r); err != nil {
		return fmt.Errorf("write incident record: %w", err)
	}
	return nil
}

// WriteMarkdown writes the record as Markdown. Log text in it is escaped.
func WriteMarkdown(w io.Writer, r Record) error {
	var out strings.Builder
	fmt.Fprintf(&out, "# %s\n\n%s\n", markdown(r.title()), markdown(r.about()))
	for _, p := range r.parts() {
		fmt.Fprintf(&out, "\n## %s\n\n", p.Title)
		for _, f := range p.Facts {
			fmt.Fprintf(&out, "- %s: %s\n", f[0], orNone(markdown(f[1])))
		}
		if len(p.Rows) > 0 {
			fmt.Fprintf(&out, "%s| %s |\n|%s\n", gap(p), strings.Join(p.Head, " | "), strings.Repeat(" --- |", len(p.Head)))
			for _, row := range p.Rows {
				for _, cell := range row {
					fmt.Fprintf(&out, "| %s ", markdown(cell))
				}
				out.WriteString("|\n")
			}
		} else if len(p.Head) > 0 {
			out.WriteString(gap(p) + "Nothing.\n")
		}
		if p.Note != "" {
			fmt.Fprintf(&out, "\n%s\n", p.Note)
		}
		for _, q := range p.Blanks {
			fmt.Fprintf(&out, "- [ ] Article %s: %s\n\n  Answer:\n\n", q.Article, q.Ask)
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// gap parts a table from the list above it.
func gap(p part) string {
	if len(p.Facts) > 0 {
		return "\n"
	}
	return ""
}

func orNone(text string) string {
	if text == "" {
		return "none named"
	}
	return text
}

var markdownEscapes = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "|", `\|`, "#", `\#`, "!", `\!`, "~", `\~`)

func markdown(text string) string {
	return strings.ReplaceAll(markdownEscapes.Replace(alerting.PlainLine(text)), "://", `:\/\/`)
}

var (
	//go:embed record.html
	pageText string
	page     = template.Must(template.New("record").Funcs(template.FuncMap{"plain": alerting.PlainLine, "none": orNone}).Parse(pageText))
)

// WriteHTML writes the record as one page that needs nothing else. Its questions have
// room to be answered by hand, or in a browser before it is printed.
func WriteHTML(w io.Writer, r Record) error {
	var out bytes.Buffer
	err := page.Execute(&out, struct {
		Title, About string
		Parts        []part
	}{r.title(), r.about(), r.parts()})
	if err != nil {
		return fmt.Errorf("write incident record: %w", err)
	}
	_, err = out.WriteTo(w)
	return err
}
