package interaction_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/alerting/fakeslack"
	"github.com/crmwatch/crmwatch/alerting/interaction"
	"github.com/crmwatch/crmwatch/schema"
)

const (
	botToken = "xoxb-000000000000-canary"
	appToken = "xapp-1-A0CRMWATCH-canary"
	signing  = "0123456789abcanary0123456789abcd"
	mira     = "U0MIRA00001"
	otto     = "U0OTTO00001"
	guest    = "U0GUEST0001"
	soc      = "S0SOC000001"
)

// attack is text that would do something in Slack if it were taken for markup.
const attack = "<!channel> <@U0123> <https://evil.example|ok> *b* ``` @here https://evil.example &lt;\x1b[2J\u202e"

// counter is a Slack, a message with buttons in it, and a handler behind them.
type counter struct {
	t       *testing.T
	server  *fakeslack.Server
	handler *interaction.Handler
	app     *httptest.Server
	alert   schema.Alert
	// ts is the message of the alert.
	ts    string
	clock *clock
	log   *syncBuffer

	requests  chan schema.AlertRequest
	refusals  chan refusal
	told      chan fakeslack.Message
	connected chan struct{}
	// outcome is what the desk answers.
	outcome func(schema.AlertRequest) (schema.AlertTransition, error)
}

type refusal struct {
	schema.AlertRequest
	reason string
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

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

// syncBuffer takes a log that several goroutines write.
type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

const (
	bySocket  = "socket mode"
	byRequest = "signed requests"
)

// open starts a counter that is reached one way; change spoils its options.
func open(t *testing.T, way string, change func(*interaction.Options, *fakeslack.Options)) *counter {
	t.Helper()
	c := &counter{
		t: t, clock: &clock{now: time.Date(2025, 8, 17, 9, 0, 0, 0, time.UTC)}, log: &syncBuffer{},
		requests: make(chan schema.AlertRequest, 100), refusals: make(chan refusal, 100), told: make(chan fakeslack.Message, 100), connected: make(chan struct{}, 100),
		outcome: func(r schema.AlertRequest) (schema.AlertTransition, error) {
			return schema.AlertTransition{UID: r.UID, Alert: r.Alert}, nil
		},
	}
	slackOptions := fakeslack.Options{
		Token: botToken, AppToken: appToken, SigningSecret: signing, VerificationToken: "verification-canary", Clock: c.clock.Now,
		Users:  append([]fakeslack.User{{ID: guest, Name: "guest", RealName: "Guest", Team: "T0OTHER0001"}}, fakeslack.DefaultUsers...),
		Groups: []fakeslack.UserGroup{{ID: soc, Users: []string{"U0ELSE00001"}}},
		OnMessage: func(m fakeslack.Message) {
			if m.User != "" {
				c.told <- m
			}
		},
		OnConnect: func() { c.connected <- struct{}{} },
	}
	options := interaction.Options{
		AllowedUsers: []string{mira}, Clock: c.clock.Now, Log: slog.New(slog.NewTextHandler(c.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Request: func(_ context.Context, r schema.AlertRequest) (schema.AlertTransition, error) {
			c.requests <- r
			return c.outcome(r)
		},
		Refuse: func(_ context.Context, r schema.AlertRequest, reason string) error {
			c.refusals <- refusal{r, reason}
			return nil
		},
		Evidence: func(_ context.Context, alert schema.UID) (string, error) {
			return "TIME  ACTOR\n09:00 " + attack + "\n", nil
		},
	}
	if way == bySocket {
		options.AppToken = appToken
	} else {
		options.SigningSecret = signing
	}
	if change != nil {
		change(&options, &slackOptions)
	}
	c.server = fakeslack.New(slackOptions)
	web := httptest.NewServer(c.server)
	t.Cleanup(web.Close)
	c.server.SetURL(web.URL)
	options.Slack = alerting.SlackOptions{APIURL: web.URL + "/api/", Token: botToken, HTTPClient: &http.Client{Timeout: 2 * time.Second}}
	c.post(web.URL)
	var err error
	if c.handler, err = interaction.New(options); err != nil {
		t.Fatal(err)
	}
	if way == byRequest {
		c.app = httptest.NewServer(c.handler)
		t.Cleanup(c.app.Close)
		c.server.SetInteractivity(c.app.URL+interaction.InteractivePath, c.app.URL+interaction.CommandPath)
	}
	return c
}

// post posts the alert's message, as the notifier does.
func (c *counter) post(address string) {
	c.t.Helper()
	slack, err := alerting.NewSlack(alerting.SlackOptions{APIURL: address + "/api/", Token: botToken, Channel: fakeslack.DefaultChannel.ID, Buttons: true})
	if err != nil {
		c.t.Fatal(err)
	}
	c.alert = schema.Alert{UID: schema.HashUID("alert"), Status: schema.AlertOpen, Severity: schema.SeverityHigh, Title: "Possible token theft", Entity: "svc-sync@acme.example"}
	at, err := slack.Post(c.t.Context(), c.alert, alerting.RepeatNone)
	if err != nil {
		c.t.Fatal(err)
	}
	c.ts = at.Message
}

// run runs the handler, and waits for its connection where it makes one.
func (c *counter) run() {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	done := make(chan error, 1)
	go func() { done <- c.handler.Run(ctx) }()
	c.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			c.t.Errorf("run: %v", err)
		}
	})
	if c.app == nil {
		await(c.t, c.connected)
	}
}

