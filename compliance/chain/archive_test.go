package chain

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

// archive is a database with summaries, alerts and a chain.
type archive struct {
	schema.Store
	t      *testing.T
	now    time.Time
	key    ed25519.PrivateKey
	ledger *Ledger
}

func newArchive(t *testing.T) *archive {
	t.Helper()
	a := &archive{Store: enginetest.OpenStore(t), t: t, now: time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC), key: testKey(1)}
	a.ledger = a.newLedger(a.Store)
	return a
}

func testKey(n byte) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = n
	return ed25519.NewKeyFromSeed(seed)
}

func (a *archive) newLedger(store schema.Store) *Ledger {
	return NewLedger(store, a.key, LedgerOptions{Clock: func() time.Time { return a.now }})
}

func (a *archive) exec(query string, args ...any) {
	a.t.Helper()
	if err := a.Store.Exec(a.t.Context(), query, args...); err != nil {
		a.t.Fatal(err)
	}
}

// summary stores one of a day in March and chains it.
func (a *archive) summary(day int, version uint64) Summary {
	a.t.Helper()
	from := time.Date(2026, 3, day, 0, 0, 0, 0, time.UTC)
	s := Summary{
		Version: version, Tenant: "acme", Period: "daily", From: from, To: from.AddDate(0, 0, 1), MadeAt: a.now, MadeBy: "mira@soc-1", MadeFor: MadeForSchedule,
		Replaces: version - 1, Content: fmt.Sprintf(`{"day":%d,"version":%d}`, day, version),
		Files: []FileHash{{fmt.Sprintf("acme-%d.html", day), HashOf(fmt.Appendf(nil, "page %d", day))}, {fmt.Sprintf("acme-%d.json", day), HashOf(fmt.Appendf(nil, "json %d", day))}},
	}
	s.UID = SummaryUID(s.Tenant, s.Period, s.From, s.To)
	if err := SaveSummary(a.t.Context(), a, &s); err != nil {
		a.t.Fatal(err)
	}
	if _, err := a.ledger.Summaries(a.t.Context()); err != nil {
		a.t.Fatal(err)
	}
	return s
}

func alertUID(n int) string { return schema.HashUID("alert", fmt.Sprint(n)).String() }

func transitionUID(n int) string { return schema.HashUID("transition", fmt.Sprint(n)).String() }

// happens stores that something happened to alert n now; asked is whether a person asked.
func (a *archive) happens(n int, asked bool) {
	a.t.Helper()
	a.exec(`INSERT INTO alert_transitions (alert_uid, transition_uid, at, version, action, from_status, to_status, from_severity_id, to_severity_id, actor, via, note, until, finding_uids)
		VALUES ({a:UUID}, {t:UUID}, {at:DateTime64(3, 'UTC')}, 1, 'open', 'open', 'acknowledged', 2, 4, 'mira@soc-1', 'cli', 'looked at', 0, [{a:UUID}])`,
		schema.Named("a", alertUID(n)), schema.Named("t", transitionUID(n)), schema.Named("at", stamp(a.now)))
	a.exec(`INSERT INTO alerts (alert_uid, version) VALUES ({a:UUID}, 1)`, schema.Named("a", alertUID(n)))
	if asked {
		a.exec(`INSERT INTO alert_requests (request_uid, version, requested_at, alert_uid, action, actor, via, note, until, state, reason)
			VALUES ({t:UUID}, 2, {at:DateTime64(3, 'UTC')}, {a:UUID}, 'acknowledge', 'mira@soc-1', 'cli', 'looked at', 0, 'done', '')`,
			schema.Named("a", alertUID(n)), schema.Named("t", transitionUID(n)), schema.Named("at", stamp(a.now)))
	}
	a.now = a.now.Add(time.Second)
}

func (a *archive) cover() int {
	a.t.Helper()
	a.now = a.now.Add(15 * time.Minute)
	n, err := a.ledger.Alerts(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	return n
}

// fill makes a chain of seven entries over everything that there can be.
func (a *archive) fill() {
	a.t.Helper()
	a.summary(1, 1)
	a.happens(1, true)
	a.happens(2, false)
	a.cover()
	a.summary(2, 1)
	a.summary(1, 2)
	a.happens(3, true)
	a.cover()
	a.summary(3, 1)
	if _, err := a.ledger.Append(a.t.Context(), KindSkipped, schema.HashUID("skip"), 0, SkippedContent{Tenant: "acme", Period: "daily"}); err != nil {
		a.t.Fatal(err)
	}
}

func (a *archive) verify(expect Expect) *Report {
	a.t.Helper()
	r, err := Verify(context.Background(), a, expect)
	if err != nil {
		a.t.Fatal(err)
	}
	return r
}

// pinned is what the owner of the key expects.
func (a *archive) pinned() Expect { return Expect{PublicKeys: []string{a.ledger.PublicKey()}} }

func (a *archive) mustBeIntact() *Report {
	a.t.Helper()
	r := a.verify(a.pinned())
	if !r.Intact() {
		a.t.Fatalf("not intact: %+v", r.Problems)
	}
	return r
}

// mustSay checks that the first problem is about an entry, and what is said of it.
func mustSay(t *testing.T, r *Report, entry uint64, words ...string) {
	t.Helper()
	if r.Intact() {
		t.Fatal("it is intact")
	}
	first := r.Problems[0]
	for _, w := range words {
		if first.Entry != entry || !strings.Contains(first.What+" "+first.Differs+" "+first.Means, w) {
			t.Errorf("the first problem is %+v, want entry %d and %q", first, entry, w)
		}
	}
}

func (a *archive) entries() []Entry {
	a.t.Helper()
	list, err := readEntries(a.t.Context(), a, 0)
	if err != nil {
		a.t.Fatal(err)
	}
	return list
}

// replaceEntries makes the table hold these entries.
func (a *archive) replaceEntries(list []Entry) {
	a.t.Helper()
	a.exec("TRUNCATE TABLE evidence_chain")
	for _, e := range list {
		if err := insertEntry(a.t.Context(), a, e); err != nil {
			a.t.Fatal(err)
		}
	}
}
