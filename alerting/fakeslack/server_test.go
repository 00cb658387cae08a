package fakeslack_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting/fakeslack"
)

const token = "xoxb-invented"

type reply struct {
	OK       bool   `json:"ok"`
	Error    string `json:"error"`
	Channel  any    `json:"channel"`
	TS       string `json:"ts"`
	HasMore  bool   `json:"has_more"`
	Messages []struct {
		Text     string              `json:"text"`
		TS       string              `json:"ts"`
		Metadata *fakeslack.Metadata `json:"metadata"`
	} `json:"messages"`
	Errors           []string `json:"errors"`
	ResponseMetadata struct {
		NextCursor string   `json:"next_cursor"`
		Messages   []string `json:"messages"`
	} `json:"response_metadata"`
}

type client struct {
	t   *testing.T
	url string
}

func start(t *testing.T, options fakeslack.Options) (*fakeslack.Server, client) {
	t.Helper()
	server := fakeslack.New(options)
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	return server, client{t, web.URL + "/api/"}
}

func (c client) send(r *http.Request) reply {
	c.t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	var answer reply
	if err := json.Unmarshal(body, &answer); err != nil {
		c.t.Fatalf("answer %q: %v", body, err)
	}
	return answer
}

func (c client) request(method, kind, body, bearer string) *http.Request {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.url+method, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	return r
}

// form calls a method with pairs of name and value.
func (c client) form(method string, pairs ...string) reply {
	c.t.Helper()
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return c.send(c.request(method, "application/x-www-form-urlencoded", values.Encode(), token))
}

