package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting/fakeslack"
	"github.com/crmwatch/crmwatch/engine"
)

// report runs `crmwatch report` and gives both outputs and the exit code.
func (i *instance) report(args ...string) (out, notes string, code int) {
	i.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := i.command(context.Background(), append([]string{"report"}, args...)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run()
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

var hexHash = regexp.MustCompile(`[0-9a-f]{64}`)

// The whole way of a summary, with processes: made on schedule by a crmwatch that is
// killed and started again, posted once with its page, asked for by hand while it runs,
// checked with the hash from the message, and by an auditor who has only files.
func TestReportsFromScheduleToAuditor(t *testing.T) {
	t.Parallel()
	slack := fakeslack.New(fakeslack.Options{})
	server := httptest.NewServer(slack)
	t.Cleanup(server.Close)
	i := newInstance(t, server.URL+"/api/", fakeslack.DefaultChannel.ID)
	config, data, reports := filepath.Join(i.dir, "crmwatch.yaml"), filepath.Join(i.dir, "data"), filepath.Join(i.dir, "reports")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	i.write("crmwatch.yaml", string(text)+`
summaries:
  schedules:
    - {period: daily, at: "00:00", tenants: [acme], formats: [html, json, csv], directory: ./reports, notify: [slack]}
`)
	posted := func() string {
		shown := 0
		for _, f := range slack.Files() {
			shown += f.Shared
		}
		return fmt.Sprintf("%d messages, %d files", len(slack.Messages("")), shown)
	}
	i.start()
	i.eventually("the summary in Slack", "1 messages, 1 files", posted)
	i.kill()
	i.start()
	// Before it runs, the report by hand would open the data itself, and might keep it.
	i.eventually("the engine", "true", func() string { return strconv.FormatBool(strings.Contains(i.log.String(), "msg=watching")) })
	yesterday := time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly)
	_, notes, code := i.report("--data", data, "--period", yesterday, "--tenant", "acme", "--out", reports)
	if code != 0 || !strings.Contains(notes, "version 2, in the place of version 1") || !strings.Contains(notes, "evidence chain: entry 3, ") {
		t.Errorf("by hand: %d\n%s\nlog:\n%s", code, notes, i.log)
	}
	i.eventually("the summary in Slack", "1 messages, 1 files", posted)
	i.stop()

	message := slack.Messages("")[0].Text
	anchor := hexHash.FindString(message)
	out, _, code := i.report("verify", "--data", data, "--anchor", anchor, "--files", reports)
	if code != 0 || !strings.HasPrefix(out, "INTACT\n") || !strings.Contains(out, "Anchor:   entry 2") || !strings.Contains(out, "Files:    5 files") {
		t.Errorf("verify: %d\n%s\nmessage:\n%s", code, out, message)
	}
	key, _, _ := i.report("key", "--config", config)
	if _, notes, code := i.report("export-chain", "--data", data, "--out", filepath.Join(reports, "chain.jsonl")); code != 0 {
		t.Fatal(notes)
	}
	files := []string{"verify", "--files", reports, "--chain", filepath.Join(reports, "chain.jsonl"), "--public-key", strings.TrimSpace(key), "--anchor", anchor}
	if out, notes, code := i.report(files...); code != 0 || !strings.Contains(out, "Files:    5 files") {
		t.Errorf("files alone: %d\n%s%s", code, out, notes)
	}
	page := filepath.Join(reports, "crmwatch-acme-daily-"+yesterday+".html")
	content, err := os.ReadFile(page)
	if err != nil || !strings.Contains(string(content), "Evidence chain before this summary") {
		t.Fatalf("the page: %v", err)
	}
	if err := os.WriteFile(page, append(content, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _, code := i.report(files...); code != 1 || !strings.HasPrefix(out, "NOT INTACT: "+page+" is not the file that entry 2 names.") {
		t.Errorf("a changed file: %d\n%s", code, out)
	}
	if out, _, _ := i.report("list", "--data", data); strings.Count(out, yesterday) != 2 {
		t.Errorf("the list is\n%s", out)
	}
	// Somebody who may write the database, and has no key.
	i.start()
	i.eventually("the engine", "", func() string {
		endpoint, err := engine.ReadEndpoint(t.Context(), data)
		if err != nil {
			return err.Error()
		}
		conn, err := endpoint.Open(engine.Admin)
		if err != nil {
			return err.Error()
		}
		defer conn.Close()
		if err := conn.Exec(t.Context(), "ALTER TABLE summaries UPDATE content = replaceAll(content, 'acme', 'ACME') WHERE version = 1 SETTINGS mutations_sync = 2"); err != nil {
			return err.Error()
		}
		return ""
	})
	if out, _, code := i.report("verify", "--data", data); code != 1 || !strings.Contains(out, "what it means: it was changed after the entry was written") {
		t.Errorf("a changed row: %d\n%s", code, out)
	}
}

// Mistakes are named where they are, with the mend.
func TestSummariesConfigurationIsChecked(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "c.yaml")
	text := `data: ./data
sources: [{name: a, paths: [./a.csv]}]
summaries:
  catch_up: 0
  schedules:
    - {period: hourly}
    - {period: daily, at: "6 o'clock", tenants: some}
    - {period: daily, tenants: [acme], formats: [pdf], notify: [pager]}
    - {period: weekly, tenants: []}
    - {period: monthly, at: "0 6 2 * *", tenants: [acme, globex], formats: [html], directory: ./reports, notify: [console]}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := loadConfig(path)
	if err == nil {
		t.Fatal("it is taken")
	}
	for _, want := range []string{
		":4:13: summaries.catch_up is 0: use 1 to 1000", `:6:16: the period is "hourly": use daily, weekly or monthly`, ":7:27: at is \"6 o'clock\" is neither",
		`:7:49: tenants is "some": write all, or a list such as [some]`, `schedule 3 makes daily summaries of the same tenants as schedule 2`, `:8:50: the format is "pdf": use html, md, json, csv`,
		"directory is missing", "there is no notifier pager: use console", "the list of tenants is empty",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing says %q:\n%v", want, err)
		}
	}
	if n := strings.Count(err.Error(), path); n != 9 {
		t.Errorf("%d mistakes:\n%v", n, err)
	}
}
