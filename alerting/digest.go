package alerting

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// digestOf is whom a digest tells, and the beginning of its period.
type digestOf struct {
	notifier string
	from     time.Time
}

func (o digestOf) uid() schema.UID {
	return schema.HashUID("digest", o.notifier, o.from.UTC().Format(time.RFC3339))
}

const (
	// digestNames is how many entities and rules a digest names.
	digestNames = 5
	// digestMemory is how long a digest is kept up to date.
	digestMemory = 24 * time.Hour
)

// sweep leaves to a digest what a notifier cannot be told any more in this period: all
// of it at once, for after a storm that are thousands.
func (d *Desk) sweep(ctx context.Context, now time.Time) error {
	for _, n := range d.notifiers {
		b := d.budgets[n.Name()]
		if b == nil || b.allows(schema.SeverityLow, now) {
			continue
		}
		if err := d.sweepNotifier(ctx, n, b, now); err != nil {
			return err
		}
	}
	return nil
}

func (d *Desk) sweepNotifier(ctx context.Context, n Notifier, b *budget, now time.Time) error {
	waiting := false
	for uid, due := range d.due {
		if _, digest := d.digests[uid]; !digest && !d.muting.held[uid] && !b.allows(due.severity, now) {
			waiting = true
			break
		}
	}
	if !waiting {
		return nil
	}
	// All rows of the alerts that have yet to be told to n.
	rows := map[deliveryKey]*delivery{}
	if err := readDeliveries(ctx, d.store, rows, `alert_uid IN (SELECT alert_uid FROM notifications FINAL
		WHERE notifier = {notifier:String} AND state = 'pending' AND toUnixTimestamp64Milli(first_attempt_at) = 0 AND toUnixTimestamp64Milli(digest_from) = 0)`,
		schema.Named("notifier", n.Name())); err != nil {
		return err
	}
	muted, err := d.mutedOf(ctx, rows, now)
	if err != nil {
		return err
	}
	of := digestOf{n.Name(), b.from}
	digest := of.uid()
	var changed []*delivery
	worst := schema.SeverityUnknown
	for key, row := range rows {
		due, isDue := d.due[key.alert]
		if key.notifier != n.Name() || row.state != statePending || !isDue || muted[key.alert] || d.muting.held[key.alert] || b.allows(due.severity, now) {
			continue
		}
		row.state, row.reason, row.digest, row.severity, row.notBefore = stateHeld, "digest", digest, due.severity, time.Time{}
		worst = max(worst, due.severity)
		changed = append(changed, row)
	}
	if len(changed) == 0 {
		return nil
	}
	held := len(changed)
	known, err := deliveriesOf(ctx, d.store, []schema.UID{digest})
	if err != nil {
		return err
	}
	if known[deliveryKey{digest, of.notifier}] == nil {
		changed = append(changed, &delivery{alert: digest, notifier: of.notifier, state: statePending, digestFrom: of.from})
	}
	if err := d.options.Lease(); err != nil {
		return err
	}
	// One insert: the digest is in the outbox when what it tells of is held for it.
	if err := saveDeliveries(ctx, d.store, now, changed...); err != nil {
		return err
	}
	d.options.Log.Warn("more alerts than a notifier is to be told one by one: a digest tells of the rest", "notifier", n.Name(), "alerts", held,
		"limit", b.rate.Alerts, "per", b.rate.Per)
	d.digests[digest] = of
	d.due[digest] = dueAlert{severity: max(worst, d.due[digest].severity), firstSeen: of.from}
	d.forgetHeld(rows)
	return nil
}

// mutedOf finds the alerts of rows of which no digest is to tell, because they have
// been muted since they were written down.
func (d *Desk) mutedOf(ctx context.Context, rows map[deliveryKey]*delivery, now time.Time) (map[schema.UID]bool, error) {
	if d.muting.active == "" {
		return nil, nil
	}
	uids := map[schema.UID]bool{}
	for key := range rows {
		uids[key.alert] = true
	}
	alerts, err := alertsByUID(ctx, d.store, slices.Collect(maps.Keys(uids)))
	if err != nil {
		return nil, err
	}
	muted := map[schema.UID]bool{}
	for _, a := range alerts {
		muted[a.UID] = d.muted(a, now).Muted()
	}
	return muted, nil
}

// forgetHeld takes off the list of what is due the alerts of which every row is held
// for a digest.
func (d *Desk) forgetHeld(rows map[deliveryKey]*delivery) {
	open := map[schema.UID]bool{}
	for key, row := range rows {
		open[key.alert] = open[key.alert] || row.state != stateHeld || row.digest == (schema.UID{})
	}
	for uid, isOpen := range open {
		if !isOpen {
			delete(d.due, uid)
		}
	}
}

