package detectors

import (
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/detectors/baseline"
	"github.com/crmwatch/crmwatch/schema"
)

// check turns a ruleFile into a Rule and collects what is wrong with it.
type check struct {
	source   *source
	file     ruleFile
	problems Problems
}

const (
	defaultSchedule = "*/5 * * * *"
	defaultWindow   = "24h"
	shortestWindow  = time.Minute
	longestLookback = 400 * day
)

var (
	kebabCase   = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	attackID    = regexp.MustCompile(`^T\d{4}(\.\d{3})?$`)
	entityTypes = []string{"user", "integration", "network", "service", "source"}
)

func (c *check) add(detail, mend string, path ...any) {
	c.problems = append(c.problems, c.source.problem(detail, mend, path...))
}

func (c *check) rule() Rule {
	f := c.file
	rule := Rule{
		ID: f.ID, Title: f.Title, Description: strings.TrimSpace(f.Description), Kind: Kind(f.Kind),
		EntityType: f.EntityType, Attack: f.Attack, Controls: f.Controls, Needs: Needs{f.Needs.Classes, f.Needs.Columns, f.Needs.OneOf, f.Needs.LogTypes, f.Needs.Parameters, f.Needs.Products},
		Schedule: f.Schedule, Query: f.Query, Reads: strings.TrimSpace(f.Reads), Screen: f.Screen, Message: strings.TrimSpace(f.Message),
		FalsePositives: f.FalsePositives, Runbook: f.Runbook, References: f.References,
		Metric: Metric(f.Metric), File: c.source.file, source: c.source,
	}
	c.words(&rule)
	c.times(&rule)
	c.belonging(rule.Kind)
	c.spike(&rule)
	c.firstSeen(&rule)
	c.sequence(&rule)
	c.silence(&rule)
	rule.Params = c.params()
	c.placeholders(rule)
	for i, name := range f.Needs.Parameters {
		if _, known := f.Params[name]; !known {
			c.add(fmt.Sprintf("the rule needs the parameter %q, which it does not have", name), "declare it under params:", "needs", "parameters", i)
		}
	}
	rule.Tests = c.tests()
	for i, test := range rule.Tests {
		if _, err := rule.WithParameters(test.Params); err != nil {
			c.add(err.Error(), "give a value of the declared type", "tests", i, "params")
		}
	}
	return rule
}

func (c *check) words(rule *Rule) {
	if !kebabCase.MatchString(rule.ID) {
		c.add(fmt.Sprintf("id %q is not lower-case words joined by dashes", rule.ID), "for example id: brute-force", "id")
	}
	for key, text := range map[string]string{"title": rule.Title, "description": rule.Description, "message": rule.Message, "query": rule.Query} {
		if strings.TrimSpace(text) == "" {
			c.add(key+" is missing", "a rule needs id, title, description, kind, severity, entity_type, query, message and tests", key)
		}
	}
	var known bool
	if rule.Severity, known = schema.ParseSeverity(c.file.Severity); !known {
		c.add(fmt.Sprintf("severity %q is not known", c.file.Severity), "use informational, low, medium, high or critical", "severity")
	}
	if !slices.Contains(kinds, rule.Kind) {
		c.add(fmt.Sprintf("kind %q is not known", c.file.Kind), "use query, spike, first_seen, sequence or silence", "kind")
	}
	if !slices.Contains(entityTypes, rule.EntityType) {
		c.add(fmt.Sprintf("entity_type %q is not known", rule.EntityType), "use "+strings.Join(entityTypes, ", "), "entity_type")
	}
	for i, id := range rule.Attack {
		if !attackID.MatchString(id) {
			c.add(fmt.Sprintf("%q is not an ATT&CK technique id", id), "for example T1110.003", "attack", i)
		}
	}
	c.needs(rule.Needs)
	if len(rule.Runbook) == 0 {
		c.add("runbook is missing", "list what a person does next, one step a line", "runbook")
	}
}

