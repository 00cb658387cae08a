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

// ask makes a request about the only alert, with a uid of its own.
func (o *office) ask(action schema.AlertAction, note string, until time.Time) schema.AlertRequest {
	o.t.Helper()
	a := o.theAlert()
	return schema.AlertRequest{
		UID: schema.HashUID("test", string(action), note, o.clock.Now().String()), At: o.clock.Now(), Alert: a.UID,
		Action: action, Actor: "Mira (U0MIRA)", Via: schema.ViaSlack, Note: note, Until: until,
	}
}

func (o *office) request(r schema.AlertRequest) schema.AlertTransition {
	o.t.Helper()
	t, err := o.desk.Request(o.t.Context(), r)
	if err != nil {
		o.t.Fatal(err)
	}
	return t
}

func (o *office) theAlert() schema.Alert {
	o.t.Helper()
	alerts, err := o.desk.Alerts(o.t.Context(), alerting.AlertFilter{})
	if err != nil {
		o.t.Fatal(err)
	}
	if len(alerts) != 1 {
		o.t.Fatalf("%d alerts, want 1", len(alerts))
	}
	return alerts[0]
}

// history is what has happened to the only alert, as "action from>to".
func (o *office) history() []string {
	o.t.Helper()
	list, err := alerting.Transitions(o.t.Context(), o.store.Conn, o.theAlert().UID)
	if err != nil {
		o.t.Fatal(err)
	}
	var lines []string
	for _, t := range list {
		line := fmt.Sprintf("%s %s>%s", t.Action, string(t.From), string(t.To))
		if t.Refused != "" {
			line += " refused"
		}
		lines = append(lines, line)
	}
	return lines
}

// thread is what stands under the only message.
func (o *office) thread() []string {
	o.t.Helper()
	var texts []string
	for _, m := range o.server.Replies(o.theMessage()) {
		text := m.Text
		if m.Broadcast {
			text = "[broadcast] " + text
		}
		texts = append(texts, text)
	}
	return texts
}

// An alert goes through the hands of a person: each step is shown in the message at
// once, told in its thread, and is a row.
func TestLifeOfAnAlert(t *testing.T) {
	o := openOffice(t)
	o.mustFind(finding("recon", at(1)))
	o.clock.Advance(10 * time.Second)
	o.request(o.ask(schema.ActionAcknowledge, "looking", time.Time{}))
	if m := o.theMessage(); m.Updates != 1 || !strings.Contains(m.Render(), "Acknowledged, by Mira") {
		t.Errorf("after acknowledging, %d updates:\n%s", m.Updates, m.Render())
	}
	o.flush(5 * time.Second)
	o.clock.Advance(10 * time.Second)
	o.request(o.ask(schema.ActionSnooze, "", o.clock.Now().Add(time.Hour)))
	o.flush(10 * time.Minute)
	if a := o.theAlert(); a.Status != schema.AlertSnoozed || a.StatusBefore != schema.AlertAcknowledged {
		t.Errorf("snoozed: %+v", a)
	}
	// It grows while it sleeps: the message shows that, the thread is silent.
	o.clock.Advance(2 * time.Minute)
	o.mustFind(finding("brute-force", at(1).Add(time.Hour)))
	o.flush(10 * time.Minute)
	if a := o.theAlert(); a.Status != schema.AlertSnoozed || len(o.thread()) != 2 {
		t.Errorf("a snoozed alert is %s with the thread %q", a.Status, o.thread())
	}
	o.clock.Advance(time.Hour)
	o.flush(10 * time.Minute)
	if a := o.theAlert(); a.Status != schema.AlertAcknowledged {
		t.Errorf("after the snooze it is %s", a.Status)
	}
	o.clock.Advance(time.Minute)
	o.request(o.ask(schema.ActionResolve, "token revoked", time.Time{}))
	o.flush(10 * time.Minute)
	if a := o.theAlert(); a.Status != schema.AlertResolved || a.StatusNote != "token revoked" {
		t.Errorf("resolved: %+v", a)
	}
	want := []string{"open >open", "acknowledge open>acknowledged", "snooze acknowledged>snoozed", "join snoozed>snoozed", "wake snoozed>acknowledged", "resolve acknowledged>resolved"}
	if diff := cmp.Diff(want, o.history()); diff != "" {
		t.Error(diff)
	}
	thread := o.thread()
	for i, want := range []string{"Acknowledged by Mira (U0MIRA): looking", "Snoozed until ", "Awake again: the snooze is over", "Resolved by Mira (U0MIRA): token revoked"} {
		if i >= len(thread) || !strings.HasPrefix(thread[i], want) {
			t.Errorf("reply %d of %q is not %q", i, thread, want)
		}
	}
	if len(thread) != 4 {
		t.Errorf("the thread has %q", thread)
	}
}

