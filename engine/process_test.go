package engine_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/engine"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"go.uber.org/goleak"
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

func TestStop(t *testing.T) {
	enginetest.Start(t) // so that its goroutines are there before
	before := goleak.IgnoreCurrent()
	dir := filepath.Join(t.TempDir(), "data")
	e, err := engine.Start(context.Background(), engine.Options{Dir: dir, Command: enginetest.Command(), Socket: filepath.Join(t.TempDir(), "engine.sock")})
	if err != nil {
		t.Fatal(err)
	}
	endpoint, err := engine.ReadEndpoint(context.Background(), dir)
	if err != nil || endpoint != e.Endpoint() {
		t.Fatalf("endpoint %v, %v", endpoint, err)
	}
	info, err := os.Stat(filepath.Join(dir, "endpoint.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of the endpoint: %v, %v", info, err)
	}
	conn, err := endpoint.Open(engine.Admin)
	if err != nil {
		t.Fatal(err)
	}
	const slow = "SELECT count() FROM numbers(20) WHERE NOT ignore(sleepEachRow(0.1)) SETTINGS max_block_size = 1"
	slept := make(chan error, 1)
	go func() {
		var n uint64
		err := conn.QueryRow(context.Background(), slow).Scan(&n)
		if err == nil && n != 20 {
			err = fmt.Errorf("slow query counted %d", n)
		}
		slept <- err
	}()
	waitFor(t, "the slow query to run", func() bool { return running(t, conn, slow) == 1 })
	if err := e.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	if err := <-slept; err != nil {
		t.Errorf("a query that runs at the stop: %v", err)
	}
	if err := e.Stop(context.Background()); err != nil {
		t.Errorf("second stop: %v", err)
	}
	<-e.Done()
	if _, err := engine.ReadEndpoint(context.Background(), dir); !errors.Is(err, engine.ErrNotRunning) {
		t.Errorf("endpoint after the stop: %v", err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	goleak.VerifyNone(t, before)
}

func TestStopDoesNotWaitForEver(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	e, err := engine.Start(context.Background(), engine.Options{Dir: dir, Command: enginetest.Command(), DrainTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := e.Endpoint().Open(engine.Admin)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const endless = "SELECT max(sipHash64(number)) FROM numbers(1000000000000)"
	ended := make(chan error, 1)
	go func() { ended <- conn.QueryRow(context.Background(), endless).Err() }()
	waitFor(t, "the query to run", func() bool { return running(t, conn, endless) == 1 })
	if err := e.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("an endless query has ended well")
	}
}

func TestStartErrors(t *testing.T) {
	start := func(o engine.Options) error {
		t.Helper()
		if o.Dir == "" {
			o.Dir = filepath.Join(t.TempDir(), "data")
		}
		e, err := engine.Start(context.Background(), o)
		if err == nil {
			t.Error("no error")
			_ = e.Stop(context.Background())
			return errors.New("none")
		}
		return err
	}
	if err := start(engine.Options{Command: []string{"/bin/sh", "-c", "echo the disk is on fire >&2; exit 3"}}); !strings.Contains(err.Error(), "the disk is on fire") {
		t.Errorf("the child's last words are missing: %v", err)
	}
	if err := start(engine.Options{Command: []string{"/missing/program"}}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if err := start(engine.Options{Command: []string{"/bin/sleep", "100"}, StartTimeout: 50 * time.Millisecond}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if err := start(engine.Options{Command: enginetest.Command(), Library: "/etc/hostname"}); !strings.Contains(err.Error(), "/etc/hostname") {
		t.Errorf("a library that is none: %v", err)
	}
	t.Setenv(engine.LibraryEnv, "/missing/libchdb.so")
	err := start(engine.Options{Command: enginetest.Command()})
	if !errors.Is(err, engine.ErrLibraryMissing) {
		t.Error(err)
	}
	for _, part := range []string{"/missing/libchdb.so", "make engine", "@chdb/lib-linux-", engine.LibraryEnv} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not name %q: %v", part, err)
		}
	}
}

func TestSlowClients(t *testing.T) {
	e := startOwn(t, engine.Options{ReadTimeout: 100 * time.Millisecond})
	address := strings.TrimPrefix(e.Endpoint().URL, "http://")
	for name, begin := range map[string]string{
		"nothing":     "",
		"half header": "POST / HTTP/1.1\r\nHost: x\r\nX-A: ",
		"half body":   "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nAuthorization: Bearer " + e.Endpoint().Admin.Password + "\r\n\r\nSELECT",
	} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, begin); err != nil {
			t.Fatal(err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Errorf("%s: the connection stays open: %v", name, err)
		}
		conn.Close()
	}
}

func TestPingWhileBusy(t *testing.T) {
	e := startOwn(t, engine.Options{Connections: 1})
	conn, err := e.Endpoint().Open(engine.Admin)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- conn.QueryRow(ctx, "SELECT max(sipHash64(number)) FROM numbers(1000000000000)").Err()
	}()
	waitFor(t, "another query to wait in line until its deadline", func() bool {
		waiting, stop := context.WithTimeout(context.Background(), 200*time.Millisecond)
		defer stop()
		return errors.Is(conn.QueryRow(waiting, "SELECT 1").Err(), context.DeadlineExceeded)
	})
	client := e.Endpoint().HTTPClient()
	defer client.CloseIdleConnections()
	answer, err := client.Get(e.Endpoint().URL + "/ping")
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("ping: %v, %v", answer, err)
	} else {
		answer.Body.Close()
	}
	cancel()
	<-ended
	var one uint8
	if err := conn.QueryRow(context.Background(), "SELECT 1").Scan(&one); err != nil {
		t.Errorf("after the long query: %v", err)
	}
}

func TestSecretsStayOut(t *testing.T) {
	endpoint := enginetest.Start(t).Endpoint()
	for _, text := range []string{fmt.Sprint(endpoint), fmt.Sprintf("%+v", endpoint), fmt.Sprintf("%s", endpoint.Admin)} {
		if strings.Contains(text, endpoint.Admin.Password) {
			t.Errorf("formatted text shows the secret: %s", text)
		}
	}
	data, err := json.Marshal(endpoint)
	if err != nil || !bytes.Contains(data, []byte(endpoint.Admin.Password)) {
		t.Errorf("the endpoint file has no secret: %v", err)
	}
}
