package subject_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/compliance/hold"
	"github.com/crmwatch/crmwatch/compliance/subject"
	"github.com/crmwatch/crmwatch/schema"
)

// pictures are what an erasure must leave as it is.
var pictures = map[string]string{
	"rows a day, class, product": `SELECT arrayStringConcat(groupArray(x), ' ') FROM (SELECT toString((toDate(time), class_uid, metadata_product_name, count(), sum(toUnixTimestamp64Milli(ingested_at)))) AS x FROM events GROUP BY toDate(time), class_uid, metadata_product_name ORDER BY x)`,
	"users, addresses, programs": `SELECT arrayStringConcat(groupArray(x), ' ') FROM (SELECT toString((toDate(time), uniqExact(actor_user_uid), uniqExact(lower(actor_user_name)), uniqExact(src_endpoint_ip), uniqExact(x_src_endpoint_network), uniqExact(http_request_user_agent))) AS x FROM events GROUP BY toDate(time) ORDER BY x)`,
	"programs by name":           `SELECT toString(arraySort(groupUniqArray(extract(http_request_user_agent, '^[^/ ;(]+')))) FROM events`,
	"evidence":                   `SELECT toString(count()) FROM events WHERE event_uid IN (SELECT arrayJoin(evidence) FROM findings)`,
	"steps":                      `SELECT toString((count(), countIf(entity_uid = actor_user_uid))) FROM rule_steps AS s INNER JOIN events AS e ON e.event_uid = s.event_uid`,
	"findings of alerts":         `SELECT toString(count()) FROM findings WHERE finding_uid IN (SELECT arrayJoin(finding_uids) FROM alerts) AND entity_uid IN (SELECT actor_user_uid FROM events)`,
	"transitions of alerts":      `SELECT toString(count()) FROM alert_transitions WHERE alert_uid IN (SELECT alert_uid FROM alerts) AND finding_uids[1] IN (SELECT finding_uid FROM findings)`,
	"what was told":              `SELECT toString(count()) FROM notifications AS n INNER JOIN alerts AS a ON a.alert_uid = n.alert_uid WHERE n.content_hash = a.content_hash`,
	"summaries":                  `SELECT toString(countIf(content_hash = lower(hex(SHA256(content))))) FROM summaries FINAL`,
	"hours":                      `SELECT toString((count(), sum(calls), uniqExact(uid))) FROM event_hours`,
	"facets":                     `SELECT toString((count(), uniqExact(lower(uid)), uniqExact(value), uniqExact(substring(value, 1, 1) = '+'))) FROM event_facets`,
	"logins":                     `SELECT toString((count(), sum(arraySum(counts)), uniqExact(uid), uniqExact(name), uniqExact(network))) FROM event_logins`,
	"logins are of events":       `SELECT toString(count()) FROM event_logins WHERE (uid, name, network) IN (SELECT actor_user_uid, lower(actor_user_name), x_src_endpoint_network FROM events)`,
	"facets are of events":       `SELECT toString(count()) FROM event_facets WHERE kind = 'network' AND (uid, value) IN (SELECT actor_user_uid, x_src_endpoint_network FROM events)`,
	"others":                     `SELECT toString((count(), sum(sipHash64(event_uid, actor_user_name, src_endpoint_ip, http_request_url_path)))) FROM events WHERE actor_user_name = 'user8@acme.example' AND message = '' AND user_name = '' AND http_request_url_path = '/x'`,
	"another of the same sound":  `SELECT toString(countIf(position(message, 'not alicia@acme.example') > 0)) FROM events`,
}

func picture(t *testing.T, store schema.Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	for name, query := range pictures {
		all[name] = ask(t, store, query)
	}
	return all
}

func ask(t *testing.T, store schema.Store, query string) (answer string) {
	t.Helper()
	if err := store.QueryRow(context.Background(), query).Scan(&answer); err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
	return answer
}

// mortal is a store whose process is killed at a statement.
type mortal struct {
	schema.Store
	left int
}

var errKilled = errors.New("killed")

func (m *mortal) Exec(ctx context.Context, query string, args ...any) error {
	if m.left--; m.left <= 0 {
		return errKilled
	}
	return m.Store.Exec(ctx, query, args...)
}

