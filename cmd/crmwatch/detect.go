package main

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
)

// detect evaluates the rules, tells people, and looks after both, until ctx ends. Of
// several instances on one ClickHouse server, one does this at a time; what it knew of
// the alerts when it did so before is old, so each time begins with what is stored.
func (m *monitor) detect(ctx context.Context) error {
	m.desk = alerting.NewDesk(m.conn, m.notifiers, alerting.Options{
		Policy: m.policy, Fallback: m.fallback, NotifyFrom: m.config.Alerts.notifyFrom(), ResolveAfter: m.config.Alerts.ResolveAfter, Lease: m.held(), OnRefusal: m.notifierRefuses, OnRequest: recordRequest(m.conn), Log: m.log,
	})
	m.leading.Store(m.desk)
	defer m.leading.Store(nil)
	options := detectors.Options{Horizon: m.config.Retention.policy.Horizon, Settle: m.config.Rules.Settle, OnFindings: m.desk.Handle, Lease: m.held(), Log: m.log}
	if options.Settle == 0 {
		options.Settle = -1
	}
	m.runner = detectors.NewRunner(m.conn, m.rules, options)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return m.runner.Run(ctx) })
	group.Go(func() error { return m.desk.Run(ctx) })
	recorded := map[schema.UID]bool{}
	group.Go(func() error {
		return detectors.RunChore(ctx, "record of silences", "* * * * *", m.log, func(ctx context.Context) error {
			return recordSilences(ctx, m.conn, time.Now(), recorded)
		})
	})
	group.Go(func() error {
		return detectors.RunChore(ctx, "check of what the rules can see", "@hourly", m.log, m.checkCoverage)
	})
	group.Go(func() error { return m.keepRetention(ctx) })
	keeper, err := m.keepSummaries()
	if err != nil {
		return err
	}
	group.Go(func() error { return keeper.Run(ctx) })
	if schedule := m.config.Rules.SelfTest; schedule != selfTestOff {
		group.Go(func() error { return detectors.RunChore(ctx, "self-test", schedule, m.log, m.selfTest) })
	}
	if m.config.Alerts.Heartbeat.URLFile != "" {
		heartbeat, err := m.newHeartbeat()
		if err != nil {
			return err
		}
		group.Go(func() error { return heartbeat.Run(ctx) })
	}
	return group.Wait()
}

// held says whether this instance leads; nil where there is only one.
func (m *monitor) held() func() error {
	if m.lease == nil {
		return nil
	}
	return m.lease.Held
}
