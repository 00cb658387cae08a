package alerting

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Announce posts a notice; there is no file.
func (w *IncomingWebhook) Announce(ctx context.Context, n Notice, repeat Repeat) (Receipt, error) {
	n.WithFile = false
	return Receipt{Message: n.Summary.String()}, w.send(ctx, escape(n.text(repeat), maxFallback), n.blocks(repeat))
}

// FindNotice fails: nothing can be looked up.
func (w *IncomingWebhook) FindNotice(context.Context, Notice, time.Time) (Receipt, bool, error) {
	return Receipt{}, false, ErrCannotFind
}

// Announce posts a notice as JSON.
func (w *Webhook) Announce(ctx context.Context, n Notice, repeat Repeat) (Receipt, error) {
	body, err := json.Marshal(DocumentOfNotice(n, w.options.Name, repeat))
	if err != nil {
		return Receipt{}, fmt.Errorf("write notice of summary %s as JSON: %w", n.Summary, err)
	}
	return Receipt{Message: n.Summary.String()}, w.post(ctx, fmt.Sprintf("%s.%d", n.Summary, n.Version), body)
}

// FindNotice fails: a receiver is told, not asked.
func (w *Webhook) FindNotice(context.Context, Notice, time.Time) (Receipt, bool, error) {
	return Receipt{}, false, ErrCannotFind
}

// Announce appends a notice as one line of JSON.
func (f *File) Announce(_ context.Context, n Notice, repeat Repeat) (Receipt, error) {
	line, err := json.Marshal(DocumentOfNotice(n, f.name, repeat))
	if err != nil {
		return Receipt{}, fmt.Errorf("write notice of summary %s as JSON: %w", n.Summary, err)
	}
	return Receipt{Message: n.Summary.String()}, f.appendLine(line)
}

// FindNotice fails: the file may have been rotated away.
func (f *File) FindNotice(context.Context, Notice, time.Time) (Receipt, bool, error) {
	return Receipt{}, false, ErrCannotFind
}

// Announce writes one line.
func (c *Console) Announce(_ context.Context, n Notice, repeat Repeat) (Receipt, error) {
	label := ""
	if repeat != RepeatNone {
		label = "(repeat: it may have been written before) "
	}
	if _, err := fmt.Fprintf(c.w, "%s%s: %s; evidence chain: entry %d, %s\n", label, n.title(), orNowhere(n.Place), n.Entry, n.Head); err != nil {
		return Receipt{}, fmt.Errorf("write notice: %w", err)
	}
	return Receipt{}, nil
}

func orNowhere(place string) string {
	if place == "" {
		return "kept in the database"
	}
	return shown(place, maxNoticeText)
}

// FindNotice fails: what was written to a terminal cannot be read back.
func (c *Console) FindNotice(context.Context, Notice, time.Time) (Receipt, bool, error) {
	return Receipt{}, false, ErrCannotFind
}
