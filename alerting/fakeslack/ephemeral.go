package fakeslack

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"
)

// Slack's limits of a response_url (docs.slack.dev, Handling user interaction).
const (
	responseUses = 5
	responseTime = 30 * time.Minute
)

// Ephemerals lists what one person alone was told, oldest first; "" is all.
func (s *Server) Ephemerals(user string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Message
	for _, m := range s.ephemerals {
		if user == "" || m.User == user {
			found = append(found, *m)
		}
	}
	return found
}

func (s *Server) postEphemeral(a map[string]string) map[string]any {
	c := s.channelByID(a["channel"])
	if problem := usable(c); problem != "" {
		return refuse(problem)
	}
	if _, known := s.user(a["user"]); !known {
		return refuse("user_not_in_channel")
	}
	m := &Message{Channel: c.ID, User: a["user"], ThreadTS: a["thread_ts"]}
	if reply := m.fill(a, "none"); reply != nil {
		return reply
	}
	if a["text"] == "" && len(m.Blocks) == 0 {
		return refuse("no_text")
	}
	s.tellAlone(m)
	return map[string]any{"ok": true, "message_ts": m.TS}
}

func (s *Server) tellAlone(m *Message) {
	m.TS = s.nextTS()
	s.ephemerals = append(s.ephemerals, m)
	s.changed = m
}

// responseURL is where an app may answer one interaction without a token.
type responseURL struct {
	user    User
	channel string
	made    time.Time
	uses    int
}

// newResponseURL makes the address of the answers to one interaction.
func (s *Server) newResponseURL(user User, channel string) string {
	key := s.newID()
	s.responses[key] = &responseURL{user: user, channel: channel, made: s.options.Clock()}
	return s.base + "/actions/" + TeamID + "/" + key
}

// serveResponse takes an answer at a response_url.
func (s *Server) serveResponse(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var object map[string]json.RawMessage
	if err != nil || r.Method != http.MethodPost || json.Unmarshal(body, &object) != nil {
		writeReply(w, http.StatusBadRequest, refuse("invalid_payload"))
		return
	}
	status, reply, told := s.respond(r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:], flatten(object))
	answer := "ok"
	if code, bad := reply["error"].(string); bad {
		answer = code
	}
	s.record("response_url", flatten(object), answer)
	if told != nil && s.options.OnMessage != nil {
		s.options.OnMessage(*told)
	}
	writeReply(w, status, reply)
}

func (s *Server) respond(key string, a map[string]string) (status int, reply map[string]any, told *Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	place := s.responses[key]
	switch {
	case place == nil || s.options.Clock().Sub(place.made) > responseTime:
		return http.StatusNotFound, refuse("expired_url"), nil
	case place.uses >= responseUses:
		return http.StatusNotFound, refuse("used_url"), nil
	}
	place.uses++
	m := &Message{Channel: place.channel, User: place.user.ID}
	if a["response_type"] == "in_channel" {
		m.User = ""
	}
	if reply := m.fill(a, "none"); reply != nil {
		return http.StatusBadRequest, reply, nil
	}
	if a["text"] == "" && len(m.Blocks) == 0 {
		return http.StatusBadRequest, refuse("no_text"), nil
	}
	if truth(a["replace_original"], false) || truth(a["delete_original"], false) {
		return http.StatusBadRequest, refuse("cant_replace_original"), nil
	}
	if m.User == "" {
		m.TS = s.nextTS()
		s.messages = append(s.messages, m)
	} else {
		s.tellAlone(m)
	}
	snapshot := *m
	return http.StatusOK, map[string]any{"ok": true}, &snapshot
}
