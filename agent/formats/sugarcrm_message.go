package formats

import (
	"bytes"
	"strings"
	"unsafe"

	"github.com/crmwatch/crmwatch/schema"
)

// sugarHeadSize is more than the head of a record has: a date, three brackets.
const sugarHeadSize = 256

// sugarHead is the beginning of a record. Its strings point into the line.
type sugarHead struct {
	date, pid, user, level string
	// message is where the message begins.
	message int
	ok      bool
}

// sugarLevels are the levels that SugarLogger and its PSR-3 channels write, cut to
// five letters, and their severities.
var sugarLevels = map[string]schema.Severity{
	"EMERG": schema.SeverityCritical, "ALERT": schema.SeverityCritical, "CRITI": schema.SeverityHigh,
	"FATAL": schema.SeverityHigh, "SECUR": schema.SeverityHigh, "ERROR": schema.SeverityMedium, "WARN": schema.SeverityLow, "WARNI": schema.SeverityLow,
	"NOTIC": schema.SeverityInformational, "INFO": schema.SeverityInformational, "DEBUG": schema.SeverityInformational, "DEPRE": schema.SeverityInformational,
}

// sugarHeadOf reads the beginning of a line; ok is false when the line begins no
// record. Whether the date can be read does not matter here.
func sugarHeadOf(line []byte) (h sugarHead) {
	marked := len(line)
	line = bytes.TrimPrefix(line, byteOrderMark) // where files were joined
	marked -= len(line)
	line = line[:min(len(line), sugarHeadSize-len(byteOrderMark))]
	if newline := bytes.IndexByte(line, '\n'); newline >= 0 {
		line = line[:newline]
	}
	s := unsafe.String(unsafe.SliceData(line), len(line))
	at := strings.Index(s, " [")
	if at < 4 || at > 64 || !strings.ContainsAny(s[:at], "0123456789") {
		return h
	}
	h.date = s[:at]
	rest := s[at+2:]
	var found bool
	if h.pid, rest, found = strings.Cut(rest, "]["); !found || h.pid == "" || len(h.pid) > 10 || strings.Trim(h.pid, "0123456789") != "" {
		return h
	}
	if h.user, rest, found = strings.Cut(rest, "]["); !found || len(h.user) > 100 || strings.ContainsAny(h.user, "[]") {
		return h
	}
	if h.level, rest, found = strings.Cut(rest, "]"); !found || len(h.level) != 5 || rest != "" && rest[0] != ' ' && rest[0] != '\r' {
		return h
	}
	h.level = strings.TrimRight(h.level, " ")
	if _, h.ok = sugarLevels[h.level]; !h.ok {
		return h
	}
	h.message = marked + len(s) - len(rest) + min(len(rest), 1)
	return h
}

// message reads what a record says. Failed logins are told by the sentences that
// the authentication classes write; all else is an error of the application.
func (l *sugarLogFile) message(e *schema.Event, head sugarHead, message string) {
	message = strings.TrimSpace(message)
	e.Text[schema.Message] = message
	if what, found := strings.CutPrefix(message, "FAILED LOGIN:"); found {
		l.failedLogin(e, head, strings.TrimSpace(what))
		return
	}
	e.Number[schema.ClassUID], e.Number[schema.ActivityID] = schema.ClassApplicationError, schema.ActivityOther
	e.Number[schema.SeverityID] = uint64(sugarLevels[head.level])
	switch head.level {
	case "FATAL", "ERROR", "CRITI", "ALERT", "EMERG":
		e.Number[schema.ActivityID] = generalError
		e.Number[schema.StatusID] = schema.StatusFailure
	}
	if reason := sugarRefusal(message); reason != "" {
		e.Number[schema.ClassUID], e.Number[schema.ActivityID] = schema.ClassAPIActivity, schema.ActivityOther
		e.Number[schema.StatusID], e.Number[schema.ActionID] = schema.StatusFailure, schema.ActionDenied
		e.Number[schema.SeverityID] = uint64(schema.SeverityLow)
		e.Text[schema.StatusCode] = reason
		return
	}
	if _, rest, found := strings.Cut(message, "MySQL error "); found {
		end := 0
		for end < len(rest) && end < 6 && rest[end]-'0' < 10 {
			end++
		}
		e.Text[schema.StatusCode] = rest[:end]
	}
}

// sugarRefusals are what a caller without a valid session or token is told. The
// wording differs between versions and is not documented.
var sugarRefusals = []string{"invalid_grant", "need_login", "invalid session", "invalid oauth", "invalid access token", "invalid token", "invalid refresh token", "invalid login"}

// sugarRefusal is the code for a message that says that a session or token was not
// accepted, "" for others.
func sugarRefusal(message string) string {
	line, _, _ := strings.Cut(message, "\n")
	line = strings.ToLower(line[:min(len(line), maxMemoKey)])
	if strings.HasPrefix(line, "query failed") {
		return "" // whatever the data in it says
	}
	for _, words := range sugarRefusals {
		if strings.Contains(line, words) {
			return strings.ReplaceAll(words, " ", "_")
		}
	}
	return ""
}

// failedLogin reads what stands behind "FAILED LOGIN:". Whoever tries to log in
// chooses the name, and so may write brackets and commas into it: what Sugar itself
// wrote stands before it, and the name is all the rest.
//
//	attempts[3], ip[203.0.113.77], username[jsmith]
//	attempts[3] - jsmith
//	jsmith
//	potential hack attempt
func (l *sugarLogFile) failedLogin(e *schema.Event, head sugarHead, what string) {
	e.Text[schema.MetadataEventCode] = "FAILED LOGIN"
	e.AddUnmapped("level", head.level)
	e.Number[schema.ClassUID], e.Number[schema.ActivityID] = schema.ClassAuthentication, schema.AuthLogon
	e.Number[schema.StatusID] = schema.StatusFailure
	// Sugar writes every failed login as FATAL; one alone is not.
	e.Number[schema.SeverityID] = uint64(schema.SeverityLow)
	if what == "potential hack attempt" {
		e.Number[schema.SeverityID] = uint64(schema.SeverityMedium)
		e.Number[schema.ActionID] = schema.ActionDenied
		e.Text[schema.StatusDetail] = what
		return
	}
	name := what
	if rest, found := strings.CutPrefix(what, "attempts["); found {
		attempts, rest, closed := strings.Cut(rest, "]")
		if closed && attempts != "" && len(attempts) < 10 && strings.Trim(attempts, "0123456789") == "" {
			e.AddUnmapped("attempts", attempts)
			name = l.loginName(e, rest)
		}
	}
	e.Text[schema.UserName], e.Text[schema.ActorUserName] = name, name
}

// loginName reads what stands behind the number of attempts.
func (l *sugarLogFile) loginName(e *schema.Event, rest string) string {
	if name, found := strings.CutPrefix(rest, " - "); found {
		return name
	}
	address, found := strings.CutPrefix(rest, ", ip[")
	if !found {
		return strings.TrimLeft(rest, ", ")
	}
	address, name, found := strings.Cut(address, "], username[")
	if !found {
		e.AddUnmapped("ip", strings.TrimSuffix(address, "]"))
		return ""
	}
	if address = strings.TrimSpace(address); isAddressList(address) && strings.IndexByte(address, ',') > 0 {
		e.Text[schema.HTTPRequestXForwardedFor] = address
		address, _, _ = strings.Cut(address, ",")
	}
	setSource(e, &l.addresses, address)
	return strings.TrimSuffix(name, "]")
}
