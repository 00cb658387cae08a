package alerting

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// Flush tells the notifiers what they can take now. It returns when the next
// attempt is worth making; the zero time means that nothing is left to tell.
func (d *Desk) Flush(ctx context.Context) (next time.Time, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.recover(ctx); err != nil {
		return time.Time{}, err
	}
	now := d.options.Clock()
	var ripe []schema.UID
	for uid, at := range d.due {
		if !at.After(now) {
			ripe = append(ripe, uid)
		}
	}
	if len(ripe) > 0 {
		alerts, err := alertsByUID(ctx, d.store, ripe)
		if err != nil {
			return time.Time{}, err
		}
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
	for _, at := range d.due {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next, nil
}

// Run flushes the outbox until ctx ends: at once what an earlier process left,
// then every second what has become due.
func (d *Desk) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	failing := false
	for {
		_, err := d.Flush(ctx)
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

// recover learns, once, what an earlier process left in the outbox.
func (d *Desk) recover(ctx context.Context) error {
	if d.recovered {
		return nil
	}
	rows, err := overdueDeliveries(ctx, d.store)
	if err != nil {
		return fmt.Errorf("recover the outbox: %w", err)
	}
	now := d.options.Clock()
	for _, row := range rows {
		if !slices.ContainsFunc(d.notifiers, func(n Notifier) bool { return n.Name() == row.notifier }) {
			continue
		}
		d.due[row.alert] = time.Time{}
		if row.reason == reasonRateLimited && row.notBefore.After(now) {
			d.lines[row.notifier].holdUntil(row.notBefore)
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
	for _, a := range alerts {
		if err := ctx.Err(); err != nil {
			return err
		}
		next, err := d.deliverAlert(ctx, a, rows)
		if err != nil {
			// The database fails; this alert and the rest are in the outbox.
			d.due[a.UID] = time.Time{}
			return err
		}
		if next.IsZero() {
			delete(d.due, a.UID)
		} else {
			d.due[a.UID] = next
		}
	}
	return nil
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
