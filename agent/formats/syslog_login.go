package formats

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// loginText is what a sentence about a login says. Its strings point into it.
type loginText struct {
	activity, status, action uint64
	user, target             string
	source, port             string
	method, credential       string
	detail                   string
	count                    string
	// text is the sentence without the credential.
	text string
}

// readLogin reads the sentences that sshd, PAM, su and sudo write about logins. Whoever
// logs in chooses the name, and may write anything into it: what the program itself
// writes is therefore looked for from the outside in.
func readLogin(app, s string) (l loginText, ok bool) {
	l.activity, l.text = schema.AuthLogon, s
	for _, prefix := range []string{"error: ", "fatal: "} {
		s = strings.TrimPrefix(s, prefix)
	}
	word, rest, _ := strings.Cut(s, " ")
	switch word {
	case "Accepted":
		l.status = schema.StatusSuccess
		return l, l.attempt(rest)
	case "Failed":
		l.status = schema.StatusFailure
		return l, l.attempt(rest)
	case "Postponed", "Partial": // a further proof is asked for
		l.status = schema.StatusOther
		return l, l.attempt(rest)
	case "Invalid": // the failed password is a message of its own
		l.status, l.detail = schema.StatusOther, "unknown user"
		rest, found := strings.CutPrefix(rest, "user ")
		return l, found && l.userFrom(rest)
	case "maximum":
		l.status, l.action, l.detail = schema.StatusFailure, schema.ActionDenied, "too many authentication attempts"
		rest, found := strings.CutPrefix(rest, "authentication attempts exceeded for ")
		return l, found && l.userFrom(rest)
	case "User":
		l.status, l.action = schema.StatusFailure, schema.ActionDenied
		at := strings.LastIndex(rest, " not allowed because ")
		if at < 0 {
			return l, false
		}
		l.detail = rest[at+1:]
		return l, l.userFrom(rest[:at])
	case "Disconnected", "Connection":
		return l, l.ending(word, rest)
	}
	switch {
	case strings.HasPrefix(s, "pam_"), strings.HasPrefix(s, "PAM "), strings.HasPrefix(s, "authentication failure;"):
		return l, l.pam(s)
	case app == "sudo":
		return l, l.sudo(s)
	case app == "su" || app == "su-l":
		return l, l.su(s)
	}
	return l, false
}

// attempt reads METHOD for [invalid user ]USER from ADDRESS port PORT ssh2[: KEY].
func (l *loginText) attempt(s string) bool {
	method, rest, _ := strings.Cut(s, " for ")
	if method == "" || strings.ContainsAny(method, " ") {
		return false
	}
	if !l.userFrom(rest) {
		return false
	}
	l.method = method
	return true
}

// userFrom reads [invalid user ]USER from ADDRESS[ port PORT[ PROTOCOL[: KEY]]].
func (l *loginText) userFrom(s string) bool {
	at := strings.LastIndex(s, " from ")
	if at < 0 {
		return false
	}
	l.user = s[:at]
	if user, unknown := strings.CutPrefix(l.user, "invalid user "); unknown {
		l.user = user
		if l.detail == "" {
			l.detail = "unknown user"
		}
	}
	source, rest, _ := strings.Cut(s[at+len(" from "):], " ")
	if source == "" {
		return false
	}
	l.source = source
	if port, found := strings.CutPrefix(rest, "port "); found {
		l.port, rest, _ = strings.Cut(port, " ")
	}
	// The key's fingerprint tells one key from another: it is the id of a credential.
	if _, key, found := strings.Cut(rest, ": "); found {
		if _, fingerprint, found := strings.Cut(key, " "); found {
			l.credential, _, _ = strings.Cut(fingerprint, " ")
			l.text = strings.TrimSuffix(strings.TrimSuffix(l.text, key), ": ")
		}
	}
	return true
}

// ending reads [from|by] [authenticating |invalid ]user USER ADDRESS port PORT.
func (l *loginText) ending(word, s string) bool {
	l.activity, l.status = schema.AuthLogoff, schema.StatusSuccess
	s = strings.TrimSuffix(s, " [preauth]")
	at := strings.LastIndex(s, " port ")
	if at < 0 {
		return false
	}
	l.port = s[at+len(" port "):]
	s = s[:at]
	if at = strings.LastIndexByte(s, ' '); at < 0 {
		return false
	}
	l.source = s[at+1:]
	s = s[:at]
	switch word {
	case "Disconnected":
		s = strings.TrimPrefix(s, "from ")
	default:
		if _, s, _ = strings.Cut(s, " by "); s == "" {
			return false
		}
	}
	for _, unfinished := range []string{"authenticating ", "invalid "} {
		if user, found := strings.CutPrefix(s, unfinished); found {
			s = user
			l.activity, l.status, l.detail = schema.AuthLogon, schema.StatusOther, "ended before the login was complete"
		}
	}
	user, found := strings.CutPrefix(s, "user ")
	l.user = user
	return found && isAddress(l.source)
}

