package main

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/crmwatch/crmwatch/alerting/fakeslack"
	"github.com/crmwatch/crmwatch/alerting/interaction"
	"github.com/crmwatch/crmwatch/engine"
	"github.com/goccy/go-yaml"
)

// Mistakes in what lets people do something in Slack are named with their place.
func TestSlackInteractivityIsChecked(t *testing.T) {
	cases := map[string]struct{ slack, want string }{
		"socket mode":     {"{token_file: t, channel: C0123456789, app_token_file: a, allowed_users: [U0123ABCD]}", ""},
		"requests":        {"{token_file: t, channel: C0123456789, signing_secret_file: s, listen: \"127.0.0.1:8088\", allowed_groups: [S0123ABCD]}", ""},
		"neither":         {"{token_file: t, channel: C0123456789, allowed_users: [U0123ABCD]}", ":4:61: nothing comes from Slack"},
		"both":            {"{token_file: t, channel: C0123456789, app_token_file: a, signing_secret_file: s, listen: \"127.0.0.1:8088\", allowed_users: [U0123ABCD]}", "keep one"},
		"no bot token":    {"{app_token_file: a, allowed_users: [U0123ABCD]}", "slack.token_file is missing"},
		"nobody":          {"{token_file: t, channel: C0123456789, app_token_file: a}", "nobody may press the buttons"},
		"a name":          {"{token_file: t, channel: C0123456789, app_token_file: a, allowed_users: [U0123ABCD, mira]}", ":4:92: \"mira\" is not the id of a person"},
		"a handle":        {"{token_file: t, channel: C0123456789, app_token_file: a, allowed_groups: [\"@soc\"]}", "\"@soc\" is not the id of a user group"},
		"a mention":       {"{token_file: t, channel: C0123456789, app_token_file: a, allowed_users: [\"U0123ABCD> <!channel\"]}", "is not the id of a person"},
		"no port":         {"{token_file: t, channel: C0123456789, signing_secret_file: s, allowed_users: [U0123ABCD]}", "slack.listen is missing"},
		"no secret":       {"{token_file: t, channel: C0123456789, listen: \"127.0.0.1:8088\"}", "slack.signing_secret_file is missing"},
		"a useless port":  {"{token_file: t, channel: C0123456789, app_token_file: a, listen: \"127.0.0.1:8088\", allowed_users: [U0123ABCD]}", "not needed with Socket Mode"},
		"an open port":    {"{token_file: t, channel: C0123456789, signing_secret_file: s, listen: \"0.0.0.0:8088\", allowed_users: [U0123ABCD]}", "loopback only"},
		"a port with URL": {"{token_file: t, channel: C0123456789, signing_secret_file: s, listen: \"http://127.0.0.1\", allowed_users: [U0123ABCD]}", "write host:port"},
	}
	for name, c := range cases {
		path := filepath.Join(t.TempDir(), "crmwatch.yaml")
		text := "data: ./data\nsources:\n  - {name: kong, paths: [\"./kong.log\"]}\nslack: " + c.slack + "\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := loadConfig(path)
		if (c.want == "") != (err == nil) || err != nil && (!strings.Contains(err.Error(), c.want) || strings.Count(err.Error(), "\n") > 0 || !strings.Contains(err.Error(), ":4:")) {
			t.Errorf("%s: want %q, got %v", name, c.want, err)
		}
	}
}

// The parts of docs/slack.md are what people copy.
func TestTheDocumentedSlackConfigurationIsInOrder(t *testing.T) {
	text, err := os.ReadFile("../../docs/slack.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) != 3 {
		t.Fatalf("docs/slack.md has %d YAML blocks", len(blocks))
	}
	var manifest struct {
		OAuth struct {
			Scopes struct{ Bot []string }
		} `yaml:"oauth_config"`
	}
	if err := yaml.Unmarshal([]byte(blocks[0][1]), &manifest); err != nil || len(manifest.OAuth.Scopes.Bot) != 7 {
		t.Errorf("manifest: %v, scopes %v", err, manifest.OAuth.Scopes.Bot)
	}
	for _, block := range blocks[1:] {
		path := filepath.Join(t.TempDir(), "crmwatch.yaml")
		if err := os.WriteFile(path, []byte("data: ./data\nsources:\n  - {name: kong, paths: [\"./kong.log\"]}\n"+block[1]), 0o600); err != nil {
			t.Fatal(err)
		}
		if cfg, err := loadConfig(path); err != nil || !cfg.Slack.interactive() {
			t.Errorf("%v\n%s", err, block[1])
		}
	}
}

