package fakeslack

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func (s *Server) history(a map[string]string) map[string]any {
	c := s.channelByID(a["channel"])
	switch {
	case c == nil:
		return refuse("channel_not_found")
	case c.NotMember:
		return refuse("not_in_channel")
	}
	var found []*Message
	for _, m := range slices.Backward(s.messages) {
		if m.Channel == c.ID && (m.ThreadTS == "" || m.Broadcast) && inRange(m.TS, a["oldest"], a["latest"], truth(a["inclusive"], false)) {
			found = append(found, m)
		}
	}
	return page(found, a, 100)
}

// replies answers conversations.replies: the message, and what stands under it.
func (s *Server) replies(a map[string]string) map[string]any {
	c := s.channelByID(a["channel"])
	switch {
	case c == nil:
		return refuse("channel_not_found")
	case c.NotMember:
		return refuse("not_in_channel")
	}
	parent := s.message(c.ID, a["ts"])
	if parent == nil {
		return refuse("thread_not_found")
	}
	found := []*Message{parent}
	for _, m := range s.messages {
		if m.Channel == c.ID && m.ThreadTS == parent.TS && inRange(m.TS, a["oldest"], a["latest"], truth(a["inclusive"], false)) {
			found = append(found, m)
		}
	}
	return page(found, a, 1000)
}

// page cuts the part out of a list that the arguments limit and cursor ask for.
func page(found []*Message, a map[string]string, limit int) map[string]any {
	if text := a["limit"]; text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 999 {
			return refuse("invalid_limit")
		}
		limit = n
	}
	skip := 0
	if cursor := a["cursor"]; cursor != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(cursor, "next:"))
		if err != nil || n < 0 || n > len(found) {
			return refuse("invalid_cursor")
		}
		skip = n
	}
	shown := []map[string]any{}
	for _, m := range found[skip:min(skip+limit, len(found))] {
		shown = append(shown, m.show(truth(a["include_all_metadata"], false)))
	}
	reply := map[string]any{"ok": true, "messages": shown, "has_more": skip+limit < len(found), "pin_count": 0}
	if skip+limit < len(found) {
		reply["response_metadata"] = map[string]any{"next_cursor": fmt.Sprintf("next:%d", skip+limit)}
	}
	return reply
}

func inRange(ts, oldest, latest string, inclusive bool) bool {
	at, _ := strconv.ParseFloat(ts, 64)
	if from, err := strconv.ParseFloat(oldest, 64); err == nil && (at < from || at == from && !inclusive) {
		return false
	}
	if to, err := strconv.ParseFloat(latest, 64); err == nil && (at > to || at == to && !inclusive) {
		return false
	}
	return true
}
