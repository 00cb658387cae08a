package main

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/crmwatch/crmwatch/compliance/chain"
	"github.com/crmwatch/crmwatch/compliance/incident"
)

type incidentReportCommand struct {
	alertFlags
	Alert  string `arg:"" help:"The alert's id, or its beginning."`
	Format string `enum:"html,md,json" default:"md" help:"html, md or json."`
	Out    string `placeholder:"FILE" help:"The file to write; standard output by default."`
}

func (incidentReportCommand) Help() string {
	return `Writes what is known: the 72 hours from detection, what happened, which records of which types were touched, what was done.
What the law asks and no log can answer is in it as questions to fill in. It decides nothing.

Example:
  crmwatch report incident --data ./data --format html --out incident.html e4ffce2a`
}

func (c *incidentReportCommand) Run(ctx context.Context, term terminal) error {
	store, _, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	alert, err := oneAlert(ctx, store, c.Alert, c.where())
	if err != nil {
		return err
	}
	record, err := incident.Build(ctx, store, alert, time.Now())
	if err != nil {
		return err
	}
	var text bytes.Buffer
	switch c.Format {
	case "html":
		err = incident.WriteHTML(&text, record)
	case "json":
		err = incident.WriteJSON(&text, record)
	default:
		err = incident.WriteMarkdown(&text, record)
	}
	if err != nil {
		return err
	}
	if c.Out == "" {
		_, err = text.WriteTo(term.out)
		return err
	}
	if err := chain.WriteFile(c.Out, text.Bytes()); err != nil {
		return err
	}
	fmt.Fprintln(term.err, c.Out)
	return nil
}
