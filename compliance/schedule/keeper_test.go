package schedule

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"html"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/alerting/fakeslack"
	"github.com/crmwatch/crmwatch/compliance"
	"github.com/crmwatch/crmwatch/compliance/chain"
)

func at(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		panic(err)
	}
	return t
}

// Weeks pass, and processes are killed at every step there is, before or after it is
// carried out, and start again at random moments: every period has its summary, its
// files, its entry and its message, once.
func TestNoPeriodIsMissingAndNoneIsTwice(t *testing.T) {
	o := openOffice(t, at("2020-12-26 05:00"),
		Schedule{Kind: compliance.Daily, Tenants: []string{"acme"}, Formats: []string{"html", "json"}, Notify: []string{"slack"}},
		Schedule{Kind: compliance.Weekly, Tenants: []string{"acme"}, Formats: []string{"md"}, Notify: []string{"slack"}},
		Schedule{Kind: compliance.Monthly, Tenants: []string{"acme"}})
	random := rand.New(rand.NewPCG(3, 5))
	end, deaths := at("2021-01-06 07:00"), 0
	for life := 1; o.now.Before(end) && life < 2000; life++ {
		// Lives are of every length up to what a summary takes.
		p := o.start(1+life*5%29, random.IntN(2) == 0, nil)
		for !p.dead && o.now.Before(end) {
			o.live(p)
			o.now = o.now.Add(time.Duration(random.IntN(900)) * time.Minute)
		}
		if p.dead {
			deaths++
		}
		if random.IntN(8) == 0 {
			o.now = o.now.Add(time.Duration(random.IntN(60)) * time.Hour)
		}
	}
	o.now = o.now.Add(time.Hour)
	o.live(o.start(0, false, nil))
	o.live(o.start(0, false, nil))

	var want []string
	for day := at("2020-12-25 00:00"); !day.AddDate(0, 0, 1).Add(6 * time.Hour).After(o.now); day = day.AddDate(0, 0, 1) {
		want = append(want, "acme "+day.Format(time.DateOnly)+" 1")
	}
	days := len(want)
	want = append(want, "acme 2020-11 1", "acme 2020-12 1", "acme 2020-W51 1", "acme 2020-W52 1", "acme 2020-W53 1")
	if !at("2021-01-11 06:00").After(o.now) {
		t.Fatal("the test ran on into another week")
	}
	slices.Sort(want)
	made := o.made()
	if slices.Sort(made); !slices.Equal(made, want) {
		t.Errorf("made are\n%s\nwant\n%s", strings.Join(made, "\n"), strings.Join(want, "\n"))
	}
	r := o.intact()
	if r.Summaries != len(want) || r.Waiting > 0 {
		t.Errorf("the chain covers %d summaries, %d wait", r.Summaries, r.Waiting)
	}
	titles, labelled := o.messages()
	if told := len(want) - 2; len(titles)-len(twice(titles)) != told || len(twice(titles)) > labelled {
		t.Errorf("%d messages of %d summaries, %d labelled, twice: %v", len(titles), told, labelled, twice(titles))
	}
	shown := 0
	for _, f := range o.server.Files() {
		if f.Shared > 1 {
			t.Errorf("the file %s is shown %d times", f.Name, f.Shared)
		}
		shown += f.Shared
	}
	if shown != len(want)-2 {
		t.Errorf("%d files are shown", shown)
	}
	if files, _ := os.ReadDir(o.dir); len(files) != 2*days+3 {
		t.Errorf("%d files in the folder", len(files))
	}
	if deaths < 15 {
		t.Errorf("only %d processes were killed", deaths)
	}
	t.Logf("%d processes were killed; %d summaries, %d entries, %d messages, %d labelled", deaths, len(made), r.Entries, len(titles), labelled)
}

