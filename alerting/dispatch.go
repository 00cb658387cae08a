package alerting

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// dueAlert says when telling somebody about an alert is next worth trying, and how
// urgent that is.
type dueAlert struct {
	at        time.Time
	severity  schema.Severity
	firstSeen time.Time
}

func (d *Desk) dueAt(a schema.Alert, at time.Time) {
	d.due[a.UID] = dueAlert{at, a.Severity, a.FirstSeen}
}

// flushSize bounds what one Flush loads: after a storm thousands are due, of which
// a notifier takes one a second.
const flushSize = 20

// ripe lists the alerts that are due now, the most urgent first.
func (d *Desk) ripe(now time.Time) []schema.UID {
	var uids []schema.UID
	for uid, due := range d.due {
		if !due.at.After(now) {
			uids = append(uids, uid)
		}
	}
	slices.SortFunc(uids, func(a, b schema.UID) int {
		x, y := d.due[a], d.due[b]
		return cmp.Or(cmp.Compare(y.severity, x.severity), x.firstSeen.Compare(y.firstSeen), bytes.Compare(a[:], b[:]))
	})
	return uids[:min(len(uids), flushSize)]
}

// Flush tells the notifiers what they can take now. It returns when the next
// attempt is worth making; the zero time means that nothing is left to tell.
func (d *Desk) Flush(ctx context.Context) (next time.Time, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.recover(ctx); err != nil {
		return time.Time{}, err
	}
	if err := d.options.Lease(); err != nil {
		return time.Time{}, err
	}
	now := d.options.Clock()
	if err := d.carryOutPending(ctx, now); err != nil {
		return time.Time{}, err
	}
	if err := d.passTime(ctx, now); err != nil {
		return time.Time{}, err
	}
	if err := d.settle(ctx, now); err != nil {
		return time.Time{}, err
	}
	if ripe := d.ripe(now); len(ripe) > 0 {
		digests, others, err := d.loadDigests(ctx, ripe)
		if err != nil {
			return time.Time{}, err
		}
		alerts, err := alertsByUID(ctx, d.store, others)
		if err != nil {
			return time.Time{}, err
		}
		alerts = append(alerts, digests...)
		// An alert that is not there was never saved: its findings come again.
		found := map[schema.UID]bool{}
		for _, a := range alerts {
			found[a.UID] = true
		}
		for _, uid := range ripe {
			if !found[uid] {
				delete(d.due, uid)
			}
		}
		if err := d.deliver(ctx, alerts); err != nil {
			return time.Time{}, err
		}
	}
	for _, due := range d.due {
		if next.IsZero() || due.at.Before(next) {
			next = cmp.Or(due.at, d.options.Clock())
		}
	}
	return next, nil
}

// settle finds out what is muted now, what is muted no more, and what is too much to
// be told one by one.
func (d *Desk) settle(ctx context.Context, now time.Time) error {
	if err := d.readMutes(ctx, now, false); err != nil {
		return err
	}
	if err := d.adopt(ctx); err != nil {
		return err
	}
	if err := d.release(ctx, now); err != nil {
		return err
	}
	return d.sweep(ctx, now)
}

