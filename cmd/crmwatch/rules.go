package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
)

type rulesCommand struct {
	List     listRulesCommand   `cmd:"" help:"List the rules."`
	Show     showRuleCommand    `cmd:"" help:"Show one rule: what it looks for, its parameters, its SQL."`
	Test     testRulesCommand   `cmd:"" help:"Run the tests inside the rules on the real engine."`
	Import   importRulesCommand `cmd:"" help:"Compile rules written for other products."`
	Coverage coverageCommand    `cmd:"" help:"Show which rules can look at the collected logs, and why others cannot."`
}

// ruleFlags are the options of all rules commands.
type ruleFlags struct {
	Rules []string `placeholder:"DIR" help:"Folders with rules of your own, beside the built-in ones."`
}

type listRulesCommand struct {
	ruleFlags
	Controls bool `help:"List the controls that rules serve (GDPR, ISO 27001, SOC 2), with the rules of each."`
}

func (c *listRulesCommand) Run(term terminal) error {
	rules, err := detectors.Load(c.Rules...)
	if err != nil {
		return err
	}
	if c.Controls {
		return writeControls(term.out, rules)
	}
	table := tabwriter.NewWriter(term.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "RULE\tSEVERITY\tATT&CK\tWATCHES\tTITLE")
	for _, r := range rules {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", r.ID, r.Severity, strings.Join(r.Attack, " "), r.EntityType, r.Title)
	}
	return table.Flush()
}

// writeControls lists the controls in the order of their frameworks.
func writeControls(w io.Writer, rules []detectors.Rule) error {
	titles, serve := map[string]string{}, map[string][]string{}
	for _, r := range rules {
		for _, id := range r.Controls {
			titles[id] = r.ControlTitle(id)
			serve[id] = append(serve[id], r.ID)
		}
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "CONTROL\tRULES\tTITLE")
	for _, id := range slices.SortedFunc(maps.Keys(serve), detectors.CompareControls) {
		fmt.Fprintf(table, "%s\t%d\t%s\n", id, len(serve[id]), titles[id])
		for names := range slices.Chunk(serve[id], controlRules) {
			fmt.Fprintf(table, "\t\t  %s\n", strings.Join(names, ", "))
		}
	}
	return table.Flush()
}

// controlRules is how many rules stand in a line of the list of controls.
const controlRules = 4

type showRuleCommand struct {
	ruleFlags
	ID string `arg:"" name:"rule" help:"The rule's id."`
}

func (c *showRuleCommand) Run(term terminal) error {
	rules, err := detectors.Load(c.Rules...)
	if err != nil {
		return err
	}
	rule, err := findRule(rules, c.ID)
	if err != nil {
		return err
	}
	writeRule(term.out, rule)
	return nil
}

func findRule(rules []detectors.Rule, id string) (detectors.Rule, error) {
	var ids []string
	for _, r := range rules {
		if r.ID == id {
			return r, nil
		}
		ids = append(ids, r.ID)
	}
	return detectors.Rule{}, fmt.Errorf("there is no rule %q; there are: %s", id, strings.Join(ids, ", "))
}

