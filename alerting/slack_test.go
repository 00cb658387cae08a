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
