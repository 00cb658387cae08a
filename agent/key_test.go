package agent

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestKeyIsMadeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	keys := make([][]byte, 8)
	var all sync.WaitGroup
	for i := range keys {
		all.Go(func() {
			var err error
			if keys[i], err = LoadKey(dir); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, key := range keys {
		if len(key) != KeySize || !bytes.Equal(key, keys[0]) {
			t.Fatalf("two keys: %x and %x", keys[0], key)
		}
	}
	info, err := os.Stat(filepath.Join(dir, keyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestBadKeysAreRefused(t *testing.T) {
	cases := map[string]struct {
		make func(path string) error
		want string
	}{
		"others read it": {func(path string) error { return os.WriteFile(path, testKey, 0o644) }, "run chmod 600"},
		"short":          {func(path string) error { return os.WriteFile(path, testKey[:5], 0o600) }, "it has 5 bytes, not 32"},
		"link":           {func(path string) error { return os.Symlink("/etc/hostname", path) }, "too many levels of symbolic links"},
		"folder":         {func(path string) error { return os.Mkdir(path, 0o700) }, "it is not a file"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := c.make(filepath.Join(dir, keyFile)); err != nil {
				t.Fatal(err)
			}
			if _, err := LoadKey(dir); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
