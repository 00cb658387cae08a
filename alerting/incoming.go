package alerting

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
	"github.com/slack-go/slack"
)

// IncomingWebhookOptions configure an IncomingWebhook. Name and URL are needed.
type IncomingWebhookOptions struct {
	Name string
	// URL is Slack's, https://hooks.slack.com/services/...; whoever has it can post, so it
	// is a secret and never shown. Plain http is taken for the loopback only.
	URL string
	// Runbook and NotSeen are those of SlackOptions.
	Runbook func(rule string) []string
	NotSeen func(entityType string) []string
	// HTTPClient is used as given, but without following redirects. The default has a
	// timeout of 15 s and TLS 1.2 or newer.
	HTTPClient *http.Client
}

// IncomingWebhook is the small alternative to the Slack notifier: it needs no app of
// one's own and no token, but it can only post. So an alert is one message, and what
// happens to it is another, instead of an update and a thread; nothing can be looked up,
// and there are no buttons.
type IncomingWebhook struct {
	options IncomingWebhookOptions
	client  *http.Client
}

// NewIncomingWebhook makes the notifier. It does not connect.
func NewIncomingWebhook(o IncomingWebhookOptions) (*IncomingWebhook, error) {
	if err := CheckPostURL(o.URL); err != nil {
		return nil, fmt.Errorf("configure incoming webhook %s: %w", o.Name, err)
	}
	return &IncomingWebhook{options: o, client: postClient(o.HTTPClient, slackTimeout)}, nil
}

// Name is the name of the configuration.
func (w *IncomingWebhook) Name() string { return w.options.Name }

// Pace is one second, as for every message in a channel.
func (w *IncomingWebhook) Pace() time.Duration { return slackPace }

// Post sends an alert.
func (w *IncomingWebhook) Post(ctx context.Context, a schema.Alert, repeat Repeat) (Receipt, error) {
	m := BuildMessage(a, MessageOptions{Runbook: w.options.Runbook, NotSeen: w.options.NotSeen, Repeat: repeat})
	return Receipt{Message: a.UID.String()}, w.send(ctx, m.Text, m.Blocks)
}

// Update does nothing: a message cannot be changed. What is worth telling comes by Reply.
func (w *IncomingWebhook) Update(context.Context, Receipt, schema.Alert, Repeat) error { return nil }

// Find fails: nothing can be looked up.
func (w *IncomingWebhook) Find(context.Context, schema.UID, time.Time) (Receipt, bool, error) {
	return Receipt{}, false, ErrCannotFind
}

// Reply posts what happened to an alert as a message of its own, which names it.
func (w *IncomingWebhook) Reply(ctx context.Context, _ Receipt, c Change, repeat Repeat) error {
	text := cut(c.Title, maxTitle) + "\n" + c.Text
	if label := repeatLabels[repeat]; label != "" {
		text = label + "\n" + text
	}
	return w.send(ctx, escape(text, maxFallback), []slack.Block{
		slack.NewSectionBlock(plainObject(text, maxSection), nil, nil),
		slack.NewContextBlock("", markdown("crmwatch · alert `"+c.Alert.String()+"`")),
	})
}

// FindReply fails: nothing can be looked up.
func (w *IncomingWebhook) FindReply(context.Context, Receipt, Change, time.Time) (bool, error) {
	return false, ErrCannotFind
}

func (w *IncomingWebhook) send(ctx context.Context, text string, blocks []slack.Block) error {
	body, err := json.Marshal(map[string]any{"text": text, "blocks": blocks, "unfurl_links": false, "unfurl_media": false})
	if err != nil {
		return fmt.Errorf("write message as JSON: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.options.URL, bytes.NewReader(body))
	if err != nil {
		return errors.New("post to Slack's incoming webhook: its URL cannot be used")
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := w.client.Do(request)
	if err = incomingError(response, err); err != nil {
		return fmt.Errorf("post to Slack's incoming webhook: %w", err)
	}
	return nil
}

// incomingError sorts what can go wrong by what is known about the message
// (docs.slack.dev, "Sending messages using incoming webhooks", Handling errors): the
// body of an answer is "ok" or the error's code.
func incomingError(response *http.Response, err error) error {
	if err != nil {
		// The error of net/http quotes the URL, which is a secret.
		if quoted := (*url.Error)(nil); errors.As(err, &quoted) {
			err = quoted.Err
		}
		if notSent(err) {
			return err
		}
		return fmt.Errorf("%w (%w)", ErrOutcomeUnknown, err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	code := strings.TrimSpace(string(text))
	if len(code) > 60 || strings.ContainsAny(code, "<> \n") || code == "" {
		code = fmt.Sprintf("HTTP %d", response.StatusCode)
	}
	switch status := response.StatusCode; {
	case status == http.StatusOK:
		return nil
	case status == http.StatusTooManyRequests:
		return &HoldError{After: retryAfter(response.Header.Get("Retry-After")), Err: errors.New("ratelimited")}
	case status >= 500 || status == http.StatusRequestTimeout:
		return fmt.Errorf("%w (HTTP %d)", ErrOutcomeUnknown, status)
	case status == http.StatusBadRequest:
		return &RefusedError{Code: code, Mend: "Slack does not take this message", ThisMessage: true}
	}
	return &RefusedError{Code: code, Mend: "Slack takes no messages at this address: make a new incoming webhook, and put its URL into url_file"}
}
