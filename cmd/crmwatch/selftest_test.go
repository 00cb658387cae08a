package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A rule of the user's that cannot fire any more is an alert about crmwatch itself, and
// no event of the proof is among the user's.
func TestRunTellsARuleThatCannotFire(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	rule, _, _ := strings.Cut(rest, "```")
	broken := strings.Replace(rule, "IN (401, 403)", "IN (499)", 1)
	if broken == rule {
		t.Fatal("the documented rule has another query")
	}
	i := newInstance(t, "", "") // the other built-in rules are proved elsewhere
	if err := os.Mkdir(filepath.Join(i.dir, "rules"), 0o700); err != nil {
		t.Fatal(err)
	}
	i.write("rules/refusals.yaml", broken)
	i.write("crmwatch.yaml", `
data: ./data
sources: [{name: kong, kind: follow, format: kong, paths: ["./kong.log"]}]
rules: {directories: ["./rules"], self_test: "@every 1s", disabled: [`+rulesBut(t, "brute-force")+`]}
`)
	i.start()
	i.eventually("alerts about the broken rule alone", "gateway-refusals,self-test,0", func() string {
		return strings.ReplaceAll(i.query("SELECT entity, rule, (SELECT count() FROM events WHERE "+ofLogs+") FROM findings"), `"`, "")
	})
	if log := i.log.String(); !strings.Contains(log, "a rule can no longer fire") || !strings.Contains(log, "rule=gateway-refusals") {
		t.Errorf("the log says:\n%s", log)
	}
	i.eventually("one alert", "1,4", func() string { return i.query("SELECT count(), max(severity_id) FROM alerts") })
	i.stop()
	if left := i.query("SELECT count() FROM system.databases WHERE name LIKE '%self_test'"); left != "0" {
		t.Errorf("%s databases of the self-test are left", left)
	}
}
