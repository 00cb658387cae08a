package fakeslack

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/crmwatch/crmwatch/alerting"
)

// Message is a message that stands in a channel.
type Message struct {
	Channel string
	// User is the only person who sees the message; "" is everyone.
	User string
	// TS is the message's id and its time.
	TS       string
	Text     string
	Blocks   json.RawMessage
	Metadata Metadata
	// ThreadTS is the message under which it stands; Broadcast says that the channel
	// shows it too.
	ThreadTS  string
	Broadcast bool
	// Files are the ids of those that it shows.
	Files []string
	// Updates counts the chat.update calls that changed it.
	Updates int
	// Unfurl: Slack would fetch the links in it and show what is behind them.
	Unfurl bool
	// LinkNames: Slack would turn @name and bare links of the text into live ones.
	LinkNames bool
}

// Metadata is what an app hangs on a message for itself.
type Metadata struct {
	EventType    string         `json:"event_type"`
	EventPayload map[string]any `json:"event_payload"`
}

// Render draws the message as text, much as Slack shows it.
func (m Message) Render() string {
	if len(m.Blocks) == 0 {
		return m.Text + "\n"
	}
	text, err := alerting.RenderBlocks(m.Blocks, 84)
	if err != nil {
		return m.Text + "\n"
	}
	return text
}

var (
	markup    = regexp.MustCompile(`<[^>]*>`)
	bareNames = regexp.MustCompile(`@(channel|here|everyone)\b`)
)

// Live lists what in the message would be more than text: mentions, links and
// commands. A message that holds only log text must have none.
func (m Message) Live() []string {
	live := markup.FindAllString(m.Text, -1)
	if m.LinkNames {
		live = append(live, bareNames.FindAllString(m.Text, -1)...)
		live = append(live, bareLinks.FindAllString(m.Text, -1)...)
	}
	var blocks []block
	_ = json.Unmarshal(m.Blocks, &blocks)
	for _, b := range blocks {
		for _, t := range b.texts() {
			if t.Type != "mrkdwn" {
				continue
			}
			live = append(live, markup.FindAllString(t.Text, -1)...)
			if t.Verbatim == nil || !*t.Verbatim {
				live = append(live, bareLinks.FindAllString(t.Text, -1)...)
				live = append(live, bareNames.FindAllString(t.Text, -1)...)
			}
		}
	}
	return live
}

var bareLinks = regexp.MustCompile(`https?://[^\s|>]+`)

// Slack's limits for a message.
const (
	maxText     = 40000
	maxMetadata = 16000
	// maxBlocksSize is measured: messages are refused with msg_blocks_too_long
	// from about this size on, which Slack documents nowhere.
	maxBlocksSize = 13000
)

func (s *Server) postMessage(a map[string]string) map[string]any {
	c := s.channel(a["channel"])
	if problem := usable(c); problem != "" {
		return refuse(problem)
	}
	m := &Message{Channel: c.ID}
	if reply := m.fill(a, "none"); reply != nil {
		return reply
	}
	if a["text"] == "" && len(m.Blocks) == 0 {
		return refuse("no_text")
	}
	if m.ThreadTS = a["thread_ts"]; m.ThreadTS != "" {
		if root := s.message(c.ID, m.ThreadTS); root == nil || root.ThreadTS != "" {
			return refuse("thread_not_found")
		}
		m.Broadcast = truth(a["reply_broadcast"], false)
	}
	m.TS = s.nextTS()
	s.messages = append(s.messages, m)
	s.changed = m
	return map[string]any{"ok": true, "channel": c.ID, "ts": m.TS, "message": m.show(true)}
}

func (s *Server) update(a map[string]string) map[string]any {
	c := s.channelByID(a["channel"])
	if problem := usable(c); problem != "" {
		return refuse(problem)
	}
	i := slices.IndexFunc(s.messages, func(m *Message) bool { return m.Channel == c.ID && m.TS == a["ts"] })
	if i < 0 {
		return refuse("message_not_found")
	}
	changed := *s.messages[i]
	if _, given := a["blocks"]; !given && a["text"] != "" {
		changed.Blocks = nil
	}
	// chat.update makes links and mentions of text unless it is told not to, other
	// than chat.postMessage.
	if reply := changed.fill(a, "client"); reply != nil {
		return reply
	}
	if a["text"] == "" && a["blocks"] == "" {
		return refuse("no_text")
	}
	changed.Updates++
	*s.messages[i] = changed
	s.changed = s.messages[i]
	return map[string]any{"ok": true, "channel": c.ID, "ts": changed.TS, "text": changed.Text, "message": changed.show(true)}
}

func usable(c *Channel) string {
	switch {
	case c == nil:
		return "channel_not_found"
	case c.Archived:
		return "is_archived"
	case c.NotMember:
		return "not_in_channel"
	}
	return ""
}

// fill takes the arguments that chat.postMessage and chat.update share, or
// returns the refusal.
func (m *Message) fill(a map[string]string, defaultParse string) map[string]any {
	if len(utf16.Encode([]rune(a["text"]))) > maxText {
		return refuse("msg_too_long")
	}
	m.Text = a["text"]
	if text := a["blocks"]; text != "" {
		if reply := checkBlocks(text); reply != nil {
			return reply
		}
		m.Blocks = json.RawMessage(text)
	}
	if text, given := a["metadata"]; given {
		if len(text) > maxMetadata {
			return refuse("metadata_too_large")
		}
		var metadata Metadata
		if err := json.Unmarshal([]byte(text), &metadata); err != nil || metadata.EventType == "" || metadata.EventPayload == nil {
			return refuse("invalid_metadata_format")
		}
		m.Metadata = metadata
	}
	m.Unfurl = truth(a["unfurl_links"], false) || truth(a["unfurl_media"], true)
	parse := a["parse"]
	if parse == "" {
		parse = defaultParse
	}
	m.LinkNames = parse != "none" || truth(a["link_names"], false)
	return nil
}

func truth(text string, otherwise bool) bool {
	switch strings.ToLower(text) {
	case "1", "true":
		return true
	case "0", "false":
		return false
	}
	return otherwise
}

func (m *Message) show(metadata bool) map[string]any {
	shown := map[string]any{"type": "message", "subtype": "bot_message", "bot_id": botID, "ts": m.TS, "text": m.Text}
	if m.ThreadTS != "" {
		shown["thread_ts"] = m.ThreadTS
	}
	if len(m.Blocks) > 0 {
		shown["blocks"] = m.Blocks
	}
	if len(m.Files) > 0 {
		files := []map[string]any{}
		for _, id := range m.Files {
			files = append(files, map[string]any{"id": id})
		}
		shown["files"] = files
	}
	if m.Broadcast {
		shown["subtype"] = "thread_broadcast"
	}
	if metadata && m.Metadata.EventType != "" {
		shown["metadata"] = m.Metadata
	}
	return shown
}
