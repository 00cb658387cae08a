package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/agent/redact"
)

type pseudonymCommand struct {
	Values     []string `arg:"" optional:"" name:"value" help:"Names and e-mail addresses; - reads them from standard input, one a line."`
	Config     string   `placeholder:"FILE" help:"Configuration that names the key."`
	KeyFile    string   `placeholder:"FILE" help:"The key itself."`
	Find       string   `placeholder:"PSEUDONYM" help:"Look this pseudonym up."`
	Among      string   `placeholder:"FILE" help:"With --find: known users, one a line; - is standard input."`
	Column     string   `placeholder:"NAME" help:"With --among: it is CSV with a header, and the users are in this column."`
	KeepDomain bool     `help:"Leave the domain of an address behind its pseudonym, as keep_domain does."`
	NewKey     string   `placeholder:"FILE" help:"Make a new key in this file, which must not be there."`
	DestroyKey string   `placeholder:"FILE" help:"Overwrite and delete this key: its pseudonyms are nobody's then."`
	Reason     string   `placeholder:"TEXT" help:"With --destroy-key: why; it is kept."`
	Data       string   `placeholder:"DIR" help:"With --destroy-key: the data directory, where it is recorded."`
	Force      bool     `help:"With --destroy-key: also when the configuration names the key."`
}

func (pseudonymCommand) Help() string {
	return `Makes the pseudonyms that sources with privacy.pseudonyms store in place of people, and finds out whose one is: only
with the key, and only among users that you know. Exit code 1 when none of them has it. When a key is destroyed, its
pseudonyms can be told apart and belong to nobody.

Examples:
  crmwatch pseudonym --new-key pseudonym.key
  crmwatch pseudonym --config crmwatch.yaml alice@acme.example
  crmwatch pseudonym --key-file pseudonym.key --find user-3fa94c-ojqwg5bnmfzxi2lp --among users.txt
  crmwatch pseudonym --key-file pseudonym.key --find user-3fa94c-ojqwg5bnmfzxi2lp --among users.csv --column Username
  crmwatch pseudonym --key-file pseudonym.key - < names.txt   # no name in the shell's history
  crmwatch pseudonym --destroy-key old-pseudonym.key --config crmwatch.yaml --reason 'end of the contract'`
}

func (c *pseudonymCommand) Run(ctx context.Context, term terminal) error {
	switch {
	case c.DestroyKey != "" && (c.NewKey != "" || c.Find != "" || c.Among != "" || c.Column != "" || c.KeyFile != "" || len(c.Values) > 0):
		return exitError{exitFailed, "--destroy-key goes with --reason, --config or --data, and --force alone"}
	case c.DestroyKey != "":
		return c.destroyKey(ctx, term)
	case c.Reason != "" || c.Data != "" || c.Force:
		return exitError{exitFailed, "--reason, --data and --force belong to --destroy-key"}
	case c.NewKey != "" && (c.Find != "" || c.Among != "" || c.Column != "" || c.KeyFile != "" || c.Config != "" || len(c.Values) > 0):
		return exitError{exitFailed, "--new-key stands alone"}
	case c.NewKey != "":
		return newPseudonymKey(c.NewKey, term)
	case (c.Config == "") == (c.KeyFile == ""):
		return exitError{exitFailed, "name the key: --config FILE or --key-file FILE"}
	case (c.Find == "") != (c.Among == ""):
		return exitError{exitFailed, "--find PSEUDONYM and --among FILE belong together"}
	case c.Column != "" && c.Among == "":
		return exitError{exitFailed, "--column belongs to --among"}
	case c.Find != "" && len(c.Values) > 0, c.Find == "" && len(c.Values) == 0:
		return exitError{exitFailed, "name the values, or look one pseudonym up with --find and --among"}
	}
	key, err := c.key()
	if err != nil {
		return err
	}
	if c.Find != "" {
		return c.find(key, term)
	}
	for _, value := range c.Values {
		if value == "-" {
			if err = eachLine(os.Stdin, func(line string) error { return c.print(key, line, term) }); err != nil {
				return err
			}
			continue
		}
		if err := c.print(key, value, term); err != nil {
			return err
		}
	}
	return nil
}

