package fakeslack

import (
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	// attempts is how often an envelope is delivered that nobody acknowledges.
	attempts = 3
	// pingEvery is how often the server asks whether the app is still there.
	pingEvery   = 5 * time.Second
	writeWithin = 5 * time.Second
)

var (
	errNotAcknowledged = errors.New("the app did not acknowledge it in time")
	errNoConnection    = errors.New("the app has no connection")
)

// socket is one Socket Mode connection of the app.
type socket struct {
	conn *websocket.Conn
	mu   sync.Mutex
}

func (c *socket) write(message any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.conn.SetWriteDeadline(time.Now().Add(writeWithin))
	return c.conn.WriteJSON(message)
}

// Envelope is an interaction that was sent by Socket Mode.
type Envelope struct {
	ID, Type string
	Payload  json.RawMessage
	// Deliveries counts how often it was sent.
	Deliveries   int
	Acknowledged bool
	done         chan struct{}
}

// connectionsOpen answers apps.connections.open: an address that is good for one
// connection.
func (s *Server) connectionsOpen(map[string]string) map[string]any {
	ticket := s.newID()
	s.tickets[ticket] = true
	return map[string]any{"ok": true, "url": "ws" + s.base[len("http"):] + "/link/?ticket=" + ticket + "&app_id=" + AppID}
}

// serveSocket keeps one Socket Mode connection.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	ticket := r.URL.Query().Get("ticket")
	s.mu.Lock()
	good := s.tickets[ticket]
	delete(s.tickets, ticket)
	s.mu.Unlock()
	if !good {
		writeReply(w, http.StatusForbidden, refuse("invalid_ticket"))
		return
	}
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	c := &socket{conn: conn}
	s.mu.Lock()
	s.sockets = append(s.sockets, c)
	n := len(s.sockets)
	s.mu.Unlock()
	defer s.leave(c)
	hello := map[string]any{"type": "hello", "num_connections": n, "connection_info": map[string]any{"app_id": AppID}, "debug_info": debugInfo}
	if c.write(hello) != nil {
		return
	}
	if s.options.OnConnect != nil {
		s.options.OnConnect()
	}
	stop := make(chan struct{})
	defer close(stop)
	go c.ping(stop)
	for {
		var answer struct {
			EnvelopeID string `json:"envelope_id"`
		}
		if conn.ReadJSON(&answer) != nil {
			return
		}
		s.acknowledge(answer.EnvelopeID)
	}
}

var debugInfo = map[string]any{"host": "applink-0", "build_number": 1, "approximate_connection_time": 18060}

func (c *socket) ping(stop <-chan struct{}) {
	for {
		if c.conn.WriteControl(websocket.PingMessage, []byte("ping"), time.Now().Add(writeWithin)) != nil {
			return
		}
		select {
		case <-stop:
			return
		case <-time.After(pingEvery):
		}
	}
}

func (s *Server) leave(c *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, other := range s.sockets {
		if other == c {
			s.sockets = append(s.sockets[:i:i], s.sockets[i+1:]...)
			return
		}
	}
}

// acknowledge takes an answer to an envelope, on whichever connection it comes.
func (s *Server) acknowledge(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.envelopes {
		if e.ID != id || e.Acknowledged {
			continue
		}
		if s.lostAcks > 0 {
			s.lostAcks--
			return
		}
		e.Acknowledged = true
		close(e.done)
	}
}

// LoseAcknowledgements makes the next n acknowledgements get lost: Slack then delivers
// the envelope again, which the app has taken.
func (s *Server) LoseAcknowledgements(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lostAcks = n
}

// Envelopes lists what was sent by Socket Mode, oldest first.
func (s *Server) Envelopes() []Envelope {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Envelope, len(s.envelopes))
	for i, e := range s.envelopes {
		list[i] = *e
	}
	return list
}

// Disconnect asks the app to open a new connection in place of each that it has, as
// Slack does every few hours; reason is refresh_requested, warning or link_disabled.
// Nothing more is sent on the old ones.
func (s *Server) Disconnect(reason string) {
	s.mu.Lock()
	leaving := s.sockets
	s.sockets = nil
	s.mu.Unlock()
	for _, c := range leaving {
		_ = c.write(map[string]any{"type": "disconnect", "reason": reason, "debug_info": debugInfo})
	}
}

// Cut closes the app's connections without a word, as a network does.
func (s *Server) Cut() {
	s.mu.Lock()
	leaving := s.sockets
	s.sockets = nil
	s.mu.Unlock()
	for _, c := range leaving {
		_ = c.conn.Close()
	}
}

// send delivers an envelope until it is acknowledged, at most attempts times.
func (s *Server) send(kind string, payload json.RawMessage) error {
	s.mu.Lock()
	e := &Envelope{ID: s.newID(), Type: kind, Payload: payload, done: make(chan struct{})}
	s.envelopes = append(s.envelopes, e)
	s.mu.Unlock()
	problem := errNoConnection
	for attempt := range attempts {
		message := map[string]any{"type": kind, "envelope_id": e.ID, "payload": payload, "accepts_response_payload": true}
		if attempt > 0 {
			message["retry_attempt"], message["retry_reason"] = attempt, "timeout"
		}
		c := s.nextSocket(e)
		if c == nil && attempt == 0 {
			return errNoConnection
		}
		if c != nil && c.write(message) == nil {
			problem = errNotAcknowledged
		}
		select {
		case <-e.done:
			return nil
		case <-time.After(s.options.AckWithin):
		}
	}
	return problem
}

// nextSocket picks the connection for an envelope: each has its turn.
func (s *Server) nextSocket(e *Envelope) *socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sockets) == 0 {
		return nil
	}
	e.Deliveries++
	s.turn++
	return s.sockets[s.turn%len(s.sockets)]
}
