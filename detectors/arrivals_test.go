package detectors

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// firing collects the events of the rules' firing tests, all of one tenant each.
func firing(t *testing.T, rules []Rule) []schema.Event {
	t.Helper()
	var events []schema.Event
	for _, rule := range rules {
		for i, test := range rule.Tests {
			if test.Kind != TestFires || i > 0 {
				continue
			}
			n := uint64(0)
			for _, e := range test.Events {
				e.rows(func(event *schema.Event) {
					var hash schema.UIDHasher
					hash.Part(rule.ID)
					hash.Number(n)
					n++
					event.UID = hash.Sum()
					event.Text[schema.MetadataTenantUID] = rule.ID
					events = append(events, *event)
				})
			}
		}
	}
	return events
}

func insertEvents(t *testing.T, store schema.Store, events []schema.Event) {
	t.Helper()
	batch := schema.NewBatch()
	for i := range events {
		batch.Append(&events[i])
	}
	if err := insertBatch(t.Context(), store, batch); err != nil {
		t.Fatal(err)
	}
}

// later is a clock by which everything inserted so far has settled.
func later() time.Time { return time.Now().Add(time.Hour) }

func withoutDetection(findings []schema.Finding) []schema.Finding {
	findings = slices.Clone(findings)
	for i := range findings {
		findings[i].DetectedAt = time.Time{}
	}
	sortFindings(findings)
	return findings
}

// someRules are built-in rules of every kind and shape, for tests whose cost grows with
// each rule.
func someRules(t *testing.T) (rules []Rule) {
	t.Helper()
	for _, id := range []string{
		"brute-force", "bulk-job-deleted", "credential-several-places", "integration-new-network", "password-spray",
		"recon-then-bulk", "secret-hunting-query", "traffic-spike", "vendor-threat-finding",
	} {
		rules = append(rules, oneRule(t, id))
	}
	return rules
}

func oneRule(t *testing.T, id string) Rule {
	t.Helper()
	rule, err := Parse(id+".yaml", []byte(readBuiltin(t, id)))
	if err != nil {
		t.Fatal(err)
	}
	return rule
}

