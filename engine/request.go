package engine

import (
	"net/http"
	"net/url"
	"sort"
	"strings"
)

// request is one HTTP call in ClickHouse's terms.
type request struct {
	role       Role
	query      string // the query parameter
	id         string
	marker     string // names the request inside the engine
	database   string
	format     string // for the answer, unless the statement has a FORMAT clause
	settings   []parameter
	parameters []parameter
	// compressed and compressedBody are compress=1 and decompress=1: ClickHouse's own frames around answer and body.
	compressed, compressedBody bool
	waitEnd                    bool
	readonly                   bool // the method promises not to change anything
	protocol                   uint64
}

// notSettings are URL parameters with a meaning of their own; every other one is a setting for this query.
// Sessions are accepted and ignored: each request is its own session.
var notSettings = map[string]bool{
	"query": true, "database": true, "default_format": true, "user": true, "password": true, "query_id": true,
	"quota_key": true, "compress": true, "decompress": true, "session_id": true, "session_timeout": true,
	"session_check": true, "close_session": true, "stacktrace": true, "role": true, "buffer_size": true,
	"wait_end_of_query": true, "client_protocol_version": true,
}

// parseRequest reads everything but the body. Sessions, quotas and roles of the client's choice do not exist here.
func parseRequest(r *http.Request) (*request, error) {
	values, err := parseValues(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	get := func(name, header string) string {
		if value := values.Get(name); value != "" || header == "" {
			return value
		}
		return r.Header.Get(header)
	}
	q := &request{
		query:          values.Get("query"),
		id:             get("query_id", "X-ClickHouse-Query-Id"),
		database:       get("database", "X-ClickHouse-Database"),
		format:         get("default_format", "X-ClickHouse-Format"),
		compressed:     isTrue(values.Get("compress")),
		compressedBody: isTrue(values.Get("decompress")),
		waitEnd:        isTrue(values.Get("wait_end_of_query")),
		readonly:       r.Method == http.MethodGet || r.Method == http.MethodHead,
	}
	if q.format == "" {
		q.format = "TabSeparated"
	}
	for name := range values {
		value := values.Get(name)
		switch parameterName, isParameter := strings.CutPrefix(name, "param_"); {
		case isParameter:
			q.parameters = append(q.parameters, parameter{parameterName, value})
		case name == "client_protocol_version":
			for _, digit := range value {
				q.protocol = q.protocol*10 + uint64(digit-'0')
			}
		case !notSettings[name]:
			q.settings = append(q.settings, parameter{name, value})
		}
	}
	sort.Slice(q.settings, func(i, j int) bool { return q.settings[i].name < q.settings[j].name })
	return q, nil
}

// parseValues is url.ParseQuery, but a semicolon is data: SQL in the query parameter may carry one.
func parseValues(raw string) (url.Values, error) {
	values := url.Values{}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, errName := url.QueryUnescape(name)
		value, errValue := url.QueryUnescape(value)
		if errName != nil || errValue != nil {
			return nil, refuse(codeCannotParseText, "CANNOT_PARSE_TEXT", "Cannot decode the URL parameters of the request")
		}
		values.Add(name, value)
	}
	return values, nil
}

func isTrue(value string) bool { return value == "1" || strings.EqualFold(value, "true") }

// setting returns the request's value for a setting.
func (q *request) setting(name string) (string, bool) {
	for _, s := range q.settings {
		if s.name == name {
			return s.value, true
		}
	}
	return "", false
}

// isSettingName allows what can be written in a SET statement without quoting.
func isSettingName(name string) bool {
	for i := range len(name) {
		if c := name[i]; !isWordByte(c) && c != '.' || i == 0 && isDigit(c) {
			return false
		}
	}
	return name != ""
}
