package detectors

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// Control is a requirement of a framework that rules can serve.
type Control struct {
	// ID is the framework's name and the control's id in it, as "ISO 27001:2022 A.8.16".
	ID, Title string
}

// controlFile lists the controls of some frameworks as they were on a day.
type controlFile struct {
	AsOf       string `yaml:"as_of"`
	Frameworks []struct {
		Name     string            `yaml:"name"`
		Source   string            `yaml:"source"`
		Controls map[string]string `yaml:"controls"`
	} `yaml:"frameworks"`
}

// parseControls reads one file; the error is Problems.
func parseControls(file string, text []byte) ([]Control, error) {
	var f controlFile
	src := newSource(file, text)
	if err := yaml.UnmarshalWithOptions(text, &f, yaml.Strict()); err != nil {
		return nil, Problems{yamlProblem(src, err)}
	}
	fail := func(detail, mend string) error { return Problems{src.at(0, 0, detail, mend)} }
	if _, err := time.Parse(time.DateOnly, f.AsOf); err != nil {
		return nil, fail(fmt.Sprintf("as_of %q is not a day", f.AsOf), "write for example as_of: 2026-03-01; frameworks change")
	}
	var controls []Control
	for _, framework := range f.Frameworks {
		if framework.Name == "" || len(framework.Controls) == 0 {
			return nil, fail("a framework has no name, or no controls", "write name: PCI DSS 4.0 and controls: {10.2: Audit logs}")
		}
		for id, title := range framework.Controls {
			if id == "" || title == "" {
				return nil, fail(fmt.Sprintf("a control of %s has no id, or no title", framework.Name), "write the title beside the id")
			}
			controls = append(controls, Control{framework.Name + " " + id, title})
		}
	}
	return controls, nil
}

// checkControls finds the controls of a rule that are on no list.
func (r Rule) checkControls(known []Control) (problems Problems) {
	for i, id := range r.Controls {
		if slices.ContainsFunc(known, func(c Control) bool { return c.ID == id }) {
			continue
		}
		ids := make([]string, len(known))
		for j, c := range known {
			ids[j] = c.ID
		}
		mend := "write for example ISO 27001:2022 A.8.16; a file in the folder controls beside your rules adds to the list"
		if near := closest(id, ids); len(near) > 0 {
			mend = "did you mean " + strings.Join(near, " or ") + "?"
		}
		problems = append(problems, r.source.problem(fmt.Sprintf("%q is on no list of controls", id), mend, "controls", i))
	}
	return problems
}

// withTitles gives the rule the titles of its controls.
func (r Rule) withTitles(known []Control) Rule {
	r.controlTitles = map[string]string{}
	for _, c := range known {
		if slices.Contains(r.Controls, c.ID) {
			r.controlTitles[c.ID] = c.Title
		}
	}
	return r
}

// ControlTitle is what a control of the rule is called; empty for a rule that was not
// loaded from a folder.
func (r Rule) ControlTitle(id string) string { return r.controlTitles[id] }

var numbers = regexp.MustCompile(`\d+`)

// CompareControls orders ids of controls as their frameworks do: A.5.7 before A.5.17.
func CompareControls(a, b string) int {
	pad := func(id string) string {
		return numbers.ReplaceAllStringFunc(id, func(n string) string { return fmt.Sprintf("%06s", n) })
	}
	return cmp.Compare(pad(a), pad(b))
}
