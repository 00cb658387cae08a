package compliance

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/detectors"
)

const (
	// longCell is from how many characters a cell is cut.
	longCell = 240
	// wideCell is from how many characters a cell needs a wide column.
	wideCell = 40
	// longWord is from how many characters without a space a cell is broken anywhere.
	longWord = 28
	// trendRows is how many rows of a trend are shown, whatever its limit: a month of
	// days, or a week of hours.
	trendRows = 168
)

// answerView is an answer as people see it.
type answerView struct {
	ID, Title                string
	Controls                 []string
	Show                     Show
	Sentence, Empty, Problem string
	Figures                  []figureView
	Head                     []headView
	Rows                     [][]cellView
	// More says that not all rows are shown.
	More  string
	Plots []plot
	// Command asks the database again.
	Command string
	// Annex is the name of the CSV file.
	Annex    string
	RowsRead string
	Took     string
}

type figureView struct {
	Title, Value, Change string
	// Small is set where the value is no number.
	Small bool
}

type headView struct {
	Title   string
	Numeric bool
}

type cellView struct {
	Text    string
	Numeric bool
	// Moment is a day or a time.
	Moment bool
	// Wide texts need room to be read.
	Wide bool
	// Long texts hold a word that may be broken anywhere.
	Long bool
	// Cut says how long a text is that is not shown whole.
	Cut string
}

// Words are the parts of a moment, neither of which is broken.
func (c cellView) Words() []string { return strings.Fields(c.Text) }

func newAnswerView(s Summary, a Answer, cost Cost, number int) answerView {
	v := answerView{
		ID: a.ID, Title: alerting.PlainLine(a.Title), Show: a.Show,
		Sentence: alerting.PlainLine(a.Sentence), Empty: alerting.PlainLine(a.Empty), Problem: alerting.PlainLine(a.Problem),
		Command: command(s.Content, a.Query), Annex: annexName(number, a),
		RowsRead: groupDigits(fmt.Sprint(cost.RowsRead)), Took: sayMilliseconds(float64(cost.Milliseconds)),
	}
	v.Controls = groupControls(a.Controls)
	if a.Show == ShowFigures {
		v.figures(s.Content, a)
		return v
	}
	for _, column := range a.Columns {
		v.Head = append(v.Head, headView{alerting.PlainLine(column.Title), column.Kind == KindNumber})
	}
	limit := a.Limit
	if a.Show == ShowTrend {
		limit = max(limit, trendRows)
		v.Plots = plots(s, a)
	}
	for _, row := range a.Rows[:min(limit, len(a.Rows))] {
		v.Rows = append(v.Rows, cellViews(a.Columns, row))
	}
	if len(a.Rows) > limit {
		v.More = fmt.Sprintf("%s of %s rows are shown; all are in the annex, file %s, and in the JSON form.", groupDigits(fmt.Sprint(limit)), groupDigits(fmt.Sprint(len(a.Rows))), v.Annex)
	}
	return v
}

// groupControls names each framework once: "SOC 2 CC6.1, CC7.2".
func groupControls(ids []string) (groups []string) {
	last := ""
	for _, id := range slices.SortedFunc(slices.Values(ids), detectors.CompareControls) {
		framework, control := splitControl(id)
		if framework == last && len(groups) > 0 {
			groups[len(groups)-1] += ", " + control
			continue
		}
		groups, last = append(groups, strings.TrimSpace(framework+" "+control)), framework
	}
	return groups
}

func (v *answerView) figures(c Content, a Answer) {
	if len(a.Rows) == 0 {
		return
	}
	for i, column := range a.Columns {
		if i >= len(a.Rows[0]) {
			break
		}
		var before any
		if i < len(a.Before) {
			before = a.Before[i]
		}
		figure := figureView{Title: alerting.PlainLine(column.Title), Value: alerting.PlainLine(sayCell(column, a.Rows[0][i])), Small: column.Kind != KindNumber}
		if _, wasNumber := numberOf(before); wasNumber {
			figure.Change = change(c, column, a.Rows[0][i], before)
		}
		v.Figures = append(v.Figures, figure)
	}
}

func cellViews(columns []Column, row Row) []cellView {
	cells := make([]cellView, 0, len(columns))
	for i, column := range columns {
		if i >= len(row) {
			break
		}
		text := alerting.PlainLine(sayCell(column, row[i]))
		shown := cellView{Text: text, Numeric: column.Kind == KindNumber, Moment: column.Kind == KindTime || column.Kind == KindDay}
		n := utf8.RuneCountInString(text)
		shown.Wide, shown.Long = n > wideCell, hasLongWord(text)
		if n > longCell {
			shown.Text = string([]rune(text)[:longCell]) + "…"
			shown.Cut = fmt.Sprintf("%s characters, whole in the annex", groupDigits(fmt.Sprint(n)))
		}
		cells = append(cells, shown)
	}
	return cells
}

func hasLongWord(text string) bool {
	return slices.ContainsFunc(strings.Fields(text), func(word string) bool { return utf8.RuneCountInString(word) > longWord })
}

// command asks the database for the same answer.
func command(c Content, query string) string {
	return "crmwatch query --data DIR - <<'SQL'\n" + strings.TrimSpace(literal(query, c.Tenant, c.Period)) + "\nSQL"
}

func annexName(number int, a Answer) string { return fmt.Sprintf("%02d-%s.csv", number, a.ID) }
