package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
)

type alertsCommand struct {
	List listAlertsCommand `cmd:"" help:"List the alerts, the most severe first."`
	Show showAlertCommand  `cmd:"" help:"Tell one alert's story."`
}

type alertFlags struct {
	Data  string   `required:"" placeholder:"DIR" help:"Data directory; a running crmwatch on it is asked."`
	Rules []string `placeholder:"DIR" help:"Folders with rules of your own, for their next steps."`
}

type listAlertsCommand struct{ alertFlags }

func (c *listAlertsCommand) Run(ctx context.Context, term terminal) error {
	alerts, err := c.alerts(ctx, alerting.AlertFilter{})
	if err != nil {
		return err
	}
	return alerting.WriteList(term.out, alerts)
}

type showAlertCommand struct {
	alertFlags
	Alert string `arg:"" help:"The alert's id, or its beginning."`
}

func (c *showAlertCommand) Run(ctx context.Context, term terminal) error {
	chosen, err := c.alerts(ctx, alerting.AlertFilter{UID: strings.ToLower(c.Alert)})
	if err != nil {
		return err
	}
	switch len(chosen) {
	case 0:
		return fmt.Errorf("there is no alert %s; list them with: crmwatch alerts list --data %s", c.Alert, c.Data)
	case 1:
	default:
		return fmt.Errorf("%d alerts begin with %s: give more of the id", len(chosen), c.Alert)
	}
	rules, err := detectors.Load(c.Rules...)
	if err != nil {
		return err
	}
	return alerting.WriteText(term.out, chosen, alerting.Style{
		Color: colorSetting(term.out) == "1", Width: terminalWidth(term.out), Runbook: runbookOf(rules),
	})
}

// alerts reads alerts of the data directory.
func (c *alertFlags) alerts(ctx context.Context, filter alerting.AlertFilter) ([]schema.Alert, error) {
	db, err := openDatabase(ctx, c.Data, databaseOptions{mustExist: true})
	if err != nil {
		return nil, err
	}
	defer db.close()
	return alerting.Alerts(ctx, db.conn, filter)
}
