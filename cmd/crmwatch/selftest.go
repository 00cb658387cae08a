package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/engine"
	"github.com/crmwatch/crmwatch/schema"
)

// selfTestOff is rules.self_test for those who want none.
const selfTestOff = "off"

// dropTimeout bounds the making and the removal of the self-test's database.
const dropTimeout = 30 * time.Second

// selfTest proves that the rules still fire: it runs the firing tests inside them, in a
// database of its own on the same engine. What does not fire is logged, kept in the
// table self_tests, and alerted as a finding about crmwatch itself.
func (m *monitor) selfTest(ctx context.Context) error {
	started := time.Now()
	results, err := m.testInScratch(ctx)
	if err != nil {
		return err
	}
	if err := detectors.SaveSelfTest(ctx, m.conn, started, results); err != nil {
		return err
	}
	findings := detectors.SelfTestFindings(results, started)
	for _, f := range findings {
		m.log.Error("a rule can no longer fire", "rule", f.EntityUID, "problem", f.Message)
	}
	m.log.Info("self-test done", "rules", len(m.rules), "tests", len(results), "rules_failed", len(findings), "took", time.Since(started).Round(time.Millisecond))
	if err := detectors.SaveFindings(ctx, m.conn, findings); err != nil {
		return err
	}
	return m.desk.Handle(ctx, findings)
}

// testInScratch makes a database, tests in it, and drops it again.
func (m *monitor) testInScratch(ctx context.Context) (_ []detectors.Result, err error) {
	options, err := m.storeOptions()
	if err != nil {
		return nil, err
	}
	of := options.Auth.Database
	if of == "" {
		of = "default"
	}
	place := schema.Place{Database: of + "_self_test"}
	// What is left of a test that was cut off is in the way.
	if err := schema.DropDatabase(ctx, m.conn, place.Database); err != nil {
		return nil, err
	}
	// A server may make it although the client no longer waits for that, and then nobody
	// would drop it.
	making, made := context.WithTimeout(context.WithoutCancel(ctx), dropTimeout)
	_, err = schema.CreateDatabase(making, m.conn, place)
	made()
	if err != nil {
		return nil, fmt.Errorf("%w (the self-test needs the right to make and drop that database; rules.self_test: off goes without)", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropTimeout)
		defer cancel()
		err = errors.Join(err, schema.DropDatabase(ctx, m.conn, place.Database))
	}()
	options.Auth.Database = place.Database
	scratch, err := clickhouse.Open(options)
	if err != nil {
		return nil, fmt.Errorf("open the self-test's database: %w", err)
	}
	defer scratch.Close()
	if _, err := schema.Migrate(ctx, scratch); err != nil {
		return nil, fmt.Errorf("prepare the self-test's tables: %w", err)
	}
	return detectors.SelfTest(ctx, scratch, m.rules)
}

// storeOptions are how the store is reached.
func (m *monitor) storeOptions() (*clickhouse.Options, error) {
	if m.db != nil {
		return m.db.endpoint.ClientOptions(engine.Admin)
	}
	return serverOptions(m.config.Store.DSNFile)
}
