package detectors

import (
	"slices"
	"testing"
	"time"
)

// A blind rule says what to add: the logs of its types, or what fills its columns.
func TestBlindSpotsSayWhichLogToAdd(t *testing.T) {
	rules := []Rule{oneRule(t, "several-countries"), oneRule(t, "vendor-threat-finding"), oneRule(t, "shadow-integration"), oneRule(t, "brute-force")}
	report := CoverageReport{Rules: []Coverage{
		{Rule: "several-countries", Sight: Blind, LogTypes: []string{"Login"}, Missing: []string{"src_endpoint_location_country"}},
		{Rule: "vendor-threat-finding", Sight: Blind}, {Rule: "shadow-integration", Sight: Sees}, {Rule: "brute-force", Sight: Sees},
	}}
	want := []BlindSpot{
		{"several-countries", "user", logsOfColumn["src_endpoint_location_country"]},
		{"vendor-threat-finding", "integration", "Salesforce CredentialStuffingEvent, Salesforce SessionHijackingEvent, Salesforce ApiAnomalyEvent or 4 more"},
		{"shadow-integration", "integration", "the apps and users of the inventory in the configuration: crmwatch rules show shadow-integration"},
	}
	if got := report.BlindSpots(rules); !slices.Equal(got, want) {
		t.Errorf("blind spots are %+v, want %+v", got, want)
	}
	own := Rule{ID: "own", Needs: Needs{Columns: []string{"class_uid", "device_hostname"}}}
	report = CoverageReport{Rules: []Coverage{{Rule: "own", Sight: Blind, LogTypes: []string{"x"}, Missing: []string{"device_hostname"}}}}
	if got := report.BlindSpots([]Rule{own}); len(got) != 1 || got[0].Add != "a log that fills device_hostname" {
		t.Errorf("blind spots are %+v", got)
	}
}

// What the hints speak of exists, and what the built-in rules need has a hint.
func TestLogsToAddAreThoseOfTheRules(t *testing.T) {
	rules, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]bool{}
	for _, rule := range rules {
		for _, name := range rule.Needs.LogTypes {
			types[name] = true
		}
		if len(rule.Needs.Classes) > 0 && logsOfClass[rule.Needs.Classes[0]] == "" {
			t.Errorf("nothing is said of the first class of rule %s", rule.ID)
		}
		for _, column := range rule.Needs.Columns {
			if !slices.Contains(commonColumns, column) && logsOfColumn[column] == "" && len(rule.Needs.LogTypes) == 0 {
				if _, optional := eventColumns[column]; optional && column != "metadata_log_format" {
					t.Errorf("nothing is said of the column %s of rule %s", column, rule.ID)
				}
			}
		}
	}
	for column := range logsOfColumn {
		if eventColumns[column] == nil {
			t.Errorf("there is no column %s", column)
		}
	}
	for name := range vendorOfLog {
		if !types[name] {
			t.Errorf("no rule looks at logs of the type %s", name)
		}
	}
}

// A finding counts events: those that the query tells, or calls and errors, which are
// events themselves.
func TestSpikesCountEvents(t *testing.T) {
	e := Episode{From: testBase, To: testBase.Add(2 * time.Hour), Total: 60_000}
	events := map[time.Time]uint64{testBase.Add(-time.Hour): 5, testBase: 2, testBase.Add(time.Hour): 3, testBase.Add(2 * time.Hour): 7}
	for _, c := range []struct {
		metric Metric
		events map[time.Time]uint64
		want   uint64
	}{{MetricRows, events, 5}, {MetricBytes, events, 5}, {MetricCalls, nil, 60_000}, {MetricErrors, nil, 60_000}, {MetricRows, nil, 0}, {MetricBytes, nil, 0}} {
		if got := countDuring(c.metric, e, c.events); got != c.want {
			t.Errorf("%s: %d events, want %d", c.metric, got, c.want)
		}
	}
}
