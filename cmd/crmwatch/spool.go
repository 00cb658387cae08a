package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/crmwatch/crmwatch/agent/spool"
)

type spoolCommand struct {
	Ls     spoolListCommand   `cmd:"" help:"List the segments of a spool and what is in them."`
	Verify spoolVerifyCommand `cmd:"" help:"Read every byte of a spool and compare every checksum; exit code 1 when anything is damaged."`
}

type spoolFlags struct {
	Config string `placeholder:"FILE" xor:"where" required:"" help:"Configuration of the agent; names the spool and its keys."`
	Dir    string `placeholder:"DIR" xor:"where" required:"" help:"The spool's folder itself."`
	Output string `name:"format" default:"text" enum:"text,json" help:"text or json."`
}

type spoolListCommand struct{ spoolFlags }

type spoolVerifyCommand struct{ spoolFlags }

func (spoolListCommand) Help() string {
	return "Looks without a lock and changes nothing, so it can be used while the agent runs."
}

func (spoolVerifyCommand) Help() string {
	return "Looks without a lock and changes nothing. Encrypted segments are decrypted if --config names their keys."
}

func (c *spoolListCommand) Run(_ context.Context, term terminal) error {
	_, err := c.list(term, false)
	return err
}

func (c *spoolVerifyCommand) Run(_ context.Context, term terminal) error {
	damaged, err := c.list(term, true)
	if err == nil && damaged > 0 {
		err = exitError{exitFailed, fmt.Sprintf("%s: crmwatch reads what was in them again from its source when it starts", plural(damaged, "damaged segment"))}
	}
	return err
}

func (f spoolFlags) list(term terminal, check bool) (damaged int, err error) {
	var keys [][]byte
	dir := f.Dir
	if f.Config != "" {
		cfg, err := loadConfig(f.Config)
		if err != nil {
			return 0, exitError{exitFailed, "the configuration has mistakes:\n" + err.Error()}
		}
		if keys, err = cfg.Spool.keys(); err != nil {
			return 0, err
		}
		dir = filepath.Join(cfg.Data, "agent", "spool")
	}
	all, err := spool.List(spool.At(dir), keys, check)
	if err != nil {
		return 0, err
	}
	for _, l := range all {
		if len(l.Problems) > 0 {
			damaged++
		}
	}
	if f.Output == "json" {
		encoder := json.NewEncoder(term.out)
		encoder.SetIndent("", "  ")
		return damaged, encoder.Encode(all)
	}
	w := tabwriter.NewWriter(term.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SEGMENT\tSTATE\tBYTES\tBATCHES\tSEQUENCE\tROWS\tBEGUN\tNOTES")
	for _, l := range all {
		name, state, _ := strings.Cut(l.Name, ".")
		sequence, notes := "", l.Problems
		if l.Batches > 0 {
			sequence = fmt.Sprintf("%d-%d", l.First, l.Last)
		}
		if l.Encrypted {
			notes = append(notes, "encrypted")
		}
		if l.Torn > 0 {
			notes = append(notes, fmt.Sprintf("%s being written at the end", sizeText(l.Torn)))
		}
		begun := ""
		if !l.Created.IsZero() {
			begun = l.Created.Format(time.DateTime)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n", name, state, grouped(l.Bytes), l.Batches, sequence, grouped(l.Rows), begun, strings.Join(notes, "; "))
	}
	return damaged, w.Flush()
}
