// Package collector receives deliveries from agents and stores each exactly once. It
// has no state of its own: what it has to know is in ClickHouse, so several can
// stand behind a load balancer.
package collector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/crmwatch/crmwatch/collector/insert"
	"github.com/crmwatch/crmwatch/schema"
)

// Options say what a collector takes. Zero values mean the defaults.
type Options struct {
	Conn schema.Store
	// Stores are those of the regions, in place of Conn, and Residency says what belongs
	// into which. A delivery with a tenant that has no region is refused.
	Stores    []RegionStore
	Residency *schema.Residency
	// Authenticate says which agent asks, from its certificate or token; ok is false for
	// one that is not known.
	Authenticate func(*http.Request) (agent string, ok bool)
	// OnRefused, if not nil, is told of each request with no valid credential. It must not
	// block.
	OnRefused func(*http.Request)
	Limits    schema.DeliveryLimits
	// InFlight is how many deliveries are worked on at once; 4 by default. Their memory
	// is InFlight times what a delivery may hold.
	InFlight int
	// BodyTime is how long a delivery may take to arrive; a minute by default.
	BodyTime time.Duration
	// InsertTime is how long the database may take, tries included; 20 seconds by default.
	InsertTime time.Duration
	Log        *slog.Logger
}

// Collector is an http.Handler.
type Collector struct {
	Options
	stores []*store
	busy   chan struct{}
	mux    *http.ServeMux

	mu       sync.Mutex
	failures map[string]*failure
	owners   map[string]string
	last     map[string]uint64
	working  map[string]int
	stats    Stats
}

// Stats counts since the start.
type Stats struct {
	Stored, Duplicates, Conflicts, Gaps, Refused, Unauthorized uint64
	// Filtered are records in quarantine that belong into no region.
	Filtered uint64
}

type failure struct {
	count int
	until time.Time
}

// New makes a collector.
func New(o Options) *Collector {
	if o.Limits.Wire == 0 {
		o.Limits.Wire = 64 << 20
	}
	if o.Limits.Decoded == 0 {
		o.Limits.Decoded = 128 << 20
	}
	if o.InFlight == 0 {
		o.InFlight = 4
	}
	if o.BodyTime == 0 {
		o.BodyTime = time.Minute
	}
	if o.InsertTime == 0 {
		o.InsertTime = 20 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Collector{Options: o, busy: make(chan struct{}, o.InFlight), mux: http.NewServeMux(),
		failures: map[string]*failure{}, owners: map[string]string{}, last: map[string]uint64{}, working: map[string]int{}}
	if o.Residency == nil {
		o.Stores = []RegionStore{{Conn: o.Conn}}
	}
	for _, s := range o.Stores {
		log := o.Log
		if s.Region != "" {
			log = log.With("region", s.Region)
		}
		c.stores = append(c.stores, &store{s, &insert.Inserter{Conn: s.Conn, Log: log, GiveUpAfter: o.InsertTime, Watchdog: o.InsertTime}})
	}
	c.mux.HandleFunc("POST /v1/deliveries", c.deliver)
	c.mux.HandleFunc("GET /healthz", c.health)
	return c
}

// Stats says what was done so far.
func (c *Collector) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}

func (c *Collector) count(n *uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*n++
}

func (c *Collector) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.mux.ServeHTTP(w, r) }

func (c *Collector) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	for _, s := range c.stores {
		if err := s.Conn.Exec(ctx, "SELECT 1"); err != nil {
			answerError(w, http.StatusServiceUnavailable, "unavailable", "the database does not answer")
			return
		}
	}
	answer(w, http.StatusOK, map[string]any{"status": "ok"})
}

