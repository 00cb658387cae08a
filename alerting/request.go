package alerting

import (
	"context"
	"fmt"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// requestsEvery is how often a desk looks for what other processes ask of it.
const requestsEvery = 2 * time.Second

// Request does to an alert what a person asks, saves it, and brings the messages up to
// date as far as the notifiers take it now. The same request twice is done once. A
// refusal is no error: the transition says why.
func (d *Desk) Request(ctx context.Context, r schema.AlertRequest) (schema.AlertTransition, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.recover(ctx); err != nil {
		return schema.AlertTransition{}, err
	}
	if err := d.options.Lease(); err != nil {
		return schema.AlertTransition{}, err
	}
	// It is written down first: the next process does what this one could not.
	refused, known, err := Outcome(ctx, d.store, r.UID)
	if err != nil {
		return schema.AlertTransition{}, err
	}
	if known {
		return schema.AlertTransition{UID: r.UID, Alert: r.Alert, Action: r.Action, Actor: r.Actor, Via: r.Via, Refused: refused}, nil
	}
	if err := SaveRequest(ctx, d.store, r); err != nil {
		return schema.AlertTransition{}, err
	}
	return d.carryOut(ctx, r)
}

// Refuse records that somebody asked who may not, or in a way that is not good.
func (d *Desk) Refuse(ctx context.Context, r schema.AlertRequest, reason string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := schema.Alert{UID: r.Alert}
	if alerts, err := alertsByUID(ctx, d.store, []schema.UID{r.Alert}); err != nil {
		return err
	} else if len(alerts) == 1 {
		before = alerts[0]
	}
	t := requested(r, before, before, d.options.Clock(), reason)
	if err := saveTransitions(ctx, d.store, []schema.AlertTransition{t}); err != nil {
		return err
	}
	return d.options.OnRequest(ctx, r, t, before)
}

// carryOut does a request that is saved. Its steps can be repeated after a crash: the
// transition is written under the request's uid, and the alert says which request was
// carried out last.
func (d *Desk) carryOut(ctx context.Context, r schema.AlertRequest) (schema.AlertTransition, error) {
	now := d.options.Clock()
	alerts, err := d.requestedAlert(ctx, r.Alert)
	if err != nil {
		return schema.AlertTransition{}, err
	}
	if len(alerts) == 0 {
		t := requested(r, schema.Alert{UID: r.Alert}, schema.Alert{UID: r.Alert}, now, "there is no such alert")
		return t, d.refused(ctx, r, t, schema.Alert{UID: r.Alert})
	}
	before := alerts[0]
	if before.Request == r.UID {
		t := requested(r, before, before, now, "")
		if err := d.options.OnRequest(ctx, r, t, before); err != nil {
			return t, err
		}
		return t, saveRequest(ctx, d.store, r, requestDone, "")
	}
	after, refusal := change(before, r, now)
	if refusal != "" {
		t := requested(r, before, before, now, refusal)
		return t, d.refused(ctx, r, t, before)
	}
	after.Version, after.UpdatedAt = before.Version+1, now
	t := requested(r, before, after, now, "")
	if err := saveTransitions(ctx, d.store, []schema.AlertTransition{t}); err != nil {
		return t, err
	}
	if err := saveAlerts(ctx, d.store, []savedAlert{{after, contentHash(after)}}); err != nil {
		return t, err
	}
	if err := d.options.OnRequest(ctx, r, t, before); err != nil {
		return t, err
	}
	if err := saveRequest(ctx, d.store, r, requestDone, ""); err != nil {
		return t, err
	}
	d.dueAt(after, time.Time{})
	return t, d.deliver(ctx, []schema.Alert{after})
}

// requestedAlert finds the alert that a person means: one that goes on in another
// alert is that one.
func (d *Desk) requestedAlert(ctx context.Context, uid schema.UID) ([]schema.Alert, error) {
	const longestChain = 10
	for range longestChain {
		alerts, err := alertsByUID(ctx, d.store, []schema.UID{uid})
		if err != nil || len(alerts) == 0 || alerts[0].Status != schema.AlertMerged {
			return alerts, err
		}
		uid = alerts[0].MergedInto
	}
	return nil, fmt.Errorf("alert %s goes on in too many others", uid)
}

func (d *Desk) refused(ctx context.Context, r schema.AlertRequest, t schema.AlertTransition, a schema.Alert) error {
	if err := saveTransitions(ctx, d.store, []schema.AlertTransition{t}); err != nil {
		return err
	}
	if err := d.options.OnRequest(ctx, r, t, a); err != nil {
		return err
	}
	return saveRequest(ctx, d.store, r, requestRefused, t.Refused)
}

// carryOutPending does what other processes have asked for since the last look.
func (d *Desk) carryOutPending(ctx context.Context, now time.Time) error {
	if now.Before(d.askedAt.Add(requestsEvery)) {
		return nil
	}
	requests, err := pendingRequests(ctx, d.store)
	if err != nil {
		return err
	}
	for _, r := range requests {
		if _, err := d.carryOut(ctx, r); err != nil {
			return fmt.Errorf("carry out request %s: %w", r.UID, err)
		}
	}
	d.askedAt = now
	return nil
}