// A stop that is too long: the latest are made, and what is not is named.
func TestCatchUpIsBounded(t *testing.T) {
	o := openOffice(t, at("2026-03-02 07:00"), Schedule{Kind: compliance.Daily, Tenants: []string{"acme"}})
	o.catchUp = 3
	o.live(o.start(0, false, nil))
	o.now = at("2026-03-20 05:59") // the summary of the 18th was due, that of the 19th is not
	o.live(o.start(0, false, nil))
	want := []string{"acme 2026-03-01 1", "acme 2026-03-16 1", "acme 2026-03-17 1", "acme 2026-03-18 1"}
	if made := o.made(); !slices.Equal(made, want) {
		t.Errorf("made are %v", made)
	}
	o.now = at("2026-03-20 06:00")
	o.live(o.start(0, false, nil))
	if made := o.made(); made[len(made)-1] != "acme 2026-03-19 1" || len(made) != 5 {
		t.Errorf("made are %v", made)
	}
	var skipped []string
	for _, e := range entries(t, o) {
		if e.Kind == chain.KindSkipped {
			skipped = append(skipped, e.Content)
		}
	}
	if len(skipped) != 1 || !strings.Contains(skipped[0], `"from":"2026-03-02T00:00:00Z","to":"2026-03-16T00:00:00Z","periods":14`) {
		t.Errorf("skipped: %v", skipped)
	}
	// Taken out of the configuration, and put in again later: nothing is caught up.
	schedules := o.schedules
	o.schedules = nil
	o.live(o.start(0, false, nil))
	o.now, o.schedules = at("2026-04-10 07:00"), schedules
	o.live(o.start(0, false, nil))
	if made := o.made(); made[len(made)-1] != "acme 2026-04-09 1" || len(made) != 6 {
		t.Errorf("made are %v", made)
	}
	o.intact()
}

