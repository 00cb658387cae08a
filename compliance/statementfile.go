package compliance

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/crmwatch/crmwatch/detectors"
)

// sectionFile is a section as its file spells it.
type sectionFile struct {
	Section    string          `yaml:"section"`
	Title      string          `yaml:"title"`
	About      string          `yaml:"about"`
	Statements []statementFile `yaml:"statements"`
}

type statementFile struct {
	ID       string                `yaml:"id"`
	Title    string                `yaml:"title"`
	Controls []string              `yaml:"controls"`
	Show     string                `yaml:"show"`
	Front    string                `yaml:"front"`
	Says     string                `yaml:"says"`
	Columns  map[string]columnFile `yaml:"columns"`
	Query    string                `yaml:"query"`
	Empty    string                `yaml:"empty"`
	Limit    *int                  `yaml:"limit"`
}

type columnFile struct {
	Title string `yaml:"title"`
	Unit  string `yaml:"unit"`
	Front bool   `yaml:"front"`
}

// shownRows is how many rows are shown unless a statement says otherwise.
const shownRows = 20

var (
	statementName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	fileName      = regexp.MustCompile(`^[0-9]{2}-([a-z0-9-]+)\.ya?ml$`)
	columnName    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// statementCheck reads one file and collects what is wrong with it.
type statementCheck struct {
	file     string
	lines    []string
	tree     *ast.File
	controls []detectors.Control
	problems detectors.Problems
}

// parseSection reads one file of statements and checks all that needs no engine. The
// error is detectors.Problems.
func parseSection(file string, text []byte, controls []detectors.Control) (Section, error) {
	c := &statementCheck{file: file, lines: strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n"), controls: controls}
	for i, line := range c.lines {
		if !utf8.ValidString(line) {
			return Section{}, detectors.Problems{{File: file, Line: i + 1, Column: 1, Detail: "the line is no UTF-8", Mend: "save the file as UTF-8"}}
		}
	}
	var read sectionFile
	if err := yaml.UnmarshalWithOptions(text, &read, yaml.Strict()); err != nil {
		return Section{}, detectors.Problems{c.yamlProblem(err)}
	}
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		return Section{}, detectors.Problems{c.yamlProblem(err)}
	}
	c.tree = tree
	section := c.section(read)
	slices.SortStableFunc(c.problems, func(a, b detectors.Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Detail, b.Detail))
	})
	if len(c.problems) > 0 {
		return Section{}, c.problems
	}
	return section, nil
}

func (c *statementCheck) section(read sectionFile) Section {
	named := fileName.FindStringSubmatch(path.Base(strings.ReplaceAll(c.file, "\\", "/")))
	switch {
	case named == nil:
		c.fail("$", "the file's name says no place and no section", "call it NN-SECTION.yaml, such as 20-authentication.yaml: sections come in the order of NN")
	case read.Section == "":
		c.fail("$", "section is missing", "write section: "+named[1])
	case read.Section != named[1]:
		c.fail("$.section", fmt.Sprintf("section is %q, and the file is called %s", read.Section, path.Base(c.file)), "call both the same")
	}
	if len(read.Statements) == 0 {
		c.fail("$.statements", "the section has no statement", "write statements: and at least one, with id:, title:, show:, query: and empty:")
	}
	section := Section{ID: read.Section, Title: plainText(read.Title), About: plainText(read.About)}
	first := map[string]bool{}
	for i, s := range read.Statements {
		at := fmt.Sprintf("$.statements[%d]", i)
		if first[s.ID] && s.ID != "" {
			c.fail(at+".id", fmt.Sprintf("id %s is taken", s.ID), "give each statement an id of its own")
		}
		first[s.ID] = true
		section.Statements = append(section.Statements, c.statement(at, s))
	}
	return section
}

func (c *statementCheck) statement(at string, read statementFile) Statement {
	s := Statement{
		ID: read.ID, Title: plainText(read.Title), Controls: read.Controls, Show: Show(read.Show), Front: Front(read.Front),
		Query: strings.TrimRight(read.Query, "; \n\t"), Empty: plainText(read.Empty), Limit: shownRows, Columns: map[string]ColumnFormat{},
	}
	s.line, s.column = c.position(at)
	if !statementName.MatchString(read.ID) {
		c.fail(at+".id", fmt.Sprintf("id %q is not a name", read.ID), "write lower case words with dashes between, such as failed-logins: links and the names of CSV files are made of it")
	}
	if s.Title == "" {
		c.fail(at+".title", "the statement has no title", "write title: and what is asked, in a few words")
	}
	if s.Empty == "" {
		c.fail(at+".empty", "the statement does not say why it may be empty", "write empty: and why no row came back, and what would put something here")
	}
	c.word(at+".show", "show", read.Show, string(ShowFigures), string(ShowTable), string(ShowTrend), string(ShowList))
	if read.Front != "" {
		c.word(at+".front", "front", read.Front, string(FrontAttention), string(FrontUnmonitored))
		if read.Says == "" {
			c.fail(at+".front", "front puts the sentence on the front page, and there is none", "write says:")
		}
	}
	if read.Limit != nil {
		s.Limit = *read.Limit
		if s.Limit < 1 || s.Limit > 1000 {
			c.fail(at+".limit", fmt.Sprintf("limit is %d", s.Limit), "write 1 to 1000: what is beyond it is in the CSV annex and in the JSON")
		}
	}
	c.checkControls(at, read.Controls)
	for name, column := range read.Columns {
		c.column(at, name, column, s.Show)
		s.Columns[name] = ColumnFormat{Title: plainText(column.Title), Unit: Unit(column.Unit), Front: column.Front}
	}
	c.query(at, s.Query)
	s.says = c.says(at, read.Says)
	return s
}

