package fakeslack

import (
	"net/http"
	"strconv"
	"time"
)

// Fault is how one call goes wrong.
type Fault struct {
	status     int
	code       string
	retryAfter string
	// afterwards: the call is carried out before it goes wrong.
	afterwards bool
	drop       bool
	hang       bool
	until      <-chan struct{}
}

const dropped = "dropped"

// RateLimited answers 429 with Retry-After.
func RateLimited(after time.Duration) Fault {
	return Fault{status: http.StatusTooManyRequests, code: "ratelimited", retryAfter: strconv.Itoa(int(after.Seconds()))}
}

// RateLimitedWithoutHeader answers 429 without Retry-After.
func RateLimitedWithoutHeader() Fault {
	return Fault{status: http.StatusTooManyRequests, code: "ratelimited"}
}

// RateLimitedInBody answers 200 and {"ok":false,"error":"ratelimited"}.
func RateLimitedInBody() Fault { return Error("ratelimited") }

// Error answers 200 with an error code, such as invalid_auth.
func Error(code string) Fault { return Fault{status: http.StatusOK, code: code} }

// Status answers with an HTTP status and a page instead of JSON, as Slack does
// when it is down.
func Status(status int) Fault { return Fault{status: status} }

// AcceptThenDrop carries the call out and cuts the connection before the answer.
func AcceptThenDrop() Fault { return Fault{drop: true, afterwards: true} }

// AcceptThenStatus carries the call out and answers with an HTTP status.
func AcceptThenStatus(status int) Fault { return Fault{status: status, afterwards: true} }

// Drop cuts the connection without carrying the call out.
func Drop() Fault { return Fault{drop: true} }

// Hang answers nothing until the client goes away.
func Hang() Fault { return Fault{hang: true, drop: true} }

// AcceptThenHang carries the call out and then answers nothing until the client
// goes away.
func AcceptThenHang() Fault { return Fault{hang: true, drop: true, afterwards: true} }

// Slow carries the call out and answers it normally, but only once until is
// closed or the client has gone away.
func Slow(until <-chan struct{}) Fault { return Fault{until: until} }

// Script makes the next calls of a method go wrong, one fault a call; "" stands
// for every method.
func (s *Server) Script(method string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[method] = append(s.faults[method], faults...)
}

// Clear forgets the faults that have not happened yet.
func (s *Server) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.faults)
}

func (s *Server) nextFault(method string) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range []string{method, ""} {
		if list := s.faults[key]; len(list) > 0 {
			s.faults[key] = list[1:]
			return list[0], true
		}
	}
	return Fault{}, false
}

// answer carries a fault out and says how the call ended.
func (f Fault) answer(w http.ResponseWriter, r *http.Request) string {
	if f.hang {
		<-r.Context().Done()
	}
	if f.drop {
		return dropped
	}
	if f.retryAfter != "" {
		w.Header().Set("Retry-After", f.retryAfter)
	}
	if f.code != "" {
		writeReply(w, f.status, refuse(f.code))
		return f.code
	}
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(f.status)
	_, _ = w.Write([]byte("<html><body>Something went wrong</body></html>"))
	return "HTTP " + strconv.Itoa(f.status)
}
