package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/crmwatch/crmwatch/detectors"
)

// Whatever a source leaves out, validate names the rules that read it: in their query, or
// in the digests that they read.
func TestRulesThatLoseSightAreNamed(t *testing.T) {
	rules, err := detectors.Load()
	if err != nil {
		t.Fatal(err)
	}
	told := func(p privacyConfig) string {
		var out bytes.Buffer
		tellBlinded(terminal{&out, &out}, config{Sources: []sourceConfig{{Name: "crm", Privacy: p}}, Receivers: []receiverConfig{{Name: "edge", Privacy: p}}}, rules)
		return out.String()
	}
	for column, want := range map[string][]string{
		"http_request_user_agent": {"known-attacker-clients", "new-client-for-integration", "shadow-integration"},
		"traffic_bytes_in":        {"wide-rows", "payload-spike"},
		"duration":                {"latency-degradation"},
		"x_rows_processed":        {"rows-spike", "rows-spike-day"},
		"unmapped.PermissionList": {"privilege-change", "impersonation"},
		"x_src_endpoint_network":  {"integration-new-network", "password-spray"},
	} {
		got := told(privacyConfig{Drop: []string{column}})
		for _, rule := range want {
			for _, who := range []string{"source crm", "receiver edge"} {
				if !slices.ContainsFunc(strings.Split(got, "\n"), func(line string) bool {
					return strings.Contains(line, who) && strings.Contains(line, column) && strings.Contains(line+" ", "rule "+rule)
				}) {
					t.Errorf("%s without %s: %s is not named\n%s", who, column, rule, got)
				}
			}
		}
	}
	if got := told(privacyConfig{}); got != "" {
		t.Errorf("without privacy: %s", got)
	}
	if got := told(privacyConfig{Drop: []string{"tls_version"}}); strings.Contains(got, "brute-force") {
		t.Errorf("a rule that does not read it is named: %s", got)
	}
}