func TestWatermarkMovesOnlyOnSuccess(t *testing.T) {
	rule := oneRule(t, "brute-force")
	store := openStore(t)
	insertEvents(t, store, firing(t, []Rule{rule}))
	var handed []schema.Finding
	refuse := errors.New("nobody there")
	answer := refuse
	runner := NewRunner(store, []Rule{rule}, Options{Clock: later, OnFindings: func(_ context.Context, f []schema.Finding) error {
		handed = append(handed, f...)
		return answer
	}})
	mark := func() time.Time {
		at, err := runner.Watermark(t.Context(), rule.ID)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	if got := mark(); !got.Equal(time.UnixMilli(0)) {
		t.Errorf("watermark before any run is %s", got)
	}
	broken := rule
	broken.Query = strings.Replace(rule.Query, "FROM events", "FROM evens", 1)
	if err := runner.Wake(t.Context(), broken); err == nil || mark().UnixMilli() != 0 {
		t.Errorf("after a failed query: error %v, watermark %s", err, mark())
	}
	if err := runner.Wake(t.Context(), rule); !errors.Is(err, refuse) || mark().UnixMilli() != 0 {
		t.Errorf("after refused findings: error %v, watermark %s", err, mark())
	}
	answer = nil
	if err := runner.Wake(t.Context(), rule); err != nil {
		t.Fatal(err)
	}
	if len(handed) != 2 || handed[0].UID != handed[1].UID || !handed[0].DetectedAt.Equal(handed[1].DetectedAt.Truncate(time.Millisecond)) && handed[0].DetectedAt.Sub(handed[1].DetectedAt).Abs() > time.Millisecond {
		t.Errorf("handed on: %v", handed)
	}
	moved := mark()
	if moved.UnixMilli() == 0 || moved.After(time.Now()) {
		t.Errorf("watermark after success is %s", moved)
	}
	// Nothing new: no run, no findings.
	if err := runner.Wake(t.Context(), rule); err != nil || len(handed) != 2 || !mark().Equal(moved) {
		t.Errorf("an idle run: error %v, %d findings, watermark %s", err, len(handed), mark())
	}
	var runs, failed uint64
	if err := store.QueryRow(t.Context(), "SELECT count(), countIf(error != '') FROM rule_runs").Scan(&runs, &failed); err != nil {
		t.Fatal(err)
	}
	if runs != 3 || failed != 2 {
		t.Errorf("%d runs recorded, %d failed, want 3 and 2", runs, failed)
	}
	// The run that succeeded says what it cost, and how late its rows came.
	var queries, late, latest uint32
	var rows, bytes uint64
	if err := store.QueryRow(t.Context(), "SELECT queries, read_rows, read_bytes, lateness_median_s, lateness_max_s FROM rule_runs WHERE error = ''").
		Scan(&queries, &rows, &bytes, &late, &latest); err != nil {
		t.Fatal(err)
	}
	age := time.Since(testBase)
	if queries < 4 || rows < 60 || bytes < 1000 || late == 0 || late > latest || time.Duration(latest)*time.Second > age {
		t.Errorf("the run made %d queries, read %d rows and %d bytes, late by %d s to %d s; the events are %s old", queries, rows, bytes, late, latest, age)
	}
}

// Rows that have just arrived wait, so that an older insert that is still under way
// is not passed over.
func TestArrivalsSettle(t *testing.T) {
	rule := oneRule(t, "brute-force")
	store := openStore(t)
	insertEvents(t, store, firing(t, []Rule{rule}))
	runner := NewRunner(store, []Rule{rule}, Options{Settle: time.Minute})
	early, err := runner.Arrivals(t.Context(), rule, time.Now())
	if err != nil || len(early.Windows) != 0 {
		t.Errorf("before they settle: %d windows, %v", len(early.Windows), err)
	}
	settled, err := runner.Arrivals(t.Context(), rule, time.Now().Add(2*time.Minute))
	if err != nil || len(settled.Windows) != 1 || len(settled.Findings) != 1 {
		t.Errorf("after: %d windows, %d findings, %v", len(settled.Windows), len(settled.Findings), err)
	}
}

// A network looks new until the rows arrive that show it is not.
func TestLateHistoryTakesFindingsBack(t *testing.T) {
	rule := oneRule(t, "integration-new-network")
	store := openStore(t)
	runner := NewRunner(store, []Rule{rule}, Options{Clock: later})
	stored := func() int {
		findings, err := LoadFindings(t.Context(), store, FindingFilter{Rule: rule.ID})
		if err != nil {
			t.Fatal(err)
		}
		return len(findings)
	}
	insertEvents(t, store, firing(t, []Rule{rule}))
	if err := runner.Wake(t.Context(), rule); err != nil || stored() != 1 {
		t.Fatalf("%d findings, %v", stored(), err)
	}
	before := TestEvent{Time: testBase.Add(-10 * day), Text: map[schema.Text]string{
		schema.ActorUserUID: "005000000000009AAA", schema.MetadataTenantUID: rule.ID, schema.MetadataProductName: "Salesforce",
		schema.SrcEndpointIP: "192.0.2.50", schema.SrcEndpointNetwork: "192.0.2.0/24",
	}, Number: map[schema.Number]uint64{schema.ClassUID: schema.ClassAPIActivity}}
	var late []schema.Event
	before.rows(func(e *schema.Event) { late = append(late, *e) })
	insertEvents(t, store, late)
	if err := runner.Wake(t.Context(), rule); err != nil || stored() != 0 {
		t.Errorf("%d findings after the late rows, %v", stored(), err)
	}
}

// The middleware's log must reach beyond the calls of the last quarter before midnight
// until they are judged, and does so by rows of the next day.
func TestRowsAfterMidnightWakeTheWindowBefore(t *testing.T) {
	rule := oneRule(t, "crm-call-without-middleware-call")
	i := slices.IndexFunc(rule.Tests, func(test Test) bool { return test.Name == "in the last hour before midnight" })
	var evening, night []schema.Event
	for _, e := range rule.Tests[i].Events {
		e.rows(func(event *schema.Event) {
			var hash schema.UIDHasher
			hash.Number(uint64(len(evening)))
			hash.Number(uint64(len(night)))
			event.UID = hash.Sum()
			if event.When().Before(testBase.Add(day)) {
				evening = append(evening, *event)
			} else {
				night = append(night, *event)
			}
		})
	}
	store := openStore(t)
	runner := NewRunner(store, []Rule{rule}, Options{Clock: later})
	for _, step := range []struct {
		events []schema.Event
		want   int
	}{{evening, 0}, {night, 2}} {
		insertEvents(t, store, step.events)
		if err := runner.Wake(t.Context(), rule); err != nil {
			t.Fatal(err)
		}
		findings, err := LoadFindings(t.Context(), store, FindingFilter{Rule: rule.ID})
		if err != nil || len(findings) != step.want {
			t.Errorf("%d findings, %v, want %d", len(findings), err, step.want)
		}
	}
}

// An entity that is renamed keeps, in what was found before, the name that it had then,
// whichever windows are evaluated together.
func TestNamesAreThoseOfTheTime(t *testing.T) {
	rule := Rule{ID: "failing", Kind: KindQuery, Window: day, Severity: schema.SeverityLow, EntityType: "user", Message: "{{entity}} failed.",
		Query: `SELECT metadata_tenant_uid AS tenant, metadata_product_name AS product, actor_user_uid AS entity_uid,
    min(time) AS first_seen, max(time) AS last_seen, count() AS count, arrayMap(x -> x.2, groupArraySorted(50)((time, event_uid))) AS evidence
FROM events
WHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)} AND status_id = 2
GROUP BY tenant, product, entity_uid`}
	store := openStore(t)
	runner := NewRunner(store, []Rule{rule}, Options{Clock: later})
	for i, name := range []string{"old name", "", "new name"} {
		at := testBase.Add(time.Duration(i) * day)
		failed := apiCall("acme", "u1", at.Add(time.Hour), "a", "read", "Case")
		failed.Text[schema.ActorUserName], failed.Number[schema.StatusID] = "", 2
		events := []schema.Event{failed}
		if name != "" {
			named := apiCall("acme", "u1", at, "a", "read", "Case")
			named.Text[schema.ActorUserName] = name
			events = append(events, named)
		}
		insertEvents(t, store, events)
		if err := runner.Wake(t.Context(), rule); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Millisecond) // arrivals are told apart by their millisecond
	}
	together, err := runner.Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	oneByOne, err := LoadFindings(t.Context(), store, FindingFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range [][]schema.Finding{together, oneByOne} {
		var names []string
		for _, f := range found {
			names = append(names, f.Entity)
		}
		if !slices.Equal(names, []string{"old name", "old name", "new name"}) {
			t.Errorf("names are %q", names)
		}
	}
}

// A query that looks ahead is asked again when what it looks at arrives, which is in the
// next window.
func TestLookaheadWakesTheWindowBefore(t *testing.T) {
	rule := Rule{ID: "unanswered", Kind: KindQuery, Window: day, Lookahead: time.Hour, Severity: schema.SeverityLow, EntityType: "user", Message: "{{entity}} was not answered.",
		Query: `SELECT metadata_tenant_uid AS tenant, metadata_product_name AS product, actor_user_uid AS entity_uid,
    min(time) AS first_seen, max(time) AS last_seen, count() AS count, arrayMap(x -> x.2, groupArraySorted(50)((time, event_uid))) AS evidence
FROM events
WHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)} AND status_id = 2
    AND actor_user_uid NOT IN (SELECT actor_user_uid FROM events WHERE status_id = 1 AND time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)} + toIntervalHour(1))
GROUP BY tenant, product, entity_uid`}
	store := openStore(t)
	runner := NewRunner(store, []Rule{rule}, Options{Clock: later})
	call := func(at time.Duration, status uint64) schema.Event {
		e := apiCall("acme", "u1", testBase.Add(at), "a", "read", "Case")
		e.Number[schema.StatusID] = status
		return e
	}
	for i, want := range []int{1, 0} {
		insertEvents(t, store, []schema.Event{call(23*time.Hour+50*time.Minute, 2), call(24*time.Hour+10*time.Minute, 1)}[i:i+1])
		if err := runner.Wake(t.Context(), rule); err != nil {
			t.Fatal(err)
		}
		if found, err := LoadFindings(t.Context(), store, FindingFilter{}); err != nil || len(found) != want {
			t.Errorf("after %d deliveries: %d findings, want %d, %v", i+1, len(found), want, err)
		}
		time.Sleep(2 * time.Millisecond) // arrivals are told apart by their millisecond
	}
}
