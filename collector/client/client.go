// Package client ships deliveries to a collector.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/crmwatch/crmwatch/schema"
)

// Options say where a collector is and how it knows this agent. A token, a client
// certificate, or both.
type Options struct {
	URL               string
	TokenFile         string
	CAFile            string
	CertFile, KeyFile string
	ServerName        string
	Log               *slog.Logger
	// FirstWait and LongestWait bound the pause between tries; 0 means half a second and
	// half a minute. Watchdog ends a request that does not come back; 0 means two minutes.
	FirstWait, LongestWait, Watchdog time.Duration
}

// Client sends one delivery at a time.
type Client struct {
	Options
	endpoint string
	http     *http.Client

	mu      sync.Mutex
	trouble string
	warned  time.Time
}

// CheckURL says what is wrong with a collector's address.
func CheckURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil {
		return errors.New("the collector's address is none: write a URL such as https://collector.acme.example:8443")
	}
	ip := net.ParseIP(u.Hostname())
	loopback := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback) {
		return fmt.Errorf("the collector's address %s is not https: the token and the events would cross the network in clear", address)
	}
	return nil
}

// New checks the options. Nothing is sent yet.
func New(o Options) (*Client, error) {
	if err := CheckURL(o.URL); err != nil {
		return nil, err
	}
	if o.TokenFile == "" && o.CertFile == "" {
		return nil, errors.New("the collector will not know this agent: name ship.token_file, or ship.cert_file and ship.key_file")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Client{Options: o, endpoint: strings.TrimRight(o.URL, "/") + "/v1/deliveries"}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: o.ServerName}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read CA file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("CA file %s holds no certificate in PEM form", o.CAFile)
		}
	}
	if o.CertFile != "" {
		if _, err := loadPair(o.CertFile, o.KeyFile); err != nil {
			return nil, err
		}
		// Read at every handshake: a renewed certificate needs no restart.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := loadPair(o.CertFile, o.KeyFile)
			if err == nil {
				c.noteExpiry(pair)
			}
			return pair, err
		}
	}
	transport := &http.Transport{
		TLSClientConfig: config, Proxy: http.ProxyFromEnvironment, MaxConnsPerHost: 2,
		TLSHandshakeTimeout: 15 * time.Second, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10,
		DialContext: (&net.Dialer{Timeout: 15 * time.Second}).DialContext, DisableCompression: true,
	}
	c.http = &http.Client{
		Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("the collector redirects, which is not followed")
		},
	}
	return c, nil
}

// Close gives the connections free.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// noteExpiry says once a day that the client certificate ends soon.
func (c *Client) noteExpiry(pair *tls.Certificate) {
	const soon = 30 * 24 * time.Hour
	now := time.Now()
	if pair.Leaf == nil || pair.Leaf.NotAfter.Sub(now) > soon {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.warned) < 24*time.Hour {
		return
	}
	c.warned = now
	c.Log.Warn("the certificate of this agent ends soon: renew it", "file", c.CertFile, "until", pair.Leaf.NotAfter.UTC().Format(time.DateOnly))
}

func loadPair(cert, key string) (*tls.Certificate, error) {
	info, err := os.Stat(key)
	if err != nil {
		return nil, fmt.Errorf("read client key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("client key %s has mode %04o: run: chmod 600 %s", key, info.Mode().Perm(), key)
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("read client certificate %s: %w", cert, err)
	}
	return &pair, nil
}

// Send sends the same bytes until the collector has them in its database. Nothing
// makes it give up but ctx: what an operator has to mend is logged and tried again.
func (c *Client) Send(ctx context.Context, d schema.Delivery) error {
	body, err := d.AppendTo(nil)
	if err != nil {
		return err
	}
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = 500*time.Millisecond, 30*time.Second
	if c.FirstWait > 0 {
		wait.InitialInterval = c.FirstWait
	}
	if c.LongestWait > 0 {
		wait.MaxInterval = c.LongestWait
	}
	_, err = backoff.Retry(ctx, func() (struct{}, error) {
		err := c.try(ctx, body)
		c.note(err)
		return struct{}{}, err
	}, backoff.WithBackOff(wait), backoff.WithMaxElapsedTime(0))
	if err != nil {
		return fmt.Errorf("ship to collector: %w", err)
	}
	return nil
}

// refusal is an answer other than yes.
type refusal struct {
	status int
	code   string
	detail string
}

func (r *refusal) Error() string {
	return fmt.Sprintf("the collector answers %d %s: %s", r.status, r.code, r.detail)
}

func (c *Client) try(ctx context.Context, body []byte) error {
	watchdog := c.Watchdog
	if watchdog == 0 {
		watchdog = 2 * time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, watchdog)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-crmwatch-delivery")
	if c.TokenFile != "" {
		token, err := readToken(c.TokenFile)
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("read the collector's answer: %w", err)
	}
	var answer struct {
		Status, Error, Detail string
	}
	if json.Unmarshal(text, &answer) != nil {
		answer.Error = "with something that is no answer of a collector"
	}
	if response.StatusCode == http.StatusOK && (answer.Status == "stored" || answer.Status == "duplicate") {
		return nil
	}
	r := &refusal{response.StatusCode, answer.Error, answer.Detail}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 && seconds <= 300 {
		return errors.Join(r, backoff.RetryAfter(seconds))
	}
	return r
}

// readToken reads the token anew each time, so that a rotated one needs no restart.
func readToken(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("token file %s has mode %04o: run: chmod 600 %s", path, info.Mode().Perm(), path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// note logs when shipping begins to fail, fails for another reason, and works again.
func (c *Client) note(err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	kind, mend := "", ""
	var r *refusal
	switch {
	case err == nil:
	case errors.As(err, &r):
		kind, mend = fmt.Sprintf("%d %s", r.status, r.code), mends[r.status]
	default:
		kind, mend = "network", "check that the collector runs, can be reached, and has a certificate of the CA in ship.ca_file"
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if kind == c.trouble {
		return
	}
	c.trouble = kind
	if err == nil {
		c.Log.Info("shipping works again")
		return
	}
	text := err.Error()
	c.Log.Warn("shipping fails and is tried again until it works; nothing is lost", "kind", kind, "mend", mend, "error", text[:min(len(text), 300)])
}

var mends = map[int]string{
	400: "agent and collector are of versions that do not fit",
	401: "enroll this agent and put its token into ship.token_file, or renew its certificate: it has expired or was revoked",
	403: "this agent's state folder was used by an agent of another name: give each its own",
	409: "two agents have the same state folder, such as a cloned machine or a restored backup: remove the agent folder of the copy",
	413: "raise the collector's limits",
	422: "agent and collector are of versions that do not fit, the tables are not as crmwatch made them, or the collector knows no region for a tenant: its answer says which",
	429: "the collector is busy",
	503: "see the collector's log: its database does not take inserts",
}
