package alerting

import (
	"context"
	"fmt"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// quietEvery is how often a desk looks for snoozes that are over and alerts in which
// nothing has happened.
const quietEvery = 30 * time.Second

// quietBatch bounds what is resolved or woken at one time; the rest follows at the next.
const quietBatch = 500

// passTime wakes what has slept long enough, and resolves what has been quiet.
func (d *Desk) passTime(ctx context.Context, now time.Time) error {
	if now.Before(d.passedAt.Add(quietEvery)) {
		return nil
	}
	// snoozed_until of what does not sleep is 1970. What somebody has yet to be told of,
	// because it is muted or on its way, does not resolve by itself; nor does what they
	// were told of only now.
	saved, err := readAlerts(ctx, d.store, `(status = 'snoozed' AND toUnixTimestamp64Milli(snoozed_until) <= {now:Int64})
		OR (status IN ('open', 'acknowledged') AND toUnixTimestamp64Milli(greatest(joined_at, status_at)) BETWEEN 1 AND {quiet:Int64}
			AND alert_uid NOT IN (SELECT alert_uid FROM notifications FINAL WHERE notifier IN {notifiers:Array(String)}
				AND (toUnixTimestamp64Milli(first_attempt_at) > {quiet:Int64} OR state IN ('pending', 'sending', 'unknown')
					OR state = 'held' AND digest_uid = toUUID('00000000-0000-0000-0000-000000000000'))))
		ORDER BY alert_uid LIMIT {limit:UInt32}`,
		schema.Named("now", now.UnixMilli()), schema.Named("quiet", now.Add(-d.options.ResolveAfter).UnixMilli()), schema.Named("limit", uint32(quietBatch)),
		schema.Named("notifiers", d.notifierNames()))
	if err != nil {
		return err
	}
	if len(saved) < quietBatch {
		d.passedAt = now
	}
	if len(saved) == 0 {
		return nil
	}
	before := make(map[schema.UID]savedAlert, len(saved))
	for _, a := range saved {
		before[a.UID] = a
	}
	alerts, err := withFindings(ctx, d.store, saved)
	if err != nil {
		return err
	}
	var changed []savedAlert
	var transitions []schema.AlertTransition
	for i, a := range alerts {
		if a.Status == schema.AlertSnoozed {
			a = awake(a, now, "the snooze is over")
		} else {
			a = set(a, schema.AlertResolved, now, fmt.Sprintf("nothing more was found for %s", sayLong(d.options.ResolveAfter)))
		}
		a.Version, a.UpdatedAt = a.Version+1, now
		alerts[i] = a
		changed = append(changed, savedAlert{a, contentHash(a)})
		transitions = append(transitions, transitionsOf(a, before[a.UID], nil, nil, now)...)
	}
	if err := saveTransitions(ctx, d.store, transitions); err != nil {
		return err
	}
	if err := saveAlerts(ctx, d.store, changed); err != nil {
		return err
	}
	for _, a := range alerts {
		d.dueAt(a, time.Time{})
	}
	return nil
}
