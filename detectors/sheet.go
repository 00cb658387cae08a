package detectors

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"

	"github.com/crmwatch/crmwatch/schema"
)

// Sheet reads a YAML file that is no rule and has parameters, SQL and tests as rules
// have them. It collects what is wrong with the file.
type Sheet struct{ check }

// ParamFile is a parameter as a file spells it.
type ParamFile = paramFile

// SheetTest is the part of a test from which its events are made.
type SheetTest struct {
	Defaults map[string]any
	Events   []map[string]any
}

// ReadSheet reads a file of one document into a struct with yaml tags; keys that the
// struct does not have are a problem. The error is Problems.
func ReadSheet(file string, text []byte, into any) (*Sheet, error) {
	src := newSource(file, text)
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, Problems{yamlProblem(src, err)}
	}
	if len(tree.Docs) != 1 || tree.Docs[0].Body == nil {
		return nil, Problems{src.at(1, 0, fmt.Sprintf("the file holds %d documents", len(tree.Docs)), "put one into each file")}
	}
	src.root = tree.Docs[0].Body
	if err := yaml.UnmarshalWithOptions(text, into, yaml.Strict()); err != nil {
		problem := yamlProblem(src, err)
		if strings.Contains(problem.Mend, "crmwatch rules show") {
			problem.Mend = "compare it with one that ships with crmwatch"
		}
		return nil, Problems{problem}
	}
	return &Sheet{check{source: src}}, nil
}

// Add notes a problem at a path of keys (string) and indexes (int).
func (s *Sheet) Add(detail, mend string, path ...any) { s.add(detail, mend, path...) }

// Err is what was wrong, in the order of the file; nil when nothing was.
func (s *Sheet) Err() error { return s.problems.inOrder().err() }

// Params reads the parameters that stand under params, in the order of their names.
func (s *Sheet) Params(params map[string]ParamFile) []Param {
	s.file.Params = params
	return s.params()
}

// Placeholders checks that the SQL under the key query uses parameters that are given
// or declared, by their types, and that it uses all that are declared.
func (s *Sheet) Placeholders(query string, given map[string]string, params []Param) {
	used := s.used(Rule{Params: params}, "query", readSQL(query), given)
	for _, p := range params {
		if !used[p.Name] {
			s.add(fmt.Sprintf("parameter %s is declared and not used", p.Name), fmt.Sprintf("use {%s:%s} in the query, or delete it", p.Name, p.Type), "params", p.Name)
		}
	}
}

// Events makes the events of the tests, in which like, defaults and repeat mean what
// they do in rules; times count from 2026-03-02 00:00 UTC.
func (s *Sheet) Events(tests []SheetTest, defaults map[string]any, rows map[string]map[string]any) [][]TestEvent {
	s.file.TestDefaults, s.file.TestRows, s.file.Tests = defaults, rows, nil
	for _, t := range tests {
		s.file.Tests = append(s.file.Tests, testFile{Defaults: t.Defaults, Events: t.Events})
	}
	events := make([][]TestEvent, len(tests))
	for i, t := range tests {
		for j := range t.Events {
			events[i] = append(events[i], s.testEvent(i, j, testBase))
		}
	}
	return events
}

// Rows calls yield for each row of the event, in order. The event is valid until yield
// returns.
func (e TestEvent) Rows(yield func(*schema.Event)) { e.rows(yield) }

// ParseParam is a value out of YAML as a parameter's value; the error says what does not
// fit the type.
func (p Param) ParseParam(value any) (any, error) { return paramValue(p.Type, value) }

// BuiltinControls are the controls that ship with crmwatch.
func BuiltinControls() ([]Control, error) {
	var problems Problems
	var controls []Control
	for _, list := range readAll(ReadFolder(builtinFiles, "controls", "controls/"), parseControls, &problems) {
		controls = append(controls, list...)
	}
	return controls, problems.err()
}

// List is what the inventory has of a kind (networks, users or apps), an entry that
// ends with its last day after " # until ".
func (i Inventory) List(kind string) []string { return i.values(kind) }
