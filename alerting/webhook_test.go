package alerting_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func webhook(t *testing.T, handler http.HandlerFunc) *alerting.Webhook {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	w, err := alerting.NewWebhook(alerting.WebhookOptions{
		Name: "pager", URL: server.URL + "/canary", Header: "Authorization: Bearer canary", Secret: []byte("canary"), Clock: newClock().Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWebhook(t *testing.T) {
	a := alerting.Group(nil, []schema.Finding{finding("recon", at(1))})[0]
	a.Version = 3
	var got alerting.WebhookMessage
	w := webhook(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(body, &got)
		}
		if err != nil {
			t.Error(err)
		}
		for header, want := range map[string]string{
			"Content-Type": "application/json", "Idempotency-Key": a.UID.String() + ".3", "Authorization": "Bearer canary",
			"X-Crmwatch-Signature": alerting.Sign([]byte("canary"), at(5), body),
		} {
			if value := r.Header.Get(header); value != want {
				t.Errorf("%s: %q, want %q", header, value, want)
			}
		}
		w.WriteHeader(http.StatusAccepted)
	})
	if _, err := w.Post(t.Context(), a, alerting.RepeatNone); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(alerting.WebhookMessage{Schema: 1, Event: "alert.opened", Notifier: "pager", Alert: alerting.Document(a)}, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if err := w.Update(t.Context(), alerting.Receipt{}, a, alerting.RepeatLost); err != nil || got.Event != "alert.changed" || got.Repeat != "lost" {
		t.Errorf("update: %v, %+v", err, got)
	}
	// Computed by: printf '1755388800.{}' | openssl dgst -sha256 -hmac key
	if got, want := alerting.Sign([]byte("key"), time.Unix(1755388800, 0), []byte("{}")), "t=1755388800,v1="+signed; got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
}

// A 4xx is refused, for the message or for all; a 429 waits; anything else is tried
// again. No error shows the URL or the header.
func TestWebhookAnswers(t *testing.T) {
	kind := func(err error) string {
		var hold *alerting.HoldError
		var refused *alerting.RefusedError
		switch {
		case err == nil:
			return "taken"
		case errors.As(err, &hold):
			return "wait " + hold.After.String()
		case errors.As(err, &refused) && refused.ThisMessage:
			return "message refused"
		case errors.As(err, &refused):
			return "refused"
		case errors.Is(err, alerting.ErrOutcomeUnknown):
			return "unknown"
		}
		return "again"
	}
	for status, want := range map[int]string{
		200: "taken", 204: "taken", 307: "refused", 400: "message refused", 401: "refused", 404: "refused", 408: "again", 410: "refused", 413: "message refused",
		422: "message refused", 429: "wait 7s", 500: "again", 503: "again", 0: "again",
	} {
		w := webhook(t, func(w http.ResponseWriter, r *http.Request) {
			if status == 0 {
				panic(http.ErrAbortHandler)
			}
			w.Header().Set("Retry-After", "7")
			w.Header().Set("Location", "/elsewhere")
			if r.URL.Path == "/elsewhere" {
				t.Error("a redirect was followed")
			}
			w.WriteHeader(status)
		})
		_, err := w.Post(t.Context(), schema.Alert{}, alerting.RepeatNone)
		if kind(err) != want || err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("%d: %s, want %s: %v", status, kind(err), want, err)
		}
	}
	for _, bad := range []string{"", "canary", "http://hooks.acme.example/canary", "https://canary:canary@hooks.acme.example", "https://hooks.acme.example/ canary", "ftp://localhost/canary"} {
		if err := alerting.CheckPostURL(bad); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, header := range []string{"canary", ": canary", "A b: canary", "A: b\nB: canary"} {
		if _, err := alerting.NewWebhook(alerting.WebhookOptions{URL: "https://hooks.acme.example/", Header: header}); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("header %q: %v", header, err)
		}
	}
}

func TestFileNotifier(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.jsonl")
	f := alerting.NewFile("archive", path)
	a := alerting.Group(nil, []schema.Finding{finding("recon", at(1))})[0]
	if _, err := f.Post(t.Context(), a, alerting.RepeatNone); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info.Mode(), err)
	}
	// Half a line of a process that was killed.
	cut, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cut.WriteString(`{"schema":1,"ev`); err != nil {
		t.Fatal(err)
	}
	if err := cut.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Update(t.Context(), alerting.Receipt{}, a, alerting.RepeatNone); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var events []string
	for line := range strings.Lines(string(text)) {
		var m alerting.WebhookMessage
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			events = append(events, "broken")
		} else {
			events = append(events, m.Event)
		}
	}
	if diff := cmp.Diff([]string{"alert.opened", "broken", "alert.changed"}, events); diff != "" {
		t.Error(diff)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	var refused *alerting.RefusedError
	if _, err := f.Post(t.Context(), a, alerting.RepeatNone); !errors.As(err, &refused) || !strings.Contains(refused.Mend, "chmod 0600") {
		t.Errorf("readable by all: %v", err)
	}
	if _, err := alerting.NewFile("archive", t.TempDir()).Post(t.Context(), a, alerting.RepeatNone); err == nil {
		t.Error("a directory was written to")
	}
}

const signed = "0d144c1b66c2c8661cbb5c61054559a5746fd8684703b411851cb8788390db62"
