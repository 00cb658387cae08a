package alerting_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/google/go-cmp/cmp"
)

// spike is an episode whose largest hour has so many calls; it is one finding, however
// large it becomes.
func spike(calls int) schema.Finding {
	f := finding("traffic-spike", at(1))
	f.Count = uint64(calls)
	f.Attributes = map[string]string{"peak": fmt.Sprint(calls), "peak_unit": "calls", "peak_in": "the hour of 2025-08-13 14:00:00 UTC"}
	return f
}

// grow lets the episode be of a size, and everybody be told.
func (o *office) grow(f schema.Finding) {
	o.t.Helper()
	o.clock.Advance(5 * time.Minute)
	o.mustFind(f)
	o.flush(time.Hour)
}

// An episode is told again, to all of the channel, when it is twice what they were told:
// not for each step, not when it shrinks, and not when it is handled again.
func TestAbovePeak(t *testing.T) {
	o := openOffice(t)
	cases := []struct {
		calls   int
		replies int
	}{{3912, 0}, {5000, 0}, {7823, 0}, {7824, 1}, {7824, 1}, {15_000, 1}, {2000, 1}, {7824, 1}, {15_648, 2}, {1_000_000, 3}}
	for i, c := range cases {
		o.grow(spike(c.calls))
		if i%2 == 1 {
			o.restart()
		}
		if thread := o.thread(); len(thread) != c.replies {
			t.Fatalf("with %d calls the thread is %q, want %d replies", c.calls, thread, c.replies)
		}
	}
	want := []string{
		"[broadcast] Above its peak: 7,824 calls in the hour of 2025-08-13 14:00:00 UTC, after 3,912",
		"[broadcast] Above its peak: 15,648 calls in the hour of 2025-08-13 14:00:00 UTC, after 7,824",
		"[broadcast] Above its peak: 1,000,000 calls in the hour of 2025-08-13 14:00:00 UTC, after 15,648",
	}
	if diff := cmp.Diff(want, o.thread()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"open >open", "above_peak open>open", "above_peak open>open", "above_peak open>open"}, o.history()); diff != "" {
		t.Error(diff)
	}
	if m := o.theMessage(); strings.Contains(m.Render(), "peak_") || strings.Contains(m.Render(), "peak unit") {
		t.Errorf("the message shows what is meant for programs:\n%s", m.Render())
	}
}

// What rises is shown at once: an update of the usual kind waits a minute.
func TestAbovePeakDoesNotWait(t *testing.T) {
	for calls, updates := range map[int]int{5000: 0, 9200: 1} {
		o := openOffice(t)
		o.mustFind(spike(3912))
		o.clock.Advance(2 * time.Second)
		o.mustFind(spike(calls))
		o.flush(10 * time.Second)
		if m := o.theMessage(); m.Updates != updates {
			t.Errorf("after two seconds with %d calls %d updates, want %d", calls, m.Updates, updates)
		}
	}
}

// Of what somebody holds, it is as with a severity that rises: what sleeps wakes, what is
// resolved opens again. What was nothing is nothing, however much of it there is.
func TestAbovePeakOfHeldAlerts(t *testing.T) {
	const told = "[broadcast] Above its peak: 9,200 calls in the hour of 2025-08-13 14:00:00 UTC, after 3,912"
	cases := []struct {
		action schema.AlertAction
		after  schema.AlertStatus
		reply  string
	}{
		{schema.ActionAcknowledge, schema.AlertAcknowledged, told},
		{schema.ActionSnooze, schema.AlertOpen, told + "\nAwake again: it has risen above its peak"},
		{schema.ActionResolve, schema.AlertOpen, told + "\nOpened again: more was found"},
		{schema.ActionFalsePositive, schema.AlertFalsePositive, ""},
	}
	for _, c := range cases {
		t.Run(string(c.action), func(t *testing.T) {
			o := openOffice(t)
			o.grow(spike(3912))
			var until time.Time
			if c.action == schema.ActionSnooze {
				until = o.clock.Now().Add(24 * time.Hour)
			}
			o.request(o.ask(c.action, "", until))
			o.flush(time.Minute)
			o.grow(spike(5000))
			if a := o.theAlert(); a.Status == schema.AlertOpen || len(o.thread()) != 1 {
				t.Fatalf("a small step: %s, %q", a.Status, o.thread())
			}
			o.grow(spike(9200))
			thread := strings.Join(o.thread()[1:], "|")
			if a := o.theAlert(); a.Status != c.after || sortedLines(thread) != sortedLines(c.reply) {
				t.Errorf("%s, %q, want %s, %q", a.Status, thread, c.after, c.reply)
			}
		})
	}
}

