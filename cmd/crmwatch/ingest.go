package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/crmwatch/crmwatch/agent"
)

type ingestCommand struct {
	loadFlags
	Data   string `required:"" placeholder:"DIR" help:"Data directory; made if it is not there."`
	Output string `name:"format" default:"text" enum:"text,json" help:"How the summary is printed: text or json."`
}

func (ingestCommand) Help() string {
	return `Loading is repeatable: what was loaded before collapses with what comes again.

Example:
  crmwatch ingest --data ./data exports/
  crmwatch query --data ./data "SELECT metadata_product_name, count() FROM events GROUP BY ALL"`
}

func (c *ingestCommand) Run(ctx context.Context, term terminal) error {
	db, err := openDatabase(ctx, c.Data, databaseOptions{})
	if err != nil {
		return err
	}
	defer db.close()
	report, took, err := c.load(ctx, db, term)
	if err != nil {
		return err
	}
	distinct, err := db.distinctEvents(ctx)
	if err != nil {
		return err
	}
	if c.Output == "json" {
		summary := struct {
			agent.Report
			// DatabaseEvents counts each event of the database once.
			DatabaseEvents uint64 `json:"database_events"`
		}{report, distinct}
		if err := json.NewEncoder(term.out).Encode(summary); err != nil {
			return fmt.Errorf("write summary: %w", err)
		}
	} else {
		writeSummary(term.out, report, distinct, took)
	}
	if report.NothingRead() {
		return nothingRead(report)
	}
	return nil
}
