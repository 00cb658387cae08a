package alerting_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting/fakeslack"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/google/go-cmp/cmp"
)

// requestSteps is how many times a request and its reply write to the database: the
// request, the transition, the alert, its outcome, the updated message, the reply that
// begins and the reply that stands.
const requestSteps = 7

// The process dies between any two steps of a request: the next one carries it out, and
// the thread tells it once, or a second time with a label where nobody can look.
func TestRequestCrash(t *testing.T) {
	for _, blind := range []bool{false, true} {
		for _, after := range []bool{false, true} {
			for write := 1; write <= requestSteps; write++ {
				if blind && write < requestSteps-1 {
					continue // Nothing is looked up before the reply.
				}
				t.Run(fmt.Sprintf("blind=%v/after=%v/write=%d", blind, after, write), func(t *testing.T) {
					o := openOffice(t)
					o.mustFind(finding("recon", at(1)))
					if blind {
						o.server.Script("conversations.replies", missingScope(20)...)
					}
					r := o.ask(schema.ActionAcknowledge, "", time.Time{})
					o.clock.Advance(2 * time.Second)
					o.store.fail, o.store.after = o.store.writes+write, after
					_, err := o.desk.Request(t.Context(), r)
					if err == nil {
						o.clock.Advance(2 * time.Second)
						_, err = o.desk.Flush(t.Context())
					}
					if !errors.Is(err, errShaky) {
						t.Fatalf("request: %v", err)
					}
					o.restart()
					o.clock.Advance(3 * time.Second)
					o.flush(time.Hour)
					// Whoever got an error asks again.
					o.request(r)
					o.flush(time.Hour)
					if diff := cmp.Diff([]string{"open >open", "acknowledge open>acknowledged"}, o.history()); diff != "" {
						t.Error(diff)
					}
					if m := o.theMessage(); !strings.Contains(m.Render(), "Acknowledged, by Mira") {
						t.Errorf("the message shows\n%s", m.Render())
					}
					plain, repeats := 0, 0
					for _, m := range o.server.Replies(o.theMessage()) {
						if labelled(m) {
							repeats++
						} else {
							plain++
						}
					}
					if plain+repeats == 0 || plain > 1 || repeats > 1 || !blind && repeats > 0 {
						t.Errorf("%d replies and %d repeats: %q", plain, repeats, o.thread())
					}
				})
			}
		}
	}
}

// A reply whose answer is lost is looked up before it is sent again.
func TestReplyUnknownOutcome(t *testing.T) {
	cases := map[string]fakeslack.Fault{
		"cut before acceptance": fakeslack.Drop(), "cut after acceptance": fakeslack.AcceptThenDrop(),
		"500 before acceptance": fakeslack.Status(500), "500 after acceptance": fakeslack.AcceptThenStatus(500),
		"rate limited": fakeslack.RateLimited(20 * time.Second),
	}
	for name, fault := range cases {
		t.Run(name, func(t *testing.T) {
			o := openOffice(t)
			o.mustFind(finding("recon", at(1)))
			o.server.Script("chat.postMessage", fault)
			o.request(o.ask(schema.ActionAcknowledge, "", time.Time{}))
			o.flush(5 * time.Second)
			o.restart()
			o.flush(time.Hour)
			if diff := cmp.Diff([]string{"Acknowledged by Mira (U0MIRA)"}, o.thread()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A thread that takes nothing costs the reply and nothing else: the message shows it.
func TestReplyRefused(t *testing.T) {
	o := openOffice(t)
	o.mustFind(finding("recon", at(1)))
	o.server.Script("chat.postMessage", fakeslack.Error("restricted_action_thread_locked"))
	o.request(o.ask(schema.ActionAcknowledge, "", time.Time{}))
	o.flush(time.Hour)
	if n := o.calls("chat.postMessage"); n > 3 {
		t.Errorf("%d posts: a hot loop", n)
	}
	if m := o.theMessage(); !strings.Contains(m.Render(), "Acknowledged, by Mira") {
		t.Errorf("the message shows\n%s", m.Render())
	}
	o.clock.Advance(time.Hour)
	o.request(o.ask(schema.ActionResolve, "", time.Time{}))
	o.flush(time.Hour)
	if thread := o.thread(); len(thread) == 0 || !strings.Contains(thread[len(thread)-1], "Resolved by Mira") {
		t.Errorf("later replies are lost: %q", thread)
	}
}
