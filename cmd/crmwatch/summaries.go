package main

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"os"
	"time"

	"github.com/crmwatch/crmwatch/compliance"
	"github.com/crmwatch/crmwatch/compliance/chain"
	"github.com/crmwatch/crmwatch/compliance/retention"
	"github.com/crmwatch/crmwatch/compliance/schedule"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
)

// keepSummaries makes the keeper of the present time as leader: what it knew before of
// what was made is old.
func (m *monitor) keepSummaries() (*schedule.Keeper, error) {
	sections, controls, err := m.config.Summaries.statements()
	if err != nil {
		return nil, err
	}
	host, _ := os.Hostname()
	return schedule.New(m.conn, schedule.Options{
		Ledger: chain.NewLedger(m.conn, m.evidenceKey, chain.LedgerOptions{Lease: m.held()}), Schedules: m.config.Summaries.schedules(),
		Build: buildSummary(m.conn, sections, controls, m.config.digest), Announcers: announcers(m.notifiers), CatchUp: m.config.Summaries.CatchUp, Kept: keptEvidence(m.config.Retention.policy),
		Host: host, Lease: m.held(), Log: m.log,
	})
}

// keptEvidence is the shortest time for which any tenant's summaries and alerts are kept.
func keptEvidence(p retention.Policy) (kept chain.RetentionContent) {
	shortest := func(what retention.What) (seconds int64) {
		for _, r := range p.Rules() {
			if s := int64(r.Keep / time.Second); r.What == what && s > 0 && (seconds == 0 || s < seconds) {
				seconds = s
			}
		}
		return seconds
	}
	return chain.RetentionContent{Alerts: shortest(retention.Alerts), Summaries: shortest(retention.Summaries)}
}

// openEvidenceKey reads the key of the evidence chain, or makes it in the data directory.
func (c config) openEvidenceKey() (ed25519.PrivateKey, error) {
	if c.Summaries.KeyFile != "" {
		return chain.LoadKey(c.Summaries.KeyFile)
	}
	return chain.OpenKey(c.evidenceKeyPath())
}

// buildSummary asks the statements of what is stored.
func buildSummary(store schema.Store, sections []compliance.Section, controls []detectors.Control, settings string) schedule.BuildFunc {
	return func(ctx context.Context, tenant string, p compliance.Period) (compliance.Summary, error) {
		s, err := compliance.Build(ctx, store, compliance.Options{Tenant: tenant, Period: p, Sections: sections, Controls: controls, Version: version, Settings: settings})
		if err != nil {
			return s, fmt.Errorf("make the summary of %s: %w", schedule.Label(p), err)
		}
		return s, nil
	}
}
