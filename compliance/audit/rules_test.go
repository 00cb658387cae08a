package audit_test

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/collector/insert"
	"github.com/crmwatch/crmwatch/compliance/audit"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/engine"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

// scan runs rules over everything; without ids all built-in ones.
func scan(t *testing.T, store schema.Store, ids ...string) (found []string) {
	t.Helper()
	rules, err := detectors.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	var chosen []detectors.Rule
	for _, rule := range rules {
		for _, id := range ids {
			if rule.ID == id {
				chosen = append(chosen, rule)
			}
		}
	}
	if len(ids) == 0 {
		chosen = rules
	}
	findings, err := detectors.NewRunner(store, chosen, detectors.Options{}).Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		found = append(found, fmt.Sprintf("%s %s: %s", f.Rule, f.Entity, f.Message))
	}
	return found
}

// aMonth is what is done with crmwatch in an ordinary month of a small company: two
// analysts in Slack, an engineer at the terminal, a schedule, a release, a few mistakes.
func aMonth(t *testing.T, from time.Time) (records []audit.Record) {
	t.Helper()
	rules, err := detectors.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	add := func(at time.Time, actor, via, action, kind, object, detail string, failed bool, attributes map[string]string) {
		records = append(records, audit.Record{At: at, Actor: actor, Via: via, Action: action, ObjectType: kind, Object: object, Detail: detail, Failed: failed, Attributes: attributes})
	}
	for day := range 30 {
		date := from.AddDate(0, 0, day)
		at := func(hour, minute int) time.Time {
			return date.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
		}
		add(at(4, 0), "", audit.ViaItself, "report.make", "report", fmt.Sprintf("daily-%02d", day), "", false, nil)
		if day%7 == 3 { // a restart after patches, with the configuration as it was
			add(at(6, 0), "crmwatch@soc-1", audit.ViaCLI, "crmwatch.stop", "program", "crmwatch run", "", false, nil)
			add(at(6, 5), "crmwatch@soc-1", audit.ViaCLI, "crmwatch.start", "program", "crmwatch run", "", false, nil)
			add(at(6, 5), "crmwatch@soc-1", audit.ViaCLI, "configuration.load", "configuration", "/etc/crmwatch/crmwatch.yaml", "", false, nil)
		}
		if date.Weekday() == time.Saturday || date.Weekday() == time.Sunday {
			continue
		}
		for i, who := range []string{"Mira (U0123ABC)", "Tom (U0456DEF)"} {
			for n := range 2 + (day+i)%5 {
				alert := schema.HashUID("alert", fmt.Sprint(day, i, n)).String()
				add(at(8+i, 10+7*n), who, audit.ViaSlack, "alert.show", "alert", alert, "", false, nil)
				add(at(8+i, 12+7*n), who, audit.ViaSlack, []string{"alert.acknowledge", "alert.resolve", "alert.false_positive", "alert.snooze"}[n%4], "alert", alert, "", n == 4, nil)
			}
			add(at(9, i), who, audit.ViaSlack, "command.run", "command", "/crmwatch status", "", false, nil)
		}
		for n := range 10 + 25*(day%3) { // with days on which much is asked
			add(at(10, 0).Add(time.Duration(n)*time.Minute), "ana@soc-1", audit.ViaCLI, "command.run", "command", "query", "ana@soc-1 has run crmwatch query: SELECT count() FROM events", false, nil)
		}
		if day%5 == 0 { // a mistyped password, and a statement that a reader may not run
			for n := range 3 {
				add(at(11, n), "reader", audit.ViaEngine, "login.refuse", "service", "engine", "", true, map[string]string{"src_endpoint_ip": "127.0.0.1", "status_code": "unknown user or wrong password"})
			}
			add(at(11, 9), "reader", audit.ViaEngine, "statement.refuse", "service", "engine", "", true, map[string]string{"src_endpoint_ip": "127.0.0.1"})
		}
		if day%6 == 1 {
			silence := schema.HashUID("silence", fmt.Sprint(day)).String()
			add(at(13, 0), "Mira (U0123ABC)", audit.ViaSlack, "silence.add", "silence", silence, "", false, map[string]string{"hours": "4.0", "match": "entity=svc-erp"})
			add(at(17, 0), "", audit.ViaItself, "silence.expire", "silence", silence, "", false, nil)
		}
	}
	// A release changes every rule in one moment, an engineer tunes some.
	release := from.AddDate(0, 0, 17).Add(7 * time.Hour)
	for _, rule := range rules {
		add(release, "crmwatch@soc-1", audit.ViaCLI, "rule.change", "rule", rule.ID, "The rule "+rule.ID+" is changed: content is 0a1b and was 2c3d; "+rule.Title, false, nil)
	}
	add(release, "crmwatch@soc-1", audit.ViaCLI, "rule.add", "rule", "privilege-audit-keys", "The rule privilege-audit-keys is new.", false, nil)
	tuned := from.AddDate(0, 0, 20).Add(14 * time.Hour)
	add(tuned, "crmwatch@soc-1", "signal", "configuration.change", "configuration", "/etc/crmwatch/crmwatch.yaml",
		"The configuration crmwatch.yaml is another than before: rules.parameters.privilege-change.powers is [manageusers, superadmin] and was [superadmin].", false, map[string]string{"now.alerts.notify_from": "low"})
	add(tuned, "crmwatch@soc-1", "signal", "source.add", "source", "audit-trail", "The source audit-trail is new: paths is [./audit/*.csv].", false, nil)
	add(tuned, "crmwatch@soc-1", "signal", "notifier.add", "notifier", "pager", "", false, nil)
	add(tuned.Add(time.Minute), "crmwatch@soc-1", "signal", "exception.add", "exception", "our VPN", "", false, map[string]string{"now.rules": "[token-replay]"})
	add(tuned.AddDate(0, 0, 2), "dpo@soc-1", audit.ViaCLI, "subject.export", "subject", "S-1", "", false, nil)
	add(tuned.AddDate(0, 0, 2).Add(time.Hour), "dpo@soc-1", audit.ViaCLI, "subject.erase", "subject", "S-1", "", false, nil)
	add(tuned.AddDate(0, 0, 2).Add(2*time.Hour), "dpo@soc-1", audit.ViaCLI, "key.destroy", "pseudonym_key", "3fa94c", "The pseudonym key 3fa94c is destroyed.", false, nil)
	add(tuned.AddDate(0, 0, 3), "dpo@soc-1", audit.ViaCLI, "hold.add", "hold", "H-1", "Audit data of March is held.", false, nil)
	return records
}

