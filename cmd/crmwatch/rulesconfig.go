package main

import (
	"fmt"
	"slices"

	"github.com/crmwatch/crmwatch/detectors"
)

// apply leaves out the disabled rules and sets the parameters and the schedule
// that the configuration file gives.
func (c rulesConfig) apply(file string, rules []detectors.Rule) ([]detectors.Rule, error) {
	for _, id := range c.Disabled {
		if _, err := findRule(rules, id); err != nil {
			return nil, configProblem{file: file, message: "rules.disabled: " + err.Error()}
		}
	}
	for id := range c.Parameters {
		if _, err := findRule(rules, id); err != nil {
			return nil, configProblem{file: file, message: "rules.parameters: " + err.Error()}
		}
	}
	var kept []detectors.Rule
	for _, rule := range rules {
		if slices.Contains(c.Disabled, rule.ID) {
			continue
		}
		rule, err := rule.WithParameters(c.Parameters[rule.ID])
		if err != nil {
			return nil, configProblem{file: file, message: fmt.Sprintf("rules.parameters.%s: %v", rule.ID, err)}
		}
		if c.Schedule != "" {
			rule.Schedule = c.Schedule
		}
		kept = append(kept, rule)
	}
	return kept, nil
}
