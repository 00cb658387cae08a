package agent

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestRunDrains stops a watcher while it has read lines that are not shipped yet.
func TestRunDrains(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	dir := t.TempDir()
	path := filepath.Join(dir, "access.log")
	if err := os.WriteFile(path, []byte(lines(0, 500)), 0o644); err != nil {
		t.Fatal(err)
	}
	positions, err := OpenPositions(filepath.Join(dir, "state"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s := newStore()
	ctx, cancel := context.WithCancel(t.Context())
	w, err := NewWatcher(WatchOptions{
		Sources: []Source{{Name: "web", Kind: KindFollow, Paths: []string{path}}}, Positions: positions, Redactor: testRedactor(),
		Ship: s.Ship, Poll: time.Millisecond, SealAge: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	waitFor(t, 10*time.Second, func() bool { return w.Status()[0].Events == 500 })
	if n := len(s.paths()); n != 0 {
		t.Errorf("%d events are shipped before their time", n)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := len(s.paths()); n != 500 {
		t.Errorf("%d events are shipped, want 500", n)
	}
	if all := positions.All("web"); len(all) != 1 || all[0].Offset != int64(len(lines(0, 500))) {
		t.Errorf("positions: %+v", all)
	}
	positions.Close()
	goleak.VerifyNone(t, ignore)
}

// TestRunEndsWhenTheDatabaseDoesNotAnswer gives up after Drain, and loses nothing.
func TestRunEndsWhenTheDatabaseDoesNotAnswer(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "access.log")
	if err := os.WriteFile(path, []byte(lines(0, 500)), 0o644); err != nil {
		t.Fatal(err)
	}
	positions, err := OpenPositions(filepath.Join(dir, "state"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer positions.Close()
	ctx, cancel := context.WithCancel(t.Context())
	s := newStore()
	s.hold = make(chan struct{})
	w, err := NewWatcher(WatchOptions{
		Sources: []Source{{Name: "web", Kind: KindFollow, Paths: []string{path}}}, Positions: positions, Redactor: testRedactor(),
		Ship: s.Ship, Poll: time.Millisecond, SealAge: time.Millisecond, Drain: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	waitFor(t, 10*time.Second, func() bool { return w.Status()[0].Events == 500 })
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for _, p := range positions.All("web") {
		if p.Offset != 0 {
			t.Errorf("a position moved although nothing was stored: %+v", p)
		}
	}
}

func TestSourcesAreChecked(t *testing.T) {
	cases := map[string]struct {
		source Source
		want   string
	}{
		"name":    {Source{Name: "../x", Paths: []string{"a"}}, "use 1 to 64 lower case letters"},
		"paths":   {Source{Name: "x"}, "name at least one path"},
		"pattern": {Source{Name: "x", Paths: []string{"[a"}}, "close every ["},
		"kind":    {Source{Name: "x", Paths: []string{"a"}, Kind: "tail"}, "use auto, export or follow"},
		"format":  {Source{Name: "x", Paths: []string{"a"}, Format: "nothing"}, "unknown format"},
		"follow":  {Source{Name: "x", Paths: []string{"a"}, Kind: KindFollow, Format: "salesforce-elf"}, "use kind export"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if err := c.source.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
