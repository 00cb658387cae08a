package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/crmwatch/crmwatch/simulate"
)

type simulateCommand struct {
	Dir          string   `arg:"" optional:"" help:"New or empty folder for the logs."`
	Example      bool     `help:"The demonstration: two weeks, a token theft and a password spray."`
	Start        string   `default:"2025-08-04" placeholder:"DATE" help:"First day, as 2025-08-04."`
	Days         int      `default:"14" help:"Number of days."`
	Users        int      `default:"25" help:"People."`
	Integrations int      `default:"6" help:"Service accounts with a connected app."`
	Incident     []string `short:"i" placeholder:"NAME" help:"What is to happen; may be repeated. --list names them."`
	Product      []string `placeholder:"NAME" help:"Logs to write; without it all."`
	Seed         uint64   `default:"1" help:"The same seed and options give the same bytes."`
	Churn        bool     `help:"Add what changes in a company over weeks: leave, telephones, new versions, roaming integrations."`
	Daily        bool     `help:"Also write each day's twin of the hourly Salesforce files."`
	Truth        string   `type:"path" placeholder:"FILE" help:"Write what is hidden, as JSON, outside the folder."`
	List         bool     `help:"List the incidents."`
}

func (simulateCommand) Help() string {
	return `Examples:
  crmwatch simulate --example demo/logs
  crmwatch simulate --days 30 -i token-theft -i brute-force --truth truth.json logs/`
}

func (c *simulateCommand) Run(term terminal) error {
	if c.List {
		for _, k := range simulate.Incidents() {
			fmt.Fprintf(term.out, "%-24s %s\n", k.Name, k.Summary)
		}
		return nil
	}
	if c.Dir == "" {
		return fmt.Errorf("name the folder to write to, such as: crmwatch simulate --example demo/logs")
	}
	start, err := time.Parse(time.DateOnly, c.Start)
	if err != nil {
		return fmt.Errorf("--start %s is not a day: write it as 2025-08-04", c.Start)
	}
	options := simulate.Options{
		Seed: c.Seed, Start: start, Days: c.Days, Users: c.Users, Integrations: c.Integrations,
		Incidents: c.Incident, Products: c.Product, Daily: c.Daily, Churn: c.Churn,
	}
	if c.Example {
		options = simulate.Example()
	}
	options.Truth = c.Truth
	manifest, err := simulate.Write(c.Dir, options)
	if err != nil {
		return err
	}
	fmt.Fprintf(term.out, "Wrote %s of %s to %s: %s, %s, %s to %s\n", plural(len(manifest.Files), "file"), manifest.Company,
		filepath.Clean(c.Dir), sizeText(manifest.Bytes), plural(manifest.Events, "record"),
		manifest.From.Format(time.DateOnly), manifest.To.Add(-time.Second).Format(time.DateOnly))
	return nil
}
