package alerting

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

const (
	// reasonRateLimited marks a row whose wait holds for the whole notifier, also
	// after a restart.
	reasonRateLimited = "ratelimited"
	maxBackoff        = 5 * time.Minute
	// stepTimeout bounds one message with its saves.
	stepTimeout = 30 * time.Second
	// refusalPause is how long a notifier that refuses everything is left alone.
	refusalPause = 10 * time.Minute
)

// line is the state of one notifier while the process lives.
type line struct {
	hold time.Time
	// refusing: what it refuses goes to the fallback in the meantime.
	refusing bool
	// trouble is the last problem that was logged; it is logged once.
	trouble  string
	failures int
}

func (l *line) holdUntil(t time.Time) {
	if t.After(l.hold) {
		l.hold = t
	}
}

// tell takes one alert as far as it can go now with one notifier. It returns the
// time of the next attempt, or zero when nothing is left to do. Each state is
// saved before the step that it permits.
func (d *Desk) tell(ctx context.Context, n Notifier, a schema.Alert, row *delivery) (next time.Time, err error) {
	hash, now := contentHash(a), d.options.Clock()
	current := row.hash == hash && (row.state == stateSent || row.state == stateFailed || row.state == stateSkipped)
	if current {
		return d.thread(ctx, n, a, row)
	}
	if row.state == stateFailed {
		// Other content: a message that stands is updated, else a new one is tried.
		row.state = statePending
		if row.receipt.Message != "" {
			row.state = stateSent
		}
	}
	if row.state == stateSkipped {
		row.state = statePending
	}
	if row.state == stateHeld {
		if a.Status.Closed() || row.digest != (schema.UID{}) && a.Severity <= row.severity {
			// Nobody has heard of it, or a digest tells of it.
			return time.Time{}, nil
		}
		row.state, row.digest = statePending, schema.UID{}
	}
	if isMute(row.reason) {
		row.reason, row.notBefore = "", time.Time{}
	}
	if a.Status.Closed() && row.state == statePending {
		// Nobody has heard of it, and nobody has anything left to do.
		row.state, row.hash, row.told = stateSkipped, hash, a.Version
		return time.Time{}, saveDeliveries(ctx, d.store, now, row)
	}
	if wait := d.waitUntil(n, a, row); wait.After(now) {
		return wait, nil
	}
	if row.state == statePending && d.overBudget(n, a, row, now) {
		// The next sweep leaves it to a digest, with all others.
		return now, nil
	}
	// A step that has begun is ended, also when the process is asked to stop: a
	// message cut off in the middle would have to be labelled as a repeat.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stepTimeout)
	defer cancel()
	switch row.state {
	case stateSent:
		return d.update(ctx, n, a, row, hash)
	case stateSending, stateUnknown:
		return d.reconcile(ctx, n, a, row, hash)
	}
	return d.post(ctx, n, a, row, hash)
}

// waitUntil is the time before which row must not be tried.
func (d *Desk) waitUntil(n Notifier, a schema.Alert, row *delivery) time.Time {
	wait := d.lines[n.Name()].hold
	if row.notBefore.After(wait) {
		wait = row.notBefore
	}
	// What got worse and what somebody did is shown at once.
	if row.state == stateSent && a.Severity <= row.severity && a.StatusAt.Before(row.sentAt) && a.RisenAt.Before(row.sentAt) {
		if calm := row.sentAt.Add(d.options.UpdateEvery); calm.After(wait) {
			wait = calm
		}
	}
	return wait
}

// post sends the message. From the moment it is saved as sending until the answer
// is saved, nobody can know whether it stands in the channel.
func (d *Desk) post(ctx context.Context, n Notifier, a schema.Alert, row *delivery, hash uint64) (time.Time, error) {
	now := d.options.Clock()
	row.state, row.attempts, row.reason = stateSending, row.attempts+1, ""
	if row.firstTry.IsZero() {
		row.firstTry = now
		d.spend(n, a, now)
	}
	if err := saveDeliveries(ctx, d.store, now, row); err != nil {
		return time.Time{}, err
	}
	// Whoever was stopped here for long must not go on: another has found the row.
	if err := d.options.Lease(); err != nil {
		return time.Time{}, err
	}
	receipt, err := n.Post(ctx, a, row.repeat)
	now = d.options.Clock()
	if err == nil {
		d.works(n, now)
		row.receipt, row.told, row.replyState = receipt, a.Version, ""
		return time.Time{}, d.sent(ctx, a, row, hash, now)
	}
	row.state = statePending
	if errors.Is(err, ErrOutcomeUnknown) {
		row.state = stateUnknown
	}
	return d.failed(ctx, n, a, row, hash, err)
}

// update brings the message up to date.
func (d *Desk) update(ctx context.Context, n Notifier, a schema.Alert, row *delivery, hash uint64) (time.Time, error) {
	if err := d.options.Lease(); err != nil {
		return time.Time{}, err
	}
	row.attempts++
	err := n.Update(ctx, row.receipt, a, row.repeat)
	now := d.options.Clock()
	switch {
	case err == nil:
		d.works(n, now)
		if _, can := n.(Threader); !can {
			row.told = a.Version
		}
		if err := d.sent(ctx, a, row, hash, now); err != nil || row.told == a.Version {
			return time.Time{}, err
		}
		return d.lines[n.Name()].hold, nil
	case errors.Is(err, ErrMessageGone) && a.Status == schema.AlertMerged:
		return time.Time{}, d.sent(ctx, a, row, hash, now)
	case errors.Is(err, ErrMessageGone):
		row.state, row.repeat, row.receipt, row.firstTry = statePending, RepeatDeleted, Receipt{}, time.Time{}
		d.lines[n.Name()].holdUntil(now.Add(n.Pace()))
		return d.lines[n.Name()].hold, saveDeliveries(ctx, d.store, now, row)
	}
	return d.failed(ctx, n, a, row, hash, err)
}

