package spool_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/agent/spool"
	"github.com/crmwatch/crmwatch/agent/spool/memdisk"
)

// filled is a closed spool with a few small batches in two segments.
func filled(t testing.TB, keys ...[]byte) (*memdisk.Disk, spool.Options) {
	t.Helper()
	disk := memdisk.New()
	o := spool.Options{FS: disk.View(), Keys: keys, Compression: spool.None, SegmentBytes: 700, SyncDelay: time.Microsecond}
	s := open(t, o)
	for n := range 6 {
		add(t, s, n, 60)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return disk, o
}

// drain reads what a spool still has. All that comes must be right, and all that does
// not must be told of: the numbers of what came and of what is missing.
func drain(t testing.TB, disk *memdisk.Disk, o spool.Options) (came, missing []uint64) {
	t.Helper()
	note := func(d spool.Damage) {
		for q := d.From; q <= d.To; q++ {
			missing = append(missing, q)
		}
		if d.Meta != nil && string(d.Meta) != fmt.Sprintf("meta %d", d.From-1) {
			t.Errorf("batch %d is said to have covered %q", d.From, d.Meta)
		}
	}
	disk.Kill()
	o.FS, o.OnDamage = disk.View(), note
	s, recovery := reopen(t, o)
	for _, d := range recovery.Missing {
		note(d)
	}
	for s.Stats().PendingBatches > 0 {
		r := whatComes(t, s)
		if r == nil {
			continue
		}
		if err := checkRecord(r, int(r.Sequence-1), 60); err != nil {
			t.Fatalf("a wrong batch came out: %v", err)
		}
		came = append(came, r.Sequence)
		if err := s.Done(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return came, missing
}

// whatComes is the next record; nil when the last ones turned out to be damaged.
func whatComes(t testing.TB, s *spool.Spool) *spool.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for s.Stats().PendingBatches > 0 {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
		}
		cancel()
	}()
	r, err := s.Next(ctx)
	if err != nil && s.Stats().PendingBatches > 0 {
		t.Fatalf("next: %v", err)
	}
	return r
}

// wantAll wants every batch to have come or to be told of as missing.
func wantAll(t testing.TB, came, missing []uint64) {
	t.Helper()
	all := slices.Concat(came, missing)
	slices.Sort(all)
	if all = slices.Compact(all); !slices.Equal(all, []uint64{1, 2, 3, 4, 5, 6}) {
		t.Errorf("batches %v came and %v are said to be missing", came, missing)
	}
}

func segments(disk *memdisk.Disk) (names []string) {
	for _, name := range disk.Names() {
		if strings.HasSuffix(name, ".open") || strings.HasSuffix(name, ".ready") {
			names = append(names, name)
		}
	}
	return names
}

// TestEveryFlippedByteIsFound flips each byte of each segment, one at a time.
func TestEveryFlippedByteIsFound(t *testing.T) {
	for _, keys := range [][][]byte{nil, {testKey}} {
		disk, o := filled(t, keys...)
		original := map[string][]byte{}
		for _, name := range disk.Names() {
			original[name] = disk.Content(name)
		}
		for _, name := range segments(disk) {
			for i := range original[name] {
				flipped := memdisk.New()
				for other, content := range original {
					flipped.Put(other, content)
				}
				content := bytes.Clone(original[name])
				content[i] ^= 0x41
				flipped.Put(name, content)
				came, missing := drain(t, flipped, o)
				wantAll(t, came, missing)
				if t.Failed() {
					t.Fatalf("byte %d of %s, %d keys", i, name, len(keys))
				}
			}
		}
	}
}

// TestEveryLength cuts the last segment at every length, and puts zeros in place of
// what is cut off.
func TestEveryLength(t *testing.T) {
	disk, o := filled(t)
	names := segments(disk)
	last := names[len(names)-1]
	whole := disk.Content(last)
	for n := range whole {
		for _, tail := range [][]byte{nil, make([]byte, len(whole)-n)} {
			cut := memdisk.New()
			for _, name := range disk.Names() {
				cut.Put(name, disk.Content(name))
			}
			cut.Put(last, append(bytes.Clone(whole[:n]), tail...))
			came, missing := drain(t, cut, o)
			wantAll(t, came, missing)
			if t.Failed() {
				t.Fatalf("cut at byte %d, %d zeros", n, len(tail))
			}
		}
	}
}

func TestSegmentsLostCopiedAndForeign(t *testing.T) {
	disk, o := filled(t, testKey)
	names := segments(disk)
	stranger, _ := filled(t, testKey)
	cases := map[string]struct {
		change func(d *memdisk.Disk)
		came   int
		aside  string
	}{
		"deleted":    {func(d *memdisk.Disk) { d.Drop(names[0]) }, 3, ""},
		"copied":     {func(d *memdisk.Disk) { d.Put("0000000000000077.ready", d.Content(names[0])) }, 6, "0000000000000077.duplicate"},
		"renamed":    {func(d *memdisk.Disk) { d.Put("0000000000000099.ready", d.Content(names[0])); d.Drop(names[0]) }, 6, ""},
		"foreign":    {func(d *memdisk.Disk) { d.Put("0000000000000088.ready", stranger.Content(segments(stranger)[0])) }, 6, "0000000000000088.foreign"},
		"empty":      {func(d *memdisk.Disk) { d.Put("0000000000000066.ready", nil) }, 6, "0000000000000066.damaged"},
		"all NUL":    {func(d *memdisk.Disk) { d.Put("0000000000000066.open", make([]byte, 5000)) }, 6, "0000000000000066.damaged"},
		"no state":   {func(d *memdisk.Disk) { d.Drop("state") }, 6, ""},
		"bad state":  {func(d *memdisk.Disk) { d.Put("state", []byte(`{"version":1`)) }, 6, "state.damaged"},
		"other file": {func(d *memdisk.Disk) { d.Put("README", []byte("hello")) }, 6, "README"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			changed := memdisk.New()
			for _, name := range disk.Names() {
				changed.Put(name, disk.Content(name))
			}
			c.change(changed)
			came, missing := drain(t, changed, o)
			wantAll(t, came, missing)
			if len(came) != c.came || !slices.IsSorted(came) {
				t.Errorf("batches %v came, want %d in order", came, c.came)
			}
			if c.aside != "" && !slices.Contains(changed.Names(), c.aside) {
				t.Errorf("%s is not there: %v", c.aside, changed.Names())
			}
		})
	}
}

