package alerting_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/alerting/fakeslack"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/google/go-cmp/cmp"
)

// One story is one message, which grows in place.
func TestDeskLifecycle(t *testing.T) {
	o := openOffice(t)
	o.mustFind(finding("recon", at(1)))
	first := o.theMessage()
	if !strings.Contains(first.Text, "MEDIUM") || strings.Contains(first.Text, "bulk") {
		t.Errorf("first message: %s", first.Text)
	}
	o.clock.Advance(2 * time.Minute)
	o.mustFind(finding("bulk-export", at(4)))
	second := o.theMessage()
	if second.TS != first.TS || second.Updates != 1 || !strings.Contains(second.Text, "export") {
		t.Errorf("after the second finding: %+v", second)
	}
	alerts, err := o.desk.Alerts(t.Context(), alerting.AlertFilter{})
	if err != nil {
		t.Fatal(err)
	}
	if len(alerts) != 1 || len(alerts[0].Findings) != 2 || alerts[0].Version != 2 || alerts[0].SeenAfter != 4*24*time.Hour {
		t.Errorf("alerts: %+v", alerts)
	}
	if diff := cmp.Diff([]string{"slack sent"}, o.states()); diff != "" {
		t.Error(diff)
	}
}

func TestDeskUnchangedSendsNothing(t *testing.T) {
	o := openOffice(t)
	findings := []schema.Finding{finding("recon", at(1)), finding("bulk-export", at(2))}
	o.mustFind(findings...)
	writes := o.store.writes
	for i := range 3 {
		o.clock.Advance(time.Hour)
		// A window that is evaluated again has a new time of detection and nothing else.
		findings[0].DetectedAt = o.clock.Now()
		slices.Reverse(findings)
		o.mustFind(findings...)
		o.flush(time.Hour)
		if i == 1 {
			o.restart()
		}
	}
	if o.calls("") != 1 {
		t.Errorf("%d calls, want 1", o.calls(""))
	}
	if o.store.writes != writes {
		t.Errorf("%d needless writes", o.store.writes-writes)
	}
}

// A message is updated once a minute at most, but at once when severity rises;
// what waits is not lost.
func TestDeskUpdateRate(t *testing.T) {
	o := openOffice(t)
	f := finding("brute-force", at(1))
	o.mustFind(f)
	for i := range 20 {
		o.clock.Advance(5 * time.Second)
		f.Count = uint64(100 + i)
		o.mustFind(f)
	}
	if n := o.calls("chat.update"); n != 1 {
		t.Errorf("%d updates in 100 s, want 1", n)
	}
	o.flush(time.Hour)
	if m := o.theMessage(); m.Updates != 2 || !strings.Contains(string(m.Blocks), "119 events") {
		t.Errorf("the last state is not shown after %d updates:\n%s", m.Updates, m.Render())
	}
	o.clock.Advance(2 * time.Second)
	f.Severity = schema.SeverityCritical
	o.mustFind(f)
	if m := o.theMessage(); m.Updates != 3 || !strings.Contains(m.Text, "CRITICAL") {
		t.Errorf("a higher severity waits: %s", m.Text)
	}
}

// Posts keep Slack's pace of one a second; the most severe goes first.
func TestDeskPace(t *testing.T) {
	o := openOffice(t)
	var findings []schema.Finding
	for i := range 4 {
		f := about(finding("brute-force", at(1)), "user", fmt.Sprintf("005-%d", i), fmt.Sprintf("user-%d@acme.example", i))
		f.Severity = schema.SeverityLow + schema.Severity(i)
		findings = append(findings, f)
	}
	o.mustFind(findings...)
	if m := o.theMessage(); !strings.Contains(m.Text, "CRITICAL") {
		t.Errorf("first is %s", m.Text)
	}
	before := o.clock.Now()
	o.restart()
	o.flush(time.Minute)
	var order []string
	for _, m := range o.messages() {
		severity, _, _ := strings.Cut(m.Text, " ")
		order = append(order, severity)
	}
	if diff := cmp.Diff([]string{"CRITICAL", "HIGH", "MEDIUM", "LOW"}, order); diff != "" {
		t.Error(diff)
	}
	if took := o.clock.Now().Sub(before); took < 2*time.Second || took > 5*time.Second {
		t.Errorf("four messages took %s", took)
	}
}