func TestErase(t *testing.T) {
	store := filled(t, 20000)
	before := picture(t, store)
	folder := t.TempDir()
	erasing := subject.Erasing{Subject: alice(t), Actor: "bob@soc-1", Reason: "request 1", Folder: folder}

	// A hold comes first.
	held := hold.Hold{UID: schema.HashUID("hold"), CreatedAt: time.Now(), CreatedBy: "carol", Reason: "Acme v. Globex", Users: []string{"ALICE@acme.example"}}
	if err := hold.Save(t.Context(), store, held, time.Now()); err != nil {
		t.Fatal(err)
	}
	var refused *subject.HeldError
	if _, err := subject.Erase(t.Context(), store, erasing); !errors.As(err, &refused) || refused.Holds[0].Rows["events"] == 0 || !strings.Contains(err.Error(), "Acme v. Globex") {
		t.Fatalf("erasure of what is held: %v", err)
	}
	held.ReleasedAt, held.ReleasedBy = time.Now(), "carol"
	if err := hold.Save(t.Context(), store, held, time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	named := erasing
	named.Reason = "Alice@acme.example asked"
	if _, err := subject.Erase(t.Context(), store, named); err == nil {
		t.Error("a reason that names the person was taken")
	}

	// Killed while it prepares, between writing events anew and deleting the old, and
	// between two tables.
	for _, at := range []int{7, 2, 9} {
		if _, err := subject.Erase(t.Context(), &mortal{store, at}, erasing); !errors.Is(err, errKilled) && !strings.Contains(err.Error(), "killed") {
			t.Fatalf("killed at statement %d: %v", at, err)
		}
	}
	other, err := subject.New(subject.Request{Addresses: []string{"user8@acme.example"}})
	if err != nil {
		t.Fatal(err)
	}
	second := erasing
	second.Subject = other
	if _, err := subject.Erase(t.Context(), store, second); err == nil || !strings.Contains(err.Error(), "is not complete") {
		t.Errorf("another erasure before the first is complete: %v", err)
	}
	done, err := subject.Erase(t.Context(), store, erasing)
	if err != nil {
		t.Fatal(err)
	}
	if !done.Resumed || done.Counts["events"] != 520 || done.Counts["findings"] != 1 {
		t.Errorf("the erasure did %+v", done)
	}

	after := picture(t, store)
	for name, was := range before {
		if after[name] != was {
			t.Errorf("%s:\nbefore %s\nafter  %s", name, was, after[name])
		}
	}
	found, err := subject.Find(t.Context(), store, alice(t))
	if err != nil || len(found) > 0 {
		t.Errorf("left: %+v, %v", found, err)
	}
	if _, err := subject.Erase(t.Context(), store, erasing); !errors.Is(err, subject.ErrNothing) {
		t.Errorf("a second time: %v", err)
	}
	if got := ask(t, store, `SELECT toString((state, reason, actor, counts['events'])) FROM erasures FINAL`); got != `('done','request 1','bob@soc-1',520)` {
		t.Errorf("written down is %s", got)
	}
	if got := ask(t, store, `SELECT toString(count()) FROM system.tables WHERE database = currentDatabase() AND name LIKE 'erasure\\_%'`); got != "0" {
		t.Errorf("%s tables are left", got)
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "*.key")); len(left) > 0 {
		t.Errorf("the secret is left: %v", left)
	}
	// The rule would give the finding the identity that it has now.
	uid, entity := ask(t, store, `SELECT toString(finding_uid) FROM findings`), ask(t, store, `SELECT entity_uid FROM findings`)
	if want := schema.FindingUID("export-burst", "acme", "user", entity, windowFrom).String(); uid != want || !strings.HasPrefix(entity, done.Prefix) {
		t.Errorf("finding %s of %s, want %s", uid, entity, want)
	}
	if got := ask(t, store, `SELECT toString((message, attributes)) FROM findings`); strings.Contains(got, "203.0.113") {
		t.Errorf("a place is left in %s", got)
	}
	if got := ask(t, store, `SELECT toString(arraySort(groupArray(replaceRegexpAll(content, '(?i)"erased-[0-9a-f]+-[0-9a-f]+"', 'T')))) FROM summaries FINAL`); got != `['{"title":"x","rows":[[T,7],["203.0.113.21",8]]}','{"title":"x","rows":[[T,T]]}']` {
		t.Errorf("the kept summaries are %s", got)
	}
	noFileHolds(t, store, alice(t))
}

// noFileHolds looks into every file of the test's tables, decompressed, also of parts
// that are not in use any more.
func noFileHolds(t *testing.T, store schema.Store, s subject.Subject) {
	t.Helper()
	rows, err := store.Query(context.Background(), "SELECT arrayJoin(data_paths) FROM system.tables WHERE database = currentDatabase()")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	files := 0
	for rows.Next() {
		var dir string
		if err := rows.Scan(&dir); err != nil {
			t.Fatal(err)
		}
		found, err := s.Files(dir, func(path string) bool { files++; return strings.Contains(path, "hold") })
		if err != nil || len(found) > 0 {
			t.Errorf("%v hold the person: %v", found, err)
		}
	}
	if files < 100 {
		t.Errorf("only %d files were searched", files)
	}
}