// What is closed opens again in the same thread for what nobody has seen, and not for
// a window that is evaluated again.
func TestReopen(t *testing.T) {
	o := openOffice(t)
	recon := finding("recon", at(1))
	o.mustFind(recon)
	o.request(o.ask(schema.ActionResolve, "", time.Time{}))
	o.clock.Advance(time.Hour)
	recon.Count += 5
	o.mustFind(recon)
	if a := o.theAlert(); a.Status != schema.AlertResolved {
		t.Errorf("a window that was evaluated again makes it %s", a.Status)
	}
	o.clock.Advance(time.Hour)
	o.mustFind(finding("recon", at(2)))
	o.flush(time.Hour)
	if a := o.theAlert(); a.Status != schema.AlertOpen {
		t.Errorf("a new finding makes it %s", a.Status)
	}
	if thread := strings.Join(o.thread(), "\n"); !strings.HasSuffix(thread, "Resolved by Mira (U0MIRA)\nOpened again: more was found") {
		t.Errorf("the thread has %q", thread)
	}
	// Past the gap it is another story.
	o.mustFind(finding("recon", at(2).Add(alerting.StoryGap+time.Hour)))
	if alerts, _ := o.desk.Alerts(t.Context(), alerting.AlertFilter{}); len(alerts) != 2 {
		t.Errorf("%d alerts, want 2", len(alerts))
	}
}

// A false positive stays closed for more of its kind; another rule or a higher severity
// opens it.
func TestFalsePositiveStaysClosed(t *testing.T) {
	o := openOffice(t)
	o.mustFind(finding("recon", at(1)))
	o.request(o.ask(schema.ActionFalsePositive, "load test", time.Time{}))
	o.mustFind(finding("recon", at(2)))
	if a := o.theAlert(); a.Status != schema.AlertFalsePositive || len(a.Findings) != 2 {
		t.Errorf("more of the same makes it %s with %d findings", a.Status, len(a.Findings))
	}
	o.mustFind(finding("brute-force", at(3)))
	if a := o.theAlert(); a.Status != schema.AlertOpen {
		t.Errorf("another rule makes it %s", a.Status)
	}
}

// A snooze ends early when the severity rises, and the channel hears of it.
func TestSnoozeEndsWhenItGetsWorse(t *testing.T) {
	o := openOffice(t)
	f := finding("recon", at(1))
	o.mustFind(f)
	o.request(o.ask(schema.ActionSnooze, "", o.clock.Now().Add(4*time.Hour)))
	o.clock.Advance(time.Minute)
	f.Severity = schema.SeverityCritical
	o.mustFind(f)
	o.flush(time.Hour)
	if a := o.theAlert(); a.Status != schema.AlertOpen || a.Severity != schema.SeverityCritical {
		t.Errorf("it is %s and %s", a.Status, a.Severity)
	}
	last := o.thread()[len(o.thread())-1]
	if !strings.HasPrefix(last, "[broadcast] ") || !strings.Contains(last, "Severity is now critical") || !strings.Contains(last, "Awake again") {
		t.Errorf("the thread ends with %q", last)
	}
}

// What is quiet for the set time resolves itself, once.
func TestAutoResolve(t *testing.T) {
	o := openOffice(t)
	o.mustFind(finding("recon", at(1)))
	o.clock.Advance(71 * time.Hour)
	o.flush(time.Minute)
	if a := o.theAlert(); a.Status != schema.AlertOpen {
		t.Errorf("after 71 h it is %s", a.Status)
	}
	o.clock.Advance(2 * time.Hour)
	o.flush(time.Minute)
	o.restart()
	o.clock.Advance(2 * time.Hour)
	o.flush(time.Minute)
	if diff := cmp.Diff([]string{"open >open", "auto_resolve open>resolved"}, o.history()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"Resolved by itself: nothing more was found for 3 d"}, o.thread()); diff != "" {
		t.Error(diff)
	}
}

