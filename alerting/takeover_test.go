package alerting_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/google/go-cmp/cmp"
)

var errTakenOver = errors.New("another instance leads")

// E6: a process is stopped at any step until another has taken over and gone on; when
// it is let go, it sends nothing more. Each alert is told once.
func TestStoppedLeaderSendsNothing(t *testing.T) {
	const steps = 5 // outbox, transition, alert, sending, sent
	for step := 1; step <= steps; step++ {
		t.Run(fmt.Sprint(step), func(t *testing.T) {
			o := openOffice(t)
			lost := false
			first := alerting.NewDesk(o.store, []alerting.Notifier{o.slack}, alerting.Options{Clock: o.clock.Now, Lease: func() error {
				if lost {
					return errTakenOver
				}
				return nil
			}})
			f := finding("recon", at(1))
			o.save(f)
			begin := o.store.writes
			o.store.wrote = func(writes int) {
				if writes != begin+step {
					return
				}
				// Here the process stands still. The other one leads now.
				o.store.wrote = nil
				lost = true
				o.clock.Advance(time.Minute)
				o.mustFind(f)
				o.flush(time.Hour)
			}
			// Before the step "sending" it reads that the other has told it already.
			if err := first.Handle(t.Context(), []schema.Finding{f}); err != nil && !errors.Is(err, errTakenOver) {
				t.Errorf("the first process: %v", err)
			}
			if _, err := first.Flush(t.Context()); !errors.Is(err, errTakenOver) {
				t.Errorf("flushing without the lease: %v", err)
			}
			if _, err := first.Request(t.Context(), o.ask(schema.ActionResolve, "", time.Time{})); !errors.Is(err, errTakenOver) {
				t.Errorf("a request without the lease: %v", err)
			}
			plain := 0
			for _, m := range o.messages() {
				if !labelled(m) {
					plain++
				}
			}
			if plain > 1 || len(o.messages()) != 1 {
				t.Errorf("%d messages, %d of them without a label", len(o.messages()), plain)
			}
			if diff := cmp.Diff([]string{"open >open"}, o.history()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
