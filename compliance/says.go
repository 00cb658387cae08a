package compliance

import (
	"fmt"
	"strings"
	"text/template"
)

// functions are what sentences can use beside those of text/template.
var functions = template.FuncMap{
	"percent": percentOf, "plural": pluralOf, "day": dayOf, "minute": minuteOf, "join": joinOf,
}

func (c *statementCheck) says(at, text string) *template.Template {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	says, err := template.New("says").Option("missingkey=error").Funcs(functions).Parse(plainText(text))
	if err != nil {
		c.fail(at+".says", "the sentence does not parse: "+strings.TrimPrefix(err.Error(), "template: "), "see text/template; functions are percent PART WHOLE, plural N WORD, day TIME, minute TIME, join LIST")
		return nil
	}
	return says
}

// sentence says the rows in words. The template's data are the first row by column,
// Rows, and Count, how many rows there are.
func sentence(says *template.Template, columns []Column, rows []Row) (string, error) {
	if says == nil || len(rows) == 0 {
		return "", nil
	}
	all := make([]map[string]any, len(rows))
	for i, row := range rows {
		all[i] = spoken(columns, row)
	}
	data := spoken(columns, rows[0])
	data["Rows"], data["Count"] = all, whole(len(rows))
	var out strings.Builder
	if err := says.Execute(&out, data); err != nil {
		return "", fmt.Errorf("say the answer: %s", strings.TrimPrefix(err.Error(), "template: "))
	}
	return plainText(out.String()), nil
}

// whole, fraction and measured print as people read numbers, and compare as numbers.
type (
	whole    int64
	fraction float64
)

func (n whole) String() string    { return groupDigits(fmt.Sprint(int64(n))) }
func (f fraction) String() string { return shortFraction(float64(f)) }

// The units of numbers in sentences.
type (
	byteCount    float64
	milliseconds float64
	percentage   float64
)

func (n byteCount) String() string    { return sayBytes(float64(n)) }
func (n milliseconds) String() string { return sayMilliseconds(float64(n)) }
func (n percentage) String() string   { return sayPercent(float64(n)) }

// spoken is a row by column, as sentences take it.
func spoken(columns []Column, row Row) map[string]any {
	said := map[string]any{}
	for i, column := range columns {
		if i >= len(row) {
			break
		}
		said[column.Name] = speak(column, row[i])
	}
	return said
}

func speak(column Column, c any) any {
	if list, is := c.([]any); is {
		texts := make([]string, len(list))
		for i, entry := range list {
			texts[i] = fmt.Sprint(entry)
		}
		return texts
	}
	n, is := numberOf(c)
	if !is {
		if c == nil {
			return ""
		}
		return c
	}
	switch column.Unit {
	case UnitBytes:
		return byteCount(n)
	case UnitMilliseconds:
		return milliseconds(n)
	case UnitSeconds:
		return milliseconds(n * 1000)
	case UnitPercent:
		return percentage(n)
	}
	if column.Unit == UnitID {
		return fmt.Sprint(c)
	}
	if n == float64(int64(n)) {
		return whole(int64(n))
	}
	return fraction(n)
}
