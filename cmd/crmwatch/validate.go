package main

import (
	"context"
	"fmt"
	"time"

	"github.com/crmwatch/crmwatch/detectors"
)

type validateCommand struct {
	Config string   `placeholder:"FILE" help:"Configuration to check."`
	Rules  []string `placeholder:"DIR" help:"Folders with rules to check, beside those of the configuration."`
}

func (validateCommand) Help() string {
	return `Checks the configuration and every rule, and runs each rule's SQL once over an empty database, so that
syntax errors and unknown columns are found. Mistakes are named with file, line, column and the mend.

Example:
  crmwatch validate --config crmwatch.yaml`
}

func (c *validateCommand) Run(ctx context.Context, term terminal) error {
	folders := c.Rules
	var cfg config
	if c.Config != "" {
		var err error
		if cfg, err = loadConfig(c.Config); err != nil {
			return exitError{exitFailed, "the configuration has mistakes:\n" + err.Error()}
		}
		folders = append(folders, cfg.Rules.Directories...)
	}
	rules, err := detectors.Load(folders...)
	if err != nil {
		return exitError{exitFailed, "the rules have mistakes:\n" + err.Error()}
	}
	if rules, err = cfg.Rules.apply(c.Config, rules); err != nil {
		return exitError{exitFailed, "the configuration has mistakes:\n" + err.Error()}
	}
	db, err := openDatabase(ctx, "", databaseOptions{})
	if err != nil {
		return err
	}
	defer db.close()
	if err := detectors.Validate(ctx, db.conn, rules); err != nil {
		return exitError{exitFailed, "the rules have mistakes:\n" + err.Error()}
	}
	if c.Config != "" {
		fmt.Fprintf(term.out, "%s: in order, %s\n", c.Config, plural(len(cfg.Sources), "source"))
	}
	fmt.Fprintf(term.out, "%s: in order. Next runs (UTC):\n", plural(len(rules), "rule"))
	for _, r := range rules {
		wakes, err := detectors.NextWakes(r, time.Now(), 3)
		if err != nil {
			return err
		}
		fmt.Fprintf(term.out, "  %-28s", r.ID)
		for _, wake := range wakes {
			fmt.Fprintf(term.out, " %s", wake.UTC().Format(time.DateTime))
		}
		fmt.Fprintln(term.out)
	}
	return nil
}
