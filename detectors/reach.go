package detectors

import (
	"fmt"
	"slices"
	"strings"
)

// harmlessTableFunctions make rows out of nothing.
var harmlessTableFunctions = []string{"numbers", "numbers_mt", "zeros", "zeros_mt", "values", "generateSeries", "generate_series", "null", "view"}

// outsideFunctions are ordinary functions that read files, other databases or the
// server's surroundings.
var outsideFunctions = []string{"file", "joinget", "joingetornull", "catboostevaluate", "modelevaluate", "sleep", "sleepeachrow", "getserverport", "getserversetting"}

// node is one line of EXPLAIN AST: indentation, kind and name.
type node struct {
	depth      int
	kind, name string
}

func parseNode(line string) node {
	text := strings.TrimLeft(line, " ")
	kind, rest, _ := strings.Cut(text, " ")
	name, _, _ := strings.Cut(rest, " ")
	return node{len(line) - len(text), kind, name}
}

// reachProblems finds in a query's syntax tree what could reach outside the
// database, or loosen the bounds that the runner sets.
func reachProblems(rule Rule, lines []string) Problems {
	var problems Problems
	add := func(word, detail, mend string) {
		line, column, _ := findWord(rule.Query, word)
		problems = append(problems, queryProblem(rule, line, column, detail, mend))
	}
	const tables = "rules read the tables of crmwatch, above all events"
	parent := node{}
	for _, line := range lines {
		n := parseNode(line)
		switch {
		case n.kind == "Function" && parent.kind == "TableExpression" && n.depth > parent.depth:
			if !slices.Contains(harmlessTableFunctions, n.name) {
				add(n.name, fmt.Sprintf("the query uses the table function %s", n.name), tables)
			}
		case n.kind == "Function" && slices.Contains(outsideFunctions, strings.ToLower(n.name)):
			add(n.name, fmt.Sprintf("the query uses the function %s, which reaches outside the database", n.name), tables)
		case n.kind == "Function" && strings.HasPrefix(strings.ToLower(n.name), "dictget"):
			add(n.name, fmt.Sprintf("the query uses the function %s, which may reach outside the database", n.name), tables)
		case n.kind == "TableIdentifier" && strings.Contains(n.name, "."):
			add(n.name[strings.LastIndexByte(n.name, '.')+1:], fmt.Sprintf("the query reads %s, a table with a database before its name", n.name), tables)
		case n.kind == "Set":
			add("SETTINGS", "the query sets settings", "the runner sets them: final, and bounds of time and memory")
		}
		parent = n
	}
	return problems
}

var requiredColumns = map[Kind][]string{
	KindQuery: {"tenant", "product", "entity_uid", "first_seen", "last_seen", "count", "evidence"},
	KindSpike: {"tenant", "product", "entity_uid", "bucket", "value", "evidence"},

	KindFirstSeen: {"tenant", "product", "entity_uid", "value", "first_seen", "last_seen", "count", "evidence"},
	KindSequence:  {"tenant", "product", "entity_uid", "step", "value", "time", "event_uid"},
	KindSilence:   {"tenant", "product", "entity_uid", "bucket", "count"},
}

var columnTypes = map[string]func(string) bool{
	"first_seen": func(t string) bool { return strings.HasPrefix(t, "DateTime64(3") },
	"last_seen":  func(t string) bool { return strings.HasPrefix(t, "DateTime64(3") },
	"bucket":     func(t string) bool { return strings.HasPrefix(t, "DateTime") },
	"count":      func(t string) bool { return strings.HasPrefix(t, "UInt") },
	"evidence":   func(t string) bool { return t == "Array(UUID)" },
	"time":       func(t string) bool { return strings.HasPrefix(t, "DateTime64(3") },
	"event_uid":  func(t string) bool { return t == "UUID" },
}

var columnMends = map[string]string{
	"first_seen": "return a DateTime64(3), for example min(time) AS first_seen", "last_seen": "return a DateTime64(3), for example max(time) AS last_seen",
	"bucket": "return toStartOfInterval(time, toIntervalSecond({bucket:UInt32})) AS bucket", "count": "return an unsigned whole number, for example count() AS count",
	"time": "return the event's own time", "event_uid": "return the event's own event_uid",
	"evidence": "return arrayMap(x -> x.2, groupArraySorted(50)((time, event_uid))) AS evidence",
}

// columnProblems compares what a query returns with what its kind needs and its
// message says.
func columnProblems(rule Rule, columns map[string]string) Problems {
	var problems Problems
	if kind, returned := columns["value"]; returned && rule.Kind.remembers() && kind != "String" && kind != "LowCardinality(String)" {
		line, column, _ := findWord(rule.Query, "value")
		problems = append(problems, queryProblem(rule, line, column, fmt.Sprintf("the query returns value as %s", kind), "return a String, for example toString(...) AS value"))
	}
	for _, name := range requiredColumns[rule.Kind] {
		kind, returned := columns[name]
		mend := columnMends[name]
		if mend == "" {
			mend = fmt.Sprintf("add ... AS %s", name)
		}
		switch check := columnTypes[name]; {
		case !returned:
			problems = append(problems, queryProblem(rule, 0, 0, fmt.Sprintf("the query does not return the column %s", name), mend))
		case check != nil && !check(kind):
			line, column, _ := findWord(rule.Query, name)
			problems = append(problems, queryProblem(rule, line, column, fmt.Sprintf("the query returns %s as %s", name, kind), mend))
		}
	}
	if kind, returned := columns["count"]; returned && rule.Kind == KindSpike && !columnTypes["count"](kind) {
		line, column, _ := findWord(rule.Query, "count")
		problems = append(problems, queryProblem(rule, line, column, fmt.Sprintf("the query returns count as %s", kind), columnMends["count"]))
	}
	if rule.source == nil {
		return problems
	}
	for _, word := range messageWords(rule.Message) {
		if _, returned := columns[word.name]; returned && wordFromQuery(rule.Kind) || slices.Contains(givenWords(rule.Kind), word.name) {
			continue
		}
		line, column := rule.source.scalarPosition(word.line, word.column, "message")
		problems = append(problems, rule.source.at(line, column, fmt.Sprintf("the message uses {{%s}}, which the query does not return", word.name),
			"the query returns "+strings.Join(sortedKeys(columns), ", ")))
	}
	return problems
}
