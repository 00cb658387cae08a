package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/compliance/retention"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
)

// retentionConfig says how long what is kept. What is not named is kept for ever: nothing
// is deleted that nobody has asked to delete.
type retentionConfig struct {
	Events     string                           `yaml:"events"`
	Classes    map[string]string                `yaml:"classes"`
	Tenants    map[string]tenantRetentionConfig `yaml:"tenants"`
	Audit      string                           `yaml:"audit"`
	Quarantine string                           `yaml:"quarantine"`
	Findings   string                           `yaml:"findings"`
	Alerts     string                           `yaml:"alerts"`
	Digests    string                           `yaml:"digests"`
	Summaries  string                           `yaml:"summaries"`

	policy retention.Policy
}

// tenantRetentionConfig is what is agreed with one tenant.
type tenantRetentionConfig struct {
	Events    string            `yaml:"events"`
	Classes   map[string]string `yaml:"classes"`
	Findings  string            `yaml:"findings"`
	Alerts    string            `yaml:"alerts"`
	Summaries string            `yaml:"summaries"`
}

// retention checks how long what is kept.
func (c *configCheck) retention(cfg *retentionConfig) {
	var rules []retention.Rule
	keep := func(place string, what retention.What, tenant, text string) {
		if text == "" {
			return
		}
		if time, ok := c.keep(place, text); ok {
			rules = append(rules, retention.Rule{What: what, Tenant: tenant, Keep: time})
		}
	}
	classes := func(place, tenant string, named map[string]string) {
		seen := map[uint16]string{}
		for _, name := range slices.Sorted(maps.Keys(named)) {
			at := place + ".'" + name + "'"
			class, known := schema.ParseClass(name)
			if !known {
				c.fail(at, "there is no class %q: use %s, or a class_uid of OCSF", name, strings.Join(schema.ClassNames(), ", "))
				continue
			}
			if other := seen[class]; other != "" {
				c.fail(at, "%s and %s are the same class: keep one", other, name)
			}
			seen[class] = name
			if time, ok := c.keep(at, named[name]); ok {
				rules = append(rules, retention.Rule{What: retention.Events, Tenant: tenant, Class: class, Keep: time})
			}
		}
	}
	const top = "$.retention"
	for _, k := range []struct {
		name string
		what retention.What
		text string
	}{
		{"events", retention.Events, cfg.Events}, {"audit", retention.Audit, cfg.Audit}, {"quarantine", retention.Quarantine, cfg.Quarantine},
		{"findings", retention.Findings, cfg.Findings}, {"alerts", retention.Alerts, cfg.Alerts}, {"digests", retention.Digests, cfg.Digests}, {"summaries", retention.Summaries, cfg.Summaries},
	} {
		keep(top+"."+k.name, k.what, "", k.text)
	}
	classes(top+".classes", "", cfg.Classes)
	for _, tenant := range slices.Sorted(maps.Keys(cfg.Tenants)) {
		t := cfg.Tenants[tenant]
		place := top + ".tenants.'" + strings.ReplaceAll(tenant, "'", `\'`) + "'"
		if !c.tenant(place, tenant) {
			continue
		}
		if t.Events == "" && len(t.Classes) == 0 && t.Findings == "" && t.Alerts == "" && t.Summaries == "" {
			c.fail(place, "nothing is said of the tenant %s: name events, classes, findings, alerts or summaries, or take it out", tenant)
		}
		keep(place+".events", retention.Events, tenant, t.Events)
		classes(place+".classes", tenant, t.Classes)
		keep(place+".findings", retention.Findings, tenant, t.Findings)
		keep(place+".alerts", retention.Alerts, tenant, t.Alerts)
		keep(place+".summaries", retention.Summaries, tenant, t.Summaries)
	}
	cfg.policy = retention.NewPolicy(rules...)
}

func (c *configCheck) keep(place, text string) (time.Duration, bool) {
	keep, err := retention.ParseKeep(text)
	if err != nil {
		c.fail(place, "%v", err)
	}
	return keep, err == nil
}

// tenant checks the name of a tenant that goes into expressions of tables.
func (c *configCheck) tenant(place, name string) bool {
	if strings.TrimSpace(name) == "" {
		c.fail(place, "a tenant without a name: write it as metadata_tenant_uid of its events has it")
		return false
	}
	if err := schema.CheckLiteral(name); err != nil {
		c.fail(place, "this is no name of a tenant: %v", err)
		return false
	}
	return true
}

// late is how late exports come: a daily file holds the day before.
const late = 48 * time.Hour

// tellRetention says what is deleted when, and which rules lose their history by it.
func tellRetention(w io.Writer, cfg retentionConfig, rules []detectors.Rule) {
	p := cfg.policy
	if p.Empty() {
		fmt.Fprintln(w, "crmwatch: nothing is ever deleted: name under retention how long events, findings and the rest are kept (docs/retention.md)")
		return
	}
	for _, r := range p.Rules() {
		if r.What == retention.Events && r.Keep != retention.Forever && r.Keep < late {
			fmt.Fprintf(w, "crmwatch: events%s are kept %s: daily exports come up to a day late, and are gone before the rules have judged them; keep them at least 2d\n", ofWhom(r.Tenant, r.Class), retention.KeepText(r.Keep))
		}
	}
	for _, tenant := range append([]string{""}, p.Tenants(retention.Events)...) {
		short := map[time.Duration][]string{}
		for _, rule := range rules {
			if keep := p.Shortest(tenant, rule.Needs.Classes); keep != retention.Forever && keep < rule.Memory()+late {
				short[keep] = append(short[keep], rule.ID+" ("+retention.KeepText(max(rule.Memory().Truncate(time.Hour), time.Hour))+")")
			}
		}
		for _, keep := range slices.Sorted(maps.Keys(short)) {
			fmt.Fprintf(w, "crmwatch: events%s are kept %s, less than these rules look back, with a day or two for late exports: %s\n", ofWhom(tenant, 0), retention.KeepText(keep), strings.Join(short[keep], ", "))
		}
	}
}

func ofWhom(tenant string, class uint16) string {
	text := ""
	if class != 0 {
		text = " of class " + schema.ClassName(class)
	}
	if tenant != "" {
		text += " of tenant " + tenant
	}
	return text
}