func TestFormsAndJSON(t *testing.T) {
	server, c := start(t, fakeslack.Options{Token: token})
	form := c.form("chat.postMessage", "channel", "#security-alerts", "text", "one", "blocks", `[{"type":"divider"}]`)
	body := c.send(c.request("chat.postMessage", "application/json; charset=utf-8",
		`{"channel":"C0SECURITY1","text":"two","blocks":[{"type":"divider"}],"unfurl_links":false,"unfurl_media":false,"metadata":{"event_type":"x","event_payload":{"a":1}}}`, token))
	if !form.OK || !body.OK || form.Channel != "C0SECURITY1" || form.TS >= body.TS {
		t.Fatalf("form %+v, JSON %+v", form, body)
	}
	messages := server.Messages("security-alerts")
	if len(messages) != 2 || messages[1].Metadata.EventType != "x" || messages[0].Unfurl != true || messages[1].Unfurl != false {
		t.Errorf("messages: %+v", messages)
	}
	for _, call := range server.Calls("") {
		for name, value := range call.Arguments {
			if name == "token" || strings.Contains(value, token) {
				t.Errorf("a call keeps the token: %+v", call)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	_, c := start(t, fakeslack.Options{Token: token, Channels: []fakeslack.Channel{
		{ID: "C1", Name: "good"}, {ID: "C2", Name: "old", Archived: true}, {ID: "C3", Name: "private", NotMember: true},
	}})
	const formType = "application/x-www-form-urlencoded"
	cases := []struct {
		want    string
		request *http.Request
	}{
		{"not_authed", c.request("auth.test", formType, "", "")},
		{"invalid_auth", c.request("auth.test", formType, "", "xoxb-other")},
		{"", c.request("auth.test", formType, "token="+token, "")},
		{"unknown_method", c.request("chat.delete", formType, "", token)},
		{"not_allowed_token_type", c.request("auth.test?token="+token, formType, "", "")},
		{"not_authed", c.request("auth.test", "application/json", `{"token":"`+token+`"}`, "")},
		{"invalid_json", c.request("auth.test", "application/json", `{`, token)},
		{"invalid_post_type", c.request("auth.test", "text/plain", ``, token)},
		{"channel_not_found", c.request("chat.postMessage", formType, "channel=nowhere&text=a", token)},
		{"is_archived", c.request("chat.postMessage", formType, "channel=old&text=a", token)},
		{"not_in_channel", c.request("chat.postMessage", formType, "channel=C3&text=a", token)},
		{"no_text", c.request("chat.postMessage", formType, "channel=good", token)},
		{"msg_too_long", c.request("chat.postMessage", formType, "channel=good&text="+strings.Repeat("a", 40001), token)},
		{"invalid_metadata_format", c.request("chat.postMessage", formType, "channel=good&text=a&metadata={}", token)},
		{"invalid_blocks_format", c.request("chat.postMessage", formType, "channel=good&text=a&blocks={", token)},
		{"channel_not_found", c.request("chat.update", formType, "channel=good&ts=1.000000&text=a", token)},
		{"message_not_found", c.request("chat.update", formType, "channel=C1&ts=1.000000&text=a", token)},
		{"channel_not_found", c.request("conversations.history", formType, "channel=good", token)},
		{"not_in_channel", c.request("conversations.history", formType, "channel=C3", token)},
		{"invalid_limit", c.request("conversations.history", formType, "channel=C1&limit=1000", token)},
		{"invalid_cursor", c.request("conversations.history", formType, "channel=C1&cursor=x", token)},
		{"channel_not_found", c.request("conversations.info", formType, "channel=good", token)},
		{"", c.request("conversations.info", formType, "channel=C2", token)},
	}
	for _, test := range cases {
		if got := c.send(test.request); got.Error != test.want || got.OK != (test.want == "") {
			t.Errorf("%s: %+v, want %q", test.request.URL, got, test.want)
		}
	}
}

func TestUpdate(t *testing.T) {
	server, c := start(t, fakeslack.Options{})
	posted := c.form("chat.postMessage", "channel", "C0SECURITY1", "text", "one", "blocks", `[{"type":"divider"}]`, "metadata", `{"event_type":"x","event_payload":{"a":"b"}}`)
	if got := c.form("chat.update", "channel", "C0SECURITY1", "ts", posted.TS, "text", "@channel see https://evil.example/"); !got.OK || got.TS != posted.TS {
		t.Fatalf("%+v", got)
	}
	m := server.Messages("")[0]
	if m.Text[:8] != "@channel" || m.Blocks != nil || m.Updates != 1 || m.Metadata.EventPayload["a"] != "b" {
		t.Errorf("%+v", m)
	}
	// chat.update parses text unless it is told not to.
	if live := m.Live(); len(live) != 2 {
		t.Errorf("live: %q", live)
	}
	c.form("chat.update", "channel", "C0SECURITY1", "ts", posted.TS, "text", "@channel", "parse", "none")
	if live := server.Messages("")[0].Live(); len(live) != 0 {
		t.Errorf("live: %q", live)
	}
}

func TestHistory(t *testing.T) {
	now := time.Unix(1755000000, 0)
	_, c := start(t, fakeslack.Options{Clock: func() time.Time { now = now.Add(time.Second); return now }})
	for i := range 5 {
		c.form("chat.postMessage", "channel", "C0SECURITY1", "text", fmt.Sprint(i), "metadata", `{"event_type":"x","event_payload":{}}`)
	}
	page := c.form("conversations.history", "channel", "C0SECURITY1", "limit", "2", "include_all_metadata", "1", "oldest", "1755000001.000000")
	if len(page.Messages) != 2 || page.Messages[0].Text != "4" || page.Messages[0].Metadata == nil || !page.HasMore {
		t.Fatalf("first page: %+v", page)
	}
	next := c.form("conversations.history", "channel", "C0SECURITY1", "limit", "2", "oldest", "1755000001.000000", "cursor", page.ResponseMetadata.NextCursor)
	if len(next.Messages) != 2 || next.Messages[1].Text != "1" || next.Messages[0].Metadata != nil || next.HasMore {
		t.Fatalf("second page: %+v", next)
	}
}

func TestFaults(t *testing.T) {
	server, c := start(t, fakeslack.Options{})
	post := func() (*http.Response, error) {
		return http.DefaultClient.Do(c.request("chat.postMessage", "application/x-www-form-urlencoded", "channel=C0SECURITY1&text=a", token))
	}
	release := make(chan struct{})
	close(release)
	server.Script("chat.postMessage", fakeslack.RateLimited(7*time.Second), fakeslack.Status(502), fakeslack.AcceptThenDrop(), fakeslack.AcceptThenStatus(500), fakeslack.Slow(release))
	cases := []struct {
		status, messages int
		retryAfter       string
	}{{429, 0, "7"}, {502, 0, ""}, {0, 1, ""}, {500, 2, ""}, {200, 3, ""}, {200, 4, ""}}
	for i, want := range cases {
		response, err := post()
		status, after := 0, ""
		if err == nil {
			status, after = response.StatusCode, response.Header.Get("Retry-After")
			response.Body.Close()
		}
		if status != want.status || after != want.retryAfter || len(server.Messages("")) != want.messages {
			t.Errorf("call %d: HTTP %d, Retry-After %q, %d messages; want %+v", i, status, after, len(server.Messages("")), want)
		}
	}
	var answers []string
	for _, call := range server.Calls("chat.postMessage") {
		answers = append(answers, call.Answer)
	}
	if got := strings.Join(answers, ", "); got != "ratelimited, HTTP 502, dropped, HTTP 500, ok, ok" {
		t.Errorf("answers: %s", got)
	}
}

// Each case is one block, and the complaint that Slack makes about it; "" is none.
func TestBlockKit(t *testing.T) {
	_, c := start(t, fakeslack.Options{})
	text := func(kind string, n int) string {
		return `{"type":"` + kind + `","text":"` + strings.Repeat("a", n) + `"}`
	}
	list := func(item string, n int) string {
		return "[" + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + "]"
	}
	cases := []struct{ block, want string }{
		{`{"type":"divider"}`, ""},
		{`{"type":"header","text":` + text("plain_text", 150) + `}`, ""},
		{`{"type":"header","text":` + text("plain_text", 151) + `}`, "must be less than 151 characters [json-pointer:/blocks/0/text/text]"},
		{`{"type":"header","text":` + text("mrkdwn", 1) + `}`, "must be one of the following values: plain_text"},
		{`{"type":"header"}`, "missing required field: text"},
		{`{"type":"header","text":{"type":"plain_text","text":"` + strings.Repeat("😀", 76) + `"}}`, "must be less than 151 characters"},
		{`{"type":"section","text":` + text("mrkdwn", 3000) + `}`, ""},
		{`{"type":"section","text":` + text("mrkdwn", 3001) + `}`, "must be less than 3001 characters"},
		{`{"type":"section","text":` + text("mrkdwn", 0) + `}`, "must be more than 0 characters"},
		{`{"type":"section"}`, "must define either `text` or `fields`"},
		{`{"type":"section","fields":` + list(text("plain_text", 3), 10) + `}`, ""},
		{`{"type":"section","fields":` + list(text("plain_text", 3), 11) + `}`, "no more than 10 items allowed"},
		{`{"type":"section","fields":[` + text("plain_text", 2001) + `]}`, "must be less than 2001 characters"},
		{`{"type":"section","text":{"type":"mrkdwn","text":"a","emoji":true}}`, "invalid additional property: emoji"},
		{`{"type":"section","text":{"type":"plain_text","text":"a","verbatim":true}}`, "invalid additional property: verbatim"},
		{`{"type":"section","text":{"type":"html","text":"a"}}`, "must be one of the following values: plain_text, mrkdwn"},
		{`{"type":"section","txt":{}}`, "invalid additional property: txt"},
		{`{"type":"context","elements":` + list(text("mrkdwn", 3), 10) + `}`, ""},
		{`{"type":"context","elements":` + list(text("mrkdwn", 3), 11) + `}`, "no more than 10 items allowed"},
		{`{"type":"context","elements":[]}`, "must be more than 0 items"},
		{`{"type":"alert","text":` + text("plain_text", 3) + `}`, "unsupported type: alert"},
		{`{"type":"image","image_url":"https://acme.example/a.png"}`, "missing required field: alt_text"},
		{`{"type":"image","alt_text":"a"}`, "must define either `image_url` or `slack_file`"},
		{`{"type":"actions","elements":[{"type":"button","action_id":"ack","text":` + text("plain_text", 75) + `}]}`, ""},
		{`{"type":"actions","elements":[{"type":"button","text":` + text("plain_text", 76) + `}]}`, "must be less than 76 characters"},
		{`{"type":"actions","elements":[{"type":"button","style":"loud","text":` + text("plain_text", 5) + `}]}`, "must be one of the following values: primary, danger"},
		{`{"type":"actions","elements":` + list(`{"type":"button","text":`+text("plain_text", 5)+`}`, 25) + `}`, ""},
		{`{"type":"actions","elements":` + list(`{"type":"button","text":`+text("plain_text", 5)+`}`, 26) + `}`, "no more than 25 items allowed"},
		{`{"type":"actions","elements":[{"type":"button","text":` + text("mrkdwn", 5) + `}]}`, "must be one of the following values: plain_text"},
		{`{"type":"actions","elements":[{"type":"button","value":"` + strings.Repeat("a", 2001) + `","text":` + text("plain_text", 5) + `}]}`, "must be less than 2001 characters"},
		{`{"type":"actions","elements":[{"type":"button","action_id":"` + strings.Repeat("a", 256) + `","text":` + text("plain_text", 5) + `}]}`, "must be less than 256 characters"},
		{`{"type":"actions","elements":` + list(`{"type":"button","action_id":"ack","text":`+text("plain_text", 5)+`}`, 2) + `}`, "action_id must be unique"},
		{`{"type":"actions","elements":[{"type":"button","onclick":"x","text":` + text("plain_text", 5) + `}]}`, "invalid additional property: onclick"},
		{`{"type":"actions","elements":[{"type":"slider"}]}`, "unsupported type: slider"},
		{`{"type":"actions","elements":[{"type":"button","text":` + text("plain_text", 5) + `,"confirm":{"title":` + text("plain_text", 100) + `,"text":` + text("plain_text", 300) + `,"confirm":` + text("plain_text", 30) + `,"deny":` + text("plain_text", 30) + `}}]}`, ""},
		{`{"type":"actions","elements":[{"type":"button","text":` + text("plain_text", 5) + `,"confirm":{"title":` + text("plain_text", 101) + `,"text":` + text("plain_text", 3) + `,"confirm":` + text("plain_text", 3) + `}}]}`, "must be less than 101 characters [json-pointer:/blocks/0/elements/0/confirm/title/text]"},
		{`{"type":"actions","elements":[{"type":"button","text":` + text("plain_text", 5) + `,"confirm":{"title":` + text("plain_text", 3) + `,"text":` + text("plain_text", 301) + `,"confirm":` + text("plain_text", 31) + `}}]}`, "must be less than 31 characters"},
		{`{"type":"actions","elements":[{"type":"static_select","action_id":"s","placeholder":` + text("plain_text", 150) + `,"options":` + list(`{"value":"1","text":`+text("plain_text", 5)+`}`, 100) + `}]}`, ""},
		{`{"type":"actions","elements":[{"type":"static_select","options":[]}]}`, "must be more than 0 items"},
		{`{"type":"actions","elements":[{"type":"static_select","options":[{"text":` + text("plain_text", 3) + `}]}]}`, "missing required field: value"},
		{`{"type":"actions","elements":[{"type":"static_select","options":[{"value":"` + strings.Repeat("a", 151) + `","text":` + text("plain_text", 3) + `}]}]}`, "must be less than 151 characters"},
		{`{"type":"actions","elements":[{"type":"overflow","options":` + list(`{"value":"1","text":`+text("plain_text", 3)+`}`, 6) + `}]}`, "no more than 5 items allowed"},
		{`{"type":"section","text":` + text("plain_text", 3) + `,"accessory":{"type":"button","text":` + text("plain_text", 3) + `}}`, ""},
		{`{"type":"section","text":` + text("plain_text", 3) + `,"accessory":{"type":"button","text":` + text("plain_text", 76) + `}}`, "[json-pointer:/blocks/0/accessory/text/text]"},
		{`{"type":"section","text":` + text("plain_text", 3) + `,"accessory":{"type":"image","image_url":"https://acme.example/a.png"}}`, "missing required field: alt_text"},
		{`{"type":"rich_text","elements":[]}`, "must be more than 0 items"},
		{`{"type":"divider","block_id":"a"},{"type":"divider","block_id":"a"}`, "block_id must be unique"},
		{strings.TrimSuffix(strings.Repeat(`{"type":"divider"},`, 50), ","), ""},
		{strings.TrimSuffix(strings.Repeat(`{"type":"divider"},`, 51), ","), "no more than 50 items allowed [json-pointer:/blocks]"},
		{`7`, "must be a block object"},
	}
	for _, test := range cases {
		got := c.form("chat.postMessage", "channel", "C0SECURITY1", "text", "a", "blocks", "["+test.block+"]")
		switch {
		case test.want == "" && !got.OK:
			t.Errorf("%.200s: refused: %v", test.block, got.Errors)
		case test.want != "" && (got.Error != "invalid_blocks" || !strings.Contains(strings.Join(got.Errors, "\n"), test.want) || len(got.ResponseMetadata.Messages) == 0):
			t.Errorf("%.200s: %+v, want %q", test.block, got, test.want)
		}
	}
	long := strings.TrimSuffix(strings.Repeat(`{"type":"section","text":`+text("plain_text", 2900)+`},`, 5), ",")
	if got := c.form("chat.postMessage", "channel", "C0SECURITY1", "text", "a", "blocks", "["+long+"]"); got.Error != "msg_blocks_too_long" {
		t.Errorf("five long sections: %+v", got)
	}
}

func TestRender(t *testing.T) {
	server, c := start(t, fakeslack.Options{})
	c.form("chat.postMessage", "channel", "C0SECURITY1", "text", "fallback", "blocks",
		`[{"type":"header","text":{"type":"plain_text","text":"a &lt; b"}},{"type":"section","text":{"type":"mrkdwn","text":"*bold* text"}}]`)
	if got, want := server.Messages("")[0].Render(), "\na < b\n\nbold text\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
