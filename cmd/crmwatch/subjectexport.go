package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/crmwatch/crmwatch/compliance/audit"
	"github.com/crmwatch/crmwatch/compliance/subject"
)

type subjectExportCommand struct {
	subjectFlags
	Out string `required:"" placeholder:"DIR" help:"New folder for the copy; only you can read it."`
}

func (subjectExportCommand) Help() string {
	return `Writes every row that names the person as JSON Lines, one file a table, with index.md to read and manifest.json, which has the
hashes of the files. Other people in the same rows are masked where a column names them, and e-mail addresses everywhere; read
texts before you hand them out, for names in free text are not known as such.

Example:
  crmwatch subject export --data ./data --email alice@acme.example --uid 0057x000001AbCdAAK --out alice-2026-17`
}

func (c *subjectExportCommand) Run(ctx context.Context, term terminal) error {
	s, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	beside, err := s.files()
	if err != nil {
		return err
	}
	var files []string
	for _, f := range beside {
		files = append(files, filepath.Base(f.Path)+" ("+f.What+"): goes "+f.Goes)
	}
	m, err := subject.Export(ctx, s.store, s.subject, c.Out, files, time.Now())
	if err != nil {
		return err
	}
	var rows uint64
	table := tabwriter.NewWriter(term.out, 0, 0, 2, ' ', 0)
	for _, t := range m.Tables {
		rows += t.Rows
		fmt.Fprintf(table, "%s\t%s rows\n", filepath.Join(c.Out, t.File), grouped(int64(t.Rows)))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(m.Tables) == 0 {
		if err := os.RemoveAll(c.Out); err != nil {
			return fmt.Errorf("remove empty copy: %w", err)
		}
		return exitError{exitFailed, "nothing in the database names the person; no copy was made"}
	}
	if err := audit.Write(ctx, s.store, audit.Record{
		At: time.Now(), Actor: whoami(), Via: audit.ViaCLI, Action: "subject.export", ObjectType: "copy", Detail: fmt.Sprintf("a copy of the data of one person, %d rows", rows),
	}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(term.out, "Begin with %s.\n", filepath.Join(c.Out, "index.md"))
	return err
}
