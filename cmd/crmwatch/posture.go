package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/compliance/posture"
	"github.com/crmwatch/crmwatch/schema"
)

type postureCommand struct {
	Check postureRunCommand  `cmd:"" default:"withargs" help:"Hold what was collected against the guidance for CRM integrations."`
	List  postureListCommand `cmd:"" help:"List the checks."`
	Show  postureShowCommand `cmd:"" help:"Print a check's file: question, parameters, SQL, mends, tests."`
	Test  postureTestCommand `cmd:"" help:"Run the tests inside the checks on the real engine."`
}

type postureRunCommand struct {
	Data   string   `placeholder:"DIR" help:"Data directory; a running crmwatch on it is asked, otherwise it is opened." xor:"where" required:""`
	Config string   `placeholder:"FILE" help:"Configuration of crmwatch run: its data, its inventory, and the parameters of checks." xor:"where" required:""`
	Checks []string `placeholder:"DIR" help:"Folders with checks of your own, beside the built-in ones."`
	Days   int      `default:"30" help:"Look at so many days before the latest event."`
	Tenant *string  `placeholder:"T" help:"Only this tenant."`
	Only   []string `name:"check" placeholder:"ID" help:"Only this check, in full, with its SQL; may be repeated."`
	Format string   `enum:"text,json,md" default:"text" help:"text, json or md (Markdown)."`
	FailOn string   `placeholder:"VERDICT" help:"Exit with code 3 if a check says so or worse: attention or fail."`
}

func (postureRunCommand) Help() string {
	return `A check passes only where something was looked at that could have failed; how much it was is shown. What the logs do not
tell is said to be so, with the log that would tell it. Verdicts are kept in the table posture_results.

Examples:
  crmwatch posture --data ./data
  crmwatch posture --config crmwatch.yaml --check oauth-used
  crmwatch posture --data ./data --format json --fail-on fail > posture.json`
}

func (c *postureRunCommand) Run(ctx context.Context, term terminal) error {
	worst, known := posture.ParseVerdict(c.FailOn)
	if c.FailOn != "" && (!known || worst == posture.Pass || worst == posture.CannotJudge) {
		return fmt.Errorf("--fail-on is %q: use attention or fail", c.FailOn)
	}
	if c.Days < 1 || c.Days > 400 {
		return fmt.Errorf("--days is %d: use 1 to 400", c.Days)
	}
	var cfg config
	if c.Config != "" {
		var err error
		if cfg, err = loadConfig(c.Config); err != nil {
			return configMistakes(err)
		}
	}
	cfg.Posture.Directories = append(cfg.Posture.Directories, c.Checks...)
	shared, checks, err := cfg.Posture.checks(cfg.Rules.known)
	if err != nil {
		return exitError{exitFailed, "the checks have mistakes:\n" + err.Error()}
	}
	if checks, err = chosenChecks(checks, c.Only); err != nil {
		return err
	}
	store, _, done, err := (&alertFlags{Data: c.Data, Config: c.Config}).open(ctx)
	if err != nil {
		return err
	}
	defer done()
	options := posture.Options{Days: c.Days, Tenant: c.Tenant, Now: time.Now()}
	report, err := posture.Run(ctx, store, shared, checks, options)
	if err != nil {
		return err
	}
	if len(report.Results) == 0 {
		return exitError{exitNothing, "there are no events to look at"}
	}
	if len(c.Only) == 0 {
		if err := posture.Save(ctx, store, report); err != nil {
			fmt.Fprintf(term.err, "crmwatch: the verdicts are shown, and not kept: %v\n", err)
		}
	}
	if err := c.write(ctx, term, store, shared, options, report); err != nil {
		return err
	}
	if c.FailOn != "" && report.AtLeast(worst) {
		return exitError{code: exitFindings}
	}
	return nil
}

