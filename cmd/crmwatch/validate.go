package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/crmwatch/crmwatch/detectors"
)

type validateCommand struct {
	Config string   `placeholder:"FILE" help:"Configuration to check: of run, agent or collector."`
	Rules  []string `placeholder:"DIR" help:"Folders with rules to check, beside those of the configuration."`
}

func (validateCommand) Help() string {
	return `Checks a configuration, the files it names, and every rule; each rule's SQL runs once over an empty database, so that
syntax errors and unknown columns are found. Mistakes are named with file, line, column and the mend. A file with ship
is an agent's, one with tls or agents_file a collector's; of those no rules are checked.

Example:
  crmwatch validate --config crmwatch.yaml
  crmwatch validate --config agent.yaml`
}

func (c *validateCommand) Run(ctx context.Context, term terminal) error {
	kind := kindOfConfig(c.Config)
	var cfg config
	var looked *fileCheck
	var summary string
	switch {
	case c.Config == "":
	case kind == "collector":
		collector, err := loadCollectorConfig(c.Config)
		if err != nil {
			return configMistakes(err)
		}
		looked, summary = lookIntoCollector(c.Config, collector), "listens on "+collector.Listen
	default:
		var err error
		load := loadConfig
		if kind == "agent" {
			load = loadAgentConfig
		}
		if cfg, err = load(c.Config); err != nil {
			return configMistakes(err)
		}
		looked, summary = lookInto(c.Config, cfg), plural(len(cfg.Sources), "source")
		if n := len(cfg.Receivers); n > 0 {
			summary += ", " + plural(n, "receiver")
		}
		if cfg.Ship.Collector != "" {
			summary += ", ships to " + cfg.Ship.Collector
		}
	}
	if looked != nil {
		if len(looked.problems) > 0 {
			return configMistakes(errors.Join(looked.problems...))
		}
		for _, soon := range looked.soon {
			fmt.Fprintf(term.err, "crmwatch: %s\n", soon)
		}
		for _, ended := range cfg.ended(c.Config, time.Now()) {
			fmt.Fprintf(term.err, "crmwatch: %s\n", ended)
		}
	}
	if kind != "" && kind != "run" {
		fmt.Fprintf(term.out, "%s: in order, for crmwatch %s, %s\n", c.Config, kind, summary)
		if len(c.Rules) == 0 {
			// Where the rules run is not known here; the built-in ones are the best guess.
			builtIn, err := detectors.Load()
			tellBlinded(term, cfg, builtIn)
			return err
		}
	}
	return c.rules(ctx, cfg, kind, summary, term)
}

// kindOfConfig is the command that a configuration is for, by the keys it has. What
// cannot be read is left to the one who reads it in earnest.
func kindOfConfig(path string) string {
	if path == "" {
		return ""
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "run"
	}
	var keys map[string]any
	if yaml.Unmarshal(text, &keys) != nil {
		return "run"
	}
	has := func(key string) bool { _, ok := keys[key]; return ok }
	switch {
	case has("ship"):
		return "agent"
	case has("sources") || has("receivers"):
		return "run"
	case has("agents_file") || has("tls") || has("listen"):
		return "collector"
	}
	return "run"
}

func (c *validateCommand) rules(ctx context.Context, cfg config, kind, summary string, term terminal) error {
	rules, err := detectors.Load(append(c.Rules, cfg.Rules.Directories...)...)
	if err != nil {
		return exitError{exitFailed, "the rules have mistakes:\n" + err.Error()}
	}
	if rules, err = cfg.Rules.apply(c.Config, rules); err != nil {
		return configMistakes(err)
	}
	tellBlinded(term, cfg, rules)
	if kind == "run" {
		tellRetention(term.err, cfg.Retention, rules)
	}
	if err := validateOwn(ctx, rules); err != nil {
		return err
	}
	if kind == "run" {
		fmt.Fprintf(term.out, "%s: in order, %s\n", c.Config, summary)
		if err := tellRoutes(term.out, cfg, rules); err != nil {
			return err
		}
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

// validateOwn has an engine plan the queries of the user's own rules; without any, none is
// started.
func validateOwn(ctx context.Context, rules []detectors.Rule) error {
	own := detectors.Own(rules)
	if len(own) == 0 {
		return nil
	}
	db, err := openDatabase(ctx, "", databaseOptions{})
	if err != nil {
		return err
	}
	defer db.close()
	if err := detectors.Validate(ctx, db.conn, own); err != nil {
		return exitError{exitFailed, "the rules have mistakes:\n" + err.Error()}
	}
	return nil
}
