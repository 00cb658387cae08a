package agent

import (
	"archive/zip"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// yearless is a line whose time has no year.
const yearless = "<38>Dec 31 23:59:59 gw1 sshd[4711]: Accepted password for alice from 198.51.100.23 port 40022 ssh2\n"

// A time without a year is of the last year before the file was written; a member of
// an archive may be older than the archive.
func TestLoadTellsTheYearByTheFile(t *testing.T) {
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	member, err := z.CreateHeader(&zip.FileHeader{Name: "auth.log", Modified: time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	member.Write([]byte(yearless))
	z.Close()
	for name, test := range map[string]struct {
		content string
		want    int
	}{"auth.log": {yearless, 2025}, "logs.zip": {packed.String(), 2023}} {
		dir := writeFiles(t, map[string]string{name: test.content})
		written := time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC)
		if err := os.Chtimes(filepath.Join(dir, name), written, written); err != nil {
			t.Fatal(err)
		}
		report, err := Load(context.Background(), LoadOptions{Paths: []string{dir}, Redactor: testRedactor(), Workers: 1, Ship: func(context.Context, Sealed) error { return nil }})
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Files) != 1 || report.Files[0].Events != 1 || report.Files[0].LastEvent.Year() != test.want {
			t.Errorf("%s: %+v, want one event of %d", name, report.Files, test.want)
		}
	}
}

// In a log that is followed, the file and the clock tell the year, whichever is
// earlier.
func TestFollowTellsTheYear(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		modified time.Time
		want     time.Time
	}{
		"not known":     {time.Time{}, now},
		"before":        {now.Add(-time.Hour), now.Add(-time.Hour)},
		"in the future": {now.Add(time.Hour), now},
	} {
		g := &generation{}
		if !test.modified.IsZero() {
			g.state.modTime = test.modified.UnixNano()
		}
		if got := g.writtenBy(now); !got.Equal(test.want) {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
	r := followRig(t)
	r.write("logs/access.log", yearless)
	written := time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC)
	if err := os.Chtimes(r.path("logs/access.log"), written, written); err != nil {
		t.Fatal(err)
	}
	r.settle()
	if last := r.w.Status()[0].LastEvent; last.Year() != 2025 {
		t.Errorf("the event is of %d", last.Year())
	}
}
