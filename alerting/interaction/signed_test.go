package interaction_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting/interaction"
)

// What Slack did not sign now, for this, is refused.
func TestForged(t *testing.T) {
	c := open(t, byRequest, nil)
	c.run()
	now := c.clock.Now()
	body := func() string { return c.payload("acknowledge", mira) }
	spoiled := func(spoil func(r *http.Request)) *http.Request {
		r := c.signed(interaction.InteractivePath, now, body())
		spoil(r)
		return r
	}
	cases := map[string]struct {
		request *http.Request
		want    int
	}{
		"no signature":     {spoiled(func(r *http.Request) { r.Header.Del("X-Slack-Signature") }), 401},
		"empty signature":  {spoiled(func(r *http.Request) { r.Header.Set("X-Slack-Signature", "v0=") }), 401},
		"half a signature": {spoiled(func(r *http.Request) { r.Header.Set("X-Slack-Signature", r.Header.Get("X-Slack-Signature")[:35]) }), 401},
		"no version":       {spoiled(func(r *http.Request) { r.Header.Set("X-Slack-Signature", r.Header.Get("X-Slack-Signature")[3:]) }), 401},
		"other version":    {spoiled(func(r *http.Request) { r.Header.Set("X-Slack-Signature", "v1"+r.Header.Get("X-Slack-Signature")[2:]) }), 401},
		"no hex":           {spoiled(func(r *http.Request) { r.Header.Set("X-Slack-Signature", "v0="+strings.Repeat("x", 64)) }), 401},
		"other signature":  {spoiled(func(r *http.Request) { r.Header.Set("X-Slack-Signature", "v0="+strings.Repeat("0", 64)) }), 401},
		"other time":       {spoiled(func(r *http.Request) { r.Header.Set("X-Slack-Request-Timestamp", "1755421201") }), 401},
		"no time":          {spoiled(func(r *http.Request) { r.Header.Set("X-Slack-Request-Timestamp", "now") }), 401},
		"other body": {spoiled(func(r *http.Request) {
			other := c.signed(interaction.InteractivePath, now, body())
			r.Body = other.Body
		}), 401},
		"old":             {c.signed(interaction.InteractivePath, now.Add(-5*time.Minute-time.Second), body()), 401},
		"from the future": {c.signed(interaction.InteractivePath, now.Add(5*time.Minute+time.Second), body()), 401},
		"too long":        {c.signed(interaction.InteractivePath, now, strings.Repeat("a", 1<<20+1)), 413},
		"elsewhere":       {c.signed("/slack/other", now, body()), 404},
		"by GET":          {spoiled(func(r *http.Request) { r.Method = http.MethodGet }), 405},
		"as JSON":         {spoiled(func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }), 415},
		"no payload":      {c.signed(interaction.InteractivePath, now, "a=b"), 400},
		"bad payload":     {c.signed(interaction.InteractivePath, now, "payload=%7B"), 400},
		"other payload":   {c.signed(interaction.InteractivePath, now, `payload={"type":"view_submission"}`), 200},
		"no user":         {c.signed(interaction.InteractivePath, now, `payload={"type":"block_actions","actions":[{"block_id":"b","action_id":"crmwatch_acknowledge"}]}`), 200},
		"certificate":     {c.signed(interaction.CommandPath, now, "ssl_check=1&token=x"), 200},
		"no command":      {c.signed(interaction.CommandPath, now, "a=c"), 200},
	}
	for name, test := range cases {
		if got := c.send(test.request); got != test.want {
			t.Errorf("%s: HTTP %d, want %d", name, got, test.want)
		}
	}
	if n := strings.Count(c.log.String(), "requests that should be Slack's are refused"); n != 1 {
		t.Errorf("the refusals were logged %d times in a minute", n)
	}
	// A good one in the end: nothing of the above was taken.
	c.press("resolve", mira)
	if got := await(t, c.requests); got.Action != "resolve" {
		t.Errorf("taken: %+v", got)
	}
	none(t, c.requests)
	none(t, c.refusals)
	none(t, c.told)
}

// A request that is sent again, as it was or with another signature, is done once.
func TestReplayed(t *testing.T) {
	c := open(t, byRequest, nil)
	c.run()
	body := c.payload("acknowledge", mira)
	now := c.clock.Now()
	if got := c.send(c.signed(interaction.InteractivePath, now, body)); got != 200 {
		t.Fatalf("HTTP %d", got)
	}
	await(t, c.requests)
	c.clock.Advance(4 * time.Minute)
	if got := c.send(c.signed(interaction.InteractivePath, now, body)); got != 409 {
		t.Errorf("the same request: HTTP %d", got)
	}
	again := c.signed(interaction.InteractivePath, now, body)
	again.Header.Set("X-Slack-Signature", "v0="+strings.ToUpper(again.Header.Get("X-Slack-Signature")[3:]))
	if got := c.send(again); got != 409 {
		t.Errorf("its signature in capitals: HTTP %d", got)
	}
	if got := c.send(c.signed(interaction.InteractivePath, c.clock.Now(), body)); got != 409 {
		t.Errorf("the same payload with another signature: HTTP %d", got)
	}
	if got := c.send(c.signed(interaction.CommandPath, now, body)); got != 409 {
		t.Errorf("the same request elsewhere: HTTP %d", got)
	}
	c.clock.Advance(2 * time.Minute)
	if got := c.send(c.signed(interaction.InteractivePath, now, body)); got != 401 {
		t.Errorf("the same request later: HTTP %d", got)
	}
	c.press("resolve", mira)
	if got := await(t, c.requests); got.Action != "resolve" {
		t.Errorf("done twice: %+v", got)
	}
}
