package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/compliance/audit"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
)

// ruleSettings are the rules as they are used: their contents by hash, their parameters
// and schedules, and which are disabled. loaded are all, used those that run. Exceptions
// are told for themselves, with the rules that they name.
func ruleSettings(loaded, used []detectors.Rule) audit.Settings {
	values := map[string]string{}
	for _, rule := range loaded {
		values[rule.ID+" content"] = rule.ContentHash()
		if !slices.ContainsFunc(used, func(r detectors.Rule) bool { return r.ID == rule.ID }) {
			values[rule.ID+" disabled"] = "yes"
		}
	}
	for _, rule := range used {
		values[rule.ID+" schedule"] = rule.Schedule
		for _, p := range rule.Params {
			values[rule.ID+" parameters."+p.Name] = shorten(fmt.Sprint(p.Value), 1000)
		}
	}
	hash := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(hash, "%d:%s=%d:%s\n", len(path), path, len(values[path]), values[path])
	}
	return audit.Settings{SHA256: hex.EncodeToString(hash.Sum(nil)), Values: values}
}

// recordRules records what is other about the rules than before.
func (f configFile) recordRules(ctx context.Context, store schema.Store, settings audit.Settings) error {
	loaded := audit.Loaded{Settings: settings, At: f.at, Actor: whoami()}
	return audit.Load(ctx, store, "rules", loaded, f.tellRules)
}

// tellRules makes one record of each rule that is other than before. The first load tells
// nothing: what the rules are is in the record of the configuration.
func (f configFile) tellRules(l audit.Loaded) (records []audit.Record) {
	if l.First {
		return nil
	}
	var order []string
	parts := map[string][]audit.Change{}
	for _, c := range audit.Changes(l.Before.Values, l.Values) {
		id, path, _ := strings.Cut(c.Path, " ")
		if parts[id] == nil {
			order = append(order, id)
		}
		parts[id] = append(parts[id], audit.Change{Path: path, Was: c.Was, Now: c.Now})
	}
	for _, id := range order {
		was, now := l.Before.Values, l.Values
		verb, said := "change", "is changed"
		switch {
		case was[id+" content"] == "":
			verb, said = "add", "is new"
		case now[id+" content"] == "":
			verb, said = "remove", "is gone"
		case was[id+" disabled"] == "" && now[id+" disabled"] != "":
			verb, said = "disable", "is disabled"
		case was[id+" disabled"] != "" && now[id+" disabled"] == "":
			verb, said = "enable", "is enabled"
		}
		changes := parts[id]
		if verb != "change" {
			// Whatever else came or went with the rule says nothing by itself.
			changes = slices.DeleteFunc(slices.Clone(changes), func(c audit.Change) bool { return c.Path != "content" })
		}
		r := audit.Record{UID: loadUID(l, "rule", id), At: l.At, Actor: l.Actor, Via: f.via, Action: "rule." + verb, ObjectType: "rule", Object: id, Attributes: map[string]string{"rules_sha256": l.SHA256}}
		addChanges(r.Attributes, changes)
		r.Detail = fmt.Sprintf("The rule %s %s.", id, said)
		if verb == "change" {
			r.Detail = fmt.Sprintf("The rule %s is changed: %s.", id, sayChanges(changes))
		}
		records = append(records, r)
	}
	return records
}
