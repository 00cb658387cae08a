package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/crmwatch/crmwatch/agent/formats"
)

type formatsCommand struct{}

func (formatsCommand) Run(term terminal) error {
	table := tabwriter.NewWriter(term.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FORMAT\tREAD AS\tLOGS")
	for _, f := range formats.All() {
		kind := "export"
		if f.Line {
			kind = "export, follow"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", f.Name, kind, f.Title)
	}
	return table.Flush()
}
