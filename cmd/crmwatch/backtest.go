package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/goccy/go-yaml"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
)

type backtestCommand struct {
	monitoredFlags
	From   string   `placeholder:"TIME" help:"Replay events from then on, such as 2026-03-02 or 2026-03-02T09:00:00Z; without it from the first."`
	To     string   `placeholder:"TIME" help:"Replay events before then; without it to the last."`
	Rule   []string `placeholder:"ID" help:"Replay only these rules; without it those of --set, or all."`
	Set    []string `sep:"none" placeholder:"RULE.PARAM=VALUE" help:"Try another value of a parameter, and show what is new and what is gone by it."`
	Output string   `name:"format" default:"text" enum:"text,json" help:"text for people, json for programs."`
	Quiet  bool     `short:"q" help:"No progress."`
}

func (backtestCommand) Help() string {
	return `Runs rules over the history that has been collected, through the same code as scan. Nothing is stored and nobody is
told. With --set, what the new values find is held against what the present ones find; without, against the stored findings.

Examples:
  crmwatch backtest --data ./data
  crmwatch backtest --config crmwatch.yaml --from 2026-03-01 --set brute-force.threshold=20
  crmwatch backtest --data ./data --rules ./rules --rule gateway-refusals`
}

// delaySample is of how many findings a rule's delay is computed.
const delaySample = 200

func (c *backtestCommand) Run(ctx context.Context, term terminal) error {
	within, err := c.stretch()
	if err != nil {
		return err
	}
	m, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer m.close()
	current, tried, err := c.choose(m.rules)
	if err != nil {
		return err
	}
	b := backtest{tried: len(c.Set) > 0}
	if b.Range, b.Rows, err = eventSpan(ctx, m.conn, within); err != nil {
		return err
	}
	if b.Rows == 0 {
		return exitError{exitNothing, "there is no event in that time to replay"}
	}
	options := detectors.Options{Settle: m.config.Rules.Settle}
	if c.Config != "" && options.Settle == 0 {
		options.Settle = -1
	}
	runner := detectors.NewRunner(m.conn, tried, options)
	findings, err := c.replay(ctx, m.conn, tried, options, b.Range, term)
	if err != nil {
		return err
	}
	var before []schema.Finding
	if b.tried {
		if before, err = c.replay(ctx, m.conn, current, options, b.Range, term); err != nil {
			return err
		}
	}
	alerts := alerting.Group(nil, findings)
	b.Alerts, b.Findings = len(alerts), len(findings)
	for i, rule := range tried {
		if !b.tried {
			grid := rule.OnGrid(b.Range)
			if before, err = detectors.LoadFindings(ctx, m.conn, detectors.FindingFilter{Rule: rule.ID, From: grid.From, To: grid.To}); err != nil {
				return err
			}
		}
		found := ofRule(findings, rule.ID)
		delays, err := runner.Delays(ctx, rule, found[:min(len(found), delaySample)])
		if err != nil {
			return err
		}
		b.Rules = append(b.Rules, newRuleBacktest(current[i], rule, found, alerts, delays, detectors.Compare(ofRule(before, rule.ID), found), b.Range))
	}
	if c.Output == "json" {
		return b.writeJSON(term.out)
	}
	return b.writeText(term.out, c)
}

func (c *backtestCommand) replay(ctx context.Context, conn schema.Store, rules []detectors.Rule, options detectors.Options, within detectors.Window, term terminal) ([]schema.Finding, error) {
	show, done := loadFlags{Quiet: c.Quiet}.detecting(term)
	defer done()
	options.Progress = show
	suppressed := 0
	options.OnSuppressed = func(all []schema.Finding) { suppressed += len(all) }
	findings, err := detectors.NewRunner(conn, rules, options).Replay(ctx, within)
	if err != nil {
		return nil, fmt.Errorf("run the rules: %w", err)
	}
	if suppressed > 0 {
		fmt.Fprintf(term.err, "crmwatch: %s suppressed by the exceptions of the configuration\n", plural(suppressed, "finding"))
	}
	return findings, nil
}

