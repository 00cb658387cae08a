// Package alerting turns findings into alerts that people are told about: one
// alert a story, rendered for a terminal or for Slack, sent once and then updated
// in place, with an outbox in the database that survives the death of the process
// between any two steps.
package alerting

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// Options of a Desk; the zero value is good.
type Options struct {
	// Fallback is told what a notifier refuses, so that nothing is lost; it must
	// not be one of the notifiers. Without it a refusal is only logged.
	Fallback Notifier
	// UpdateEvery is the shortest time between two updates of one message, a
	// minute by default. A higher severity does not wait.
	UpdateEvery time.Duration
	// NotifyFrom is the least severity that the notifiers are told about, low by
	// default. What is below is kept and listed; when it grows to be worse, they are told.
	NotifyFrom schema.Severity
	// Policy is who is told of which alert, and when; zero is everybody of all.
	Policy Policy
	// ResolveAfter is how long nothing may join an alert until it is resolved by itself,
	// three days by default. What is found within StoryGap opens it again.
	ResolveAfter time.Duration
	// Lease is asked before every step that others see: its error says that another
	// instance keeps the alerts by now. Nil where there is only one.
	Lease func() error
	// OnRefusal is told, once an episode, of a notifier that takes nothing until a person
	// mends something. It may call Handle. Only Run and Round call it.
	OnRefusal func(context.Context, Refusal) error
	// OnRequest, if not nil, is told of what a person asked for and what became of it, with
	// the alert before. It is told before the request counts as done: while it returns an
	// error, the request stays, and is told again. What is told twice has one UID.
	OnRequest func(context.Context, schema.AlertRequest, schema.AlertTransition, schema.Alert) error
	// Clock is time.Now by default.
	Clock func() time.Time
	Log   *slog.Logger
}

// Desk keeps the alerts of one database and tells the notifiers about them. Its
// methods may be called from several goroutines; one process may have one Desk on
// a database.
type Desk struct {
	store     schema.Store
	notifiers []Notifier
	options   Options

	mu        sync.Mutex
	recovered bool
	// due holds the alerts about which somebody has yet to be told.
	due map[schema.UID]dueAlert
	// lines is the state of each notifier.
	lines map[string]*line
	// muting is what keeps people from being told; budgets bound how many alerts a
	// notifier is told one by one, and digests tell of the rest.
	muting  muting
	budgets map[string]*budget
	digests map[schema.UID]digestOf
	health  health
	// orphans are alerts that a notifier was to be told of which is configured no more.
	orphans []schema.UID
	// askedAt and passedAt are when requests and the passing of time were last seen to.
	askedAt, passedAt time.Time
}