// needs checks what the rule wants to find in the data.
func (c *check) needs(needs Needs) {
	column := func(name string, path ...any) {
		if _, known := eventColumns[name]; !known && !slices.Contains(tableColumns, name) {
			c.add(fmt.Sprintf("the events table has no column %q", name), columnMend(name), path...)
		}
	}
	for i, name := range needs.Columns {
		column(name, "needs", "columns", i)
	}
	for i, list := range needs.OneOf {
		if len(list) < 2 {
			c.add("one_of is a list of lists of at least two columns", "write for example one_of: [[actor_user_uid, actor_user_name]]", "needs", "one_of", i)
		}
		for j, name := range list {
			column(name, "needs", "one_of", i, j)
		}
	}
	for i, class := range needs.Classes {
		if classNames[class] == "" {
			c.add(fmt.Sprintf("no log has events of class %d", class), "use a class_uid of OCSF such as 3002 (Authentication) or 6003 (API Activity)", "needs", "classes", i)
		}
	}
}

func (c *check) times(rule *Rule) {
	read := func(key, text, standard string) time.Duration {
		if text == "" {
			text = standard
		}
		d, err := parseDuration(text)
		if err != nil {
			c.add(err.Error(), "write for example 24h, 14d or 10m", key)
		}
		return d
	}
	rule.Window = read("window", c.file.Window, defaultWindow)
	rule.Lookback = read("lookback", c.file.Lookback, "0")
	rule.Lookahead = read("lookahead", c.file.Lookahead, "0")
	if rule.Window < shortestWindow || rule.Window%time.Second != 0 {
		c.add("window is not a whole number of seconds of at least a minute", "write for example 24h", "window")
	}
	if rule.Lookback < 0 || rule.Lookback > longestLookback {
		c.add("lookback is negative or longer than 400 days", "write for example 14d", "lookback")
	}
	if rule.Lookahead < 0 || rule.Lookahead > rule.Window {
		c.add("lookahead is negative or longer than the window", "write for example lookahead: 1h", "lookahead")
	}
	if rule.Schedule == "" {
		rule.Schedule = defaultSchedule
	}
	if _, err := parseSchedule(rule.Schedule); err != nil {
		c.add(err.Error(), "five fields in UTC: minute hour day month weekday, for example */5 * * * *", "schedule")
	}
}

func (c *check) spike(rule *Rule) {
	if rule.Kind != KindSpike {
		return
	}
	if !slices.Contains([]Metric{MetricCalls, MetricBytes, MetricErrors, MetricRows}, rule.Metric) {
		c.add(fmt.Sprintf("metric %q is not known", rule.Metric), "use calls, bytes, errors or rows", "metric")
	}
	rule.Bucket = c.bucket()
	rule.Guards = defaultGuards(rule.Metric)
	if g := c.file.Guards; g != nil {
		for key, set := range map[string]struct {
			to    *float64
			value float64
		}{"least": {&rule.Guards.Least, g.Least}, "ratio": {&rule.Guards.Ratio, g.Ratio}, "over_peak": {&rule.Guards.OverPeak, g.OverPeak}} {
			if set.value < 0 {
				c.add(key+" is negative", "write a number of at least 0", "guards", key)
			} else if set.value > 0 {
				*set.to = set.value
			}
		}
	}
	if rule.Lookback < baseline.WarmUp || rule.Window > rule.Lookback || rule.Lookback%rule.Window != 0 {
		c.add("lookback is shorter than the 7 days that a baseline needs, or not a whole number of windows", "write for example window: 24h and lookback: 14d", "lookback")
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

// columnMend says which column may have been meant.
func columnMend(name string) string {
	if near := closest(name, append(sortedKeys(eventColumns), tableColumns...)); len(near) > 0 {
		return "did you mean " + strings.Join(near, " or ") + "?"
	}
	return "`crmwatch query \"DESCRIBE events\"` lists the columns"
}