func (c *statementCheck) column(at, name string, column columnFile, show Show) {
	place := at + ".columns"
	if columnName.MatchString(name) {
		place += "." + name
	} else {
		c.fail(place, fmt.Sprintf("column %q has a name that sentences cannot use", name), "give it a name of letters, digits and _ in the query: ... AS failed")
	}
	if column.Front && show != ShowFigures {
		c.fail(place, "only figures go to the front page", "write show: figures, or leave front out; a statement's sentence goes there with front: attention")
	}
	if strings.ContainsAny(column.Unit, "\n<>") || len(column.Unit) > 20 {
		c.fail(place, fmt.Sprintf("unit %q is none", column.Unit), "write bytes, ms, s, percent, or a word")
	}
}

func (c *statementCheck) checkControls(at string, ids []string) {
	known := make([]string, len(c.controls))
	for i, control := range c.controls {
		known[i] = control.ID
	}
	if len(ids) == 0 {
		c.fail(at+".controls", "the statement serves no control", "write controls: [ISO 27001:2022 A.8.16]; an auditor looks statements up by them")
	}
	for i, id := range ids {
		if slices.Contains(known, id) {
			continue
		}
		mend := "write for example ISO 27001:2022 A.8.16; a file in the folder controls beside your rules adds to the list"
		if near := detectors.Closest(id, known); len(near) > 0 {
			mend = "did you mean " + strings.Join(near, " or ") + "?"
		}
		c.fail(fmt.Sprintf("%s.controls[%d]", at, i), fmt.Sprintf("%q is on no list of controls", id), mend)
	}
}

func (c *statementCheck) word(at, key, value string, words ...string) {
	if slices.Contains(words, value) {
		return
	}
	if value == "" {
		c.fail(at, key+" is missing", "write "+key+": "+strings.Join(words, ", or "))
		return
	}
	c.fail(at, fmt.Sprintf("%s is %q", key, value), "write "+strings.Join(words, " or "))
}

// plainText joins the lines of a text that YAML kept apart.
func plainText(text string) string { return strings.Join(strings.Fields(text), " ") }

// yamlProblem turns the YAML package's error into ours.
func (c *statementCheck) yamlProblem(err error) detectors.Problem {
	problem := detectors.Problem{File: c.file, Detail: err.Error(), Mend: "mend the YAML: keys and lists are indented with spaces, and text with ': ' or '#' inside is quoted"}
	var positioned yaml.Error
	if !errors.As(err, &positioned) {
		return problem
	}
	problem.Detail = positioned.GetMessage()
	var unknown *yaml.UnknownFieldError
	var duplicate *yaml.DuplicateKeyError
	var mismatch *yaml.TypeError
	var unexpected *yaml.UnexpectedNodeTypeError
	switch {
	case errors.As(err, &unknown):
		problem.Detail = strings.Replace(problem.Detail, "field", "key", 1)
		problem.Mend = "the keys are " + strings.Join(statementKeys, ", ")
		if near := detectors.Closest(positioned.GetToken().Value, statementKeys); len(near) > 0 {
			problem.Mend = "did you mean " + strings.Join(near, " or ") + "?"
		}
	case errors.As(err, &duplicate), strings.Contains(problem.Detail, "already defined"):
		problem.Mend = "keep one of the two"
	case errors.As(err, &mismatch), errors.As(err, &unexpected):
		problem.Mend = "compare with a statement that ships with crmwatch: docs/compliance.md"
	}
	if token := positioned.GetToken(); token != nil && token.Position != nil {
		problem.Line, problem.Column = token.Position.Line, token.Position.Column
		problem.Source = c.source(problem.Line)
	}
	return problem
}

// statementKeys are all keys of a file of statements, at whatever depth.
var statementKeys = []string{"section", "title", "about", "statements", "id", "controls", "show", "front", "says", "columns", "unit", "query", "empty", "limit"}

func (c *statementCheck) source(line int) string {
	if line < 1 || line > len(c.lines) {
		return ""
	}
	return c.lines[line-1]
}

// fail records a problem at a place such as "$.statements[0].query"; where that does
// not exist, at what would hold it.
func (c *statementCheck) fail(at, detail, mend string) {
	line, column := c.position(at)
	c.failAt(line, column, detail, mend)
}

func (c *statementCheck) failAt(line, column int, detail, mend string) {
	c.problems = append(c.problems, detectors.Problem{File: c.file, Line: line, Column: column, Source: c.source(line), Detail: detail, Mend: mend})
}

func (c *statementCheck) position(at string) (line, column int) {
	for at != "$" {
		if node := c.node(at); node != nil && node.GetToken() != nil {
			position := node.GetToken().Position
			if mapping, is := node.(*ast.MappingNode); is && len(mapping.Values) > 0 {
				position = mapping.Values[0].Key.GetToken().Position
			}
			return position.Line, position.Column
		}
		cut := strings.LastIndexAny(at, ".[")
		if cut <= 0 {
			break
		}
		at = at[:cut]
	}
	return 1, 1
}

func (c *statementCheck) node(at string) ast.Node {
	p, err := yaml.PathString(at)
	if err != nil {
		return nil
	}
	node, err := p.FilterFile(c.tree)
	if err != nil {
		return nil
	}
	return node
}
