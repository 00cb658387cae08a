package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/crmwatch/crmwatch/agent"
	"github.com/crmwatch/crmwatch/agent/formats"
	"github.com/crmwatch/crmwatch/agent/redact"
	"github.com/crmwatch/crmwatch/collector/insert"
	"github.com/crmwatch/crmwatch/compliance/audit"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/schollz/progressbar/v3"
)

// loadFlags are the options that scan and ingest share.
type loadFlags struct {
	Paths     []string `arg:"" name:"path" help:"Files and folders; .gz and .zip are read as they are."`
	Tenant    string   `help:"Tenant for logs that name none."`
	Zone      string   `default:"UTC" help:"Zone of times that name none, such as Europe/Berlin."`
	DateOrder string   `name:"date-order" placeholder:"ORDER" help:"Order in dates such as 02/03/2026 where a file does not tell: dmy, mdy or ymd."`
	LogFormat string   `name:"log-format" help:"Read every file as this format; without it the content decides."`
	Quiet     bool     `short:"q" help:"No progress."`
}

// load reads the paths into db. Loading is named after what was typed, so that
// file names in events are those that the user knows.
func (f loadFlags) load(ctx context.Context, db *database, term terminal) (agent.Report, time.Duration, error) {
	zone, err := time.LoadLocation(f.Zone)
	if err != nil {
		return agent.Report{}, 0, fmt.Errorf("--zone %s is not known: use an IANA name such as Europe/Berlin", f.Zone)
	}
	order, err := formats.ParseDateOrder(f.DateOrder)
	if err != nil {
		return agent.Report{}, 0, fmt.Errorf("--date-order: %w", err)
	}
	state, err := stateDir(db.dir)
	if err != nil {
		return agent.Report{}, 0, err
	}
	key, err := agent.LoadKey(state)
	if err != nil {
		return agent.Report{}, 0, err
	}
	if err := db.deferMerges(ctx, f.Paths); err != nil {
		return agent.Report{}, 0, err
	}
	inserter := &insert.Inserter{Conn: db.conn, Log: slog.New(slog.NewTextHandler(term.err, nil))}
	// A load of its own each time: only a repeated send of one batch is the same
	// insert. What is loaded twice collapses by event_uid.
	uid := rand.Text()
	show, done := f.progress(term)
	start := time.Now()
	report, err := agent.Load(ctx, agent.LoadOptions{
		Paths:    f.Paths,
		Ship:     func(ctx context.Context, s agent.Sealed) error { return inserter.Insert(ctx, s.Delivery(uid)) },
		Redactor: redact.New(key),
		Source:   "files",
		Format:   f.LogFormat,
		Tenant:   f.Tenant,
		Zone:     zone, DateOrder: order,
		Progress: show,
	})
	done()
	return report, time.Since(start), err
}

// progress draws a bar on a terminal, and nothing elsewhere.
func (f loadFlags) progress(term terminal) (show func(agent.Progress), done func()) {
	if f.Quiet || !isTerminal(term.err) {
		return nil, func() {}
	}
	var bar *progressbar.ProgressBar
	return func(p agent.Progress) {
			if bar == nil {
				bar = progressbar.NewOptions64(p.BytesTotal,
					progressbar.OptionSetWriter(term.err), progressbar.OptionShowBytes(true),
					progressbar.OptionSetDescription("Reading"), progressbar.OptionThrottle(100*time.Millisecond),
					progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish())
			}
			_ = bar.Set64(min(p.BytesDone, p.BytesTotal))
		}, func() {
			if bar != nil {
				_ = bar.Finish()
			}
		}
}

// detecting draws a bar over the windows that the rules have looked at.
func (f loadFlags) detecting(term terminal) (show func(done, total int), done func()) {
	if f.Quiet || !isTerminal(term.err) {
		return nil, func() {}
	}
	var bar *progressbar.ProgressBar
	return func(finished, total int) {
			if bar == nil {
				bar = progressbar.NewOptions(total,
					progressbar.OptionSetWriter(term.err), progressbar.OptionSetDescription("Detecting"),
					progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish())
			}
			_ = bar.Set(finished)
		}, func() {
			if bar != nil {
				_ = bar.Finish()
			}
		}
}

// maxProblems is how many files the summary names; the JSON report has them all.
const maxProblems = 20

