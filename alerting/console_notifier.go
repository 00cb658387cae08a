package alerting

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// Console is the notifier that writes alerts as text: the one that is used
// without Slack, and the one that takes over what Slack refuses.
type Console struct {
	w     io.Writer
	style Style
	name  string
}

// NewConsole makes a console notifier that writes to w.
func NewConsole(w io.Writer, style Style) *Console { return &Console{w, style, "console"} }

// Named makes a console notifier of another name that writes to the same place.
func (c *Console) Named(name string) *Console { return &Console{c.w, c.style, name} }

// Name is "console", unless it was given another.
func (c *Console) Name() string { return c.name }

// Pace is zero: a terminal takes whatever comes.
func (c *Console) Pace() time.Duration { return 0 }

// Post writes the whole alert.
func (c *Console) Post(_ context.Context, a schema.Alert, repeat Repeat) (Receipt, error) {
	title := "New alert"
	if a.Status == schema.AlertDigest {
		title = "More alerts than are told one by one"
	}
	if repeat != RepeatNone {
		title = "New alert (repeat: it may have been written before)"
	}
	return Receipt{}, c.write(title, a)
}

// Update writes the alert again, marked as grown.
func (c *Console) Update(_ context.Context, _ Receipt, a schema.Alert, _ Repeat) error {
	return c.write("Alert has changed", a)
}

// Find fails: what was written to a terminal cannot be read back.
func (c *Console) Find(context.Context, schema.UID, time.Time) (Receipt, bool, error) {
	return Receipt{}, false, ErrCannotFind
}

func (c *Console) write(title string, a schema.Alert) error {
	if _, err := fmt.Fprintf(c.w, "\n== %s\n", title); err != nil {
		return fmt.Errorf("write alert: %w", err)
	}
	return WriteText(c.w, []schema.Alert{a}, c.style)
}
