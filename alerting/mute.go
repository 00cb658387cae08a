package alerting

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/alerting/route"
	"github.com/crmwatch/crmwatch/schema"
)

const (
	// muteEvery is how often silences are read: a silence that somebody adds or ends
	// counts after that time at the latest.
	muteEvery = 5 * time.Second
	// inhibitedCheck is how often an inhibited alert is looked at. The end of its cause
	// is noticed earlier.
	inhibitedCheck = 5 * time.Minute
	// releaseSize bounds how many alerts one Flush lets go after a silence.
	releaseSize = 2000
)

// muting is what mutes alerts at present.
type muting struct {
	readAt   time.Time
	silences []route.Silence
	// causes are the open alerts that inhibit others.
	causes map[schema.UID]schema.Alert
	// active names all that mutes, to see when that changes.
	active string
	// held are the alerts that wait for the end of what mutes them.
	held map[schema.UID]bool
}

// muted says why nobody is to be told of an alert now.
func (d *Desk) muted(a schema.Alert, now time.Time) route.Mute {
	if a.Status == schema.AlertDigest || a.Status.Closed() {
		return route.Mute{}
	}
	causes := slices.SortedFunc(maps.Values(d.muting.causes), func(a, b schema.Alert) int { return bytes.Compare(a.UID[:], b.UID[:]) })
	return d.options.Policy.Quiet.Muted(a, now, d.muting.silences, causes)
}

// observe notes which of the alerts inhibit others.
func (d *Desk) observe(alerts []schema.Alert) {
	if !d.options.Policy.Quiet.Inhibits() {
		return
	}
	for _, a := range alerts {
		if d.options.Policy.Quiet.Causes(a) {
			d.muting.causes[a.UID] = a
		} else {
			delete(d.muting.causes, a.UID)
		}
	}
}

// readMutes reads what mutes now, unless it did so a moment ago. Where that has
// changed, each alert that is held is looked at again.
func (d *Desk) readMutes(ctx context.Context, now time.Time, anew bool) error {
	m := &d.muting
	if !anew && now.Sub(m.readAt) < muteEvery && !now.Before(m.readAt) {
		return nil
	}
	silences, err := readSilences(ctx, d.store, "toUnixTimestamp64Milli(ends_at) > {now:Int64}", schema.Named("now", now.UnixMilli()))
	if err != nil {
		return err
	}
	if err := d.dropClosedCauses(ctx); err != nil {
		return err
	}
	m.readAt, m.silences = now, silences
	if active := m.describe(d.options.Policy.Quiet.Open(now), now); active != m.active {
		m.active = active
		for uid := range m.held {
			if due, waits := d.due[uid]; waits {
				due.at = time.Time{}
				d.due[uid] = due
			}
		}
	}
	return nil
}