func TestDeskMerge(t *testing.T) {
	o := openOffice(t)
	o.mustFind(finding("recon", at(-20)))
	o.clock.Advance(2 * time.Second)
	o.mustFind(finding("bulk-export", at(-10)))
	o.clock.Advance(2 * time.Minute)
	o.mustFind(finding("new-network", at(-15)))
	o.flush(time.Minute)
	messages := o.messages()
	if len(messages) != 2 || !strings.Contains(messages[0].Text, "new network") || !strings.Contains(messages[1].Text, "merged into another alert") {
		t.Fatalf("messages: %v", messages)
	}
	alerts, err := o.desk.Alerts(t.Context(), alerting.AlertFilter{})
	if err != nil {
		t.Fatal(err)
	}
	if len(alerts) != 1 || len(alerts[0].Findings) != 3 {
		t.Errorf("open alerts: %v", told(alerts))
	}
}

func TestAlertsFilter(t *testing.T) {
	o := openOffice(t)
	low := about(finding("a", at(1)), "user", "005low", "low@acme.example")
	low.Severity = schema.SeverityLow
	o.mustFind(finding("b", at(3)), low)
	uid := alerting.Group(nil, []schema.Finding{low})[0].UID.String()
	cases := []struct {
		filter alerting.AlertFilter
		want   []string
	}{
		{alerting.AlertFilter{}, []string{"open medium svc-sync@acme.example: b", "open low low@acme.example: a"}},
		{alerting.AlertFilter{Limit: 1}, []string{"open medium svc-sync@acme.example: b"}},
		{alerting.AlertFilter{UID: uid}, []string{"open low low@acme.example: a"}},
		{alerting.AlertFilter{UID: uid[:8]}, []string{"open low low@acme.example: a"}},
		{alerting.AlertFilter{UID: "%"}, nil},
		{alerting.AlertFilter{Entity: "LOW@"}, []string{"open low low@acme.example: a"}},
		{alerting.AlertFilter{Entity: "005low"}, []string{"open low low@acme.example: a"}},
		{alerting.AlertFilter{MinSeverity: schema.SeverityMedium}, []string{"open medium svc-sync@acme.example: b"}},
		{alerting.AlertFilter{Since: at(2)}, []string{"open medium svc-sync@acme.example: b"}},
		{alerting.AlertFilter{Status: schema.AlertMerged}, nil},
		{alerting.AlertFilter{Entity: `' OR 1 = 1 --`}, nil},
	}
	for _, c := range cases {
		got, err := o.desk.Alerts(t.Context(), c.filter)
		if err != nil {
			t.Fatalf("%+v: %v", c.filter, err)
		}
		if diff := cmp.Diff(c.want, told(got)); diff != "" {
			t.Errorf("%+v:\n%s", c.filter, diff)
		}
	}
}

// What is loaded is what was saved, whatever the text.
func TestAlertRoundTrip(t *testing.T) {
	o := openOffice(t)
	f := finding("brute\tforce'", at(1))
	f.Entity, f.Message, f.Attack = "a\x00b\\n\n'\"\xff", "línea\n語", []string{"T1110", "T'1"}
	f.Evidence, f.EvidenceSQL = []schema.UID{schema.HashUID("e")}, "SELECT '{x:String}'"
	f.Attributes = map[string]string{"k'": "v\n"}
	o.mustFind(f)
	got, err := o.desk.Alerts(t.Context(), alerting.AlertFilter{})
	if err != nil {
		t.Fatal(err)
	}
	want := alerting.Group(nil, []schema.Finding{f})
	want[0].Version, want[0].UpdatedAt, want[0].JoinedAt, want[0].SeenAfter = 1, o.clock.Now(), o.clock.Now(), 4*24*time.Hour
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("saved and loaded differ:\n%s", diff)
	}
}

