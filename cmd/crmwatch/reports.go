package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/compliance"
	"github.com/crmwatch/crmwatch/compliance/chain"
	"github.com/crmwatch/crmwatch/compliance/schedule"
	"github.com/crmwatch/crmwatch/schema"
)

type listReportsCommand struct {
	alertFlags
	Limit int  `default:"50" help:"At most so many, the latest."`
	JSON  bool `name:"json" help:"Write one JSON object a line."`
}

// reportLine is a kept summary in a list.
type reportLine struct {
	UID     string    `json:"summary_uid"`
	Version uint64    `json:"version"`
	Tenant  string    `json:"tenant"`
	Kind    string    `json:"kind"`
	Period  string    `json:"period"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	MadeAt  time.Time `json:"made_at"`
	MadeBy  string    `json:"made_by"`
	MadeFor string    `json:"made_for"`
	Entry   uint64    `json:"chain_entry,omitempty"`
	Content string    `json:"sha256"`
	// LateEvents are events of the period that came after it was made.
	LateEvents uint64 `json:"late_events"`
}

func (c *listReportsCommand) Run(ctx context.Context, term terminal) error {
	store, _, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	all, err := chain.Summaries(ctx, store, chain.SummaryFilter{})
	if err != nil {
		return err
	}
	all = all[max(len(all)-c.Limit, 0):]
	table := tabwriter.NewWriter(term.out, 0, 0, 2, ' ', 0)
	if !c.JSON {
		fmt.Fprintln(table, "SUMMARY\tVERSION\tTENANT\tPERIOD\tMADE (UTC)\tBY\tENTRY\tCAME LATER")
	}
	for _, s := range all {
		l, err := reportLineOf(ctx, store, s)
		if err != nil {
			return err
		}
		if c.JSON {
			if err := json.NewEncoder(term.out).Encode(l); err != nil {
				return fmt.Errorf("write summaries: %w", err)
			}
			continue
		}
		entry, late := "none yet", "nothing"
		if l.Entry > 0 {
			entry = fmt.Sprint(l.Entry)
		}
		if l.LateEvents > 0 {
			late = plural(int(l.LateEvents), "event")
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", l.UID[:8], l.Version, alerting.PlainLine(orAll(l.Tenant)), l.Period, l.MadeAt.Format(minuteTime), alerting.PlainLine(l.MadeBy), entry, late)
	}
	return table.Flush()
}

func orAll(tenant string) string {
	if tenant == "" {
		return "all"
	}
	return tenant
}

func reportLineOf(ctx context.Context, store schema.Store, s chain.Summary) (reportLine, error) {
	_, entry, err := chain.Find(ctx, store, s.UID, s.Version)
	if err != nil {
		return reportLine{}, err
	}
	late, err := schedule.LatenessOf(ctx, store, s.Tenant, s.From, s.To, s.MadeAt)
	if err != nil {
		return reportLine{}, err
	}
	return reportLine{
		UID: s.UID.String(), Version: s.Version, Tenant: s.Tenant, Kind: s.Period, Period: schedule.Label(compliance.Period{Kind: compliance.PeriodKind(s.Period), From: s.From, To: s.To}),
		From: s.From, To: s.To, MadeAt: s.MadeAt, MadeBy: s.MadeBy, MadeFor: s.MadeFor, Entry: entry.Sequence, Content: s.ContentHash, LateEvents: late.SinceMade,
	}, nil
}

type showReportCommand struct {
	alertFlags
	Summary string `arg:"" help:"The summary's id, or its beginning."`
	Version uint64 `placeholder:"N" help:"A version; the last one by default."`
	Format  string `enum:"html,md,json,csv" default:"md" help:"html, md, json, or csv (a zip)."`
}

func (c *showReportCommand) Run(ctx context.Context, term terminal) error {
	store, _, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	found, err := chain.Summaries(ctx, store, chain.SummaryFilter{UID: strings.ToLower(c.Summary)})
	if err != nil {
		return err
	}
	found = slices.DeleteFunc(found, func(s chain.Summary) bool { return c.Version > 0 && s.Version != c.Version })
	if len(found) == 0 {
		return fmt.Errorf("there is no such summary; list them with: crmwatch report list %s", c.where())
	}
	for _, s := range found {
		if s.UID != found[0].UID {
			return fmt.Errorf("several summaries begin with %s: give more of the id", c.Summary)
		}
	}
	last := slices.MaxFunc(found, func(a, b chain.Summary) int { return int(a.Version) - int(b.Version) })
	key, err := c.evidenceKey(false)
	if err != nil {
		return err
	}
	public := ""
	if key != nil {
		public = chain.WriteKey(key.Public().(ed25519.PublicKey))
	} else if head, err := chain.Head(ctx, store); err == nil {
		public = head.PublicKey
	}
	made, err := schedule.Reopen(last, public)
	if err != nil {
		return err
	}
	text, err := made.Write(c.Format)
	if err != nil {
		return err
	}
	if _, err := term.out.Write(text); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	return nil
}

type exportChainCommand struct {
	alertFlags
	Out string `placeholder:"FILE" help:"The file to write; standard output by default."`
}

func (exportChainCommand) Help() string {
	return `Each line is an entry as JSON. It holds hashes and names of what is covered, and no logs.

Example:
  crmwatch report export-chain --data ./data --out chain.jsonl`
}

func (c *exportChainCommand) Run(ctx context.Context, term terminal) error {
	store, _, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	if c.Out == "" {
		return chain.Export(ctx, store, term.out)
	}
	var text strings.Builder
	if err := chain.Export(ctx, store, &text); err != nil {
		return err
	}
	if err := chain.WriteFile(c.Out, []byte(text.String())); err != nil {
		return err
	}
	fmt.Fprintln(term.err, c.Out)
	return nil
}

type reportKeyCommand struct {
	Data   string `placeholder:"DIR" help:"Data directory." xor:"where" required:""`
	Config string `placeholder:"FILE" help:"Configuration of run." xor:"where" required:""`
}

func (reportKeyCommand) Help() string {
	return `Give it to your auditors by a way of its own, such as on paper: it is what makes a chain yours. The key that signs stays in its file.`
}

func (c *reportKeyCommand) Run(term terminal) error {
	where := alertFlags{Data: c.Data, Config: c.Config}
	if c.Data != "" {
		if _, err := os.Stat(c.Data); err != nil {
			return fmt.Errorf("open data directory: %w", err)
		}
	}
	key, err := where.evidenceKey(true)
	if err != nil {
		return err
	}
	fmt.Fprintln(term.out, chain.WriteKey(key.Public().(ed25519.PublicKey)))
	return nil
}

type verifyReportCommand struct {
	Data      string   `placeholder:"DIR" help:"Data directory; a running crmwatch on it is asked." xor:"where"`
	Config    string   `placeholder:"FILE" help:"Configuration of run, for its data directory or server." xor:"where"`
	DSNFile   string   `name:"dsn-file" placeholder:"FILE" help:"File with the URL of a ClickHouse server." xor:"where"`
	Chain     string   `placeholder:"FILE" help:"What report export-chain wrote, instead of a database." xor:"where"`
	Files     string   `placeholder:"DIR" help:"Check the files of this folder as well."`
	Anchor    string   `placeholder:"HASH" help:"A hash of the chain from a message or a summary: nothing up to it was exchanged."`
	PublicKey []string `placeholder:"KEY" help:"The key that must have signed; that of the data directory by default."`
	JSON      bool     `name:"json" help:"Write one JSON object."`
}

func (verifyReportCommand) Help() string {
	return `Ends with 0 where everything is as it was, and with 1 where it is not or could not be checked. It names the first entry that is not, what differs, and what that means.

Examples:
  crmwatch report verify --data ./data --anchor HASH
  crmwatch report verify --files ./reports --chain chain.jsonl --public-key KEY`
}

func (c *verifyReportCommand) expect(where alertFlags) (e chain.Expect, err error) {
	if c.Anchor != "" {
		if e.Anchor, err = chain.ParseHash(strings.ToLower(strings.TrimSpace(c.Anchor))); err != nil {
			return e, fmt.Errorf("--anchor: %w", err)
		}
	}
	for _, k := range c.PublicKey {
		if _, err := chain.ParseKey(k); err != nil {
			return e, fmt.Errorf("--public-key: %w", err)
		}
	}
	if e.PublicKeys = c.PublicKey; len(e.PublicKeys) == 0 {
		key, err := where.evidenceKey(false)
		if err != nil {
			return e, err
		}
		if key != nil {
			e.PublicKeys = []string{chain.WriteKey(key.Public().(ed25519.PublicKey))}
		}
	}
	return e, nil
}

func (c *verifyReportCommand) Run(ctx context.Context, term terminal) error {
	where := alertFlags{Data: c.Data, Config: c.Config, DSNFile: c.DSNFile}
	if where == (alertFlags{}) && c.Chain == "" {
		return fmt.Errorf("what is to be checked? give --data DIR or --config FILE, or --chain FILE and --files DIR")
	}
	expect, err := c.expect(where)
	if err != nil {
		return err
	}
	report, err := c.check(ctx, where, expect)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := json.NewEncoder(term.out).Encode(report); err != nil {
			return fmt.Errorf("write what was found: %w", err)
		}
	} else {
		writeVerified(term.out, report)
	}
	if !report.Intact() {
		return exitError{code: exitFailed}
	}
	return nil
}

func (c *verifyReportCommand) check(ctx context.Context, where alertFlags, expect chain.Expect) (*chain.Report, error) {
	if c.Chain != "" {
		f, err := os.Open(c.Chain)
		if err != nil {
			return nil, fmt.Errorf("open exported chain: %w", err)
		}
		defer f.Close()
		entries, err := chain.ReadExport(f)
		if err != nil {
			return nil, err
		}
		if c.Files == "" {
			return chain.VerifyEntries(entries, expect), nil
		}
		skip := filepath.Clean(c.Chain)
		if inside, err := filepath.Rel(c.Files, c.Chain); err == nil && filepath.IsLocal(inside) {
			skip = filepath.Join(c.Files, inside)
		}
		return chain.VerifyFiles(filepath.Clean(c.Files), skip, entries, expect)
	}
	store, _, done, err := where.open(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	if c.Files == "" {
		return chain.Verify(ctx, store, expect)
	}
	return chain.VerifyAll(ctx, store, filepath.Clean(c.Files), expect)
}
