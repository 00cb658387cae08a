package fakeslack_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting/fakeslack"
	"github.com/gorilla/websocket"
)

const buttons = `[{"type":"actions","elements":[{"type":"button","action_id":"ack","value":"v","text":{"type":"plain_text","text":"Take"}},
	{"type":"static_select","action_id":"snooze","placeholder":{"type":"plain_text","text":"Snooze"},"options":[{"text":{"type":"plain_text","text":"1 hour"},"value":"1h"}]}]}]`

// envelope is what comes over the socket.
type envelope struct {
	Type         string `json:"type"`
	ID           string `json:"envelope_id"`
	RetryAttempt int    `json:"retry_attempt"`
	Reason       string `json:"reason"`
	Payload      struct {
		Team        struct{ ID string }
		User        struct{ ID string }
		ResponseURL string `json:"response_url"`
		Text        string
		Command     string
		Actions     []struct {
			ActionID string `json:"action_id"`
			Value    string
			TS       string                 `json:"action_ts"`
			Selected struct{ Value string } `json:"selected_option"`
		}
	} `json:"payload"`
}

// dial opens a Socket Mode connection and reads its greeting.
func (c client) dial() *websocket.Conn {
	c.t.Helper()
	request := c.request("apps.connections.open", "application/json", "", "xapp-invented")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	var opened struct{ URL string }
	if err := json.NewDecoder(response.Body).Decode(&opened); err != nil {
		c.t.Fatal(err)
	}
	conn, answer, err := websocket.DefaultDialer.DialContext(c.t.Context(), opened.URL, nil)
	if err != nil {
		c.t.Fatalf("dial %s: %v", opened.URL, err)
	}
	answer.Body.Close()
	c.t.Cleanup(func() { conn.Close() })
	if hello := c.read(conn); hello.Type != "hello" {
		c.t.Fatalf("greeting: %+v", hello)
	}
	if _, answer, err := websocket.DefaultDialer.DialContext(c.t.Context(), opened.URL, nil); err == nil || answer.StatusCode != http.StatusForbidden {
		c.t.Errorf("an address was good for two connections: %v", err)
	}
	return conn
}

func (c client) read(conn *websocket.Conn) (e envelope) {
	c.t.Helper()
	if err := conn.ReadJSON(&e); err != nil {
		c.t.Fatal(err)
	}
	return e
}

func TestSocketMode(t *testing.T) {
	server, c := start(t, fakeslack.Options{AckWithin: 20 * time.Millisecond})
	posted := c.form("chat.postMessage", "channel", "C0SECURITY1", "text", "one", "blocks", buttons)
	if err := server.Press(posted.TS, "ack", "U0MIRA00001"); err == nil || !strings.Contains(err.Error(), "no connection") {
		t.Errorf("a press that nobody hears: %v", err)
	}
	conn := c.dial()
	pressed := make(chan error, 1)
	go func() { pressed <- server.Press(posted.TS, "ack", "U0MIRA00001") }()
	first := c.read(conn)
	again := c.read(conn) // it was not acknowledged
	if again.ID != first.ID || again.RetryAttempt != 1 || again.Payload.Actions[0] != first.Payload.Actions[0] {
		t.Errorf("delivered again: %+v, first %+v", again, first)
	}
	if a := first.Payload; first.Type != "interactive" || a.Team.ID != fakeslack.TeamID || a.User.ID != "U0MIRA00001" || a.Actions[0].Value != "v" {
		t.Errorf("%+v", first)
	}
	if err := conn.WriteJSON(map[string]string{"envelope_id": first.ID}); err != nil {
		t.Fatal(err)
	}
	if err := <-pressed; err != nil {
		t.Errorf("acknowledged: %v", err)
	}
	go func() { pressed <- server.Choose(posted.TS, "snooze", "1 hour", "U0MIRA00001") }()
	for range 3 {
		if e := c.read(conn); e.Payload.Actions[0].Selected.Value != "1h" {
			t.Errorf("%+v", e)
		}
	}
	if err := <-pressed; err == nil || !strings.Contains(err.Error(), "did not acknowledge") {
		t.Errorf("never acknowledged: %v", err)
	}
	server.Disconnect("refresh_requested")
	if bye := c.read(conn); bye.Type != "disconnect" || bye.Reason != "refresh_requested" {
		t.Errorf("%+v", bye)
	}
	fresh := c.dial()
	go func() { pressed <- server.Command("/crmwatch", "status", "C0SECURITY1", "U0OTTO00001") }()
	e := c.read(fresh)
	if e.Type != "slash_commands" || e.Payload.Text != "status" || e.Payload.Command != "/crmwatch" {
		t.Errorf("%+v", e)
	}
	if err := fresh.WriteJSON(map[string]string{"envelope_id": e.ID}); err != nil {
		t.Fatal(err)
	}
	if err := <-pressed; err != nil {
		t.Error(err)
	}
	if got := server.Press(posted.TS, "nothing", "U0MIRA00001"); got == nil {
		t.Error("a button that is not there was pressed")
	}
}

