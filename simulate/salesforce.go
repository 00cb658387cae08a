package simulate

import (
	"strconv"
	"time"
)

// platformAddress stands in CLIENT_IP where Salesforce called itself.
const platformAddress = "Salesforce.com IP"

// LOGIN_STATUS values.
const (
	loginSuccess   = "LOGIN_NO_ERROR"
	loginPassword  = "LOGIN_ERROR_INVALID_PASSWORD"
	loginLockout   = "LOGIN_ERROR_PASSWORD_LOCKOUT"
	loginChallenge = "LOGIN_CHALLENGE_ISSUED"
	loginTwoFactor = "LOGIN_TWOFACTOR_REQ"
	loginUnknown   = "LOGIN_ERROR_UNKNOWN_ERROR"
)

// session is what a login opened: key is the session's, login the whole login's.
type session struct {
	key, login string
	address    string
	since      time.Time
}

func newSession(d dice, address string, since time.Time) session {
	return session{d.text(16, alphanumeric), d.text(16, alphanumeric), address, since}
}

// login is one row of the Login type.
type login struct {
	// user is empty when nobody has the name that was typed.
	user, name string
	session    session
	// kind is LOGIN_TYPE, subKind LOGIN_SUB_TYPE, client BROWSER_TYPE.
	kind, subKind, client string
	apiType, apiVersion   string
	status                string
}

// login writes a Login row. OAuth logins reach the login service through
// Salesforce itself, so only SOURCE_IP tells where they came from.
func (w *world) login(d dice, when time.Time, l login) {
	uri, clientIP, state, loginKey := "/index.jsp", l.session.address, "", l.session.login
	switch l.kind {
	case "i":
		uri, clientIP = "/services/oauth2/token", platformAddress
	case "R", "I":
		uri = "/services/Soap/u/" + l.apiVersion
	}
	if l.status != loginSuccess {
		state = "F"
		if l.status != loginChallenge && l.status != loginTwoFactor {
			loginKey = ""
		}
	}
	tls, cipher := "TLSv1.3", "TLS_AES_256_GCM_SHA384"
	if l.kind == "I" {
		tls, cipher = "TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384"
	}
	run := d.between(30, 240)
	w.exports.add(tableLogin, when, w.org, l.user,
		"REQUEST_ID", requestID(d), "RUN_TIME", strconv.Itoa(run), "CPU_TIME", strconv.Itoa(run/3),
		"URI", uri, "LOGIN_KEY", loginKey, "USER_TYPE", "Standard", "REQUEST_STATUS", state,
		"DB_TOTAL_TIME", strconv.Itoa(run*310_000+d.below(100_000)),
		"LOGIN_TYPE", l.kind, "LOGIN_SUB_TYPE", l.subKind, "BROWSER_TYPE", escapeBrowser(l.client),
		"API_TYPE", l.apiType, "API_VERSION", l.apiVersion, "USER_NAME", l.name,
		"TLS_PROTOCOL", tls, "CIPHER_SUITE", cipher,
		"CLIENT_IP", clientIP, "SOURCE_IP", l.session.address, "LOGIN_STATUS", l.status)
}

// call is one request to the REST API.
type call struct {
	method string
	// path follows "/services/data/v58.0/".
	path, entity, query string
	rows, fields        int
	// status 0 is 200.
	status    int
	exception string
	// version overrides the integration's own API version.
	version string
}

// rest writes a RestApi row and its repetition in ApiTotalUsage.
func (w *world) rest(in *integration, s session, when time.Time, c call) {
	d := in.dice
	if in.fails.holds(when) {
		in.failing(&c)
	}
	version, state := in.version, "S"
	if c.version != "" {
		version = c.version
	}
	if c.status == 0 {
		c.status = 200
	}
	if c.status >= 400 {
		state = "F"
	}
	run := 12 + c.rows/4 + d.below(60)
	request, response := 0, 180+c.rows*(60+c.fields*28)+d.below(200)
	if c.method == "POST" || c.method == "PATCH" {
		request = 220 + d.below(900)
	}
	id := requestID(d)
	w.exports.add(tableRestAPI, when, w.org, in.id,
		"REQUEST_ID", id, "RUN_TIME", strconv.Itoa(run), "CPU_TIME", strconv.Itoa(run*2/5),
		"URI", "/services/data/v"+version+"/"+c.path, "SESSION_KEY", s.key, "LOGIN_KEY", s.login,
		"USER_TYPE", "Standard", "REQUEST_STATUS", state, "DB_TOTAL_TIME", strconv.Itoa(run*620_000+d.below(90_000)),
		"METHOD", c.method, "MEDIA_TYPE", "application/json", "STATUS_CODE", strconv.Itoa(c.status), "USER_AGENT", "9999",
		"ROWS_PROCESSED", strconv.Itoa(c.rows), "NUMBER_FIELDS", strconv.Itoa(c.fields),
		"DB_BLOCKS", strconv.Itoa(c.rows*2+d.below(40)), "DB_CPU_TIME", strconv.Itoa(run/5),
		"REQUEST_SIZE", strconv.Itoa(request), "RESPONSE_SIZE", strconv.Itoa(response),
		"ENTITY_NAME", c.entity, "CONNECTED_APP_ID", in.app, "CLIENT_NAME", in.client,
		"EXCEPTION_MESSAGE", c.exception, "QUERY", c.query, "CLIENT_IP", s.address)
	w.usage(in, s, when, id, "REST", version, "/v"+version+"/"+c.path, c.method, c.entity, c.status)
}

// usage writes the ApiTotalUsage row of a call that another type logs as well.
func (w *world) usage(in *integration, s session, when time.Time, id, family, version, resource, method, entity string, status int) {
	w.carried(in, when, id, entity)
	w.exports.add(tableTotalUsage, when, w.org, in.id,
		"REQUEST_ID", id, "API_FAMILY", family, "API_VERSION", version, "API_RESOURCE", resource, "CLIENT_NAME", in.client,
		"HTTP_METHOD", method, "CLIENT_IP", s.address, "COUNTS_AGAINST_API_LIMIT", "1", "CONNECTED_APP_ID", in.app,
		"ENTITY_NAME", entity, "STATUS_CODE", strconv.Itoa(status), "CONNECTED_APP_NAME", in.name, "USER_NAME", in.username)
}

// requestID is the 22 characters that tie the rows of one request together.
func requestID(d dice) string { return d.text(21, alphanumeric) + "-" }

// escapeBrowser writes a user agent as the Login type does.
func escapeBrowser(agent string) string {
	escaped := make([]byte, 0, len(agent)+24)
	for _, c := range []byte(agent) {
		switch c {
		case '(', ')', ';', ',', ':', '%', '"':
			escaped = append(escaped, '%', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
		default:
			escaped = append(escaped, c)
		}
	}
	return string(escaped)
}