func (c *counter) press(action, user string) {
	c.t.Helper()
	if err := c.server.Press(c.ts, "crmwatch_"+action, user); err != nil {
		c.t.Fatalf("press %s: %v", action, err)
	}
}

func (c *counter) command(text, user string) fakeslack.Message {
	c.t.Helper()
	if err := c.server.Command("/crmwatch", text, fakeslack.DefaultChannel.ID, user); err != nil {
		c.t.Fatalf("/crmwatch %s: %v", text, err)
	}
	m := await(c.t, c.told)
	c.harmless(m)
	return m
}

// harmless fails where a message to one person holds more than text.
func (c *counter) harmless(m fakeslack.Message) {
	c.t.Helper()
	if live := m.Live(); len(live) > 0 || m.LinkNames || m.Unfurl && len(m.Blocks) == 0 {
		c.t.Errorf("live text %q in:\n%s", live, m.Render())
	}
	if strings.ContainsAny(m.Render(), "\x1b\u202e") {
		c.t.Errorf("harmful characters in %q", m.Render())
	}
}

// signed is a request as Slack would send it at a time.
func (c *counter) signed(path string, at time.Time, body string) *http.Request {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.app.URL+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Slack-Request-Timestamp", strconv.FormatInt(at.Unix(), 10))
	r.Header.Set("X-Slack-Signature", fakeslack.Signature(signing, at, []byte(body)))
	return r
}

func (c *counter) payload(action, user string) string {
	c.t.Helper()
	payload, err := c.server.Interaction(c.ts, "crmwatch_"+action, "", user)
	if err != nil {
		c.t.Fatal(err)
	}
	return url.Values{"payload": {string(payload)}}.Encode()
}

func (c *counter) send(r *http.Request) int {
	c.t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || strings.Contains(string(text), "canary") {
		c.t.Errorf("answer %q: %v", text, err)
	}
	return response.StatusCode
}

// patience bounds every wait; the tests go on as soon as they can.
const patience = 20 * time.Second

func await[T any](t *testing.T, from <-chan T) (got T) {
	t.Helper()
	select {
	case got = <-from:
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
	return got
}

// none fails where something has come that should not have.
func none[T any](t *testing.T, from <-chan T) {
	t.Helper()
	select {
	case got := <-from:
		t.Errorf("came: %+v", got)
	default:
	}
}