func entries(t *testing.T, o *office) []chain.Entry {
	t.Helper()
	var out strings.Builder
	if err := chain.Export(t.Context(), o.store, &out); err != nil {
		t.Fatal(err)
	}
	list, err := chain.ReadExport(strings.NewReader(out.String()))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Of two instances one leads; the one that was frozen in the middle of anything writes
// and sends nothing any more.
func TestTwoInstances(t *testing.T) {
	o := openOffice(t, at("2026-03-02 05:00"), Schedule{Kind: compliance.Daily, Tenants: []string{"acme", "globex"}, Formats: []string{"html"}, Notify: []string{"slack"}})
	leads := 0
	lease := func(n int) func() error {
		return func() error {
			if n != leads {
				return errors.New("this instance does not lead")
			}
			return nil
		}
	}
	both := []*process{o.start(0, false, lease(0)), o.start(0, false, lease(1))}
	random := rand.New(rand.NewPCG(8, 1))
	for o.now.Before(at("2026-03-05 07:00")) {
		for i, p := range both {
			freezeAt := random.IntN(60)
			ops := 0
			p.hook = func() {
				// The other takes over while this one waits for its answer. What is under way
				// with the outside world cannot be called back, so that is left alone.
				if ops++; ops == freezeAt && leads == i {
					leads = 1 - i
					_ = o.start(0, false, lease(leads)).keeper.Step(t.Context())
				}
			}
			_ = p.keeper.Step(t.Context())
			p.hook = nil
			// Whoever leads again begins with what is stored.
			p.keeper = o.start(0, false, lease(i)).keeper
		}
		o.now = o.now.Add(7 * time.Hour)
	}
	o.live(o.start(0, false, nil))
	made := o.made()
	if len(made) != 2*4 || len(twice(made)) > 0 {
		t.Errorf("made are %v", made)
	}
	r := o.intact()
	titles, labelled := o.messages()
	if len(twice(titles)) > labelled || len(titles)-labelled > len(made) || len(titles) < len(made) {
		t.Errorf("%d messages of %d summaries, %d labelled, twice %v", len(titles), len(made), labelled, twice(titles))
	}
	t.Logf("%d messages, %d labelled; %d entries, remarks %v", len(titles), labelled, r.Entries, r.Remarks)
}

// What Slack shows: a few lines, of which no log text is more than text.
func TestMessage(t *testing.T) {
	o := openOffice(t, at("2026-03-02 07:00"), Schedule{Kind: compliance.Daily, Tenants: []string{"acme"}, Formats: []string{"html"}, Notify: []string{"slack"}})
	o.live(o.start(0, false, nil))
	messages := o.server.Messages("")
	if len(messages) != 1 {
		t.Fatalf("%d messages", len(messages))
	}
	m := messages[0]
	if live := m.Live(); len(live) > 0 {
		t.Errorf("log text became markup: %v", live)
	}
	head := o.intact().Head.String()
	for _, want := range []string{"1 March 2026, acme", "Failed logins: 12", "Events of the period: 0 (all came before its end)", "<!channel> *evil* &", `\u202e`,
		"Files: " + filepath.Join(o.dir, "crmwatch-acme-daily-2026-03-01.html") + " on soc-1", "Evidence chain: entry 2, " + head[:20], "The summary is in the thread"} {
		text := strings.Join(strings.Fields(m.Render()), " ")
		if !strings.Contains(text, want) {
			t.Errorf("the message does not say %q:\n%s", want, m.Render())
		}
	}
	replies := o.server.Replies(m)
	onDisk, err := os.ReadFile(filepath.Join(o.dir, "crmwatch-acme-daily-2026-03-01.html"))
	if err != nil {
		t.Fatal(err)
	}
	if files := o.server.Files(); len(replies) != 1 || len(replies[0].Files) != 1 || len(files) != 1 || string(files[0].Content) != string(onDisk) {
		t.Errorf("under the message are %d replies, of %d files", len(replies), len(o.server.Files()))
	}
	key := chain.WriteKey(o.key.Public().(ed25519.PublicKey))
	if page := html.UnescapeString(string(onDisk)); !strings.Contains(page, key) || !strings.Contains(page, "Evidence chain before this summary") {
		t.Error("the page does not show the chain and its key")
	}
}

// An app without files:write: the message comes, and says so and where the file is.
func TestWithoutTheScopeForFiles(t *testing.T) {
	o := openOffice(t, at("2026-03-02 07:00"), Schedule{Kind: compliance.Daily, Tenants: []string{"acme"}, Formats: []string{"html"}, Notify: []string{"slack"}})
	o.restartSlack(fakeslack.Options{WithoutScopes: []string{"files:write"}})
	o.live(o.start(0, false, nil))
	messages := o.server.Messages("")
	if len(messages) != 1 {
		t.Fatalf("%d messages", len(messages))
	}
	text := strings.Join(strings.Fields(messages[0].Render()), " ")
	for _, want := range []string{"No file is attached: missing_scope", "files:write", "Files: " + o.dir} {
		if !strings.Contains(text, want) {
			t.Errorf("the message does not say %q:\n%s", want, text)
		}
	}
}

// Whatever goes wrong with Slack, the message is there once, or a second one says that it
// is one, and the file is shown once.
func TestTroubleWithSlack(t *testing.T) {
	for _, c := range []struct {
		name, method string
		faults       []fakeslack.Fault
	}{
		{"rate limit", "chat.postMessage", []fakeslack.Fault{fakeslack.RateLimited(30 * time.Second), fakeslack.RateLimitedInBody()}},
		{"answer lost", "chat.postMessage", []fakeslack.Fault{fakeslack.AcceptThenDrop()}},
		{"answer lost, status", "chat.postMessage", []fakeslack.Fault{fakeslack.AcceptThenStatus(502)}},
		{"not posted, answer lost", "chat.postMessage", []fakeslack.Fault{fakeslack.Drop()}},
		{"down", "", []fakeslack.Fault{fakeslack.Status(503), fakeslack.Status(503), fakeslack.Status(503)}},
		{"file's answer lost", "files.completeUploadExternal", []fakeslack.Fault{fakeslack.AcceptThenDrop()}},
		{"file refused", "files.completeUploadExternal", []fakeslack.Fault{fakeslack.Error("file_not_found")}},
		{"upload lost", "upload", []fakeslack.Fault{fakeslack.Drop(), fakeslack.Status(500)}},
		{"upload answer lost", "upload", []fakeslack.Fault{fakeslack.AcceptThenDrop()}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := openOffice(t, at("2026-03-02 07:00"), Schedule{Kind: compliance.Daily, Tenants: []string{"acme"}, Notify: []string{"slack"}})
			o.server.Script(c.method, c.faults...)
			p := o.start(0, false, nil)
			for range 5 {
				o.live(p)
				o.now = o.now.Add(11 * time.Minute)
			}
			titles, labelled := o.messages()
			if len(titles) != 1 || labelled > 0 && c.name != "not posted, answer lost" {
				t.Errorf("%d messages, %d labelled", len(titles), labelled)
			}
			shown := 0
			for _, f := range o.server.Files() {
				shown += f.Shared
			}
			if shown != 1 {
				t.Errorf("the file is shown %d times", shown)
			}
			if calls := len(o.server.Calls("")); calls > 20 {
				t.Errorf("%d calls: a hot loop", calls)
			}
		})
	}
}

