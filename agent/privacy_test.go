package agent

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crmwatch/crmwatch/agent/redact"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/crmwatch/crmwatch/simulate/canary"
)

func testPrivacy() *redact.PrivacyOptions {
	return &redact.PrivacyOptions{Key: redact.NewPseudonymKey(testKey), Users: true, Addresses: true}
}

// leaving loads a folder and returns all that is handed on, as rows and as blocks.
func leaving(t *testing.T, o LoadOptions) (events, quarantined []map[string]string, blocks [][]byte) {
	t.Helper()
	o.Redactor, o.Source, o.Workers = testRedactor(), "scan", 1
	o.Ship = func(_ context.Context, s Sealed) error {
		more, err := decodeRows(s.Events)
		if err != nil {
			return err
		}
		rejected, err := decodeRows(s.Quarantine)
		events, quarantined = append(events, more...), append(quarantined, rejected...)
		blocks = append(blocks, bytes.ToLower(s.Events.Data), bytes.ToLower(s.Quarantine.Data))
		return err
	}
	report, err := Load(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return events, quarantined, append(blocks, bytes.ToLower(fmt.Append(nil, report)))
}

const peopleLog = `203.0.113.7 - Petra@acme.example [02/Mar/2026:08:00:00 +0000] "GET /users/petra%40acme.example?to=bob@acme.example HTTP/1.1" 200 512 "https://crm.acme.example/?as=petra@acme.example" "sync/1.0 (bob@acme.example)"
203.0.113.7 - petra@acme.example [02/Mar/2026:08:00:01 +0000] "GET /x HTTP/1.1" 200 512 "-" "sync/1.0"
203.0.113.7 - svc-sync@acme.example [02/Mar/2026:08:00:02 +0000] "GET /x HTTP/1.1" 200 512 "-" "sync/1.0"
rubbish of petra@acme.example
`

// wantNobody wants the people of peopleLog replaced, each by one pseudonym.
func wantNobody(t *testing.T, events, quarantined []map[string]string) {
	t.Helper()
	text := strings.ToLower(fmt.Sprint(events, quarantined))
	for _, name := range []string{"petra", "bob"} {
		if strings.Contains(text, name) {
			t.Errorf("%s is left in %s", name, text)
		}
	}
	petra := redact.NewPseudonymKey(testKey).Pseudonym("petra@acme.example", false)
	users := map[string]int{}
	for _, e := range events {
		users[e["actor_user_name"]]++
	}
	if users[petra] != 2 || users["svc-sync@acme.example"] != 1 || len(quarantined) != 1 || quarantined[0]["content"] != "rubbish of "+petra {
		t.Errorf("users are %v, quarantined %v", users, quarantined)
	}
}

func TestLoadReplacesPeople(t *testing.T) {
	dir := writeFiles(t, map[string]string{"access.log": peopleLog})
	privacy := testPrivacy()
	privacy.Except = []string{"svc-*"}
	events, quarantined, _ := leaving(t, LoadOptions{Paths: []string{dir}, Privacy: privacy})
	wantNobody(t, events, quarantined)
	again, _, _ := leaving(t, LoadOptions{Paths: []string{dir}, Privacy: privacy})
	plain, _, _ := leaving(t, LoadOptions{Paths: []string{dir}})
	for i := range events {
		if events[i]["event_uid"] != again[i]["event_uid"] || events[i]["event_uid"] == plain[i]["event_uid"] {
			t.Errorf("event %d has the identities %s and %s, without privacy %s", i, events[i]["event_uid"], again[i]["event_uid"], plain[i]["event_uid"])
		}
	}
}

// A large file is read by several workers; each has to know the people.
func TestAllWorkersReplacePeople(t *testing.T) {
	var log strings.Builder
	for n := range 4000 {
		log.WriteString(strings.Replace(line(n), "- crm", fmt.Sprintf("- petra%d@acme.example", n%50), 1))
	}
	dir := writeFiles(t, map[string]string{"access.log": log.String()})
	o := LoadOptions{Paths: []string{dir}, Privacy: testPrivacy(), Redactor: testRedactor(), Source: "scan", Workers: 3, chunkSize: 8 << 10}
	users := map[string]int{}
	o.Ship = func(_ context.Context, s Sealed) error {
		rows, err := decodeRows(s.Events)
		for _, e := range rows {
			users[e["actor_user_name"]]++
		}
		return err
	}
	ship, turn := o.Ship, make(chan bool, 1)
	o.Ship = func(ctx context.Context, s Sealed) error {
		turn <- true
		defer func() { <-turn }()
		return ship(ctx, s)
	}
	if _, err := Load(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if len(users) != 50 {
		t.Errorf("%d users, want 50", len(users))
	}
	for user, n := range users {
		if redact.PseudonymKeyID(user) == "" || n != 80 {
			t.Errorf("%s has %d events, want 80", user, n)
		}
	}
}

// Two sources share batches: what one asks for must not touch the other.
func TestFollowedLogsReplacePeople(t *testing.T) {
	privacy := testPrivacy()
	privacy.Except = []string{"svc-*"}
	r := newRig(t, Source{Name: "open", Kind: KindFollow, Paths: []string{"logs/open.log"}},
		Source{Name: "private", Kind: KindFollow, Paths: []string{"logs/private.log"}, Privacy: privacy})
	var events, quarantined []map[string]string
	r.store.seen = func(e, q []map[string]string) { events, quarantined = append(events, e...), append(quarantined, q...) }
	r.write("logs/private.log", peopleLog)
	r.write("logs/open.log", peopleLog)
	r.settle()
	of := func(all []map[string]string, source string) []map[string]string {
		return slices.DeleteFunc(slices.Clone(all), func(row map[string]string) bool { return row["x_source_name"] != source })
	}
	wantNobody(t, of(events, "private"), of(quarantined, "private"))
	if open := fmt.Sprint(of(events, "open"), of(quarantined, "open")); strings.Contains(open, "user-") || strings.Count(open, "etra") != 5 {
		t.Errorf("the other source was changed: %s", open)
	}
}

// TestNoPlantedPersonLeaves plants an e-mail address between the words of every sample,
// and looks for it in all that is handed on; then a name in the place of every user of
// every sample, and looks for it in the events.
func TestNoPlantedPersonLeaves(t *testing.T) {
	samples, err := canary.Samples("formats/testdata")
	if err != nil {
		t.Fatal(err)
	}
	addresses, names := t.TempDir(), t.TempDir()
	planted, users := 0, 0
	for n, sample := range samples {
		if strings.HasSuffix(sample, ".zip") {
			continue
		}
		text, err := os.ReadFile(sample)
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%04d-%s", n, filepath.Base(sample))
		var out bytes.Buffer
		from := 0
		for i, at := range canary.Places(text) {
			if i%3 == 0 {
				out.Write(text[from:at])
				out.WriteString([]string{" Petra.Quendel@acme.example ", " petra.quendel%40acme.example "}[i/3%2])
				from = at + 1
				planted++
			}
		}
		out.Write(text[from:])
		if err := os.WriteFile(filepath.Join(addresses, name), out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		events, _, _ := leaving(t, LoadOptions{Paths: []string{sample}})
		var found []string
		for _, e := range events {
			for _, column := range []schema.Text{schema.ActorUserName, schema.UserName, schema.ActorUserEmailAddr} {
				if user := e[column.Column()]; len(user) > 2 && !slices.Contains(found, user) {
					found = append(found, user)
				}
			}
		}
		// Ids stay unless they are asked for, and a URI is known to be a user by its look.
		found = slices.DeleteFunc(found, func(user string) bool {
			return strings.Contains(user, "://") || slices.ContainsFunc(events, func(e map[string]string) bool { return e[schema.ActorUserUID.Column()] == user })
		})
		// The longest first: one name may be part of another.
		slices.SortFunc(found, func(a, b string) int { return len(b) - len(a) })
		for i, user := range found {
			planted := fmt.Sprintf("pquendel%d", i)
			if strings.Contains(user, "@") {
				planted += "@acme.example"
			} else if strings.Contains(user, " ") {
				planted = fmt.Sprintf("Petra Quendel%d", i)
			}
			text = regexp.MustCompile(`\b`+regexp.QuoteMeta(user)+`\b`).ReplaceAll(text, []byte(planted))
			users++
		}
		if err := os.WriteFile(filepath.Join(names, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if planted < 200 || users < 50 {
		t.Fatalf("only %d addresses and %d users were planted", planted, users)
	}
	want := func(what string, blocks [][]byte) {
		t.Helper()
		for _, block := range blocks {
			for from := 0; ; {
				at := bytes.Index(block[from:], []byte("quendel"))
				if at < 0 {
					break
				}
				at += from
				t.Errorf("%s: a person leaves: %q", what, block[max(0, at-60):min(len(block), at+40)])
				from = at + 1
			}
		}
	}
	events, quarantined, blocks := leaving(t, LoadOptions{Paths: []string{addresses}, Privacy: testPrivacy()})
	want("addresses", blocks)
	t.Logf("%d addresses planted: %d events and %d quarantined records", planted, len(events), len(quarantined))
	privacy := testPrivacy()
	privacy.Drop = []string{redact.QuarantineContent}
	events, quarantined, blocks = leaving(t, LoadOptions{Paths: []string{names}, Privacy: privacy})
	want("names", blocks)
	t.Logf("%d users planted: %d events and %d quarantined records", users, len(events), len(quarantined))
	for _, q := range quarantined {
		if q["content"] != "" {
			t.Errorf("content is kept: %v", q)
		}
	}
}
