package subject

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/crmwatch/crmwatch/schema"
)

// Manifest says what an export holds, what the data are for and where they come from:
// what article 15 of the GDPR gives a person the right to be told.
type Manifest struct {
	MadeAt      time.Time       `json:"made_at"`
	Identifiers []Identifier    `json:"identifiers"`
	Purposes    string          `json:"purposes"`
	Masked      string          `json:"masked"`
	Sources     []string        `json:"sources"`
	Recipients  []string        `json:"recipients"`
	Tables      []ExportedTable `json:"tables"`
	// Files beside the database are named, not copied.
	Files []string `json:"files_beside_the_database,omitempty"`
}

// ExportedTable is a file of an export.
type ExportedTable struct {
	Table string `json:"table"`
	About string `json:"about"`
	// Kept is how long rows stay, as the table itself says.
	Kept   string `json:"kept"`
	File   string `json:"file"`
	Rows   uint64 `json:"rows"`
	SHA256 string `json:"sha256"`
}

const (
	purposes = "Security monitoring of the customer relationship management and the systems connected to it: to notice abuse of accounts, tokens and integrations, to investigate it, and to prove that this is done."
	masked   = "Names, addresses and ids of other people in the same rows are replaced by " + otherPerson + ", what they did it from by " + otherPlace + ", because the right to a copy must not affect the rights of others (article 15(4))."
)

// Export writes all rows that name the person into a new folder: JSON Lines for each
// table, a page to read and a manifest with hashes.
func Export(ctx context.Context, store schema.Store, s Subject, dir string, files []string, now time.Time) (Manifest, error) {
	m := Manifest{MadeAt: now.UTC().Truncate(time.Second), Identifiers: s.Identifiers, Purposes: purposes, Masked: masked, Tables: []ExportedTable{}, Files: files}
	if err := os.Mkdir(dir, 0o700); err != nil {
		if errors.Is(err, os.ErrExist) {
			return m, fmt.Errorf("%s is there already: name a new folder", dir)
		}
		return m, fmt.Errorf("make folder: %w", err)
	}
	all, err := layouts(ctx, store)
	if err != nil {
		return m, err
	}
	mask, err := newMask(s)
	if err != nil {
		return m, err
	}
	for _, l := range all {
		if len(l.naming()) == 0 {
			continue
		}
		t, err := exportTable(ctx, store, s, l, mask, dir)
		if err != nil {
			return m, err
		}
		if t.Rows > 0 {
			m.Tables = append(m.Tables, t)
		}
	}
	if m.Sources, err = listed(ctx, store, s, `SELECT DISTINCT concat(metadata_product_name, ', ', metadata_log_name, if(x_source_name = '', '', concat(', read as ', x_source_name))) AS x FROM events WHERE `, "events"); err != nil {
		return m, err
	}
	if m.Recipients, err = listed(ctx, store, s, `SELECT DISTINCT trimRight(concat(notifier, ' ', channel)) AS x FROM notifications WHERE state = 'sent' AND alert_uid IN (SELECT alert_uid FROM alerts WHERE `, "alerts"); err != nil {
		return m, err
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, fmt.Errorf("write manifest: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "manifest.json"), append(text, '\n'), 0o600); err != nil {
		return m, fmt.Errorf("write manifest: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "index.md"), []byte(m.page()), 0o600); err != nil {
		return m, fmt.Errorf("write page: %w", err)
	}
	return m, nil
}

// listed reads a list of short texts about the rows of a table that name the person.
func listed(ctx context.Context, store schema.Store, s Subject, query, name string) ([]string, error) {
	all, err := layouts(ctx, store)
	if err != nil {
		return nil, err
	}
	list := []string{}
	for _, l := range all {
		if l.name != name {
			continue
		}
		end := ""
		if strings.Contains(query, "(SELECT") {
			end = ")"
		}
		rows, err := store.Query(named(ctx), strings.Join([]string{query, l.names(), end, " ORDER BY x LIMIT 100"}, ""), s.parameters()...)
		if err != nil {
			return nil, fmt.Errorf("list sources and recipients: %w", withoutPerson(err))
		}
		defer rows.Close()
		for rows.Next() {
			var x string
			if err := rows.Scan(&x); err != nil {
				return nil, fmt.Errorf("list sources and recipients: %w", err)
			}
			list = append(list, x)
		}
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("list sources and recipients: %w", withoutPerson(err))
		}
	}
	return list, nil
}

const keptQuery = `SELECT arrayStringConcat(arrayMap(x -> concat(x[2], ' ', lower(x[1]), if(x[2] = '1', '', 's')), extractAllGroups(engine_full, 'toInterval(\\w+)\\((\\d+)\\)')), ' or ')
FROM system.tables
WHERE database = currentDatabase() AND name = {name:String}`

func exportTable(ctx context.Context, store schema.Store, s Subject, l layout, mask mask, dir string) (ExportedTable, error) {
	t := ExportedTable{Table: l.name, About: l.about, File: l.name + ".jsonl"}
	if err := store.QueryRow(ctx, keptQuery, schema.Named("name", l.name)).Scan(&t.Kept); err != nil {
		return t, fmt.Errorf("read how long %s is kept: %w", l.name, err)
	}
	if t.Kept == "" {
		t.Kept = "until it is deleted"
	}
	settings := quiet()
	settings["output_format_json_quote_64bit_integers"] = 0
	if l.name != "rule_runs" {
		settings["final"] = 1
	}
	query := strings.Join([]string{"SELECT formatRow('JSONEachRow', " + l.list() + ") FROM", l.name, "WHERE", l.names()}, "\n")
	rows, err := store.Query(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), query, s.parameters()...)
	if err != nil {
		return t, fmt.Errorf("read %s: %w", l.name, withoutPerson(err))
	}
	defer rows.Close()
	var file *os.File
	var out *bufio.Writer
	hash := sha256.New()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return t, fmt.Errorf("read %s: %w", l.name, err)
		}
		if file == nil {
			if file, err = os.OpenFile(filepath.Join(dir, t.File), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
				return t, fmt.Errorf("write %s: %w", t.File, err)
			}
			defer file.Close()
			out = bufio.NewWriter(io.MultiWriter(file, hash))
		}
		line, err := mask.row(line, l)
		if err != nil {
			return t, fmt.Errorf("read %s: %w", l.name, err)
		}
		if _, err := out.WriteString(line + "\n"); err != nil {
			return t, fmt.Errorf("write %s: %w", t.File, err)
		}
		t.Rows++
	}
	if err := rows.Err(); err != nil {
		return t, fmt.Errorf("read %s: %w", l.name, withoutPerson(err))
	}
	if file == nil {
		return t, nil
	}
	if err := errors.Join(out.Flush(), file.Sync()); err != nil {
		return t, fmt.Errorf("write %s: %w", t.File, err)
	}
	t.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return t, nil
}