func (c *pseudonymCommand) key() (*redact.PseudonymKey, error) {
	if c.KeyFile != "" {
		return readPseudonymKey(c.KeyFile)
	}
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return nil, configMistakes(err)
	}
	key, err := cfg.pseudonymKey()
	if err == nil && key == nil {
		err = exitError{exitFailed, "the configuration names no pseudonym_key_file"}
	}
	return key, err
}

func (c *pseudonymCommand) print(key *redact.PseudonymKey, value string, term terminal) error {
	if strings.TrimSpace(value) == "" {
		return nil
	}
	_, err := fmt.Fprintln(term.out, key.Pseudonym(value, c.KeepDomain))
	return err
}

// find prints the users who have the pseudonym. A domain behind it makes no difference.
func (c *pseudonymCommand) find(key *redact.PseudonymKey, term terminal) error {
	switch redact.PseudonymKeyID(c.Find) {
	case key.ID():
	case "":
		return exitError{exitFailed, "what is to be found is not a pseudonym: they have the form user-KEYID-HASH"}
	default:
		return exitError{exitFailed, "the pseudonym was made with another key"}
	}
	wanted, _, _ := strings.Cut(c.Find, "@")
	from := io.Reader(os.Stdin)
	if c.Among != "-" {
		f, err := os.Open(c.Among)
		if err != nil {
			return fmt.Errorf("open list of users: %w", err)
		}
		defer f.Close()
		from = f
	}
	found := map[string]bool{}
	look := func(user string) error {
		user = strings.TrimSpace(user)
		if user == "" || found[user] || key.Pseudonym(user, false) != wanted {
			return nil
		}
		found[user] = true
		_, err := fmt.Fprintln(term.out, user)
		return err
	}
	var err error
	if c.Column != "" {
		err = eachInColumn(from, c.Column, look)
	} else {
		err = eachLine(from, look)
	}
	if err == nil && len(found) == 0 {
		err = exitError{exitFailed, "none of the users has this pseudonym"}
	}
	return err
}

// eachLine calls do for each line, without its end.
func eachLine(r io.Reader, do func(line string) error) error {
	lines := bufio.NewScanner(r)
	for first := true; lines.Scan(); first = false {
		line := lines.Text()
		if first {
			line = strings.TrimPrefix(line, "\uFEFF")
		}
		if err := do(line); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read list of users: %w", err)
	}
	return nil
}

// eachInColumn calls do for each value in a column of a CSV with a header. What is wrong
// with a record is said without its content.
func eachInColumn(r io.Reader, column string, do func(value string) error) error {
	in := bufio.NewReader(r)
	if head, _ := in.Peek(3); bytes.Equal(head, []byte("\uFEFF")) {
		_, _ = in.Discard(3)
	}
	records := csv.NewReader(in)
	records.FieldsPerRecord = -1
	names, err := records.Read()
	if err != nil {
		return fmt.Errorf("read list of users: %w", err)
	}
	i := slices.IndexFunc(names, func(name string) bool { return strings.EqualFold(strings.TrimSpace(name), column) })
	if i < 0 {
		return exitError{exitFailed, "the list of users has no such column: its first line must name it"}
	}
	for {
		record, err := records.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read list of users: %w", err)
		}
		if i >= len(record) {
			continue
		}
		if err := do(record[i]); err != nil {
			return err
		}
	}
}

// newPseudonymKey makes a key of random bytes, as hexadecimal digits, in a file of mode
// 0600. A file that is there stays: the pseudonyms made with it could be lost.
func newPseudonymKey(path string, term terminal) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return exitError{exitFailed, fmt.Sprintf("%s is there already: name another file, or move it away", path)}
	}
	if err != nil {
		return fmt.Errorf("make pseudonym key: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(path)
		}
	}()
	key := make([]byte, redact.PseudonymKeySize)
	if _, err = rand.Read(key); err == nil {
		_, err = fmt.Fprintln(f, hex.EncodeToString(key))
	}
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return fmt.Errorf("make pseudonym key: %w", err)
	}
	fmt.Fprintf(term.out, "%s: a new key, id %s. Keep a copy where few can read it: without it no pseudonym can be looked up.\n", path, redact.NewPseudonymKey(key).ID())
	return nil
}
