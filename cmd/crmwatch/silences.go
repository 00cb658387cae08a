package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/alerting/route"
	"github.com/crmwatch/crmwatch/schema"
)

type silencesCommand struct {
	Add    addSilenceCommand    `cmd:"" help:"Mute what matches for a while."`
	List   listSilencesCommand  `cmd:"" help:"List the silences."`
	Expire expireSilenceCommand `cmd:"" help:"End a silence now; what it kept back and is still open is told."`
}

type addSilenceCommand struct {
	alertFlags
	Match  []string `required:"" sep:"none" placeholder:"CONDITION" help:"What: rule=traffic-drop, entity=svc-*, product=, tenant=, tactic=, severity<=medium; all must hold."`
	For    string   `placeholder:"DURATION" help:"How long, such as 90m, 2h or 3d; at most 30d."`
	Until  string   `placeholder:"TIME" help:"Its end instead, such as 2026-03-01T22:00:00Z."`
	From   string   `placeholder:"TIME" help:"Its beginning; now by default."`
	Reason string   `required:"" help:"Why, for those who wonder."`
	UpTo   string   `placeholder:"SEVERITY" help:"The highest severity that is muted; by default the highest that it mutes now, at least medium, never critical."`
	DryRun bool     `help:"Only show what it would mute."`
}

func (addSilenceCommand) Help() string {
	return `An alert is muted when all of its findings match, so that what another rule says of the same entity is told. What is
above --up-to breaks through. A silence takes effect within seconds; at its end, what is still open is told.

Example:
  crmwatch silences add --data ./data --match rule=traffic-drop --match 'entity=svc-*' --for 2h --reason 'ERP is moved' --dry-run`
}

// arguments are the flags in the text form that the command line and Slack share.
func (c *addSilenceCommand) arguments() (args []string) {
	for _, m := range c.Match {
		args = append(args, "--match", m)
	}
	for _, f := range [][2]string{{"--for", c.For}, {"--until", c.Until}, {"--from", c.From}, {"--reason", c.Reason}, {"--up-to", c.UpTo}} {
		if f[1] != "" {
			args = append(args, f[0], f[1])
		}
	}
	return args
}

func (c *addSilenceCommand) Run(ctx context.Context, term terminal) error {
	now := time.Now()
	s, err := route.ParseSilence(c.arguments(), whoami(), now)
	if err != nil {
		return err
	}
	store, _, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	var muted []schema.Alert
	if c.DryRun {
		if muted, err = alerting.PreviewSilence(ctx, store, s, now); err == nil {
			s.Settle(active(muted))
		}
	} else {
		muted, err = alerting.AddSilence(ctx, store, &s, now)
	}
	if err != nil {
		return err
	}
	var unrecorded error
	if !c.DryRun {
		unrecorded = silenceUnrecorded(recordSilences(ctx, store, now, nil))
	}
	verb := "mutes"
	if c.DryRun {
		verb = "would mute"
	} else {
		fmt.Fprintf(term.out, "silence %s\n", s.UID)
	}
	fmt.Fprintf(term.out, "%s %s, up to %s, from %s to %s UTC\n", verb, s.Match, s.UpTo, s.StartsAt.UTC().Format(minuteTime), s.EndsAt.UTC().Format(minuteTime))
	open := active(muted)
	fmt.Fprintf(term.out, "%s open now, and %s of the last 7 days that are closed\n", plural(len(open), "alert"), plural(len(muted)-len(open), "alert"))
	for _, a := range open {
		if a.Severity > s.UpTo {
			fmt.Fprintf(term.err, "crmwatch: alert %s is %s and breaks through: add --up-to %s to mute it as well\n", a.UID, a.Severity, a.Severity)
		}
	}
	if len(muted) == 0 {
		return unrecorded
	}
	return errors.Join(alerting.WriteList(term.out, muted), unrecorded)
}

// silenceUnrecorded says what follows from an audit that could not be written.
func silenceUnrecorded(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("the silence is as said above, and it is not recorded in the audit yet: a running crmwatch records it within a minute: %w", err)
}

// minuteTime is how lists of silences write times.
const minuteTime = "2006-01-02 15:04"

func active(alerts []schema.Alert) (open []schema.Alert) {
	for _, a := range alerts {
		if !a.Status.Closed() {
			open = append(open, a)
		}
	}
	return open
}

type listSilencesCommand struct {
	alertFlags
	All bool `help:"Also those that are over."`
}

func (c *listSilencesCommand) Run(ctx context.Context, term terminal) error {
	store, _, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	now := time.Now()
	silences, err := alerting.Silences(ctx, store, now, c.All)
	if err != nil {
		return err
	}
	return writeSilences(term.out, silences, now)
}

func writeSilences(w io.Writer, silences []route.Silence, now time.Time) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SILENCE\tSTATE\tFROM (UTC)\tTO (UTC)\tUP TO\tMUTES\tBY\tREASON")
	for _, s := range silences {
		state := "active"
		switch {
		case s.EndedBy != "":
			state = "ended by " + s.EndedBy
		case !s.EndsAt.After(now):
			state = "over"
		case s.StartsAt.After(now):
			state = "to come"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.UID.String()[:8], alerting.PlainLine(state), s.StartsAt.UTC().Format(minuteTime), s.EndsAt.UTC().Format(minuteTime),
			s.UpTo, alerting.PlainLine(s.Match.String()), alerting.PlainLine(s.Author), alerting.PlainLine(s.Reason))
	}
	return table.Flush()
}

type expireSilenceCommand struct {
	alertFlags
	Silence string `arg:"" help:"The silence's id, or its beginning."`
}

func (c *expireSilenceCommand) Run(ctx context.Context, term terminal) error {
	store, _, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	s, err := alerting.ExpireSilence(ctx, store, strings.ToLower(c.Silence), whoami(), time.Now())
	if err != nil {
		return err
	}
	fmt.Fprintf(term.out, "silence %s is over\n", s.UID)
	return silenceUnrecorded(recordSilences(ctx, store, time.Now(), nil))
}
