package retention

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/compliance/audit"
	"github.com/crmwatch/crmwatch/compliance/hold"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
)

// table says how a table tells what of it is old. at is a DateTime in UTC, in SQL; tenant
// and class are columns, empty where it has none.
type table struct {
	name          string
	what          What
	at            string
	tenant, class string
	// base is the TTL that the migrations give: what is older goes anyhow.
	base string
	// parts are what of a table without classes comes of which, as conditions.
	parts func(rules []detectors.Rule) []part
	// large says that it grows with the logs: it is seldom rewritten.
	large bool
	// ofRules says that parts are told by the rules.
	ofRules bool
	// shown is at without its bound.
	shown string
}

// part is what of a table is made of events of some classes; none is any class.
type part struct {
	condition string
	classes   []uint16
}

// second is the whole second of a moment, at most 2080: see most.
func second(column string) string {
	return "toDateTime(least(" + column + ", toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC')"
}

// seconds is second for a column that holds whole seconds.
func seconds(column string) string {
	return "least(" + column + ", toDateTime('2080-01-01 00:00:00', 'UTC'))"
}

// The end of a row's day, at most 2080, as it goes into a TTL and as it is shown.
const (
	endOfDay = "toDateTime(least(day, toDate('2079-12-31')) + 1, 'UTC')"
	dayAfter = "toDateTime(day + 1, 'UTC')"
)

const savedFor = "(saved_at + toIntervalDay(%d))"

var tables = []table{
	{name: "events", what: Events, at: second("time"), shown: "time", tenant: "metadata_tenant_uid", class: "class_uid", large: true},
	{name: "quarantine", what: Quarantine, at: second("ingested_at"), shown: "ingested_at"},
	{name: "findings", what: Findings, at: second("detected_at"), shown: "detected_at", tenant: "metadata_tenant_uid"},
	{name: "alerts", what: Alerts, at: second("updated_at"), shown: "updated_at", tenant: "metadata_tenant_uid"},
	{name: "suppressed_findings", what: Alerts, at: second("suppressed_at"), shown: "suppressed_at", tenant: "metadata_tenant_uid"},
	{name: "alert_transitions", what: Alerts, at: second("at"), shown: "at"},
	{name: "alert_requests", what: Alerts, at: second("requested_at"), shown: "requested_at"},
	{name: "notifications", what: Alerts, at: second("updated_at"), shown: "updated_at"},
	{name: "silences", what: Alerts, at: second("ends_at"), shown: "ends_at"},
	{name: "summaries", what: Summaries, at: second("made_at"), shown: "made_at", tenant: "tenant_uid"},
	// A row goes with the last event of which it tells.
	{name: "event_facets", what: Digests, at: second("last"), shown: "last", tenant: "tenant", parts: facetParts},
	{name: "event_hours", what: Digests, at: second("last"), shown: "last", tenant: "tenant", class: "class_uid"},
	{name: "event_services", what: Digests, at: second("last"), shown: "last", tenant: "tenant", class: "class_uid"},
	{name: "event_days", what: Digests, at: endOfDay, shown: dayAfter, tenant: "tenant", class: "class_uid"},
	{name: "event_changes", what: Digests, at: endOfDay, shown: dayAfter, tenant: "tenant", parts: changeParts},
	{name: "event_peaks", what: Digests, at: endOfDay, shown: dayAfter, tenant: "tenant", parts: callParts},
	{name: "event_callers", what: Digests, at: endOfDay, shown: dayAfter, tenant: "tenant", parts: callParts},
	{name: "event_reads", what: Digests, at: endOfDay, shown: dayAfter, tenant: "tenant", parts: callParts},
	{name: "event_partners", what: Digests, at: "(" + seconds("hour") + " + toIntervalHour(1))", shown: "hour + toIntervalHour(1)", tenant: "tenant", parts: callParts},
	{name: "event_logins", what: Digests, at: "(" + seconds("hour") + " + toIntervalHour(1))", shown: "hour + toIntervalHour(1)", tenant: "tenant", parts: loginParts},
	{name: "rule_seen", what: Digests, at: second("last_seen"), shown: "last_seen", tenant: "tenant", parts: ruleParts, ofRules: true, base: fmt.Sprintf(savedFor, 400)},
	{name: "rule_steps", what: Digests, at: second("time"), shown: "time", tenant: "tenant", parts: ruleParts, ofRules: true, base: fmt.Sprintf(savedFor, 100)},
	{name: "rule_activity", what: Digests, at: seconds("bucket"), shown: "bucket", tenant: "tenant", parts: ruleParts, ofRules: true, base: fmt.Sprintf(savedFor, 100)},
}

func facetParts([]detectors.Rule) (parts []part) {
	kinds := detectors.FacetClasses()
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		if len(kinds[kind]) > 0 {
			parts = append(parts, part{"kind = " + schema.Literal(kind), kinds[kind]})
		}
	}
	return parts
}

