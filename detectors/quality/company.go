package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/crmwatch/crmwatch/agent"
	"github.com/crmwatch/crmwatch/agent/redact"
	"github.com/crmwatch/crmwatch/collector/insert"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/engine"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/crmwatch/crmwatch/simulate"
)

// company says what to simulate, and which rules look at it.
type company struct {
	seed                      uint64
	days, users, integrations int
	// each is how many incidents of every kind happen; kinds chooses some of them.
	each    int
	kinds   []string
	rules   []string
	keep    string
	explain bool
}

// month is the measure: thirty days of a company of 500 people, 60 integrations and four
// products, every kind of incident twice.
func month() company {
	return company{seed: heldOut, days: 30, users: 500, integrations: 60, each: 2}
}

// options are the simulation's. Kinds alternate, so that incidents of one kind meet
// different victims.
func (c company) options() simulate.Options {
	o := simulate.Options{
		Seed: c.seed, Start: time.Date(2025, 8, 4, 0, 0, 0, 0, time.UTC), Days: c.days, Users: c.users, Integrations: c.integrations,
		Products: simulate.Products(), Company: "Acme Outdoor", Churn: true,
	}
	for range c.each {
		for _, name := range simulate.IncidentNames() {
			if len(c.kinds) == 0 || slices.Contains(c.kinds, name) {
				o.Incidents = append(o.Incidents, name)
			}
		}
	}
	return o
}

// lived is a simulated time: what was hidden in it, what was read of it, and what the
// rules said.
type lived struct {
	truth    simulate.Manifest
	report   agent.Report
	rules    []detectors.Rule
	findings []schema.Finding
	took     [3]time.Duration // to write, to read, to judge
}

// live simulates the company, reads its logs as crmwatch scan does, and runs the rules.
func (c company) live(ctx context.Context) (out lived, err error) {
	dir := c.keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "crmwatch-quality-*"); err != nil {
			return out, fmt.Errorf("make folder: %w", err)
		}
		defer os.RemoveAll(dir)
	}
	if manifest, err := os.ReadFile(filepath.Join(dir, "truth.json")); err == nil {
		return c.again(ctx, dir, manifest)
	}
	start := time.Now()
	options := c.options()
	options.Truth = filepath.Join(dir, "truth.json")
	if out.truth, err = simulate.Write(filepath.Join(dir, "logs"), options); err != nil {
		return out, err
	}
	out.took[0] = time.Since(start)
	store, stop, err := openStore(ctx, filepath.Join(dir, "data"))
	if err != nil {
		return out, err
	}
	defer stop()
	start = time.Now()
	if out.report, err = load(ctx, store, filepath.Join(dir, "logs")); err != nil {
		return out, err
	}
	out.took[1] = time.Since(start)
	return out, c.judge(ctx, store, &out)
}

// again judges what an earlier run left in its folder.
func (c company) again(ctx context.Context, dir string, manifest []byte) (out lived, err error) {
	if err := json.Unmarshal(manifest, &out.truth); err != nil {
		return out, fmt.Errorf("read truth of %s: %w", dir, err)
	}
	store, stop, err := openStore(ctx, filepath.Join(dir, "data"))
	if err != nil {
		return out, err
	}
	defer stop()
	out.report.Totals.Events = out.truth.Events
	return out, c.judge(ctx, store, &out)
}

// judge runs one rule after the other, so that what a rule cost is known, and one that
// fails does not take the others' findings along.
func (c company) judge(ctx context.Context, store schema.Store, out *lived) (err error) {
	if out.rules, err = c.pack(out.truth); err != nil {
		return err
	}
	start := time.Now()
	var failed []error
	for _, rule := range out.rules {
		began := time.Now()
		findings, err := detectors.NewRunner(store, []detectors.Rule{rule}, detectors.Options{QueryTimeout: 5 * time.Minute}).Scan(ctx)
		if err != nil {
			failed = append(failed, err)
		}
		out.findings = append(out.findings, findings...)
		fmt.Fprintf(os.Stderr, "%-36s %4d findings, %5.1f s\n", rule.ID, len(findings), time.Since(began).Seconds())
		if c.explain {
			out.tellFalse(os.Stderr, findings)
		}
	}
	out.took[2] = time.Since(start)
	if len(failed) > 0 {
		return fmt.Errorf("run the rules: %w", errors.Join(failed...))
	}
	return nil
}

// pack is the built-in rules, configured as the company would: its inventory is known.
func (c company) pack(truth simulate.Manifest) ([]detectors.Rule, error) {
	rules, err := detectors.Builtin()
	if err != nil {
		return nil, err
	}
	if len(c.rules) > 0 {
		rules = slices.DeleteFunc(rules, func(r detectors.Rule) bool { return !slices.Contains(c.rules, r.ID) })
	}
	known := make([]any, len(truth.Inventory))
	for i, name := range truth.Inventory {
		known[i] = name
	}
	for i, r := range rules {
		if r.ID != "shadow-integration" {
			continue
		}
		if rules[i], err = r.WithParameters(map[string]any{"inventory": known}); err != nil {
			return nil, err
		}
	}
	return rules, nil
}

// openStore starts an engine with empty tables.
func openStore(ctx context.Context, dir string) (store schema.Store, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, fmt.Errorf("find own program: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("make data directory: %w", err)
	}
	e, err := engine.Start(ctx, engine.Options{Dir: dir, Command: []string{self, engineChild}})
	if err != nil {
		return nil, nil, err
	}
	end := func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		_ = e.Stop(ctx)
	}
	endpoint := e.Endpoint()
	if store, err = endpoint.Open(engine.Admin); err != nil {
		end()
		return nil, nil, err
	}
	if _, err := schema.Migrate(ctx, store); err != nil {
		end()
		return nil, nil, fmt.Errorf("prepare tables: %w", err)
	}
	return store, end, nil
}

// load reads the logs as crmwatch scan does: the same decoders, redaction and inserts.
func load(ctx context.Context, store schema.Store, logs string) (agent.Report, error) {
	inserter := &insert.Inserter{Conn: store, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	uid := rand.Text()
	report, err := agent.Load(ctx, agent.LoadOptions{
		Paths:    []string{logs},
		Ship:     func(ctx context.Context, s agent.Sealed) error { return inserter.Insert(ctx, s.Delivery(uid)) },
		Redactor: redact.New([]byte("a key that is used for nothing else")),
		Source:   "files", Zone: time.UTC,
	})
	if err != nil {
		return report, fmt.Errorf("read the logs: %w", err)
	}
	if report.Totals.Quarantined > 0 {
		return report, fmt.Errorf("read the logs: %d records were not understood", report.Totals.Quarantined)
	}
	return report, nil
}
