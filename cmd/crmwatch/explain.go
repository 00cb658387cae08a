package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/crmwatch/crmwatch/agent"
	"github.com/crmwatch/crmwatch/agent/formats"
	"github.com/crmwatch/crmwatch/agent/redact"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
)

type explainCommand struct {
	Path      string   `arg:"" name:"file" help:"A log, or - for standard input."`
	LogFormat string   `name:"log-format" help:"Read it as this format; without it the content decides."`
	Config    string   `placeholder:"FILE" help:"Configuration with mappings of your own, and with the privacy of sources."`
	Source    string   `placeholder:"NAME" help:"With --config: read it as a file of this source; without it, as one of the source whose paths name it."`
	Tenant    string   `help:"Tenant for logs that name none."`
	Zone      string   `default:"UTC" help:"Zone of times that name none, such as Europe/Berlin."`
	DateOrder string   `name:"date-order" placeholder:"ORDER" help:"Order in dates such as 02/03/2026 where a file does not tell: dmy, mdy or ymd."`
	Rules     []string `placeholder:"DIR" help:"Folders with rules of your own, beside the built-in ones."`
	Output    string   `name:"format" default:"text" enum:"text,json" help:"text explains for people; json prints one object a record."`
	Limit     int      `help:"Explain so many records at most. Text: 3 unless told; json: all."`
}

func (explainCommand) Help() string {
	return `Shows how a log is read: its format and why, each record's fields and where they went, what was redacted, which
rules look at it, and why a record would go to quarantine. Nothing is stored. With --config, people become pseudonyms
and columns are emptied or dropped as the privacy of its source says; the pseudonyms are not those that are stored.

Examples:
  crmwatch explain /var/log/nginx/access.log
  tail -1 portal.log | crmwatch explain -
  crmwatch explain --config crmwatch.yaml --source portal portal.log
  crmwatch explain --format json export.csv | jq 'select(.quarantine)'`
}

func (c *explainCommand) Run(ctx context.Context, term terminal) error {
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return fmt.Errorf("--zone %s is not known: use an IANA name such as Europe/Berlin", c.Zone)
	}
	order, err := formats.ParseDateOrder(c.DateOrder)
	if err != nil {
		return fmt.Errorf("--date-order: %w", err)
	}
	var privacy *redact.PrivacyOptions
	if c.Config != "" {
		cfg, err := loadConfig(c.Config)
		if err != nil {
			return exitError{exitFailed, "the configuration has mistakes:\n" + err.Error()}
		}
		cfg.apply()
		source, err := c.source(cfg)
		if err != nil {
			return err
		}
		if source != nil {
			// Like the hashes, the pseudonyms shown here are those of no real key.
			privacy = source.Privacy.options(redact.NewPseudonymKey([]byte("crmwatch explain shows and stores nothing")))
		}
	} else if c.Source != "" {
		return exitError{exitFailed, "--source needs --config FILE, which names the sources"}
	}
	rules, err := detectors.Load(c.Rules...)
	if err != nil {
		return err
	}
	limit := c.Limit
	if limit == 0 && c.Output == "text" {
		limit = 3
	}
	records := 0
	o := agent.ExplainOptions{
		Format: c.LogFormat, Options: formats.Options{Tenant: c.Tenant, Zone: zone, DateOrder: order}, Limit: limit,
		// Hashes are those of this key alone: what is shown here cannot be looked up.
		Redactor: redact.New([]byte("crmwatch explain shows and stores nothing")),
		Privacy:  privacy,
	}
	var text strings.Builder
	o.Record = func(x agent.Explanation) error {
		records++
		if c.Output == "json" {
			return json.NewEncoder(term.out).Encode(explanationJSON(x, rules))
		}
		writeExplanation(&text, records, x, rules)
		return nil
	}
	explain := func(name string, read func() (formats.Format, string, error)) error {
		text.Reset()
		format, why, err := read()
		if err != nil {
			return err
		}
		if c.Output == "text" {
			fmt.Fprintf(term.out, "%s: %s (%s)\n  because: %s\n%s", name, format.Name, format.Title, why, text.String())
		}
		return nil
	}
	if c.Path == "-" {
		o.Options.Reference = time.Now()
		err = explain("standard input", func() (formats.Format, string, error) { return agent.Explain(ctx, os.Stdin, "standard input", o) })
	} else {
		for _, in := range agent.Walk([]string{c.Path}) {
			if err = explain(in.Name, func() (formats.Format, string, error) { return agent.ExplainFile(ctx, in, o) }); err != nil {
				break
			}
		}
	}
	if err != nil {
		return exitError{exitNothing, err.Error()}
	}
	if records == 0 {
		return exitError{exitNothing, "there is no record in it"}
	}
	return nil
}

// source is the source that the file is of; nil when it is of none.
func (c *explainCommand) source(cfg config) (*sourceConfig, error) {
	for i := range cfg.Sources {
		s := &cfg.Sources[i]
		of := agent.Source{Name: s.Name, Paths: s.Paths}
		if s.Name == c.Source || c.Source == "" && c.Path != "-" && of.Has(c.Path) {
			return s, nil
		}
	}
	if c.Source != "" {
		return nil, exitError{exitFailed, fmt.Sprintf("the configuration has no source %q", c.Source)}
	}
	return nil, nil
}

