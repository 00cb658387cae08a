package detectors

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/crmwatch/crmwatch/schema"
)

// documentedRules are the rules of docs/rules.md that keep a state, one of each kind.
func documentedRules(t testing.TB) []Rule {
	t.Helper()
	text, err := os.ReadFile("../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	var rules []Rule
	for _, block := range regexp.MustCompile("(?s)```yaml\n(id: .*?)```").FindAllStringSubmatch(string(text), -1) {
		rule, err := Parse("rules.md", []byte(block[1]))
		if err != nil {
			t.Fatal(err)
		}
		if rule.Kind.remembers() {
			rules = append(rules, rule)
		}
	}
	if len(rules) != 3 {
		t.Fatalf("%d rules keep a state", len(rules))
	}
	return rules
}

// apiCall is an event of an invented integration.
func apiCall(tenant, user string, at time.Time, agent, operation, object string) schema.Event {
	var e schema.Event
	e.SetTime(at)
	e.Text[schema.MetadataTenantUID], e.Text[schema.MetadataProductName] = tenant, "Salesforce"
	e.Text[schema.ActorUserUID], e.Text[schema.ActorUserName] = user, "svc-"+user
	e.Text[schema.HTTPRequestUserAgent], e.Text[schema.APIOperation], e.Text[schema.ResourcesName] = agent, operation, object
	e.Number[schema.ClassUID] = schema.ClassAPIActivity
	e.UID = schema.HashUID(tenant, user, at.String(), agent, operation, object)
	return e
}

// history is what happened, and how it arrived: in pieces, some of it twice.
type history struct {
	events     []schema.Event
	deliveries [][]schema.Event
}

// histories are up to sixty days of a few integrations: values that come and go, steps
// in any order, and quiet times.
var histories = rapid.Custom(func(t *rapid.T) history {
	var h history
	for u := range rapid.IntRange(2, 3).Draw(t, "users") {
		at := testBase.Add(time.Duration(rapid.IntRange(0, 72).Draw(t, "start")) * time.Hour)
		for range rapid.IntRange(10, 40).Draw(t, "events") {
			gap := rapid.SampledFrom([]time.Duration{time.Second, time.Hour, time.Hour, time.Hour, 5 * time.Hour, day, 3 * day}).Draw(t, "gap")
			at = at.Add(gap)
			h.events = append(h.events, apiCall("acme", fmt.Sprint("u", u), at,
				rapid.SampledFrom([]string{"", "a", "a", "b", "c"}).Draw(t, "agent"),
				rapid.SampledFrom([]string{"read", "describe", "describe", "bulk"}).Draw(t, "operation"),
				rapid.SampledFrom([]string{"Case", "User", "Account"}).Draw(t, "object")))
		}
	}
	again := h.events[:rapid.IntRange(0, len(h.events)).Draw(t, "twice")]
	rest := rapid.Permutation(slices.Concat(h.events, again)).Draw(t, "order")
	for len(rest) > 0 {
		n := rapid.IntRange(min(len(rest), len(h.events)/3), len(rest)).Draw(t, "delivery")
		h.deliveries, rest = append(h.deliveries, rest[:n]), rest[n:]
	}
	return h
})

// rulesForHistories are rules of each kind that find something in them.
func rulesForHistories(t testing.TB) []Rule {
	rules := documentedRules(t)
	rules[0].FirstSeen.WarmUp, rules[2].Silence.LeastHistory = 2*day, 2*day
	forgetful := rules[0]
	forgetful.ID, forgetful.FirstSeen.Forget, forgetful.FirstSeen.KnownAtMost = "forgetful", 3*day, 2
	faithful := rules[0]
	faithful.ID, faithful.FirstSeen.Forget, faithful.FirstSeen.KnownAtMost = "faithful", 0, 0
	hasty := rules[1]
	hasty.ID, hasty.Sequence.Gap, hasty.Sequence.Within = "hasty", day, 4*day
	hasty.Sequence.Steps = []Step{{"explored", 2, 1}, {"exported", 2, 1}}
	impatient := rules[2]
	impatient.ID, impatient.Silence.QuietFor, impatient.Silence.Times = "impatient", 0, 1.5
	return append(rules, forgetful, faithful, hasty, impatient)
}

// The same events in any order of arrival, in any split, delivered twice, give the same
// findings as one look at all of them, whatever was said in between.
func TestStateAndScanAgree(t *testing.T) {
	rules := rulesForHistories(t)
	found := map[string]int{}
	for seed := range 3 {
		h := histories.Example(seed)
		atOnce := openStore(t)
		insertEvents(t, atOnce, h.events)
		want, err := NewRunner(atOnce, rules, Options{}).Scan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range want {
			found[f.Rule]++
		}
		store := openStore(t)
		runner := NewRunner(store, rules, Options{Clock: later})
		for _, delivery := range h.deliveries {
			insertEvents(t, store, delivery)
			for _, rule := range rules {
				if err := runner.Wake(t.Context(), rule); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(2 * time.Millisecond) // arrivals are told apart by their millisecond
		}
		got, err := LoadFindings(t.Context(), store, FindingFilter{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(withoutDetection(want), withoutDetection(got), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("seed %d, %d deliveries: findings differ (-at once +delivered):\n%s", seed, len(h.deliveries), diff)
		}
		showsItsEvidence(t, store, got)
	}
	for _, rule := range rules {
		t.Logf("%s: %d findings", rule.ID, found[rule.ID])
		if found[rule.ID] == 0 {
			t.Errorf("rule %s found nothing in any case", rule.ID)
		}
	}
}

// A rule that is changed looks at everything again, and a run that is repeated after a
// failure finds the same.
func TestChangedRulesBuildTheirStateAnew(t *testing.T) {
	rule := documentedRules(t)[0]
	store := openStore(t)
	insertEvents(t, store, firing(t, []Rule{rule}))
	for _, change := range []string{"", "-- another\n"} {
		changed := rule
		changed.Query = change + rule.Query
		runner := NewRunner(store, []Rule{changed}, Options{Clock: later})
		first, err := runner.Arrivals(t.Context(), changed, later())
		if err != nil {
			t.Fatal(err)
		}
		again, err := runner.Arrivals(t.Context(), changed, later())
		if err != nil {
			t.Fatal(err)
		}
		if len(first.Findings) != 1 || !slices.EqualFunc(first.Windows, again.Windows, func(a, b Window) bool { return a == b }) || len(again.Findings) != 1 {
			t.Errorf("%d findings, then %d", len(first.Findings), len(again.Findings))
		}
		if err := runner.Commit(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		if idle, err := runner.Arrivals(t.Context(), changed, later()); err != nil || len(idle.Windows) != 0 {
			t.Errorf("after the commit: %d windows, %v", len(idle.Windows), err)
		}
	}
}
