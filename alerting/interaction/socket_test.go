package interaction_test

import (
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting/fakeslack"
)

// Slack moves connections every few hours, and networks cut them.
func TestReconnect(t *testing.T) {
	c := open(t, bySocket, nil)
	c.run()
	c.press("acknowledge", mira)
	await(t, c.requests)
	c.server.Disconnect("refresh_requested")
	await(t, c.connected)
	c.press("resolve", mira)
	await(t, c.requests)
	c.server.Cut()
	await(t, c.connected)
	c.press("acknowledge", mira)
	await(t, c.requests)
	if n := strings.Count(c.log.String(), "connected by Socket Mode"); n != 1 {
		t.Errorf("the log says %d times that it is connected:\n%s", n, c.log)
	}
}

// That Slack is not there is logged once, and that it is back.
func TestSlackDown(t *testing.T) {
	c := open(t, bySocket, nil)
	c.server.Script("apps.connections.open", fakeslack.Error("internal_error"), fakeslack.Status(503), fakeslack.Drop())
	c.run()
	c.press("acknowledge", mira)
	await(t, c.requests)
	log := c.log.String()
	if strings.Count(log, "no connection") != 1 || strings.Count(log, "connected by Socket Mode") != 1 {
		t.Errorf("log:\n%s", log)
	}
}

// A connection that Slack drops again and again is not opened again without a pause.
func TestNoHotLoop(t *testing.T) {
	c := open(t, bySocket, nil)
	c.run()
	c.server.Cut()
	for deadline, over := time.After(time.Second), false; !over; {
		select {
		case <-c.connected:
			c.server.Cut()
		case <-deadline:
			over = true
		}
	}
	if n := len(c.server.Calls("apps.connections.open")); n < 2 || n > 10 {
		t.Errorf("%d connections in a second", n)
	}
}

// No secret gets into the log or an answer, whatever happens.
func TestSecrets(t *testing.T) {
	c := open(t, bySocket, nil)
	c.server.Script("apps.connections.open", fakeslack.Error("invalid_auth?"), fakeslack.Drop())
	c.server.Script("users.info", fakeslack.Drop())
	c.run()
	c.outcome = nil // evidence and refusals only
	c.server.Script("chat.postEphemeral", fakeslack.Drop(), fakeslack.Error("channel_not_found"))
	for _, user := range []string{mira, otto} {
		c.press("evidence", user)
		await(t, c.told)
	}
	c.clock.Advance(time.Hour)
	if err := c.server.Command("/crmwatch", "help", fakeslack.DefaultChannel.ID, mira); err != nil {
		t.Fatal(err)
	}
	await(t, c.told)
	for _, secret := range []string{"canary", "ticket=", "/actions/"} {
		if strings.Contains(c.log.String(), secret) {
			t.Errorf("the log holds %q:\n%s", secret, c.log)
		}
		for _, m := range c.server.Ephemerals("") {
			if strings.Contains(m.Text+string(m.Blocks), secret) {
				t.Errorf("an answer holds %q", secret)
			}
		}
	}
}
