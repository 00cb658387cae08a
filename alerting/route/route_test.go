package route_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting/route"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

func readRoutes(t *testing.T, text string) []route.Route {
	t.Helper()
	var routes []route.Route
	if err := yaml.UnmarshalWithOptions([]byte(text), &routes, yaml.Strict(), yaml.DisallowUnknownField()); err != nil {
		t.Fatal(err)
	}
	return routes
}

func TestDecide(t *testing.T) {
	table, err := route.NewTable(readRoutes(t, `
- match: {severity: ">= high", product: [salesforce]}
  to: [soc-high, pager]
  schedule: {days: mon-fri, from: "08:00", to: "18:00", zone: Europe/Berlin}
- match: {tactic: [credential-access, collection]}
  to: [archive]
  continue: true
- match: {rule: "export-*"}
  to: [slack]
`), []string{"slack", "soc-high", "pager", "archive"})
	if err != nil {
		t.Fatal(err)
	}
	other := schema.Alert{Severity: schema.SeverityCritical, Findings: []schema.Finding{{Rule: "else", Product: "HubSpot"}}}
	cases := []struct {
		name   string
		alert  schema.Alert
		at     time.Time
		want   []string
		routes []int
	}{
		{"in office hours", theft(), now, []string{"soc-high", "pager"}, []int{0}},
		{"at night", theft(), now.Add(9 * time.Hour), []string{"archive", "slack"}, []int{1, 2}},
		{"at the weekend", theft(), now.AddDate(0, 0, 3), []string{"archive", "slack"}, []int{1, 2}},
		{"nobody thought of it", other, now, []string{"slack", "soc-high", "pager", "archive"}, nil},
	}
	for _, c := range cases {
		if diff := cmp.Diff(route.Decision{Notifiers: c.want, Routes: c.routes}, table.Decide(c.alert, c.at)); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
	if table.CatchesAll() || table.Unused() != nil {
		t.Errorf("catches all %v, unused %v", table.CatchesAll(), table.Unused())
	}
}

func TestRouteRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"- to: [slak]": "to[0]: there is no notifier \"slak\": there are slack, pager", "- match: {rule: x}": "to: the route leads to nobody",
		"- {to: [slack], schedule: {zone: Europe/Berlln}}":      "schedule.zone: the zone",
		"- {to: [slack], schedule: {days: mon-fry}}":            "schedule.days: the days",
		"- {to: [slack], schedule: {from: \"8 o'clock\"}}":      "schedule.from: the time",
		"- {to: [slack], match: {tactic: [theft]}}":             "match.tactic: the tactic",
		"- {to: [slack], match: {severity: \">= grave\"}}":      "match.severity: the severity",
		"- {to: [slack], match: {entity: [a, 'b[']}}":           "match.entity: the pattern",
		"- {to: [slack], schedule: {from: '24:00', to: 08:00}}": "schedule.from: from is 24:00",
	} {
		var said []string
		for _, p := range readRoutes(t, text)[0].Check([]string{"slack", "pager"}) {
			said = append(said, p.Key+": "+p.Message)
		}
		if !slices.ContainsFunc(said, func(s string) bool { return strings.HasPrefix(s, want) }) {
			t.Errorf("%s: want %q, got %q", text, want, said)
		}
	}
}

// The time of day is that of the wall, also where the clocks change, and a night
// belongs to the day on which it began.
func TestSchedule(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		schedule string
		at       time.Time
		want     bool
	}{
		{`{from: "08:00", to: "18:00", zone: Europe/Berlin}`, time.Date(2026, 3, 28, 7, 0, 0, 0, time.UTC), true}, // CET, Saturday
		{`{from: "08:00", to: "18:00", zone: Europe/Berlin}`, time.Date(2026, 3, 28, 6, 59, 59, 0, time.UTC), false},
		{`{from: "08:00", to: "18:00", zone: Europe/Berlin}`, time.Date(2026, 3, 29, 6, 0, 0, 0, time.UTC), true}, // CEST, Sunday
		{`{from: "08:00", to: "18:00", zone: Europe/Berlin}`, time.Date(2026, 3, 29, 16, 0, 0, 0, time.UTC), false},
		{`{from: "02:15", to: "02:45", zone: Europe/Berlin}`, time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC), true}, // both times
		{`{from: "02:15", to: "02:45", zone: Europe/Berlin}`, time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC), true},
		{`{days: fri, from: "22:00", to: "06:00", zone: Europe/Berlin}`, time.Date(2026, 3, 6, 23, 0, 0, 0, berlin), true},
		{`{days: fri, from: "22:00", to: "06:00", zone: Europe/Berlin}`, time.Date(2026, 3, 7, 5, 59, 0, 0, berlin), true},
		{`{days: fri, from: "22:00", to: "06:00", zone: Europe/Berlin}`, time.Date(2026, 3, 7, 6, 0, 0, 0, berlin), false},
		{`{days: fri, from: "22:00", to: "06:00", zone: Europe/Berlin}`, time.Date(2026, 3, 6, 5, 0, 0, 0, berlin), false},
		{`{days: "sat-mon, wed"}`, now, true},
		{`{days: "sat-mon"}`, now, false},
		{`{days: Wednesday}`, now, true},
		{`{to: "24:00", from: "23:00"}`, time.Date(2026, 3, 4, 23, 59, 59, 0, time.UTC), true},
	}
	for _, c := range cases {
		routes := readRoutes(t, "- {to: [a], schedule: "+c.schedule+"}")
		table, err := route.NewTable(routes, []string{"a"})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(table.Decide(theft(), c.at).Routes) == 1; got != c.want {
			t.Errorf("%s at %s: %v", c.schedule, c.at, got)
		}
	}
}

func TestShadowed(t *testing.T) {
	table, err := route.NewTable(readRoutes(t, "- to: [a]\n- match: {rule: x}\n  to: [b]\n"), []string{"a", "b", "c"})
	if err != nil {
		t.Fatal(err)
	}
	if !table.CatchesAll() || !slices.Equal(table.Shadowed(), []int{1}) || !slices.Equal(table.Unused(), []string{"c"}) {
		t.Errorf("catches all %v, shadowed %v, unused %v", table.CatchesAll(), table.Shadowed(), table.Unused())
	}
}
