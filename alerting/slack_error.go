package alerting

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/slack-go/slack"
)

// defaultHold is the wait after a rate limit that names none.
const defaultHold = 30 * time.Second

// maxHold bounds what a rate limit can ask for.
const maxHold = time.Hour

// postError sorts what can go wrong with chat.postMessage by what is known about
// the message. Only an answer that says so means "not posted"; after a server
// error, a timeout or a cut connection it may stand in the channel.
func postError(err error) error {
	if known := answered(err); known != nil {
		return known
	}
	if notSent(err) {
		return err
	}
	return fmt.Errorf("%w (%w)", ErrOutcomeUnknown, err)
}

// updateError is postError for chat.update, which can simply be sent again.
func updateError(err error) error {
	if known := answered(err); known != nil {
		return known
	}
	return err
}

// findError is updateError for reading; a refusal means that nothing can be found.
func findError(err error) error {
	if err == nil {
		return nil
	}
	known := answered(err)
	if refusal := (*RefusedError)(nil); errors.As(known, &refusal) {
		return fmt.Errorf("%w (%w)", ErrCannotFind, refusal)
	}
	if known != nil {
		return known
	}
	return err
}

// answered is the meaning of an answer that settles the matter, or nil.
func answered(err error) error {
	if limited := (*slack.RateLimitedError)(nil); errors.As(err, &limited) {
		return &HoldError{After: min(max(limited.RetryAfter, time.Second), maxHold), Err: errors.New("ratelimited")}
	}
	if malformed := (*strconv.NumError)(nil); errors.As(err, &malformed) {
		// slack-go parses one number outside the body: that of a 429's Retry-After.
		return &HoldError{After: defaultHold, Err: errors.New("ratelimited")}
	}
	if status := (slack.StatusCodeError{}); errors.As(err, &status) {
		switch {
		case status.Code == http.StatusTooManyRequests:
			return &HoldError{After: defaultHold, Err: errors.New("ratelimited")}
		case status.Code >= 300 && status.Code < 400:
			return &RefusedError{Code: fmt.Sprintf("HTTP %d", status.Code), Mend: "the API URL redirects elsewhere, and the token is not sent there: set api_url to the final address"}
		case status.Code < 500 && status.Code != http.StatusRequestTimeout:
			return &RefusedError{Code: fmt.Sprintf("HTTP %d", status.Code), Mend: "no Slack API answers at the API URL: set api_url to https://slack.com/api/ or check the proxy"}
		}
		return nil
	}
	if answer := (slack.SlackErrorResponse{}); errors.As(err, &answer) {
		switch answer.Err {
		case "ratelimited", "rate_limited", "message_limit_exceeded":
			return &HoldError{After: defaultHold, Err: errors.New("ratelimited")}
		case "internal_error", "fatal_error", "service_unavailable", "request_timeout":
			// Slack's documentation: part of the work may have been done.
			return nil
		case "message_not_found":
			return ErrMessageGone
		}
		r := refused(answer.Err)
		for _, detail := range answer.ResponseMetadata.Messages {
			r.Mend += "; Slack says: " + shown(detail, 200)
		}
		if answer.Needed != "" {
			r.Mend += "; needed: " + shown(answer.Needed, 200)
		}
		return r
	}
	return nil
}

// notSent says whether an error arose before the request could have left.
func notSent(err error) bool {
	if dial := (*net.OpError)(nil); errors.As(err, &dial) && dial.Op == "dial" {
		return true
	}
	if name := (*net.DNSError)(nil); errors.As(err, &name) {
		return true
	}
	certificate := (*tls.CertificateVerificationError)(nil)
	return errors.As(err, &certificate)
}

const badToken = "Slack does not take the token: install the app again, and put its new bot token (xoxb-...) into the token file"

// mends is what to do about Slack's error codes (docs.slack.dev, chat.postMessage).
var mends = map[string]string{
	"invalid_auth":            badToken,
	"not_authed":              badToken,
	"token_revoked":           badToken,
	"token_expired":           badToken,
	"account_inactive":        badToken,
	"missing_scope":           "the app lacks a permission: add the scopes chat:write, channels:history and channels:read (groups:... for a private channel), and files:write for summaries, and install it again",
	"channel_not_found":       "no such channel, or a private one that the app is not in: check the channel's id, and invite the app with /invite",
	"not_in_channel":          "the app is not in the channel: write /invite @crmwatch there",
	"is_archived":             "the channel is archived: unarchive it, or choose another",
	"restricted_action":       "a rule of the workspace keeps the app from posting there: ask its administrators, or choose another channel",
	"team_access_not_granted": "the app is not installed in the channel's workspace: install it there",
	"cant_update_message":     "the message belongs to another app or user: was the token changed for that of another app?",
	"edit_window_closed":      "the workspace does not let messages be edited any more after a while: allow it for apps",
}

// messageCodes are refusals of one message, which say nothing about the next.
var messageCodes = map[string]bool{
	"msg_too_long": true, "msg_blocks_too_long": true, "invalid_blocks": true, "invalid_blocks_format": true, "no_text": true,
	"invalid_metadata_format": true, "metadata_too_large": true, "cant_update_message": true, "edit_window_closed": true,
}

func refused(code string) *RefusedError {
	code = shown(code, 100)
	mend := mends[code]
	switch {
	case mend != "":
	case messageCodes[code]:
		mend = "Slack does not take this message; please report it"
	default:
		mend = "see https://docs.slack.dev/reference/methods/chat.postMessage#errors"
	}
	return &RefusedError{Code: code, Mend: mend, ThisMessage: messageCodes[code]}
}
