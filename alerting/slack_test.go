package alerting_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
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

// The token and other secrets never leave by log, console, error or database.
func TestTokenStaysSecret(t *testing.T) {
	o := openOffice(t)
	o.server.Script("chat.postMessage", fakeslack.Error("invalid_auth"), fakeslack.Status(500), fakeslack.Drop())
	o.mustFind(finding("recon", at(1)))
	o.flush(time.Hour)
	closed := httptest.NewServer(nil)
	closed.Close()
	slack, err := alerting.NewSlack(alerting.SlackOptions{APIURL: closed.URL, Token: testToken, Channel: "c"})
	if err != nil {
		t.Fatal(err)
	}
	_, postErr := slack.Post(t.Context(), schema.Alert{}, alerting.RepeatNone)
	_, checkErr := slack.Check(t.Context())
	_, configErr := alerting.NewSlack(alerting.SlackOptions{APIURL: "http://slack.acme.example/", Token: testToken, Channel: "c"})
	var tables string
	for _, table := range []string{"alerts", "notifications"} {
		var text string
		if err := o.store.QueryRow(t.Context(), "SELECT toString(groupArray(tuple(*))) FROM "+table).Scan(&text); err != nil {
			t.Fatal(err)
		}
		tables += text
	}
	options := alerting.SlackOptions{Token: testToken}
	for name, text := range map[string]string{
		"log": o.log.String(), "console": o.console.String(), "post": fmt.Sprintf("%+v", postErr), "check": fmt.Sprintf("%+v", checkErr),
		"config": fmt.Sprintf("%+v", configErr), "tables": tables, "options": fmt.Sprintf("%v %+v %#v %s", options, options, options, options.Token),
	} {
		if text == "" || strings.Contains(text, "canary") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

func TestNewSlackRefuses(t *testing.T) {
	good := alerting.SlackOptions{Token: testToken, Channel: "C0SECURITY1"}
	if _, err := alerting.NewSlack(good); err != nil {
		t.Fatal(err)
	}
	cases := map[string]func(o *alerting.SlackOptions){
		"use https":              func(o *alerting.SlackOptions) { o.APIURL = "http://slack.acme.example/api/" },
		"is not a URL":           func(o *alerting.SlackOptions) { o.APIURL = "slack" },
		"no user":                func(o *alerting.SlackOptions) { o.APIURL = "https://a:b@slack.acme.example/" },
		"no channel":             func(o *alerting.SlackOptions) { o.Channel = "#" },
		"it is empty":            func(o *alerting.SlackOptions) { o.Token = "" },
		"app-level token":        func(o *alerting.SlackOptions) { o.Token = "xapp-1" },
		"begins with xoxb-":      func(o *alerting.SlackOptions) { o.Token = "canary" },
		"holds more than a toke": func(o *alerting.SlackOptions) { o.Token = "xoxb-1\nxoxb-2" },
	}
	for want, spoil := range cases {
		options := good
		spoil(&options)
		_, err := alerting.NewSlack(options)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestReadToken(t *testing.T) {
	dir := t.TempDir()
	cases := []struct {
		name, content string
		mode          os.FileMode
		want          string
	}{
		{"good", "xoxb-canary\n", 0o600, ""},
		{"group", "xoxb-canary", 0o640, ""},
		{"world", "xoxb-canary", 0o604, "chmod 0600"},
		{"empty", " \n", 0o600, "it is empty"},
		{"app", "xapp-canary", 0o600, "app-level"},
		{"two", "xoxb-canary xoxb-b", 0o600, "more than a token"},
		{"long", "xoxb-" + strings.Repeat("a", 5000), 0o600, "more than a token"},
	}
	for _, c := range cases {
		path := filepath.Join(dir, c.name)
		if err := os.WriteFile(path, []byte(c.content), c.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		token, err := alerting.ReadToken(path)
		switch {
		case c.want == "" && (err != nil || string(token) != "xoxb-canary"):
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "canary")):
			t.Errorf("%s: want %q, got %v", c.name, c.want, err)
		}
	}
	for _, path := range []string{dir, filepath.Join(dir, "missing")} {
		if _, err := alerting.ReadToken(path); err == nil {
			t.Errorf("%s was taken", path)
		}
	}
}

func TestCheck(t *testing.T) {
	server, slack := startSlack(t, fakeslack.Options{}, nil)
	identity, err := slack.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(alerting.SlackIdentity{Team: "Acme", User: "crmwatch", Channel: "#security-alerts"}, identity); diff != "" {
		t.Error(diff)
	}
	channel := fakeslack.DefaultChannel
	channel.NotMember = true
	server.SetChannel(channel)
	if _, err := slack.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "/invite") {
		t.Errorf("not a member: %v", err)
	}
	channel.Archived = true
	server.SetChannel(channel)
	if _, err := slack.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "archived") {
		t.Errorf("archived: %v", err)
	}
	server.Script("auth.test", fakeslack.Error("invalid_auth"))
	if _, err := slack.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "token file") {
		t.Errorf("bad token: %v", err)
	}
}

// A redirect would carry the token, which is in the body, to another host.
func TestRedirectIsNotFollowed(t *testing.T) {
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the token went elsewhere") }))
	t.Cleanup(thief.Close)
	api := httptest.NewServer(http.RedirectHandler(thief.URL, http.StatusTemporaryRedirect))
	t.Cleanup(api.Close)
	slack, err := alerting.NewSlack(alerting.SlackOptions{APIURL: api.URL, Token: testToken, Channel: "c"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = slack.Post(t.Context(), schema.Alert{}, alerting.RepeatNone)
	var refused *alerting.RefusedError
	if !errors.As(err, &refused) || !strings.Contains(refused.Mend, "redirects") {
		t.Errorf("got %v", err)
	}
}

// Answers of a server that is broken or hostile.
func TestStrangeAnswers(t *testing.T) {
	cases := map[string]struct {
		answer string
		want   error
	}{
		"no JSON":    {"<html>", alerting.ErrOutcomeUnknown},
		"empty":      {"", alerting.ErrOutcomeUnknown},
		"no ts":      {`{"ok":true}`, alerting.ErrOutcomeUnknown},
		"no reason":  {`{"ok":false}`, alerting.ErrOutcomeUnknown},
		"wrong type": {`{"ok":true,"ts":17}`, alerting.ErrOutcomeUnknown},
		"endless":    {`{"ok":true,"ts":"` + strings.Repeat("1", 17<<20), alerting.ErrOutcomeUnknown},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(c.answer)) }))
			t.Cleanup(api.Close)
			slack, err := alerting.NewSlack(alerting.SlackOptions{APIURL: api.URL, Token: testToken, Channel: "c"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := slack.Post(t.Context(), schema.Alert{}, alerting.RepeatNone); !errors.Is(err, c.want) {
				t.Errorf("post: %v", err)
			}
			if err := slack.Update(t.Context(), alerting.Receipt{Channel: "C1", Message: "1.2"}, schema.Alert{}, alerting.RepeatNone); err == nil {
				t.Error("update: no error")
			}
		})
	}
	limited := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "Wed, 21 Oct 2025 07:28:00 GMT")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	t.Cleanup(limited.Close)
	slack, err := alerting.NewSlack(alerting.SlackOptions{APIURL: limited.URL, Token: testToken, Channel: "c"})
	if err != nil {
		t.Fatal(err)
	}
	var hold *alerting.HoldError
	if _, err := slack.Post(context.Background(), schema.Alert{}, alerting.RepeatNone); !errors.As(err, &hold) {
		t.Errorf("Retry-After as a date: %v", err)
	}
}
