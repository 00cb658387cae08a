package formats

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// readStatus deals with the fields that tell how a request ended.
func (r *salesforceReader) readStatus(c *salesforceColumn, value string) {
	e, o := r.event, &r.outcome
	switch c.kind {
	case readHTTPStatus:
		code, ok := parseCount(value)
		if !ok || code > 999 {
			r.text(schema.StatusCode, c.name, value)
			return
		}
		e.Number[schema.HTTPResponseCode] = code
		r.text(schema.StatusCode, c.name, value)
		switch {
		case code >= 400:
			o.failed = true
			o.denied = o.denied || code == 401 || code == 403
			o.limited = o.limited || code == 429
		case code >= 100:
			o.succeeded = true
		}
	case readLoginStatus:
		r.text(schema.StatusCode, c.name, value)
		r.login(*r.statuses.get(value, loginStatusOf))
	case readRequestStatus:
		r.requestStatus(c.name, value)
	case readJobStatus:
		r.text(schema.StatusCode, c.name, value)
		switch strings.ToLower(value) {
		case "jobcomplete", "completed", "complete", "success":
			o.succeeded = true
		case "failed", "failure", "error":
			o.failed = true
		default:
			o.other = true
		}
	case readPolicyResult:
		r.text(schema.StatusCode, c.name, value)
	case readSuccess:
		if good, ok := parseFlag(value); !ok {
			e.AddUnmapped(c.name, value)
		} else {
			o.succeeded, o.failed = o.succeeded || good, o.failed || !good
		}
	case readLoginResult:
		r.loginResult(c.name, value)
	case readError:
		o.failed = true
		r.message(c.name, value)
	case readMessage:
		// The text comes with an explicit SUCCESS, or after a failure.
		o.failed = o.failed || !o.succeeded
		r.message(c.name, value)
	}
}

func (r *salesforceReader) message(name, value string) {
	r.text(schema.StatusDetail, name, value)
	if strings.Contains(value, "REQUEST_LIMIT_EXCEEDED") {
		r.outcome.limited = true
	}
}

// requestStatus reads REQUEST_STATUS: S success, F failure, A authorization error,
// R redirect, N not found, U undefined; some files spell the words out.
func (r *salesforceReader) requestStatus(name, value string) {
	o := &r.outcome
	if o.login {
		if value != "S" {
			r.event.AddUnmapped(name, value)
		}
		return
	}
	switch value {
	case "S", "Success", "success":
		o.succeeded = true
		if r.event.Text[schema.StatusCode] != "" {
			return // the other status says more
		}
	case "R", "Redirect":
		o.succeeded = true
	case "A":
		o.failed, o.denied = true, true
	case "F", "Failure", "failure", "Fail", "N":
		o.failed = true
	}
	r.text(schema.StatusCode, name, value)
}

// login takes over what a LOGIN_STATUS means.
func (r *salesforceReader) login(status loginStatus) {
	e, o := r.event, &r.outcome
	switch status.status {
	case schema.StatusSuccess:
		o.succeeded = true
	case schema.StatusFailure:
		o.failed = true
	default:
		o.other = true
	}
	o.login = true
	o.denied = o.denied || status.denied
	o.limited = o.limited || status.limited
	e.Number[schema.SeverityID] = uint64(status.severity)
	if e.Text[schema.StatusDetail] == "" {
		e.Text[schema.StatusDetail] = status.sentence
	}
}
