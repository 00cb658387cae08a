package alerting

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// health is how the desk's own work goes. It has a lock of its own, so that whoever
// asks does not wait for a notifier that answers slowly.
type health struct {
	sync.Mutex
	// flushed is when the outbox was looked at last without an error of the database.
	flushed time.Time
	// trouble is of each notifier since when it has taken nothing.
	trouble map[string]trouble
	// refusals are those that have not been handed on yet.
	refusals []Refusal
}

// trouble is since when a notifier has taken nothing, and when that was tried last.
type trouble struct{ since, tried time.Time }

// Refusal is a notifier that takes nothing until a person mends something.
type Refusal struct {
	Notifier string
	// Since is when the episode began.
	Since time.Time
	// Code is the refusing side's word, Mend what to do about it.
	Code, Mend string
}

// RefusalRule is the rule of findings about notifiers that refuse.
const RefusalRule = "notifier-refuses"

// RefusalRunbook is what a person does about a finding of RefusalRule.
var RefusalRunbook = []string{
	"Do what the message says; then try it with: crmwatch notify test --config FILE --notifier NAME",
	"Until then what the notifier refuses stands on crmwatch's standard output, and in: crmwatch alerts list",
	"Nothing is lost: when the notifier takes messages again, it gets what it missed.",
}

// Finding is the refusal as a finding, the same for the whole episode.
func (r Refusal) Finding(now time.Time) schema.Finding {
	f := schema.Finding{
		DetectedAt: now, Rule: RefusalRule, Severity: schema.SeverityHigh, Title: "A notifier refuses alerts",
		Message: fmt.Sprintf("The notifier %s takes no alerts since %s UTC (%s): %s. Alerts go to the standard output of crmwatch in the meantime.",
			r.Notifier, sayWhen(r.Since), r.Code, r.Mend),
		Product: "crmwatch", EntityType: "notifier", EntityUID: r.Notifier, Entity: r.Notifier,
		WindowFrom: r.Since, WindowTo: r.Since, FirstSeen: r.Since, LastSeen: r.Since,
		Attributes: map[string]string{"code": r.Code}, EvidenceSQL: "SELECT notifier, state, reason, count()\nFROM notifications FINAL\nGROUP BY ALL\nORDER BY ALL",
	}
	f.UID = schema.FindingUID(f.Rule, f.TenantUID, f.EntityType, f.EntityUID, r.Since)
	return f
}

// troubled notes since when a notifier has taken nothing.
func (h *health) troubled(name string, now time.Time) (since time.Time) {
	h.Lock()
	defer h.Unlock()
	if h.trouble == nil {
		h.trouble = map[string]trouble{}
	}
	t, known := h.trouble[name]
	if !known {
		t.since = now
	}
	t.tried = now
	h.trouble[name] = t
	return t.since
}

// well notes that a notifier has taken a message.
func (h *health) well(name string) {
	h.Lock()
	defer h.Unlock()
	delete(h.trouble, name)
}

func (h *health) refuses(r Refusal) {
	h.Lock()
	defer h.Unlock()
	h.refusals = append(h.refusals, r)
}

func (h *health) flush(now time.Time) {
	h.Lock()
	defer h.Unlock()
	h.flushed = now
}

// handOnRefusals gives to OnRefusal what the desk noticed while it was locked. What
// cannot be handed on is kept for the next time.
func (d *Desk) handOnRefusals(ctx context.Context) error {
	d.health.Lock()
	refusals := d.health.refusals
	d.health.refusals = nil
	d.health.Unlock()
	if d.options.OnRefusal == nil {
		return nil
	}
	for i, r := range refusals {
		if err := d.options.OnRefusal(ctx, r); err != nil {
			d.health.Lock()
			d.health.refusals = append(refusals[i:], d.health.refusals...)
			d.health.Unlock()
			return fmt.Errorf("hand on that the notifier %s refuses: %w", r.Notifier, err)
		}
	}
	return nil
}