// sortedLines makes the order of what happened at one moment not matter.
func sortedLines(text string) string {
	broadcast := strings.HasPrefix(text, "[broadcast] ")
	lines := strings.Split(strings.TrimPrefix(text, "[broadcast] "), "\n")
	for i := range lines {
		for j := range i {
			if lines[i] < lines[j] {
				lines[i], lines[j] = lines[j], lines[i]
			}
		}
	}
	return fmt.Sprint(broadcast, lines)
}

// A silence holds what rises, and when it ends people are told, once. What an exception
// made a note of, and what is below what people want to hear of, rises unheard.
func TestAbovePeakUnheard(t *testing.T) {
	o := openOffice(t)
	o.grow(spike(3912))
	o.silence("rule=traffic-spike --for 2h --reason r")
	o.clock.Advance(time.Minute)
	for _, calls := range []int{9200, 40_000, 30_000} {
		o.mustFind(spike(calls))
		o.flush(time.Minute)
		o.clock.Advance(time.Minute)
	}
	if len(o.thread()) > 0 {
		t.Errorf("while it is silenced: %q", o.thread())
	}
	o.clock.Advance(2 * time.Hour)
	o.flush(time.Hour)
	want := []string{"[broadcast] Above its peak: 9,200 calls in the hour of 2025-08-13 14:00:00 UTC, after 3,912\n" +
		"Above its peak: 40,000 calls in the hour of 2025-08-13 14:00:00 UTC, after 9,200"}
	if diff := cmp.Diff(want, o.thread()); diff != "" {
		t.Errorf("after the silence: %s", diff)
	}

	other := openOffice(t)
	note := func(calls int) schema.Finding {
		f := spike(calls)
		f.Severity = schema.SeverityInformational
		return f
	}
	other.mustFind(finding("recon", at(1)), note(3912))
	other.grow(note(92_000))
	if len(other.thread()) > 0 {
		t.Errorf("a note rose: %q", other.thread())
	}
}

// A finding of many entities is told again when they are twice as many, and one that
// counts bytes says so in units. One alert tells of all that rose at a time in one line.
func TestAbovePeakOfMany(t *testing.T) {
	o := openOffice(t)
	many := func(entities int, bytes float64) []schema.Finding {
		f, g := spike(0), spike(0)
		f.Attributes = map[string]string{"peak": fmt.Sprint(entities), "peak_unit": "entities"}
		g.Rule, g.FirstSeen = "payload-spike", g.FirstSeen.Add(time.Second)
		g = about(g, g.EntityType, g.EntityUID, g.Entity)
		g.Attributes = map[string]string{"peak": fmt.Sprint(bytes), "peak_unit": "bytes", "peak_in": "the hour of 2025-08-13 14:00:00 UTC"}
		return []schema.Finding{f, g}
	}
	o.mustFind(many(5, 3.9e9)...)
	for _, f := range [][]schema.Finding{many(9, 5e9), many(10, 5e9), many(20, 3e13)} {
		o.clock.Advance(5 * time.Minute)
		o.mustFind(f...)
		o.flush(time.Hour)
	}
	want := []string{
		"[broadcast] Above its peak: 10 entities, after 5",
		"[broadcast] Above its peak: 20 entities, after 10; 30.0 TB in the hour of 2025-08-13 14:00:00 UTC, after 3.9 GB",
	}
	if diff := cmp.Diff(want, o.thread()); diff != "" {
		t.Error(diff)
	}
}

// peakSteps is how many times a rise is written to the database: the transition, the alert,
// the updated message, the reply that begins and the reply that stands.
const peakSteps = 5

