package fakeslack

import (
	"encoding/json"
	"io"
	"maps"
	"mime"
	"net/http"
	"strings"
)

const maxBody = 1 << 20

// readArguments reads a call's arguments and its token. Slack takes the token in
// the Authorization header, or as an argument of a form, but not inside JSON.
func readArguments(r *http.Request) (arguments map[string]string, token, problem string) {
	arguments = map[string]string{}
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		token = bearer
	}
	for name, values := range r.URL.Query() {
		arguments[name] = values[0]
	}
	// The token in an address ends up in logs: Slack refuses it, and so do we.
	if _, leaked := arguments["token"]; leaked {
		delete(arguments, "token")
		return arguments, "", "not_allowed_token_type"
	}
	if r.Method != http.MethodPost {
		return arguments, token, ""
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return arguments, token, "invalid_post_type"
	}
	r.Body = http.MaxBytesReader(nil, r.Body, maxBody)
	switch kind {
	case "application/x-www-form-urlencoded":
		if err := r.ParseForm(); err != nil {
			return arguments, token, "invalid_form_data"
		}
		for name, values := range r.PostForm {
			arguments[name] = values[0]
		}
		if token == "" {
			token = arguments["token"]
		}
		delete(arguments, "token")
	case "application/json":
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return arguments, token, "request_timeout"
		}
		if len(body) == 0 {
			break // a call without arguments
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal(body, &object); err != nil {
			return arguments, token, "invalid_json"
		}
		maps.Copy(arguments, flatten(object))
	default:
		return arguments, token, "invalid_post_type"
	}
	return arguments, token, ""
}

// flatten brings JSON arguments into the form that they have in a form: strings
// as they are, everything else as JSON text.
func flatten(object map[string]json.RawMessage) map[string]string {
	arguments := map[string]string{}
	for name, raw := range object {
		var text string
		if json.Unmarshal(raw, &text) == nil {
			arguments[name] = text
			continue
		}
		if string(raw) != "null" {
			arguments[name] = string(raw)
		}
	}
	return arguments
}

func writeReply(w http.ResponseWriter, status int, reply map[string]any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(reply)
}
