package interaction

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/slack-go/slack"
)

// answer tells the asker alone: a sentence, and a table or "".
func (h *Handler) answer(ctx context.Context, who asker, head, table string) {
	h.answerWith(ctx, who, head, table)
}

// answerWith is answer, with blocks of our own after it. The address that Slack gives for
// answers works wherever the person asked; without it, the app must be in the channel.
func (h *Handler) answerWith(ctx context.Context, who asker, head, table string, after ...slack.Block) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTime)
	defer cancel()
	blocks := append(alerting.AnswerBlocks(head, table), after...)
	err := errors.New("there is no address for answers")
	if h.isSlack(who.responseURL) {
		err = slack.PostWebhookCustomHTTPContext(ctx, who.responseURL, h.http, &slack.WebhookMessage{
			ResponseType: slack.ResponseTypeEphemeral, Text: answerText, Blocks: &slack.Blocks{BlockSet: blocks},
		})
	}
	if err != nil && who.channel != "" {
		_, err = h.api.PostEphemeralContext(ctx, who.channel, who.user, slack.MsgOptionText(answerText, false), slack.MsgOptionBlocks(blocks...),
			slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl(), slack.MsgOptionParse(false), slack.MsgOptionLinkNames(false))
	}
	if err != nil {
		h.options.Log.Warn("cannot answer somebody in Slack", "user", alerting.Harmless(who.user, maxID), "error", plainError(err))
	}
}

// answerText is what a notification shows of an answer. It holds nothing of a log.
const answerText = "crmwatch answers you"

// isSlack says whether an address for answers is one of Slack's: what is told there
// leaves the house.
func (h *Handler) isSlack(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User != nil {
		return false
	}
	if u.Scheme == "https" && (u.Host == "hooks.slack.com" || u.Host == "hooks.slack-gov.com") {
		return true
	}
	api, err := url.Parse(h.options.Slack.APIURL)
	return err == nil && api.Host != "" && u.Scheme == api.Scheme && u.Host == api.Host
}

// plainError is an error without the address that was called: that of an answer, and
// that of a connection, is as good as a password.
func plainError(err error) error {
	if inURL := (*url.Error)(nil); errors.As(err, &inURL) {
		return errors.New(strings.ToLower(inURL.Op) + ": " + alerting.Harmless(inURL.Err.Error(), maxError))
	}
	return errors.New(alerting.Harmless(err.Error(), maxError))
}

// maxError is how much of an error is logged, in characters.
const maxError = 300
