package alerting

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

const (
	webhookTimeout = 10 * time.Second
	// idempotencyHeader holds the alert's uid and version: a receiver that has taken
	// the two takes the same again for nothing new.
	idempotencyHeader = "Idempotency-Key"
	// signatureHeader holds "t=SECONDS,v1=HEX": the HMAC-SHA-256 of the time, a dot and
	// the body, under the secret.
	signatureHeader = "X-Crmwatch-Signature"
)

// WebhookOptions configure a Webhook. Name and URL are needed.
type WebhookOptions struct {
	Name string
	// URL is https, or http on the loopback. It may hold a secret, and is never shown.
	URL string
	// Header is one header line such as "Authorization: Bearer ...", or empty.
	Header string
	// Secret signs each request; empty signs none.
	Secret []byte
	// HTTPClient is used as given, but without following redirects. The default has a
	// timeout of 10 s and TLS 1.2 or newer.
	HTTPClient *http.Client
	// Clock is time.Now by default; it stamps signatures.
	Clock func() time.Time
}

// Webhook is the notifier that posts alerts as JSON to an address: a WebhookMessage
// for each alert and for each change of one. A request whose answer was lost is sent
// again under the same idempotency key.
type Webhook struct {
	options     WebhookOptions
	header, val string
	client      *http.Client
}

// WebhookMessage is what webhooks and files get. Fields are only ever added.
type WebhookMessage struct {
	// Schema is 1.
	Schema int `json:"schema"`
	// Event is alert.opened, alert.changed, digest or test.
	Event string `json:"event"`
	// Notifier is its name in the configuration.
	Notifier string `json:"notifier"`
	// Repeat is why the message may have come before: lost, deleted or nothing.
	Repeat string        `json:"repeat,omitempty"`
	Alert  AlertDocument `json:"alert"`
}

// NewWebhook makes a webhook notifier. It does not connect.
func NewWebhook(o WebhookOptions) (*Webhook, error) {
	if err := CheckPostURL(o.URL); err != nil {
		return nil, fmt.Errorf("configure webhook %s: %w", o.Name, err)
	}
	w := &Webhook{options: o, client: postClient(o.HTTPClient, webhookTimeout)}
	if w.options.Clock == nil {
		w.options.Clock = time.Now
	}
	if o.Header != "" {
		name, value, found := strings.Cut(o.Header, ":")
		w.header, w.val = strings.TrimSpace(name), strings.TrimSpace(value)
		if !found || w.header == "" || strings.ContainsAny(w.header, " \t") || strings.ContainsAny(o.Header, "\r\n") {
			return nil, fmt.Errorf("configure webhook %s: the header file must hold one line such as Authorization: Bearer TOKEN", o.Name)
		}
	}
	return w, nil
}

// CheckPostURL says whether an address may be posted to. The error does not show it.
func CheckPostURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || strings.ContainsAny(text, " \t\r\n") {
		return errors.New("the file must hold one URL, such as https://hooks.acme.example/crmwatch")
	}
	if u.User != nil {
		return errors.New("the URL must hold no user or password: put them into header_file")
	}
	if !keepsSecrets(u) {
		return errors.New("the URL is not https: what is sent would cross the network in clear")
	}
	return nil
}

// keepsSecrets says whether what is sent to u cannot be read on the way: it is https, or
// http to this machine.
func keepsSecrets(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	loopback := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	return u.Scheme == "https" || u.Scheme == "http" && loopback
}

