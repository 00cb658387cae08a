package detectors

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
)

//go:embed rules/*.yaml advisories/*.yaml controls/*.yaml
var builtinFiles embed.FS

// Builtin reads the rules that ship with crmwatch, in the order of their ids.
func Builtin() ([]Rule, error) {
	return load(ReadFolder(builtinFiles, "rules", "rules/"), ReadFolder(builtinFiles, "advisories", "advisories/"), ReadFolder(builtinFiles, "controls", "controls/"))
}

// Builtin says whether the rule ships with crmwatch. No other can have its id.
func (r Rule) Builtin() bool {
	_, err := fs.Stat(builtinFiles, "rules/"+r.ID+".yaml")
	return err == nil
}

// Own are the rules that do not ship with crmwatch. The others have been through the
// tests of this project, on the engine that it ships with.
func Own(rules []Rule) []Rule {
	return slices.DeleteFunc(slices.Clone(rules), Rule.Builtin)
}

// Load reads the built-in rules and those of the folders beside them: every file
// named *.yaml or *.yml, subfolders not included but advisories, whose files add to
// the lists of attackers' clients and networks, and controls, whose files add to the
// list of controls that rules may name. It returns the rules that are
// right even when others are not; the error is then Problems and lists every one.
func Load(folders ...string) ([]Rule, error) {
	files := ReadFolder(builtinFiles, "rules", "rules/")
	warnings := ReadFolder(builtinFiles, "advisories", "advisories/")
	controls := ReadFolder(builtinFiles, "controls", "controls/")
	for _, folder := range folders {
		files = append(files, ReadFolder(os.DirFS(folder), ".", folder+string(filepath.Separator))...)
		if own := filepath.Join(folder, "advisories"); isFolder(own) {
			warnings = append(warnings, ReadFolder(os.DirFS(own), ".", own+string(filepath.Separator))...)
		}
		if own := filepath.Join(folder, "controls"); isFolder(own) {
			controls = append(controls, ReadFolder(os.DirFS(own), ".", own+string(filepath.Separator))...)
		}
	}
	return load(files, warnings, controls)
}

// Controls reads the list of controls that ships with crmwatch, and what the folders of
// rules add to it.
func Controls(folders ...string) ([]Control, error) {
	files := ReadFolder(builtinFiles, "controls", "controls/")
	for _, folder := range folders {
		if own := filepath.Join(folder, "controls"); isFolder(own) {
			files = append(files, ReadFolder(os.DirFS(own), ".", own+string(filepath.Separator))...)
		}
	}
	var problems Problems
	controls := slices.Concat(readAll(files, parseControls, &problems)...)
	slices.SortFunc(controls, func(a, b Control) int { return CompareControls(a.ID, b.ID) })
	return controls, problems.err()
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// readAll parses files that belong to the rules, and collects what is wrong with them.
func readAll[T any](files []SheetFile, parse func(string, []byte) (T, error), problems *Problems) (all []T) {
	for _, f := range files {
		if f.Err != nil {
			*problems = append(*problems, Problem{File: f.Name, Detail: f.Err.Error(), Mend: "check that it can be read"})
			continue
		}
		read, err := parse(f.Name, f.Text)
		var found Problems
		if errors.As(err, &found) {
			*problems = append(*problems, found...)
			continue
		}
		all = append(all, read)
	}
	return all
}

func load(files, warnings, lists []SheetFile) ([]Rule, error) {
	var rules []Rule
	var problems Problems
	advisories := readAll(warnings, parseAdvisory, &problems)
	controls := slices.Concat(readAll(lists, parseControls, &problems)...)
	first := map[string]string{}
	for _, f := range files {
		if f.Err != nil {
			problems = append(problems, Problem{File: f.Name, Detail: f.Err.Error(), Mend: "check that it exists and can be read"})
			continue
		}
		rule, err := Parse(f.Name, f.Text)
		if err != nil {
			var found Problems
			if errors.As(err, &found) {
				problems = append(problems, found...)
			}
			continue
		}
		if other, taken := first[rule.ID]; taken {
			problems = append(problems, rule.source.problem(fmt.Sprintf("id %s is also that of %s", rule.ID, other), "give each rule an id of its own", "id"))
			continue
		}
		first[rule.ID] = f.Name
		if unknown := rule.checkControls(controls); len(unknown) > 0 {
			problems = append(problems, unknown...)
			continue
		}
		rules = append(rules, rule.extend(advisories).withTitles(controls))
	}
	sort.Slice(rules, func(i, j int) bool { return rules[i].ID < rules[j].ID })
	sort.SliceStable(problems, func(i, j int) bool {
		a, b := problems[i], problems[j]
		return a.File < b.File || a.File == b.File && a.Line < b.Line
	})
	return rules, problems.err()
}