// page is the manifest for people.
func (m Manifest) page() string {
	var p strings.Builder
	line := strings.NewReplacer("|", "\\|", "<", "&lt;", "\n", " ", "\r", " ", "`", "'")
	fmt.Fprintf(&p, "# What crmwatch has stored of you\n\nMade at %s.\n\n## Identifiers\n\n", m.MadeAt.Format(time.RFC3339))
	for _, i := range m.Identifiers {
		fmt.Fprintf(&p, "- `%s` (%s)\n", line.Replace(i.Value), i.Kind)
	}
	fmt.Fprintf(&p, "\n## What for\n\n%s\n\n## What\n\n| file | rows | what a row is | kept |\n| --- | --- | --- | --- |\n", m.Purposes)
	for _, t := range m.Tables {
		fmt.Fprintf(&p, "| [%s](%s) | %d | %s | %s |\n", t.Table, t.File, t.Rows, t.About, t.Kept)
	}
	list := func(title, none string, all []string) {
		fmt.Fprintf(&p, "\n## %s\n\n", title)
		for _, x := range all {
			fmt.Fprintf(&p, "- %s\n", line.Replace(x))
		}
		if len(all) == 0 {
			fmt.Fprintln(&p, none)
		}
	}
	list("Where it comes from", "No event names you.", m.Sources)
	list("Who was told", "No alert about you was sent to anybody.", m.Recipients)
	if len(m.Files) > 0 {
		list("Files that name you and are not in this copy", "", m.Files)
	}
	fmt.Fprintf(&p, "\n## What was left out\n\n%s\n", m.Masked)
	return p.String()
}