// TestFilesAreSearchedDecompressed makes sure that the search would find something.
func TestFilesAreSearchedDecompressed(t *testing.T) {
	store := filled(t, 2000)
	var dir string
	if err := store.QueryRow(t.Context(), "SELECT data_paths[1] FROM system.tables WHERE database = currentDatabase() AND name = 'events'").Scan(&dir); err != nil {
		t.Fatal(err)
	}
	found, err := alice(t).Files(dir, nil)
	if err != nil || len(found) == 0 {
		t.Errorf("found in %v, %v", found, err)
	}
	plain := filepath.Join(t.TempDir(), "mutation_1.txt")
	if err := os.WriteFile(plain, []byte("commands: DELETE WHERE actor_user_name = 'Alice@acme.example'"), 0o600); err != nil {
		t.Fatal(err)
	}
	if found, err := alice(t).Files(filepath.Dir(plain), nil); err != nil || len(found) != 1 {
		t.Errorf("found in %v, %v", found, err)
	}
}

func TestDeleteRemovesWhatThePersonDid(t *testing.T) {
	store := filled(t, 2000)
	done, err := subject.Erase(t.Context(), store, subject.Erasing{Subject: alice(t), Delete: true, Actor: "bob", Reason: "request 2", Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(t, store, `SELECT toString((count(), countIf(startsWith(actor_user_uid, 'erased-')), countIf(startsWith(user_name, 'erased-')))) FROM events`); got != "(1960,0,3)" {
		t.Errorf("events are %s after %+v", got, done)
	}
	if got := ask(t, store, `SELECT toString(((SELECT count() FROM event_days WHERE uid LIKE 'erased%'), (SELECT count() FROM findings WHERE entity_uid LIKE 'erased%')))`); got != "(0,1)" {
		t.Errorf("the person's days and findings are %s: days go, and findings stay without the name", got)
	}
	if found, err := subject.Find(t.Context(), store, alice(t)); err != nil || len(found) > 0 {
		t.Errorf("left: %+v, %v", found, err)
	}
}

// TestWhoeverErasesMayBeThePerson: the record of the act would name the person, for ever
// anew, and so the act would never end.
func TestWhoeverErasesMayBeThePerson(t *testing.T) {
	store := filled(t, 200)
	var amended, recorded string
	done, err := subject.Erase(t.Context(), store, subject.Erasing{
		Subject: alice(t), Actor: "Alice@acme.example@soc-1", Reason: "request 4", Folder: t.TempDir(),
		Amend: func(ctx context.Context, _ schema.UID, by string, change func(context.Context) error) error {
			amended = by
			return change(ctx)
		},
		Record: func(_ context.Context, done subject.Erased) error {
			recorded = done.By
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	token := ask(t, store, `SELECT DISTINCT actor_user_name FROM events WHERE startsWith(actor_user_name, 'erased-')`)
	for where, by := range map[string]string{"erased": done.By, "amended": amended, "recorded": recorded, "stored": ask(t, store, `SELECT actor FROM erasures FINAL`)} {
		if by != token+"@soc-1" {
			t.Errorf("%s by %s, want the token %s", where, by, token)
		}
	}
	if found, err := subject.Find(t.Context(), store, alice(t)); err != nil || len(found) > 0 {
		t.Errorf("left: %+v, %v", found, err)
	}
	noFileHolds(t, store, alice(t))
}

// TestWhatIsDoneIsRecordedOnceMore: killed after all was changed and before it is
// recorded, an erasure is recorded when it is completed.
func TestWhatIsDoneIsRecordedOnceMore(t *testing.T) {
	store := filled(t, 200)
	var told []subject.Erased
	erasing := subject.Erasing{Subject: alice(t), Actor: "bob", Reason: "request 5", Folder: t.TempDir(), Record: func(_ context.Context, done subject.Erased) error {
		if told = append(told, done); len(told) == 1 {
			return errKilled
		}
		return nil
	}}
	if _, err := subject.Erase(t.Context(), store, erasing); !errors.Is(err, errKilled) {
		t.Fatalf("killed: %v", err)
	}
	if _, err := subject.Erase(t.Context(), store, erasing); err != nil {
		t.Fatal(err)
	}
	if len(told) != 2 || told[0].UID != told[1].UID || !told[0].Began.Equal(told[1].Began) || told[0].Counts["events"] == 0 || told[1].Counts["events"] != told[0].Counts["events"] {
		t.Errorf("recorded was %+v", told)
	}
}
