package main

import (
	"fmt"
	"os"
	"slices"

	"github.com/crmwatch/crmwatch/detectors"
	"github.com/goccy/go-yaml/parser"
)

// apply leaves out the disabled rules, and sets the parameters, the schedule and the
// exceptions that the configuration file gives. What the inventory lists is added to
// the parameters that ask for it; a value of the configuration's own takes its place.
func (c rulesConfig) apply(file string, rules []detectors.Rule) ([]detectors.Rule, error) {
	for i, id := range c.Disabled {
		if _, err := findRule(rules, id); err != nil {
			return nil, placedProblem(file, fmt.Sprintf("$.rules.disabled[%d]", i), err)
		}
	}
	for id := range c.Parameters {
		if _, err := findRule(rules, id); err != nil {
			return nil, placedProblem(file, "$.rules.parameters.'"+id+"'", err)
		}
	}
	rules = slices.Clone(rules)
	if err := c.excepted(file, rules); err != nil {
		return nil, err
	}
	var kept []detectors.Rule
	for _, rule := range rules {
		if slices.Contains(c.Disabled, rule.ID) {
			continue
		}
		tuned, err := rule.WithInventory(c.known).WithParameters(c.Parameters[rule.ID])
		if err != nil {
			return nil, placedProblem(file, "$.rules.parameters.'"+rule.ID+"'", err)
		}
		if c.Schedule != "" {
			tuned.Schedule = c.Schedule
		}
		kept = append(kept, tuned)
	}
	return kept, nil
}

// placedProblem is a mistake at a place of a configuration file that has been read
// before, such as "$.rules.disabled[0]".
func placedProblem(file, place string, cause error) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return configProblem{file: file, message: cause.Error()}
	}
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		return configProblem{file: file, message: cause.Error()}
	}
	check := configCheck{path: file, file: tree}
	check.fail(place, "%v", cause)
	return check.problems[0]
}
