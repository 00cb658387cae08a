package detectors

import (
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// Two tenants were attacked in the same way, and the events of one are gone by their age.
// A record that comes late must not take back what was found of it.
func TestWhatExpiresTakesNoFindingBack(t *testing.T) {
	rule := oneRule(t, "brute-force")
	store := openStore(t)
	var events []schema.Event
	for _, e := range firing(t, []Rule{rule}) {
		for _, tenant := range []string{"short", "long"} {
			e.Text[schema.MetadataTenantUID] = tenant
			e.UID = schema.HashUID(tenant, e.UID.String())
			events = append(events, e)
		}
	}
	insertEvents(t, store, events)
	age := later().Sub(time.UnixMilli(events[0].Time))
	keep := func([]uint16) (map[string]time.Duration, time.Duration) {
		return map[string]time.Duration{"short": age - 24*time.Hour}, 0
	}
	wake := func(horizon Horizon) map[string]uint64 {
		t.Helper()
		if err := NewRunner(store, []Rule{rule}, Options{Clock: later, Horizon: horizon}).Wake(t.Context(), rule); err != nil {
			t.Fatal(err)
		}
		findings, err := LoadFindings(t.Context(), store, FindingFilter{})
		if err != nil {
			t.Fatal(err)
		}
		counts := map[string]uint64{}
		for _, f := range findings {
			counts[f.TenantUID] += f.Count
		}
		return counts
	}
	before := wake(nil)
	if len(before) != 2 || before["short"] != before["long"] || before["short"] == 0 {
		t.Fatalf("found at first: %v", before)
	}
	if err := store.Exec(t.Context(), "DELETE FROM events WHERE metadata_tenant_uid = 'short'"); err != nil {
		t.Fatal(err)
	}
	late := func(tenant, name string) {
		t.Helper()
		e := events[0]
		e.Text[schema.MetadataTenantUID], e.UID = tenant, schema.HashUID(tenant, name)
		insertEvents(t, store, []schema.Event{e})
	}
	late("short", "one")
	if got := wake(keep); got["short"] != before["short"] || got["long"] != before["long"] {
		t.Errorf("after a late record of the one: %v, before %v", got, before)
	}
	late("short", "two")
	late("long", "two")
	if got := wake(keep); got["short"] != before["short"] || got["long"] != before["long"]+1 {
		t.Errorf("after a late record of both: %v, before %v", got, before)
	}
	// What it is for: who does not know how long events are kept, forgets.
	late("long", "three")
	if got := wake(nil); got["short"] != 0 || got["long"] == 0 {
		t.Errorf("without a horizon: %v", got)
	}
}

func TestTheHorizonLeavesRoomForTheHistory(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	rule := Rule{Kind: KindQuery, Window: time.Hour, Lookback: 14 * day}
	for _, c := range []struct{ keep, looksBack time.Duration }{{400 * day, 386 * day}, {30 * day, 16 * day}, {28 * day, 14 * day}, {14 * day, 7 * day}, {2 * day, day}} {
		r := &Runner{options: Options{Horizon: func([]uint16) (map[string]time.Duration, time.Duration) { return nil, c.keep }}}
		h := r.horizonOf(rule, now)
		if got := now.Sub(h.since(c.keep)); got != c.looksBack {
			t.Errorf("kept %s, looked at %s", c.keep, got)
		}
		last := now.Add(-c.looksBack)
		if h.passed("acme", last, last.Add(time.Hour)) || !h.passed("acme", last.Add(-time.Hour), last) {
			t.Errorf("kept %s, the last window is not the one at %s", c.keep, last)
		}
	}
	// The last window of a day is judged though the day's begin is nearly gone.
	today := &Runner{options: Options{Horizon: func([]uint16) (map[string]time.Duration, time.Duration) { return nil, day }}}
	if h := today.horizonOf(Rule{Window: day}, now); h.passed("", now.Add(-day), now) {
		t.Error("a window that has just ended is passed")
	}
	if none := today.horizonOf(rule, now); none.passed("", now.Add(-day), now.Add(-day+time.Second)) != true {
		t.Error("a window of which half is gone is not passed")
	}
	var forever *horizon
	if condition, _ := forever.condition("k"); condition != "" || forever.passed("", now, now) {
		t.Error("for ever is bounded")
	}
}

func TestEveryFacetSaysItsClasses(t *testing.T) {
	kinds := FacetClasses()
	if len(kinds) != len(facets) {
		t.Fatalf("%d kinds of %d facets", len(kinds), len(facets))
	}
	anyClass := map[string]bool{"place": true, "tool": true, "place of a credential": true, "tool of a credential": true, "name": true}
	for kind, classes := range kinds {
		if (len(classes) == 0) != anyClass[kind] {
			t.Errorf("%s is of the classes %v", kind, classes)
		}
	}
	if got := kinds["way"]; len(got) != 2 || got[0] != 3002 || got[1] != 6003 {
		t.Errorf("way is of %v", got)
	}
}