// TestEncryptedRecordsAreBound moves encrypted records where they do not belong.
func TestEncryptedRecordsAreBound(t *testing.T) {
	disk, o := filled(t, testKey)
	for _, name := range disk.Names() {
		if bytes.Contains(disk.Content(name), []byte("canary")) || bytes.Contains(disk.Content(name), []byte("meta 1")) {
			t.Errorf("%s holds plain text", name)
		}
	}
	names := segments(disk)
	first, second := disk.Content(names[0]), disk.Content(names[1])
	const header = 128
	spliced := memdisk.New()
	for _, name := range disk.Names() {
		spliced.Put(name, disk.Content(name))
	}
	spliced.Put(names[0], append(bytes.Clone(first[:header]), second[header:]...))
	came, missing := drain(t, spliced, o)
	wantAll(t, came, missing)
	if !slices.Equal(came, []uint64{5, 6}) && len(came) > 4 {
		t.Errorf("batches %v came out of a segment that was put together from two", came)
	}

	other := memdisk.New()
	for _, name := range disk.Names() {
		other.Put(name, disk.Content(name))
	}
	o.Keys = [][]byte{bytes.Repeat([]byte{9}, spool.KeySize)}
	came, missing = drain(t, other, o)
	wantAll(t, came, missing)
	if len(came) > 0 || !slices.ContainsFunc(other.Names(), func(n string) bool { return strings.HasSuffix(n, ".unreadable") }) {
		t.Errorf("with another key %v came; files %v", came, other.Names())
	}
	o.Keys = [][]byte{o.Keys[0], testKey}
	if came, missing = drain(t, disk, o); len(came) != 6 {
		t.Errorf("with the old key beside the new one %v came, %v are missing", came, missing)
	}
}

