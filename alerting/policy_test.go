package alerting_test

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/alerting/fakeslack"
	"github.com/crmwatch/crmwatch/alerting/route"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/google/go-cmp/cmp"
)

// silence adds a silence as the command line does.
func (o *office) silence(line string) route.Silence {
	o.t.Helper()
	words, err := route.SplitWords(line)
	if err != nil {
		o.t.Fatal(err)
	}
	s, err := route.ParseSilence(words, "mira@soc-1", o.clock.Now())
	if err != nil {
		o.t.Fatal(err)
	}
	if _, err := alerting.AddSilence(o.t.Context(), o.store, &s, o.clock.Now()); err != nil {
		o.t.Fatal(err)
	}
	return s
}

func (o *office) texts() []string {
	var texts []string
	for _, m := range o.messages() {
		texts = append(texts, m.Text)
	}
	return texts
}

// Whoever a route leads to is told, and nobody else; an alert that grows is routed
// anew, and what no route matches goes to all.
func TestDeskRoutes(t *testing.T) {
	o := openOffice(t)
	var pager bytes.Buffer
	o.others = []alerting.Notifier{alerting.NewConsole(&pager, alerting.Style{}).Named("pager")}
	table, err := route.NewTable([]route.Route{
		{Match: route.Match{Severity: route.Severities{">= high"}}, To: []string{"pager"}},
		{Match: route.Match{Rule: route.Patterns{"recon", "noise"}}, To: []string{"slack"}},
	}, []string{"slack", "pager"})
	if err != nil {
		t.Fatal(err)
	}
	o.policy.Routes = table
	o.restart()
	f := finding("recon", at(1))
	o.mustFind(f)
	if diff := cmp.Diff([]string{"slack sent"}, o.states()); diff != "" || pager.Len() > 0 {
		t.Errorf("a medium one: %s\n%s", diff, pager.String())
	}
	o.clock.Advance(2 * time.Minute)
	f.Severity = schema.SeverityHigh
	o.mustFind(f)
	if diff := cmp.Diff([]string{"pager sent", "slack sent"}, o.states()); diff != "" || strings.Count(pager.String(), "New alert") != 1 || o.theMessage().Updates != 1 {
		t.Errorf("as it rises: %s\n%s", diff, pager.String())
	}
	pager.Reset()
	o.mustFind(about(finding("unthought-of", at(1)), "user", "005b", "b@acme.example"))
	o.flush(time.Minute)
	if len(o.messages()) != 2 || strings.Count(pager.String(), "New alert") != 1 {
		t.Errorf("what no route matches: %d messages\n%s", len(o.messages()), pager.String())
	}
}

// What a notifier was to be told that is configured no more, others are told.
func TestRenamedNotifier(t *testing.T) {
	o := openOffice(t)
	o.server.Script("chat.postMessage", fakeslack.RateLimited(time.Minute))
	o.mustFind(finding("recon", at(1)))
	var log bytes.Buffer
	o.desk = alerting.NewDesk(o.store, []alerting.Notifier{alerting.NewConsole(&log, alerting.Style{}).Named("soc")}, alerting.Options{Clock: o.clock.Now})
	o.flush(time.Hour)
	if strings.Count(log.String(), "New alert") != 1 {
		t.Errorf("the new notifier says:\n%s", log.String())
	}
}

