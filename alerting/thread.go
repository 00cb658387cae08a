package alerting

import (
	"context"
	"errors"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// Threader is a Notifier that can tell under an alert's message what has changed. Its
// errors mean what a Notifier's do.
type Threader interface {
	// Reply tells a change under the message at.
	Reply(ctx context.Context, at Receipt, c Change, repeat Repeat) error
	// FindReply looks whether a change is told there since a time.
	FindReply(ctx context.Context, at Receipt, c Change, since time.Time) (found bool, err error)
}

// Change is what happened to an alert since its thread was last told.
type Change struct {
	Alert schema.UID
	// Title is the alert's headline, for where the change does not stand under it.
	Title string
	// Version is the alert's version up to which it tells.
	Version uint64
	// Text is plain text of one or more lines, without markup.
	Text string
	// Broadcast says that the channel should see it too: the alert got worse.
	Broadcast bool
}

// thread tells under an alert's message what has changed since the last time. The
// message itself shows what is so; the thread tells what happened, and is what
// people are notified of, for an update notifies nobody.
func (d *Desk) thread(ctx context.Context, n Notifier, a schema.Alert, row *delivery) (next time.Time, err error) {
	threader, can := n.(Threader)
	now := d.options.Clock()
	if !can || row.state != stateSent || row.told >= a.Version {
		return time.Time{}, nil
	}
	if wait := later(d.lines[n.Name()].hold, row.notBefore); wait.After(now) {
		return wait, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stepTimeout)
	defer cancel()
	if row.replyState == stateSending {
		settled, err := d.reconcileReply(ctx, threader, a, row)
		switch {
		case err != nil:
			return d.failed(ctx, n, a, row, row.hash, err)
		case settled:
			row.told, row.replyState = row.reply, ""
			if err := saveDeliveries(ctx, d.store, now, row); err != nil {
				return time.Time{}, err
			}
			return d.thread(ctx, n, a, row)
		}
	}
	upTo := a.Version
	if row.replyState != "" {
		upTo = row.reply
	}
	c, err := d.changeOf(ctx, a, row.told, upTo)
	if err != nil {
		return time.Time{}, err
	}
	if c.Text == "" {
		row.told, row.replyState = upTo, ""
		return time.Time{}, saveDeliveries(ctx, d.store, now, row)
	}
	repeat := RepeatNone
	if row.replyState == stateUnknown {
		repeat = RepeatLost
	}
	return d.reply(ctx, n, threader, a, row, c, repeat)
}

// reply sends a change; from the moment it is saved as sending nobody can know whether
// it stands in the thread, until the answer is saved.
func (d *Desk) reply(ctx context.Context, n Notifier, threader Threader, a schema.Alert, row *delivery, c Change, repeat Repeat) (time.Time, error) {
	now := d.options.Clock()
	first := row.replyState == ""
	row.replyState, row.reply = stateSending, c.Version
	if first {
		row.replyAt = now
	}
	if err := saveDeliveries(ctx, d.store, now, row); err != nil {
		return time.Time{}, err
	}
	if err := d.options.Lease(); err != nil {
		return time.Time{}, err
	}
	err := threader.Reply(ctx, row.receipt, c, repeat)
	now = d.options.Clock()
	var refusal *RefusedError
	switch {
	case err == nil:
		d.works(n, now)
	case errors.As(err, &refusal) && refusal.ThisMessage, errors.Is(err, ErrMessageGone):
		// The message shows the same; a thread that takes nothing is not worth more.
		d.report(n, a, "reply refused", "", err)
		d.lines[n.Name()].holdUntil(now.Add(n.Pace()))
	case errors.Is(err, ErrOutcomeUnknown) && repeat == RepeatLost:
		// A third reply might be one too many.
		d.report(n, a, "answer lost", "", err)
	case errors.Is(err, ErrOutcomeUnknown):
		return d.failed(ctx, n, a, row, row.hash, err)
	default:
		row.replyState = ""
		return d.failed(ctx, n, a, row, row.hash, err)
	}
	row.told, row.replyState, row.attempts, row.reason, row.notBefore = c.Version, "", 0, "", time.Time{}
	if err := saveDeliveries(ctx, d.store, now, row); err != nil {
		return time.Time{}, err
	}
	if row.told < a.Version {
		return d.lines[n.Name()].hold, nil
	}
	return time.Time{}, nil
}

// reconcileReply finds out whether a reply arrived whose answer is not known. Where
// that cannot be found out, it is sent once more, with a label.
func (d *Desk) reconcileReply(ctx context.Context, threader Threader, a schema.Alert, row *delivery) (settled bool, err error) {
	found, err := threader.FindReply(ctx, row.receipt, Change{Alert: a.UID, Version: row.reply}, row.replyAt)
	switch {
	case errors.Is(err, ErrCannotFind):
		row.replyState = stateUnknown
		return false, nil
	case err != nil:
		return false, err
	}
	if !found {
		row.replyState = ""
	}
	return found, nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