// Run flushes the outbox until ctx ends: at once what an earlier process left,
// then every second what has become due.
func (d *Desk) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	failing := false
	for {
		err := d.Round(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !failing:
			d.options.Log.Error("cannot read or write the outbox of notifications, trying again every second", "error", err)
		case err == nil && failing:
			d.options.Log.Info("the outbox of notifications works again")
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Round is what Run does every second: Flush, and handing on what the desk noticed
// about its notifiers.
func (d *Desk) Round(ctx context.Context) error {
	if _, err := d.Flush(ctx); err != nil {
		return err
	}
	d.health.flush(d.options.Clock())
	return d.handOnRefusals(ctx)
}

// recover learns, once, what an earlier process left in the outbox.
func (d *Desk) recover(ctx context.Context) error {
	if d.recovered {
		return nil
	}
	now := d.options.Clock()
	for _, read := range []func() error{
		func() error { return d.readCauses(ctx) },
		func() error { return d.readMutes(ctx, now, true) },
		func() error { return d.readBudgets(ctx, now) },
		func() error { return d.readDigests(ctx, now) },
	} {
		if err := read(); err != nil {
			return fmt.Errorf("recover the outbox: %w", err)
		}
	}
	rows, err := overdueDeliveries(ctx, d.store)
	if err != nil {
		return fmt.Errorf("recover the outbox: %w", err)
	}
	var due []schema.UID
	for _, row := range rows {
		if !slices.ContainsFunc(d.notifiers, func(n Notifier) bool { return n.Name() == row.notifier }) {
			if row.state != stateSent && row.state != stateFailed && row.state != stateSkipped {
				d.orphans = append(d.orphans, row.alert)
			}
			continue
		}
		due = append(due, row.alert)
		if row.state == stateHeld && row.digest == (schema.UID{}) {
			d.muting.held[row.alert] = true
		}
		if row.reason == reasonRateLimited && row.notBefore.After(now) {
			d.lines[row.notifier].holdUntil(row.notBefore)
		}
	}
	for chunk := range slices.Chunk(due, uidChunk) {
		alerts, err := readAlerts(ctx, d.store, "alert_uid IN {uids:Array(UUID)}", schema.Named("uids", writeUIDs(chunk)))
		if err != nil {
			return fmt.Errorf("recover the outbox: %w", err)
		}
		for _, a := range alerts {
			d.dueAt(a.Alert, time.Time{})
		}
	}
	d.recovered = true
	return nil
}

// deliver tells all notifiers about alerts: the most severe first.
func (d *Desk) deliver(ctx context.Context, alerts []schema.Alert) error {
	alerts = slices.Clone(alerts)
	slices.SortStableFunc(alerts, func(a, b schema.Alert) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), a.FirstSeen.Compare(b.FirstSeen))
	})
	rows, err := deliveriesOf(ctx, d.store, uidsOf(alerts))
	if err != nil {
		return err
	}
	var held []*delivery
	for _, a := range alerts {
		if err := ctx.Err(); err != nil {
			return err
		}
		if m := d.muted(a, d.options.Clock()); m.Muted() {
			held = append(held, d.hold(a, rows, m, d.options.Clock())...)
			continue
		}
		next, err := d.deliverAlert(ctx, a, rows)
		if err != nil {
			// The database fails; this alert and the rest are in the outbox.
			d.dueAt(a, time.Time{})
			return err
		}
		if next.IsZero() {
			delete(d.due, a.UID)
		} else {
			d.dueAt(a, next)
		}
	}
	return saveDeliveries(ctx, d.store, d.options.Clock(), held...)
}

// deliverAlert tells every notifier about one alert, and the fallback what a
// notifier does not take.
func (d *Desk) deliverAlert(ctx context.Context, a schema.Alert, rows map[deliveryKey]*delivery) (next time.Time, err error) {
	refused := false
	for _, n := range d.notifiers {
		row := rows[deliveryKey{a.UID, n.Name()}]
		if row == nil {
			continue
		}
		at, err := d.tell(ctx, n, a, row)
		if err != nil {
			return time.Time{}, err
		}
		refused = refused || d.lines[n.Name()].refusing || row.state == stateFailed
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	if !refused || d.options.Fallback == nil {
		return next, nil
	}
	key := deliveryKey{a.UID, d.options.Fallback.Name()}
	row := rows[key]
	if row == nil {
		row = &delivery{alert: a.UID, notifier: key.notifier, state: statePending}
	}
	at, err := d.tell(ctx, d.options.Fallback, a, row)
	if !at.IsZero() && (next.IsZero() || at.Before(next)) {
		next = at
	}
	return next, err
}