// deliver takes one delivery and answers when ClickHouse has it.
func (c *Collector) deliver(w http.ResponseWriter, r *http.Request) {
	agent, ok := c.admit(w, r)
	if !ok {
		return
	}
	if r.ContentLength < 0 {
		c.count(&c.stats.Refused)
		answerError(w, http.StatusLengthRequired, "malformed", "a delivery says how long it is")
		return
	}
	leave, ok := c.enter(agent)
	if !ok {
		w.Header().Set("Retry-After", "1")
		answerError(w, http.StatusTooManyRequests, "busy", "too many deliveries at once")
		return
	}
	defer leave()
	if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(c.BodyTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		answerError(w, http.StatusInternalServerError, "internal", "no deadline can be set")
		return
	}
	d, parts, err := c.read(w, r)
	if err != nil {
		c.count(&c.stats.Refused)
		status, code := http.StatusBadRequest, "malformed"
		var tooLarge *http.MaxBytesError
		var refused *refusedError
		switch {
		case errors.Is(err, schema.ErrTooLarge) || errors.As(err, &tooLarge):
			status, code = http.StatusRequestEntityTooLarge, "too large"
		case errors.As(err, &refused):
			status, code = http.StatusUnprocessableEntity, "refused"
		}
		c.Log.Warn("a delivery is refused", "agent", agent, "kind", code, "detail", err.Error())
		answerError(w, status, code, err.Error())
		return
	}
	c.store(w, r, agent, d, parts)
}

// enter takes one of the places for deliveries. No agent gets more than half of them,
// so that one that sends slowly does not keep the others out.
func (c *Collector) enter(agent string) (leave func(), ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.working[agent] >= max(1, c.InFlight/2) {
		return nil, false
	}
	select {
	case c.busy <- struct{}{}:
	default:
		return nil, false
	}
	c.working[agent]++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.working[agent]--; c.working[agent] == 0 {
			delete(c.working, agent)
		}
		<-c.busy
	}, true
}

// refusedError is a delivery that is whole and does not fit the tables.
type refusedError struct{ error }

// read takes the body, checks all of it, and parts it by region.
func (c *Collector) read(w http.ResponseWriter, r *http.Request) (schema.Delivery, []part, error) {
	if r.ContentLength > c.Limits.Wire {
		return schema.Delivery{}, nil, schema.ErrTooLarge
	}
	d, err := schema.ReadDelivery(http.MaxBytesReader(w, r.Body, c.Limits.Wire), c.Limits)
	if err != nil {
		return d, nil, err
	}
	var events []byte
	for _, block := range []struct {
		frames *schema.Frames
		check  func([]byte, int) error
	}{{&d.Quarantine, schema.CheckQuarantineBlock}, {&d.Events, schema.CheckEventsBlock}} {
		if block.frames.Rows == 0 {
			continue
		}
		raw, err := block.frames.Raw()
		if err != nil {
			return d, nil, fmt.Errorf("read delivery: %w", err)
		}
		if err := block.check(raw, block.frames.Rows); err != nil {
			return d, nil, &refusedError{err}
		}
		events = raw
	}
	parts, err := c.route(d, events)
	if err != nil {
		return d, nil, &refusedError{err}
	}
	return d, parts, nil
}

// admit finds out who asks. After a few failures from one address, further ones are
// answered without being counted or logged. An agent with a valid credential always
// gets through: others may stand behind the same address.
func (c *Collector) admit(w http.ResponseWriter, r *http.Request) (agent string, ok bool) {
	if agent, ok = c.Authenticate(r); ok {
		return agent, true
	}
	if c.OnRefused != nil {
		c.OnRefused(r)
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	if c.fails(host) {
		w.Header().Set("Retry-After", "5")
		answerError(w, http.StatusTooManyRequests, "busy", "too many wrong credentials from this address")
		return "", false
	}
	c.Log.Warn("a request with no valid credential is refused", "remote", host)
	answerError(w, http.StatusUnauthorized, "unauthorized", "no valid token or certificate")
	return "", false
}

// fails notes a failure and says whether its address has to wait.
func (c *Collector) fails(host string) (waits bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.failures[host]
	if f != nil && f.count > 5 && time.Now().Before(f.until) {
		return true
	}
	c.stats.Unauthorized++
	if f == nil {
		if len(c.failures) >= 10_000 {
			clear(c.failures)
		}
		f = &failure{}
		c.failures[host] = f
	}
	f.count++
	f.until = time.Now().Add(min(time.Minute, time.Second<<min(6, max(0, f.count-6))))
	return false
}

func answer(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// answerError ends the connection where the request may not be what its sender, or a
// proxy between, takes it for.
func answerError(w http.ResponseWriter, status int, code, detail string) {
	switch status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusLengthRequired, http.StatusRequestEntityTooLarge:
		w.Header().Set("Connection", "close")
	}
	answer(w, status, map[string]any{"error": code, "detail": detail})
}
