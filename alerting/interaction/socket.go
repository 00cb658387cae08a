package interaction

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

const (
	// maxEnvelope is how long a message of Slack may be: a payload holds a whole message.
	maxEnvelope = 1 << 20
	// acknowledgeWithin is Slack's own limit.
	acknowledgeWithin = 3 * time.Second
	// A connection that ends within shortLife is no good; after so many of them in a
	// row, or without a token that is taken, it is left alone for a while.
	shortLife      = 10 * time.Second
	maxShortLives  = 3
	maxPause       = 5 * time.Minute
	writeBuffer    = 32 << 10
	handshakeLimit = 20 * time.Second
)

// listen keeps a Socket Mode connection until ctx ends. That Slack is not there is
// logged once, until it is there again.
func (h *Handler) listen(ctx context.Context) {
	line := &line{handler: h}
	for ctx.Err() == nil {
		wait := line.run(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// line is the connection to Slack over the time.
type line struct {
	handler *Handler
	// greeted: Slack has been there; down: its loss was logged.
	greeted, down bool
	// opened is when a connection was opened last, short how many in a row ended soon.
	opened time.Time
	short  int
}

// run keeps connections open, one after the other, until ctx ends or they are no good,
// and says how long to wait before the next try.
func (l *line) run(ctx context.Context) (wait time.Duration) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	client := socketmode.New(l.handler.api,
		socketmode.OptionDialer(&websocket.Dialer{
			Proxy: http.ProxyFromEnvironment, HandshakeTimeout: handshakeLimit,
			// Slack drops what comes in more than one frame.
			WriteBufferSize: writeBuffer, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
		}),
		socketmode.OptionReadLimit(maxEnvelope),
		// What it has to say comes as events; its own log would hold addresses.
		socketmode.OptionLog(log.New(io.Discard, "", 0)))
	ended := make(chan error, 1)
	go func() { ended <- client.RunContext(ctx) }()
	for {
		select {
		case err := <-ended:
			if ctx.Err() != nil {
				return 0
			}
			l.lost(err)
			return maxPause
		case event := <-client.Events:
			if !l.take(ctx, client, event) {
				cancel()
				<-ended
				return pause(l.short)
			}
		}
	}
}

// pause doubles from a second to maxPause.
func pause(failures int) time.Duration {
	return min(time.Second<<min(failures-1, 20), maxPause)
}

// take does with an event what is to be done; it returns false where the connections
// are no good.
func (l *line) take(ctx context.Context, client *socketmode.Client, event socketmode.Event) bool {
	switch event.Type {
	case socketmode.EventTypeConnected:
		now := time.Now()
		if l.short++; now.Sub(l.opened) > shortLife {
			l.short = 1
		}
		l.opened = now
		return l.short <= maxShortLives
	case socketmode.EventTypeHello:
		if l.down || !l.greeted {
			l.handler.options.Log.Info("slack's buttons work: connected by Socket Mode")
		}
		l.greeted, l.down = true, false
	case socketmode.EventTypeConnectionError:
		if failed, ok := event.Data.(*slack.ConnectionErrorEvent); ok {
			l.lost(failed.ErrorObj)
		}
	case socketmode.EventTypeInteractive:
		if c, ok := event.Data.(slack.InteractionCallback); ok {
			l.acknowledge(ctx, client, event, l.handler.press(c))
		}
	case socketmode.EventTypeSlashCommand:
		if c, ok := event.Data.(slack.SlashCommand); ok {
			l.acknowledge(ctx, client, event, l.handler.command(c))
		}
	case socketmode.EventTypeEventsAPI:
		l.acknowledge(ctx, client, event, ignored)
	}
	return true
}

// acknowledge tells Slack that an envelope has come, unless it was not taken. What it
// asks for may take longer than Slack waits.
func (l *line) acknowledge(ctx context.Context, client *socketmode.Client, event socketmode.Event, became intake) {
	if became == busy || event.Request == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, acknowledgeWithin)
	defer cancel()
	if err := client.AckCtx(ctx, event.Request.EnvelopeID, nil); err != nil {
		l.handler.options.Log.Warn("cannot tell Slack that something has come; it comes again, and is done once", "error", plainError(err))
	}
}

// lost logs, once, that Slack is not there.
func (l *line) lost(err error) {
	if l.down || err == nil || errors.Is(err, context.Canceled) {
		return
	}
	l.down = true
	text := plainError(err).Error()
	if mend := connectionMends[text]; mend != "" {
		l.handler.options.Log.Error("slack's buttons do not work: it refuses the connection", "reason", text, "mend", mend)
		return
	}
	l.handler.options.Log.Warn("slack's buttons do not work now: no connection; it is tried again", "error", text)
}

const badAppToken = "put the app-level token of the app (xapp-..., with the scope connections:write) into slack.app_token_file"

// connectionMends is what to do about the error codes of apps.connections.open
// (docs.slack.dev).
var connectionMends = map[string]string{
	"invalid_auth":           badAppToken,
	"not_authed":             badAppToken,
	"token_revoked":          badAppToken,
	"account_inactive":       badAppToken,
	"not_allowed_token_type": badAppToken,
	"missing_scope":          badAppToken,
}