// The process dies between any two steps: the next one tells the story, once,
// and a repeat says that it is one.
func TestDeskCrash(t *testing.T) {
	for _, blind := range []bool{false, true} {
		for _, after := range []bool{false, true} {
			for write := 1; write <= 5; write++ {
				t.Run(fmt.Sprintf("blind=%v/after=%v/write=%d", blind, after, write), func(t *testing.T) {
					o := openOffice(t)
					if blind {
						// The app may not read the channel: nothing can be looked up.
						o.server.Script("conversations.history", missingScope(20)...)
					}
					f := finding("recon", at(1))
					o.store.fail, o.store.after = write, after
					if err := o.find(f); !errors.Is(err, errShaky) {
						t.Fatalf("handle: %v", err)
					}
					o.restart()
					// An alert that exists is told, also when its findings never come again.
					o.flush(time.Hour)
					saved, err := o.desk.Alerts(t.Context(), alerting.AlertFilter{})
					if err != nil {
						t.Fatal(err)
					}
					if len(saved) > 0 && len(o.messages()) == 0 {
						t.Error("an alert is saved, and nobody was told")
					}
					// They do come again, because the desk answered with an error.
					o.mustFind(f)
					o.flush(time.Hour)
					var plain, repeats int
					for _, m := range o.messages() {
						if labelled(m) {
							repeats++
						} else {
							plain++
						}
					}
					if plain+repeats == 0 || plain > 1 || repeats > 1 {
						t.Errorf("%d messages and %d repeats", plain, repeats)
					}
					if !blind && plain == 1 && repeats == 1 {
						t.Errorf("repeated, though the first message can be found")
					}
					if diff := cmp.Diff("slack sent", strings.TrimSuffix(o.states()[0], " lost")); diff != "" {
						t.Error(diff)
					}
				})
			}
		}
	}
}

// Run delivers what an earlier process left, and ends cleanly.
func TestDeskRun(t *testing.T) {
	o := openOffice(t)
	o.server.Script("chat.postMessage", fakeslack.Status(502))
	o.mustFind(finding("recon", at(1)))
	if len(o.messages()) != 0 {
		t.Fatal("a message in spite of the error")
	}
	o.clock.Advance(time.Minute)
	o.restart()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- o.desk.Run(ctx) }()
	<-o.arrived
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("run: %v", err)
	}
	if m := o.theMessage(); !labelled(m) {
		t.Errorf("the repeat is not labelled: %s", m.Text)
	}
}

func missingScope(n int) []fakeslack.Fault {
	return slices.Repeat([]fakeslack.Fault{fakeslack.Error("missing_scope")}, n)
}

// Without notifiers, as in a scan, the desk keeps alerts and tells nobody.
func TestDeskWithoutNotifiers(t *testing.T) {
	o := openOffice(t)
	f := finding("recon", at(1))
	o.save(f)
	desk := alerting.NewDesk(o.store, nil, alerting.Options{Clock: o.clock.Now})
	if err := desk.Handle(t.Context(), []schema.Finding{f}); err != nil {
		t.Fatal(err)
	}
	alerts, err := desk.Alerts(t.Context(), alerting.AlertFilter{})
	if err != nil {
		t.Fatal(err)
	}
	if len(alerts) != 1 || alerts[0].SeenAfter != 0 || o.calls("") != 0 {
		t.Errorf("alerts: %+v, %d calls", alerts, o.calls(""))
	}
	if next, err := desk.Flush(t.Context()); err != nil || !next.IsZero() {
		t.Errorf("flush: next %s, %v", next, err)
	}
	// Alerts from before Slack was set up are no news for it.
	o.flush(time.Hour)
	if n := len(o.messages()); n != 0 {
		t.Errorf("%d messages about old alerts", n)
	}
}