func callParts([]detectors.Rule) []part {
	return []part{{"1", []uint16{schema.ClassAPIActivity, schema.ClassHTTPActivity}}}
}

func loginParts([]detectors.Rule) []part {
	return []part{{"1", []uint16{schema.ClassAuthentication}}}
}

func changeParts([]detectors.Rule) []part {
	return []part{{"1", []uint16{schema.ClassAPIActivity, schema.ClassDatastoreActivity, schema.ClassEntityManagement}}}
}

// ruleParts knows the rules that remember; what another remembered is of any class.
func ruleParts(rules []detectors.Rule) (parts []part) {
	for _, r := range rules {
		if r.Remembers() && len(r.Needs.Classes) > 0 && schema.CheckLiteral(r.ID) == nil {
			parts = append(parts, part{"startsWith(rule, " + schema.Literal(r.ID+"#") + ")", r.Needs.Classes})
		}
	}
	slices.SortFunc(parts, func(a, b part) int { return strings.Compare(a.condition, b.condition) })
	return parts
}

// branch is how long the rows that fulfil a condition, and none of the branches before,
// are kept.
type branch struct {
	condition string
	keep      time.Duration
}

// branches are those of a table; the last has no condition.
func (t *table) branches(p Policy, rules []detectors.Rule) []branch {
	var out []branch
	keep := func(tenant string, classes []uint16) time.Duration {
		if t.what == Digests {
			return p.memory(tenant, classes)
		}
		return p.Keep(t.what, tenant, first(classes))
	}
	if t.what == Events {
		out = append(out, branch{"metadata_product_name = " + schema.Literal(audit.Product), p.Keep(Audit, "", 0)})
	}
	var parts []part
	rest := []uint16(nil)
	switch {
	case t.class != "":
		rest = []uint16{0}
		for _, class := range p.classes() {
			parts = append(parts, part{t.class + " = " + schema.ClassText(class), []uint16{class}})
		}
	case t.parts != nil:
		parts = t.parts(rules)
	}
	tenants := []string{""}
	if t.tenant != "" {
		tenants = append(p.Tenants(Events, t.what), "")
	}
	for _, tenant := range tenants {
		otherwise := keep(tenant, rest)
		of := ""
		if tenant != "" {
			of = t.tenant + " = " + schema.Literal(tenant)
		}
		for _, b := range alike(parts, otherwise, func(classes []uint16) time.Duration { return keep(tenant, classes) }) {
			if of != "" {
				b.condition = "(" + of + ") AND (" + b.condition + ")"
			}
			out = append(out, b)
		}
		out = append(out, branch{of, otherwise})
	}
	return shortened(out)
}

func first(classes []uint16) uint16 {
	if len(classes) == 0 {
		return 0
	}
	return classes[0]
}

// alike puts parts that are kept equally long into one branch each, and leaves out those
// that are kept as the rest is.
func alike(parts []part, rest time.Duration, keep func([]uint16) time.Duration) (out []branch) {
	conditions := map[time.Duration][]string{}
	for _, p := range parts {
		if k := keep(p.classes); k != rest {
			conditions[k] = append(conditions[k], "("+p.condition+")")
		}
	}
	for _, k := range slices.Sorted(maps.Keys(conditions)) {
		out = append(out, branch{strings.Join(conditions[k], " OR "), k})
	}
	return out
}

// shortened leaves out the branches before the last that do as it does.
func shortened(all []branch) []branch {
	last := all[len(all)-1]
	for len(all) > 1 && all[len(all)-2].keep == last.keep {
		all = append(all[:len(all)-2], last)
	}
	return all
}

// never is later than anything is deleted.
const never = "toDateTime('2106-01-01 00:00:00', 'UTC')"

// ttl is the table's TTL: the moment from which a row may be deleted. It is one expression
// for all rows, so that the engine knows of each part when the last row is due, and drops
// it without reading it. Empty is no TTL.
func (t *table) ttl(p Policy, rules []detectors.Rule, holds []hold.Hold) string {
	branches := t.branches(p, rules)
	if !slices.ContainsFunc(branches, func(b branch) bool { return b.keep != Forever }) {
		return t.base
	}
	var arms []string
	if held := hold.Condition(t.name, holds); held != "0" {
		arms = append(arms, held, never)
	}
	for _, b := range branches {
		due := never
		if b.keep != Forever {
			due = fmt.Sprintf("%s + toIntervalSecond(%d)", t.at, int64(b.keep/time.Second))
		}
		if b.condition != "" {
			arms = append(arms, b.condition)
		}
		arms = append(arms, due)
	}
	due := arms[0]
	if len(arms) > 1 {
		due = "multiIf(" + strings.Join(arms, ", ") + ")"
	}
	if t.base != "" {
		return "least(" + t.base + ", " + due + ")"
	}
	return due
}

// uniform says that all rows are kept equally long.
func (t *table) uniform(p Policy, rules []detectors.Rule, holds []hold.Hold) bool {
	return len(t.branches(p, rules)) == 1 && hold.Condition(t.name, holds) == "0"
}