// chosenChecks are the checks that were asked for; all without ids.
func chosenChecks(checks []posture.Check, ids []string) ([]posture.Check, error) {
	if len(ids) == 0 {
		return checks, nil
	}
	var chosen []posture.Check
	for _, id := range ids {
		i := slices.IndexFunc(checks, func(check posture.Check) bool { return check.ID == id })
		if i < 0 {
			return nil, fmt.Errorf("there is no check %q: crmwatch posture list names them", id)
		}
		chosen = append(chosen, checks[i])
	}
	return chosen, nil
}

func (c *postureRunCommand) write(ctx context.Context, term terminal, store schema.Store, shared posture.Shared, options posture.Options, report posture.Report) error {
	switch c.Format {
	case "json":
		encoder := json.NewEncoder(term.out)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(report); err != nil {
			return fmt.Errorf("write posture: %w", err)
		}
		return nil
	case "md":
		return posture.WriteMarkdown(term.out, report, alerting.PlainLine)
	}
	style := posture.Style{Width: terminalWidth(term.out), Color: colorSetting(term.out) == "1", Plain: alerting.PlainLine, Full: len(c.Only) > 0}
	if err := posture.WriteText(term.out, report, style); err != nil {
		return fmt.Errorf("write posture: %w", err)
	}
	if len(c.Only) == 0 {
		where := "--data " + c.Data
		if c.Config != "" {
			where = "--config " + c.Config
		}
		fmt.Fprintf(term.out, "\nNext:\n  %s posture %s --check ID      # one check in full, with its SQL\n", os.Args[0], where)
	}
	return c.offerInventory(ctx, term.out, store, shared, options, report)
}

// offerInventory prints what is there, where no inventory tells what should be.
func (c *postureRunCommand) offerInventory(ctx context.Context, w io.Writer, store schema.Store, shared posture.Shared, options posture.Options, report posture.Report) error {
	missing := slices.ContainsFunc(report.Results, func(r posture.Result) bool {
		return r.Check == "no-shadow-integrations" && r.Verdict == posture.CannotJudge && strings.Contains(r.Reason, "inventory")
	})
	if !missing {
		return nil
	}
	callers, err := posture.Callers(ctx, store, shared, options, report)
	if err != nil || len(callers) == 0 {
		return err
	}
	_, err = fmt.Fprintf(w, "\nNo inventory is configured. These integrations were seen; go through them with their owners, take out what nobody\nknows, and put the rest into the configuration:\n\n%s", posture.InventoryYAML(callers, alerting.PlainLine))
	return err
}

type postureListCommand struct {
	Checks   []string `placeholder:"DIR" help:"Folders with checks of your own."`
	Controls bool     `help:"Also the controls that each check serves."`
}

func (c *postureListCommand) Run(term terminal) error {
	checks, err := posture.Load(c.Checks...)
	if err != nil {
		return exitError{exitFailed, "the checks have mistakes:\n" + err.Error()}
	}
	table := tabwriter.NewWriter(term.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "CHECK\tTITLE\tPARAMETERS")
	for _, check := range checks {
		var params []string
		for _, p := range check.Params {
			params = append(params, p.Name)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", check.ID, check.Title, strings.Join(params, ", "))
		if c.Controls {
			fmt.Fprintf(table, "\t%s\t\n", strings.Join(check.Controls, ", "))
		}
	}
	return table.Flush()
}

// checkPosture asks the checks once, keeps what they say, and tells the log what is amiss.
func (m *monitor) checkPosture(ctx context.Context) error {
	shared, checks, err := m.config.Posture.checks(m.config.Rules.known)
	if err != nil {
		return err
	}
	report, err := posture.Run(ctx, m.conn, shared, checks, posture.Options{Now: time.Now()})
	if err != nil {
		return err
	}
	if held := m.held(); held != nil {
		// Another instance may have taken over while the checks ran, and keeps its own.
		if err := held(); err != nil {
			return nil
		}
	}
	if err := posture.Save(ctx, m.conn, report); err != nil {
		return err
	}
	m.log.Info("posture checked; see crmwatch posture", "verdicts", report.SayCounts())
	return nil
}