// gateway is the log of a gateway of the same installation, active at every hour, so that
// rules that compare logs have something to compare with.
func gateway(t *testing.T, store schema.Store, from time.Time) {
	t.Helper()
	batch := schema.NewBatch()
	for hour := range 30 * 24 {
		var e schema.Event
		e.SetTime(from.Add(time.Duration(hour)*time.Hour + 7*time.Minute))
		e.UID = schema.HashUID("gateway", fmt.Sprint(hour))
		e.Text[schema.MetadataProductName], e.Text[schema.MetadataLogName], e.Text[schema.MetadataLogFormat] = "nginx", "access", "nginx"
		e.Text[schema.ActorUserName] = "svc-erp"
		e.Number[schema.ClassUID], e.Number[schema.ActivityID], e.Number[schema.StatusID], e.Number[schema.HTTPResponseCode] = schema.ClassAPIActivity, schema.APIRead, schema.StatusSuccess, 200
		batch.Append(&e)
	}
	block, err := batch.AppendBlock(nil)
	if err != nil {
		t.Fatal(err)
	}
	inserter := insert.Inserter{Conn: store}
	if err := inserter.Insert(t.Context(), schema.Delivery{AgentUID: "gateway", Events: schema.RawFrames(block, batch.Rows())}); err != nil {
		t.Fatal(err)
	}
}

func TestAnOrdinaryMonthIsNoFinding(t *testing.T) {
	store := enginetest.OpenStore(t)
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	if err := audit.Write(t.Context(), store, aMonth(t, from)...); err != nil {
		t.Fatal(err)
	}
	gateway(t, store, from)
	if found := scan(t, store); len(found) > 0 {
		t.Errorf("%d findings:\n%s", len(found), strings.Join(found, "\n"))
	}
}

// TestGuessedPasswordsAreFound guesses at a real engine, and looks whether the rules see
// it as they see it in any log.
func TestGuessedPasswordsAreFound(t *testing.T) {
	store := enginetest.OpenStore(t)
	var waiting sync.WaitGroup
	refusals := &audit.Refusals{Write: func(ctx context.Context, records ...audit.Record) error { return audit.Write(ctx, store, records...) }}
	target, err := engine.Start(t.Context(), engine.Options{Dir: filepath.Join(t.TempDir(), "data"), Command: enginetest.Command(), OnRefused: func(r engine.Refusal) {
		refusals.Refused(audit.Refusal{At: r.At, Action: "login.refuse", Service: "engine", Address: r.Address, Name: r.User, Reason: r.Reason, Others: r.Skipped})
		waiting.Done()
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Stop(t.Context())
	at := target.Endpoint()
	client := at.HTTPClient()
	guess := func(user string, times int) {
		for range times {
			request, err := http.NewRequest(http.MethodPost, at.URL, strings.NewReader("SELECT 1"))
			if err != nil {
				t.Fatal(err)
			}
			request.SetBasicAuth(user, "wrong")
			waiting.Add(1)
			answer, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
		}
	}
	for n := range 8 {
		guess(fmt.Sprint("analyst", n), 1)
	}
	guess("crmwatch", 11)
	guess("reader", 1)
	guess("admin", 2000)
	waiting.Wait()
	if err := refusals.Flush(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	var events, guesses uint64
	if err := store.QueryRow(t.Context(), "SELECT count(), sum(toUInt64(unmapped['attempts'])) FROM events FINAL WHERE class_uid = 3002").Scan(&events, &guesses); err != nil {
		t.Fatal(err)
	}
	if events != 21 || guesses != 2020 {
		t.Errorf("%d events tell of %d guesses, want 21 and 2,020", events, guesses)
	}
	found := scan(t, store, "brute-force", "password-spray")
	slices.Sort(found)
	for i := range found {
		found[i], _, _ = strings.Cut(found[i], " since ")
		found[i], _, _ = strings.Cut(found[i], ", between ")
	}
	want := []string{
		"brute-force crmwatch: crmwatch failed to log in 11 times from 1 address (127.0.0.1)",
		"password-spray 127.0.0.1: 11 identities failed to log in from 127.0.0.1, 21 times in all",
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
