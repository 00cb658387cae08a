package fakeslack

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Press presses a button of a message, as user. It returns nil once the app has
// acknowledged it, and an error where Slack would show the user that it has not.
func (s *Server) Press(messageTS, actionID, user string) error {
	return s.Choose(messageTS, actionID, "", user)
}

// Choose picks an option of a menu, by what the person reads; "" presses a button.
func (s *Server) Choose(messageTS, actionID, choice, user string) error {
	payload, err := s.Interaction(messageTS, actionID, choice, user)
	if err != nil {
		return err
	}
	if address, _ := s.interactivity(); address != "" {
		return s.post(address, []byte(url.Values{"payload": {string(payload)}}.Encode()))
	}
	return s.send("interactive", payload)
}

func (s *Server) interactivity() (buttons, commands string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options.InteractivityURL, s.options.CommandURL
}

// Interaction is the payload that Slack sends for a press of a button or the choice of
// an option. Each call is a press of its own.
func (s *Server) Interaction(messageTS, actionID, choice, user string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	who, known := s.user(user)
	if !known {
		return nil, fmt.Errorf("nobody is called %s", user)
	}
	for _, m := range s.messages {
		if m.TS != messageTS {
			continue
		}
		action, found := m.action(actionID, choice)
		if !found {
			return nil, fmt.Errorf("message %s has nothing called %s %s", messageTS, actionID, choice)
		}
		action["action_ts"] = s.nextTS()
		channel := s.channel(m.Channel)
		return json.Marshal(map[string]any{
			"type": "block_actions", "api_app_id": AppID, "token": s.options.VerificationToken, "trigger_id": s.newTrigger(),
			"user":      map[string]any{"id": who.ID, "username": who.Name, "name": who.Name, "team_id": who.team()},
			"team":      map[string]any{"id": s.options.Team, "domain": "acme"},
			"container": map[string]any{"type": "message", "message_ts": m.TS, "channel_id": m.Channel, "is_ephemeral": false},
			"channel":   map[string]any{"id": channel.ID, "name": channel.Name}, "message": m.show(true),
			"enterprise": nil, "is_enterprise_install": false, "state": map[string]any{"values": map[string]any{}},
			"response_url": s.newResponseURL(who, channel.ID), "actions": []any{action},
		})
	}
	return nil, fmt.Errorf("there is no message %s", messageTS)
}

// action is what a payload says of the element that was used.
func (m *Message) action(actionID, choice string) (map[string]any, bool) {
	var blocks []block
	_ = json.Unmarshal(m.Blocks, &blocks)
	for i, b := range blocks {
		elements := b.Elements
		if len(b.Accessory) > 0 {
			elements = append(elements, b.Accessory)
		}
		for _, raw := range elements {
			var e element
			if json.Unmarshal(raw, &e) != nil || e.ActionID != actionID {
				continue
			}
			id := b.BlockID
			if id == "" {
				id = fmt.Sprintf("b%d", i)
			}
			action := map[string]any{"type": e.Type, "action_id": e.ActionID, "block_id": id}
			if e.Type == "button" {
				action["text"], action["value"] = e.Text, e.Value
				return action, choice == ""
			}
			for _, o := range e.Options {
				if o.Text.Text == choice {
					action["selected_option"] = map[string]any{"text": o.Text, "value": o.Value}
					return action, true
				}
			}
		}
	}
	return nil, false
}

// Command types a slash command with its text into a channel, as user; the error is
// that of Press.
func (s *Server) Command(command, text, channel, user string) error {
	values, err := s.command(command, text, channel, user)
	if err != nil {
		return err
	}
	if _, address := s.interactivity(); address != "" {
		return s.post(address, []byte(values.Encode()))
	}
	object := map[string]string{}
	for name := range values {
		object[name] = values.Get(name)
	}
	payload, err := json.Marshal(object)
	if err != nil {
		return err
	}
	return s.send("slash_commands", payload)
}

func (s *Server) command(command, text, channel, user string) (url.Values, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	who, known := s.user(user)
	where := s.channel(channel)
	if !known || where == nil {
		return nil, fmt.Errorf("no person %s or no channel %s", user, channel)
	}
	return url.Values{
		"token": {s.options.VerificationToken}, "team_id": {s.options.Team}, "team_domain": {"acme"}, "channel_id": {where.ID}, "channel_name": {where.Name},
		"user_id": {who.ID}, "user_name": {who.Name}, "command": {command}, "text": {text}, "api_app_id": {AppID},
		"is_enterprise_install": {"false"}, "response_url": {s.newResponseURL(who, where.ID)}, "trigger_id": {s.newTrigger()},
	}, nil
}

// Signature is Slack's signature of a request (docs.slack.dev, Verifying requests from
// Slack).
func Signature(secret string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "v0:%d:%s", at.Unix(), body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}

// post delivers an interaction as a signed request.
func (s *Server) post(address string, body []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.options.AckWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	now := s.options.Clock()
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
	request.Header.Set("X-Slack-Request-Timestamp", strconv.FormatInt(now.Unix(), 10))
	request.Header.Set("X-Slack-Signature", Signature(s.options.SigningSecret, now, body))
	response, err := http.DefaultClient.Do(request)
	if errors.Is(err, context.DeadlineExceeded) {
		return errNotAcknowledged
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the app answered HTTP %d: %s", response.StatusCode, text)
	}
	return nil
}
