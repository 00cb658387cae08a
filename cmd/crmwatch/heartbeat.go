package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
)

// newHeartbeat makes the heartbeat of the present time as leader.
func (m *monitor) newHeartbeat() (*alerting.Heartbeat, error) {
	address, err := readSecret(m.config.Alerts.Heartbeat.URLFile)
	if err != nil {
		return nil, err
	}
	return alerting.NewHeartbeat(alerting.HeartbeatOptions{URL: address, Every: m.config.Alerts.Heartbeat.Every, Check: m.alive, Log: m.log})
}

// alive says why people might not be told of what happens: the database does not
// answer, rules do not run, or the outbox stands still.
func (m *monitor) alive(ctx context.Context) error {
	var one uint8
	if err := m.conn.QueryRow(ctx, "SELECT 1").Scan(&one); err != nil {
		return fmt.Errorf("the database does not answer: %w", err)
	}
	if overdue := m.runner.Overdue(time.Now()); len(overdue) > 0 {
		return fmt.Errorf("%s did not run well for twice their schedule: %s", plural(len(overdue), "rule"), strings.Join(overdue[:min(len(overdue), 5)], ", "))
	}
	return m.desk.Moving()
}

// notifierRefuses raises an alert about a notifier.
func (m *monitor) notifierRefuses(ctx context.Context, r alerting.Refusal) error {
	findings := []schema.Finding{r.Finding(time.Now())}
	if err := detectors.SaveFindings(ctx, m.conn, findings); err != nil {
		return err
	}
	return m.desk.Handle(ctx, findings)
}
