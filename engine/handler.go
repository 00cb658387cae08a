package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxQueryText bounds the text of a statement that carries no data, in bytes.
const maxQueryText = 16 << 20

// ServeHTTP is ClickHouse's HTTP interface.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setHeader(w, "X-ClickHouse-Server-Display-Name", s.identity.displayName)
	out := &response{server: s, writer: w, controller: http.NewResponseController(w)}
	out.expectBody()
	out.extendWriting()
	switch r.URL.Path {
	case "/ping", "/replicas_status":
		_, _ = io.WriteString(w, "Ok.\n")
		return
	case "/":
	default:
		http.Error(w, "There is no handle "+r.URL.Path, http.StatusNotFound)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodPost && r.Method != http.MethodHead {
		http.Error(w, "Only GET and POST are served", http.StatusMethodNotAllowed)
		return
	}
	if r.Method != http.MethodPost && r.URL.RawQuery == "" && r.Header.Get("Authorization") == "" {
		_, _ = io.WriteString(w, "Ok.\n")
		return
	}
	if err := s.serve(out, r); err != nil {
		out.fail(err)
	}
}

func (s *server) serve(out *response, r *http.Request) (err error) {
	role, err := s.guard.authenticate(r)
	if err != nil {
		s.refuseLogin(r)
		return err
	}
	defer func() {
		if err != nil {
			s.refuseStatement(r, role, err)
			out.drain(r.Body)
		}
	}()
	q, err := parseRequest(r)
	if err != nil {
		return err
	}
	q.role, q.marker = role, rand.Text()
	if q.id == "" {
		q.id = strings.ToLower(q.marker)
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return refuse(codeNotImplemented, "NOT_IMPLEMENTED", "External tables (multipart/form-data) are not supported by the embedded engine")
	}
	body, err := s.openBody(out, r, q)
	if err != nil {
		return err
	}
	defer body.Close()
	out.begin(r, q)

	statement, rest, err := readStatement(q.query, body)
	if err != nil {
		return err
	}
	if isHello(statement.text) && q.protocol > 0 {
		return s.hello(out, q)
	}
	if err := s.slots.acquire(r.Context()); err != nil {
		return err
	}
	defer s.slots.release()
	connection, err := s.session(q)
	if err != nil {
		return err
	}
	defer connection.close()
	defer s.killWhenDone(r.Context(), q)()
	if statement.second {
		return refuse(codeSyntaxError, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed)")
	}
	if statement.insert == insertInput {
		// chDB reads input() from the process's standard input and not from the statement's data.
		return refuse(codeNotImplemented, "NOT_IMPLEMENTED", "INSERT ... SELECT ... FROM input() is not supported by the embedded engine")
	}
	if err := permit(connection, q, statement); err != nil {
		return err
	}
	switch {
	case statement.insert == insertData && rest != nil:
		return s.insert(out, q, connection, statement, rest)
	default:
		return s.run(out, r.Context(), q, connection, statement)
	}
}

// fail answers with the error as ClickHouse does, or breaks the answer off where it has begun.
func (o *response) fail(err error) {
	var e *exception
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &e):
	case errors.As(err, &tooLarge):
		e = refuse(codeTooManyBytes, "TOO_MANY_BYTES", "The request body is larger than %d bytes", tooLarge.Limit)
	case errors.Is(err, context.Canceled):
		e = refuse(codeQueryWasCancelled, "QUERY_WAS_CANCELLED", "Query was cancelled")
	default:
		e = refuse(codeUnknownException, "UNKNOWN_EXCEPTION", "%s", err)
	}
	o.exception(e)
}

func (s *server) exceptionText(e *exception) string {
	return fmt.Sprintf("%s (version %s)\n", e.Error(), s.identity.version)
}
