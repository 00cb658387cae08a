// Package fakeslack is a server that speaks the part of Slack's Web API which
// crmwatch uses, as strictly as Slack does, for tests and rehearsals: auth.test,
// chat.postMessage, chat.update, conversations.history, conversations.info, conversations.replies. It
// keeps the messages in memory and fails on demand.
package fakeslack

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Channel is a channel of the workspace.
type Channel struct {
	// ID begins with C, as Slack's do.
	ID, Name string
	// NotMember: the app was not invited.
	NotMember bool
	Archived  bool
}

// Options configure a server; the zero value has the channel #security-alerts
// (C0SECURITY1) and takes any bot token.
type Options struct {
	// Token is the only token taken; "" takes every token that begins with xoxb-.
	Token    string
	Channels []Channel
	// Clock stamps messages; time.Now by default.
	Clock func() time.Time
	// OnMessage is called with every message that was posted or updated, once it
	// stands in its channel.
	OnMessage func(Message)
}

// DefaultChannel is the channel that a server has when none is given.
var DefaultChannel = Channel{ID: "C0SECURITY1", Name: "security-alerts"}

// Call is one request that reached the server, whatever came of it.
type Call struct {
	Method string
	// Arguments are those of the call, without the token.
	Arguments map[string]string
	// Answer is "ok", an error code, or "HTTP 500" and the like; "dropped" where
	// the connection was cut instead.
	Answer string
}

// Server is the fake. It is an http.Handler for paths that end in a method's
// name, such as /api/chat.postMessage.
type Server struct {
	options Options

	mu       sync.Mutex
	channels []*Channel
	messages []*Message
	calls    []Call
	faults   map[string][]Fault
	lastTS   int64
	// changed is the message that the call under way posted or updated.
	changed *Message
}

// New makes a server.
func New(options Options) *Server {
	if options.Clock == nil {
		options.Clock = time.Now
	}
	if len(options.Channels) == 0 {
		options.Channels = []Channel{DefaultChannel}
	}
	s := &Server{options: options, faults: map[string][]Fault{}}
	for _, c := range options.Channels {
		s.channels = append(s.channels, &c)
	}
	return s
}

// Handler is a new server as a handler, for a command that offers a Slack to
// rehearse with.
func Handler(options Options) http.Handler { return New(options) }

// SetChannel adds a channel, or changes the one with the same id.
func (s *Server) SetChannel(c Channel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range s.channels {
		if known.ID == c.ID {
			*known = c
			return
		}
	}
	s.channels = append(s.channels, &c)
}

// Calls lists the calls of one method, or of all for "".
func (s *Server) Calls(method string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Call
	for _, c := range s.calls {
		if method == "" || c.Method == method {
			found = append(found, c)
		}
	}
	return found
}

// Replies lists what stands under a message, oldest first.
func (s *Server) Replies(root Message) []Message {
	var replies []Message
	for _, m := range s.all(root.Channel) {
		if m.ThreadTS == root.TS {
			replies = append(replies, m)
		}
	}
	return replies
}

// Messages lists the messages that stand in a channel itself, and not in a thread (id or name; "" is all),
// oldest first, as they are after their updates.
func (s *Server) Messages(channel string) []Message {
	return slices.DeleteFunc(s.all(channel), func(m Message) bool { return m.ThreadTS != "" })
}

func (s *Server) all(channel string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Message
	for _, m := range s.messages {
		c := s.channel(channel)
		if channel == "" || c != nil && m.Channel == c.ID {
			found = append(found, *m)
		}
	}
	return found
}

// Delete removes a message, as a person may.
func (s *Server) Delete(channel, ts string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, m := range s.messages {
		if m.Channel == channel && m.TS == ts {
			s.messages = append(s.messages[:i:i], s.messages[i+1:]...)
			return
		}
	}
}

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	arguments, token, problem := readArguments(r)
	fault, faulty := s.nextFault(method)
	if fault.until != nil {
		select {
		case <-fault.until:
		case <-r.Context().Done():
		}
		faulty = false
	}
	if faulty && !fault.afterwards {
		answer := fault.answer(w, r)
		s.record(method, arguments, answer)
		if answer == dropped {
			panic(http.ErrAbortHandler)
		}
		return
	}
	var reply map[string]any
	switch {
	case problem != "":
		reply = refuse(problem)
	default:
		reply = s.call(method, token, arguments)
	}
	if faulty {
		answer := fault.answer(w, r)
		s.record(method, arguments, answer)
		if answer == dropped {
			panic(http.ErrAbortHandler)
		}
		return
	}
	answer := "ok"
	if code, bad := reply["error"].(string); bad {
		answer = code
	}
	s.record(method, arguments, answer)
	writeReply(w, http.StatusOK, reply)
}

func (s *Server) record(method string, arguments map[string]string, answer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, Call{method, arguments, answer})
}

func (s *Server) call(method, token string, arguments map[string]string) map[string]any {
	s.mu.Lock()
	s.changed = nil
	reply := s.dispatch(method, token, arguments)
	var changed *Message
	if s.changed != nil {
		snapshot := *s.changed
		changed = &snapshot
	}
	s.mu.Unlock()
	if changed != nil && s.options.OnMessage != nil {
		s.options.OnMessage(*changed)
	}
	return reply
}

func (s *Server) dispatch(method, token string, arguments map[string]string) map[string]any {
	handle, known := map[string]func(map[string]string) map[string]any{
		"auth.test":             s.authTest,
		"chat.postMessage":      s.postMessage,
		"chat.update":           s.update,
		"conversations.history": s.history,
		"conversations.info":    s.info,
		"conversations.replies": s.replies,
	}[method]
	switch {
	case !known:
		return refuse("unknown_method")
	case token == "":
		return refuse("not_authed")
	case !strings.HasPrefix(token, "xoxb-") || s.options.Token != "" && token != s.options.Token:
		return refuse("invalid_auth")
	}
	return handle(arguments)
}

func (s *Server) channel(nameOrID string) *Channel {
	for _, c := range s.channels {
		if c.ID == nameOrID || c.Name == strings.TrimPrefix(nameOrID, "#") {
			return c
		}
	}
	return nil
}

// channelByID is for the methods that take no name.
func (s *Server) channelByID(id string) *Channel {
	if c := s.channel(id); c != nil && c.ID == id {
		return c
	}
	return nil
}

// nextTS makes a message's id: the time in seconds with six digits, and never one
// twice.
func (s *Server) nextTS() string {
	now := s.options.Clock().UnixMicro()
	if now <= s.lastTS {
		now = s.lastTS + 1
	}
	s.lastTS = now
	return fmt.Sprintf("%d.%06d", now/1e6, now%1e6)
}

func refuse(code string) map[string]any { return map[string]any{"ok": false, "error": code} }
