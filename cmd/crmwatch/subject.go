package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/crmwatch/crmwatch/agent/redact"
	"github.com/crmwatch/crmwatch/compliance/subject"
	"github.com/crmwatch/crmwatch/schema"
)

type subjectCommand struct {
	Find   subjectFindCommand   `cmd:"" help:"Show where a person is named, and by what else."`
	Export subjectExportCommand `cmd:"" help:"Write what is stored of a person into a folder, for the person (GDPR, article 15)."`
	Erase  subjectEraseCommand  `cmd:"" help:"Take a person out of the database (GDPR, article 17). Shows what it would do, unless --yes is given."`
}

// subjectFlags name a person and the data.
type subjectFlags struct {
	Data    string   `placeholder:"DIR" help:"Data directory; a running crmwatch on it is asked, otherwise it is opened." xor:"where" required:""`
	Config  string   `placeholder:"FILE" help:"Configuration of crmwatch run: its data or server, its pseudonym key, its spool." xor:"where" required:""`
	Name    []string `sep:"none" placeholder:"NAME" help:"A user name, or how the person is called. May be repeated, as the next two."`
	Email   []string `sep:"none" placeholder:"ADDRESS" help:"An e-mail address."`
	UID     []string `name:"uid" sep:"none" placeholder:"ID" help:"The id that a product gave to the person."`
	KeyFile []string `sep:"none" placeholder:"FILE" help:"A pseudonym key beside that of the configuration, such as an old one. May be repeated."`
	Texts   bool     `default:"true" negatable:"" help:"Look for names in texts too: paths, queries, messages. --no-texts leaves them out."`
}

// subjectStore is the store, the person, and what belongs to them on disk.
type subjectStore struct {
	store   schema.Store
	subject subject.Subject
	// dir is the data directory; mine says that no other crmwatch has it open.
	dir  string
	mine bool
	// embedded says that the database's files are in dir.
	embedded bool
	config   config
	keys     []*redact.PseudonymKey
	close    func()
}

func (f *subjectFlags) open(ctx context.Context) (*subjectStore, error) {
	s := &subjectStore{dir: f.Data}
	var err error
	if f.Config != "" {
		if s.config, err = loadConfig(f.Config); err != nil {
			return nil, configMistakes(err)
		}
		s.dir = s.config.Data
		key, err := s.config.pseudonymKey()
		if err != nil {
			return nil, err
		}
		if key != nil {
			s.keys = append(s.keys, key)
		}
	}
	for _, path := range f.KeyFile {
		key, err := readPseudonymKey(path)
		if err != nil {
			return nil, err
		}
		s.keys = append(s.keys, key)
	}
	s.subject, err = subject.New(subject.Request{Names: f.Name, Addresses: f.Email, UIDs: f.UID, Keys: s.keys, NoTexts: !f.Texts})
	if err != nil {
		return nil, exitError{exitFailed, err.Error()}
	}
	if s.config.Store.DSNFile != "" {
		if s.store, err = openServer(ctx, s.config.Store.DSNFile); err != nil {
			return nil, err
		}
		s.close = func() { _ = s.store.Close() }
		return s, nil
	}
	db, err := openDatabase(ctx, s.dir, databaseOptions{mustExist: true})
	if err != nil {
		return nil, err
	}
	s.store, s.mine, s.embedded, s.close = db.conn, db.engine != nil, true, db.close
	return s, nil
}

type subjectFindCommand struct {
	subjectFlags
	JSON bool `name:"json" help:"Write one JSON object."`
}

func (subjectFindCommand) Help() string {
	return `A person is known by identifiers: --name, --email, --uid. Columns that hold who somebody is are compared whole; in texts an
identifier is found as a word, in any case, with the escapes of URLs and JSON. Pseudonyms that the keys make of the
identifiers belong to them. Changes nothing.

Examples:
  crmwatch subject find --data ./data --email alice@acme.example
  crmwatch subject find --config crmwatch.yaml --email alice@acme.example --uid 0057x000001AbCdAAK --key-file old-pseudonym.key`
}

// foundReport is what find prints.
type foundReport struct {
	Identifiers []subject.Identifier `json:"identifiers"`
	Found       []subject.Occurrence `json:"found"`
	Proposed    []subject.Proposal   `json:"proposed,omitempty"`
	Namesakes   []string             `json:"namesakes,omitempty"`
	Files       []personFile         `json:"files,omitempty"`
}

func (c *subjectFindCommand) Run(ctx context.Context, term terminal) error {
	s, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	r, err := s.report(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(term.out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	return r.write(term.out)
}

func (s *subjectStore) report(ctx context.Context) (r foundReport, err error) {
	r.Identifiers = s.subject.Identifiers
	if r.Found, err = subject.Find(ctx, s.store, s.subject); err != nil {
		return r, err
	}
	if r.Proposed, err = subject.Propose(ctx, s.store, s.subject); err != nil {
		return r, err
	}
	if r.Namesakes, err = subject.Namesakes(ctx, s.store, s.subject); err != nil {
		return r, err
	}
	r.Files, err = s.files()
	return r, err
}

func (r foundReport) write(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "IDENTIFIER\tKIND\tIN TEXTS")
	for _, i := range r.Identifiers {
		texts := "yes"
		if !i.Words {
			texts = "no: it " + i.Why
			if i.Why == "not wanted" {
				texts = "no"
			}
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", oneLine(i.Value), i.Kind, texts)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(r.Found) == 0 {
		fmt.Fprintln(w, "\nNothing in the database names the person.")
	} else {
		fmt.Fprintln(w)
		fmt.Fprintln(table, "TABLE\tROWS\tOWN\tCOLUMNS")
		for _, o := range r.Found {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", o.Table, grouped(int64(o.Rows)), grouped(int64(o.Own)), o.Where())
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	if len(r.Proposed) > 0 {
		fmt.Fprintln(w, "\nStand beside these in the same events; add those that are the same person's:")
		for _, p := range r.Proposed {
			fmt.Fprintf(table, "  %s\t%s events\n", oneLine(p.Flag()), grouped(int64(p.Rows)))
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	if len(r.Namesakes) > 0 {
		fmt.Fprintln(w, "\nOther identities of which a name is a word. They stay, but in texts the word would be replaced within them; --no-texts leaves texts alone:")
		for _, name := range r.Namesakes {
			fmt.Fprintf(w, "  %s\n", oneLine(name))
		}
	}
	return writeFiles(w, r.Files)
}
