package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/compliance/audit"
	"github.com/crmwatch/crmwatch/compliance/hold"
	"github.com/crmwatch/crmwatch/compliance/retention"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
)

type retentionCommand struct {
	Show  showRetentionCommand  `cmd:"" help:"Show how long what is kept, the oldest there is, what goes next, and what is held."`
	Apply applyRetentionCommand `cmd:"" help:"Bring the configuration and the holds into the tables; run does so when it starts."`
}

type showRetentionCommand struct {
	alertFlags
	JSON bool `name:"json" help:"Write one JSON object a line."`
}

func (showRetentionCommand) Help() string {
	return `Tables delete by themselves, also while no crmwatch runs: what is due goes when ClickHouse merges it, as a rule within
a day. KEPT FOR is what was applied last, NEXT GOES the first row that no hold covers. Rows are counted as stored.

Example:
  crmwatch retention show --data ./data
  crmwatch retention show --config crmwatch.yaml --json | jq 'select(.held_by)'`
}

func (c *showRetentionCommand) Run(ctx context.Context, term terminal) error {
	store, _, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	all, err := retention.Show(ctx, store)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(term.out)
		for _, k := range all {
			if err := encoder.Encode(k); err != nil {
				return fmt.Errorf("write retention: %w", err)
			}
		}
		return nil
	}
	return writeRetention(term.out, all)
}

func writeRetention(w io.Writer, all []retention.Kept) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "WHAT\tTABLE\tTENANT\tCLASS\tKEPT FOR\tOLDEST (UTC)\tNEXT GOES (UTC)\tROWS\tDUE\tON DISK\tHELD BY")
	for _, k := range summedDigests(all) {
		class, next := "", "never"
		if k.Class != 0 {
			class = schema.ClassName(k.Class)
		}
		if !k.NextDue.IsZero() {
			next = k.NextDue.Format(minuteTime)
		}
		var held []string
		for _, h := range k.Held {
			held = append(held, h.Hold.String()[:8]+" ("+grouped(int64(h.Rows))+")")
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.What, k.Table, alerting.PlainLine(k.Tenant), class, k.KeptFor, k.Oldest.Format(minuteTime), next,
			grouped(int64(k.Rows)), grouped(int64(k.Due)), sizeText(int64(k.Bytes)), strings.Join(held, ", "))
	}
	return table.Flush()
}

type applyRetentionCommand struct {
	Config string `required:"" placeholder:"FILE" help:"Configuration of run, for its retention, rules, and data directory or server."`
	DryRun bool   `name:"dry-run" help:"Print the statements, and run none."`
}

func (applyRetentionCommand) Help() string {
	return `Running it again does nothing. Taking retention out of the configuration keeps everything from then on.

Examples:
  crmwatch retention apply --config crmwatch.yaml --dry-run
  crmwatch retention apply --config crmwatch.yaml`
}

func (c *applyRetentionCommand) Run(ctx context.Context, term terminal) error {
	cfg, rules, err := configAndRules(c.Config)
	if err != nil {
		return err
	}
	where := alertFlags{Config: c.Config}
	store, _, done, err := where.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	if c.DryRun {
		return planRetention(ctx, term.out, store, cfg.Retention.policy, rules)
	}
	applied, err := retention.Apply(ctx, store, &cfg.Retention.policy, rules, audit.Record{Actor: whoami(), Via: audit.ViaCLI}, time.Now())
	if err != nil {
		return err
	}
	for _, change := range applied.Changes {
		fmt.Fprintf(term.out, "changed %s\n", change.Table)
	}
	if len(applied.Changes) == 0 {
		fmt.Fprintln(term.out, "nothing to do")
	}
	fmt.Fprintf(term.out, "kept: %s; %s\n", applied.Policy, plural(len(applied.Holds), "hold"))
	return nil
}

func planRetention(ctx context.Context, w io.Writer, store schema.Store, p retention.Policy, rules []detectors.Rule) error {
	if _, told, err := retention.Stored(ctx, store); err != nil || p.Empty() && !told {
		if err == nil {
			fmt.Fprintln(w, "-- nothing to do: everything is kept for ever")
		}
		return err
	}
	holds, err := hold.Active(ctx, store)
	if err != nil {
		return err
	}
	changes, err := retention.Plan(ctx, store, p, rules, holds)
	if err != nil {
		return err
	}
	var statements []string
	for _, change := range changes {
		statements = append(statements, change.Statements...)
	}
	return printStatements(w, statements)
}

func printStatements(w io.Writer, statements []string) error {
	text := "-- nothing to do"
	if len(statements) > 0 {
		text = strings.Join(statements, ";\n\n") + ";"
	}
	_, err := fmt.Fprintln(w, text)
	return err
}

// configAndRules reads a configuration and the rules as they are set by it.
func configAndRules(path string) (config, []detectors.Rule, error) {
	cfg, err := loadConfig(path)
	if err != nil {
		return cfg, nil, configMistakes(err)
	}
	rules, err := detectors.Load(cfg.Rules.Directories...)
	if err != nil {
		return cfg, nil, exitError{exitFailed, "the rules have mistakes:\n" + err.Error()}
	}
	if rules, err = cfg.Rules.apply(path, rules); err != nil {
		return cfg, nil, configMistakes(err)
	}
	return cfg, rules, nil
}

// keepRetention brings the retention of the configuration into the tables, at once and
// every hour, in case somebody else has changed them. What cannot be done is tried again:
// it must not keep the rules from looking.
func (m *monitor) keepRetention(ctx context.Context) error {
	if m.config.Retention.policy.Empty() {
		m.log.Info("nothing is deleted by its age: the configuration names no retention")
	}
	if err := m.applyRetention(ctx); err != nil && ctx.Err() == nil {
		m.log.Error("the retention cannot be applied, and is tried again every hour; nothing else goes by age meanwhile", "error", err)
	}
	return detectors.RunChore(ctx, "check of the retention", "30 * * * *", m.log, m.applyRetention)
}

func (m *monitor) applyRetention(ctx context.Context) error {
	if lease := m.held(); lease != nil {
		if err := lease(); err != nil {
			return err
		}
	}
	rules := m.rules
	if rules == nil {
		rules = []detectors.Rule{}
	}
	applied, err := retention.Apply(ctx, m.conn, &m.config.Retention.policy, rules, audit.Record{Via: audit.ViaConfig}, time.Now())
	for _, change := range applied.Changes {
		m.log.Info("a table keeps its rows otherwise from now on", "table", change.Table, "kept", applied.Policy.String(), "holds", len(applied.Holds))
	}
	return err
}

// summedDigests shows a table of digests as one row: there are many, and nobody asks for
// the tenants and classes of each.
func summedDigests(all []retention.Kept) (shown []retention.Kept) {
	for _, k := range all {
		if last := len(shown) - 1; k.What == retention.Digests && last >= 0 && shown[last].Table == k.Table {
			sum := &shown[last]
			sum.Rows, sum.Due, sum.Bytes = sum.Rows+k.Rows, sum.Due+k.Due, sum.Bytes+k.Bytes
			if k.Oldest.Before(sum.Oldest) {
				sum.Oldest = k.Oldest
			}
			if !k.NextDue.IsZero() && (sum.NextDue.IsZero() || k.NextDue.Before(sum.NextDue)) {
				sum.NextDue = k.NextDue
			}
			continue
		}
		if k.What == retention.Digests {
			k.Tenant, k.Class = "", 0
		}
		shown = append(shown, k)
	}
	return shown
}
