package alerting_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/alerting/fakeslack"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/slack-go/slack"
)

const testToken = "xoxb-000000000000-invented-canary"

// start is the day on which the tests' stories begin.
var start = time.Date(2025, 8, 12, 0, 0, 0, 0, time.UTC)

func at(days float64) time.Time { return start.Add(time.Duration(days * float64(24*time.Hour))) }

// finding makes a finding of rule about the integration svc-sync at a time.
func finding(rule string, when time.Time) schema.Finding {
	f := schema.Finding{
		DetectedAt: when.Add(time.Minute), Rule: rule, Severity: schema.SeverityMedium, Title: "Finding of " + rule,
		Message: "Something happened.", TenantUID: "acme", Product: "Salesforce", EntityType: "integration",
		EntityUID: "0055g00000AbCdEAAV", Entity: "svc-sync@acme.example",
		WindowFrom: when.Truncate(time.Hour), WindowTo: when.Truncate(time.Hour).Add(time.Hour),
		FirstSeen: when, LastSeen: when, Count: 1, Attributes: map[string]string{},
	}
	f.UID = schema.FindingUID(f.Rule, f.TenantUID, f.EntityType, f.EntityUID, when)
	return f
}

// about makes it a finding about another entity.
func about(f schema.Finding, entityType, uid, name string) schema.Finding {
	f.EntityType, f.EntityUID, f.Entity = entityType, uid, name
	f.UID = schema.FindingUID(f.Rule, f.TenantUID, f.EntityType, f.EntityUID, f.FirstSeen)
	return f
}

// clock is a time that moves when a test says so.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: at(5)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// startSlack starts a fake Slack and a notifier that posts to it.
func startSlack(t *testing.T, options fakeslack.Options, runbook func(string) []string) (*fakeslack.Server, *alerting.Slack) {
	t.Helper()
	server := fakeslack.New(options)
	return server, connect(t, server, alerting.SlackOptions{Runbook: runbook})
}

func connect(t *testing.T, server *fakeslack.Server, options alerting.SlackOptions) *alerting.Slack {
	t.Helper()
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	options.APIURL, options.Token, options.Buttons = web.URL+"/api/", testToken, true
	// A silent server must not make the tests slow.
	if options.HTTPClient == nil {
		options.HTTPClient = &http.Client{Timeout: 2 * time.Second}
	}
	if options.Channel == "" {
		options.Channel = fakeslack.DefaultChannel.ID
	}
	slack, err := alerting.NewSlack(options)
	if err != nil {
		t.Fatal(err)
	}
	return slack
}

func fakeslackOptions() fakeslack.Options { return fakeslack.Options{Token: testToken} }

// post tells blocks to one person, as strictly as Slack takes them.
func post(t *testing.T, server *fakeslack.Server, blocks []slack.Block) {
	t.Helper()
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	api, _, err := alerting.SlackClient(alerting.SlackOptions{APIURL: web.URL + "/api/", Token: testToken}, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.PostEphemeralContext(t.Context(), fakeslack.DefaultChannel.ID, fakeslack.DefaultUsers[0].ID, slack.MsgOptionBlocks(blocks...)); err != nil {
		t.Fatalf("%v\n%v", err, server.Calls(""))
	}
}