func (m *muting) describe(windows []string, now time.Time) string {
	names := slices.Clone(windows)
	for _, s := range m.silences {
		if s.Active(now) {
			names = append(names, fmt.Sprint(s.UID, s.Version))
		}
	}
	for uid := range m.causes {
		names = append(names, uid.String())
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// dropClosedCauses forgets the causes that somebody, or something, has closed.
func (d *Desk) dropClosedCauses(ctx context.Context) error {
	if len(d.muting.causes) == 0 {
		return nil
	}
	for chunk := range slices.Chunk(slices.Collect(maps.Keys(d.muting.causes)), uidChunk) {
		saved, err := readAlerts(ctx, d.store, "alert_uid IN {uids:Array(UUID)}", schema.Named("uids", writeUIDs(chunk)))
		if err != nil {
			return err
		}
		for _, a := range saved {
			if a.Status.Closed() {
				delete(d.muting.causes, a.UID)
			}
		}
	}
	return nil
}

// readCauses finds, once, the open alerts that inhibit others.
func (d *Desk) readCauses(ctx context.Context) error {
	d.muting.causes, d.muting.held = map[schema.UID]schema.Alert{}, map[schema.UID]bool{}
	if !d.options.Policy.Quiet.Inhibits() {
		return nil
	}
	rules, err := rulesOfFindings(ctx, d.store)
	if err != nil {
		return err
	}
	rules = slices.DeleteFunc(rules, func(rule string) bool { return !d.options.Policy.Quiet.RulesOfCauses(rule) })
	saved, err := readAlerts(ctx, d.store, `status NOT IN ('resolved', 'false_positive', 'merged') AND alert_uid IN
		(SELECT alert_uid FROM (SELECT alert_uid, arrayJoin(finding_uids) AS finding_uid FROM alerts FINAL)
		WHERE finding_uid IN (SELECT finding_uid FROM findings FINAL WHERE rule IN {rules:Array(String)}))`, schema.Named("rules", rules))
	if err != nil {
		return err
	}
	alerts, err := withFindings(ctx, d.store, saved)
	if err != nil {
		return err
	}
	d.observe(alerts)
	return nil
}

func rulesOfFindings(ctx context.Context, store schema.Store) ([]string, error) {
	rows, err := store.Query(ctx, "SELECT DISTINCT rule FROM findings ORDER BY rule")
	if err != nil {
		return nil, fmt.Errorf("read the rules of findings: %w", err)
	}
	defer rows.Close()
	rules := []string{}
	for rows.Next() {
		var rule string
		if err := rows.Scan(&rule); err != nil {
			return nil, fmt.Errorf("read the rules of findings: %w", err)
		}
		rules = append(rules, rule)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the rules of findings: %w", err)
	}
	return rules, nil
}

// hold keeps an alert's messages back while it is muted. It returns the rows of the
// outbox that have to be saved for that.
func (d *Desk) hold(a schema.Alert, rows map[deliveryKey]*delivery, m route.Mute, now time.Time) (changed []*delivery) {
	waits := false
	for _, n := range d.notifiers {
		row := rows[deliveryKey{a.UID, n.Name()}]
		if row == nil || row.state == stateHeld && row.digest != (schema.UID{}) {
			continue
		}
		waits = true
		state := row.state
		if state == statePending || state == stateFailed && row.receipt == (Receipt{}) {
			state = stateHeld
		}
		// What stands already keeps its state, and is brought up to date later.
		if row.state != state || row.reason != m.Reason || !row.notBefore.Equal(m.Until) {
			row.state, row.reason, row.notBefore = state, m.Reason, m.Until
			changed = append(changed, row)
		}
	}
	if !waits {
		delete(d.due, a.UID)
		delete(d.muting.held, a.UID)
		return nil
	}
	d.muting.held[a.UID] = true
	until := m.Until
	if until.IsZero() {
		until = now.Add(inhibitedCheck)
	}
	d.dueAt(a, until)
	return changed
}

// release lets those alerts go that are muted no more, many at once: after a silence
// they are as many as there were in it.
func (d *Desk) release(ctx context.Context, now time.Time) error {
	var ripe []schema.UID
	for uid := range d.muting.held {
		if due, waits := d.due[uid]; !waits {
			delete(d.muting.held, uid)
		} else if !due.at.After(now) && len(ripe) < releaseSize {
			ripe = append(ripe, uid)
		}
	}
	if len(ripe) == 0 {
		return nil
	}
	alerts, err := alertsByUID(ctx, d.store, ripe)
	if err != nil {
		return err
	}
	rows, err := deliveriesOf(ctx, d.store, ripe)
	if err != nil {
		return err
	}
	var changed []*delivery
	found := make(map[schema.UID]bool, len(alerts))
	for _, a := range alerts {
		found[a.UID] = true
		if m := d.muted(a, now); m.Muted() {
			changed = append(changed, d.hold(a, rows, m, now)...)
			continue
		}
		delete(d.muting.held, a.UID)
		d.dueAt(a, time.Time{})
		if a.Status.Closed() {
			continue
		}
		for _, n := range d.notifiers {
			if row := rows[deliveryKey{a.UID, n.Name()}]; row != nil && row.letGo() {
				changed = append(changed, row)
			}
		}
	}
	for _, uid := range ripe {
		if !found[uid] {
			// It was never saved: its findings come again.
			delete(d.muting.held, uid)
			delete(d.due, uid)
		}
	}
	if err := d.options.Lease(); err != nil {
		return err
	}
	return saveDeliveries(ctx, d.store, now, changed...)
}

// letGo ends the hold of a row that waits for the end of what mutes its alert.
func (row *delivery) letGo() bool {
	muted := isMute(row.reason)
	if row.state == stateHeld && row.digest == (schema.UID{}) {
		row.state, muted = statePending, true
	}
	if muted {
		row.reason, row.notBefore = "", time.Time{}
	}
	return muted
}

// isMute says whether a row's reason is what mutes its alert.
func isMute(reason string) bool {
	return strings.HasPrefix(reason, "silence ") || strings.HasPrefix(reason, "maintenance ") || strings.HasPrefix(reason, "inhibited by ")
}
