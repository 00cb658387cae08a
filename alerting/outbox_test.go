package alerting_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting/fakeslack"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/google/go-cmp/cmp"
)

// E1: a rate limit in any of its three shapes is waited out, also by the next
// process, and the message is sent once.
func TestRateLimit(t *testing.T) {
	cases := map[string]struct {
		fault fakeslack.Fault
		wait  time.Duration
	}{
		"with header":    {fakeslack.RateLimited(45 * time.Second), 45 * time.Second},
		"without header": {fakeslack.RateLimitedWithoutHeader(), 30 * time.Second},
		"in the body":    {fakeslack.RateLimitedInBody(), 30 * time.Second},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := openOffice(t)
			o.server.Script("chat.postMessage", c.fault)
			o.mustFind(finding("recon", at(1)))
			if diff := cmp.Diff([]string{"slack pending ratelimited"}, o.states()); diff != "" {
				t.Fatal(diff)
			}
			o.restart()
			// Another alert has to wait as well.
			o.mustFind(about(finding("recon", at(1)), "user", "005b", "b@acme.example"))
			o.clock.Advance(c.wait - time.Second)
			o.flush(0)
			if n := o.calls("chat.postMessage"); n != 1 {
				t.Fatalf("%d posts before the time that Slack set", n)
			}
			o.flush(time.Minute)
			if n := o.calls("chat.postMessage"); n != 3 || len(o.messages()) != 2 {
				t.Errorf("%d posts, %d messages", n, len(o.messages()))
			}
			for _, m := range o.messages() {
				if labelled(m) {
					t.Errorf("labelled without need: %s", m.Text)
				}
			}
		})
	}
}

// E2 and E3: after an answer that says nothing about the message, the channel is
// searched first; what stands there is not sent again.
func TestUnknownOutcome(t *testing.T) {
	cases := map[string]struct {
		fault  fakeslack.Fault
		repeat bool
	}{
		"500 before acceptance":   {fakeslack.Status(500), true},
		"502 before acceptance":   {fakeslack.Status(502), true},
		"cut before acceptance":   {fakeslack.Drop(), true},
		"internal error":          {fakeslack.Error("internal_error"), true},
		"cut after acceptance":    {fakeslack.AcceptThenDrop(), false},
		"500 after acceptance":    {fakeslack.AcceptThenStatus(500), false},
		"silent after acceptance": {fakeslack.AcceptThenHang(), false},
		"silent":                  {fakeslack.Hang(), true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // two of them wait for a server that is silent
			o := openOffice(t)
			o.server.Script("chat.postMessage", c.fault)
			// Searching fails too, once: the outcome stays unknown until it is known.
			o.server.Script("conversations.history", fakeslack.Status(503))
			o.mustFind(finding("recon", at(1)))
			if diff := cmp.Diff([]string{"slack unknown answer lost"}, o.states()); diff != "" {
				t.Fatal(diff)
			}
			o.flush(time.Hour)
			if m := o.theMessage(); labelled(m) != c.repeat {
				t.Errorf("labelled is %v: %s", labelled(m), m.Text)
			}
			o.mustFind(finding("recon", at(1)))
			o.flush(time.Hour)
			o.theMessage()
		})
	}
}

// Without the right to read the channel there is one labelled repeat, and no third
// message: the fallback has it then.
func TestUnknownOutcomeUnseen(t *testing.T) {
	o := openOffice(t)
	o.server.Script("conversations.history", missingScope(100)...)
	o.server.Script("chat.postMessage", fakeslack.AcceptThenDrop(), fakeslack.AcceptThenDrop())
	o.mustFind(finding("recon", at(1)))
	o.flush(24 * time.Hour)
	messages := o.messages()
	if len(messages) != 2 || labelled(messages[0]) || !labelled(messages[1]) {
		t.Errorf("%d messages: %v", len(messages), messages)
	}
	if n := strings.Count(o.console.String(), "New alert"); n != 1 {
		t.Errorf("the fallback has it %d times", n)
	}
}

// A channel that is given by name is searchable once Slack has told its id.
func TestChannelByName(t *testing.T) {
	o := openOffice(t)
	o.channel = "#" + fakeslack.DefaultChannel.Name
	o.restart()
	o.mustFind(finding("recon", at(1)))
	o.clock.Advance(time.Minute)
	o.server.Script("chat.postMessage", fakeslack.AcceptThenDrop())
	o.mustFind(about(finding("recon", at(1)), "user", "005b", "b@acme.example"))
	o.flush(time.Hour)
	for _, m := range o.messages() {
		if labelled(m) {
			t.Errorf("repeated: %s", m.Text)
		}
	}
	if len(o.messages()) != 2 {
		t.Errorf("%d messages", len(o.messages()))
	}
}

// An update is sent again after any passing error.
func TestUpdateRetries(t *testing.T) {
	o := openOffice(t)
	o.mustFind(finding("recon", at(1)))
	o.clock.Advance(2 * time.Minute)
	o.server.Script("chat.update", fakeslack.Status(500), fakeslack.AcceptThenDrop(), fakeslack.RateLimited(time.Second), fakeslack.Error("internal_error"), fakeslack.Drop())
	o.mustFind(finding("bulk-export", at(2)))
	o.flush(time.Hour)
	if m := o.theMessage(); !strings.Contains(m.Text, "export") || labelled(m) {
		t.Errorf("not up to date: %s", m.Text)
	}
	if n := o.calls("chat.update"); n != 6 {
		t.Errorf("%d updates", n)
	}
}

