package alerting_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// told is what a grouping test expects of an alert: its rules in order.
func told(alerts []schema.Alert) []string {
	var lines []string
	for _, a := range alerts {
		var rules []string
		for _, f := range a.Findings {
			rules = append(rules, f.Rule)
		}
		lines = append(lines, fmt.Sprintf("%s %s %s: %s", a.Status, a.Severity, a.Entity, strings.Join(rules, " ")))
	}
	return lines
}

func TestGroup(t *testing.T) {
	high := func(f schema.Finding) schema.Finding { f.Severity = schema.SeverityHigh; return f }
	user := func(f schema.Finding) schema.Finding {
		g := about(f, "user", f.EntityUID, "")
		g.TenantUID = f.TenantUID
		return g
	}
	spray := about(high(finding("password-spray", at(1))), "network", "198.51.100.0/24", "198.51.100.0/24")
	letIn := spray
	letIn.Attributes = map[string]string{alerting.AttributeStoryEntity: "0055g00000AbCdEAAV"}
	other := finding("brute-force", at(1))
	other.TenantUID = "other-tenant"
	long := finding("recon", at(0))
	long.LastSeen = at(10)
	cases := []struct {
		name     string
		findings []schema.Finding
		want     []string
	}{
		{"nothing", nil, nil},
		{"steps with days between them", []schema.Finding{finding("recon", at(0)), high(finding("new-network", at(4))), high(finding("bulk-export", at(9)))},
			[]string{"open critical svc-sync@acme.example: recon new-network bulk-export"}},
		{"two rules are no chain", []schema.Finding{finding("recon", at(0)), finding("bulk-export", at(1)), finding("bulk-export", at(2))},
			[]string{"open medium svc-sync@acme.example: recon bulk-export bulk-export"}},
		{"gap of a week exactly", []schema.Finding{finding("a", at(0)), finding("b", at(7))},
			[]string{"open medium svc-sync@acme.example: a b"}},
		{"gap longer than a week", []schema.Finding{finding("a", at(0)), finding("b", at(7).Add(time.Second))},
			[]string{"open medium svc-sync@acme.example: a", "open medium svc-sync@acme.example: b"}},
		{"the gap counts from the last event", []schema.Finding{long, finding("b", at(16))},
			[]string{"open medium svc-sync@acme.example: recon b"}},
		{"user and integration are one entity", []schema.Finding{user(finding("a", at(0))), finding("b", at(1))},
			[]string{"open medium svc-sync@acme.example: a b"}},
		{"unrelated identities", []schema.Finding{finding("a", at(0)), about(finding("a", at(0)), "user", "005other", "eve@acme.example"), other},
			[]string{"open medium svc-sync@acme.example: a", "open medium eve@acme.example: a", "open medium svc-sync@acme.example: brute-force"}},
		{"a network is nobody's story", []schema.Finding{finding("a", at(0)), spray},
			[]string{"open high 198.51.100.0/24: password-spray", "open medium svc-sync@acme.example: a"}},
		{"unless its finding says whose", []schema.Finding{finding("a", at(0)), letIn},
			[]string{"open high svc-sync@acme.example: a password-spray"}},
		{"one finding twice", []schema.Finding{finding("a", at(0)), finding("a", at(0))},
			[]string{"open medium svc-sync@acme.example: a"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := alerting.Group(nil, c.findings)
			sortStrings := cmpopts.SortSlices(func(a, b string) bool { return a < b })
			if diff := cmp.Diff(c.want, told(got), sortStrings, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("alerts differ:\n%s", diff)
			}
		})
	}
}

// The same findings make the same alerts in whatever order they come, at once or
// one after another.
func TestGroupDependsNotOnOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var findings []schema.Finding
		for range 1 + random.IntN(12) {
			findings = append(findings, finding(fmt.Sprintf("rule-%d", random.IntN(3)), at(float64(random.IntN(60)))))
		}
		want := alerting.Group(nil, findings)
		random.Shuffle(len(findings), func(i, j int) { findings[i], findings[j] = findings[j], findings[i] })
		if diff := cmp.Diff(want, alerting.Group(nil, findings)); diff != "" {
			t.Fatalf("another order, other alerts:\n%s", diff)
		}
		var grown []schema.Alert
		for _, f := range findings {
			grown = open(alerting.Group(grown, []schema.Finding{f}))
		}
		if diff := cmp.Diff(told(want), told(grown)); diff != "" {
			t.Fatalf("one after another, other stories:\n%s", diff)
		}
	}
}

func open(alerts []schema.Alert) []schema.Alert {
	var kept []schema.Alert
	for _, a := range alerts {
		if a.Status == schema.AlertOpen {
			kept = append(kept, a)
		}
	}
	return kept
}

