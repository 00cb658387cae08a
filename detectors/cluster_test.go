package detectors

import (
	"slices"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

// TestBuiltinRulesOnACluster runs rules' own tests over Distributed tables.
func TestBuiltinRulesOnACluster(t *testing.T) {
	rules := someRules(t)
	results, err := TestRules(t.Context(), []schema.Store{enginetest.OpenCluster(t, enginetest.OneShard)}, rules)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if !r.Passed() {
			t.Errorf("rule %s, test %q: %s", r.Rule, r.Test, r.Problem)
		}
	}
}

// ClickHouse refuses by itself what looks into a sharded table for what it seeks in
// that table; several rules do. On two shards that have no rows, each must run.
func TestBuiltinRulesRunOnTwoShards(t *testing.T) {
	rules, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	store := enginetest.OpenCluster(t, enginetest.TwoShards)
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for _, rule := range rules {
		runner := NewRunner(store, []Rule{rule}, Options{})
		if _, err := runner.evaluate(t.Context(), rule, []int64{gridIndex(at, rule.Window)}, func() {}); err != nil {
			t.Errorf("rule %s: %v", rule.ID, err)
		}
		if err := runner.Wake(t.Context(), rule); err != nil {
			t.Errorf("wake rule %s: %v", rule.ID, err)
		}
	}
}

// The tables of findings are whole on every server: they can be replaced and deleted.
func TestFindingsAreTakenBackOnACluster(t *testing.T) {
	store := enginetest.OpenCluster(t, enginetest.TwoShards)
	window := Window{From: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), To: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}
	f := schema.Finding{UID: schema.HashUID("finding"), Rule: "invented", WindowFrom: window.From, WindowTo: window.To, FirstSeen: window.From, LastSeen: window.From, DetectedAt: window.To}
	for _, findings := range [][]schema.Finding{{f}, nil} {
		a := Arrival{Rule: "invented", Windows: []Window{window}, Findings: findings}
		if _, err := replaceFindings(t.Context(), store, a, window.To); err != nil {
			t.Fatal(err)
		}
		stored, err := LoadFindings(t.Context(), store, FindingFilter{Rule: "invented"})
		if err != nil || len(stored) != len(findings) {
			t.Errorf("%d findings are stored, want %d (%v)", len(stored), len(findings), err)
		}
	}
}

// What keeps a state finds on a cluster what it finds on one server, and reads there
// too only what has arrived.
func TestStateOnACluster(t *testing.T) {
	rules := documentedRules(t)
	for _, shards := range []string{enginetest.OneShard, enginetest.TwoShards} {
		store := enginetest.OpenCluster(t, shards)
		if shards == enginetest.OneShard {
			insertEvents(t, store, firing(t, rules))
		}
		runner := NewRunner(store, rules, Options{Clock: later})
		for _, rule := range rules {
			for range 2 {
				if err := runner.Wake(t.Context(), rule); err != nil {
					t.Errorf("%s: wake rule %s: %v", shards, rule.ID, err)
				}
			}
			if shards != enginetest.OneShard {
				continue
			}
			found, err := LoadFindings(t.Context(), store, FindingFilter{Rule: rule.ID})
			found = slices.DeleteFunc(found, func(f schema.Finding) bool { return f.TenantUID != rule.ID })
			if err != nil || len(found) != 1 {
				t.Errorf("rule %s: %d findings, %v", rule.ID, len(found), err)
			}
			before := &Window{time.UnixMilli(0), testBase.Add(-100 * day)}
			state, err := runner.collect(t.Context(), rule, []int64{gridIndex(testBase, rule.Window)}, before, func(int64) {})
			if err != nil || len(state) != 0 {
				t.Errorf("rule %s: %d entities did something before anything arrived, %v", rule.ID, len(state), err)
			}
		}
	}
}