func writeRule(w io.Writer, r detectors.Rule) {
	fmt.Fprintf(w, "%s: %s\n\n%s\n\n", r.ID, r.Title, strings.TrimSpace(r.Description))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "Severity\t%s\n", r.Severity)
	fmt.Fprintf(table, "Watches\t%s\n", r.EntityType)
	fmt.Fprintf(table, "ATT&CK\t%s\n", strings.Join(r.Attack, ", "))
	for i, id := range r.Controls {
		label := ""
		if i == 0 {
			label = "Controls"
		}
		fmt.Fprintf(table, "%s\t%s  %s\n", label, id, r.ControlTitle(id))
	}
	if judged := r.Judges(); judged == "" {
		fmt.Fprintf(table, "Window\t%s, looking back %s\n", r.Window, r.Lookback)
	} else {
		fmt.Fprintf(table, "Window\t%s\nFinds\t%s\n", r.Window, judged)
	}
	if len(r.Needs.Classes) > 0 {
		fmt.Fprintf(table, "Classes\t%s\n", detectors.SayClasses(r.Needs.Classes))
	}
	fmt.Fprintf(table, "Log types\t%s\n", orAny(r.Needs.LogTypes))
	if unset := r.Unset(); len(unset) > 0 {
		or := ""
		if p, _ := r.Param(unset[0]); len(p.Inventory) > 0 {
			or = ", or the inventory has " + strings.Join(p.Inventory, " and ")
		}
		fmt.Fprintf(table, "Blind until\tparameter %s is set, rules.parameters in the configuration%s\n", strings.Join(unset, ", "), or)
	}
	fmt.Fprintf(table, "File\t%s\n", r.File)
	fmt.Fprintf(table, "Schedule\t%s (UTC)\n", r.Schedule)
	if wakes, err := detectors.NextWakes(r, time.Now(), 3); err == nil {
		for i, wake := range wakes {
			label := ""
			if i == 0 {
				label = "Next runs"
			}
			fmt.Fprintf(table, "%s\t%s\n", label, wake.UTC().Format(time.DateTime))
		}
	}
	_ = table.Flush()
	if len(r.Params) > 0 {
		fmt.Fprintln(w, "\nParameters")
		for _, p := range r.Params {
			fmt.Fprintf(table, "  %s\t%v\t%s\n", p.Name, p.Value, p.Description)
		}
		_ = table.Flush()
	}
	writeList(w, "False positives", r.FalsePositives)
	writeList(w, "What to do", r.Runbook)
	writeList(w, "References", r.References)
	fmt.Fprintf(w, "\nTests: %d\n", len(r.Tests))
	for _, t := range r.Tests {
		fmt.Fprintf(w, "  %-9s %s\n", t.Kind, t.Name)
	}
	fmt.Fprintf(w, "\nQuery\n%s\n", indented(r.Query))
}

func writeList(w io.Writer, title string, items []string) {
	if len(items) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", title)
	for _, item := range items {
		fmt.Fprintf(w, "  - %s\n", strings.TrimSpace(item))
	}
}

func indented(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ")
}

func orAny(names []string) string {
	if len(names) == 0 {
		return "any"
	}
	return strings.Join(names, ", ")
}

type testRulesCommand struct {
	ruleFlags
	Rule    []string `placeholder:"ID" help:"Test only these rules."`
	Verbose bool     `short:"v" help:"Name every test."`
}

func (c *testRulesCommand) Run(ctx context.Context, term terminal) error {
	rules, err := detectors.Load(c.Rules...)
	if err != nil {
		return err
	}
	if len(c.Rule) > 0 {
		var chosen []detectors.Rule
		for _, id := range c.Rule {
			rule, err := findRule(rules, id)
			if err != nil {
				return err
			}
			chosen = append(chosen, rule)
		}
		rules = chosen
	}
	db, err := openDatabase(ctx, "", databaseOptions{})
	if err != nil {
		return err
	}
	defer db.close()
	stores := []schema.Store{db.conn}
	if len(rules) > 1 {
		second, err := db.openScratch(ctx, "rule_tests")
		if err != nil {
			return err
		}
		defer second.Close()
		stores = append(stores, second)
	}
	results, err := detectors.TestRules(ctx, stores, rules)
	if err != nil {
		return err
	}
	return c.report(term.out, rules, results)
}

// report names what failed, and ends with the counts.
func (c *testRulesCommand) report(w io.Writer, rules []detectors.Rule, results []detectors.Result) error {
	failed := 0
	for _, r := range results {
		switch {
		case !r.Passed():
			failed++
			fmt.Fprintf(w, "FAIL  %s / %s (%s)\n%s\n", r.Rule, r.Test, r.Kind, indented(r.Problem))
		case c.Verbose:
			fmt.Fprintf(w, "ok    %s / %s (%s, %d ms)\n", r.Rule, r.Test, r.Kind, r.Duration.Milliseconds())
		}
	}
	kinds := map[detectors.TestKind]int{}
	for _, r := range results {
		kinds[r.Kind]++
	}
	fmt.Fprintf(w, "%s: %s (%d firing, %d quiet, %d boundary)\n", plural(len(rules), "rule"), plural(len(results), "test"),
		kinds[detectors.TestFires], kinds[detectors.TestQuiet], kinds[detectors.TestBoundary])
	fmt.Fprintf(w, "%d passed, %d failed\n", len(results)-failed, failed)
	if failed > 0 {
		return exitError{code: exitFailed, message: plural(failed, "rule test") + " failed"}
	}
	return nil
}
