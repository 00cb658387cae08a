package interaction

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"
)

// The paths of ServeHTTP.
const (
	InteractivePath = "/slack/interactive"
	CommandPath     = "/slack/command"
)

const (
	// maxAge is how far the time of a request may be from ours (docs.slack.dev,
	// Verifying requests from Slack).
	maxAge = 5 * time.Minute
	// maxBody is how long a request may be: a payload holds the whole message.
	maxBody = 1 << 20
)

// ServeHTTP takes requests that Slack has signed. It answers as soon as they are
// checked, whatever the database does.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != InteractivePath && r.URL.Path != CommandPath {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "POST only", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
		h.turnAway(w, http.StatusRequestEntityTooLarge, "it is too long")
		return
	}
	if err != nil {
		http.Error(w, "the body does not come", http.StatusBadRequest)
		return
	}
	signature, reason := h.checkSignature(r.Header.Get("X-Slack-Request-Timestamp"), r.Header.Get("X-Slack-Signature"), body)
	if reason != "" {
		h.turnAway(w, http.StatusUnauthorized, reason)
		return
	}
	// From here on it is Slack's own, or a copy of it.
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		h.turnAway(w, http.StatusUnsupportedMediaType, "it is no form")
		return
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		h.turnAway(w, http.StatusBadRequest, "its form cannot be read")
		return
	}
	became := h.seen.add(signature)
	switch {
	case became != taken:
	case values.Get("ssl_check") == "1":
		return // Slack looks whether the certificate is good.
	case r.URL.Path == CommandPath:
		became = h.command(commandOf(values))
	default:
		var c slack.InteractionCallback
		if err := json.Unmarshal([]byte(values.Get("payload")), &c); err != nil {
			h.turnAway(w, http.StatusBadRequest, "its payload cannot be read")
			return
		}
		became = h.press(c)
	}
	switch became {
	case repeated:
		h.turnAway(w, http.StatusConflict, "it has come before")
	case busy:
		h.seen.forget(signature)
		http.Error(w, "too much waits", http.StatusServiceUnavailable)
	}
}

// checkSignature says what is wrong with a request's signature; "" is that it is good.
// Of one that is good it returns the one spelling by which it is known.
func (h *Handler) checkSignature(timestamp, header string, body []byte) (signature, wrong string) {
	if h.options.SigningSecret == "" {
		return "", "there is no signing secret"
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return "", "it has no time"
	}
	mac := hmac.New(sha256.New, []byte(h.options.SigningSecret))
	mac.Write([]byte("v0:" + timestamp + ":"))
	mac.Write(body)
	want := mac.Sum(nil)
	text, known := strings.CutPrefix(header, "v0=")
	given, err := hex.DecodeString(text)
	// hmac.Equal takes as long for a wrong signature as for a good one.
	if !known || err != nil || !hmac.Equal(want, given) {
		return "", "its signature is wrong"
	}
	if age := h.options.Clock().Sub(time.Unix(seconds, 0)); age > maxAge || age < -maxAge {
		return "", "it is too old"
	}
	return "signature " + hex.EncodeToString(want), ""
}

// turnAway refuses a request, and logs it once a minute: anybody who reaches the port
// can cause it.
func (h *Handler) turnAway(w http.ResponseWriter, status int, reason string) {
	if n, due := h.refused.add(); due {
		h.options.Log.Warn("requests that should be Slack's are refused", "requests", n, "reason", reason)
	}
	http.Error(w, "refused", status)
}

// commandOf is the form of a slash command.
func commandOf(values url.Values) slack.SlashCommand {
	return slack.SlashCommand{
		TeamID: values.Get("team_id"), EnterpriseID: values.Get("enterprise_id"), IsEnterpriseInstall: values.Get("is_enterprise_install") == "true",
		ChannelID: values.Get("channel_id"), UserID: values.Get("user_id"), UserName: values.Get("user_name"),
		Command: values.Get("command"), Text: values.Get("text"), ResponseURL: values.Get("response_url"), TriggerID: values.Get("trigger_id"),
	}
}
