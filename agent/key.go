package agent

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// KeySize is the length of the redaction key in bytes.
const KeySize = 32

const keyFile = "redaction.key"

// LoadKey reads the redaction key DIR/redaction.key, and makes one of random
// bytes on first use. The key keeps the hashes of one installation comparable
// with each other and with nobody else's, so a file that others may read, or
// that is damaged, is refused: a new key would cut the history in two.
func LoadKey(dir string) ([]byte, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make state folder: %w", err)
	}
	path := filepath.Join(dir, keyFile)
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(dir, path)
	}
	if err != nil {
		return nil, fmt.Errorf("open redaction key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open redaction key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read redaction key %s: it is not a file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("read redaction key %s: its mode %04o lets others read it: run chmod 600 %s", path, mode, path)
	}
	key, err := io.ReadAll(io.LimitReader(f, KeySize+1))
	if err != nil {
		return nil, fmt.Errorf("read redaction key %s: %w", path, err)
	}
	if len(key) != KeySize {
		return nil, fmt.Errorf("read redaction key %s: it has %d bytes, not %d: restore it from a backup, or delete it to start with a new one", path, info.Size(), KeySize)
	}
	return key, nil
}

// makeKey writes a new key beside its place and links it in, so that two agents
// that start at once end up with the same key and a crash leaves none or a whole one.
func makeKey(dir, path string) ([]byte, error) {
	key := make([]byte, KeySize)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("make redaction key: %w", err)
	}
	temporary, err := writeTemporary(dir, keyFile, key)
	if err != nil {
		return nil, fmt.Errorf("make redaction key: %w", err)
	}
	err = os.Link(temporary, path)
	os.Remove(temporary)
	if errors.Is(err, fs.ErrExist) {
		return LoadKey(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("make redaction key: %w", err)
	}
	if err := syncFolder(dir); err != nil {
		return nil, fmt.Errorf("make redaction key: %w", err)
	}
	return key, nil
}
