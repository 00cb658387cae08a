package audit

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/agent/redact"
)

func flatten(t *testing.T, text string) map[string]string {
	t.Helper()
	values, err := Flatten([]byte(text), redact.New([]byte("a key of this test")))
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func TestFlatten(t *testing.T) {
	got := flatten(t, `
data: ./data
sources:
  - {name: kong, paths: [./kong.log, ./kong.log.*]}
  - {name: kong, paths: [./other.log]}
  - {paths: [./third.log]}
rules:
  settle: 5s
  disabled: []
  parameters:
    credential-several-places: {threshold: 4}
    token-replay: {}
  exceptions:
    - {rules: [token-replay], reason: "our  VPN", until: 2026-12-31}
slack: {token_file: ./slack.token, channel: C0123456789}
log:
`)
	want := map[string]string{
		"data": "./data", "sources[kong].name": "kong", "sources[kong].paths": "[./kong.log, ./kong.log.*]",
		"sources[1].name": "kong", "sources[1].paths": "[./other.log]", "sources[2].paths": "[./third.log]",
		"rules.settle": "5s", "rules.disabled": "[]", "rules.parameters.credential-several-places.threshold": "4", "rules.parameters.token-replay": "{}",
		"rules.exceptions[our VPN].rules": "[token-replay]", "rules.exceptions[our VPN].reason": "our  VPN", "rules.exceptions[our VPN].until": "2026-12-31",
		"slack.token_file": "./slack.token", "slack.channel": "C0123456789", "log": "",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestSecretsAreNeverInSettings plants secrets where they do not belong.
func TestSecretsAreNeverInSettings(t *testing.T) {
	const secret = "hunter2Sesame94d1"
	const text = `
slack: {token: xoxb-123456789012-%[1]s, token_file: xoxb-123456789012-abcdefghijkl%[1]s}
store: {password: %[1]s, dsn: "https://svc:%[1]s@db.acme.example/x", dsn_file: "https://svc:%[1]s@db.acme.example/x"}
ship: {collector: "https://svc:%[1]s@collector.acme.example:8443"}
credentials: {first: {user: a, value: %[1]s}, second: [%[1]s, b]}
notifiers: [{name: "x password=%[1]s", url: "https://hooks.acme.example/%[1]s"}]
headers: {X-Auth: %[1]s}
api_key: %[1]s
note: "the password: %[1]s is in the safe"
`
	values := flatten(t, fmt.Sprintf(text, secret))
	for path, value := range values {
		if strings.Contains(path+value, secret) {
			t.Errorf("%s: %s", path, value)
		}
	}
	if value := values["credentials.first.user"]; !strings.HasPrefix(value, "(not shown") {
		t.Errorf("a value under a secret's name is shown: %s", value)
	}
	changed := Changes(values, flatten(t, fmt.Sprintf(text, "anotherSesame94d2")))
	if len(changed) < 8 {
		t.Errorf("that secrets are others is seen %d times: %v", len(changed), changed)
	}
	if again := Changes(values, flatten(t, fmt.Sprintf(text, secret))); len(again) != 0 {
		t.Errorf("the same secrets are changes: %v", again)
	}
}

// loads collects what Load tells.
func tellChanges(l Loaded) []Record {
	detail := fmt.Sprintf("first %t", l.First)
	for _, c := range Changes(l.Before.Values, l.Values) {
		detail += fmt.Sprintf("; %s: %s -> %s", c.Path, c.Was, c.Now)
	}
	return []Record{{At: l.At, Actor: l.Actor, Action: "configuration.load", Detail: detail}}
}

func TestLoadsAreToldOnceAcrossCrashes(t *testing.T) {
	conn := database(t)
	settings := func(n int, value string) Loaded {
		return Loaded{At: at.Add(time.Duration(n) * time.Hour), Actor: "alice@soc-1", Settings: Settings{fmt.Sprint("hash", n), map[string]string{"rules.settle": value}}}
	}
	messages := func() []string { return rows(t, conn, "SELECT message FROM events FINAL ORDER BY time") }
	load := func(n int, value string) {
		t.Helper()
		if err := Load(t.Context(), conn, "configuration", settings(n, value), tellChanges); err != nil {
			t.Fatal(err)
		}
	}
	load(0, "5s")
	load(1, "5s")
	// Killed after the settings were kept and before anything was told.
	if err := saveSettings(t.Context(), conn, "configuration", 5, func() Loaded {
		l := settings(2, "9s")
		l.Before = settings(1, "5s").Settings
		return l
	}(), false); err != nil {
		t.Fatal(err)
	}
	load(3, "9s")
	// Killed after it was told and before that was noted: as at first, with a load that was told.
	last := settings(3, "9s")
	last.Before = settings(2, "9s").Settings
	if err := saveSettings(t.Context(), conn, "configuration", 8, last, false); err != nil {
		t.Fatal(err)
	}
	load(4, "7s")
	want := []string{"first true; rules.settle:  -> 5s", "first false", "first false; rules.settle: 5s -> 9s", "first false", "first false; rules.settle: 9s -> 7s"}
	if diff := cmp.Diff(want, messages()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := rows(t, conn, "SELECT concat(sha256, ' ', before_sha256, ' ', toString(told)) FROM known_settings FINAL"); !slices.Equal(got, []string{"hash4 hash3 1"}) {
		t.Errorf("kept is %v", got)
	}
}

func TestChanges(t *testing.T) {
	was := map[string]string{"a": "1", "b": "2", "c": "3"}
	got := Changes(was, map[string]string{"a": "1", "b": "4", "d": "5"})
	want := []Change{{"b", "2", "4"}, {"c", "3", ""}, {"d", "", "5"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if !maps.Equal(was, map[string]string{"a": "1", "b": "2", "c": "3"}) {
		t.Error("the settings before are changed")
	}
}
