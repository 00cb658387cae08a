package engine_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crmwatch/crmwatch/engine"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"golang.org/x/sys/unix"
)

// parentArgument makes the test binary a parent that starts an engine on the directory in the next argument and waits.
const parentArgument = "crmwatch-engine-parent"

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == parentArgument {
		beParent(os.Args[2])
	}
	if len(os.Args) > 3 && os.Args[1] == stressArgument {
		if err := beStressed(os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	enginetest.Main(m)
}

func beParent(dir string) {
	e, err := engine.Start(context.Background(), engine.Options{Dir: dir, Command: enginetest.Command()})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(e.PID())
	select {}
}

// startOwn starts an engine for this test alone and stops it in the end.
func startOwn(t testing.TB, options engine.Options) *engine.Engine {
	t.Helper()
	if options.Dir == "" {
		options.Dir = filepath.Join(t.TempDir(), "data")
	}
	options.Command = enginetest.Command()
	e, err := engine.Start(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

func gzipped(t testing.TB, text string) io.Reader {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &packed
}

func TestDirectoryIsForOne(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first := startOwn(t, engine.Options{Dir: dir})
	_, err := engine.Start(context.Background(), engine.Options{Dir: dir, Command: enginetest.Command()})
	if !errors.Is(err, engine.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprint(first.PID())) || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second engine on one directory: %v", err)
	}
	if _, err := engine.ReadEndpoint(context.Background(), dir); err != nil {
		t.Errorf("the refused engine has taken the first one's endpoint away: %v", err)
	}
}

func TestNothingIsOpenToOthers(t *testing.T) {
	old := unix.Umask(0)
	defer unix.Umask(old)
	dir := filepath.Join(t.TempDir(), "data")
	e := startOwn(t, engine.Options{Dir: dir})
	conn, err := e.Endpoint().Open(engine.Admin)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	mustExec(t, conn, "CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")
	mustExec(t, conn, "INSERT INTO t VALUES (1)")
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && info.Mode()&fs.ModeSymlink == 0 && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", e.PID()))
	if err != nil {
		t.Fatal(err)
	}
	arguments, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", e.PID()))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{e.Endpoint().Admin.Password, e.Endpoint().Reader.Password} {
		if bytes.Contains(status, []byte(secret)) || bytes.Contains(arguments, []byte(secret)) {
			t.Error("a credential is in the child's environment or arguments")
		}
	}
}

func TestRestart(t *testing.T) {
	restarted := make(chan error, 8)
	dir := filepath.Join(t.TempDir(), "data")
	e := startOwn(t, engine.Options{Dir: dir, OnRestart: func(cause error) { restarted <- cause }})
	conn, err := e.Endpoint().Open(engine.Admin)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	mustExec(t, conn, "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	mustExec(t, conn, "INSERT INTO t SELECT number FROM numbers(1000)")
	for i := range 2 {
		before := e.PID()
		if err := unix.Kill(before, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		// The request waits in the listening socket until the next child takes it; one that meets the dying child fails.
		waitFor(t, "the engine to answer again", func() bool {
			var n uint64
			return conn.QueryRow(context.Background(), "SELECT count() FROM t").Scan(&n) == nil && n == 1000
		})
		if cause := <-restarted; cause == nil || !strings.Contains(cause.Error(), "killed") {
			t.Errorf("the cause of the restart is %v", cause)
		}
		if e.Restarts() != i+1 || e.PID() == before {
			t.Errorf("%d restarts, process %d, before %d", e.Restarts(), e.PID(), before)
		}
	}
	if err := unix.Kill(e.PID(), unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if cause := <-restarted; cause == nil {
		t.Error("a child that ends by itself is not restarted with a cause")
	}
}

func TestNoOrphan(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "data")
	parent := exec.Command(self, parentArgument, dir)
	parent.Stderr = os.Stderr
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscan(bufio.NewReader(out), &pid); err != nil {
		t.Fatal(err)
	}
	if _, err := engine.ReadEndpoint(context.Background(), dir); err != nil {
		t.Error(err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // "killed"
	waitFor(t, "the child of a killed parent to end", func() bool { return unix.Kill(pid, 0) != nil })
	if _, err := engine.ReadEndpoint(context.Background(), dir); !errors.Is(err, engine.ErrNotRunning) {
		t.Errorf("the endpoint of a killed engine: %v", err)
	}
	startOwn(t, engine.Options{Dir: dir}) // and the directory is free again
}
