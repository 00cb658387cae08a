package chain

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/crmwatch/crmwatch/schema"
)

var erasure = Amendment{Erasure: schema.HashUID("erasure", "7"), By: "otto@soc-1", Reason: "request 7 under GDPR Article 17"}

// erase takes a person out of a summary, changes one transition and removes another.
func (a *archive) erase(s Summary) func(context.Context) error {
	return func(context.Context) error {
		s.Content, s.Amended = `{"day":1,"erased":true}`, s.Amended+1
		if err := SaveSummary(a.t.Context(), a, &s); err != nil {
			return err
		}
		a.exec("ALTER TABLE alert_transitions UPDATE actor = 'erased' WHERE transition_uid = {t:UUID} SETTINGS mutations_sync = 2", schema.Named("t", transitionUID(1)))
		a.exec("ALTER TABLE alert_transitions DELETE WHERE transition_uid = {t:UUID} SETTINGS mutations_sync = 2", schema.Named("t", transitionUID(2)))
		return nil
	}
}

func TestErasureIsNoForgery(t *testing.T) {
	a := newArchive(t)
	a.fill()
	first := a.first()
	// Somebody has changed something before: the erasure does not excuse it.
	a.exec("ALTER TABLE alert_transitions UPDATE note = 'nothing to see' WHERE transition_uid = {t:UUID} SETTINGS mutations_sync = 2", schema.Named("t", transitionUID(3)))
	before := a.verify(a.pinned()).Head
	if err := a.ledger.Amend(t.Context(), erasure, a.erase(first)); err != nil {
		t.Fatal(err)
	}
	r := a.verify(Expect{PublicKeys: a.pinned().PublicKeys, Anchor: before})
	if len(r.Problems) != 1 {
		t.Errorf("problems: %+v", r.Problems)
	}
	mustSay(t, r, 5, transitionUID(3), "no amendment says so")
	if len(r.Remarks) != 1 || r.Remarks[0].Entry != 9 || !strings.Contains(r.Remarks[0].What, "changed 4 items on 2026-03-02, by otto@soc-1: request 7") {
		t.Errorf("remarks: %+v", r.Remarks)
	}
	content, err := decode[AmendmentContent](a.entries()[8])
	if err != nil || content.Changes[0].Was != first.rowHash() || content.Changes[1].Was != HashOf([]byte(first.Content)) {
		t.Errorf("the amendment is %+v, %v", content, err)
	}
	// One that gets another identity, with its request, and one that is too new to be covered.
	a.happens(4, true)
	renamed := Amendment{Erasure: schema.HashUID("erasure", "8"), By: "otto@soc-1", Reason: "request 8"}
	if err := a.ledger.Amend(t.Context(), renamed, func(context.Context) error {
		for _, n := range []int{3, 4} {
			a.exec("INSERT INTO alert_transitions SELECT * REPLACE ({new:UUID} AS transition_uid) FROM alert_transitions FINAL WHERE transition_uid = {t:UUID}",
				schema.Named("t", transitionUID(n)), schema.Named("new", transitionUID(30+n)))
			a.exec("ALTER TABLE alert_transitions DELETE WHERE transition_uid = {t:UUID} SETTINGS mutations_sync = 2", schema.Named("t", transitionUID(n)))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if r := a.verify(a.pinned()); len(r.Problems) != 1 || !strings.Contains(r.Problems[0].What, transitionUID(3)) {
		t.Errorf("after rows got other identities: %+v", r.Problems)
	}
	a.cover()
	if r := a.verify(a.pinned()); len(r.Problems) != 1 || r.Waiting != 0 {
		t.Errorf("covered: %+v", r)
	}
	// The file of the summary as it was is known still.
	dir := t.TempDir()
	if err := WriteFile(filepath.Join(dir, "as-it-was.json"), []byte(first.Content)); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(dir, "as-it-is.json"), []byte(`{"day":1,"erased":true}`)); err != nil {
		t.Fatal(err)
	}
	files, err := VerifyFiles(dir, "", a.entries(), a.pinned())
	if err != nil || files.Files != 2 || !strings.Contains(files.Remarks[1].What, "as it was before an erasure: entry 9") {
		t.Errorf("the files: %+v, %v", files, err)
	}
	if err := a.ledger.Amend(t.Context(), erasure, a.erase(first)); err == nil || !strings.Contains(err.Error(), "has ended already") {
		t.Errorf("the same erasure again: %v", err)
	}
	// A backup is put back.
	a.exec("ALTER TABLE summaries DELETE WHERE amended = 1 SETTINGS mutations_sync = 2")
	if err := SaveSummary(t.Context(), a, &first); err != nil {
		t.Fatal(err)
	}
	mustSay(t, a.verify(a.pinned()), 1, "as it was before the erasure of entry 9", "a backup")
}

func (a *archive) first() Summary {
	a.t.Helper()
	all, err := Summaries(a.t.Context(), a, SummaryFilter{})
	if err != nil || len(all) == 0 {
		a.t.Fatal(err)
	}
	return all[0]
}

// An erasure that died between the two entries says so, and ends when it is run again.
func TestErasureThatDied(t *testing.T) {
	a := newArchive(t)
	a.fill()
	first := a.first()
	died := errors.New("killed")
	err := a.ledger.Amend(t.Context(), erasure, func(ctx context.Context) error {
		return errors.Join(a.erase(first)(ctx), died)
	})
	if !errors.Is(err, died) {
		t.Fatalf("it ends with %v", err)
	}
	mustSay(t, a.verify(a.pinned()), 1, "is not what entry 1 says", "which began with entry 8", "run it again")
	a.ledger = a.newLedger(a.Store)
	if err := a.ledger.Amend(t.Context(), erasure, func(context.Context) error { return nil }); err != nil {
		t.Fatal(err)
	}
	a.mustBeIntact()
	a.summary(4, 1)
	a.mustBeIntact()
}

// racingStore runs something just before an entry is stored.
type racingStore struct {
	schema.Store
	before func()
}

func (s *racingStore) PrepareBatch(ctx context.Context, query string, options ...driver.PrepareBatchOption) (driver.Batch, error) {
	if race := s.before; race != nil && strings.Contains(query, "evidence_chain") {
		s.before = nil
		race()
	}
	return s.Store.PrepareBatch(ctx, query, options...)
}

// Two instances write at once, because one was frozen where no lease could help: the
// chain goes on from one of the two, and the next entry accounts for the other.
func TestTwoEntriesAtOnce(t *testing.T) {
	a := newArchive(t)
	a.fill()
	store := &racingStore{Store: a.Store}
	frozen := a.newLedger(store)
	appendSchedule := func(l *Ledger, tenant string) {
		t.Helper()
		if _, err := l.Append(t.Context(), KindSchedule, schema.HashUID(tenant), 0, ScheduleContent{Tenant: tenant}); err != nil {
			t.Fatal(err)
		}
	}
	store.before = func() { appendSchedule(a.ledger, "one") }
	appendSchedule(frozen, "two")
	mustSay(t, a.verify(a.pinned()), 8, "two entries 8, both signed")
	appendSchedule(a.ledger, "three")
	r := a.mustBeIntact()
	if r.Entries != 10 || len(r.Remarks) != 1 || !strings.Contains(r.Remarks[0].What, "stands beside the chain") {
		t.Errorf("afterwards: %+v", r)
	}
	// What stands beside the chain is not in it, and can be said again.
	for _, tenant := range []string{"one", "two"} {
		appendSchedule(a.ledger, tenant)
	}
	if n := a.mustBeIntact().Entries; n != 11 {
		t.Errorf("%d entries after both were said again", n)
	}
	// The lease keeps a frozen one from writing.
	lost := errors.New("this instance does not lead")
	late := NewLedger(a, a.key, LedgerOptions{Lease: func() error { return lost }})
	if _, err := late.Append(t.Context(), KindSchedule, schema.HashUID("four"), 0, ScheduleContent{}); !errors.Is(err, lost) {
		t.Errorf("without the lease: %v", err)
	}
	other := NewLedger(a, testKey(9), LedgerOptions{})
	if _, err := other.Append(t.Context(), KindSchedule, schema.HashUID("four"), 0, ScheduleContent{}); !errors.Is(err, ErrForeignKey) {
		t.Errorf("with another key: %v", err)
	}
	a.mustBeIntact()
}

// What may be written again after a crash is not covered before it is settled.
func TestHistoryIsCoveredWhenItIsSettled(t *testing.T) {
	a := newArchive(t)
	a.happens(1, false)
	if n, err := a.ledger.Alerts(t.Context()); n != 0 || err != nil {
		t.Errorf("at once, %d are covered, %v", n, err)
	}
	// The process dies between the two saves: the alert is older than what happened.
	a.exec("ALTER TABLE alerts DELETE WHERE 1 SETTINGS mutations_sync = 2")
	if n := a.cover(); n != 0 {
		t.Errorf("%d are covered that may be written again", n)
	}
	a.happens(1, false)
	if n := a.cover(); n != 1 {
		t.Errorf("%d are covered once the alert is saved", n)
	}
	a.happens(2, false)
	if r := a.mustBeIntact(); r.Happenings != 1 || r.Waiting != 1 {
		t.Errorf("waiting: %+v", r)
	}
	if n := a.cover(); n != 1 {
		t.Errorf("then %d", n)
	}
	if n := a.cover(); n != 0 || a.mustBeIntact().Entries != 2 {
		t.Errorf("an entry was written over nothing, %d", n)
	}
	// What never settles does not hold up the rest for ever.
	a.exec(`INSERT INTO alert_transitions (alert_uid, transition_uid, at, version) VALUES ({a:UUID}, {t:UUID}, {at:DateTime64(3, 'UTC')}, 5)`,
		schema.Named("a", alertUID(7)), schema.Named("t", transitionUID(7)), schema.Named("at", stamp(a.now)))
	a.now = a.now.Add(8 * 24 * time.Hour)
	if n := a.cover(); n != 1 {
		t.Errorf("after a week %d", n)
	}
	a.now = time.Now().Add(time.Hour)
	if _, err := a.ledger.Alerts(t.Context()); err == nil || !strings.Contains(err.Error(), "ahead of the database's") {
		t.Errorf("with a clock that is ahead: %v", err)
	}
}

// What is gone because its time is over is not missing; what is gone before that is.
func TestRetention(t *testing.T) {
	a := newArchive(t)
	a.fill()
	for range 2 {
		if err := a.ledger.Retention(t.Context(), RetentionContent{Alerts: 30 * 24 * 3600}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(a.entries()); n != 8 {
		t.Errorf("%d entries", n)
	}
	a.exec("ALTER TABLE alert_transitions DELETE WHERE 1 SETTINGS mutations_sync = 2")
	after := func(days int) *Report {
		expect := a.pinned()
		expect.now = func() time.Time { return a.now.AddDate(0, 0, days) }
		return a.verify(expect)
	}
	if r := after(25); len(r.Problems) != 5 {
		t.Errorf("after 25 days: %+v", r.Problems)
	}
	// The requests are still there for a while.
	if r := after(31); !r.Intact() || len(r.Remarks) != 1 || !strings.Contains(r.Remarks[0].What, "3 items are gone") {
		t.Errorf("after 31 days: %+v", r)
	}
	a.exec("ALTER TABLE summaries DELETE WHERE version = 2 SETTINGS mutations_sync = 2")
	mustSay(t, after(500), 4, "is gone")
	if err := a.ledger.Retention(t.Context(), RetentionContent{}); err != nil {
		t.Fatal(err)
	}
	mustSay(t, after(500), 2, "is gone")
}

func TestSigningKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	path := filepath.Join(dir, KeyFile)
	if _, err := LoadKey(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a file: %v", err)
	}
	var group sync.WaitGroup
	keys := make([]string, 8)
	for i := range keys {
		group.Go(func() {
			key, err := OpenKey(path)
			if err != nil {
				t.Error(err)
				return
			}
			keys[i] = string(key)
		})
	}
	group.Wait()
	for _, k := range keys {
		if k != keys[0] {
			t.Fatal("processes that begin at once have different keys")
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's mode is %v, %v", info.Mode(), err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".*"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKey(path); err == nil || !strings.Contains(err.Error(), "run chmod 600") {
		t.Errorf("a key that others may read: %v", err)
	}
	if err := errors.Join(os.Chmod(path, 0o600), os.WriteFile(path, []byte("short\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKey(path); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged key: %v", err)
	}
}