// alertShown is the status that the first message in the channel shows, or all of it.
func alertShown(slack *fakeslack.Server) string {
	text := slack.Messages(fakeslack.DefaultChannel.ID)[0].Render()
	for _, status := range []string{"acknowledged", "resolved", "open"} {
		if strings.Contains(text, "· "+status) {
			return status
		}
	}
	return text
}

// A button in the message of a running crmwatch changes the alert, by either way, and
// only for those who may.
func TestButtonsOfARunningCrmwatch(t *testing.T) {
	t.Parallel()
	slack := fakeslack.New(fakeslack.Options{SigningSecret: "0123456789abcdef0123456789abcdef"})
	server := httptest.NewServer(slack)
	defer server.Close()
	i := newInstance(t, server.URL+"/api/", fakeslack.DefaultChannel.ID)
	i.write("slack-app.token", "xapp-1-invented\n")
	i.write("slack.secret", "0123456789abcdef0123456789abcdef\n")
	base, err := os.ReadFile(filepath.Join(i.dir, "crmwatch.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	configure := func(way string) {
		i.write("crmwatch.yaml", strings.Replace(string(base), "slack: {", "slack: {allowed_users: [U0MIRA00001], "+way+", ", 1))
	}
	configure("app_token_file: ./slack-app.token")
	i.start()
	i.write("drop/Login.csv", guessedPasswords())
	i.eventually("message", "jdoe@acme.example", func() string { return headlines(slack) })
	message := func() fakeslack.Message { return slack.Messages(fakeslack.DefaultChannel.ID)[0] }
	shown := func() string { return alertShown(slack) }
	press := func(action, user string) {
		t.Helper()
		i.eventually("press "+action, "", func() string {
			if err := slack.Press(message().TS, "crmwatch_"+action, user); err != nil {
				return err.Error()
			}
			return ""
		})
	}
	press("acknowledge", "U0OTTO00001")
	press("acknowledge", "U0MIRA00001")
	i.eventually("message after the button", "acknowledged", shown)
	i.eventually("what is recorded", `"","Mira Novak (U0MIRA00001)"`+"\n"+`"you are not among those who may","Otto Berg (U0OTTO00001)"`, func() string {
		return i.query("SELECT refused, actor FROM alert_transitions FINAL WHERE action = 'acknowledge' ORDER BY refused")
	})
	told := func(user, want string) func() string {
		return func() string {
			var all string
			for _, m := range slack.Ephemerals(user) {
				all += m.Render()
			}
			if strings.Contains(all, want) {
				return want
			}
			return all
		}
	}
	i.eventually("what Otto is told", "not among those who may", told("U0OTTO00001", "not among those who may"))
	press("evidence", "U0MIRA00001")
	i.eventually("evidence", "203.0.113.77", told("U0MIRA00001", "203.0.113.77"))
	command := func(text string) {
		t.Helper()
		if err := slack.Command("/crmwatch", text, fakeslack.DefaultChannel.ID, "U0MIRA00001"); err != nil {
			t.Fatalf("/crmwatch %s: %v", text, err)
		}
	}
	command("status")
	i.eventually("status", "Acknowledged: 1", told("U0MIRA00001", "Acknowledged: 1"))
	command("show jdoe")
	i.eventually("story", "What happened (UTC)", told("U0MIRA00001", "What happened (UTC)"))
	if dir := os.Getenv("CRMWATCH_SHOW_SLACK"); dir != "" {
		text := message().Render()
		for _, m := range slack.Ephemerals("") {
			text += "---- to " + m.User + "\n" + m.Render()
		}
		if err := os.WriteFile(filepath.Join(dir, "slack.txt"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	i.stop()
	// By requests that Slack signs.
	configure("signing_secret_file: ./slack.secret, listen: \"127.0.0.1:0\"")
	i.start()
	address := ""
	i.eventually("port", "open", func() string {
		if _, after, ok := strings.Cut(i.log.String(), "slack's requests are taken\" address="); ok {
			address, _, _ = strings.Cut(after, " ")
			return "open"
		}
		return "closed"
	})
	slack.SetInteractivity("http://"+address+interaction.InteractivePath, "http://"+address+interaction.CommandPath)
	press("resolve", "U0MIRA00001")
	i.eventually("message after the button", "resolved", shown)
	press("reopen", "U0MIRA00001")
	i.eventually("message after the button", "open", shown)
	if err := slack.Command("/crmwatch", "silence rule=traffic-drop 2h the ERP is moved", fakeslack.DefaultChannel.ID, "U0OTTO00001"); err != nil {
		t.Fatal(err)
	}
	command("silence rule=traffic-drop 2h the ERP is moved")
	i.eventually("silence", "1", func() string { return i.query("SELECT count() FROM silences FINAL") })
	// What was done and seen is in the audit, each once, by name.
	mira, otto := "Mira Novak (U0MIRA00001)", "Otto Berg (U0OTTO00001)"
	var want []string
	for _, act := range []string{
		"alert.acknowledge|" + mira + "|1", "alert.acknowledge|" + otto + "|2", "alert.reopen|" + mira + "|1", "alert.resolve|" + mira + "|1", "alert.show|" + mira + "|1",
		"command.refuse|" + otto + "|2", "command.run|" + mira + "|1", "command.run|" + mira + "|1", "silence.add|" + mira + "|1",
	} {
		want = append(want, `"`+act+`"`)
	}
	i.eventually("audit", strings.Join(want, "\n"), func() string {
		return i.query(`SELECT concat(api_operation, '|', actor_user_name, '|', toString(status_id)) AS act FROM events FINAL
WHERE metadata_product_name = 'crmwatch' AND unmapped['via'] = 'slack' ORDER BY act`)
	})
	i.stop()
	if strings.Contains(i.log.String(), "0123456789abcdef") || strings.Contains(i.log.String(), "xapp-1") {
		t.Errorf("the log holds a secret:\n%s", i.log)
	}
}

// Slack tells one of the connected instances of a press, which need not be the one that
// leads: it is done all the same.
func TestButtonsOfTwoInstances(t *testing.T) {
	t.Parallel()
	slack := fakeslack.New(fakeslack.Options{})
	web := httptest.NewServer(slack)
	defer web.Close()
	first := newInstance(t, web.URL+"/api/", fakeslack.DefaultChannel.ID)
	second := newInstance(t, web.URL+"/api/", fakeslack.DefaultChannel.ID)
	data := filepath.Join(first.dir, "server")
	database := first.command(context.Background(), "engine", "--data", data, "--listen", "127.0.0.1:0")
	if err := database.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = database.Process.Signal(os.Interrupt)
		_ = database.Wait()
	}()
	var dsn string
	first.eventually("the database", "there", func() string {
		e, err := engine.ReadEndpoint(context.Background(), data)
		if err != nil {
			return err.Error()
		}
		dsn = strings.Replace(strings.TrimSuffix(e.URL, "/"), "://", "://"+e.Admin.User+":"+e.Admin.Password+"@", 1) + "/default\n"
		return "there"
	})
	for _, i := range []*instance{first, second} {
		text, err := os.ReadFile(filepath.Join(i.dir, "crmwatch.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		i.write("dsn", dsn)
		i.write("app.token", "xapp-1-invented\n")
		changed := strings.Replace(string(text), `store: {listen: "127.0.0.1:0"}`, "store: {dsn_file: ./dsn}", 1)
		i.write("crmwatch.yaml", strings.Replace(changed, "slack: {", "slack: {allowed_users: [U0MIRA00001], app_token_file: ./app.token, ", 1))
		i.start()
		i.eventually("the connection", "true", func() string {
			return strconv.FormatBool(strings.Contains(i.log.String(), "connected by Socket Mode"))
		})
	}
	first.write("drop/Login.csv", guessedPasswords())
	first.eventually("message", "jdoe@acme.example", func() string { return headlines(slack) })
	ts := slack.Messages(fakeslack.DefaultChannel.ID)[0].TS
	// The connections have their turns, so one of each pair comes to each instance.
	for _, step := range [][2]string{{"acknowledge", "acknowledged"}, {"resolve", "resolved"}} {
		if err := slack.Press(ts, "crmwatch_"+step[0], "U0MIRA00001"); err != nil {
			t.Fatal(err)
		}
		first.eventually(step[0], step[1], func() string { return alertShown(slack) })
	}
	leads := func(i *instance) bool { return strings.Contains(i.log.String(), "this instance leads") }
	if told := slack.Ephemerals(""); len(told) > 0 || leads(first) == leads(second) {
		t.Errorf("%d answers; first leads: %v, second leads: %v", len(told), leads(first), leads(second))
	}
	first.stop()
	second.stop()
}
