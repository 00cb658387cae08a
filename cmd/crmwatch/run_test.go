package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting/fakeslack"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/engine"
)

// patience bounds every wait of these tests; they go on as soon as they can, which on a
// machine that does much else takes ten times as long as on an idle one.
const patience = 4 * time.Minute

// ofLogs is true of what logs told, and not of what is done with crmwatch itself.
const ofLogs = "metadata_product_name != 'crmwatch'"

// instance is `crmwatch run` as a process of its own.
type instance struct {
	t       *testing.T
	program string
	dir     string
	cmd     *exec.Cmd
	log     *logBuffer
}

// logBuffer takes what a process writes, and can be read meanwhile.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// storyRules find what these tests' logs tell: the guessed password and the key in two
// places. The other built-in rules would take most of the tests' time, waking at every
// arrival; the whole pack runs where a test asks for it with allRules.
var storyRules = []string{"brute-force", "credential-several-places"}

// rulesBut lists the built-in rules other than those named, as rules.disabled takes them.
func rulesBut(t *testing.T, kept ...string) string {
	t.Helper()
	rules, err := detectors.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, rule := range rules {
		if !slices.Contains(kept, rule.ID) {
			ids = append(ids, rule.ID)
		}
	}
	return strings.Join(ids, ", ")
}

// allRules lets the instance run the whole pack.
func (i *instance) allRules() {
	i.t.Helper()
	path := filepath.Join(i.dir, "crmwatch.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		i.t.Fatal(err)
	}
	i.write("crmwatch.yaml", strings.Replace(string(text), "disabled: ["+rulesBut(i.t, storyRules...)+"]", "disabled: []", 1))
}

