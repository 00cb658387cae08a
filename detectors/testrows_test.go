package detectors

import (
	"maps"
	"strings"
	"testing"

	"github.com/crmwatch/crmwatch/agent/redact"
	"github.com/crmwatch/crmwatch/schema"
)

// unseenRows are test rows that no sample can show, with the reason, by rule and what is
// amiss with them.
var unseenRows = map[string]string{}

// A rule that is tested with rows that no decoder writes proves nothing: its tests pass,
// and it never fires. So every row of a test must be one that some log can hold; where a
// log can, and no sample shows it, the sample is what is missing.
func TestRulesAreTestedWithRowsThatLogsCanHold(t *testing.T) {
	rules, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	words := wordsOfLogs(t)
	used := map[string]bool{}
	problems := map[string]int{}
	for _, rule := range rules {
		for _, test := range rule.Tests {
			for _, e := range test.Events {
				for _, amiss := range misfitsOf(words, e) {
					if problem := rule.ID + ": " + amiss; unseenRows[problem] != "" {
						used[problem] = true
					} else {
						problems[problem]++
					}
				}
			}
		}
	}
	for _, problem := range sortedKeys(problems) {
		t.Errorf("%s (%d rows)", problem, problems[problem])
	}
	for _, problem := range sortedKeys(unseenRows) {
		if !used[problem] {
			t.Errorf("%s: excepted, and no longer so", problem)
		}
	}
}

// Keys and sessions are stored as hashes, so one is never equal to what stands in another
// column as the log wrote it.
func TestRulesAreTestedWithKeysThatAreHashed(t *testing.T) {
	rules, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	redactor := redact.New([]byte(strings.Repeat("k", redact.MinKeySize)))
	for _, rule := range rules {
		for _, test := range rule.Tests {
			hashed, plain := map[string]bool{}, map[string]schema.Text{}
			for _, e := range test.Events {
				for column, value := range e.Text {
					if value != "" && redactor.Column(column, "a word") != "a word" {
						hashed[value] = true
					} else {
						plain[value] = column
					}
				}
			}
			for value := range hashed {
				if column, found := plain[value]; found {
					t.Errorf("%s: %s: %s is a key or session in one column, and stands in %s as well", rule.ID, test.Name, value, column.Column())
				}
			}
		}
	}
}

// What the guard is there for: rows that were tested with, and that nothing writes.
func TestInventedRowsAreTold(t *testing.T) {
	words := wordsOfLogs(t)
	row := func(product, log string, class, activity uint64, text map[schema.Text]string) TestEvent {
		e := TestEvent{Text: map[schema.Text]string{schema.MetadataProductName: product, schema.MetadataLogName: log}, Number: map[schema.Number]uint64{schema.ClassUID: class, schema.ActivityID: activity}}
		maps.Copy(e.Text, text)
		return e
	}
	for name, c := range map[string]struct {
		row  TestEvent
		want string
	}{
		"an audit log of Kong":           {row("Kong Gateway", "audit", 3004, 4, map[schema.Text]string{schema.ResourcesUID: "0d6f"}), "no decoder writes"},
		"accounts in Dynamics' audit":    {row("Dynamics 365", "DynamicsAudit", 3001, 5, map[schema.Text]string{schema.UserUID: "a1b2"}), "never has class 3001 with activity 5"},
		"calls of Workato's API":         {row("Workato", "api", 6003, 2, nil), "no decoder writes"},
		"an audit log of Entra's own":    {row("Microsoft Entra ID", "audit", 3004, 3, nil), "no decoder writes"},
		"users' ids in the audit trail":  {row("Salesforce", "SetupAuditTrail", 3001, 5, map[schema.Text]string{schema.UserUID: "005"}), "column user_uid"},
		"no log, but columns that exist": {row("", "", 6003, 2, map[schema.Text]string{schema.ActorSessionUID: "s", schema.LogonSubType: "x", schema.TLSCipher: "y"}), "never has"},
		"a row that is real":             {row("Kong Gateway", "http-log", 6003, 2, map[schema.Text]string{schema.SessionCredentialUID: "0d6f"}), ""},
		"a product that a record names":  {row("shop", "json-lines", 6003, 2, nil), ""},
	} {
		got := strings.Join(misfitsOf(words, c.row), "; ")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
