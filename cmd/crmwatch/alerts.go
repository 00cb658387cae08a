package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
)

type alertsCommand struct {
	List    listAlertsCommand   `cmd:"" help:"List the alerts, the most severe first."`
	Show    showAlertCommand    `cmd:"" help:"Tell one alert's story and what was done about it."`
	Ack     ackAlertCommand     `cmd:"" help:"Acknowledge an alert: it is in your hands."`
	Snooze  snoozeAlertCommand  `cmd:"" help:"Let an alert sleep; it wakes by itself, or when it gets worse."`
	Resolve resolveAlertCommand `cmd:"" help:"Close an alert that is dealt with, or that is a false positive."`
	Reopen  reopenAlertCommand  `cmd:"" help:"Open a closed alert again."`
}

// alertFlags say where the alerts are.
type alertFlags struct {
	Data    string `placeholder:"DIR" help:"Data directory; a running crmwatch on it is asked." xor:"where" required:""`
	DSNFile string `name:"dsn-file" placeholder:"FILE" help:"File with the URL of a ClickHouse server: https://user:password@host:8443/database." xor:"where" required:""`
}

// open opens the database; mine says that no running crmwatch keeps its alerts.
func (c *alertFlags) open(ctx context.Context) (store schema.Store, mine bool, done func(), err error) {
	if c.DSNFile != "" {
		conn, err := openServer(ctx, c.DSNFile)
		if err != nil {
			return nil, false, nil, err
		}
		return conn, false, func() { _ = conn.Close() }, nil
	}
	db, err := openDatabase(ctx, c.Data, databaseOptions{mustExist: true})
	if err != nil {
		return nil, false, nil, err
	}
	return db.conn, db.engine != nil, db.close, nil
}

// where repeats the flags in a hint.
func (c *alertFlags) where() string {
	if c.DSNFile != "" {
		return "--dsn-file " + c.DSNFile
	}
	return "--data " + c.Data
}

type listAlertsCommand struct {
	alertFlags
	Status      string        `placeholder:"STATUS" help:"Only open, acknowledged, snoozed, resolved, false_positive or merged ones; active is all that is not closed."`
	MinSeverity string        `placeholder:"SEVERITY" help:"Only of this severity and above: low, medium, high or critical."`
	Entity      string        `placeholder:"NAME" help:"Only about this entity: a part of its name, or its id."`
	Since       time.Duration `placeholder:"DURATION" help:"Only those with events in this time, such as 24h."`
	Limit       int           `default:"1000" help:"At most so many."`
	JSON        bool          `name:"json" help:"Write one JSON object a line."`
}

func (c *listAlertsCommand) filter(now time.Time) (alerting.AlertFilter, error) {
	f := alerting.AlertFilter{Entity: c.Entity, Limit: c.Limit}
	switch status := schema.AlertStatus(strings.ReplaceAll(c.Status, " ", "_")); status {
	case "":
	case "active":
		f.Active = true
	case schema.AlertOpen, schema.AlertAcknowledged, schema.AlertSnoozed, schema.AlertResolved, schema.AlertFalsePositive, schema.AlertMerged:
		f.Status = status
	default:
		return f, fmt.Errorf("--status is %q: use active, open, acknowledged, snoozed, resolved, false_positive or merged", c.Status)
	}
	if c.MinSeverity != "" {
		severity, known := schema.ParseSeverity(c.MinSeverity)
		if !known {
			return f, fmt.Errorf("--min-severity is %q: use low, medium, high or critical", c.MinSeverity)
		}
		f.MinSeverity = severity
	}
	if c.Since > 0 {
		f.Since = now.Add(-c.Since)
	}
	return f, nil
}

func (c *listAlertsCommand) Run(ctx context.Context, term terminal) error {
	filter, err := c.filter(time.Now())
	if err != nil {
		return err
	}
	store, _, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	alerts, err := alerting.Alerts(ctx, store, filter)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(term.out)
		for _, a := range alerts {
			if err := encoder.Encode(alerting.Document(a)); err != nil {
				return fmt.Errorf("write alerts: %w", err)
			}
		}
		return nil
	}
	return alerting.WriteList(term.out, alerts)
}

type showAlertCommand struct {
	alertFlags
	Rules []string `placeholder:"DIR" help:"Folders with rules of your own, for their next steps."`
	Alert string   `arg:"" help:"The alert's id, or its beginning."`
	JSON  bool     `name:"json" help:"Write one JSON object, with the findings."`
}

func (c *showAlertCommand) Run(ctx context.Context, term terminal) error {
	store, _, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	alert, err := oneAlert(ctx, store, c.Alert, c.where())
	if err != nil {
		return err
	}
	if c.JSON {
		if err := json.NewEncoder(term.out).Encode(alerting.Document(alert)); err != nil {
			return fmt.Errorf("write alert: %w", err)
		}
		return nil
	}
	rules, err := detectors.Load(c.Rules...)
	if err != nil {
		return err
	}
	style := alerting.Style{Color: colorSetting(term.out) == "1", Width: terminalWidth(term.out), Runbook: runbookOf(rules)}
	if err := alerting.WriteText(term.out, []schema.Alert{alert}, style); err != nil {
		return err
	}
	history, err := alerting.Transitions(ctx, store, alert.UID)
	if err != nil {
		return err
	}
	return alerting.WriteHistory(term.out, history, style)
}

// oneAlert finds the alert whose id begins with text.
func oneAlert(ctx context.Context, store schema.Store, text, where string) (schema.Alert, error) {
	chosen, err := alerting.Alerts(ctx, store, alerting.AlertFilter{UID: strings.ToLower(text), Merged: true})
	if err != nil {
		return schema.Alert{}, err
	}
	switch len(chosen) {
	case 0:
		return schema.Alert{}, fmt.Errorf("there is no alert %s; list them with: crmwatch alerts list %s", text, where)
	case 1:
		return chosen[0], nil
	}
	return schema.Alert{}, fmt.Errorf("%d alerts begin with %s: give more of the id", len(chosen), text)
}