// newInstance prepares a folder with a configuration; slack is the API's address.
func newInstance(t *testing.T, slack, channel string) *instance {
	t.Helper()
	i := &instance{t: t, dir: t.TempDir()}
	i.write("slack.token", "xoxb-123456789012-abcdefghijkl\n")
	i.write("crmwatch.yaml", `
data: ./data
store: {listen: "127.0.0.1:0"}
reading: {poll: 50ms, settle: 200ms, rotate_wait: 1s}
sources:
  - {name: salesforce, kind: export, paths: ["./drop/*.csv"]}
  - {name: kong, kind: follow, format: kong, tenant: acme, paths: ["./kong.log", "./kong.log.*"]}
rules: {settle: 0s, schedule: "@every 1s", disabled: [`+rulesBut(t, storyRules...)+`]}
slack: {token_file: ./slack.token, channel: `+channel+`, api_url: "`+slack+`"}
`)
	if err := os.Mkdir(filepath.Join(i.dir, "drop"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(i.kill)
	return i
}

// command is a command line of the program as a process of its own.
func (i *instance) command(ctx context.Context, args ...string) *exec.Cmd {
	i.t.Helper()
	if i.program == "" {
		i.program = i.copyProgram()
	}
	library, err := engine.FindLibrary()
	if err != nil {
		i.t.Fatalf("the tests need the engine (run make engine): %v", err)
	}
	cmd := exec.CommandContext(ctx, i.program, args...)
	cmd.Env = append(os.Environ(), "CRMWATCH_LIBCHDB="+library)
	return cmd
}

// copyProgram gives the test binary the program's name, by which it knows what it is.
func (i *instance) copyProgram() string {
	i.t.Helper()
	self, err := os.Executable()
	if err != nil {
		i.t.Fatal(err)
	}
	path := filepath.Join(i.dir, "crmwatch")
	if os.Link(self, path) == nil {
		return path
	}
	text, err := os.ReadFile(self)
	if err != nil {
		i.t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o700); err != nil {
		i.t.Fatal(err)
	}
	return path
}

func (i *instance) write(name, text string) {
	i.t.Helper()
	if err := os.WriteFile(filepath.Join(i.dir, name), []byte(text), 0o600); err != nil {
		i.t.Fatal(err)
	}
}

func (i *instance) start() {
	i.t.Helper()
	i.log = &logBuffer{}
	i.cmd = i.command(context.Background(), "run", "--config", filepath.Join(i.dir, "crmwatch.yaml"))
	i.cmd.Stdout, i.cmd.Stderr = i.log, i.log
	if err := i.cmd.Start(); err != nil {
		i.t.Fatal(err)
	}
}

// kill is kill -9.
func (i *instance) kill() {
	if i.cmd != nil && i.cmd.Process != nil {
		_ = i.cmd.Process.Kill()
		_ = i.cmd.Wait()
		i.cmd = nil
	}
}

func (i *instance) signal(s os.Signal) {
	i.t.Helper()
	if err := i.cmd.Process.Signal(s); err != nil {
		i.t.Fatal(err)
	}
}

// stop asks for a clean stop and wants the exit code 0.
func (i *instance) stop() {
	i.t.Helper()
	if err := i.cmd.Process.Signal(os.Interrupt); err != nil {
		i.t.Fatal(err)
	}
	if err := i.cmd.Wait(); err != nil {
		i.t.Errorf("a clean stop ended with %v\n%s", err, i.log)
	}
	i.cmd = nil
}

// query asks the data directory as `crmwatch query` does. While the instance runs, it is
// asked from here: a process for each question of those that are repeated until the answer
// is the right one would take more time than what they wait for.
func (i *instance) query(sql string) string {
	if i.cmd == nil {
		return i.queryCommand(sql)
	}
	endpoint, err := engine.ReadEndpoint(i.t.Context(), filepath.Join(i.dir, "data"))
	if err != nil {
		return "error: " + err.Error()
	}
	var out bytes.Buffer
	reader := endpoint.Reader
	q := queryCommand{Format: "csv"}
	if err := q.post(i.t.Context(), terminal{&out, &out}, endpoint.HTTPClient(), endpoint.URL, reader.User, reader.Password, sql); err != nil {
		return "error: " + err.Error()
	}
	_, answer, _ := strings.Cut(strings.TrimSpace(out.String()), "\n")
	return answer
}

// queryCommand is `crmwatch query` as a process of its own.
func (i *instance) queryCommand(sql string) string {
	out, err := i.command(context.Background(), "query", "--data", filepath.Join(i.dir, "data"), "--format", "csv", sql).CombinedOutput()
	if err != nil {
		return "error: " + string(out)
	}
	_, answer, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return answer
}

// eventually waits for an answer.
func (i *instance) eventually(what string, want string, got func() string) {
	i.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		last := got()
		if last == want {
			return
		}
		if time.Now().After(deadline) {
			i.t.Fatalf("%s: got %q, want %q\nlog:\n%s", what, last, want, i.log)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// kongLine is one call with one key, from one of two places that cannot be one.
func kongLine(n int) string {
	ip, agent := "198.51.100.7", "erp-sync/4.1"
	if n%2 == 1 {
		ip, agent = "203.0.113.9", "curl/8.5.0"
	}
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Second)
	return fmt.Sprintf(`{"started_at":%d,"client_ip":"%s","request":{"id":"k%06d","method":"GET","uri":"/crm/contacts","headers":{"user-agent":"%s"},"size":412},"response":{"status":200,"size":18432,"headers":{}},"latencies":{"kong":3,"proxy":81,"request":85},"authenticated_entity":{"id":"0d6f"},"consumer":{"id":"77aa","username":"crm-sync"},"service":{"name":"crm"},"source":"upstream"}`+"\n",
		at.UnixMilli(), ip, n, agent)
}

func (i *instance) appendKong(from, to int) {
	i.t.Helper()
	f, err := os.OpenFile(filepath.Join(i.dir, "kong.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		i.t.Fatal(err)
	}
	for n := from; n < to; n++ {
		if _, err := f.WriteString(kongLine(n)); err != nil {
			i.t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		i.t.Fatal(err)
	}
}

func (i *instance) rotateKong(to string) {
	i.t.Helper()
	if err := os.Rename(filepath.Join(i.dir, "kong.log"), filepath.Join(i.dir, to)); err != nil {
		i.t.Fatal(err)
	}
}

// guessedPasswords is an export in which a password is guessed.
func guessedPasswords() string {
	var b strings.Builder
	b.WriteString("EVENT_TYPE,TIMESTAMP,REQUEST_ID,ORGANIZATION_ID,USER_ID,USER_NAME,TIMESTAMP_DERIVED,USER_ID_DERIVED,LOGIN_STATUS,SOURCE_IP\n")
	for n := range 20 {
		status := "LOGIN_ERROR_INVALID_PASSWORD"
		if n == 19 {
			status = "LOGIN_NO_ERROR"
		}
		fmt.Fprintf(&b, "Login,202603020900%02d.000,r%d,00D7x0000004Abc,0057x000001QwEr,jdoe@acme.example,2026-03-02T09:00:%02d.000Z,0057x000001QwErAAK,%s,203.0.113.77\n", n, n, n, status)
	}
	return b.String()
}

// headlines lists the messages in the channel by what they are about.
func headlines(server *fakeslack.Server) string {
	var found []string
	for _, m := range server.Messages(fakeslack.DefaultChannel.ID) {
		text := m.Render()
		for _, who := range []string{"jdoe@acme.example", "crm-sync"} {
			if strings.Contains(text, who) {
				found = append(found, who)
			}
		}
	}
	return strings.Join(found, " ")
}

// A file dropped into a watched folder and lines appended to a followed log, across
// a rotation and a kill -9, become alerts, each in one message, and every event is
// stored once.
func TestRunLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	slack := fakeslack.New(fakeslack.Options{})
	server := httptest.NewServer(slack)
	defer server.Close()
	i := newInstance(t, server.URL+"/api/", fakeslack.DefaultChannel.ID)

	i.start()
	i.write("drop/Login.csv", guessedPasswords())
	i.eventually("alert for the dropped file", "jdoe@acme.example", func() string { return headlines(slack) })

	i.appendKong(0, 200)
	i.rotateKong("kong.log.1")
	i.appendKong(200, 400)
	i.eventually("alert for the followed log", "jdoe@acme.example crm-sync", func() string { return headlines(slack) })

	// Killed while lines arrive, with a rotation in between.
	i.appendKong(400, 2000)
	i.kill()
	i.appendKong(2000, 2500)
	i.rotateKong("kong.log.2")
	i.appendKong(2500, 3000)
	i.start()
	i.appendKong(3000, 3200)
	const lines = 3200
	i.eventually("events of the followed log", fmt.Sprintf("%d,%d", lines, lines), func() string {
		return i.query("SELECT count(), uniqExact(time) FROM events WHERE metadata_product_name = 'Kong Gateway'")
	})
	i.eventually("events of the export", "20", func() string {
		return i.query("SELECT count() FROM events WHERE metadata_product_name = 'Salesforce'")
	})
	if got, want := headlines(slack), "jdoe@acme.example crm-sync"; got != want {
		t.Errorf("messages in the channel: %q, want %q", got, want)
		for _, m := range slack.Messages(fakeslack.DefaultChannel.ID) {
			t.Log(m.Render())
		}
	}
	i.stop()

	// A restart with nothing new changes nothing.
	i.start()
	i.eventually("events after a restart", fmt.Sprint(lines+20), func() string { return i.query("SELECT count() FROM events WHERE " + ofLogs) })
	i.stop()
	if got, want := headlines(slack), "jdoe@acme.example crm-sync"; got != want {
		t.Errorf("messages after a restart: %q, want %q", got, want)
	}
	if log := i.log.String(); strings.Contains(log, "xoxb-1234") {
		t.Error("the log holds the Slack token")
	}
}

// A second crmwatch on the same data would read everything a second time.
func TestRunRefusesADataDirectoryInUse(t *testing.T) {
	t.Parallel()
	slack := httptest.NewServer(fakeslack.New(fakeslack.Options{}))
	defer slack.Close()
	i := newInstance(t, slack.URL+"/api/", fakeslack.DefaultChannel.ID)
	i.start()
	i.eventually("the first instance", "1", func() string { return i.queryCommand("SELECT 1") })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := i.command(ctx, "run", "--config", filepath.Join(i.dir, "crmwatch.yaml")).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "already runs") {
		t.Errorf("a second run ended with %v and said %q", err, out)
	}
	i.stop()
}

// Killed after Slack has taken a message and before its answer has arrived, the
// next process looks the message up. It cannot look into a channel that it knows by
// name alone, so there it posts once more, and says so.
func TestRunKilledBeforeSlackAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		channel string
		repeats int
	}{{fakeslack.DefaultChannel.ID, 0}, {fakeslack.DefaultChannel.Name, 1}} {
		t.Run(c.channel, func(t *testing.T) {
			t.Parallel()
			stored, killed := make(chan struct{}), make(chan struct{})
			var once sync.Once
			slack := fakeslack.New(fakeslack.Options{OnMessage: func(fakeslack.Message) {
				once.Do(func() {
					close(stored)
					<-killed
				})
			}})
			server := httptest.NewServer(slack)
			defer server.Close()
			i := newInstance(t, server.URL+"/api/", c.channel)
			if c.repeats == 0 {
				i.allRules()
			}
			i.start()
			i.write("drop/Login.csv", guessedPasswords())
			select {
			case <-stored:
			case <-time.After(patience):
				close(killed)
				t.Fatalf("no message arrived\nlog:\n%s", i.log)
			}
			i.kill()
			close(killed)
			i.start()
			i.eventually("state of the message", `"sent"`, func() string { return i.query("SELECT state FROM notifications") })
			i.stop()
			messages := slack.Messages(fakeslack.DefaultChannel.ID)
			if len(messages) != 1+c.repeats {
				t.Fatalf("%d messages are in the channel, want %d", len(messages), 1+c.repeats)
			}
			for _, m := range messages[1:] {
				if !strings.Contains(m.Render(), "(repeat: ") {
					t.Errorf("the second message does not say that it is a repeat:\n%s", m.Render())
				}
			}
		})
	}
}