// The same request twice is done once; what cannot be done is refused and recorded.
func TestRequestsOnceAndRefused(t *testing.T) {
	o := openOffice(t)
	o.mustFind(finding("recon", at(1)))
	r := o.ask(schema.ActionAcknowledge, "", time.Time{})
	o.request(r)
	o.restart()
	o.request(r)
	o.clock.Advance(time.Second)
	if got := o.request(o.ask(schema.ActionReopen, "", time.Time{})); got.Refused != "the alert is acknowledged, not closed" {
		t.Errorf("refused with %q", got.Refused)
	}
	if got := o.request(o.ask(schema.ActionSnooze, "", o.clock.Now().Add(-time.Hour))); got.Refused == "" {
		t.Error("a snooze in the past was taken")
	}
	stranger := o.ask(schema.ActionResolve, "", time.Time{})
	if err := o.desk.Refuse(t.Context(), stranger, "U0MALLORY may not"); err != nil {
		t.Fatal(err)
	}
	want := []string{"open >open", "acknowledge open>acknowledged", "reopen acknowledged>acknowledged refused", "snooze acknowledged>acknowledged refused", "resolve acknowledged>acknowledged refused"}
	got := o.history()
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A request counts as done once it is recorded: what could not be recorded, or was cut off
// by the end of the process, is told again, and the alert changes once.
func TestRequestsAreRecordedBeforeTheyCount(t *testing.T) {
	o := openOffice(t)
	var told []string
	away := errors.New("the audit is away")
	o.onRequest = func(_ context.Context, r schema.AlertRequest, tr schema.AlertTransition, a schema.Alert) error {
		told = append(told, fmt.Sprintf("%s %s %q %t %t", r.UID, r.Action, tr.Refused, r.UID == tr.UID, a.Title != ""))
		return away
	}
	o.restart()
	o.mustFind(finding("recon", at(1)))
	r := o.ask(schema.ActionAcknowledge, "", time.Time{})
	if _, err := o.desk.Request(t.Context(), r); !errors.Is(err, away) {
		t.Fatalf("the request ends with %v", err)
	}
	if _, known, err := alerting.Outcome(t.Context(), o.store.Conn, r.UID); known || err != nil {
		t.Errorf("the request counts as done: %v", err)
	}
	away = nil
	o.restart()
	o.clock.Advance(3 * time.Second)
	o.flush(time.Minute)
	if refused, known, err := alerting.Outcome(t.Context(), o.store.Conn, r.UID); refused != "" || !known || err != nil {
		t.Errorf("outcome: %q %v %v", refused, known, err)
	}
	stranger := o.ask(schema.ActionResolve, "", time.Time{})
	if err := o.desk.Refuse(t.Context(), stranger, "U0MALLORY may not"); err != nil {
		t.Fatal(err)
	}
	one := fmt.Sprintf(`%s acknowledge "" true true`, r.UID)
	if diff := cmp.Diff([]string{one, one, fmt.Sprintf(`%s resolve "U0MALLORY may not" true true`, stranger.UID)}, told); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if a := o.theAlert(); a.Status != schema.AlertAcknowledged || a.Version != 2 {
		t.Errorf("it is %s in version %d", a.Status, a.Version)
	}
}

// Another process asks by a row; the desk carries it out at its next look.
func TestRequestOfAnotherProcess(t *testing.T) {
	o := openOffice(t)
	o.mustFind(finding("recon", at(1)))
	r := o.ask(schema.ActionResolve, "done", time.Time{})
	if err := alerting.SaveRequest(t.Context(), o.store.Conn, r); err != nil {
		t.Fatal(err)
	}
	if _, known, err := alerting.Outcome(t.Context(), o.store.Conn, r.UID); known || err != nil {
		t.Fatalf("the outcome is known before it was done: %v", err)
	}
	o.clock.Advance(3 * time.Second)
	o.flush(time.Minute)
	if refused, known, err := alerting.Outcome(t.Context(), o.store.Conn, r.UID); refused != "" || !known || err != nil {
		t.Errorf("outcome: %q %v %v", refused, known, err)
	}
	if a := o.theAlert(); a.Status != schema.AlertResolved {
		t.Errorf("it is %s", a.Status)
	}
}

// An alert that is closed before Slack took it is told to nobody; opened again, it is
// posted as any other.
func TestClosedBeforeAnybodyHeard(t *testing.T) {
	o := openOffice(t)
	o.server.Script("chat.postMessage", fakeslack.RateLimited(10*time.Minute))
	o.mustFind(finding("recon", at(1)))
	o.clock.Advance(time.Minute)
	o.request(o.ask(schema.ActionResolve, "", time.Time{}))
	o.flush(time.Hour)
	if len(o.messages()) != 0 {
		t.Fatalf("what is closed was told: %s", o.theMessage().Text)
	}
	o.restart()
	o.flush(time.Hour)
	o.request(o.ask(schema.ActionReopen, "", time.Time{}))
	o.flush(time.Hour)
	if m := o.theMessage(); labelled(m) || o.calls("chat.update") != 0 {
		t.Errorf("%d updates of %s", o.calls("chat.update"), m.Text)
	}
}
