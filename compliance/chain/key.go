package chain

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// KeyFile is the name of the signing key in a data directory.
const KeyFile = "evidence.key"

// WriteKey is a public key as people and tables have it: base64 of its 32 bytes.
func WriteKey(key ed25519.PublicKey) string { return base64.StdEncoding.EncodeToString(key) }

// ParseKey reads a public key.
func ParseKey(text string) (ed25519.PublicKey, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != ed25519.PublicKeySize || WriteKey(raw) != text {
		return nil, fmt.Errorf("%q is not a public key: write the 44 characters that crmwatch report key prints", text)
	}
	return raw, nil
}

// LoadKey reads the signing key of a file: one line, base64 of the 32 bytes of an Ed25519
// seed. The file must belong to its owner alone. The error is fs.ErrNotExist where there
// is none.
func LoadKey(path string) (ed25519.PrivateKey, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open signing key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open signing key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read signing key %s: it is not a file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("read signing key %s: its mode %04o lets others sign: run chmod 600 %s", path, mode, path)
	}
	text, err := io.ReadAll(io.LimitReader(f, 1<<10))
	if err != nil {
		return nil, fmt.Errorf("read signing key %s: %w", path, err)
	}
	seed, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("read signing key %s: it is damaged: restore it from a backup; with another key the chain cannot go on", path)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// OpenKey is LoadKey that makes the key on first use. Two processes that do so at once
// end up with the same key, and a crash leaves none or a whole one.
func OpenKey(path string) (ed25519.PrivateKey, error) {
	key, err := LoadKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make folder of the signing key: %w", err)
	}
	seed := make([]byte, ed25519.SeedSize)
	if _, err := rand.Read(seed); err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	temporary, err := writeTemporary(dir, []byte(base64.StdEncoding.EncodeToString(seed)+"\n"))
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	err = os.Link(temporary, path)
	_ = os.Remove(temporary)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	if err := SyncFolder(dir); err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	return LoadKey(path)
}

// writeTemporary writes a file of mode 0600 that is on the disk when it returns.
func writeTemporary(dir string, content []byte) (path string, err error) {
	f, err := os.CreateTemp(dir, ".crmwatch-*.tmp")
	if err != nil {
		return "", err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// WriteFile puts a file of mode 0600 in its place whole, or not at all: it is written
// beside it, synced and renamed. The folder is made with mode 0700.
func WriteFile(path string, content []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make folder %s: %w", dir, err)
	}
	temporary, err := writeTemporary(dir, content)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(temporary, path); err != nil {
		_ = os.Remove(temporary)
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := SyncFolder(dir); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// SyncFolder makes the names in a folder durable.
func SyncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