// reconcile finds out whether a post arrived whose answer was lost. Where that
// cannot be found out, the alert is posted once more, with a label; after a
// second lost answer it is left to the fallback, for a third message might be one
// too many.
func (d *Desk) reconcile(ctx context.Context, n Notifier, a schema.Alert, row *delivery, hash uint64) (time.Time, error) {
	receipt, found, err := n.Find(ctx, a.UID, row.firstTry)
	now := d.options.Clock()
	switch {
	case err == nil && found:
		d.works(n, now)
		row.state, row.receipt, row.reason, row.attempts = stateSent, receipt, "", 0
		// What the found message shows is not known in full: it is updated next.
		row.hash, row.severity, row.sentAt, row.notBefore = 0, 0, time.Time{}, time.Time{}
		return d.lines[n.Name()].hold, saveDeliveries(ctx, d.store, now, row)
	case errors.Is(err, ErrCannotFind) && row.repeat == RepeatLost:
		row.state = stateUnknown
		return d.failed(ctx, n, a, row, hash, &RefusedError{
			Code: "answer_lost_twice", ThisMessage: true,
			Mend: "look for the message in the channel; with the scope channels:history and a channel id crmwatch can do that itself",
		})
	case (err == nil || errors.Is(err, ErrCannotFind)) && a.Status == schema.AlertMerged:
		return time.Time{}, d.sent(ctx, a, row, hash, now)
	case err == nil, errors.Is(err, ErrCannotFind):
		row.repeat = RepeatLost
		return d.post(ctx, n, a, row, hash)
	}
	row.state = stateUnknown
	return d.failed(ctx, n, a, row, hash, err)
}

func (d *Desk) sent(ctx context.Context, a schema.Alert, row *delivery, hash uint64, now time.Time) error {
	row.state, row.hash, row.severity = stateSent, hash, a.Severity
	row.sentAt, row.notBefore, row.attempts, row.reason = now, time.Time{}, 0, ""
	return saveDeliveries(ctx, d.store, now, row)
}

// failed records why a step did not succeed and when it is tried again.
func (d *Desk) failed(ctx context.Context, n Notifier, a schema.Alert, row *delivery, hash uint64, cause error) (time.Time, error) {
	now, l := d.options.Clock(), d.lines[n.Name()]
	var hold *HoldError
	var refusal *RefusedError
	switch {
	case errors.As(cause, &hold):
		row.notBefore, row.reason = now.Add(hold.After), reasonRateLimited
		d.report(n, a, row.reason, "", cause)
	case errors.As(cause, &refusal) && refusal.ThisMessage:
		row.state, row.hash, row.severity, row.reason = stateFailed, hash, a.Severity, refusal.Code
		d.report(n, a, refusal.Code, refusal.Mend, cause)
	case errors.As(cause, &refusal):
		l.refusing = true
		row.notBefore, row.reason = now.Add(refusalPause), refusal.Code
		d.report(n, a, refusal.Code, refusal.Mend, cause)
	default:
		l.failures++
		row.notBefore, row.reason = now.Add(backoff(l.failures)), "unreachable"
		if row.state == stateUnknown {
			row.reason = "answer lost"
		}
		d.report(n, a, row.reason, "", cause)
	}
	l.holdUntil(row.notBefore)
	if row.state == stateFailed {
		l.holdUntil(now.Add(n.Pace()))
	}
	if err := saveDeliveries(ctx, d.store, now, row); err != nil {
		return time.Time{}, err
	}
	if row.state == stateFailed {
		return time.Time{}, nil
	}
	return row.notBefore, nil
}

// backoff doubles from one second to maxBackoff.
func backoff(failures int) time.Duration {
	return min(time.Second<<min(failures-1, 20), maxBackoff)
}

// report logs a notifier's trouble once, until it works again.
func (d *Desk) report(n Notifier, a schema.Alert, reason, mend string, cause error) {
	l := d.lines[n.Name()]
	if l.refusing || l.failures > 0 {
		since := d.health.troubled(n.Name(), d.options.Clock())
		if l.refusing && l.trouble != reason && n != d.options.Fallback {
			d.health.refuses(Refusal{Notifier: n.Name(), Since: since, Code: reason, Mend: mend})
		}
	}
	if l.trouble == reason {
		return
	}
	l.trouble = reason
	if mend != "" {
		d.options.Log.Error("a notifier refuses alerts", "notifier", n.Name(), "reason", reason, "mend", mend, "alert_uid", a.UID.String())
		return
	}
	d.options.Log.Warn("a notifier does not take alerts now, they are kept and tried again", "notifier", n.Name(), "reason", reason, "error", fmt.Sprint(cause))
}

// works notes that a notifier took a message.
func (d *Desk) works(n Notifier, now time.Time) {
	l := d.lines[n.Name()]
	d.health.well(n.Name())
	if l.trouble != "" {
		d.options.Log.Info("a notifier takes alerts again", "notifier", n.Name())
	}
	*l = line{hold: now.Add(n.Pace())}
}