func TestNewerFormatIsLeftAlone(t *testing.T) {
	disk, o := filled(t)
	disk.Put("state", []byte(`{"version":2,"agent_uid":"0123456789abcdef","next":9}`))
	before := disk.Names()
	disk.Kill()
	o.FS = disk.View()
	if _, _, err := spool.Open(o); err == nil || !strings.Contains(err.Error(), "newer crmwatch") {
		t.Errorf("open says %v", err)
	}
	if !slices.Equal(before, disk.Names()) {
		t.Errorf("files were changed: %v", disk.Names())
	}
}

func TestFolderOfOthersIsRefused(t *testing.T) {
	dir := t.TempDir()
	for name, change := range map[string]func(path string) error{
		"mode": func(path string) error { return os.Chmod(path, 0o755) },
		"link": func(path string) error {
			if err := os.Rename(path, path+".real"); err != nil {
				return err
			}
			return os.Symlink(path+".real", path)
		},
		"owner": func(path string) error { return os.Chown(path, 12345, 12345) },
	} {
		path := filepath.Join(dir, name)
		folder, err := spool.Folder(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := change(path); err != nil {
			t.Fatal(err)
		}
		if _, _, err := spool.Open(spool.Options{FS: folder}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: open says %v", name, err)
		}
	}
}

// TestFormatOfVersion1 reads a segment that an earlier crmwatch has written.
func TestFormatOfVersion1(t *testing.T) {
	golden := filepath.Join("testdata", "version1")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		disk, _ := filled(t, testKey)
		for _, name := range disk.Names() {
			if err := os.WriteFile(filepath.Join(golden, name), disk.Content(name), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	disk := memdisk.New()
	entries, err := os.ReadDir(golden)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(golden, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		disk.Put(entry.Name(), data)
	}
	came, _ := drain(t, disk, spool.Options{Keys: [][]byte{testKey}})
	if !slices.Equal(came, []uint64{1, 2, 3, 4, 5, 6}) {
		t.Errorf("batches %v came", came)
	}
}

func TestList(t *testing.T) {
	disk, _ := filled(t, testKey)
	all, err := spool.List(disk.View(), [][]byte{testKey}, true)
	if err != nil {
		t.Fatal(err)
	}
	batches := 0
	for _, l := range all {
		batches += l.Batches
		if len(l.Problems) > 0 || !l.Encrypted || l.Agent == "" {
			t.Errorf("%+v", l)
		}
	}
	if batches != 6 || len(all) < 2 {
		t.Errorf("%d batches in %d segments, want 6", batches, len(all))
	}
	content := disk.Content(all[0].Name)
	content[len(content)-20] ^= 1
	disk.Put(all[0].Name, content)
	if all, err = spool.List(disk.View(), [][]byte{testKey}, true); err != nil || len(all[0].Problems) != 1 {
		t.Errorf("a flipped bit is listed as %+v, %v", all[0], err)
	}
	if all, err = spool.List(disk.View(), nil, true); err != nil || len(all[1].Problems) != 1 || !strings.Contains(all[1].Problems[0], "key") {
		t.Errorf("without the key: %+v, %v", all[1], err)
	}
}

func FuzzOpen(f *testing.F) {
	disk, o := filled(f)
	names := segments(disk)
	f.Add(disk.Content(names[0]), disk.Content("state"))
	f.Add(disk.Content(names[1])[:200], []byte("{}"))
	f.Fuzz(func(t *testing.T, segment, state []byte) {
		d := memdisk.New()
		d.Put(names[0], segment)
		d.Put("state", state)
		o := o
		o.FS = d.View()
		s, _, err := spool.Open(o)
		if err != nil {
			return
		}
		for s.Stats().PendingBatches > 0 {
			if r := whatComes(t, s); r != nil {
				if err := s.Done(r); err != nil {
					t.Fatal(err)
				}
			}
		}
		s.Close()
	})
}
