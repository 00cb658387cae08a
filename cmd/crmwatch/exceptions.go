package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/crmwatch/crmwatch/detectors"
)

// exceptionLine is what an exception did to one rule.
type exceptionLine struct {
	detectors.ExceptionUse
	until string
}

// exceptionLines joins the exceptions of the rules with what was counted; some of that
// may be of exceptions that are gone.
func exceptionLines(rules []detectors.Rule, uses []detectors.ExceptionUse, now time.Time) (lines []exceptionLine) {
	for _, rule := range rules {
		for _, e := range rule.Exceptions {
			line := exceptionLine{ExceptionUse: detectors.ExceptionUse{Rule: rule.ID, Reason: e.Reason}}
			if i := slices.IndexFunc(uses, func(u detectors.ExceptionUse) bool { return u.Rule == rule.ID && u.Reason == e.Reason }); i >= 0 {
				line.ExceptionUse = uses[i]
				uses = slices.Delete(slices.Clone(uses), i, i+1)
			}
			if !e.Until.IsZero() {
				line.until = e.Until.AddDate(0, 0, -1).Format(time.DateOnly)
				if !now.Before(e.Until) {
					line.until += " (over)"
				}
			}
			lines = append(lines, line)
		}
	}
	for _, use := range uses {
		lines = append(lines, exceptionLine{use, "?"})
	}
	return lines
}

// writeExceptions says which exceptions there are, and how often they applied.
func writeExceptions(w io.Writer, lines []exceptionLine) error {
	if len(lines) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "EXCEPTION TO\tUNTIL\tSUPPRESSED\tNOTES\tREASON")
	for _, l := range lines {
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%s\n", l.Rule, cmp.Or(l.until, "-"), l.Suppressed, l.Noted, shorten(printable(l.Reason), 70))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write exceptions: %w", err)
	}
	return nil
}