// The process dies between any two steps: the rise is told once, not twice, and not never.
func TestAbovePeakCrash(t *testing.T) {
	for _, after := range []bool{false, true} {
		for write := 1; write <= peakSteps; write++ {
			t.Run(fmt.Sprintf("after=%v/write=%d", after, write), func(t *testing.T) {
				o := openOffice(t)
				o.grow(spike(3912))
				o.clock.Advance(2 * time.Minute)
				o.store.fail, o.store.after = o.store.writes+write, after
				err := o.find(spike(9200))
				if err == nil {
					o.clock.Advance(2 * time.Second)
					_, err = o.desk.Flush(t.Context())
				}
				if !errors.Is(err, errShaky) {
					t.Fatalf("rise: %v", err)
				}
				o.restart()
				o.clock.Advance(3 * time.Second)
				// Whoever found it got an error, and hands it over again.
				o.mustFind(spike(9200))
				o.flush(time.Hour)
				o.restart()
				o.grow(spike(9300))
				want := []string{"[broadcast] Above its peak: 9,200 calls in the hour of 2025-08-13 14:00:00 UTC, after 3,912"}
				if diff := cmp.Diff(want, o.thread()); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff([]string{"open >open", "above_peak open>open"}, o.history()); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// An alert that goes on in an earlier one takes with it what people were told.
func TestAbovePeakOfMerged(t *testing.T) {
	o := openOffice(t)
	first := finding("recon", at(-9))
	o.mustFind(first, spike(3912))
	o.grow(spike(5000))
	// Both gaps are closed by what comes late; at once the episode has doubled.
	o.clock.Advance(5 * time.Minute)
	o.mustFind(finding("recon", at(-4)), spike(9200))
	o.flush(time.Hour)
	a := o.theAlert()
	if len(a.Findings) != 3 || a.Peaks[spike(0).UID] != 9200 || a.Risen != "9,200 calls in the hour of 2025-08-13 14:00:00 UTC, after 3,912" {
		t.Errorf("the alert that goes on: %d findings, %v, %q", len(a.Findings), a.Peaks, a.Risen)
	}
	var told []string
	for _, m := range o.messages() {
		for _, reply := range o.server.Replies(m) {
			if strings.Contains(reply.Text, "Above its peak") {
				told = append(told, fmt.Sprint(strings.Contains(m.Text, "recon"), reply.Broadcast))
			}
		}
	}
	if diff := cmp.Diff([]string{"true true"}, told); diff != "" {
		t.Errorf("told under the earlier alert, to all: %s", diff)
	}
}

// Who gets alerts as text, as JSON or by an incoming webhook is told as well.
func TestAbovePeakElsewhere(t *testing.T) {
	o := openOffice(t)
	var console bytes.Buffer
	o.others = []alerting.Notifier{alerting.NewConsole(&console, alerting.Style{})}
	o.restart()
	o.grow(spike(3912))
	before := o.theAlert()
	o.grow(spike(9200))
	a := o.theAlert()
	if want := "Risen     above its peak, 2025-08-17 00:10:00 UTC: 9,200 calls in the hour of 2025-08-13 14:00:00"; strings.Count(console.String(), want) != 1 {
		t.Errorf("the console shows\n%s", console.String())
	}
	text, err := json.Marshal([]alerting.AlertDocument{alerting.Document(before), alerting.Document(a)})
	if err != nil {
		t.Fatal(err)
	}
	if want := `"risen_at":"2025-08-17T00:10:00Z","risen":"9,200 calls in the hour of 2025-08-13 14:00:00 UTC, after 3,912"`; strings.Count(string(text), want) != 1 || strings.Count(string(text), `"risen`) != 2 {
		t.Errorf("the document is %s", text)
	}

	hook := openOffice(t)
	hook.incoming()
	hook.grow(spike(3912))
	hook.grow(spike(5000))
	hook.grow(spike(9200))
	if texts := hook.texts(); len(texts) != 2 || !strings.HasSuffix(texts[1], "\nAbove its peak: 9,200 calls in the hour of 2025-08-13 14:00:00 UTC, after 3,912") {
		t.Errorf("the incoming webhook: %q", texts)
	}
}
