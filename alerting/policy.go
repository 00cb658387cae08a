package alerting

import (
	"context"
	"slices"
	"time"

	"github.com/crmwatch/crmwatch/alerting/route"
	"github.com/crmwatch/crmwatch/schema"
)

// Policy is who is told of an alert, when, and of how many one by one. The zero
// Policy tells every notifier of everything that no silence mutes.
type Policy struct {
	// Routes choose the notifiers; nil is all of them.
	Routes *route.Table
	// Quiet are the maintenance windows and the inhibitions.
	Quiet *route.Quiet
	// Rates bound how many alerts a notifier is told one by one; what has none is not
	// bounded.
	Rates map[string]Rate
}

// Rate is at most so many new messages in each period; periods are counted from the
// year 1, so that one of ten minutes begins at each ten minutes of the hour.
type Rate struct {
	Alerts int
	Per    time.Duration
}

// DefaultSlackRate is what a channel can take before nobody reads it any more.
var DefaultSlackRate = Rate{Alerts: 20, Per: 10 * time.Minute}

// notifiersFor are those who are to be told of an alert now.
func (d *Desk) notifiersFor(a schema.Alert, now time.Time) []Notifier {
	// That a notifier refuses must not be told to that notifier alone.
	about := slices.ContainsFunc(a.Findings, func(f schema.Finding) bool { return f.Rule == RefusalRule })
	if d.options.Policy.Routes == nil || about {
		return d.notifiers
	}
	names := d.options.Policy.Routes.Decide(a, now).Notifiers
	var chosen []Notifier
	for _, n := range d.notifiers {
		if slices.Contains(names, n.Name()) {
			chosen = append(chosen, n)
		}
	}
	if len(chosen) == 0 {
		return d.notifiers
	}
	return chosen
}

// adopt finds, once, other notifiers for the open alerts that only a notifier was to be
// told of which is configured no more, or under another name.
func (d *Desk) adopt(ctx context.Context) error {
	if len(d.orphans) == 0 {
		return nil
	}
	rows, err := deliveriesOf(ctx, d.store, d.orphans)
	if err != nil {
		return err
	}
	alerts, err := alertsByUID(ctx, d.store, d.orphans)
	if err != nil {
		return err
	}
	alerts = slices.DeleteFunc(alerts, func(a schema.Alert) bool {
		return a.Status.Closed() || slices.ContainsFunc(d.notifiers, func(n Notifier) bool { return rows[deliveryKey{a.UID, n.Name()}] != nil })
	})
	if err := d.ensureDeliveries(ctx, alerts); err != nil {
		return err
	}
	for _, a := range alerts {
		d.dueAt(a, time.Time{})
	}
	d.orphans = nil
	return nil
}

// notifierNames are the names of the notifiers.
func (d *Desk) notifierNames() []string {
	names := make([]string, len(d.notifiers))
	for i, n := range d.notifiers {
		names[i] = n.Name()
	}
	return names
}