func TestGroupKeepsTheUID(t *testing.T) {
	first := alerting.Group(nil, []schema.Finding{finding("bulk-export", at(5))})
	grown := alerting.Group(first, []schema.Finding{finding("job-deleted", at(6))})
	late := alerting.Group(grown, []schema.Finding{finding("recon", at(1))})
	if len(late) != 1 || late[0].UID != first[0].UID || grown[0].UID != first[0].UID {
		t.Fatalf("the uid changed: %v %v %v", first[0].UID, grown[0].UID, late[0].UID)
	}
	want := []string{"open high svc-sync@acme.example: recon bulk-export job-deleted"}
	if diff := cmp.Diff(want, told(late)); diff != "" {
		t.Error(diff)
	}
	if !late[0].FirstSeen.Equal(at(1)) || !late[0].LastSeen.Equal(at(6)) {
		t.Errorf("the alert covers %s to %s", late[0].FirstSeen, late[0].LastSeen)
	}
}

func TestGroupTakesNewerContent(t *testing.T) {
	f := finding("brute-force", at(5))
	alerts := alerting.Group(nil, []schema.Finding{f})
	f.Count, f.LastSeen, f.Severity = 99, f.LastSeen.Add(time.Hour), schema.SeverityHigh
	alerts = alerting.Group(alerts, []schema.Finding{f})
	if len(alerts) != 1 || alerts[0].Findings[0].Count != 99 || alerts[0].Severity != schema.SeverityHigh || !alerts[0].LastSeen.Equal(f.LastSeen) {
		t.Errorf("newer content is lost: %+v", alerts)
	}
	// Severity never falls by itself.
	f.Severity = schema.SeverityLow
	if alerts = alerting.Group(alerts, []schema.Finding{f}); alerts[0].Severity != schema.SeverityHigh {
		t.Errorf("severity fell to %s", alerts[0].Severity)
	}
}

// A late finding that closes the gap between two alerts joins them: the earlier
// one goes on, the other says where.
func TestGroupMerges(t *testing.T) {
	early := alerting.Group(nil, []schema.Finding{finding("recon", at(0))})
	both := alerting.Group(early, []schema.Finding{finding("bulk-export", at(10))})
	if len(both) != 2 {
		t.Fatalf("%d alerts before the late finding", len(both))
	}
	merged := alerting.Group(both, []schema.Finding{finding("new-network", at(5))})
	want := []string{"open high svc-sync@acme.example: recon new-network bulk-export", "merged medium svc-sync@acme.example: bulk-export"}
	if diff := cmp.Diff(want, told(merged)); diff != "" {
		t.Fatal(diff)
	}
	if merged[0].UID != early[0].UID || merged[1].MergedInto != early[0].UID {
		t.Errorf("the wrong alert goes on: %v, into %v", merged[0].UID, merged[1].MergedInto)
	}
}

func TestTitle(t *testing.T) {
	with := func(f schema.Finding, attack ...string) schema.Finding { f.Attack = attack; return f }
	phrase := func(f schema.Finding, p string) schema.Finding {
		f.Attributes = map[string]string{alerting.AttributeStoryPhrase: p}
		return f
	}
	cases := []struct {
		want     string
		findings []schema.Finding
	}{
		{"Finding of brute-force: svc-sync@acme.example", []schema.Finding{finding("brute-force", at(0))}},
		{"Possible token theft: svc-sync@acme.example — reconnaissance, bulk export, new network, job deleted", []schema.Finding{
			with(finding("recon-then-bulk", at(0)), "T1087", "T1567"), with(finding("integration-from-new-network", at(1)), "T1550.001"), with(finding("bulk-job-deleted", at(2)), "T1070")}},
		{"Possible data theft: svc-sync@acme.example — reconnaissance, traffic spike", []schema.Finding{
			with(finding("recon", at(0)), "T1526"), with(finding("traffic-spike", at(1)), "T1119")}},
		{"Possible account takeover: svc-sync@acme.example — password guessing, unusual login", []schema.Finding{
			with(finding("brute-force", at(0)), "T1110.001"), with(finding("odd-hours", at(1)), "T1078.004")}},
		{"Possible token misuse: svc-sync@acme.example — one credential in several places, new client", []schema.Finding{
			with(finding("credential-in-several-places", at(0)), "T1528"), with(finding("new-client", at(1)), "T1036")}},
		{"Possible destruction of data: svc-sync@acme.example — mass deletion, new network", []schema.Finding{
			with(finding("mass-delete", at(0)), "T1485"), with(finding("new-network", at(1)), "T1550.001")}},
		{"Suspicious activity: svc-sync@acme.example — my own rule, coffee break", []schema.Finding{
			finding("my_own.rule", at(0)), phrase(finding("other", at(1)), "coffee break")}},
	}
	for _, c := range cases {
		if got := alerting.Group(nil, c.findings)[0].Title; got != c.want {
			t.Errorf("title is\n%s, want\n%s", got, c.want)
		}
	}
}
