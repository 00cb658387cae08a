package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/agent"
	"github.com/crmwatch/crmwatch/agent/spool"
	"github.com/crmwatch/crmwatch/compliance/audit"
	"github.com/crmwatch/crmwatch/compliance/subject"
)

type subjectEraseCommand struct {
	subjectFlags
	Yes    bool          `help:"Do it."`
	Reason string        `placeholder:"TEXT" help:"Why, such as the number of the request. It is kept, so it must not name the person."`
	Delete bool          `help:"Delete what the person did, in place of making it nobody's. Counts and trends change by it."`
	Verify bool          `help:"Search every file of the database afterwards, decompressed; without --yes, search only."`
	Wait   time.Duration `default:"2m" help:"How long to wait until a running crmwatch has delivered what waits in its spool."`
}

func (subjectEraseCommand) Help() string {
	return `By default the person becomes nobody: in every table the identifiers are replaced by random tokens of this erasure, such as
erased-4f2c9a1e-07d3, and where texts name the person, there too. Addresses, networks, cities and programs that only
this person was seen with are replaced as well. So counts, trends and numbers of distinct users stay, rules find the same, and findings keep
their evidence. With --delete, what the person did is deleted.

It may be killed at any moment: the same command again completes it. What is erased comes back when a log that names the
person is read again: logs and exports are yours to erase. Backups of the database are too.

Examples:
  crmwatch subject erase --data ./data --email alice@acme.example                                        # what would be done
  crmwatch subject erase --data ./data --email alice@acme.example --yes --reason 'request 2026-17' --verify`
}

func (c *subjectEraseCommand) Run(ctx context.Context, term terminal) error {
	if c.Yes && strings.TrimSpace(c.Reason) == "" {
		return exitError{exitFailed, "say why with --reason, such as the number of the request"}
	}
	s, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if !c.Yes && c.Verify {
		return s.verify(term)
	}
	if !c.Yes {
		r, err := s.report(ctx)
		if err != nil {
			return err
		}
		if err := r.write(term.out); err != nil {
			return err
		}
		held, err := subject.Holds(ctx, s.store, s.subject)
		if err != nil {
			return err
		}
		if len(held) > 0 {
			return exitError{exitFailed, (&subject.HeldError{Holds: held}).Error()}
		}
		fmt.Fprintln(term.out, "\nNothing was changed. Add --yes --reason TEXT to erase.")
		return nil
	}
	if err := s.delivered(ctx, term, c.Wait); err != nil {
		return err
	}
	begun := time.Now()
	done, err := subject.Erase(ctx, s.store, subject.Erasing{
		Subject: s.subject, Delete: c.Delete, Actor: whoami(), Reason: c.Reason, Folder: filepath.Join(s.dir, "erasures"),
		Step: func(what string) { fmt.Fprintf(term.err, "crmwatch: %s\n", what) }, Amend: s.amend(term, c.Reason),
		Record: func(ctx context.Context, done subject.Erased) error { return s.record(ctx, done, c.Reason) },
	})
	if err != nil && !errors.Is(err, subject.ErrNothing) {
		return err
	}
	if err != nil {
		fmt.Fprintln(term.out, "Nothing in the database names the person.")
	} else {
		fmt.Fprintf(term.out, "Erasure %s is complete: %s, in %s.\n", done.UID, done.Method+"d", time.Since(begun).Round(100*time.Millisecond))
		for _, name := range slices.Sorted(maps.Keys(done.Counts)) {
			fmt.Fprintf(term.out, "  %-20s %s rows\n", name, grouped(int64(done.Counts[name])))
		}
		fmt.Fprintf(term.out, "Tokens in the person's place begin with %s.\n", done.Prefix)
		if done.By != whoami() {
			fmt.Fprintf(term.out, "You are this person: the record of the erasure says that %s did it. Note elsewhere who that was, if somebody must know.\n", done.By)
		}
	}
	if err := s.dropDelivered(term); err != nil {
		return err
	}
	files, err := s.files()
	if err != nil {
		return err
	}
	if err := writeFiles(term.out, files); err != nil {
		return err
	}
	fmt.Fprintln(term.out, "\nNot reached from here: logs and exports that crmwatch reads (read again, they bring the person back), backups, spools of\nagents on other machines, and what was sent to Slack and webhooks.")
	if c.Verify {
		return s.verify(term)
	}
	return nil
}

