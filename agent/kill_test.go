package agent

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// followUntilKilled is the child of TestKill: it follows DIR/logs and appends each
// stored event to DIR/stored, as a database would keep it.
func followUntilKilled(dir string) int {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	positions, err := OpenPositions(filepath.Join(dir, "state"), log)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	stored, err := openStored(filepath.Join(dir, "stored"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ship := func(_ context.Context, b Sealed) error {
		rows, err := decodeRows(b.Events)
		if err != nil {
			return err
		}
		var out strings.Builder
		for _, r := range rows {
			fmt.Fprintf(&out, "%s %s\n", r["event_uid"], r["http_request_url_path"])
		}
		_, err = stored.WriteString(out.String())
		return err
	}
	w, err := NewWatcher(WatchOptions{
		Sources: []Source{{Name: "web", Kind: KindFollow, Format: "nginx", Paths: []string{filepath.Join(dir, "logs", "access.log*")}}},
		Ship:    ship, Positions: positions, Redactor: testRedactor(), Log: log,
		Poll: 2 * time.Millisecond, SealAge: 2 * time.Millisecond,
	})
	if err == nil {
		err = w.Run(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// openStored opens the stand-in for the database. A kill can end a write at a page's
// end; a database would not show the half record, and the next one must not be
// appended to it.
func openStored(path string) (*os.File, error) {
	data, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	stored, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return stored, stored.Truncate(int64(bytes.LastIndexByte(data, '\n') + 1))
}

// stormLines are written to a log that is rotated every stormRotation lines.
const (
	stormLines    = 20_000
	stormRotation = 400
)

func writeStorm(path string, pause time.Duration) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	for n := range stormLines {
		if n > 0 && n%stormRotation == 0 {
			// The last lines go in after the rename, as a server's do.
			if err := os.Rename(path, fmt.Sprintf("%s.%04d", path, n/stormRotation)); err != nil {
				return err
			}
			f.WriteString(line(n))
			f.Close()
			if f, err = os.Create(path); err != nil {
				return err
			}
			time.Sleep(pause)
			continue
		}
		if _, err := f.WriteString(line(n)); err != nil {
			return err
		}
	}
	return f.Close()
}

func TestRotationStorm(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	positions, err := OpenPositions(filepath.Join(dir, "state"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer positions.Close()
	conn := database(t)
	ship := inserting(conn, testWriter{t})
	w, err := NewWatcher(WatchOptions{
		Sources: []Source{{Name: "web", Kind: KindFollow, Format: "nginx", Paths: []string{filepath.Join(dir, "logs", "access.log*")}}},
		Ship:    ship, Positions: positions, Redactor: testRedactor(),
		Poll: time.Millisecond, SealAge: time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var running sync.WaitGroup
	running.Go(func() {
		if err := w.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	if err := writeStorm(filepath.Join(dir, "logs", "access.log"), time.Millisecond); err != nil {
		t.Fatal(err)
	}
	waitFor(t, 60*time.Second, func() bool { return w.Status()[0].Stored >= stormLines })
	cancel()
	running.Wait()
	for _, query := range []string{"SELECT count() FROM events", "SELECT uniqExact(http_request_url_path) FROM events", "SELECT count() FROM events FINAL"} {
		if n := count(t, conn, query); n != stormLines {
			t.Errorf("%s: %d, want %d", query, n, stormLines)
		}
	}
	status := w.Status()[0]
	if status.Pending != 0 || status.Stored != stormLines {
		t.Errorf("the ledger does not balance: %+v", status)
	}
}

// TestKill kills a following child with -9 again and again while a log is rotated.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() { written <- writeStorm(filepath.Join(dir, "logs", "access.log"), 30*time.Millisecond) }()
	start := func() *exec.Cmd {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "AGENT_TEST_FOLLOW="+dir)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		return child
	}
	kills := 0
	for writing := true; writing; {
		child := start()
		select {
		case err := <-written:
			if err != nil {
				t.Fatal(err)
			}
			writing = false
		case <-time.After(time.Duration(60+37*(kills%5)) * time.Millisecond):
		}
		child.Process.Kill()
		child.Wait()
		kills++
	}
	child := start()
	defer func() {
		child.Process.Kill()
		child.Wait()
	}()
	var rows map[string]string
	waitFor(t, 60*time.Second, func() bool {
		rows = readStored(t, dir)
		return len(rows) >= stormLines
	})
	paths := map[string]int{}
	for _, path := range rows {
		paths[path]++
	}
	for n := range stormLines {
		if path := fmt.Sprintf("/line/%06d", n); paths[path] != 1 {
			t.Errorf("%s is stored %d times", path, paths[path])
		}
	}
	t.Logf("killed %d times", kills)
}

func readStored(t *testing.T, dir string) map[string]string {
	t.Helper()
	data, _ := os.ReadFile(filepath.Join(dir, "stored"))
	rows := map[string]string{}
	for record := range strings.Lines(string(data)) {
		uid, path, whole := strings.Cut(strings.TrimSuffix(record, "\n"), " ")
		if whole && strings.HasSuffix(record, "\n") {
			rows[uid] = path
		}
	}
	return rows
}

func waitFor(t *testing.T, limit time.Duration, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it takes too long")
		}
	}
}
