package alerting

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// HeartbeatOptions configure a Heartbeat. URL, Every and Check are needed.
type HeartbeatOptions struct {
	// URL is https, or http on the loopback. It often holds a secret, and is never shown.
	URL   string
	Every time.Duration
	// Check says why all is not well; then the URL is not requested.
	Check func(ctx context.Context) error
	// HTTPClient is used as given, but without following redirects. The default has a
	// timeout of 10 s and TLS 1.2 or newer.
	HTTPClient *http.Client
	Log        *slog.Logger
}

// Heartbeat requests an address as long as all is well: a service outside misses it
// when crmwatch has died, or tells nobody any more, and says so in its stead.
type Heartbeat struct {
	options HeartbeatOptions
	client  *http.Client
	// trouble is what was logged last.
	trouble string
}

// NewHeartbeat makes a heartbeat. It requests nothing yet.
func NewHeartbeat(o HeartbeatOptions) (*Heartbeat, error) {
	if err := CheckPostURL(o.URL); err != nil {
		return nil, fmt.Errorf("configure heartbeat: %w", err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Heartbeat{options: o, client: postClient(o.HTTPClient, webhookTimeout)}, nil
}

// Run beats until ctx ends.
func (h *Heartbeat) Run(ctx context.Context) error {
	tick := time.NewTicker(h.options.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		h.report(ctx, h.Beat(ctx))
	}
}

// Beat checks, and requests the address once if all is well.
func (h *Heartbeat) Beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*webhookTimeout)
	defer cancel()
	if err := h.options.Check(ctx); err != nil {
		return fmt.Errorf("the heartbeat is withheld: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, h.options.URL, nil)
	if err != nil {
		return errors.New("the heartbeat's URL cannot be used")
	}
	request.Header.Set("User-Agent", "crmwatch")
	if err := answerOf(h.client.Do(request)); err != nil {
		if quoted := (*url.Error)(nil); errors.As(err, &quoted) {
			err = quoted.Err
		}
		return fmt.Errorf("the heartbeat does not arrive: %w", err)
	}
	return nil
}

// report logs what is wrong once, and that it is over.
func (h *Heartbeat) report(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil:
	case err == nil && h.trouble != "":
		h.options.Log.Info("the heartbeat goes on")
		h.trouble = ""
	case err != nil && h.trouble != err.Error():
		h.trouble = err.Error()
		h.options.Log.Error("no heartbeat", "error", err)
	}
}

const (
	// flushPatience is how old the last good round of the outbox may be.
	flushPatience = time.Minute
	// refusalPatience is how long a notifier may take nothing.
	refusalPatience = 15 * time.Minute
)

// Moving says why the outbox does not move: it could not be read or written for a
// minute, or a notifier has taken nothing for a quarter of an hour.
func (d *Desk) Moving() error {
	d.health.Lock()
	defer d.health.Unlock()
	now := d.options.Clock()
	if !d.health.flushed.After(now.Add(-flushPatience)) {
		if d.health.flushed.IsZero() {
			return errors.New("the outbox of notifications was not looked at yet")
		}
		return fmt.Errorf("the outbox of notifications does not move since %s UTC", sayWhen(d.health.flushed))
	}
	for _, n := range d.notifiers {
		// Where nothing is left to tell, nothing is tried.
		if t, troubled := d.health.trouble[n.Name()]; troubled && now.Sub(t.since) >= refusalPatience && now.Sub(t.tried) < 2*refusalPause {
			return fmt.Errorf("the notifier %s has taken nothing since %s UTC", n.Name(), sayWhen(t.since))
		}
	}
	return nil
}
