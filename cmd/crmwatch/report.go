package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/crmwatch/crmwatch/compliance"
	"github.com/crmwatch/crmwatch/compliance/chain"
	"github.com/crmwatch/crmwatch/compliance/schedule"
	"github.com/crmwatch/crmwatch/schema"
)

type reportCommand struct {
	Make        makeReportCommand     `cmd:"" default:"withargs" help:"Make the summary of a period now, and keep it."`
	List        listReportsCommand    `cmd:"" help:"List the summaries that are kept."`
	Show        showReportCommand     `cmd:"" help:"Write a kept summary again."`
	Verify      verifyReportCommand   `cmd:"" help:"Check that nothing that is kept was changed: the database, or files alone."`
	ExportChain exportChainCommand    `cmd:"" name:"export-chain" help:"Write the evidence chain, for auditors who have only files."`
	Key         reportKeyCommand      `cmd:"" help:"Print the public key with which the evidence chain is checked."`
	Incident    incidentReportCommand `cmd:"" help:"Write what the GDPR (Article 33) wants to know of an alert."`
}

func (reportCommand) Help() string {
	return `Examples:
  crmwatch report --data ./data --period daily
  crmwatch report --config crmwatch.yaml --period 2026-W47 --tenant acme --format html --format csv --out ./reports
  crmwatch report verify --data ./data --anchor HASH
  crmwatch report verify --files ./reports --chain chain.jsonl --public-key KEY`
}

// evidenceKey is the key of the place that the flags name, made where make says so; it is
// nil, without an error, where there is none.
func (c *alertFlags) evidenceKey(create bool) (ed25519.PrivateKey, error) {
	var cfg config
	switch {
	case c.Config != "":
		var err error
		if cfg, err = loadConfig(c.Config); err != nil {
			return nil, configMistakes(err)
		}
	case c.Data != "":
		cfg.Data = c.Data
	default:
		return nil, nil
	}
	if create {
		return cfg.openEvidenceKey()
	}
	key, err := chain.LoadKey(cfg.evidenceKeyPath())
	if errors.Is(err, fs.ErrNotExist) && cfg.Summaries.KeyFile == "" {
		return nil, nil
	}
	return key, err
}

type makeReportCommand struct {
	alertFlags
	Period     string   `placeholder:"PERIOD" help:"daily, weekly or monthly: the last one that is over; or 2026-11-26, 2026-W47, 2026-11."`
	From       string   `placeholder:"TIME" help:"The beginning of any other period, such as 2026-11-26 or 2026-11-26T08:00:00Z."`
	To         string   `placeholder:"TIME" help:"Its end, which is not in it."`
	Tenant     string   `placeholder:"TENANT" help:"Only of this tenant; otherwise of all."`
	Format     []string `placeholder:"FORMAT" help:"html, md, json or csv; several with --out. md by default, html and json with --out."`
	Out        string   `placeholder:"DIR" help:"Folder for the files; without it, standard output."`
	Statements []string `placeholder:"DIR" help:"Folders with statements of your own, beside those of the configuration."`
}

func (makeReportCommand) Help() string {
	return `The summary is kept in the database, and gets an entry in the evidence chain. Made again, it is a new version beside the old one.

Examples:
  crmwatch report --data ./data --period daily
  crmwatch report --config crmwatch.yaml --period 2026-11 --format html --format csv --out ./reports`
}

// period is the one that the flags name.
func (c *makeReportCommand) period(now time.Time) (compliance.Period, error) {
	switch {
	case c.Period != "" && c.From+c.To != "":
		return compliance.Period{}, errors.New("give --period, or --from and --to")
	case c.Period != "":
		return schedule.ParsePeriod(c.Period, now)
	case c.From == "" || c.To == "":
		return compliance.Period{}, errors.New("which period? give --period daily, or --from and --to")
	}
	from, err := momentOf("--from", c.From)
	if err != nil {
		return compliance.Period{}, err
	}
	to, err := momentOf("--to", c.To)
	if err != nil {
		return compliance.Period{}, err
	}
	return compliance.NewPeriod(from, to)
}

