package main

import (
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting/fakeslack"
)

// TestReloadTakesGoodConfigurationsOnly adds a source while logs are written and
// rotated, with mistakes and a storm of signals in between.
func TestReloadTakesGoodConfigurationsOnly(t *testing.T) {
	t.Parallel()
	slack := httptest.NewServer(fakeslack.New(fakeslack.Options{}))
	defer slack.Close()
	i := newInstance(t, slack.URL+"/api/", fakeslack.DefaultChannel.ID)
	path := filepath.Join(i.dir, "crmwatch.yaml")
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	count := func() string {
		return i.query("SELECT count(), uniqExact(event_uid) FROM events FINAL WHERE " + ofLogs)
	}
	i.appendKong(0, 10)
	i.start()
	i.eventually("the first source", "10,10", count)

	i.write("crmwatch.yaml", strings.Replace(string(first), "kind: follow", "kind: folow", 1))
	i.signal(syscall.SIGHUP)
	i.eventually("the refusal", "true", func() string {
		if text := i.log.String(); !strings.Contains(text, "the old one stays") || !strings.Contains(text, "crmwatch.yaml:7:") {
			return text
		}
		return "true"
	})
	i.appendKong(10, 20)
	i.eventually("reading after a refusal", "20,20", count)

	i.write("crmwatch.yaml", strings.Replace(string(first), "sources:\n", "sources:\n  - {name: other, kind: follow, format: kong, tenant: other, paths: [\"./other.log\"]}\n", 1))
	text, err := os.ReadFile(filepath.Join(i.dir, "kong.log"))
	if err != nil {
		t.Fatal(err)
	}
	i.write("other.log", string(text))
	for n := range 12 {
		i.signal(syscall.SIGHUP)
		i.appendKong(20+n*5, 25+n*5)
		if n%4 == 0 {
			i.rotateKong("kong.log." + string(rune('1'+n/4)))
		}
		time.Sleep(100 * time.Millisecond)
	}
	i.eventually("both sources", "100,100", count)
	i.stop()
}

// TestSecondSignalEndsAtOnce has a database that does not answer, so that stopping
// would take its time.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	slack := httptest.NewServer(fakeslack.New(fakeslack.Options{}))
	defer slack.Close()
	i := newInstance(t, slack.URL+"/api/", fakeslack.DefaultChannel.ID)
	i.appendKong(0, 10)
	i.start()
	i.eventually("reading", "10", func() string { return i.query("SELECT count() FROM events FINAL WHERE " + ofLogs) })
	children, err := exec.Command("pgrep", "-P", fmt.Sprint(i.cmd.Process.Pid)).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range strings.Fields(string(children)) {
		if err := exec.Command("kill", "-STOP", pid).Run(); err != nil {
			t.Fatal(err)
		}
		defer exec.Command("kill", "-KILL", pid).Run()
	}
	i.appendKong(10, 20)
	i.signal(syscall.SIGTERM)
	time.Sleep(300 * time.Millisecond)
	i.signal(syscall.SIGTERM)
	ended := make(chan error, 1)
	cmd := i.cmd
	go func() { ended <- cmd.Wait() }()
	select {
	case <-ended:
		if code := cmd.ProcessState.ExitCode(); code != 143 {
			t.Errorf("exit code %d, want 143", code)
		}
		i.cmd = nil
	case <-time.After(5 * time.Second):
		t.Error("it still runs five seconds after the second signal")
	}
}