func ofRule(findings []schema.Finding, rule string) []schema.Finding {
	var of []schema.Finding
	for _, f := range findings {
		if f.Rule == rule {
			of = append(of, f)
		}
	}
	return of
}

// stretch reads --from and --to; a bound that is not given is zero.
func (c *backtestCommand) stretch() (within detectors.Window, err error) {
	for _, bound := range []struct {
		flag, text string
		at         *time.Time
	}{{"--from", c.From, &within.From}, {"--to", c.To, &within.To}} {
		if bound.text == "" {
			continue
		}
		if *bound.at, err = time.Parse(time.DateOnly, bound.text); err != nil {
			if *bound.at, err = time.Parse(time.RFC3339, bound.text); err != nil {
				return within, fmt.Errorf("%s %s is no time: write 2026-03-02 or 2026-03-02T09:00:00Z", bound.flag, bound.text)
			}
		}
	}
	if !within.From.IsZero() && !within.To.IsZero() && !within.From.Before(within.To) {
		return within, fmt.Errorf("--from %s is not before --to %s", c.From, c.To)
	}
	return within, nil
}

// choose gives the rules to replay as they are set, and as --set has them.
func (c *backtestCommand) choose(rules []detectors.Rule) (current, tried []detectors.Rule, err error) {
	values := map[string]map[string]any{}
	for _, set := range c.Set {
		name, text, ok := strings.Cut(set, "=")
		id, parameter, dotted := strings.Cut(name, ".")
		if !ok || !dotted {
			return nil, nil, fmt.Errorf("--set %s: write RULE.PARAM=VALUE, such as brute-force.threshold=20", set)
		}
		rule, err := findRule(rules, id)
		if err != nil {
			return nil, nil, fmt.Errorf("--set %s: %w", set, err)
		}
		var value any = text
		if p, known := rule.Param(parameter); known && p.Type != "String" {
			if err := yaml.Unmarshal([]byte(text), &value); err != nil {
				return nil, nil, fmt.Errorf("--set %s: the value is not a %s", set, p.Type)
			}
		}
		if values[id] == nil {
			values[id] = map[string]any{}
		}
		values[id][parameter] = value
	}
	ids := c.Rule
	if len(ids) == 0 {
		ids = slices.Sorted(maps.Keys(values))
	}
	for id := range values {
		if !slices.Contains(ids, id) {
			return nil, nil, fmt.Errorf("--set names the rule %s, which --rule leaves out", id)
		}
	}
	if len(ids) == 0 {
		return rules, rules, nil
	}
	for _, id := range ids {
		rule, err := findRule(rules, id)
		if err != nil {
			return nil, nil, err
		}
		changed, err := rule.WithParameters(values[id])
		if err != nil {
			return nil, nil, fmt.Errorf("--set: %w", err)
		}
		current, tried = append(current, rule), append(tried, changed)
	}
	return current, tried, nil
}

// eventSpan is the time between the first and the last event within bounds, of which
// either may be zero, and how many rows there are. crmwatch's own events do not count:
// somebody who looks into an old case makes it no longer.
func eventSpan(ctx context.Context, conn schema.Store, within detectors.Window) (detectors.Window, uint64, error) {
	if within.From.IsZero() {
		within.From = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if within.To.IsZero() {
		within.To = time.Date(2299, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	var first, last time.Time
	var rows uint64
	err := conn.QueryRow(clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"session_timezone": "UTC"})),
		"SELECT min(time), max(time), count() FROM events WHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)} AND metadata_product_name != {own:String}", schema.Named("own", schema.OwnProduct),
		clickhouse.DateNamed("from", within.From, clickhouse.MilliSeconds), clickhouse.DateNamed("to", within.To, clickhouse.MilliSeconds)).Scan(&first, &last, &rows)
	if err != nil {
		return within, 0, fmt.Errorf("find the events to replay: %w", err)
	}
	return detectors.Window{From: first.UTC(), To: last.UTC().Add(time.Millisecond)}, rows, nil
}
