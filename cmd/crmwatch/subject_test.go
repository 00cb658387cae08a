package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting/fakeslack"
)

// TestPeopleOfARunningMonitor erases somebody while the monitor runs, and destroys the
// key by which somebody else can be found.
func TestPeopleOfARunningMonitor(t *testing.T) {
	t.Parallel()
	server := fakeslack.New(fakeslack.Options{})
	slack := httptest.NewServer(server)
	defer slack.Close()
	i := newInstance(t, slack.URL+"/api/", fakeslack.DefaultChannel.ID)
	config, key := filepath.Join(i.dir, "crmwatch.yaml"), filepath.Join(i.dir, "pseudonym.key")
	if err := newPseudonymKey(key, terminal{&bytes.Buffer{}, &bytes.Buffer{}}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	i.write("crmwatch.yaml", strings.Replace(string(text), `paths: ["./drop/*.csv"]`, `paths: ["./drop/*.csv"], privacy: {pseudonyms: true}`, 1)+"pseudonym_key_file: ./pseudonym.key\n")
	crmwatch := func(args ...string) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		out, err := i.command(ctx, args...).CombinedOutput()
		return string(out), err
	}
	must := func(want string, args ...string) {
		t.Helper()
		if out, err := crmwatch(args...); err != nil || !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			t.Errorf("%s: %v, want %q in\n%s\nlog:\n%s", strings.Join(args, " "), err, want, out, i.log)
		}
	}
	i.write("drop/Login.csv", guessedPasswords())
	i.appendKong(0, 40)
	i.start()
	found := func() string {
		return i.query("SELECT (SELECT count() FROM events WHERE " + ofLogs + "), (SELECT uniqExact(finding_uid) FROM findings), (SELECT uniqExact(alert_uid) FROM alerts), (SELECT count() FROM alert_transitions)")
	}
	i.eventually("findings and alerts", "2", func() string { return i.query("SELECT count() FROM alerts FINAL") })
	messages := func() string { return fmt.Sprint(len(server.Messages(fakeslack.DefaultChannel.ID))) }
	i.eventually("messages", "2", messages)
	before := found()

	must("is complete", "subject", "erase", "--config", config, "--name", "crm-sync", "--uid", "77aa", "--yes", "--reason", "request 6", "--verify")
	// The rules look again every second; what is written anew has not arrived anew.
	time.Sleep(3 * time.Second)
	if after := found(); after != before {
		t.Errorf("events, findings, alerts, transitions are %s, and were %s\n%s", after, before, i.log)
	}
	if got := messages(); got != "2" {
		t.Errorf("%s messages were sent, want 2", got)
	}
	// The tables that were opened anew take what comes.
	i.appendKong(40, 41)
	i.eventually("another call", "1", func() string { return i.query("SELECT count() FROM events WHERE actor_user_name = 'crm-sync'") })

	must("events 20 20", "subject", "find", "--config", config, "--email", "jdoe@acme.example")
	if out, err := crmwatch("pseudonym", "--destroy-key", key, "--config", config, "--reason", "end of contract"); err == nil || !strings.Contains(out, "names this key") {
		t.Errorf("a key that is in use: %v\n%s", err, out)
	}
	must("1 pseudonym of it stand in 20 events", "pseudonym", "--destroy-key", key, "--config", config, "--reason", "end of contract", "--force")
	if out, err := crmwatch("subject", "find", "--config", config, "--email", "jdoe@acme.example"); err == nil || !strings.Contains(out, "pseudonym.key is not there") {
		t.Errorf("by a key that is destroyed: %v\n%s", err, out)
	}
	must("Nothing in the database names the person", "subject", "find", "--data", filepath.Join(i.dir, "data"), "--email", "jdoe@acme.example")
}
