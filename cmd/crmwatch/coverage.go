package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
)

type coverageCommand struct {
	monitoredFlags
	Days int `default:"7" help:"Look at so many days before the latest event."`
}

func (coverageCommand) Help() string {
	return `A rule can fire where there is a log of a type that it needs, with the columns that it needs. The check reads every rare
log, and a sample of the hours of frequent ones.

Example:
  crmwatch rules coverage --data ./data`
}

// coverageDays is how much event time a scan and crmwatch run look at.
const coverageDays = 7

// maxShownTypes is how many missing log types a line of the table names.
const maxShownTypes = 3

func (c *coverageCommand) Run(ctx context.Context, term terminal) error {
	m, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer m.close()
	report, err := detectors.NewRunner(m.conn, m.rules, detectors.Options{}).CheckCoverage(ctx, time.Duration(c.Days)*24*time.Hour)
	if err != nil {
		return err
	}
	if len(report.Sources) == 0 {
		return exitError{exitNothing, "there are no events to look at"}
	}
	uses, err := detectors.ExceptionUses(ctx, m.conn, report.Within)
	if err != nil {
		return err
	}
	return writeCoverage(term.out, report, m.rules, exceptionLines(m.rules, uses, time.Now()), c.flag())
}

func writeCoverage(w io.Writer, report detectors.CoverageReport, rules []detectors.Rule, exceptions []exceptionLine, flag string) error {
	fmt.Fprintf(w, "What the rules can see in the logs of %s to %s UTC\n\n", report.Within.From.Format(minuteLayout), report.Within.To.Format(minuteLayout))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "RULE\tCAN FIRE FOR\tBLIND BECAUSE")
	for _, rule := range rules {
		var sees, why []string
		for _, c := range report.Rules {
			if c.Rule != rule.ID {
				continue
			}
			if c.Sight != detectors.Blind {
				sees = append(sees, place(c.Product, c.Tenant))
			}
			switch {
			case c.Sight == detectors.SeesPart:
				why = append(why, fmt.Sprintf("in part for %s: no %s", place(c.Product, c.Tenant), strings.Join(c.Missing, ", ")))
			case c.Sight == detectors.Blind && len(c.LogTypes) > 0:
				why = append(why, fmt.Sprintf("%s: no %s", place(c.Product, c.Tenant), strings.Join(c.Missing, ", ")))
			}
		}
		if len(sees) == 0 && len(why) == 0 {
			types := rule.Needs.LogTypes
			text := "no event of the class " + detectors.SayClasses(rule.Needs.Classes)
			if len(types) > 0 {
				text = "no log of the type " + strings.Join(types[:min(len(types), maxShownTypes)], ", ")
			}
			if more := len(types) - maxShownTypes; more > 0 {
				text += fmt.Sprintf(" or %d more", more)
			}
			why = []string{text}
		}
		for i := range max(len(sees), len(why), 1) {
			name, first, second := "", at(sees, i), at(why, i)
			if i == 0 {
				name, first = rule.ID, cmp.Or(first, "nothing")
			}
			fmt.Fprintf(table, "%s\t%s\t%s\n", name, first, second)
		}
	}
	fmt.Fprintln(table, "\t\t")
	fmt.Fprintln(table, "LOG\tOF\tARRIVES AFTER")
	for _, s := range report.Sources {
		late := fmt.Sprintf("%s in the median, 95 %% within %s, all within %s", spanText(s.Median), spanText(s.P95), spanText(s.Longest))
		if s.Median > oldLogs {
			late = "loaded afterwards: not known"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", printable(cmp.Or(s.LogName, "(no name)")), place(s.Product, s.Tenant), late)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write coverage: %w", err)
	}
	if err := writeExceptions(w, exceptions); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nNext:\n  %s rules show RULE      # the log types and columns that a rule needs\n  %s backtest %s      # what the rules find in these logs\n", os.Args[0], os.Args[0], flag)
	return nil
}

func at(texts []string, i int) string {
	if i < len(texts) {
		return texts[i]
	}
	return ""
}

// place names the logs of a product and tenant.
func place(product, tenant string) string {
	text := cmp.Or(product, "(no product)")
	if tenant != "" {
		text += " (" + tenant + ")"
	}
	return shorten(printable(text), 60)
}

// scanDays is how much event time a scan looks at for what its rules need: all. A log
// of a rare deed may have its last row months ago.
const scanDays = 3650

// blindSpots lists the rules that the logs of a scan cannot trip.
func blindSpots(ctx context.Context, db *database, rules []detectors.Rule) ([]detectors.BlindSpot, error) {
	report, err := detectors.NewRunner(db.conn, rules, detectors.Options{}).CheckCoverage(ctx, scanDays*24*time.Hour)
	if err != nil {
		return nil, err
	}
	return report.BlindSpots(rules), nil
}

// writeBlind ends a scan with what it could not look for, and which log would let it:
// first what concerns the entities that there are alerts about.
func (c *scanCommand) writeBlind(w io.Writer, blind []detectors.BlindSpot, rules int, alerts []schema.Alert) {
	if len(blind) == 0 {
		return
	}
	grave := map[string]bool{}
	longest := 0
	for _, a := range alerts {
		if a.Severity >= schema.SeverityMedium {
			grave[entityKind(a.EntityType)] = true
		}
	}
	for _, b := range blind {
		longest = max(longest, len(b.Rule))
	}
	slices.SortStableFunc(blind, func(a, b detectors.BlindSpot) int {
		switch first, second := grave[entityKind(a.EntityType)], grave[entityKind(b.EntityType)]; {
		case first == second:
			return 0
		case first:
			return -1
		}
		return 1
	})
	fmt.Fprintf(w, "\nNot seen: %d of %s had nothing to look at in these logs. What to add, so that they do:\n", len(blind), plural(rules, "rule"))
	for _, b := range blind {
		fmt.Fprintf(w, "  %-*s  %s\n", longest, b.Rule, b.Add)
	}
	fmt.Fprintf(w, "  (`%s rules coverage --data %s` says it for each product.)\n", os.Args[0], cmp.Or(c.Data, "DIR"))
}

// entityKind is one for users and integrations: an integration is a user as well, and
// one story may be told of both.
func entityKind(entityType string) string {
	if entityType == "integration" {
		return "user"
	}
	return entityType
}

// notSeenBy gives the blind rules about a type of entity.
func notSeenBy(blind []detectors.BlindSpot) func(entityType string) []string {
	return func(entityType string) []string {
		var rules []string
		for _, b := range blind {
			if entityKind(b.EntityType) == entityKind(entityType) {
				rules = append(rules, b.Rule)
			}
		}
		return rules
	}
}

// checkCoverage keeps what the rules can see, and says in the log which are blind.
func (m *monitor) checkCoverage(ctx context.Context) error {
	report, err := m.runner.CheckCoverage(ctx, coverageDays*24*time.Hour)
	if err != nil || len(report.Sources) == 0 {
		return err
	}
	spots := report.BlindSpots(m.rules)
	m.blind.Store(&spots)
	if blind := report.BlindRules(m.rules); len(blind) > 0 {
		m.log.Info("rules that cannot look: no log has what they need; see crmwatch rules coverage", "rules", strings.Join(blind, ","))
	}
	return detectors.SaveCoverage(ctx, m.conn, report, time.Now())
}
