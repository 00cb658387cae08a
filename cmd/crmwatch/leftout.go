package main

import (
	"regexp"
	"slices"

	"github.com/crmwatch/crmwatch/agent/redact"
	"github.com/crmwatch/crmwatch/detectors"
)

var (
	sqlWord       = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)
	unmappedField = regexp.MustCompile(`unmapped\['([^']+)'\]`)
)

// mentions are columns, and fields without a column, that a rule's SQL names and that a
// source leaves out, beyond those that the rule says it needs: it sees less without them.
func mentions(rule detectors.Rule, o *redact.PrivacyOptions) (names []string) {
	if o == nil {
		return nil
	}
	text := rule.SQL()
	names = append(names, sqlWord.FindAllString(text, -1)...)
	for _, m := range unmappedField.FindAllStringSubmatch(text, -1) {
		names = append(names, "unmapped."+m[1])
	}
	slices.Sort(names)
	names = slices.Compact(names)
	needed := rule.Needs.Columns
	return slices.DeleteFunc(names, func(name string) bool { return !o.LeavesOut(name) || slices.Contains(needed, name) })
}