// A message that somebody deleted comes back, labelled, when its alert grows.
func TestDeletedMessage(t *testing.T) {
	o := openOffice(t)
	o.mustFind(finding("recon", at(1)))
	gone := o.theMessage()
	o.server.Delete(gone.Channel, gone.TS)
	o.clock.Advance(2 * time.Minute)
	o.mustFind(finding("recon", at(1)))
	o.flush(time.Hour)
	if n := len(o.messages()); n != 0 {
		t.Fatalf("%d messages though nothing is new", n)
	}
	o.mustFind(finding("bulk-export", at(2)))
	o.flush(time.Hour)
	if m := o.theMessage(); !strings.Contains(m.Text, "(repeat: the first message was deleted") {
		t.Errorf("not labelled: %s", m.Text)
	}
}

// E5: what Slack refuses for good is reported once, with the mend, and the
// console has it; no hot loop; when it is mended, Slack gets what it missed.
func TestRefusal(t *testing.T) {
	for _, code := range []string{"invalid_auth", "channel_not_found", "not_in_channel", "is_archived", "token_revoked", "missing_scope", "some_new_error"} {
		t.Run(code, func(t *testing.T) {
			o := openOffice(t)
			for range 10 {
				o.server.Script("chat.postMessage", fakeslack.Error(code))
			}
			o.mustFind(finding("recon", at(1)))
			o.mustFind(about(finding("recon", at(1)), "user", "005b", "b@acme.example"))
			o.flush(time.Minute)
			if n := o.calls(""); n != 1 {
				t.Errorf("%d calls", n)
			}
			if n := strings.Count(o.console.String(), "New alert"); n != 2 {
				t.Errorf("the console has %d alerts, want 2", n)
			}
			if n := strings.Count(o.log.String(), "a notifier refuses alerts"); n != 1 || !strings.Contains(o.log.String(), code) {
				t.Errorf("reported %d times:\n%s", n, o.log.String())
			}
			o.flush(30 * time.Minute)
			if n := o.calls(""); n > 6 {
				t.Errorf("%d calls in half an hour", n)
			}
			o.server.Clear()
			o.flush(time.Hour)
			if n := len(o.messages()); n != 2 {
				t.Errorf("%d messages after the mend, want 2", n)
			}
			if n := strings.Count(o.console.String(), "New alert"); n != 2 {
				t.Errorf("the console has %d alerts, want 2", n)
			}
		})
	}
}

// A message that is refused for itself does not stop the others, and is not sent
// again until the alert has changed.
func TestRefusedMessage(t *testing.T) {
	for _, code := range []string{"msg_too_long", "invalid_blocks", "msg_blocks_too_long"} {
		t.Run(code, func(t *testing.T) {
			o := openOffice(t)
			o.server.Script("chat.postMessage", fakeslack.Error(code))
			o.mustFind(finding("recon", at(1)))
			o.clock.Advance(time.Minute)
			o.mustFind(about(finding("recon", at(1)), "user", "005b", "b@acme.example"))
			o.restart()
			o.mustFind(finding("recon", at(1)))
			o.flush(time.Hour)
			if n := o.calls("chat.postMessage"); n != 2 {
				t.Errorf("%d posts", n)
			}
			if n := strings.Count(o.console.String(), "New alert"); n != 1 {
				t.Errorf("the console has %d alerts, want 1", n)
			}
			o.mustFind(finding("bulk-export", at(2)))
			o.flush(time.Hour)
			if n := len(o.messages()); n != 2 {
				t.Errorf("%d messages", n)
			}
		})
	}
}

// Slack is unreachable for hours: the alert waits, the calls are few, and it is
// sent once Slack is back.
func TestOutage(t *testing.T) {
	o := openOffice(t)
	for range 1000 {
		o.server.Script("", fakeslack.Status(503))
	}
	o.mustFind(finding("recon", at(1)))
	for i := range 5 {
		o.mustFind(about(finding("recon", at(1)), "user", fmt.Sprint("005", i), fmt.Sprint("user", i)))
	}
	o.flush(6 * time.Hour)
	if n := o.calls(""); n > 100 {
		t.Errorf("%d calls in six hours", n)
	}
	o.server.Clear()
	o.flush(time.Hour)
	if n := len(o.messages()); n != 6 {
		t.Errorf("%d messages, want 6", n)
	}
}

// A connection that never came about sent nothing: the message needs no label.
func TestConnectionRefused(t *testing.T) {
	o := openOffice(t)
	refusals := 3
	o.client = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if refusals--; refusals >= 0 {
			return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
		}
		var dialer net.Dialer
		return dialer.DialContext(ctx, network, address)
	}}}
	o.restart()
	o.mustFind(finding("recon", at(1)))
	if diff := cmp.Diff([]string{"slack pending unreachable"}, o.states()); diff != "" {
		t.Fatal(diff)
	}
	o.flush(time.Hour)
	if m := o.theMessage(); labelled(m) || refusals >= 0 {
		t.Errorf("labelled is %v, %d refusals left", labelled(m), refusals)
	}
	if n := o.calls("conversations.history"); n != 0 {
		t.Errorf("%d searches without need", n)
	}
}

// A process that is asked to stop in the middle of a message ends it first.
func TestStopEndsTheMessage(t *testing.T) {
	o := openOffice(t)
	ctx, cancel := context.WithCancel(t.Context())
	o.client = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		cancel()
		return http.DefaultTransport.RoundTrip(r)
	})}
	o.restart()
	f := finding("recon", at(1))
	o.save(f)
	if err := o.desk.Handle(ctx, []schema.Finding{f}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"slack sent"}, o.states()); diff != "" {
		t.Error(diff)
	}
	if m := o.theMessage(); labelled(m) {
		t.Errorf("labelled: %s", m.Text)
	}
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }
