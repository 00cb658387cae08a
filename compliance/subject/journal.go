package subject

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// The states of an erasure.
const (
	statePreparing = "preparing"
	stateRewriting = "rewriting"
	stateCleaning  = "cleaning"
	stateDone      = "done"
)

// entry is an erasure in the table of erasures.
type entry struct {
	uid                                      schema.UID
	version                                  uint64
	started                                  time.Time
	actor, reason, method, state, subjectMAC string
	counts                                   map[string]uint64
}

func (j entry) save(ctx context.Context, store schema.Store, now time.Time) error {
	batch, err := store.PrepareBatch(named(ctx), `INSERT INTO erasures (erasure_uid, version, started_at, updated_at, actor, reason, method, state, subject_hmac, counts)`)
	if err != nil {
		return fmt.Errorf("write down the erasure: %w", err)
	}
	defer batch.Close()
	counts := j.counts
	if counts == nil {
		counts = map[string]uint64{}
	}
	if err := batch.Append(j.uid.String(), j.version, j.started, now, j.actor, j.reason, j.method, j.state, j.subjectMAC, counts); err != nil {
		return fmt.Errorf("write down the erasure: %w", err)
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("write down the erasure: %w", err)
	}
	return nil
}

// unfinished reads the erasures that were cut off.
func unfinished(ctx context.Context, store schema.Store) ([]entry, error) {
	rows, err := store.Query(ctx, `SELECT toString(erasure_uid), version, started_at, actor, reason, method, state, subject_hmac, counts
FROM erasures FINAL
WHERE state != 'done'
ORDER BY started_at`)
	if err != nil {
		return nil, fmt.Errorf("read erasures: %w", err)
	}
	defer rows.Close()
	var all []entry
	for rows.Next() {
		var j entry
		var uid string
		if err := rows.Scan(&uid, &j.version, &j.started, &j.actor, &j.reason, &j.method, &j.state, &j.subjectMAC, &j.counts); err != nil {
			return nil, fmt.Errorf("read erasures: %w", err)
		}
		if j.uid, err = schema.ParseUID(uid); err != nil {
			return nil, fmt.Errorf("read erasures: %w", err)
		}
		all = append(all, j)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read erasures: %w", err)
	}
	return all, nil
}

const secretSize = 32

func secretPath(dir string, uid schema.UID) string { return filepath.Join(dir, uid.String()+".key") }

// makeSecret writes the secret of an erasure, durably, before anything is replaced by it.
func makeSecret(dir string, uid schema.UID, key []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("keep the erasure's secret: %w", err)
	}
	f, err := os.OpenFile(secretPath(dir, uid), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("keep the erasure's secret: %w", err)
	}
	_, err = f.Write(key)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("keep the erasure's secret: %w", err)
	}
	return syncFolder(dir)
}

// readSecret reads it; nil where it is not there.
func readSecret(dir string, uid schema.UID) ([]byte, error) {
	key, err := os.ReadFile(secretPath(dir, uid))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the erasure's secret: %w", err)
	}
	if len(key) != secretSize {
		return nil, nil // it was being written: nothing was replaced by it yet
	}
	return key, nil
}

// Destroy overwrites a file, deletes it and waits until the disk has done so. A file
// system that copies on write, a snapshot, a backup or the cells of an SSD may still
// have what was in it.
func Destroy(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("destroy %s: %w", path, err)
	}
	info, err := f.Stat()
	if err == nil {
		_, err = f.WriteAt(make([]byte, info.Size()), 0)
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("destroy %s: %w", path, err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("destroy %s: %w", path, err)
	}
	return syncFolder(filepath.Dir(path))
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync folder %s: %w", dir, err)
	}
	return nil
}
