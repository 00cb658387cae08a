package posture

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/detectors"
)

// checkFile is a check as its YAML file spells it.
type checkFile struct {
	ID           string                         `yaml:"id"`
	Title        string                         `yaml:"title"`
	Why          string                         `yaml:"why"`
	Question     string                         `yaml:"question"`
	Things       []string                       `yaml:"things"`
	Controls     []string                       `yaml:"controls"`
	Params       map[string]detectors.ParamFile `yaml:"params"`
	NeedsParams  []string                       `yaml:"needs_parameters"`
	Needs        map[string]string              `yaml:"needs"`
	Query        string                         `yaml:"query"`
	Limits       string                         `yaml:"limits"`
	Mend         map[string]string              `yaml:"mend"`
	TestDefaults map[string]any                 `yaml:"test_defaults"`
	TestRows     map[string]map[string]any      `yaml:"test_rows"`
	Tests        []testFile                     `yaml:"tests"`
}

type testFile struct {
	Name     string           `yaml:"name"`
	Params   map[string]any   `yaml:"params"`
	Defaults map[string]any   `yaml:"defaults"`
	Events   []map[string]any `yaml:"events"`
	Expect   Expectation      `yaml:"expect"`
}

// given are the parameters that every query has.
func (s Shared) given() map[string]string {
	given := map[string]string{"from": "DateTime64(3)", "to": "DateTime64(3)", "history_from": "DateTime64(3)"}
	for _, p := range s.Params {
		given[p.Name] = p.Type
	}
	return given
}

var kebabCase = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// Parse reads a check and says everything that is wrong with it and needs no engine. The
// error is detectors.Problems.
func Parse(file string, text []byte, shared Shared, controls []detectors.Control) (Check, error) {
	var f checkFile
	sheet, err := detectors.ReadSheet(file, text, &f)
	if err != nil {
		return Check{}, err
	}
	c := Check{ID: f.ID, Title: f.Title, Why: oneLine(f.Why), Question: oneLine(f.Question), Controls: f.Controls, NeedsParams: f.NeedsParams,
		Needs: f.Needs, Query: strings.TrimRight(f.Query, "; \n"), Mend: f.Mend, Limits: oneLine(f.Limits), File: file, text: text}
	if !kebabCase.MatchString(f.ID) {
		sheet.Add(fmt.Sprintf("id %q is not lower-case words joined by dashes", f.ID), "for example id: oauth-used", "id")
	}
	for key, text := range map[string]string{"title": f.Title, "why": f.Why, "question": f.Question, "query": f.Query} {
		if strings.TrimSpace(text) == "" {
			sheet.Add(key+" is missing", "a check needs id, title, why, question, things, controls, needs, query, mend and tests", key)
		}
	}
	if len(f.Things) == 2 {
		c.Singular, c.Plural = f.Things[0], f.Things[1]
	} else {
		sheet.Add("things does not name one and several", "write for example things: [integration, integrations]", "things")
	}
	for key, said := range map[string]map[string]string{"needs": f.Needs, "mend": f.Mend} {
		if len(said) == 0 {
			sheet.Add(key+" is missing", "say it by product (Salesforce), family (Microsoft, gateways, middleware), or any", key)
		}
	}
	for i, id := range f.Controls {
		if !slices.ContainsFunc(controls, func(c detectors.Control) bool { return c.ID == id }) {
			sheet.Add(fmt.Sprintf("%q is on no list of controls", id), "write for example ISO 27001:2022 A.8.5", "controls", i)
		}
	}
	c.Params = sheet.Params(f.Params)
	for i, name := range f.NeedsParams {
		if _, known := c.param(name); !known {
			sheet.Add(fmt.Sprintf("the check needs the parameter %q, which it does not have", name), "declare it under params:", "needs_parameters", i)
		}
	}
	sheet.Placeholders(c.Query, shared.given(), c.Params)
	c.Tests = readTests(sheet, f, c)
	return c, sheet.Err()
}

// readTests reads the tests, and says which verdicts they do not come to.
func readTests(sheet *detectors.Sheet, f checkFile, c Check) []Test {
	sources := make([]detectors.SheetTest, len(f.Tests))
	for i, t := range f.Tests {
		sources[i] = detectors.SheetTest{Defaults: t.Defaults, Events: t.Events}
	}
	events := sheet.Events(sources, f.TestDefaults, f.TestRows)
	seen := map[Verdict]bool{}
	var tests []Test
	for i, t := range f.Tests {
		if t.Name == "" {
			sheet.Add("a test has no name", "say in a few words what happens in it", "tests", i)
		}
		if _, known := ParseVerdict(string(t.Expect.Verdict)); !known {
			sheet.Add(fmt.Sprintf("verdict %q is not known", t.Expect.Verdict), "expect pass, attention, fail or cannot judge", "tests", i, "expect")
		}
		if _, err := c.WithParameters(t.Params); err != nil {
			sheet.Add(err.Error(), "give a value of the declared type", "tests", i, "params")
		}
		seen[t.Expect.Verdict] = true
		tests = append(tests, Test{t.Name, t.Params, events[i], t.Expect})
	}
	for what, proved := range map[string]bool{"passes": seen[Pass], "does not pass": seen[Attention] || seen[Fail], "cannot be judged": seen[CannotJudge]} {
		if !proved {
			sheet.Add("no test in which it "+what, "a check proves itself with at least one test of each: pass, attention or fail, cannot judge", "tests")
		}
	}
	return tests
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// WithParameters is the check with other values for some of its parameters. The error
// names a parameter that it does not have, or a value that does not fit.
func (c Check) WithParameters(values map[string]any) (Check, error) {
	params, err := withValues(c.Params, values)
	if err != nil {
		return Check{}, fmt.Errorf("check %s: %w", c.ID, err)
	}
	c.Params = params
	return c, nil
}

func withValues(params []detectors.Param, values map[string]any) ([]detectors.Param, error) {
	params = slices.Clone(params)
	for name, value := range values {
		i := slices.IndexFunc(params, func(p detectors.Param) bool { return p.Name == name })
		if i < 0 {
			names := make([]string, len(params))
			for j, p := range params {
				names[j] = p.Name
			}
			return nil, fmt.Errorf("there is no parameter %q: it has %s", name, strings.Join(names, ", "))
		}
		read, err := params[i].ParseParam(value)
		if err != nil {
			return nil, fmt.Errorf("parameter %s: %w", name, err)
		}
		params[i].Value = read
	}
	return params, nil
}