// While a silence lasts, what it matches is neither posted nor updated, also by the
// next process; what is worse breaks through; at its end, what is open is told.
func TestSilence(t *testing.T) {
	o := openOffice(t)
	entity := func(name string) schema.Finding {
		return about(finding("noise", at(1)), "user", "uid-"+name, name+"@acme.example")
	}
	o.mustFind(entity("before"))
	s := o.silence("rule=noise --for 2h --reason 'planned work'")
	if s.UpTo != schema.SeverityMedium {
		t.Errorf("mutes up to %s", s.UpTo)
	}
	o.clock.Advance(2 * time.Minute)
	grown := entity("before")
	grown.Count = 7
	quiet, loud := entity("quiet"), entity("loud")
	o.mustFind(grown, quiet, loud)
	o.restart()
	o.flush(time.Hour)
	held := "silence " + s.UID.String()
	if diff := cmp.Diff([]string{"slack held " + held, "slack held " + held, "slack sent " + held}, o.states()); diff != "" || o.calls("") != 1 {
		t.Errorf("%d calls:\n%s", o.calls(""), diff)
	}
	loud.Severity = schema.SeverityHigh
	o.mustFind(loud)
	o.flush(10 * time.Second)
	if texts := o.texts(); len(texts) != 2 || !strings.Contains(texts[1], "loud") {
		t.Errorf("what rises above it: %q", texts)
	}
	// Another rule speaks of the same entity.
	o.mustFind(entity("quiet"), about(finding("token-replay", at(2)), "user", "uid-quiet", "quiet@acme.example"))
	o.flush(10 * time.Second)
	if texts := o.texts(); len(texts) != 3 || !strings.Contains(texts[2], "quiet") {
		t.Errorf("what another rule speaks of: %q", texts)
	}
	o.expectHolds("Muted by silence "+s.UID.String()[:8]+" (planned work, by mira@soc-1) until 2025-08-17 02:00 UTC", 1)
	// Somebody ends it early: what waits is told at once.
	late := entity("late")
	o.mustFind(late)
	writes := o.store.writes
	o.mustFind(late)
	o.flush(time.Minute)
	if len(o.messages()) != 3 || o.store.writes != writes {
		t.Errorf("%d messages, %d needless writes", len(o.messages()), o.store.writes-writes)
	}
	if _, err := alerting.ExpireSilence(t.Context(), o.store, s.UID.String()[:8], "root@soc-1", o.clock.Now()); err != nil {
		t.Fatal(err)
	}
	o.clock.Advance(6 * time.Second)
	o.flush(10 * time.Second)
	texts := o.texts()
	if len(texts) != 4 || !strings.Contains(texts[3], "late") || o.messages()[0].Updates != 1 {
		t.Errorf("after its end: %q, %d updates", texts, o.messages()[0].Updates)
	}
	if _, err := alerting.ExpireSilence(t.Context(), o.store, s.UID.String(), "root@soc-1", o.clock.Now()); err == nil || !strings.Contains(err.Error(), "is over") {
		t.Errorf("ended twice: %v", err)
	}
	all, err := alerting.Silences(t.Context(), o.store, o.clock.Now(), true)
	if err != nil || len(all) != 1 || all[0].EndedBy != "root@soc-1" || all[0].Match.String() != "rule=noise" || all[0].Reason != "planned work" {
		t.Errorf("%+v, %v", all, err)
	}
	for _, m := range o.messages() {
		if labelled(m) {
			t.Errorf("labelled: %s", m.Text)
		}
	}
}

// A silence ends by itself, and what it kept back is told, but for what somebody has
// closed meanwhile; what nobody was told of does not resolve by itself.
func TestSilenceRunsOut(t *testing.T) {
	o := openOffice(t)
	o.silence("rule=noise --for 5d --reason r")
	o.mustFind(about(finding("noise", at(1)), "user", "a", "a@acme.example"), about(finding("noise", at(1)), "user", "b", "b@acme.example"))
	if err := o.store.Exec(t.Context(), "INSERT INTO alerts SELECT * REPLACE (version + 1 AS version, 'resolved' AS status) FROM alerts FINAL WHERE entity_uid = 'b'"); err != nil {
		t.Fatal(err)
	}
	o.clock.Advance(5*24*time.Hour - time.Minute)
	o.flush(0)
	if n := len(o.messages()); n != 0 {
		t.Fatalf("%d messages before its end", n)
	}
	o.clock.Advance(2 * time.Minute)
	o.flush(0)
	o.ticks(2)
	if m := o.theMessage(); labelled(m) || m.Updates > 0 || !strings.Contains(m.Text, "a@acme.example") {
		t.Errorf("told: %s", m.Text)
	}
}

