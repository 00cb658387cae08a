package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/detectors"
)

// exceptionConfig says what is expected of some rules, and until when. All of the lists
// that it has must fit a finding, and one entry of each.
type exceptionConfig struct {
	// Rules are ids; * stands for any text.
	Rules []string `yaml:"rules"`
	// Networks are groups of the inventory, addresses and CIDR ranges.
	Networks []string `yaml:"networks"`
	// Users and Apps are groups of the inventory, ids and names.
	Users []string `yaml:"users"`
	Apps  []string `yaml:"apps"`
	// Action is suppress, or note.
	Action string `yaml:"action"`
	Reason string `yaml:"reason"`
	// From and Until are the first and the last day, in UTC.
	From  string `yaml:"from"`
	Until string `yaml:"until"`
}

// The actions of an exception.
const (
	actionSuppress = "suppress"
	actionNote     = "note"
)

// exceptions checks the exceptions and reads them, in their order.
func (c *configCheck) exceptions(list []exceptionConfig, known inventory) []detectors.Exception {
	found := make([]detectors.Exception, len(list))
	for i, e := range list {
		place := fmt.Sprintf("$.rules.exceptions[%d]", i)
		read := detectors.Exception{
			Reason: strings.Join(strings.Fields(e.Reason), " "), Note: e.Action == actionNote,
			From: c.day(place+".from", e.From), Until: c.until(place+".until", e.Until),
		}
		if len(e.Rules) == 0 {
			c.fail(place, "the exception names no rules: write for example rules: [integration-new-network]")
		}
		if read.Reason == "" {
			c.fail(place, "the exception has no reason: say why, such as reason: our VPN leaves in two countries; it is shown wherever the exception is counted")
		}
		if len(e.Networks)+len(e.Users)+len(e.Apps) == 0 {
			c.fail(place, "the exception names neither networks, nor users, nor apps: name some, or switch the rule off with rules.disabled")
		}
		if e.Action != "" && e.Action != actionSuppress && e.Action != actionNote {
			c.fail(place+".action", "the action is %q: use suppress (counted, and no finding) or note (an informational finding)", e.Action)
		}
		if !read.From.IsZero() && !read.Until.IsZero() && !read.From.Before(read.Until) {
			c.fail(place+".until", "the exception ends on %s, before it begins on %s: exchange the two", e.Until, e.From)
		}
		groups := slices.Sorted(maps.Keys(known.networks))
		for j, text := range e.Networks {
			if of, ok := known.networks[text]; ok {
				read.Networks = append(read.Networks, of...)
			} else if network, ok := c.network(fmt.Sprintf("%s.networks[%d]", place, j), text, append([]string{}, groups...)); ok {
				read.Networks = append(read.Networks, detectors.KnownNetwork{Prefix: network})
			}
		}
		read.Users = c.names(place+".users", e.Users, known.users)
		read.Apps = c.names(place+".apps", e.Apps, known.apps)
		found[i] = read
	}
	return found
}

// names reads a list of groups, ids and names.
func (c *configCheck) names(place string, list []string, groups map[string][]detectors.KnownName) (names []detectors.KnownName) {
	for i, text := range list {
		if of, ok := groups[text]; ok {
			names = append(names, of...)
		} else if pattern, ok := c.pattern(fmt.Sprintf("%s[%d]", place, i), text); ok {
			names = append(names, detectors.KnownName{Pattern: pattern})
		}
	}
	return names
}

// excepted gives each rule its exceptions.
func (c rulesConfig) excepted(file string, rules []detectors.Rule) error {
	for i, e := range c.Exceptions {
		for j, pattern := range e.Rules {
			matched := false
			for k := range rules {
				if detectors.MatchesPattern(pattern, rules[k].ID) {
					matched = true
					rules[k].Exceptions = append(rules[k].Exceptions, c.exceptions[i])
				}
			}
			if !matched {
				_, err := findRule(rules, pattern)
				return placedProblem(file, fmt.Sprintf("$.rules.exceptions[%d].rules[%d]", i, j), err)
			}
		}
	}
	return nil
}

// ended lists the entries of the inventory and the exceptions whose last day is over,
// each with its place in the file.
func (c config) ended(file string, now time.Time) (ended []string) {
	add := func(place, what, until string) {
		if day, err := time.Parse(time.DateOnly, until); err == nil && !now.Before(day.AddDate(0, 0, 1)) {
			ended = append(ended, placedProblem(file, place, fmt.Errorf("%s ended on %s and does not apply to what happened later: take it out, or give it another day", what, until)).Error())
		}
	}
	for _, kind := range []struct {
		name   string
		groups map[string]groupConfig
	}{{"networks", c.Inventory.Networks}, {"users", c.Inventory.Users}, {"apps", c.Inventory.Apps}} {
		for _, name := range slices.Sorted(maps.Keys(kind.groups)) {
			add("$.inventory."+kind.name+".'"+name+"'.until", "the group "+name, kind.groups[name].Until)
		}
	}
	for i, e := range c.Rules.Exceptions {
		add(fmt.Sprintf("$.rules.exceptions[%d].until", i), fmt.Sprintf("the exception %q", e.Reason), e.Until)
	}
	return ended
}
