package listen

import (
	"context"
	"log"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// ErrorLog is for an http.Server, and limits what that logs.
func ErrorLog(to *slog.Logger) *log.Logger {
	return slog.NewLogLogger(&connectionTrouble{Handler: to.Handler()}, slog.LevelWarn)
}

// connectionTrouble logs what goes wrong before a request is one, such as a handshake
// with a foreign certificate, but not more than a few lines a minute: anybody can
// cause them.
type connectionTrouble struct {
	slog.Handler

	mu      sync.Mutex
	minute  time.Time
	lines   int
	skipped int
}

// TroubleLines is how many lines a minute ErrorLog logs at most.
const TroubleLines = 20

func (c *connectionTrouble) Handle(ctx context.Context, r slog.Record) error {
	c.mu.Lock()
	if r.Time.Sub(c.minute) >= time.Minute {
		c.minute, c.lines = r.Time, 0
	}
	if c.lines++; c.lines > TroubleLines {
		c.skipped++
		c.mu.Unlock()
		return nil
	}
	skipped := c.skipped
	c.skipped = 0
	c.mu.Unlock()
	line := slog.NewRecord(r.Time, r.Level, "a connection is refused", 0)
	line.AddAttrs(slog.String("detail", strings.TrimSpace(r.Message)), slog.Int("not_logged_before", skipped))
	return c.Handler.Handle(ctx, line)
}