func momentOf(flag, text string) (time.Time, error) {
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(form, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%s is %q: use 2026-11-26 or 2026-11-26T08:00:00Z", flag, text)
}

func (c *makeReportCommand) formats() ([]string, error) {
	for _, f := range c.Format {
		if !slices.Contains(schedule.Formats, f) {
			return nil, fmt.Errorf("--format is %q: use html, md, json or csv", f)
		}
	}
	switch {
	case c.Out != "" && len(c.Format) == 0:
		return []string{"html", "json"}, nil
	case c.Out == "" && len(c.Format) == 0:
		return []string{"md"}, nil
	case c.Out == "" && len(c.Format) > 1:
		return nil, errors.New("several formats need --out DIR: standard output takes one")
	}
	return c.Format, nil
}

func (c *makeReportCommand) Run(ctx context.Context, term terminal) error {
	period, err := c.period(time.Now())
	if err != nil {
		return err
	}
	formats, err := c.formats()
	if err != nil {
		return err
	}
	var cfg config
	if c.Config != "" {
		if cfg, err = loadConfig(c.Config); err != nil {
			return configMistakes(err)
		}
	}
	sections, controls, err := cfg.Summaries.statements(c.Statements...)
	if err != nil {
		return exitError{exitFailed, "the statements have mistakes:\n" + err.Error()}
	}
	store, mine, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	key, err := c.evidenceKey(mine)
	if err != nil {
		return err
	}
	order := schedule.Order{Tenant: c.Tenant, Period: period, Formats: formats, Directory: c.Out, By: whoami(), For: chain.MadeForRequest}
	if c.Out == "" {
		order.Sent = formats
	}
	if key != nil {
		order.PublicKey = chain.WriteKey(key.Public().(ed25519.PublicKey))
	} else if head, err := chain.Head(ctx, store); err == nil {
		order.PublicKey = head.PublicKey
	}
	made, err := schedule.Make(ctx, store, buildSummary(store, sections, controls, cfg.digest), time.Now, order)
	if err != nil {
		return err
	}
	entry, err := enter(ctx, store, mine, key, made.Kept)
	if err != nil {
		return err
	}
	if c.Out == "" {
		text, err := made.Write(formats[0])
		if err != nil {
			return err
		}
		if _, err := term.out.Write(text); err != nil {
			return fmt.Errorf("write summary: %w", err)
		}
	}
	for _, f := range made.Kept.Files {
		if c.Out != "" {
			fmt.Fprintln(term.err, filepath.Join(c.Out, f.Name))
		}
	}
	sayKept(term.err, made.Kept, entry)
	return nil
}

// enterWithin is how long a running crmwatch is given to write a summary into the chain.
const enterWithin = 20 * time.Second

// enter gives a kept summary its entry in the chain. Where a running crmwatch keeps the
// chain, it is the one that does so; the entry is zero if it has not by now.
func enter(ctx context.Context, store schema.Store, mine bool, key ed25519.PrivateKey, s chain.Summary) (chain.Entry, error) {
	if mine {
		if _, err := chain.NewLedger(store, key, chain.LedgerOptions{}).Summaries(ctx); err != nil {
			return chain.Entry{}, err
		}
	}
	for deadline := time.Now().Add(enterWithin); ; {
		_, entry, err := chain.Find(ctx, store, s.UID, s.Version)
		if err != nil || entry.Sequence > 0 || mine || time.Now().After(deadline) {
			return entry, err
		}
		select {
		case <-ctx.Done():
			return entry, nil
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func sayKept(w io.Writer, s chain.Summary, e chain.Entry) {
	again := ""
	if s.Replaces > 0 {
		again = fmt.Sprintf(", in the place of version %d, which stays kept", s.Replaces)
	}
	fmt.Fprintf(w, "kept as summary %s version %d%s\n", s.UID, s.Version, again)
	if e.Sequence == 0 {
		fmt.Fprintln(w, "it has no entry in the evidence chain yet: crmwatch run writes it as soon as it runs")
		return
	}
	fmt.Fprintf(w, "evidence chain: entry %d, %s\n", e.Sequence, e.Hash)
}
