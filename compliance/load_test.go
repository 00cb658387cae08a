package compliance

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crmwatch/crmwatch/detectors"
)

const goodSection = `section: own
title: Own
about: Statements of our own.
statements:
  - id: rows
    title: Rows
    controls: [GDPR 32]
    show: table
    query: |
      SELECT 1 AS a
      FROM events
      WHERE time >= {from:DateTime64(3)}
          AND time < {to:DateTime64(3)} AND metadata_tenant_uid = {tenant:String}
    empty: Nothing.
`

func TestMistakesInStatements(t *testing.T) {
	for name, c := range map[string]struct {
		file, from, to string
		// want are the place and words of the detail and of the mend.
		want []string
	}{
		"good":                 {},
		"comments first":       {from: "SELECT 1 AS a", to: "-- why\n      /* and\n      more */ SELECT 1 AS a"},
		"no key of that name":  {from: "show: table", to: "shows: table", want: []string{`80-own.yaml:8:5: unknown key "shows"`, "did you mean show?"}},
		"key twice":            {from: "show: table", to: "show: table\n    show: list", want: []string{"80-own.yaml:9:5", "keep one of the two"}},
		"not YAML":             {from: "show: table", to: "show: [table", want: []string{"80-own.yaml:"}},
		"list for a text":      {from: "title: Rows", to: "title: [a, b]", want: []string{"80-own.yaml:6:12", "docs/compliance.md"}},
		"another section":      {from: "section: own", to: "section: other", want: []string{`80-own.yaml:1:10: section is "other"`, "call both the same"}},
		"no section":           {from: "section: own\n", want: []string{"80-own.yaml:1:1: section is missing", "write section: own"}},
		"file without number":  {file: "own.yaml", want: []string{"own.yaml:1:1", "NN-SECTION.yaml"}},
		"no statement":         {from: goodSection[strings.Index(goodSection, "  - id"):], to: "  []\n", want: []string{"80-own.yaml:5:3: the section has no statement"}},
		"nothing about it":     {from: "about: Statements of our own.\n", want: []string{"80-own.yaml:1:1: the section has no title, or nothing about it"}},
		"id with a space":      {from: "id: rows", to: "id: my rows", want: []string{`80-own.yaml:5:9: id "my rows" is not a name`, "failed-logins"}},
		"id that leaves":       {from: "id: rows", to: "id: ../rows", want: []string{"80-own.yaml:5:9"}},
		"no title":             {from: "    title: Rows\n", want: []string{"80-own.yaml:5:5: the statement has no title"}},
		"no empty":             {from: "    empty: Nothing.\n", want: []string{"80-own.yaml:5:5: the statement does not say why it may be empty", "what would put something here"}},
		"unknown show":         {from: "show: table", to: "show: pie", want: []string{`80-own.yaml:8:11: show is "pie"`, "figures or table or trend or list"}},
		"no show":              {from: "    show: table\n", want: []string{"80-own.yaml:5:5: show is missing"}},
		"unknown control":      {from: "[GDPR 32]", to: "[GDPR 32, ISO 27001:2022 A.8.61]", want: []string{`80-own.yaml:7:25: "ISO 27001:2022 A.8.61" is on no list`, "did you mean ISO 27001:2022 A.8.1"}},
		"no control":           {from: "    controls: [GDPR 32]\n", want: []string{"80-own.yaml:5:5: the statement serves no control"}},
		"no query":             {from: goodSection[strings.Index(goodSection, "    query:"):strings.Index(goodSection, "    empty:")], want: []string{"80-own.yaml:5:5: the statement has no query"}},
		"a comment and DROP":   {from: "SELECT 1 AS a", to: "-- SELECT\n      DROP TABLE events --", want: []string{"the query does not begin with SELECT or WITH"}},
		"a query that writes":  {from: "SELECT 1 AS a", to: "DROP TABLE events --", want: []string{"80-own.yaml:9:12: the query does not begin with SELECT or WITH"}},
		"unknown parameter":    {from: "AND time < {to:DateTime64(3)} AND", to: "AND time < {until:DateTime64(3)} AND", want: []string{"80-own.yaml:13:22: the query uses parameter until, which there is not", "{to:DateTime64(3)}"}},
		"parameter's type":     {from: "{tenant:String}", to: "{tenant:UInt8}", want: []string{"80-own.yaml:13:67: the query uses parameter tenant as UInt8", "write {tenant:String}"}},
		"no end":               {from: "AND time < {to:DateTime64(3)} ", want: []string{"80-own.yaml:9:12: the query has a beginning and no end"}},
		"sentence":             {from: "show: table", to: "show: table\n    says: '{{.a'", want: []string{"80-own.yaml:9:11: the sentence does not parse", "percent PART WHOLE"}},
		"unknown function":     {from: "show: table", to: "show: table\n    says: '{{bytes .a}}'", want: []string{"80-own.yaml:9:11", `"bytes" not defined`}},
		"front":                {from: "show: table", to: "show: table\n    front: top\n    says: x", want: []string{`80-own.yaml:9:12: front is "top"`, "attention or unmonitored"}},
		"front says nothing":   {from: "show: table", to: "show: table\n    front: attention", want: []string{"80-own.yaml:9:12", "write says:"}},
		"figure that is none":  {from: "show: table", to: "show: table\n    columns:\n      a: {title: A, front: true}", want: []string{"80-own.yaml:10:11: only figures go to the front page"}},
		"column name":          {from: "show: table", to: "show: table\n    columns:\n      count(): {title: A}", want: []string{`80-own.yaml:10:7: column "count()" has a name that sentences cannot use`}},
		"unit":                 {from: "show: table", to: "show: table\n    columns:\n      a: {title: A, unit: '<b>'}", want: []string{`80-own.yaml:10:11: unit "<b>" is none`}},
		"limit":                {from: "show: table", to: "show: table\n    limit: 5000", want: []string{"80-own.yaml:9:12: limit is 5000", "1 to 1000"}},
		"id of another file's": {from: "id: rows", to: "id: taken", want: []string{"80-own.yaml:5:5: statement taken is also in 10-other.yaml"}},
		"no UTF-8":             {from: "title: Rows", to: "title: R\xffows", want: []string{"80-own.yaml:6:1: the line is no UTF-8"}},
		"two mistakes":         {from: "show: table", to: "show: pie\n    limit: 0", want: []string{`show is "pie"`, "limit is 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			if name != "good" && c.from != "" && !strings.Contains(goodSection, c.from) {
				t.Fatalf("%q is not in the good file", c.from)
			}
			file := c.file
			if file == "" {
				file = "80-own.yaml"
			}
			neighbour := strings.NewReplacer("section: own", "section: other", "id: rows", "id: taken").Replace(goodSection)
			sections, err := load([]detectors.SheetFile{{Name: "folder/" + file, Text: []byte(strings.Replace(goodSection, c.from, c.to, 1))}, {Name: "10-other.yaml", Text: []byte(neighbour)}}, knownControls(t))
			if len(c.want) == 0 {
				if err != nil || sections[len(sections)-1].ID != "own" {
					t.Fatalf("a good file: %v", err)
				}
				return
			}
			var problems detectors.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("no problem is found (%v)", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in\n%v", want, err)
				}
			}
		})
	}
}

func TestFoldersOfStatements(t *testing.T) {
	folder := t.TempDir()
	more := strings.NewReplacer("section: own", "section: authentication", "title: Own\n", "", "about: Statements of our own.\n", "").Replace(goodSection)
	if err := os.WriteFile(filepath.Join(folder, "05-own.yaml"), []byte(goodSection), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "99-authentication.yaml"), []byte(strings.Replace(more, "id: rows", "id: more", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	sections, err := Load(knownControls(t), folder)
	if err != nil {
		t.Fatal(err)
	}
	if sections[0].ID != "own" {
		t.Errorf("05-own.yaml is not first: %s", sections[0].ID)
	}
	for _, section := range sections {
		if last := section.Statements[len(section.Statements)-1].ID; section.ID == "authentication" && last != "more" {
			t.Errorf("the last statement about authentication is %s", last)
		}
	}
	if _, err := Load(knownControls(t), filepath.Join(folder, "missing")); err == nil || !strings.Contains(err.Error(), "missing: read folder") {
		t.Errorf("a folder that is not there: %v", err)
	}
}