// explanationJSON is one record for programs. Columns have the names and types of the
// events table.
func explanationJSON(x agent.Explanation, rules []detectors.Rule) map[string]any {
	out := map[string]any{"line": x.Line, "offset": x.Offset}
	if x.Rejection != nil {
		out["quarantine"] = map[string]any{"reason": x.Rejection.Reason, "detail": x.Rejection.Detail, "column": x.Rejection.Column,
			"content": strings.ToValidUTF8(string(x.Rejection.Content), "\uFFFD")}
		return out
	}
	event := map[string]any{"time": x.Event.When().Format("2006-01-02T15:04:05.000Z"), "event_uid": x.Event.UID.String()}
	eachColumn(x.Event, func(name string, value any) { event[name] = value })
	unmapped := map[string]string{}
	for _, a := range x.Event.Unmapped {
		unmapped[a.Name] = a.Value
	}
	event["unmapped"] = unmapped
	looking, _ := rulesFor(x.Event, rules)
	out["event"], out["fields"], out["redactions"], out["rules"] = event, x.Fields, x.Redactions, looking
	for _, name := range []string{"fields", "redactions", "rules"} {
		if fmt.Sprint(out[name]) == "[]" {
			out[name] = []any{}
		}
	}
	return out
}

// eachColumn goes through the columns that are filled, as the table has them.
func eachColumn(e *schema.Event, do func(name string, value any)) {
	for i, value := range e.Text {
		if value != "" {
			do(schema.Text(i).Column(), value)
		}
	}
	for i, value := range e.Number {
		if value != 0 {
			do(schema.Number(i).Column(), value)
		}
	}
}

// rulesFor divides the rules into those that look at events like this one, and those
// that would if it had more columns, each with the first that is missing.
func rulesFor(e *schema.Event, rules []detectors.Rule) (looking, blind []string) {
	filled := map[string]bool{"time": true, "event_uid": true}
	eachColumn(e, func(name string, _ any) { filled[name] = true })
	for _, rule := range rules {
		if len(rule.Needs.LogTypes) > 0 && !slices.Contains(rule.Needs.LogTypes, e.Text[schema.MetadataLogName]) {
			continue
		}
		if !rule.Needs.HasClass(uint16(e.Number[schema.ClassUID])) {
			continue
		}
		if unset := rule.Unset(); len(unset) > 0 {
			blind = append(blind, rule.ID+" (parameter "+unset[0]+" is empty)")
			continue
		}
		empty := func(column string) bool { return !filled[column] }
		missing := ""
		if i := slices.IndexFunc(rule.Needs.Columns, empty); i >= 0 {
			missing = rule.Needs.Columns[i]
		}
		for _, list := range rule.Needs.OneOf {
			if !slices.ContainsFunc(list, func(column string) bool { return filled[column] }) {
				missing = detectors.SayOneOf(list)
			}
		}
		if missing == "" {
			looking = append(looking, rule.ID)
		} else {
			blind = append(blind, rule.ID+" (no "+missing+")")
		}
	}
	return looking, blind
}

func writeExplanation(out *strings.Builder, number int, x agent.Explanation, rules []detectors.Rule) {
	fmt.Fprintf(out, "\nrecord %d, line %d, byte %d\n", number, x.Line, x.Offset)
	if r := x.Rejection; r != nil {
		fmt.Fprintf(out, "  quarantine: %s\n", r.Reason)
		if r.Detail != "" {
			fmt.Fprintf(out, "  %s\n", r.Detail)
		}
		fmt.Fprintf(out, "  | %s\n", shorten(printable(string(r.Content)), 200))
		return
	}
	from := map[string][]string{}
	var needed, lost []string
	for _, f := range x.Fields {
		switch {
		case f.Needed:
			needed = append(needed, shorten(printable(f.Name), 40))
		case len(f.Columns) == 0:
			lost = append(lost, shorten(printable(f.Name), 40))
		}
		for _, column := range f.Columns {
			from[column] = append(from[column], shorten(printable(f.Name), 40))
		}
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, value string) {
		fmt.Fprintf(table, "  %s\t%s\t%s\n", name, shorten(printable(value), 80), strings.Join(from[name], ", "))
	}
	fmt.Fprintln(table, "  COLUMN\tVALUE\tFROM")
	if len(from["time"]) == 0 {
		from["time"] = needed
		needed = nil
	}
	row("time", x.Event.When().Format("2006-01-02T15:04:05.000Z"))
	eachColumn(x.Event, func(name string, value any) { row(name, fmt.Sprint(value)) })
	for _, a := range x.Event.Unmapped {
		row("unmapped."+a.Name, a.Value)
	}
	_ = table.Flush()
	list := func(title string, words []string) {
		if len(words) > 0 {
			fmt.Fprintf(out, "  %s: %s\n", title, strings.Join(words, ", "))
		}
	}
	list("cannot be read without", needed)
	list("changes nothing by itself", lost)
	for _, r := range x.Redactions {
		switch r.Kind {
		case redact.Dropped, redact.Emptied:
			fmt.Fprintf(out, "  %s: %s\n", r.Kind, r.Column)
		default:
			fmt.Fprintf(out, "  redacted: %d %s in %s\n", r.Count, r.Kind, r.Column)
		}
	}
	looking, blind := rulesFor(x.Event, rules)
	if len(looking) == 0 {
		looking = []string{"none"}
	}
	list("rules that look at it", looking)
	list("rules that cannot", blind)
}

// printable makes text safe for a terminal: control characters are shown, not obeyed.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '·'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func shorten(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return string(runes[:n-1]) + "…"
}