// writeSummary says what was read and what was not. distinct is how many events the
// database holds now, each counted once.
func writeSummary(w io.Writer, report agent.Report, distinct uint64, took time.Duration) {
	t := report.Totals
	fmt.Fprintf(w, "Read %s in %s, %s in %.1f s: ", plural(t.Files, "file"), sizeText(t.Bytes), rateText(t.Records, took), took.Seconds())
	if distinct == uint64(t.Events) {
		fmt.Fprint(w, plural(t.Events, "event"))
	} else {
		fmt.Fprintf(w, "%s in the database (%s read; what arrives again counts once)", plural(distinct, "event"), grouped(t.Events))
	}
	if !t.FirstEvent.IsZero() {
		fmt.Fprintf(w, ", %s to %s UTC", t.FirstEvent.UTC().Format(minuteLayout), t.LastEvent.UTC().Format(minuteLayout))
	}
	fmt.Fprintln(w)
	writeFormats(w, report)
	if t.Quarantined > 0 {
		fmt.Fprintf(w, "  quarantined: %s (table quarantine keeps them, with the reason)\n", plural(t.Quarantined, "record"))
	}
	problems := report.Problems()
	for i, f := range problems {
		if i == maxProblems {
			fmt.Fprintf(w, "  ! and %s more; --format json lists all\n", plural(len(problems)-i, "file"))
			break
		}
		writeProblem(w, f)
	}
}

const minuteLayout = "2006-01-02 15:04"

func writeFormats(w io.Writer, report agent.Report) {
	type sum struct {
		files  int
		events int64
	}
	var names []string
	sums := map[string]*sum{}
	for _, f := range report.Files {
		if f.Format == "" {
			continue
		}
		if sums[f.Format] == nil {
			sums[f.Format] = &sum{}
			names = append(names, f.Format)
		}
		sums[f.Format].files++
		sums[f.Format].events += f.Events
	}
	for _, name := range names {
		fmt.Fprintf(w, "  %-28s %12s %16s\n", name, plural(sums[name].files, "file"), plural(sums[name].events, "event"))
	}
}

func writeProblem(w io.Writer, f agent.FileReport) {
	fmt.Fprintf(w, "  ! %s: ", f.File)
	if f.Status != agent.StatusOK {
		fmt.Fprint(w, f.Status)
		if f.Reason != "" {
			fmt.Fprintf(w, ": %s", f.Reason)
		}
		if f.Quarantined > 0 {
			fmt.Fprint(w, "; ")
		}
	}
	if f.Quarantined > 0 {
		fmt.Fprintf(w, "%s quarantined", plural(f.Quarantined, "record"))
		if f.FirstRejection != "" {
			fmt.Fprintf(w, ", the first: %s", f.FirstRejection)
		}
	}
	fmt.Fprintln(w)
}

// plural writes a number with its noun and thousands apart: "1 file", "12,345 files".
func plural[N int | int64 | uint64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if noun == "identity" {
		return grouped(int64(n)) + " identities"
	}
	return grouped(int64(n)) + " " + noun + "s"
}

func grouped(n int64) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func sizeText(bytes int64) string {
	switch {
	case bytes >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30))
	case bytes >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
	}
	return fmt.Sprintf("%.1f KiB", float64(bytes)/(1<<10))
}

func rateText(records int64, took time.Duration) string {
	return grouped(int64(float64(records)/max(took.Seconds(), 0.001))) + " records/s"
}

// distinctEvents counts the events of the database, each once, without crmwatch's own.
func (db *database) distinctEvents(ctx context.Context) (n uint64, err error) {
	if err := db.conn.QueryRow(ctx, "SELECT count() FROM events FINAL WHERE metadata_product_name != {own:String}", schema.Named("own", audit.Product)).Scan(&n); err != nil {
		return 0, fmt.Errorf("count events: %w", err)
	}
	return n, nil
}

// nothingRead is the end of a command that found not one record.
func nothingRead(report agent.Report) error {
	if len(report.Files) == 0 {
		return exitError{exitNothing, "nothing was read: there is no file under the paths given"}
	}
	return exitError{exitNothing, "nothing was read: none of the files holds a record of a known format (see above)"}
}

// stateDir is where reading positions and the redaction key are kept.
func stateDir(data string) (string, error) {
	dir := data + string(os.PathSeparator) + "agent"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make state directory: %w", err)
	}
	return dir, nil
}
