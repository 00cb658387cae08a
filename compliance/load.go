package compliance

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/detectors"
)

//go:embed statements/*.yaml
var builtinFiles embed.FS

// Load reads the statements that ship with crmwatch and those of the folders beside
// them: every file named NN-SECTION.yaml, subfolders not included. Sections come in the
// order of NN; a file with the section of another adds its statements to that one.
// Statements may serve the controls handed in. The error is detectors.Problems and
// lists every one.
func Load(controls []detectors.Control, folders ...string) ([]Section, error) {
	files := detectors.ReadFolder(builtinFiles, "statements", "statements/")
	for _, folder := range folders {
		files = append(files, detectors.ReadFolder(os.DirFS(folder), ".", folder+string(filepath.Separator))...)
	}
	return load(files, controls)
}

func load(files []detectors.SheetFile, controls []detectors.Control) ([]Section, error) {
	var problems detectors.Problems
	slices.SortStableFunc(files, func(a, b detectors.SheetFile) int { return strings.Compare(base(a.Name), base(b.Name)) })
	var sections []Section
	taken := map[string]string{}
	for _, f := range files {
		if f.Err != nil {
			problems = append(problems, detectors.Problem{File: f.Name, Detail: f.Err.Error(), Mend: "check that it exists and can be read"})
			continue
		}
		read, err := parseSection(f.Name, f.Text, controls)
		var found detectors.Problems
		if errors.As(err, &found) {
			problems = append(problems, found...)
			continue
		}
		for _, s := range read.Statements {
			if other := taken[s.ID]; other != "" {
				problems = append(problems, detectors.Problem{File: f.Name, Line: s.line, Column: s.column, Detail: fmt.Sprintf("statement %s is also in %s", s.ID, other), Mend: "give each statement an id of its own"})
			}
			taken[s.ID] = f.Name
		}
		i := slices.IndexFunc(sections, func(s Section) bool { return s.ID == read.ID })
		switch {
		case i >= 0:
			sections[i].Statements = append(sections[i].Statements, read.Statements...)
		case read.Title == "" || read.About == "":
			problems = append(problems, detectors.Problem{File: f.Name, Line: 1, Column: 1, Detail: "the section has no title, or nothing about it", Mend: "write title: and about:, for somebody who does not know crmwatch"})
		default:
			sections = append(sections, read)
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return sections, nil
}

func base(name string) string { return path.Base(strings.ReplaceAll(name, "\\", "/")) }
