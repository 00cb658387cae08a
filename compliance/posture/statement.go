package posture

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/detectors"
)

// period is what is looked at: [From, To) in event time, and from when on a check may look
// back.
type period struct{ From, To, HistoryFrom time.Time }

// history is how far checks may look back before the end of the period.
const history = 400 * 24 * time.Hour

// placeholder is a parameter in SQL.
var placeholder = regexp.MustCompile(`\{(\w+):([^{}]+)\}`)

// repeat is the check's statement with its values written in, for people to run again.
// What crmwatch runs itself has them as parameters.
func (c Check) repeat(shared Shared, p period) string {
	values := map[string]string{"from": sayTime(p.From), "to": sayTime(p.To), "history_from": sayTime(p.HistoryFrom)}
	for _, param := range append(append([]detectors.Param{}, shared.Params...), c.Params...) {
		values[param.Name] = literal(param.Value)
	}
	return placeholder.ReplaceAllStringFunc(shared.with(c.Query), func(text string) string {
		if value, known := values[placeholder.FindStringSubmatch(text)[1]]; known {
			return value
		}
		return text
	})
}

func sayTime(t time.Time) string {
	return "toDateTime64('" + t.UTC().Format("2006-01-02 15:04:05.000") + "', 3, 'UTC')"
}

var sqlQuote = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

// literal is a parameter's value as ClickHouse spells it.
func literal(value any) string {
	switch v := value.(type) {
	case string:
		return "'" + sqlQuote.Replace(v) + "'"
	case []string:
		if len(v) == 0 {
			return "CAST([], 'Array(String)')"
		}
		texts := make([]string, len(v))
		for i, s := range v {
			texts[i] = literal(s)
		}
		return "[" + strings.Join(texts, ", ") + "]"
	}
	return fmt.Sprint(value)
}
