package simulate

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// treeHash is the hash of every path, modification time of exports, and content.
func treeHash(t *testing.T, dir string) string {
	t.Helper()
	h := sha256.New()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		h.Write([]byte(filepath.ToSlash(relative) + "\n"))
		if strings.HasSuffix(path, ".csv") {
			info, err := e.Info()
			if err != nil {
				return err
			}
			h.Write([]byte(info.ModTime().UTC().Format(time.RFC3339Nano) + "\n"))
		}
		h.Write(content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// The golden hash is the proof that another machine writes the same bytes.
func TestSameOptionsGiveSameBytes(t *testing.T) {
	small := eventful()
	small.Days, small.Users = 3, 12
	example, _ := exampleOnce().read(t)
	everything, _ := written(t, small)
	lines := []string{"example " + treeHash(t, example), "three days of everything " + treeHash(t, everything)}
	again, _ := written(t, small)
	if got := "three days of everything " + treeHash(t, again); got != lines[1] {
		t.Errorf("two runs differ: %s and %s", lines[1], got)
	}
	other := small
	other.Seed++
	dir, _ := written(t, other)
	if got := "three days of everything " + treeHash(t, dir); got == lines[1] {
		t.Error("another seed gives the same bytes")
	}
	golden, got := "testdata/hashes.txt", strings.Join(lines, "\n")+"\n"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the logs changed; run with -update if that was meant:\n got %s\nwant %s", got, want)
	}
}

func TestManifestDescribesTheFolder(t *testing.T) {
	dir, m := exampleOnce().read(t)
	listed := map[string]File{}
	for _, f := range m.Files {
		listed[f.Path] = f
	}
	var files int
	var size int64
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		relative, _ := filepath.Rel(dir, path)
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files, size = files+1, size+int64(len(content))
		f, ok := listed[filepath.ToSlash(relative)]
		if !ok || f.Bytes != int64(len(content)) {
			t.Errorf("%s: %d bytes, the manifest says %+v", relative, len(content), f)
		}
		if f.Product == Salesforce && f.Delivered.Before(f.To.Add(3*time.Hour)) {
			t.Errorf("%s delivered at %s, less than three hours late", relative, f.Delivered)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files != len(m.Files) || size != m.Bytes {
		t.Errorf("%d files of %d bytes, the manifest says %d of %d", files, size, len(m.Files), m.Bytes)
	}
	if size < 15_000_000 || size > 40_000_000 {
		t.Errorf("the example has %d bytes, want 15 to 40 MB", size)
	}
	truth, err := os.ReadFile(dir + ".json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(truth, []byte(`"kind": "token-theft"`)) {
		t.Error("the truth file does not name the theft")
	}
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "keep.txt"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, dir string
		change    func(*Options)
		want      string
	}{
		{"no start", dir, func(o *Options) { o.Start = time.Time{} }, "no start"},
		{"no days", dir, func(o *Options) { o.Days = 0 }, "0 days: give 1 to 3660"},
		{"no users", dir, func(o *Options) { o.Users = 0 }, "0 users"},
		{"negative integrations", dir, func(o *Options) { o.Integrations = -1 }, "-1 integrations"},
		{"unknown product", dir, func(o *Options) { o.Products = []string{"telex"} }, `unknown product "telex": use salesforce, kong, nginx`},
		{"unknown incident", dir, func(o *Options) { o.Incidents = []string{"meteor"} }, `unknown incident "meteor": use token-theft`},
		{"incident without its product", dir, func(o *Options) { o.Products = []string{Nginx} }, "token-theft needs the logs of salesforce"},
		{"no victim left", dir, func(o *Options) { o.Integrations = 1 }, "plan incident token-theft: no integration of kind"},
		{"too few people", dir, func(o *Options) { o.Users, o.Incidents = 4, []string{"password-spray"} }, "8 are needed"},
		{"truth among the logs", dir, func(o *Options) { o.Truth = filepath.Join(dir, "truth.json") }, "would lie among the logs"},
		{"folder in use", full, func(*Options) {}, "is not empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := Example()
			c.change(&o)
			if _, err := Write(c.dir, o); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestShortWindowsHoldEveryIncident(t *testing.T) {
	for _, days := range []int{1, 3, 20} {
		o := eventful()
		o.Days, o.Users, o.Daily, o.Products = days, 12, false, []string{Salesforce, Kong}
		_, m := written(t, o)
		if len(m.Incidents) != len(o.Incidents) {
			t.Errorf("%d days: %d incidents, want %d", days, len(m.Incidents), len(o.Incidents))
		}
		for _, l := range m.Incidents {
			if l.From.Before(m.From) || l.To.After(m.To) || !l.From.Before(l.To) {
				t.Errorf("%d days: %s from %s to %s is outside the window", days, l.Kind, l.From, l.To)
			}
		}
	}
}
