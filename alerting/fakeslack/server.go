// Package fakeslack is a server that speaks the part of Slack's Web API which
// crmwatch uses, as strictly as Slack does, for tests and rehearsals: auth.test,
// chat.postMessage, chat.update, chat.postEphemeral, conversations.history,
// conversations.replies, conversations.info, users.info, usergroups.users.list, files; and
// what people do in the channel: buttons, menus and slash commands, delivered by Socket
// Mode or as signed requests. It keeps everything in memory and fails on demand.
package fakeslack

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
)

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
	lastID   int
	groups   map[string]UserGroup
	// ephemerals are what one person alone was told.
	ephemerals []*Message
	responses  map[string]*responseURL
	// base is where the server was called: the beginning of the addresses it gives out.
	base      string
	tickets   map[string]bool
	sockets   []*socket
	turn      int
	envelopes []*Envelope
	lostAcks  int
	// changed is the message that the call under way posted or updated.
	changed *Message
	files   []*File
}

// New makes a server.
func New(options Options) *Server {
	options = options.withDefaults()
	s := &Server{options: options, faults: map[string][]Fault{}, groups: map[string]UserGroup{}, responses: map[string]*responseURL{}, tickets: map[string]bool{}}
	for _, g := range options.Groups {
		s.groups[g.ID] = g
	}
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

// SetURL says where the server is reached; otherwise it is where it was called last.
func (s *Server) SetURL(base string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.base = base
}

// SetInteractivity says where interactions and slash commands go from now on, as
// signed requests.
func (s *Server) SetInteractivity(interactivityURL, commandURL string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.InteractivityURL, s.options.CommandURL = interactivityURL, commandURL
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
	switch {
	case strings.HasPrefix(r.URL.Path, "/link/"):
		s.serveSocket(w, r)
		return
	case strings.HasPrefix(r.URL.Path, "/actions/"):
		s.serveResponse(w, r)
		return
	case strings.HasPrefix(r.URL.Path, "/services/"):
		s.serveIncoming(w, r)
		return
	case strings.HasPrefix(r.URL.Path, "/upload/"):
		s.serveUpload(w, r)
		return
	}
	s.SetURL("http://" + r.Host)
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
	if method == incomingMethod {
		return s.postMessage(arguments)
	}
	handle, known := map[string]func(map[string]string) map[string]any{
		"apps.connections.open":        s.connectionsOpen,
		"auth.test":                    s.authTest,
		"chat.postEphemeral":           s.postEphemeral,
		"chat.postMessage":             s.postMessage,
		"chat.update":                  s.update,
		"conversations.history":        s.history,
		"conversations.info":           s.info,
		"conversations.replies":        s.replies,
		"files.completeUploadExternal": s.completeUpload,
		"files.getUploadURLExternal":   s.uploadURL,
		"usergroups.users.list":        s.userGroupMembers,
		"users.info":                   s.userInfo,
	}[method]
	switch {
	case !known:
		return refuse("unknown_method")
	case token == "":
		return refuse("not_authed")
	case method == "apps.connections.open":
		// Only an app-level token opens connections, and it does nothing else.
		if strings.HasPrefix(token, "xoxb-") {
			return refuse("not_allowed_token_type")
		}
		if !strings.HasPrefix(token, "xapp-") || s.options.AppToken != "" && token != s.options.AppToken {
			return refuse("invalid_auth")
		}
		return handle(arguments)
	case !strings.HasPrefix(token, "xoxb-") || s.options.Token != "" && token != s.options.Token:
		return refuse("invalid_auth")
	}
	if refusal := s.missingScope(method); refusal != nil {
		return refusal
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

// message finds a message of a channel.
func (s *Server) message(channel, ts string) *Message {
	for _, m := range s.messages {
		if m.Channel == channel && m.TS == ts {
			return m
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

// newID numbers envelopes, tickets and addresses.
func (s *Server) newID() string {
	s.lastID++
	return fmt.Sprintf("0f%06d-acde-4000-8000-%012d", s.lastID, s.lastID)
}

func (s *Server) newTrigger() string {
	s.lastID++
	return fmt.Sprintf("%d.%d.0123456789abcdef0123456789abcdef", 7000000000000+s.lastID, 4000000000000)
}

func refuse(code string) map[string]any { return map[string]any{"ok": false, "error": code} }
