package detectors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

// Validate checks the rules' queries on the engine: their syntax and names, that
// they reach nothing but tables of this database, and that they return what their
// kind needs and their message says. The error is Problems, or what kept the
// engine from answering.
func Validate(ctx context.Context, store schema.Store, rules []Rule) error {
	r := NewRunner(store, rules, Options{})
	var problems Problems
	for _, rule := range rules {
		found, err := r.validate(ctx, rule)
		if err != nil {
			return fmt.Errorf("validate rule %s: %w", rule.ID, err)
		}
		problems = append(problems, found...)
	}
	return problems.err()
}

func (r *Runner) validate(ctx context.Context, rule Rule) (Problems, error) {
	tree, err := r.explain(ctx, rule)
	if err != nil {
		return engineProblem(rule, err)
	}
	if problems := reachProblems(rule, tree); len(problems) > 0 {
		return problems, nil
	}
	columns, err := r.describe(ctx, rule)
	if err != nil {
		return engineProblem(rule, err)
	}
	if problems := columnProblems(rule, columns); len(problems) > 0 {
		return problems, nil
	}
	// An empty window shows what only appears when the query runs.
	epoch := time.UnixMilli(0)
	if _, err := r.read(ctx, rule, epoch, epoch, emptyParams(rule)); err != nil {
		return engineProblem(rule, err)
	}
	return r.validateScreen(ctx, rule)
}

func emptyParams(rule Rule) map[string]any {
	if rule.queryKey == "screen" {
		return screenArgs(rule, time.UnixMilli(0))
	}
	if rule.Kind.remembers() {
		return stateParams(rule)
	}
	if rule.Kind == KindSpike {
		return map[string]any{"bucket": uint32(rule.Bucket / time.Second), "with_evidence": uint8(0), "entity_uid": ""}
	}
	return map[string]any{"lookback_from": time.UnixMilli(0)}
}

// explain returns the lines of the statement's syntax tree.
func (r *Runner) explain(ctx context.Context, rule Rule) ([]string, error) {
	records, err := r.ask(ctx, rule, "EXPLAIN AST "+wrapQuery(rule.Query))
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, row := range records {
		for _, cell := range row {
			lines = append(lines, strings.Split(textOf(cell), "\n")...)
		}
	}
	return lines, nil
}

// describe returns the names and types of the columns that the query returns.
func (r *Runner) describe(ctx context.Context, rule Rule) (map[string]string, error) {
	records, err := r.ask(ctx, rule, "DESCRIBE TABLE (\n"+strings.TrimRight(rule.Query, "; \n\t")+"\n)")
	if err != nil {
		return nil, err
	}
	columns := map[string]string{}
	for _, row := range records {
		columns[textOf(row["name"])] = textOf(row["type"])
	}
	return columns, nil
}

func (r *Runner) ask(ctx context.Context, rule Rule, statement string) ([]record, error) {
	return r.readStatement(ctx, rule, statement, time.UnixMilli(0), time.UnixMilli(0), emptyParams(rule))
}

var (
	syntaxPosition = regexp.MustCompile(`\(line (\d+), col (\d+)\)`)
	syntaxError    = regexp.MustCompile(`(?s)^.*Syntax error: failed at position \d+(?: \((.*?)\))?(?: \(line \d+, col \d+\))?: .*?(?:Expected (?:one of: )?([^.]*))?\.? *$`)
	quotedWords    = regexp.MustCompile("[`'\"]([A-Za-z_][A-Za-z0-9_.]*)[`'\"]")
	errorNoise     = regexp.MustCompile(`(?s)(?:\.? \([A-Z_]+\)| \(version .*|: While (?:processing|executing).*|\.? [Ii]n scope .*)$`)
)

// refused are the codes of ClickHouse that blame the engine's state, not the rule.
var refused = []int32{159, 160, 202, 209, 210, 241, 242, 394, 516}

// engineProblem turns the engine's refusal of a query into a problem of the rule's
// file, or returns an error that has nothing to do with it.
func engineProblem(rule Rule, err error) (Problems, error) {
	var exception *clickhouse.Exception
	text := err.Error()
	if errors.As(err, &exception) {
		if slices.Contains(refused, exception.Code) {
			return nil, err
		}
		text = exception.Message
	} else if !strings.Contains(text, "DB::Exception") && !strings.Contains(text, "code: ") {
		return nil, err
	}
	line, column := 0, 0
	if m := syntaxPosition.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		column, _ = strconv.Atoi(m[2])
		line-- // wrapQuery puts one line before the rule's
	} else {
		for _, word := range quotedWords.FindAllStringSubmatch(text, -1) {
			name := word[1][strings.LastIndexByte(word[1], '.')+1:]
			var found bool
			if line, column, found = findWord(rule.Query, name); found {
				break
			}
		}
	}
	detail := "ClickHouse refuses the query: " + firstSentence(text)
	const mend = "run the query with `crmwatch query` to try it; parameters look like {name:UInt32}"
	return Problems{queryProblem(rule, line, column, detail, mend)}, nil
}

func firstSentence(text string) string {
	text = strings.TrimSpace(strings.TrimPrefix(text, "DB::Exception:"))
	if cut := strings.Index(text, "DB::Exception: "); cut >= 0 {
		text = text[cut+len("DB::Exception: "):]
	}
	text = strings.TrimRight(errorNoise.ReplaceAllString(strings.Join(strings.Fields(text), " "), ""), ". ")
	if m := syntaxError.FindStringSubmatch(text); m != nil {
		text = "syntax error"
		if m[1] != "" {
			text += " at " + m[1]
		}
		// A long list of what could stand there helps nobody.
		if m[2] != "" && !strings.Contains(m[2], ",") {
			text += ", expected " + m[2]
		}
	}
	if len(text) > 300 {
		text = text[:300] + "..."
	}
	return text
}

// queryProblem is a problem at a place in the rule's query, counted from 1; 0 is
// the query as a whole.
func queryProblem(rule Rule, line, column int, detail, mend string) Problem {
	if rule.source == nil {
		return Problem{File: rule.File, Detail: detail, Mend: mend}
	}
	key := cmp.Or(rule.queryKey, "query")
	if line < 1 {
		return rule.source.problem(detail, mend, key)
	}
	line, column = rule.source.scalarPosition(line, column, key)
	return rule.source.at(line, column, detail, mend)
}
