package interaction_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting/fakeslack"
	"github.com/crmwatch/crmwatch/alerting/interaction"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// A press becomes a request with who, when and what, whichever way it comes.
func TestPress(t *testing.T) {
	for _, way := range []string{bySocket, byRequest} {
		t.Run(way, func(t *testing.T) {
			c := open(t, way, nil)
			c.run()
			uids := map[schema.UID]bool{}
			for _, action := range []schema.AlertAction{schema.ActionAcknowledge, schema.ActionResolve, schema.ActionFalsePositive, schema.ActionResolve} {
				c.press(string(action), mira)
				got := await(t, c.requests)
				want := schema.AlertRequest{At: c.clock.Now(), Alert: c.alert.UID, Action: action, Actor: "Mira Novak (U0MIRA00001)", Via: schema.ViaSlack}
				if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(schema.AlertRequest{}, "UID")); diff != "" {
					t.Error(diff)
				}
				uids[got.UID] = true
			}
			for text, length := range map[string]time.Duration{"1 hour": time.Hour, "4 hours": 4 * time.Hour, "24 hours": 24 * time.Hour} {
				if err := c.server.Choose(c.ts, "crmwatch_snooze", text, mira); err != nil {
					t.Fatal(err)
				}
				if got := await(t, c.requests); got.Action != schema.ActionSnooze || !got.Until.Equal(c.clock.Now().Add(length)) {
					t.Errorf("%s: %+v", text, got)
				} else {
					uids[got.UID] = true
				}
			}
			if len(uids) != 7 {
				t.Errorf("%d uids for seven presses", len(uids))
			}
			c.press("evidence", mira)
			m := await(t, c.told)
			if c.harmless(m); m.User != mira || !strings.Contains(m.Render(), "09:00 <!channel>") || !strings.Contains(m.Render(), c.alert.UID.String()) {
				t.Errorf("evidence for %s:\n%s", m.User, m.Render())
			}
			none(t, c.requests)
			none(t, c.refusals)
			none(t, c.told)
		})
	}
}

// Who is told why nothing was done: only the person, and never in markup.
func TestNotDone(t *testing.T) {
	c := open(t, bySocket, nil)
	c.run()
	c.outcome = func(r schema.AlertRequest) (schema.AlertTransition, error) {
		return schema.AlertTransition{Refused: "the alert is resolved (by " + attack + "): reopen it first"}, nil
	}
	c.press("acknowledge", mira)
	m := await(t, c.told)
	if c.harmless(m); m.User != mira || !strings.Contains(m.Render(), "reopen it first") {
		t.Errorf("refused:\n%s", m.Render())
	}
	c.outcome = func(r schema.AlertRequest) (schema.AlertTransition, error) {
		return schema.AlertTransition{}, errors.New("the database went away")
	}
	c.press("acknowledge", mira)
	m = await(t, c.told)
	if c.harmless(m); strings.Contains(m.Render(), "went away") || !strings.Contains(m.Render(), "try again") {
		t.Errorf("failed:\n%s", m.Render())
	}
	c.outcome = func(r schema.AlertRequest) (schema.AlertTransition, error) {
		return schema.AlertTransition{}, interaction.ErrLater
	}
	c.press("acknowledge", mira)
	if m = await(t, c.told); !strings.Contains(m.Render(), "It is written down") {
		t.Errorf("later:\n%s", m.Render())
	}
	if !strings.Contains(c.log.String(), "went away") {
		t.Errorf("the log does not say so:\n%s", c.log)
	}
}

// Slack hears within its three seconds that a press has come, whatever the desk does.
func TestAcknowledgedWhileTheDeskIsBusy(t *testing.T) {
	for _, way := range []string{bySocket, byRequest} {
		t.Run(way, func(t *testing.T) {
			c := open(t, way, nil)
			c.run()
			release := make(chan struct{})
			c.outcome = func(r schema.AlertRequest) (schema.AlertTransition, error) {
				<-release
				return schema.AlertTransition{}, nil
			}
			c.press("acknowledge", mira)
			c.press("resolve", mira)
			await(t, c.requests)
			c.press("evidence", mira) // reading waits for nobody
			await(t, c.told)
			close(release)
			if got := await(t, c.requests); got.Action != schema.ActionResolve {
				t.Errorf("out of order: %+v", got)
			}
		})
	}
}

// What does not fit any more is not acknowledged, so that Slack tells the person.
func TestTooMuchWaits(t *testing.T) {
	c := open(t, byRequest, nil) // nothing is done without Run
	presses := 0
	for ; presses < 1000; presses++ {
		if err := c.server.Press(c.ts, "crmwatch_acknowledge", mira); err != nil {
			break
		}
	}
	if presses != 100 {
		t.Errorf("%d presses were taken", presses)
	}
	c.run()
	for range presses {
		await(t, c.requests)
	}
	c.press("acknowledge", mira)
	await(t, c.requests)
}

// An envelope that Slack sends again, because an acknowledgement was lost, is done once.
func TestEnvelopeAgain(t *testing.T) {
	c := open(t, bySocket, func(_ *interaction.Options, s *fakeslack.Options) { s.AckWithin = 50 * time.Millisecond })
	c.run()
	c.server.LoseAcknowledgements(2)
	c.press("acknowledge", mira)
	if e := c.server.Envelopes(); len(e) != 1 || e[0].Deliveries != 3 || !e[0].Acknowledged {
		t.Errorf("envelopes: %d", len(e))
	}
	await(t, c.requests)
	c.press("resolve", mira)
	if got := await(t, c.requests); got.Action != schema.ActionResolve {
		t.Errorf("done twice: %+v", got)
	}
}

func TestNames(t *testing.T) {
	users := []fakeslack.User{{ID: mira, Name: "mira", RealName: "Mira (U0OTTO00001) " + attack + strings.Repeat("x", 200)}}
	c := open(t, byRequest, func(_ *interaction.Options, s *fakeslack.Options) { s.Users = users })
	c.run()
	c.press("acknowledge", mira)
	actor := await(t, c.requests).Actor
	if !strings.HasPrefix(actor, "Mira [U0OTTO00001] ") || !strings.HasSuffix(actor, " (U0MIRA00001)") && !strings.HasSuffix(actor, "… (U0MIRA00001)") || strings.Count(actor, "(") != 1 || len(actor) > 150 || strings.ContainsAny(actor, "\x1b\u202e") {
		t.Errorf("actor %q", actor)
	}
	c.clock.Advance(2 * time.Hour)
	c.server.Script("users.info", fakeslack.Error("missing_scope"))
	c.press("acknowledge", mira)
	if actor := await(t, c.requests).Actor; actor != "mira (U0MIRA00001)" {
		t.Errorf("without the scope: %q", actor)
	}
}