// Notifiers that take no file get the same once.
func TestOtherNotifiers(t *testing.T) {
	o := openOffice(t, at("2026-03-02 07:00"), Schedule{Kind: compliance.Daily, Tenants: []string{"acme"}, Notify: []string{"archive", "terminal"}})
	var console strings.Builder
	path := filepath.Join(t.TempDir(), "summaries.jsonl")
	o.others = []alerting.Announcer{alerting.NewFile("archive", path), alerting.NewConsole(&console, alerting.Style{}).Named("terminal")}
	o.live(o.start(0, false, nil))
	o.live(o.start(0, false, nil))
	lines, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head := o.intact().Head.String()
	if text := string(lines); strings.Count(text, "\n") != 1 || !strings.Contains(text, `"event":"summary.made"`) || !strings.Contains(text, head) {
		t.Errorf("the file has\n%s", text)
	}
	if text := console.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, head) {
		t.Errorf("the terminal has\n%s", text)
	}
}

func TestPeriodsOfTheCommandLine(t *testing.T) {
	now := at("2027-01-05 09:30")
	for text, want := range map[string]string{
		"daily": "2027-01-04", "weekly": "2026-W53", "monthly": "2026-12", "2026-11-26": "2026-11-26", "2026-W47": "2026-W47", "2026-W53": "2026-W53", "2027-W01": "2027-W01", "2026-11": "2026-11",
	} {
		p, err := ParsePeriod(text, now)
		if err != nil || Label(p) != want {
			t.Errorf("%s is %s, %v", text, Label(p), err)
		}
	}
	if p, _ := ParsePeriod("2026-W53", now); p.From != at("2026-12-28 00:00") || p.To != at("2027-01-04 00:00") {
		t.Errorf("2026-W53 is %v", p)
	}
	if p, _ := ParsePeriod("2027-W01", now); p.From != at("2027-01-04 00:00") {
		t.Errorf("2027-W01 is %v", p)
	}
	for text, want := range map[string]string{"2027-W53": "weeks 1 to 52", "2026-W00": "weeks 1 to 53", "yesterday": "use daily", "2026-13": "use daily", "2026-02-30": "use daily"} {
		if _, err := ParsePeriod(text, now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestFileNamesStayInTheirFolder(t *testing.T) {
	names := map[string]string{}
	for _, tenant := range []string{"", "all", "acme", "Acme", "ACME", "../../etc/passwd", "..", "a/b", "a_b", "a b", strings.Repeat("x", 300), "\x00", "é"} {
		s := chain.Summary{Tenant: tenant, Period: "daily", From: at("2026-03-01 00:00"), To: at("2026-03-02 00:00"), Version: 2}
		name := FileName(s, "html")
		if before, taken := names[name]; taken {
			t.Errorf("%q and %q have the same file %s", before, tenant, name)
		}
		names[name] = tenant
		if filepath.Base(name) != name || len(name) > 150 || strings.ContainsAny(name, "/\x00 ") || !strings.HasSuffix(name, "-daily-2026-03-01-v2.html") {
			t.Errorf("the file of %q is %q", tenant, name)
		}
	}
	if _, err := ParseAt("25:00"); err == nil {
		t.Error("25:00 is taken")
	}
	if _, err := ParseAt("TZ=Europe/Berlin 0 6 * * *"); err == nil || !strings.Contains(fmt.Sprint(err), "UTC") {
		t.Errorf("a time zone: %v", err)
	}
}