// readDigests finds, once, the digests that may have to be told or brought up to date.
func (d *Desk) readDigests(ctx context.Context, now time.Time) error {
	d.digests = map[schema.UID]digestOf{}
	rows := map[deliveryKey]*delivery{}
	if err := readDeliveries(ctx, d.store, rows, `toUnixTimestamp64Milli(digest_from) != 0
		AND (state IN ('pending', 'sending', 'unknown') OR toUnixTimestamp64Milli(digest_from) >= {since:Int64})`,
		schema.Named("since", now.Add(-digestMemory).UnixMilli())); err != nil {
		return err
	}
	for key, row := range rows {
		d.digests[key.alert] = digestOf{key.notifier, row.digestFrom}
		d.due[key.alert] = dueAlert{severity: row.severity, firstSeen: row.digestFrom}
	}
	return nil
}

// loadDigests makes the digests among the uids, and returns the other uids.
func (d *Desk) loadDigests(ctx context.Context, uids []schema.UID) (digests []schema.Alert, others []schema.UID, err error) {
	for _, uid := range uids {
		of, is := d.digests[uid]
		if !is {
			others = append(others, uid)
			continue
		}
		a, err := readDigest(ctx, d.store, uid, of)
		if err != nil {
			return nil, nil, err
		}
		digests = append(digests, a)
	}
	return digests, others, nil
}

// readDigest makes a digest of what is held for it. Its findings are its lines, its
// version the number of alerts that it stands for.
func readDigest(ctx context.Context, store schema.Store, uid schema.UID, of digestOf) (schema.Alert, error) {
	a := schema.Alert{UID: uid, Status: schema.AlertDigest, FirstSeen: of.from, LastSeen: of.from}
	bySeverity, err := readCounts(ctx, store, `SELECT toString(severity_id), count() AS n FROM alerts FINAL WHERE alert_uid IN
			(SELECT alert_uid FROM notifications FINAL WHERE digest_uid = {digest:UUID} AND state = 'held')
		GROUP BY severity_id ORDER BY severity_id DESC`, uid)
	if err != nil {
		return a, err
	}
	var counts []string
	for _, c := range bySeverity {
		var id schema.Severity
		if _, err := fmt.Sscan(c.name, &id); err != nil {
			return a, fmt.Errorf("read digest: %w", err)
		}
		a.Severity = max(a.Severity, id)
		a.Version += c.n
		counts = append(counts, fmt.Sprintf("%d %s", c.n, id))
	}
	a.Title = fmt.Sprintf("%d more alerts (%s)", a.Version, strings.Join(counts, ", "))
	if a.Version == 1 {
		a.Title = "1 more alert (" + counts[0] + ")"
	}
	entities, err := readCounts(ctx, store, `SELECT entity, count() AS n FROM alerts FINAL WHERE alert_uid IN
			(SELECT alert_uid FROM notifications FINAL WHERE digest_uid = {digest:UUID} AND state = 'held')
		GROUP BY entity ORDER BY max(severity_id) DESC, n DESC, entity LIMIT 100`, uid)
	if err != nil {
		return a, err
	}
	rules, err := readCounts(ctx, store, `SELECT rule, uniqExact(alert_uid) AS n
		FROM (SELECT alert_uid, arrayJoin(finding_uids) AS finding_uid FROM alerts FINAL WHERE alert_uid IN
			(SELECT alert_uid FROM notifications FINAL WHERE digest_uid = {digest:UUID} AND state = 'held')) AS held
		INNER JOIN (SELECT finding_uid, rule FROM findings FINAL) AS found USING finding_uid
		GROUP BY rule ORDER BY n DESC, rule LIMIT 100`, uid)
	if err != nil {
		return a, err
	}
	for _, line := range []string{sayTop("Top entities", entities), sayTop("Top rules", rules)} {
		if line != "" {
			a.Findings = append(a.Findings, schema.Finding{Title: line})
		}
	}
	return a, nil
}

type nameCount struct {
	name string
	n    uint64
}

// readCounts runs one of the digest's queries, which are constants.
func readCounts(ctx context.Context, store schema.Store, query string, digest schema.UID) ([]nameCount, error) {
	rows, err := store.Query(ctx, query, schema.Named("digest", digest.String()))
	if err != nil {
		return nil, fmt.Errorf("read digest: %w", err)
	}
	defer rows.Close()
	var counts []nameCount
	for rows.Next() {
		var c nameCount
		if err := rows.Scan(&c.name, &c.n); err != nil {
			return nil, fmt.Errorf("read digest: %w", err)
		}
		counts = append(counts, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read digest: %w", err)
	}
	return counts, nil
}

// sayTop names the first of many, each made harmless.
func sayTop(label string, counts []nameCount) string {
	var names []string
	for _, c := range counts[:min(len(counts), digestNames)] {
		name := shown(c.name, 80)
		if c.n > 1 {
			name += fmt.Sprintf(" (%d)", c.n)
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return ""
	}
	if len(counts) > digestNames {
		names = append(names, "…")
	}
	return label + ": " + strings.Join(names, ", ")
}
