package receive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/crmwatch/crmwatch/agent"
	"github.com/crmwatch/crmwatch/listen"
)

// Why a request was not taken, as the status counts it.
const (
	lostToken     = "no valid token"
	lostMalformed = "malformed request"
	lostLarge     = "request too large"
	lostBusy      = "too many requests"
	lostFull      = "not durable in time"
)

// requests is a port for OTLP over HTTP: POST /v1/logs. A request is answered when all
// of its records are durable, so that a sender which hears nothing and sends it again
// repeats records that collapse with the first ones.
type requests struct {
	receiver
	listener net.Listener
	where    string
	token    [sha256.Size]byte
	in       *agent.Intake
	busy     chan struct{}

	mu      sync.Mutex
	working map[netip.Addr]int
}

func newRequests(r receiver, l net.Listener) *requests {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return &requests{receiver: r, listener: l, where: r.place(scheme, l.Addr()), token: sha256.Sum256([]byte(r.Token)),
		busy: make(chan struct{}, r.limits.Requests), working: map[netip.Addr]int{}}
}

func (q *requests) address() net.Addr { return q.listener.Addr() }

func (q *requests) serve(ctx context.Context, in *agent.Intake) error {
	q.in = in
	server := &http.Server{
		Handler: q, ReadHeaderTimeout: q.limits.Unfinished, IdleTimeout: 2 * time.Minute,
		// A request may take its time to arrive, and then to become durable.
		ReadTimeout: 2 * q.limits.Unfinished, WriteTimeout: 3*q.limits.Unfinished + q.limits.Answer,
		MaxHeaderBytes: 16 << 10, ErrorLog: listen.ErrorLog(q.log),
	}
	l := q.limited(q.listener, in)
	if q.TLS != nil {
		l = tls.NewListener(l, q.TLS)
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		drain, cancel := context.WithTimeout(context.Background(), q.limits.Answer+time.Second)
		defer cancel()
		if server.Shutdown(drain) != nil {
			_ = server.Close()
		}
	})
	err := server.Serve(l)
	if stop() {
		// It ended by itself.
		_ = server.Close()
		return fmt.Errorf("receiver %s: %w", q.Name, err)
	}
	<-stopped
	return nil
}

// ServeHTTP answers one request.
func (q *requests) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	a := answerer{w: w, binary: media == mediaProtobuf}
	switch {
	case r.URL.Path != "/v1/logs":
		a.fail(http.StatusNotFound, "logs are taken at /v1/logs alone")
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		a.fail(http.StatusMethodNotAllowed, "logs are sent with POST")
		return
	case !q.knows(r):
		q.in.Lost(q.Name, lostToken, 1, max(0, r.ContentLength))
		w.Header().Set("WWW-Authenticate", "Bearer")
		a.fail(http.StatusUnauthorized, "no valid token: send Authorization: Bearer TOKEN")
		return
	case media != mediaProtobuf && media != mediaJSON:
		q.in.Lost(q.Name, lostMalformed, 1, max(0, r.ContentLength))
		a.fail(http.StatusUnsupportedMediaType, "send "+mediaProtobuf+" or "+mediaJSON)
		return
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	from, _ := netip.ParseAddr(host)
	leave, ok := q.enter(from.Unmap())
	if !ok {
		q.in.Lost(q.Name, lostBusy, 1, max(0, r.ContentLength))
		a.later(http.StatusTooManyRequests, time.Second, "too many requests at once")
		return
	}
	defer leave()
	q.logs(a, r, from)
}

// knows compares the token in constant time.
func (q *requests) knows(r *http.Request) bool {
	if q.Token == "" {
		return true
	}
	given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	sum := sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(sum[:], q.token[:]) == 1
}

// enter takes one of the places for requests. No address gets more than half of them.
func (q *requests) enter(from netip.Addr) (leave func(), ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.working[from] >= max(1, q.limits.Requests/2) {
		return nil, false
	}
	select {
	case q.busy <- struct{}{}:
	default:
		return nil, false
	}
	q.working[from]++
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.working[from]--; q.working[from] == 0 {
			delete(q.working, from)
		}
		<-q.busy
	}, true
}