func TestSignedRequests(t *testing.T) {
	const secret = "invented"
	now := time.Unix(1755000000, 0)
	var body []byte
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		if r.Header.Get("X-Slack-Request-Timestamp") != strconv.FormatInt(now.Unix(), 10) ||
			r.Header.Get("X-Slack-Signature") != fakeslack.Signature(secret, now, body) {
			t.Errorf("headers: %v", r.Header)
		}
	}))
	defer app.Close()
	server, c := start(t, fakeslack.Options{SigningSecret: secret, InteractivityURL: app.URL, CommandURL: app.URL, Clock: func() time.Time { return now }})
	posted := c.form("chat.postMessage", "channel", "C0SECURITY1", "text", "one", "blocks", buttons)
	if err := server.Press(posted.TS, "ack", "U0MIRA00001"); err != nil {
		t.Fatal(err)
	}
	values, err := url.ParseQuery(string(body))
	if err != nil || !strings.Contains(values.Get("payload"), `"block_actions"`) {
		t.Errorf("%s: %v", body, err)
	}
	var payload struct {
		ResponseURL string `json:"response_url"`
	}
	if err := json.Unmarshal([]byte(values.Get("payload")), &payload); err != nil {
		t.Fatal(err)
	}
	answer := func(text string) int {
		response, err := http.Post(payload.ResponseURL, "application/json", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode
	}
	if got := answer(`{"response_type":"ephemeral","text":"a","blocks":[{"type":"section"}]}`); got != http.StatusBadRequest {
		t.Errorf("bad blocks: HTTP %d", got)
	}
	for i := range 5 {
		want := http.StatusOK
		if i == 4 {
			want = http.StatusNotFound // the fifth good one would be the sixth
		}
		if got := answer(`{"response_type":"ephemeral","text":"a"}`); got != want {
			t.Errorf("answer %d: HTTP %d, want %d", i, got, want)
		}
	}
	if err := server.Command("/crmwatch", "help me", "security-alerts", "U0OTTO00001"); err != nil {
		t.Fatal(err)
	}
	if values, err := url.ParseQuery(string(body)); err != nil || values.Get("text") != "help me" || values.Get("user_id") != "U0OTTO00001" {
		t.Errorf("%s: %v", body, err)
	}
	now = now.Add(time.Hour)
	if got := answer(`{"text":"late"}`); got != http.StatusNotFound {
		t.Errorf("an address of an hour ago: HTTP %d", got)
	}
	if told := server.Ephemerals("U0MIRA00001"); len(told) != 4 || len(server.Messages("")) != 1 {
		t.Errorf("%d answers", len(told))
	}
}

func TestThreads(t *testing.T) {
	server, c := start(t, fakeslack.Options{Groups: []fakeslack.UserGroup{{ID: "S0SOC", Users: []string{"U0MIRA00001"}}}})
	parent := c.form("chat.postMessage", "channel", "C0SECURITY1", "text", "parent")
	reply := c.form("chat.postMessage", "channel", "C0SECURITY1", "text", "reply", "thread_ts", parent.TS)
	loud := c.form("chat.postMessage", "channel", "C0SECURITY1", "text", "loud", "thread_ts", parent.TS, "reply_broadcast", "true")
	if got := c.form("conversations.replies", "channel", "C0SECURITY1", "ts", parent.TS); len(got.Messages) != 3 || got.Messages[1].TS != reply.TS {
		t.Errorf("replies: %+v", got)
	}
	if got := c.form("conversations.history", "channel", "C0SECURITY1"); len(got.Messages) != 2 || got.Messages[0].TS != loud.TS {
		t.Errorf("history: %+v", got)
	}
	if len(server.Messages("")) != 1 || len(server.Replies(server.Messages("")[0])) != 2 {
		t.Errorf("%d messages, %d replies", len(server.Messages("")), len(server.Replies(server.Messages("")[0])))
	}
	for _, test := range []struct {
		want   string
		method string
		pairs  []string
	}{
		{"thread_not_found", "chat.postMessage", []string{"channel", "C0SECURITY1", "text", "a", "thread_ts", reply.TS}},
		{"thread_not_found", "chat.postMessage", []string{"channel", "C0SECURITY1", "text", "a", "thread_ts", "1.000000"}},
		{"thread_not_found", "conversations.replies", []string{"channel", "C0SECURITY1", "ts", "1.000000"}},
		{"user_not_in_channel", "chat.postEphemeral", []string{"channel", "C0SECURITY1", "user", "U0NOBODY001", "text", "a"}},
		{"", "chat.postEphemeral", []string{"channel", "C0SECURITY1", "user", "U0MIRA00001", "text", "a"}},
		{"user_not_found", "users.info", []string{"user", "U0NOBODY001"}},
		{"", "users.info", []string{"user", "U0MIRA00001"}},
		{"no_such_subteam", "usergroups.users.list", []string{"usergroup", "S0NONE"}},
		{"", "usergroups.users.list", []string{"usergroup", "S0SOC"}},
		{"not_allowed_token_type", "apps.connections.open", nil},
	} {
		if got := c.form(test.method, test.pairs...); got.Error != test.want {
			t.Errorf("%s %v: %+v, want %q", test.method, test.pairs, got, test.want)
		}
	}
}
