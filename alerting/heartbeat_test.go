package alerting_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/alerting/fakeslack"
	"github.com/crmwatch/crmwatch/schema"
)

func TestHeartbeat(t *testing.T) {
	beats, status := 0, http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		beats++
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	var trouble error
	h, err := alerting.NewHeartbeat(alerting.HeartbeatOptions{URL: server.URL + "/canary", Every: time.Minute, Check: func(context.Context) error { return trouble }})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Beat(t.Context()); err != nil || beats != 1 {
		t.Errorf("all is well: %v, %d beats", err, beats)
	}
	trouble = errors.New("rules do not run")
	if err := h.Beat(t.Context()); err == nil || !strings.Contains(err.Error(), "rules do not run") || beats != 1 {
		t.Errorf("not well: %v, %d beats", err, beats)
	}
	trouble, status = nil, http.StatusNotFound
	if err := h.Beat(t.Context()); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("not found: %v", err)
	}
	server.Close()
	if err := h.Beat(t.Context()); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("no server: %v", err)
	}
	if _, err := alerting.NewHeartbeat(alerting.HeartbeatOptions{URL: "http://beat.acme.example/canary"}); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("in clear: %v", err)
	}
}

// A notifier that refuses for good is an alert, once an episode, which the others are
// told of; and it keeps the heart from beating after a while.
func TestNotifierRefuses(t *testing.T) {
	o := openOffice(t)
	var other bytes.Buffer
	o.others = []alerting.Notifier{alerting.NewConsole(&other, alerting.Style{}).Named("other")}
	var refusals []alerting.Refusal
	o.onRefusal = func(_ context.Context, r alerting.Refusal) error {
		refusals = append(refusals, r)
		return o.find(r.Finding(o.clock.Now()))
	}
	o.restart()
	for range 20 {
		o.server.Script("chat.postMessage", fakeslack.Error("channel_not_found"))
	}
	o.mustFind(finding("recon", at(1)))
	o.running()
	if err := o.desk.Moving(); err != nil {
		t.Errorf("at first: %v", err)
	}
	o.clock.Advance(16 * time.Minute)
	o.running()
	if err := o.desk.Moving(); err == nil || !strings.Contains(err.Error(), "the notifier slack has taken nothing") {
		t.Errorf("after a quarter of an hour: %v", err)
	}
	if len(refusals) != 1 || refusals[0].Code != "channel_not_found" || !strings.Contains(refusals[0].Mend, "/invite") {
		t.Errorf("%d refusals: %+v", len(refusals), refusals)
	}
	for name, text := range map[string]string{"the other notifier": other.String(), "the fallback": o.console.String()} {
		if n := strings.Count(text, "A notifier refuses alerts: slack"); n == 0 || strings.Count(text, "New alert") != 2 {
			t.Errorf("%s says so %d times:\n%s", name, n, text)
		}
	}
	o.server.Clear()
	o.clock.Advance(10 * time.Minute)
	o.running()
	if err := o.desk.Moving(); err != nil {
		t.Errorf("after the mend: %v", err)
	}
	o.clock.Advance(2 * time.Minute)
	if err := o.desk.Moving(); err == nil || !strings.Contains(err.Error(), "does not move") {
		t.Errorf("when nobody flushes: %v", err)
	}
	alerts, err := o.desk.Alerts(t.Context(), alerting.AlertFilter{Entity: "slack"})
	if err != nil || len(alerts) != 1 || alerts[0].Severity != schema.SeverityHigh {
		t.Errorf("%v, %v", told(alerts), err)
	}
}

// running does one round of the desk's Run, and what follows from it.
func (o *office) running() {
	o.t.Helper()
	for range 3 {
		if err := o.desk.Round(o.t.Context()); err != nil {
			o.t.Fatal(err)
		}
	}
}