// logs reads the records of a request and answers when they are durable.
func (q *requests) logs(a answerer, r *http.Request, from netip.Addr) {
	body, err := q.body(a.w, r)
	if err == nil {
		err = checkRequest(body, a.binary)
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge) || errors.Is(err, errUnpackedTooLong):
		q.in.Lost(q.Name, lostLarge, 1, max(0, r.ContentLength))
		a.fail(http.StatusRequestEntityTooLarge, fmt.Sprintf("a request has %d bytes at most, %d unpacked: send fewer records at once", q.limits.Request, q.limits.RequestUnpacked))
		return
	case errors.Is(err, errEncoding):
		q.in.Lost(q.Name, lostMalformed, 1, max(0, r.ContentLength))
		a.fail(http.StatusUnsupportedMediaType, errEncoding.Error())
		return
	case err != nil:
		q.in.Lost(q.Name, lostMalformed, 1, max(0, r.ContentLength))
		a.fail(http.StatusBadRequest, err.Error())
		return
	}
	durable := make(chan agent.Receipt, 1)
	ctx, cancel := context.WithTimeout(r.Context(), q.limits.Answer)
	defer cancel()
	binary := a.binary
	err = q.in.Put(ctx, agent.Message{
		Inlet: q.Name, Place: q.where, From: from, Data: body,
		Lines:  func(data []byte) iter.Seq[[]byte] { return requestLines(data, binary) },
		Answer: func(r agent.Receipt) { durable <- r },
	})
	if err == nil {
		select {
		case receipt := <-durable:
			if receipt.Err == nil {
				a.taken(receipt)
				return
			}
		case <-ctx.Done():
		}
	}
	// What it holds may become durable yet: sent again, it collapses with that.
	q.in.Lost(q.Name, lostFull, 1, int64(len(body)))
	a.later(http.StatusServiceUnavailable, 5*time.Second, "the records are not durable yet: the spool is full or crmwatch is stopping")
}

var errEncoding = errors.New("send the body as it is or with Content-Encoding: gzip")

// body reads the whole body, unpacked.
func (q *requests) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(q.limits.Unfinished))
	limited := http.MaxBytesReader(w, r.Body, q.limits.Request)
	var body []byte
	var err error
	switch encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
		body, err = io.ReadAll(limited)
	case "gzip":
		body, err = unpackGzip(limited, q.limits.RequestUnpacked)
	default:
		return nil, errEncoding
	}
	if err != nil {
		return nil, fmt.Errorf("the body cannot be read: %w", err)
	}
	return body, nil
}

// The media types of OTLP.
const (
	mediaProtobuf = "application/x-protobuf"
	mediaJSON     = "application/json"
)

// answerer answers in the encoding of the request.
type answerer struct {
	w      http.ResponseWriter
	binary bool
}

// taken says that the records are kept, and how many of them in quarantine.
func (a answerer) taken(r agent.Receipt) {
	message := ""
	if r.Quarantined > 0 {
		message = "kept in quarantine, the first one because: " + r.FirstRejection
	}
	if a.binary {
		a.write(http.StatusOK, appendResponse(nil, r.Quarantined, message))
		return
	}
	if r.Quarantined == 0 {
		a.write(http.StatusOK, []byte("{}"))
		return
	}
	body := append([]byte(`{"partialSuccess":{"rejectedLogRecords":"`), strconv.FormatInt(r.Quarantined, 10)...)
	body = appendJSONString(append(body, `","errorMessage":`...), message)
	a.write(http.StatusOK, append(body, "}}"...))
}

func (a answerer) later(status int, wait time.Duration, message string) {
	a.w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)))
	a.fail(status, message)
}

// fail answers with a google.rpc.Status. It ends the connection where more of the request
// may still come.
func (a answerer) fail(status int, message string) {
	a.w.Header().Set("Connection", "close")
	if a.binary {
		a.write(status, appendStatus(nil, message))
		return
	}
	var body bytes.Buffer
	body.WriteString(`{"message":`)
	body.Write(appendJSONString(nil, message))
	body.WriteByte('}')
	a.write(status, body.Bytes())
}

func (a answerer) write(status int, body []byte) {
	h := a.w.Header()
	h.Set("Content-Type", mediaJSON)
	if a.binary {
		h.Set("Content-Type", mediaProtobuf)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Content-Type-Options", "nosniff")
	a.w.WriteHeader(status)
	_, _ = a.w.Write(body)
}
