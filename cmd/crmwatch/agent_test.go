package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crmwatch/crmwatch/alerting/fakeslack"
	"github.com/crmwatch/crmwatch/engine"
)

// TestAgentReadsBeforeItsDatabaseIsThere starts an agent before its server: it keeps
// what it reads, survives being killed, and delivers when the server comes.
func TestAgentReadsBeforeItsDatabaseIsThere(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	i := newInstance(t, "https://slack.com/api/", fakeslack.DefaultChannel.ID)
	i.write("dsn", "http://crmwatch:not-known-yet@"+address+"/default\n")
	i.write("agent.yaml", "data: ./agent\nsources:\n  - {name: kong, kind: follow, format: kong, paths: [\"./kong.log\"]}\nreading: {poll: 50ms, seal_age: 50ms}\nship: {dsn_file: ./dsn}\n")
	start := func() {
		i.log = &logBuffer{}
		i.cmd = i.command(context.Background(), "agent", "--config", filepath.Join(i.dir, "agent.yaml"))
		i.cmd.Stdout, i.cmd.Stderr = i.log, i.log
		if err := i.cmd.Start(); err != nil {
			t.Fatal(err)
		}
	}
	i.appendKong(0, 25)
	start()
	i.eventually("the agent to keep what it reads", "true", func() string {
		out, _ := i.command(context.Background(), "spool", "ls", "--config", filepath.Join(i.dir, "agent.yaml")).CombinedOutput()
		return fmt.Sprint(strings.Contains(string(out), " 25 ") && strings.Contains(i.log.String(), "waits in the spool"))
	})
	i.kill()
	if err := os.Remove(filepath.Join(i.dir, "kong.log")); err != nil { // the spool has it
		t.Fatal(err)
	}
	i.appendKong(25, 30)
	database := i.command(context.Background(), "engine", "--data", filepath.Join(i.dir, "data"), "--listen", address)
	if err := database.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = database.Process.Signal(os.Interrupt)
		_ = database.Wait()
	}()
	i.eventually("the database", "true", func() string {
		e, err := engine.ReadEndpoint(context.Background(), filepath.Join(i.dir, "data"))
		if err == nil {
			i.write("dsn", "http://"+e.Admin.User+":"+e.Admin.Password+"@"+address+"/default\n")
		}
		return fmt.Sprint(err == nil)
	})
	start()
	i.eventually("all lines", "30,30", func() string {
		return i.query("SELECT count(), uniqExact(event_uid) FROM events FINAL WHERE " + ofLogs)
	})
	i.stop()
}
