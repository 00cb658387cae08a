package compliance

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
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
	files := readFS(builtinFiles, "statements", "statements/")
	for _, folder := range folders {
		files = append(files, readFS(os.DirFS(folder), ".", folder+string(filepath.Separator))...)
	}
	return load(files, controls)
}

// loadedFile is a file's content, or the reason why there is none.
type loadedFile struct {
	name string
	text []byte
	err  error
}

func readFS(fsys fs.FS, folder, shown string) []loadedFile {
	entries, err := fs.ReadDir(fsys, folder)
	if err != nil {
		var pathError *fs.PathError
		if errors.As(err, &pathError) {
			err = pathError.Err
		}
		return []loadedFile{{name: strings.TrimRight(shown, "/\\"), err: fmt.Errorf("read folder of statements: %w", err)}}
	}
	var files []loadedFile
	for _, entry := range entries {
		if ext := path.Ext(entry.Name()); entry.IsDir() || ext != ".yaml" && ext != ".yml" {
			continue
		}
		text, err := fs.ReadFile(fsys, path.Join(folder, entry.Name()))
		files = append(files, loadedFile{shown + entry.Name(), text, err})
	}
	return files
}

func load(files []loadedFile, controls []detectors.Control) ([]Section, error) {
	var problems detectors.Problems
	slices.SortStableFunc(files, func(a, b loadedFile) int { return strings.Compare(base(a.name), base(b.name)) })
	var sections []Section
	taken := map[string]string{}
	for _, f := range files {
		if f.err != nil {
			problems = append(problems, detectors.Problem{File: f.name, Detail: f.err.Error(), Mend: "check that it exists and can be read"})
			continue
		}
		read, err := parseSection(f.name, f.text, controls)
		var found detectors.Problems
		if errors.As(err, &found) {
			problems = append(problems, found...)
			continue
		}
		for _, s := range read.Statements {
			if other := taken[s.ID]; other != "" {
				problems = append(problems, detectors.Problem{File: f.name, Line: s.line, Column: s.column, Detail: fmt.Sprintf("statement %s is also in %s", s.ID, other), Mend: "give each statement an id of its own"})
			}
			taken[s.ID] = f.name
		}
		i := slices.IndexFunc(sections, func(s Section) bool { return s.ID == read.ID })
		switch {
		case i >= 0:
			sections[i].Statements = append(sections[i].Statements, read.Statements...)
		case read.Title == "" || read.About == "":
			problems = append(problems, detectors.Problem{File: f.name, Line: 1, Column: 1, Detail: "the section has no title, or nothing about it", Mend: "write title: and about:, for somebody who does not know crmwatch"})
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
