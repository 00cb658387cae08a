package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/user"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/schema"
)

// lifeFlags choose one or several alerts to do something with.
type lifeFlags struct {
	alertFlags
	Alerts []string `arg:"" name:"alert" help:"The alerts' ids, or their beginnings."`
	Note   string   `placeholder:"TEXT" help:"Why; it is kept, and shown in Slack."`
}

type ackAlertCommand struct{ lifeFlags }

func (c *ackAlertCommand) Run(ctx context.Context, term terminal) error {
	return c.ask(ctx, term, schema.ActionAcknowledge, time.Time{})
}

type snoozeAlertCommand struct {
	lifeFlags
	For time.Duration `default:"4h" help:"How long, such as 1h or 24h."`
}

func (c *snoozeAlertCommand) Run(ctx context.Context, term terminal) error {
	return c.ask(ctx, term, schema.ActionSnooze, time.Now().Add(c.For))
}

type resolveAlertCommand struct {
	lifeFlags
	FalsePositive bool `help:"It was nothing that anybody should have been told."`
}

func (c *resolveAlertCommand) Run(ctx context.Context, term terminal) error {
	if c.FalsePositive {
		return c.ask(ctx, term, schema.ActionFalsePositive, time.Time{})
	}
	return c.ask(ctx, term, schema.ActionResolve, time.Time{})
}

type reopenAlertCommand struct{ lifeFlags }

func (c *reopenAlertCommand) Run(ctx context.Context, term terminal) error {
	return c.ask(ctx, term, schema.ActionReopen, time.Time{})
}

// ask asks for an action on every alert and says what became of it.
func (c *lifeFlags) ask(ctx context.Context, term terminal, action schema.AlertAction, until time.Time) error {
	store, mine, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	var alerts []schema.Alert
	for _, text := range c.Alerts {
		alert, err := oneAlert(ctx, store, text, c.where())
		if err != nil {
			return err
		}
		alerts = append(alerts, alert)
	}
	refused := 0
	for _, alert := range alerts {
		r := schema.AlertRequest{
			UID: schema.HashUID("cli", rand.Text()), At: time.Now(), Alert: alert.UID, Action: action,
			Actor: whoami(), Via: schema.ViaCLI, Note: c.Note, Until: until,
		}
		reason, known, err := c.carryOut(ctx, store, mine, r)
		switch {
		case err != nil:
			return err
		case !known:
			fmt.Fprintf(term.err, "crmwatch: %s is asked for alert %s, and no crmwatch has done it yet: it is done as soon as one runs\n", action, alert.UID)
		case reason != "":
			refused++
			fmt.Fprintf(term.err, "crmwatch: alert %s: %s\n", alert.UID, reason)
		default:
			fmt.Fprintf(term.out, "%s  %s\n", alert.UID, doneWords[action])
		}
	}
	if refused > 0 {
		return exitError{code: exitFailed}
	}
	return nil
}

var doneWords = map[schema.AlertAction]string{
	schema.ActionAcknowledge: "acknowledged", schema.ActionSnooze: "snoozed", schema.ActionResolve: "resolved",
	schema.ActionFalsePositive: "called a false positive", schema.ActionReopen: "open again",
}

// outcomePatience is how long a command waits for the crmwatch that keeps the alerts.
const outcomePatience = 15 * time.Second

// carryOut does a request itself where nobody else keeps the alerts, and otherwise asks
// whoever does; known is false where that one has not answered in time.
func (c *lifeFlags) carryOut(ctx context.Context, store schema.Store, mine bool, r schema.AlertRequest) (refused string, known bool, err error) {
	if mine {
		// Messages are brought up to date by the next crmwatch that can reach Slack.
		t, err := alerting.NewDesk(store, nil, alerting.Options{OnRequest: recordRequest(store)}).Request(ctx, r)
		return t.Refused, true, err
	}
	if err := alerting.SaveRequest(ctx, store, r); err != nil {
		return "", false, err
	}
	for deadline := time.Now().Add(outcomePatience); time.Now().Before(deadline); {
		if refused, known, err = alerting.Outcome(ctx, store, r.UID); known || err != nil {
			return refused, known, err
		}
		select {
		case <-ctx.Done():
			return "", false, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
	return "", false, nil
}

// whoami names who asks: the user, behind sudo too, and the machine.
func whoami() string {
	name := os.Getenv("SUDO_USER")
	if name == "" {
		if u, err := user.Current(); err == nil {
			name = u.Username
		}
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name
}
