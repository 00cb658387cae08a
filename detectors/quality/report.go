package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/crmwatch/crmwatch/schema"
	"github.com/crmwatch/crmwatch/simulate"
)

// measureRules lives through a company's time and prints what the rules made of it.
func measureRules(ctx context.Context, c company, w io.Writer) error {
	l, failed := c.live(ctx)
	if len(l.rules) == 0 {
		return failed
	}
	s := l.score()
	fmt.Fprintf(w, "\nSimulated: seed %d, %d days, %d people, %d integrations, %d products; %d events, %d incidents of %d kinds\n",
		c.seed, c.days, c.users, c.integrations, products(l.truth), l.report.Totals.Events, s.planted, len(s.kinds))
	fmt.Fprintf(w, "Written in %.0f s, read in %.0f s, judged by %d rules in %.0f s\n\n", l.took[0].Seconds(), l.took[1].Seconds(), len(l.rules), l.took[2].Seconds())
	s.print(w)
	if c.explain {
		l.explain(w, s)
	}
	return failed
}

func products(truth simulate.Manifest) int {
	of := map[string]bool{}
	for _, f := range truth.Files {
		switch f.Product {
		case simulate.Kong, simulate.Nginx:
			of["gateways"] = true
		default:
			of[f.Product] = true
		}
	}
	return len(of)
}

// print writes the recall of each kind, the part of each rule, and the sums.
func (s score) print(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "incident\tfound\tof\trecall\t\n")
	for _, name := range simulate.IncidentNames() {
		if k, is := s.kinds[name]; is {
			fmt.Fprintf(table, "%s\t%d\t%d\t%.2f\t\n", name, k[0], k[1], float64(k[0])/float64(k[1]))
		}
	}
	fmt.Fprintf(table, "all\t%d\t%d\t%.3f\t\n", s.found, s.planted, s.recall())
	_ = table.Flush()

	fmt.Fprintln(w)
	fmt.Fprint(table, "rule\tfindings\tright\tfalse\tnotes\tincidents\tfirst to tell\t\n")
	for _, id := range slices.Sorted(maps.Keys(s.rules)) {
		r := s.rules[id]
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t\n", id, r.findings, r.right, r.findings-r.right, r.notes, r.incidents, r.first)
	}
	_ = table.Flush()

	if s.planted > 0 {
		fmt.Fprintf(w, "\nRecall %.3f (%d of %d), the least of a kind %.2f\n", s.recall(), s.found, s.planted, s.worst())
	}
	fmt.Fprintf(w, "False: %d of %d alerts, %.2f per 1,000 entities and week (%d entities, %.1f weeks); %d findings, %.2f\n",
		s.wrongAlerts, s.alerts, s.perThousand(s.wrongAlerts), s.entities, s.weeks, s.wrong, s.perThousand(s.wrong))
}

// explain names what was missed and what was said of innocents.
func (l lived) explain(w io.Writer, s score) {
	for i, label := range l.truth.Incidents {
		if len(s.verdict.found[i]) == 0 {
			fmt.Fprintf(w, "\nmissed: %s, %s (%s) of %s, %s to %s; rules %v\n", label.Kind, label.Entity, label.EntityUID, label.Product,
				label.From.Format("01-02 15:04:05"), label.To.Format("01-02 15:04:05"), label.Rules)
			for _, f := range l.findings {
				if about(f, label) {
					fmt.Fprintf(w, "  but %s (%s): %s\n", f.Rule, f.Severity, f.Message)
				}
			}
		}
	}
}

// tellFalse names what a rule said of innocents.
func (l lived) tellFalse(w io.Writer, findings []schema.Finding) {
	v := judgeFindings(findings, l.truth.Incidents)
	for _, f := range findings {
		if loud(f) && !v.right[f.UID] {
			fmt.Fprintf(w, "  false (%s) %s: %s\n", f.Severity, f.FirstSeen.Format("2006-01-02 15:04:05"), f.Message)
		}
	}
}