// The consequences of an outage wait until its alert is closed.
func TestInhibition(t *testing.T) {
	o := openOffice(t)
	quiet, err := route.NewQuiet(nil, []route.Inhibition{{
		When: route.Match{Rule: route.Patterns{"source-silent"}}, Mute: route.Match{Rule: route.Patterns{"traffic-drop"}}, Equal: []string{"tenant", "product"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	o.policy.Quiet = quiet
	o.restart()
	cause := about(finding("source-silent", at(4)), "source", "Salesforce RestApi", "RestApi of Salesforce")
	o.mustFind(cause, about(finding("traffic-drop", at(4)), "integration", "005x", "svc-x@acme.example"))
	o.restart()
	o.mustFind(about(finding("traffic-drop", at(4)), "integration", "005y", "svc-y@acme.example"))
	o.flush(time.Hour)
	uid := alerting.Group(nil, []schema.Finding{cause})[0].UID.String()
	held := "slack held inhibited by " + uid
	if diff := cmp.Diff([]string{held, held, "slack sent"}, o.states()); diff != "" || len(o.messages()) != 1 {
		t.Errorf("%d messages\n%s", len(o.messages()), diff)
	}
	if err := o.store.Exec(t.Context(), "INSERT INTO alerts SELECT * REPLACE (version + 1 AS version, 'resolved' AS status) FROM alerts FINAL WHERE alert_uid = {uid:UUID}", schema.Named("uid", uid)); err != nil {
		t.Fatal(err)
	}
	o.clock.Advance(6 * time.Second)
	o.flush(10 * time.Second)
	if texts := o.texts(); len(texts) != 3 {
		t.Errorf("after the outage: %q", texts)
	}
}

// E8: ten thousand alerts in a minute are a few messages and one digest, a second
// apart; all are in the database; what is worse still comes through.
func TestStorm(t *testing.T) {
	o := openOffice(t)
	o.policy.Rates = map[string]alerting.Rate{"slack": alerting.DefaultSlackRate}
	o.restart()
	const alerts = 10_000
	var storm []schema.Finding
	for i := range alerts {
		f := about(finding("brute-force", at(4)), "user", fmt.Sprintf("uid-%d", i), fmt.Sprintf("user-%d@acme.example", i))
		if i%1000 == 0 {
			f.Severity = schema.SeverityHigh
		}
		storm = append(storm, f)
	}
	for part := range slices.Chunk(storm, 5000) {
		o.mustFind(part...)
		o.clock.Advance(30 * time.Second)
	}
	o.ticks(60)
	high := o.expectStorm(14, alerts-13)
	if high != 10 {
		t.Errorf("%d of the messages are of the ten that are high", high)
	}
	// The next process knows what has been told, and that a digest tells of the rest.
	o.restart()
	calls := o.calls("")
	o.ticks(5)
	if n := o.calls("") - calls; n != 0 {
		t.Errorf("%d calls after a restart", n)
	}
	// One that is held becomes critical: it is told for itself.
	worse := storm[7777]
	worse.Severity = schema.SeverityCritical
	o.mustFind(worse)
	o.flush(5 * time.Second)
	if texts := o.texts(); len(texts) != 15 || !strings.HasPrefix(texts[14], "CRITICAL") {
		t.Errorf("what rises is not told: %d messages, the last %q", len(texts), texts[len(texts)-1])
	}
	var last float64
	for _, m := range o.messages() {
		posted, err := strconv.ParseFloat(m.TS, 64)
		if err != nil || posted-last < 0.999 {
			t.Errorf("a message at %s, after one at %f: %v", m.TS, last, err)
		}
		last = posted
	}
}

// ticks flushes as Run does: once a second.
func (o *office) ticks(n int) {
	o.t.Helper()
	for range n {
		if _, err := o.desk.Flush(o.t.Context()); err != nil {
			o.t.Fatal(err)
		}
		o.clock.Advance(time.Second)
	}
}

// expectHolds reads as the list of alerts does why people are not told of them.
func (o *office) expectHolds(say string, alerts int) {
	o.t.Helper()
	all, err := o.desk.Alerts(o.t.Context(), alerting.AlertFilter{})
	if err != nil {
		o.t.Fatal(err)
	}
	silences, err := alerting.Silences(o.t.Context(), o.store, o.clock.Now(), true)
	if err != nil {
		o.t.Fatal(err)
	}
	holds, err := alerting.Holds(o.t.Context(), o.store, all, silences, o.clock.Now())
	if err != nil {
		o.t.Fatal(err)
	}
	var text bytes.Buffer
	if err := alerting.WriteHolds(&text, all, holds, silences); err != nil {
		o.t.Fatal(err)
	}
	if len(holds) != alerts || !strings.HasPrefix(text.String(), say+": ") {
		o.t.Errorf("%d are held, want %d:\n%s", len(holds), alerts, text.String())
	}
}

// What is silenced before it was told is in no digest.
func TestDigestLeavesOutWhatIsMuted(t *testing.T) {
	o := openOffice(t)
	o.policy.Rates = map[string]alerting.Rate{"slack": {Alerts: 1, Per: time.Hour}}
	o.restart()
	var findings []schema.Finding
	for _, name := range []string{"a", "b", "c"} {
		findings = append(findings, about(finding("brute-force", at(4)), "user", name, name+"@acme.example"))
	}
	o.mustFind(findings...)
	first, _, _ := strings.Cut(strings.SplitAfter(o.theMessage().Text, "brute-force: ")[1], "@")
	o.silence("entity=" + map[string]string{"a": "b", "b": "c", "c": "a"}[first] + "* --for 2h --reason r")
	o.clock.Advance(6 * time.Second)
	o.ticks(4)
	if texts := o.texts(); len(texts) != 2 || !strings.Contains(texts[1], "1 more alert (1 medium)") {
		t.Errorf("%q", texts)
	}
}

// expectStorm checks the messages of a storm: so many in all, of which one is a digest
// of the rest. It returns how many are about alerts that are high.
func (o *office) expectStorm(messages, held int) (high int) {
	o.t.Helper()
	o.expectHolds("Told by a digest of slack", 988)
	var digests []fakeslack.Message
	for _, m := range o.messages() {
		if strings.Contains(m.Text, "not told one by one") {
			digests = append(digests, m)
		} else if strings.HasPrefix(m.Text, "HIGH") {
			high++
		}
	}
	if len(o.messages()) != messages || len(digests) != 1 {
		o.t.Fatalf("%d messages, %d digests:\n%s", len(o.messages()), len(digests), strings.Join(o.texts(), "\n"))
	}
	if want := fmt.Sprintf("MEDIUM %d more alerts (%d medium)", held, held); !strings.HasPrefix(digests[0].Text, want) ||
		!strings.Contains(string(digests[0].Blocks), "Top rules: brute-force") || !strings.Contains(string(digests[0].Blocks), "Top entities: user-") {
		o.t.Errorf("the digest says %s\n%s", digests[0].Text, digests[0].Render())
	}
	var saved, waiting uint64
	if err := o.store.QueryRow(o.t.Context(), "SELECT (SELECT count() FROM alerts FINAL), (SELECT count() FROM notifications FINAL WHERE state = 'held' AND reason = 'digest')").Scan(&saved, &waiting); err != nil {
		o.t.Fatal(err)
	}
	if saved != uint64(held+messages-1) || waiting != uint64(held) {
		o.t.Errorf("%d alerts in the database, %d held", saved, waiting)
	}
	return high
}

// The process dies around the digest: whoever was not told one by one is in it, and it
// stands once.
func TestDigestCrash(t *testing.T) {
	for write := 8; write <= 10; write++ {
		// The row of a message that is cut off is the case of TestDeskCrash.
		for _, after := range []bool{false, true}[:min(2, 11-write)] {
			t.Run(fmt.Sprintf("after=%v/write=%d", after, write), func(t *testing.T) {
				o := openOffice(t)
				o.policy.Rates = map[string]alerting.Rate{"slack": {Alerts: 2, Per: time.Hour}}
				o.restart()
				var findings []schema.Finding
				for i := range 5 {
					findings = append(findings, about(finding("brute-force", at(4)), "user", fmt.Sprint("uid-", i), fmt.Sprintf("user-%d@acme.example", i)))
				}
				o.store.fail, o.store.after = write, after
				o.mustFind(findings...)
				failed := false
				for range 6 {
					if _, err := o.desk.Flush(t.Context()); err != nil {
						failed = true
						o.restart()
					}
					o.clock.Advance(time.Second)
				}
				if !failed {
					t.Fatal("nothing failed")
				}
				o.mustFind(findings...)
				o.ticks(6)
				texts := o.texts()
				if len(texts) != 3 || !strings.Contains(texts[2], "MEDIUM 3 more alerts (3 medium)") {
					t.Errorf("%q", texts)
				}
			})
		}
	}
}
