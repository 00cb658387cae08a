package formats

import (
	"math"
	"net/netip"
	"strconv"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// Dispositions of OCSF's security_control profile that gateways give.
const dispositionRejected = 25

// setStatus fills in the response code and what it says about success. A code that
// is no code ("-", "000") and 499, where the client hung up, leave it unknown.
func setStatus(e *schema.Event, text string) {
	code, ok := smallNumber(text)
	if !ok || code < 100 || code > 999 {
		return
	}
	e.Text[schema.StatusCode] = text
	e.Number[schema.HTTPResponseCode] = uint64(code)
	switch {
	case code == 499:
	case code >= 200 && code < 400:
		e.Number[schema.StatusID] = schema.StatusSuccess
	case code >= 400:
		e.Number[schema.StatusID] = schema.StatusFailure
	}
	switch code {
	case 401, 403:
		e.Number[schema.ActionID] = schema.ActionDenied
	case 429:
		e.Number[schema.DispositionID] = dispositionRejected
		e.Number[schema.IsRateLimited] = 1
	}
}

// activityOfMethod is a method's activity_id in OCSF 4002 HTTP Activity and 6003 API
// Activity; zeros for a method that OCSF does not know. It is a switch because every
// request asks it.
func activityOfMethod(method string) (activity struct{ http, api uint64 }) {
	switch method {
	case "CONNECT":
		activity.http, activity.api = 1, schema.ActivityOther
	case "DELETE":
		activity.http, activity.api = 2, schema.APIDelete
	case "GET":
		activity.http, activity.api = 3, schema.APIRead
	case "HEAD":
		activity.http, activity.api = 4, schema.APIRead
	case "OPTIONS":
		activity.http, activity.api = 5, schema.APIRead
	case "POST":
		activity.http, activity.api = 6, schema.APICreate
	case "PUT":
		activity.http, activity.api = 7, schema.APIUpdate
	case "TRACE":
		activity.http, activity.api = 8, schema.ActivityOther
	case "PATCH":
		activity.http, activity.api = 9, schema.APIUpdate
	}
	return activity
}

// setClass makes the event an API activity when it is known who called, and an
// HTTP activity otherwise. It comes last, when all else is filled in.
func setClass(e *schema.Event) {
	activity := activityOfMethod(e.Text[schema.HTTPRequestMethod])
	if activity.http == 0 && e.Text[schema.HTTPRequestMethod] != "" {
		activity.http, activity.api = schema.ActivityOther, schema.ActivityOther
	}
	e.Number[schema.SeverityID] = uint64(schema.SeverityInformational)
	if e.Text[schema.ActorUserName] != "" || e.Text[schema.ActorUserUID] != "" || e.Text[schema.SessionCredentialUID] != "" {
		e.Number[schema.ClassUID], e.Number[schema.ActivityID] = schema.ClassAPIActivity, activity.api
	} else {
		e.Number[schema.ClassUID], e.Number[schema.ActivityID] = schema.ClassHTTPActivity, activity.http
	}
}

// setRequestLine fills in method, URL and version from a request's first line. A
// client can send anything there; what is no request line is kept as it stands.
func setRequestLine(e *schema.Event, request string) {
	method, rest, ok := strings.Cut(request, " ")
	if !ok || !isMethod(method) {
		e.AddUnmapped("request", request)
		return
	}
	if at := strings.LastIndexByte(rest, ' '); at >= 0 && strings.HasPrefix(rest[at+1:], "HTTP/") {
		setHTTPVersion(e, rest[at+1:])
		rest = rest[:at]
	}
	e.Text[schema.HTTPRequestMethod] = method
	setURL(e, rest)
}

// setHTTPVersion fills in 1.1 from HTTP/1.1.
func setHTTPVersion(e *schema.Event, protocol string) {
	e.Text[schema.HTTPRequestVersion] = strings.TrimPrefix(protocol, "HTTP/")
}

// isMethod says whether s is written as HTTP methods are: a few capital letters.
func isMethod(s string) bool {
	if len(s) < 3 || len(s) > 20 {
		return false
	}
	for i := range len(s) {
		if s[i]-'A' >= 26 && s[i] != '-' && s[i] != '_' {
			return false
		}
	}
	return true
}

// setURL splits a request target into path and query, and keeps the host of a
// target that has one.
func setURL(e *schema.Event, target string) {
	if host, path, ok := cutScheme(target); ok {
		e.Text[schema.DstEndpointHostname] = hostOnly(host)
		target = path
	}
	path, query, _ := strings.Cut(target, "?")
	e.Text[schema.HTTPRequestURLPath] = path
	e.Text[schema.HTTPRequestURLQuery] = query
}

// cutScheme splits http://host:port/path into host:port and /path.
func cutScheme(url string) (host, path string, ok bool) {
	if len(url) == 0 || url[0]|0x20 != 'h' {
		return "", "", false
	}
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
		return "", "", false
	}
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		return rest, "", true
	}
	return rest[:end], rest[end:], true
}

