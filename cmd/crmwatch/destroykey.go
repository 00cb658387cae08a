package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/agent/redact"
	"github.com/crmwatch/crmwatch/compliance/audit"
	"github.com/crmwatch/crmwatch/compliance/subject"
	"github.com/crmwatch/crmwatch/schema"
)

// destroyKey makes pseudonyms nobody's: without their key, nobody can make the pseudonym
// of a name any more, nor find out whose one is.
func (c *pseudonymCommand) destroyKey(ctx context.Context, term terminal) error {
	if strings.TrimSpace(c.Reason) == "" {
		return exitError{exitFailed, "say why with --reason, such as the number of the request"}
	}
	if c.Data == "" && c.Config == "" {
		return exitError{exitFailed, "name the data whose pseudonyms these are, where the destruction is recorded: --data DIR or --config FILE"}
	}
	key, err := readPseudonymKey(c.DestroyKey)
	if err != nil {
		return err
	}
	info, err := os.Lstat(c.DestroyKey)
	if err != nil {
		return fmt.Errorf("look at key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return exitError{exitFailed, fmt.Sprintf("%s is not the key itself but points to it: name the file", c.DestroyKey)}
	}
	store, dir, named, done, err := c.openStore(ctx)
	if err != nil {
		return err
	}
	defer done()
	if named != "" && sameFile(named, c.DestroyKey) && !c.Force {
		return exitError{exitFailed, fmt.Sprintf("the configuration %s names this key: make another with --new-key, name that, and send SIGHUP to crmwatch; or give --force, and crmwatch does not start before that", c.Config)}
	}
	if running(dir) && c.Config == "" && !c.Force {
		return exitError{exitFailed, fmt.Sprintf("a crmwatch runs on %s and may use this key: say --config FILE, so that it can be looked up, or --force", dir)}
	}
	pseudonyms, rows, err := countPseudonyms(ctx, store, key)
	if err != nil {
		return err
	}
	if err := subject.Destroy(c.DestroyKey); err != nil {
		return err
	}
	if err := audit.Write(ctx, store, audit.Record{
		At: time.Now(), Actor: whoami(), Via: audit.ViaCLI, Action: "pseudonym.destroy", ObjectType: "pseudonym key", Object: key.ID(),
		Detail: fmt.Sprintf("the key of %d pseudonyms", pseudonyms), Attributes: map[string]string{"reason": c.Reason},
	}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(term.out, `Key %[1]s was overwritten and deleted.
%[2]s of it stand in %[3]s: they are nobody's from now on, once every other copy is destroyed too.
What crmwatch does not know of: copies on other machines that have the same key, in backups and snapshots of this one, in
safes and password stores; what a file system that copies on write or an SSD may still hold of this file.
`, key.ID(), plural(pseudonyms, "pseudonym"), plural(rows, "event"))
	return err
}

// openStore opens the data, and says which key its configuration names.
func (c *pseudonymCommand) openStore(ctx context.Context) (store schema.Store, dir, named string, done func(), err error) {
	dir = c.Data
	if c.Config != "" {
		cfg, err := loadConfig(c.Config)
		if err != nil {
			return nil, "", "", nil, configMistakes(err)
		}
		dir, named = cfg.Data, cfg.PseudonymKeyFile
		if cfg.Store.DSNFile != "" {
			store, err := openServer(ctx, cfg.Store.DSNFile)
			if err != nil {
				return nil, "", "", nil, err
			}
			return store, dir, named, func() { _ = store.Close() }, nil
		}
	}
	db, err := openDatabase(ctx, dir, databaseOptions{mustExist: true})
	if err != nil {
		return nil, "", "", nil, err
	}
	if db.engine != nil {
		dir = "" // nobody else has it open
	}
	return db.conn, dir, named, db.close, nil
}

func running(dir string) bool {
	if dir == "" {
		return false
	}
	_, err := os.Stat(filepath.Join(dir, "endpoint.json"))
	return err == nil
}

func sameFile(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}

const pseudonymsQuery = `SELECT uniqExactArray(arrayMap(x -> splitByChar('@', toString(x))[1], arrayFilter(x -> startsWith(x, {prefix:String}), names))) AS pseudonyms,
    countIf(arrayExists(x -> startsWith(x, {prefix:String}), names)) AS n
FROM (SELECT [actor_user_uid, actor_user_name, actor_user_email_addr, user_uid, user_name] AS names FROM events)`

func countPseudonyms(ctx context.Context, store schema.Store, key *redact.PseudonymKey) (pseudonyms, rows uint64, err error) {
	if err := store.QueryRow(ctx, pseudonymsQuery, schema.Named("prefix", "user-"+key.ID()+"-")).Scan(&pseudonyms, &rows); err != nil {
		return 0, 0, fmt.Errorf("count pseudonyms: %w", err)
	}
	return pseudonyms, rows, nil
}