// pam reads what PAM's modules write.
func (l *loginText) pam(s string) bool {
	head, rest, failed := strings.Cut(s, "authentication failure")
	if failed && strings.IndexByte(head, '=') < 0 {
		rest = strings.TrimPrefix(rest, "s")
		rest, found := strings.CutPrefix(rest, ";")
		if !found {
			return false
		}
		l.status = schema.StatusFailure
		if words := strings.Fields(head); len(words) == 3 && words[0] == "PAM" && words[2] == "more" {
			l.count = words[1]
		}
		if _, after, found := strings.Cut(rest, " rhost="); found {
			l.source, rest, _ = strings.Cut(after, " ")
			_, l.user, _ = strings.Cut(" "+rest, " user=")
		}
		return true
	}
	_, rest, found := strings.Cut(s, "): session ")
	if !found {
		return false
	}
	user, opened := strings.CutPrefix(rest, "opened for user ")
	if !opened {
		if user, found = strings.CutPrefix(rest, "closed for user "); !found {
			return false
		}
		l.activity = schema.AuthLogoff
	}
	user, _, _ = strings.Cut(user, " by ")
	user, _, _ = strings.Cut(user, "(uid=")
	l.user, l.status, l.method = user, schema.StatusSuccess, "session"
	return true
}

// sudo reads USER : [PROBLEM ;] TTY=... ; PWD=... ; USER=TARGET ; COMMAND=...
func (l *loginText) sudo(s string) bool {
	user, rest, found := strings.Cut(strings.TrimLeft(s, " "), " : ")
	_, target, switched := strings.Cut(rest, "; USER=")
	if !found || !switched || strings.IndexByte(user, ' ') >= 0 {
		return false
	}
	l.activity, l.status = schema.AuthAccountSwitch, schema.StatusSuccess
	l.user = user
	l.target, _, _ = strings.Cut(target, " ;")
	if problem, _, _ := strings.Cut(rest, " ;"); !strings.Contains(problem, "=") {
		l.status, l.detail = schema.StatusFailure, problem
	}
	return true
}

// su reads what the versions of su write.
func (l *loginText) su(s string) bool {
	l.activity, l.status = schema.AuthAccountSwitch, schema.StatusSuccess
	if rest, failed := strings.CutPrefix(strings.ToLower(s[:min(len(s), 10)]), "failed su "); failed {
		l.status, s = schema.StatusFailure, s[10-len(rest):]
	} else if rest, found := strings.CutPrefix(s, "Successful su "); found {
		s = rest
	}
	if rest, found := strings.CutPrefix(s, "for "); found {
		l.target, l.user, found = strings.Cut(rest, " by ")
		return found
	}
	rest, found := strings.CutPrefix(s, "(to ")
	if !found {
		return false
	}
	l.target, rest, found = strings.Cut(rest, ") ")
	l.user, _, _ = strings.Cut(rest, " on ")
	return found
}

// fill makes e the login that the sentence is about.
func (l *loginText) fill(e *schema.Event, known *addresses) {
	e.Number[schema.ClassUID], e.Number[schema.ActivityID] = schema.ClassAuthentication, l.activity
	e.Number[schema.StatusID], e.Number[schema.ActionID] = l.status, l.action
	e.Number[schema.SeverityID] = uint64(schema.SeverityInformational)
	if l.status == schema.StatusFailure {
		e.Number[schema.SeverityID] = uint64(schema.SeverityLow)
	}
	e.Text[schema.ActorUserName], e.Text[schema.UserName] = l.user, l.user
	if l.target != "" {
		e.Text[schema.UserName] = l.target
		e.Number[schema.AccountSwitchTypeID] = 1 // substitute user
	}
	if l.port != "" {
		setCount(e, schema.SrcEndpointPort, l.port)
	}
	setSource(e, known, l.source)
	e.Text[schema.SessionCredentialUID] = l.credential
	e.Text[schema.LogonSubType] = l.method
	e.Text[schema.StatusDetail] = l.detail
	e.AddUnmapped("count", l.count)
}
