package subject

import (
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/crmwatch/crmwatch/schema"
)

// Conditions are put together of the names of columns, which are the database's own, and
// parameters, which hold the person. Statements with them are not logged by a server.

// parameters are the parameters of isNamed and says.
func (s Subject) parameters() []any {
	named, exact := s.named()
	w := s.words()
	if len(w.needles) == 0 {
		w.needles = append(w.needles, "\x00")
	}
	return []any{schema.Named("named", named), schema.Named("exact", exact), schema.Named("needles", w.needles), schema.Named("pattern", w.all),
		schema.Named("loose", w.loose)}
}

// quiet are the settings of statements that name the person: they stay out of the logs
// of a server, and regular expressions are tried on few texts.
func quiet() clickhouse.Settings {
	return clickhouse.Settings{
		"log_queries": 0, "session_timezone": "UTC", "short_circuit_function_evaluation": "force_enable",
		"insert_deduplicate": 0, "async_insert": 0, "prefer_column_name_to_alias": 1, "optimize_move_to_prewhere": 0, "max_execution_time": 0,
	}
}

// isNamed is true where a value is one of the identifiers.
func isNamed(x string) string {
	return "(lowerUTF8(trimBoth(" + x + ")) IN {named:Array(String)} OR " + x + " IN {exact:Array(String)})"
}

// says is true where a text has one of the identifiers as a word.
func says(x string) string {
	return "if({loose:Bool} OR multiSearchAnyCaseInsensitive(" + x + ", {needles:Array(String)}) OR position(" + x + ", '%') > 0 OR position(" + x + ", '\\\\') > 0, match(" +
		x + ", {pattern:String}), 0)"
}

// texts are the texts of a column of any type, each as one expression.
func (c column) texts() []string {
	name := quoted(c.name)
	switch {
	case strings.HasPrefix(c.kind, "Map(") && strings.HasSuffix(c.kind, "String)"):
		return []string{joined("mapValues(" + name + ")"), joined("mapKeys(" + name + ")")}
	case strings.HasPrefix(c.kind, "Map("):
		return []string{joined("mapKeys(" + name + ")")}
	case strings.HasPrefix(c.kind, "Array("):
		return []string{joined(name)}
	}
	return []string{name}
}

func joined(array string) string { return "arrayStringConcat(" + array + ", '\\n')" }

// named is true in rows in which the column names the person.
func (c column) named() string {
	if c.use == identity {
		return isNamed(quoted(c.name))
	}
	var any []string
	for _, x := range c.texts() {
		any = append(any, says(x))
		if c.use == text {
			// An identifier that is no word of texts is known where it stands alone.
			any = append(any, "arrayExists(part -> "+isNamed("part")+", splitByChar('\\n', toString("+x+")))")
		}
	}
	return "(" + strings.Join(any, " OR ") + ")"
}

// acts is true in rows of what the person did.
func acts() string {
	parts := make([]string, len(actorColumns))
	for i, name := range actorColumns {
		parts[i] = isNamed(quoted(name))
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

// names is true in rows that name the person in any column.
func (l layout) names() string {
	var parts []string
	for _, c := range l.naming() {
		parts = append(parts, c.named())
	}
	if len(parts) == 0 {
		return "0"
	}
	return "(" + strings.Join(parts, "\n    OR ") + ")"
}