// hostOnly is host:port without its port and without a user.
func hostOnly(host string) string {
	host = host[strings.LastIndexByte(host, '@')+1:]
	if at := strings.LastIndexByte(host, ':'); at > 0 && strings.IndexByte(host[at:], ']') < 0 {
		host = host[:at]
	}
	return host
}

// setSource fills in who called: an address, or a name where the log resolves them.
func setSource(e *schema.Event, known *addresses, raw string) {
	if raw != "" && raw != "-" && !known.set(e, raw) {
		e.Text[schema.SrcEndpointName] = raw
	}
}

// isAddressList says whether s is one or more IP addresses with commas between, as
// X-Forwarded-For has them.
func isAddressList(s string) bool {
	if s == "" || hexDigit(s[0]) > 15 && s[0] != ':' && s[0] != '[' {
		return false
	}
	first, _, _ := strings.Cut(s, ",")
	first = strings.TrimSpace(first)
	if _, err := netip.ParseAddr(first); err == nil {
		return true
	}
	_, err := netip.ParseAddrPort(first)
	return err == nil
}

// setTLS fills in 1.3 from TLSv1.3.
func setTLS(e *schema.Event, version, cipher string) {
	version = strings.TrimPrefix(version, "TLSv")
	if version == "1" {
		version = "1.0"
	}
	e.Text[schema.TLSVersion] = present(version)
	e.Text[schema.TLSCipher] = present(cipher)
}

// present is s, or "" where s is the dash that stands for nothing.
func present(s string) string {
	if s == "-" {
		return ""
	}
	return s
}

// setCount fills in a number of bytes.
func setCount(e *schema.Event, column schema.Number, text string) {
	if text == "" {
		return
	}
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		e.Number[column] = n
	} else if f, err := strconv.ParseFloat(text, 64); err == nil && f >= 0 && f < math.MaxInt64 {
		e.Number[column] = uint64(f)
	}
}

// setDuration fills in the duration from a number of units of unit milliseconds. A
// list of numbers, one for each server that was tried, counts as their sum.
func setDuration(e *schema.Event, text string, unit float64) {
	total, found := 0.0, false
	for text != "" {
		end := 0
		for end < len(text) && isBare(text[end]) {
			end++
		}
		if f, err := strconv.ParseFloat(text[:end], 64); err == nil && f >= 0 && f < math.MaxInt32 {
			total, found = total+f, true
		}
		text = strings.TrimLeft(text[end:], " ,:")
		if end == 0 && text != "" && !isBare(text[0]) {
			break
		}
	}
	if ms := math.Round(total * unit); found && ms < math.MaxUint32 {
		e.Number[schema.Duration] = uint64(ms)
	}
}

// smallNumber reads a whole number of one to three digits.
func smallNumber(s string) (n int, ok bool) {
	if s == "" || len(s) > 3 {
		return 0, false
	}
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}

// isSecretHeader says whether an HTTP header or a cookie, named in lower case,
// gives its holder access, so that no column may have it.
func isSecretHeader(name string) bool {
	for _, word := range []string{"authoriz", "cookie", "password", "passwd", "secret", "token", "apikey", "api-key", "api_key", "access-key", "access_key", "signature", "assertion", "jwt", "session-id", "sessionid"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return name == "key" || name == "auth" || name == "x-auth"
}

// isKeyName says whether a header or parameter, named in lower case, holds an API
// key: the names that key authentication plugins use.
func isKeyName(name string) bool {
	switch name {
	case "apikey", "api-key", "api_key", "x-api-key", "x_api_key", "x-apikey", "key":
		return true
	}
	return false
}
