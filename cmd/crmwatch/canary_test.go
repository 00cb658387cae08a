package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crmwatch/crmwatch/alerting/fakeslack"
	"github.com/crmwatch/crmwatch/simulate/canary"
)

// tellEverything is a rule that puts what events say into findings, and so into alerts.
const tellEverything = `id: tell-everything
title: What the logs say
description: Tells texts of every log.
kind: query
severity: high
entity_type: source
attack: [T1552]
window: 24h
query: |
  SELECT metadata_tenant_uid AS tenant, metadata_product_name AS product, metadata_log_format AS entity_uid,
      anyIf(actor_user_name, actor_user_name != '') AS entity, min(time) AS first_seen, max(time) AS last_seen, count() AS count,
      arraySlice(groupArray(event_uid), 1, 50) AS evidence,
      arrayStringConcat(groupUniqArray(5000)(message), ' ') AS messages, arrayStringConcat(groupUniqArray(5000)(status_detail), ' ') AS details,
      arrayStringConcat(groupUniqArray(5000)(http_request_url_query_string), ' ') AS queries, toString(groupArray(5000)(unmapped)) AS rest
  FROM events
  WHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)}
  GROUP BY tenant, product, entity_uid
message: "{{entity}} said {{messages}} {{details}} {{queries}} {{rest}}"
false_positives: [Everything.]
runbook: [Read it.]
tests:
  - name: an event
    kind: fires
    events: [{time: +9h, metadata_log_format: x}]
    expect: [{entity_uid: x}]
  - name: nothing
    kind: quiet
    events: []
  - name: one event
    kind: boundary
    events: [{time: +9h, metadata_log_format: x}]
    expect: [{entity_uid: x}]
`

// TestNoPlantedSecretGetsThrough plants secrets of all kinds into samples of all formats,
// lets crmwatch run over them, with a rule that tells all that it reads, and looks for
// them in every file of the data directory (spool and database among them), in every
// table, in its log and in what Slack got.
func TestNoPlantedSecretGetsThrough(t *testing.T) {
	t.Parallel()
	samples, err := canary.Samples("../../agent/formats/testdata")
	if err != nil {
		t.Fatal(err)
	}
	slack := fakeslack.New(fakeslack.Options{})
	server := httptest.NewServer(slack)
	defer server.Close()
	i := newInstance(t, server.URL+"/api/", fakeslack.DefaultChannel.ID)
	planted, err := canary.Plant(samples, filepath.Join(i.dir, "drop"), 4, 7)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, c := range planted {
		kinds[c.Kind] = true
	}
	if len(planted) < 200 || len(kinds) < 20 {
		t.Fatalf("only %d secrets of %d kinds are planted", len(planted), len(kinds))
	}
	if err := os.Mkdir(filepath.Join(i.dir, "rules"), 0o700); err != nil {
		t.Fatal(err)
	}
	i.write("rules/tell-everything.yaml", tellEverything)
	i.write("crmwatch.yaml", `
data: ./data
store: {listen: "127.0.0.1:0"}
reading: {poll: 50ms, settle: 200ms}
sources: [{name: drop, kind: export, paths: ["./drop"]}]
rules: {settle: 0s, schedule: "@every 1s", directories: [./rules], disabled: [`+rulesBut(t, storyRules...)+`]}
log: {level: debug}
slack: {token_file: ./slack.token, channel: `+fakeslack.DefaultChannel.ID+`, api_url: "`+server.URL+`/api/"}
`)
	i.start()
	i.write("drop/zzzz-last.csv", guessedPasswords()) // files are read in the order of their names
	i.eventually("events of the last file", "20", func() string { return i.query("SELECT count() FROM events WHERE x_source_file LIKE '%zzzz-last.csv'") })
	formats := i.query("SELECT uniqExact(metadata_tenant_uid, metadata_product_name, metadata_log_format) FROM events")
	i.eventually("entities with a finding", formats, func() string {
		return i.query("SELECT uniqExact(metadata_tenant_uid, metadata_product_name, entity_uid) FROM findings WHERE rule = 'tell-everything'")
	})
	i.eventually("messages", "true", func() string { return fmt.Sprint(len(slack.Messages(fakeslack.DefaultChannel.ID)) > 10) })
	left := map[string][]byte{}
	for _, table := range []string{"events", "quarantine", "findings", "alerts", "notifications", "rule_runs", "deliveries"} {
		left["table "+table] = []byte(i.query("SELECT * FROM " + table))
	}
	i.stop()
	left["log"] = []byte(i.log.String())
	for n, m := range slack.Messages(fakeslack.DefaultChannel.ID) {
		left[fmt.Sprintf("message %d", n)] = fmt.Append(nil, m, m.Render())
	}
	err = filepath.WalkDir(filepath.Join(i.dir, "data"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		left[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range planted {
		for where, text := range left {
			if at := bytes.Index(text, []byte(c.Secret)); at >= 0 {
				t.Errorf("%s: a %s is in %s: %q, planted at %q", c.File, c.Kind, where, text[max(0, at-60):min(len(text), at+len(c.Secret)+10)], c.Around)
			}
		}
	}
	for where, text := range left {
		if strings.HasPrefix(where, "table") && bytes.HasPrefix(text, []byte("error:")) {
			t.Errorf("%s could not be read: %s", where, text)
		}
	}
	for _, where := range []string{"table events", "table findings", "table alerts", "table quarantine"} {
		if !bytes.Contains(left[where], []byte("acme")) {
			t.Errorf("%s holds nothing that could give a secret away", where)
		}
	}
	t.Logf("%d secrets of %d kinds were looked for in %d places", len(planted), len(kinds), len(left))
}
