package engine

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
	"unicode"
)

// Refusal is a request that was not answered because of who asked, or of what.
type Refusal struct {
	At time.Time `json:"at"`
	// Address is the caller's, empty for a unix socket.
	Address string `json:"address"`
	// User is the name that was claimed, or the role of somebody who is known. It is not to be trusted.
	User string `json:"user"`
	// Login says that the credential was wrong; otherwise the statement was one that the role may not run.
	Login bool `json:"login"`
	// Reason is the name of ClickHouse's error, such as AUTHENTICATION_FAILED.
	Reason string `json:"reason"`
	// Skipped counts the refusals before this one that could not be told.
	Skipped uint64 `json:"skipped,omitempty"`
}

// forbidden are the errors by which a statement is refused for the sake of the role.
var forbidden = map[int]string{codeReadonly: "READONLY", codeAccessDenied: "ACCESS_DENIED"}

// maxClaimed is how much of a claimed name is kept, in bytes.
const maxClaimed = 64

// refuseLogin tells that a credential was wrong.
func (s *server) refuseLogin(r *http.Request) {
	if s.options.OnRefused == nil {
		return
	}
	user, _, bearer := presented(r)
	switch {
	case bearer:
		user = "bearer token"
	case user == "":
		user = "default"
	}
	s.options.OnRefused(Refusal{At: time.Now().UTC(), Address: addressOf(r), User: claimed(user), Login: true, Reason: "AUTHENTICATION_FAILED"})
}

// refuseStatement tells that err refuses what a role may not do; other errors are not told.
func (s *server) refuseStatement(r *http.Request, role Role, err error) {
	var e *exception
	if s.options.OnRefused == nil || role == Admin || !errors.As(err, &e) || forbidden[e.code] == "" {
		return
	}
	s.options.OnRefused(Refusal{At: time.Now().UTC(), Address: addressOf(r), User: string(role), Reason: forbidden[e.code]})
}

func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || net.ParseIP(host) == nil {
		return ""
	}
	return host
}

// claimed is a name that somebody sent, short and printable.
func claimed(name string) string {
	name = strings.ToValidUTF8(name[:min(len(name), maxClaimed)], "?")
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, name)
}

// refusalQueue is how many refusals may wait for the parent process; what comes beyond is counted.
const refusalQueue = 256

// tellParent returns what passes refusals on to the parent process, without ever waiting for it.
func tellParent(file *os.File) func(Refusal) {
	queue := make(chan Refusal, refusalQueue)
	skipped := make(chan uint64, 1)
	skipped <- 0
	go func() {
		for refusal := range queue {
			line, _ := json.Marshal(report{Refused: &refusal}) // plain fields
			if _, err := file.Write(append(line, '\n')); err != nil {
				return // a parent that is gone needs no telling
			}
		}
	}()
	return func(r Refusal) {
		n := <-skipped
		r.Skipped = n
		select {
		case queue <- r:
			n = 0
		default:
			n++
		}
		skipped <- n
	}
}