// postClient follows no redirect, which would carry secrets elsewhere.
func postClient(client *http.Client, timeout time.Duration) *http.Client {
	own := http.Client{Timeout: timeout}
	if client != nil {
		own = *client
	} else {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		own.Transport = transport
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// Name is the name of the configuration.
func (w *Webhook) Name() string { return w.options.Name }

// Pace is zero: the receiver says itself when it takes no more.
func (w *Webhook) Pace() time.Duration { return 0 }

// Post sends an alert.
func (w *Webhook) Post(ctx context.Context, a schema.Alert, repeat Repeat) (Receipt, error) {
	return Receipt{Message: a.UID.String()}, w.send(ctx, "alert.opened", a, repeat)
}

// Update sends an alert that has changed.
func (w *Webhook) Update(ctx context.Context, _ Receipt, a schema.Alert, repeat Repeat) error {
	return w.send(ctx, "alert.changed", a, repeat)
}

// Find fails: a receiver is told, not asked.
func (w *Webhook) Find(context.Context, schema.UID, time.Time) (Receipt, bool, error) {
	return Receipt{}, false, ErrCannotFind
}

// documentOf is the message about an alert.
func documentOf(event, notifier string, a schema.Alert, repeat Repeat) WebhookMessage {
	if a.Status == schema.AlertDigest {
		event = "digest"
	}
	if isTrial(a) {
		event = "test"
	}
	return WebhookMessage{Schema: 1, Event: event, Notifier: notifier, Repeat: string(repeat), Alert: Document(a)}
}

func (w *Webhook) send(ctx context.Context, event string, a schema.Alert, repeat Repeat) error {
	body, err := json.Marshal(documentOf(event, w.options.Name, a, repeat))
	if err != nil {
		return fmt.Errorf("write alert %s as JSON: %w", a.UID, err)
	}
	return w.post(ctx, fmt.Sprintf("%s.%d", a.UID, a.Version), body)
}

// post sends a body under its idempotency key.
func (w *Webhook) post(ctx context.Context, key string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.options.URL, bytes.NewReader(body))
	if err != nil {
		return errors.New("post to webhook: its URL cannot be used")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "crmwatch")
	request.Header.Set(idempotencyHeader, key)
	if w.header != "" {
		request.Header.Set(w.header, w.val)
	}
	if len(w.options.Secret) > 0 {
		request.Header.Set(signatureHeader, Sign(w.options.Secret, w.options.Clock(), body))
	}
	if err := answerOf(w.client.Do(request)); err != nil {
		return fmt.Errorf("post to webhook: %w", err)
	}
	return nil
}

// Sign makes the value of the header X-Crmwatch-Signature. A receiver computes it
// anew from the time in it and the body, and refuses times that are minutes old.
func Sign(secret []byte, at time.Time, body []byte) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	return "t=" + stamp + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// answerOf sorts a receiver's answer by what may be done next. Every request can be
// sent again, because its key stays the same.
func answerOf(response *http.Response, err error) error {
	if err != nil {
		// The error of net/http quotes the URL, which may hold a secret.
		if quoted := (*url.Error)(nil); errors.As(err, &quoted) {
			err = quoted.Err
		}
		return err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
	status := fmt.Sprintf("HTTP %d", response.StatusCode)
	switch code := response.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code == http.StatusTooManyRequests:
		return &HoldError{After: retryAfter(response.Header.Get("Retry-After")), Err: errors.New(status)}
	case code >= 500 || code == http.StatusRequestTimeout:
		return errors.New("the receiver answers " + status)
	case code >= 300 && code < 400:
		return &RefusedError{Code: status, Mend: "the URL redirects elsewhere, and alerts are not sent there: put the final address into url_file"}
	case code == http.StatusBadRequest || code == http.StatusRequestEntityTooLarge || code == http.StatusUnprocessableEntity || code == http.StatusConflict:
		return &RefusedError{Code: status, Mend: "the receiver does not take this message: see docs/alerts.md for its fields", ThisMessage: true}
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return &RefusedError{Code: status, Mend: "the receiver does not know us: check url_file, header_file and secret_file"}
	}
	return &RefusedError{Code: status, Mend: "nothing takes messages at the URL: check url_file"}
}

func retryAfter(header string) time.Duration {
	seconds, err := strconv.Atoi(strings.TrimSpace(header))
	if err != nil || seconds < 0 {
		return defaultHold
	}
	return min(max(time.Duration(seconds)*time.Second, time.Second), maxHold)
}