// NewDesk makes a desk. It reads and sends nothing before its first call.
func NewDesk(store schema.Store, notifiers []Notifier, options Options) *Desk {
	if options.UpdateEvery <= 0 {
		options.UpdateEvery = time.Minute
	}
	if options.ResolveAfter <= 0 {
		options.ResolveAfter = 72 * time.Hour
	}
	if options.NotifyFrom == schema.SeverityUnknown {
		options.NotifyFrom = schema.SeverityLow
	}
	if options.Lease == nil {
		options.Lease = func() error { return nil }
	}
	if options.OnRequest == nil {
		options.OnRequest = func(context.Context, schema.AlertRequest, schema.AlertTransition, schema.Alert) error { return nil }
	}
	if options.Clock == nil {
		options.Clock = time.Now
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	d := &Desk{store: store, notifiers: slices.Clone(notifiers), options: options, due: map[schema.UID]dueAlert{}, lines: map[string]*line{}}
	for _, n := range notifiers {
		d.lines[n.Name()] = &line{}
	}
	if options.Fallback != nil {
		d.lines[options.Fallback.Name()] = &line{}
	}
	return d
}

// Handle joins findings, which must be in the findings table already, to the alerts
// of their stories, saves what changed, and tells the notifiers as far as they take it now;
// Run or Flush does the rest. Findings that bring nothing new change and send
// nothing, so they can be handled again after an error.
//
// The error is that of the database. What a notifier does wrong is not: it is in
// the outbox, and is tried again.
func (d *Desk) Handle(ctx context.Context, findings []schema.Finding) error {
	if len(findings) == 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.recover(ctx); err != nil {
		return err
	}
	if err := d.options.Lease(); err != nil {
		return err
	}
	existing, saved, err := d.nearAlerts(ctx, findings)
	if err != nil {
		return fmt.Errorf("load alerts: %w", err)
	}
	touched, changed, transitions := d.regroup(existing, saved, findings)
	d.observe(touched)
	if err := d.readMutes(ctx, d.options.Clock(), true); err != nil {
		return err
	}
	if err := d.ensureDeliveries(ctx, touched); err != nil {
		return err
	}
	if err := saveTransitions(ctx, d.store, transitions); err != nil {
		return err
	}
	if err := saveAlerts(ctx, d.store, changed); err != nil {
		return err
	}
	for _, a := range touched {
		d.dueAt(a, time.Time{})
	}
	if err := d.sweep(ctx, d.options.Clock()); err != nil {
		return err
	}
	return d.deliver(ctx, touched)
}

// nearAlerts loads the alerts that the findings may join, also closed ones.
func (d *Desk) nearAlerts(ctx context.Context, findings []schema.Finding) ([]schema.Alert, map[schema.UID]savedAlert, error) {
	from, to := seen(findings[0])
	keys := map[storyKey]bool{}
	for _, f := range findings {
		first, last := seen(f)
		from = earlier(from, first)
		if last.After(to) {
			to = last
		}
		keys[keyOf(f)] = true
	}
	near, err := readAlerts(ctx, d.store, `status != 'merged' AND toUnixTimestamp64Milli(last_seen) >= {from:Int64} AND toUnixTimestamp64Milli(first_seen) <= {to:Int64}`,
		schema.Named("from", from.Add(-StoryGap).UnixMilli()), schema.Named("to", to.Add(StoryGap).UnixMilli()))
	if err != nil {
		return nil, nil, err
	}
	near = slices.DeleteFunc(near, func(a savedAlert) bool { return !keys[keyOfAlert(a.Alert)] })
	existing, err := withFindings(ctx, d.store, near)
	if err != nil {
		return nil, nil, err
	}
	saved := make(map[schema.UID]savedAlert, len(near))
	for _, a := range near {
		saved[a.UID] = a
	}
	return existing, saved, nil
}

// regroup joins the findings to the stories; changed are the alerts among the
// touched ones that differ from what is saved, transitions what has happened to them.
func (d *Desk) regroup(existing []schema.Alert, saved map[schema.UID]savedAlert, findings []schema.Finding) (touched []schema.Alert, changed []savedAlert, transitions []schema.AlertTransition) {
	now := d.options.Clock()
	fresh := make(map[schema.UID]bool, len(findings))
	for _, f := range findings {
		fresh[f.UID] = true
	}
	for _, a := range Group(existing, findings) {
		isTouched := a.Status == schema.AlertMerged || slices.ContainsFunc(a.FindingUIDs, func(uid schema.UID) bool { return fresh[uid] })
		if !isTouched {
			continue
		}
		// A desk that tells nobody keeps the alerts of a scan: how old an export is
		// says nothing about how late anybody was.
		if late := now.Sub(a.LastSeen).Truncate(time.Second); a.Version == 0 && late >= time.Minute && len(d.notifiers) > 0 {
			a.SeenAfter = late
		}
		before, known := saved[a.UID]
		joined := joinedTo(a, before)
		rises := risen(a, d.options.NotifyFrom)
		if known {
			a = grown(a, before, joined, len(rises) > 0, now)
		} else {
			a.JoinedAt = now
		}
		if a.Status == schema.AlertFalsePositive {
			// More of what was judged to be nothing is no news.
			rises = nil
		}
		hash := contentHash(a)
		if !known || before.hash != hash || !slices.Equal(before.FindingUIDs, a.FindingUIDs) {
			a.Version, a.UpdatedAt, a.Peaks = a.Version+1, now, peaksOf(a)
			if len(rises) > 0 {
				a.RisenAt, a.Risen = now, sayRises(rises)
			}
			changed = append(changed, savedAlert{a, hash})
			transitions = append(transitions, transitionsOf(a, before, joined, rises, now)...)
		}
		touched = append(touched, a)
	}
	return touched, changed, transitions
}

// joinedTo lists the findings of an alert that were not in it before.
func joinedTo(a schema.Alert, before savedAlert) []schema.Finding {
	had := make(map[schema.UID]bool, len(before.FindingUIDs))
	for _, uid := range before.FindingUIDs {
		had[uid] = true
	}
	var joined []schema.Finding
	for _, f := range a.Findings {
		if !had[f.UID] {
			joined = append(joined, f)
		}
	}
	return joined
}

// ensureDeliveries puts alerts into the outbox before they are saved: an alert
// that exists is told, even by the next process.
func (d *Desk) ensureDeliveries(ctx context.Context, alerts []schema.Alert) error {
	known, err := deliveriesOf(ctx, d.store, uidsOf(alerts))
	if err != nil {
		return err
	}
	now := d.options.Clock()
	var missing []*delivery
	for _, a := range alerts {
		// An alert that nobody has heard of needs no word about being merged.
		if a.Status == schema.AlertMerged || a.Severity < d.options.NotifyFrom {
			continue
		}
		m := d.muted(a, now)
		for _, n := range d.notifiersFor(a, now) {
			if known[deliveryKey{a.UID, n.Name()}] != nil {
				continue
			}
			row := &delivery{alert: a.UID, notifier: n.Name(), state: statePending}
			if m.Muted() {
				row.state, row.reason, row.notBefore = stateHeld, m.Reason, m.Until
			}
			missing = append(missing, row)
		}
	}
	return saveDeliveries(ctx, d.store, now, missing...)
}

func uidsOf(alerts []schema.Alert) []schema.UID {
	uids := make([]schema.UID, len(alerts))
	for i, a := range alerts {
		uids[i] = a.UID
	}
	return uids
}

// Alerts reads alerts with their findings, for lists and reports.
func (d *Desk) Alerts(ctx context.Context, filter AlertFilter) ([]schema.Alert, error) {
	return Alerts(ctx, d.store, filter)
}
