package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/alerting/fakeslack"
	"github.com/crmwatch/crmwatch/engine"
)

// askEngine sends a statement to the engine of an instance and wants it refused.
func askEngine(t *testing.T, i *instance, user, password, sql string) {
	t.Helper()
	e, err := engine.ReadEndpoint(context.Background(), filepath.Join(i.dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodPost, e.URL, strings.NewReader(sql))
	if err != nil {
		t.Fatal(err)
	}
	if password == "" {
		password = e.Credential(engine.Role(user)).Password
	}
	request.SetBasicAuth(user, password)
	answer, err := e.HTTPClient().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode < 400 {
		t.Errorf("%s: %s is answered with %s", user, sql, answer.Status)
	}
}

// TestEachActLeavesOneEvent does with a running crmwatch what people do, and looks for
// who, what and when of each.
func TestEachActLeavesOneEvent(t *testing.T) {
	t.Parallel()
	const secret = "hunter2Sesame94d1"
	slack := fakeslack.New(fakeslack.Options{})
	server := httptest.NewServer(slack)
	defer server.Close()
	i := newInstance(t, server.URL+"/api/", fakeslack.DefaultChannel.ID)
	data, config := filepath.Join(i.dir, "data"), filepath.Join(i.dir, "crmwatch.yaml")
	others := strings.Split(rulesBut(t, storyRules...), ", ")
	configure := func(kept string, alerts string) {
		t.Helper()
		disabled := slices.DeleteFunc(append(slices.Clone(others), "brute-force", "credential-several-places"), func(id string) bool { return strings.Contains(kept, id) })
		i.write("crmwatch.yaml", `# password: `+secret+`
data: ./data
reading: {poll: 50ms, settle: 200ms}
sources:
  - {name: salesforce, kind: export, paths: ["./drop/*.csv"]}
rules: {settle: 0s, schedule: "@every 1s", disabled: [`+strings.Join(disabled, ", ")+`]`+alerts+`
slack: {token_file: ./slack.token, channel: `+fakeslack.DefaultChannel.ID+`, api_url: "`+server.URL+`/api/"}
`)
	}
	configure("brute-force", "}")
	run := func(wantCode int, args ...string) string {
		t.Helper()
		cmd := i.command(context.Background(), args...)
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != wantCode {
			t.Errorf("crmwatch %s ended with %d\n%s", strings.Join(args, " "), code, out)
		}
		return string(out)
	}
	watching := func(n int) {
		t.Helper()
		i.eventually("watching", "true", func() string {
			if strings.Count(i.log.String(), "msg=watching") >= n {
				return "true"
			}
			return i.log.String()
		})
	}
	i.start()
	watching(1)
	i.write("drop/Login.csv", guessedPasswords())
	i.eventually("alert", "jdoe@acme.example", func() string { return headlines(slack) })
	alert := strings.Trim(i.query("SELECT toString(alert_uid) FROM alerts FINAL"), `"`)
	askEngine(t, i, "crmwatch", secret, "SELECT 1")
	askEngine(t, i, "reader", "", "DROP TABLE events")
	run(0, "alerts", "list", "--data", data)
	run(0, "alerts", "ack", "--data", data, alert)
	run(1, "alerts", "ack", "--data", data, alert)
	run(0, "alerts", "resolve", "--false-positive", "--note", "it was me, password="+secret, "--data", data, alert)
	run(0, "silences", "add", "--data", data, "--match", "rule=traffic-drop", "--for", "4d", "--reason", "the ERP is moved")
	silence := strings.Trim(i.query("SELECT toString(silence_uid) FROM silences FINAL"), `"`)
	run(0, "silences", "add", "--dry-run", "--data", data, "--match", "rule=rows-spike", "--for", "2h", "--reason", "only to see")
	run(0, "silences", "expire", "--data", data, silence)
	configure("credential-several-places monitor-weakened", `, exceptions: [{rules: ["*"], users: ["svc-*"], reason: all is fine}]}
alerts: {notify_from: medium, notifiers: {archive: {file: {path: ./alerts.jsonl}}}}`)
	i.signal(syscall.SIGHUP)
	watching(2)
	i.eventually("finding about what was weakened", "1", func() string { return i.query("SELECT count() FROM findings FINAL WHERE rule = 'monitor-weakened'") })
	i.stop()
	me := whoami()
	got := i.query(`SELECT concat(api_operation, '|', actor_user_name, '|', resources_type, '|', resources_name, if(resources_name = '', resources_uid, ''), '|', toString(status_id), '|', unmapped['via']) AS act, count()
FROM events WHERE metadata_product_name = 'crmwatch' AND NOT (api_operation = 'command.run' AND resources_name = 'query') GROUP BY act ORDER BY act`)
	want := []string{
		"alert.acknowledge|" + me + "|alert|" + alert + "|1|cli",
		"alert.acknowledge|" + me + "|alert|" + alert + "|2|cli",
		"alert.false_positive|" + me + "|alert|" + alert + "|1|cli",
		"command.run|" + me + "|command|alerts list|1|cli",
		"configuration.change|" + me + "|configuration|" + config + "|1|signal",
		"configuration.load|" + me + "|configuration|" + config + "|1|cli",
		"crmwatch.start|" + me + "|program|crmwatch run|1|cli",
		"crmwatch.stop|" + me + "|program|crmwatch run|1|cli",
		"exception.add|" + me + "|exception|all is fine|1|signal",
		"login.refuse|crmwatch|service|engine|2|engine",
		"notifier.add|" + me + "|notifier|archive|1|signal",
		"rule.disable|" + me + "|rule|brute-force|1|signal",
		"rule.enable|" + me + "|rule|credential-several-places|1|signal",
		"rule.enable|" + me + "|rule|monitor-weakened|1|signal",
		"silence.add|" + me + "|silence|" + silence + "|1|cli",
		"silence.expire|" + me + "|silence|" + silence + "|1|cli",
		"statement.refuse|reader|service|engine|2|engine",
	}
	for n := range want {
		want[n] = `"` + want[n] + `",1`
	}
	if diff := cmp.Diff(want, strings.Split(got, "\n")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	const when = "SELECT countIf(time < now() - INTERVAL 10 MINUTE OR time > now()) FROM events WHERE metadata_product_name = 'crmwatch'"
	if n := i.query(when); n != "0" {
		t.Errorf("%s events have another time", n)
	}
	said := i.query("SELECT message FROM findings FINAL WHERE rule = 'monitor-weakened'")
	for _, part := range []string{"disabled the rule brute-force", "made an exception for all rules (all is fine)", "raised the severity that people are told of from low to medium", "muted rule=traffic-drop for 96 hours"} {
		if !strings.Contains(said, part) {
			t.Errorf("the finding does not say %q: %s", part, said)
		}
	}
	for _, sql := range []string{"SELECT * FROM events", "SELECT * FROM known_settings"} {
		if text := i.query(sql); strings.Contains(text, secret) || strings.HasPrefix(text, "error:") {
			t.Errorf("%s: a secret is stored, or %s", sql, shorten(text, 300))
		}
	}
}

func TestStatementsAreRecordedWithoutTexts(t *testing.T) {
	for sql, want := range map[string]string{
		"SELECT 1": "SELECT 1",
		"SELECT  *\nFROM events WHERE a = 'it''s' AND b":  "SELECT * FROM events WHERE a = ? AND b",
		`SELECT 'a\'b', "name", ` + "`other`":             `SELECT ?, "name", ` + "`other`",
		"SELECT $$it's$$, $tag$x $$ y$tag$, a.$b":         "SELECT ?, ?, a.$b",
		"SELECT 'never ends":                              "SELECT ?",
		"SELECT $$never ends":                             "SELECT ?",
		`SELECT 'ends in a backslash\`:                    "SELECT ?",
		"SELECT '' AS empty, x":                           "SELECT ? AS empty, x",
		"SELECT * FROM url('https://a:b@c.example', CSV)": "SELECT * FROM url(?, CSV)",
	} {
		if got := withoutLiterals(sql); got != want {
			t.Errorf("%s: %q, want %q", sql, got, want)
		}
	}
}

func TestWhichCommandsAreRecorded(t *testing.T) {
	for usage, want := range map[string]string{
		"query <sql>": "query", "alerts show <alert>": "alerts show", "scan <path>": "scan", "rules coverage": "rules coverage",
		"alerts ack <alert>": "", "silences add": "", "subject erase <subject>": "", "run": "", "collector run": "", "bench": "",
	} {
		i, _ := withInvocation(context.Background(), usage, nil).Value(invocationKey{}).(invocation)
		if got := i.isRecorded(); got != (want != "") || got && i.command != want {
			t.Errorf("%s: recorded %t as %q, want %q", usage, got, i.command, want)
		}
	}
}

func TestHandshakesThatAreRefusals(t *testing.T) {
	for line, want := range map[string]string{
		"http: TLS handshake error from 203.0.113.7:5123: tls: client didn't provide a certificate":                            "login.refuse 203.0.113.7 unknown agent",
		"http: TLS handshake error from [2001:db8::7]:5123: the client's certificate is revoked\n":                             "login.refuse 2001:db8::7 unknown agent",
		"http: TLS handshake error from 203.0.113.7:5123: remote error: tls: bad certificate":                                  "connection.refuse 203.0.113.7 ",
		"http: TLS handshake error from 203.0.113.7:5123: tls: client offered only unsupported versions: [302 301]":            "connection.refuse 203.0.113.7 ",
		"http: TLS handshake error from 203.0.113.7:5123: EOF":                                                                 "",
		"http: TLS handshake error from 203.0.113.7:5123: read tcp 127.0.0.1:8443->203.0.113.7:5123: connection reset by peer": "",
		"http: something else": "",
	} {
		got := ""
		if r, ok := handshakeRefusal(line); ok {
			got = r.Action + " " + r.Address + " " + r.Name
		}
		if got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}