// record writes the erasure into the trail of what was done with crmwatch.
func (s *subjectStore) record(ctx context.Context, done subject.Erased, reason string) error {
	var rows uint64
	attributes := map[string]string{"reason": reason, "method": done.Method}
	for name, n := range done.Counts {
		attributes["rows."+name] = fmt.Sprint(n)
		rows += n
	}
	return audit.Write(ctx, s.store, audit.Record{
		UID: done.UID, At: done.Began, Actor: done.By, Via: audit.ViaCLI, Action: "subject.erase", ObjectType: "erasure", Object: done.UID.String(),
		Detail: fmt.Sprintf("%s of the data of one person, %d rows", done.Method, rows), Attributes: attributes,
	})
}

// delivered waits until no batch that names the person waits for delivery.
func (s *subjectStore) delivered(ctx context.Context, term terminal, patience time.Duration) error {
	for begun, told := time.Now(), false; ; {
		files, err := s.files()
		if err != nil {
			return err
		}
		pending := slices.DeleteFunc(files, func(f personFile) bool { return f.What != "pending" })
		if len(pending) == 0 {
			return nil
		}
		if s.mine || time.Since(begun) > patience {
			return exitError{exitFailed, fmt.Sprintf("%s of the spool names the person and is not delivered: let crmwatch run until it is, then erase. Nothing was changed", plural(len(pending), "segment"))}
		}
		if !told {
			fmt.Fprintf(term.err, "crmwatch: waiting for the delivery of %s that name the person\n", plural(len(pending), "segment"))
			told = true
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// dropDelivered deletes delivered segments that name the person, where no agent has the
// spool open and the positions in them are kept elsewhere too.
func (s *subjectStore) dropDelivered(term terminal) error {
	files, err := s.files()
	if err != nil {
		return err
	}
	files = slices.DeleteFunc(files, func(f personFile) bool { return f.What != "delivered" })
	if len(files) == 0 {
		return nil
	}
	folder := spool.At(filepath.Join(s.dir, "agent", "spool"))
	lock, err := folder.Lock()
	if err != nil {
		return nil // in use: they are listed with when they go
	}
	defer lock.Close()
	covered, err := agent.CoveredBatch(filepath.Join(s.dir, "agent"))
	if err != nil {
		return err
	}
	for _, f := range files {
		if f.last > covered {
			continue
		}
		if err := folder.Remove(filepath.Base(f.Path)); err != nil {
			return fmt.Errorf("delete delivered segment: %w", err)
		}
		fmt.Fprintf(term.out, "Deleted %s, which was delivered.\n", f.Path)
	}
	return folder.SyncFolder()
}

// verify searches the database's files.
func (s *subjectStore) verify(term terminal) error {
	if !s.embedded {
		return exitError{exitFailed, "--verify reads the files of the embedded database; those of a server are on the server"}
	}
	found, err := s.subject.Files(filepath.Join(s.dir, "store"), nil)
	if err != nil {
		return err
	}
	if len(found) > 0 {
		for _, path := range found {
			fmt.Fprintf(term.err, "crmwatch: %s holds an identifier\n", oneLine(path))
		}
		return exitError{exitFailed, fmt.Sprintf("%s of the database hold an identifier of the person", plural(len(found), "file"))}
	}
	_, err = fmt.Fprintln(term.out, "No file of the database holds an identifier of the person.")
	return err
}
