package alerting

import (
	"context"
	"fmt"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// budget is what a notifier may still be told one by one in the present period.
type budget struct {
	rate Rate
	from time.Time
	used int
}

// roll begins a new period where the old one is over.
func (b *budget) roll(now time.Time) {
	if from := now.UTC().Truncate(b.rate.Per); !from.Equal(b.from) {
		b.from, b.used = from, 0
	}
}

// allows says whether one more alert of a severity may be told. A quarter of the rate
// is kept for what is at least high, and a tenth for what is critical: in a storm of
// others, they still come through.
func (b *budget) allows(severity schema.Severity, now time.Time) bool {
	b.roll(now)
	limit := b.rate.Alerts
	if severity < schema.SeverityCritical {
		limit -= b.rate.Alerts / 10
	}
	if severity < schema.SeverityHigh {
		limit -= b.rate.Alerts / 4
	}
	return b.used < limit
}

// spend counts a new message.
func (b *budget) spend(now time.Time) {
	b.roll(now)
	b.used++
}

// readBudgets counts what an earlier process has told in the present periods.
func (d *Desk) readBudgets(ctx context.Context, now time.Time) error {
	d.budgets = map[string]*budget{}
	for _, n := range d.notifiers {
		rate, bounded := d.options.Policy.Rates[n.Name()]
		if !bounded || rate.Alerts <= 0 || rate.Per <= 0 {
			continue
		}
		b := &budget{rate: rate}
		b.roll(now)
		var used uint64
		if err := d.store.QueryRow(ctx, `SELECT count() FROM notifications FINAL WHERE notifier = {notifier:String}
			AND toUnixTimestamp64Milli(first_attempt_at) >= {from:Int64} AND toUnixTimestamp64Milli(digest_from) = 0`,
			schema.Named("notifier", n.Name()), schema.Named("from", b.from.UnixMilli())).Scan(&used); err != nil {
			return fmt.Errorf("count the notifications of %s: %w", n.Name(), err)
		}
		b.used = int(used)
		d.budgets[n.Name()] = b
	}
	return nil
}

// overBudget says whether a new message has to be left to a digest.
func (d *Desk) overBudget(n Notifier, a schema.Alert, row *delivery, now time.Time) bool {
	b := d.budgets[n.Name()]
	return b != nil && a.Status != schema.AlertDigest && row.firstTry.IsZero() && !b.allows(a.Severity, now)
}

// spend counts the first try of a message.
func (d *Desk) spend(n Notifier, a schema.Alert, now time.Time) {
	if b := d.budgets[n.Name()]; b != nil && a.Status != schema.AlertDigest {
		b.spend(now)
	}
}
