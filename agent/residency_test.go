package agent

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// inEurope is a store of the region eu, where acme is at home, and globex is not.
func inEurope() *Residency {
	return &Residency{Here: "eu", Residency: schema.Residency{Tenants: map[string]string{"acme": "eu", "globex": "us"}}}
}

// calls are lines that name their tenant, of several in turn.
func calls(from, to int, tenants ...string) string {
	var b strings.Builder
	for n := from; n < to; n++ {
		tenant := tenants[n%len(tenants)]
		fmt.Fprintf(&b, `{"time":"2026-03-02T09:%02d:%02dZ","tenant":"%s","user":"svc@%s","action":"read","path":"/%d","status":200}`+"\n", n/60%60, n%60, tenant, tenant, n)
	}
	return b.String()
}

// watchShipped lets the test see all that was shipped.
func (r *rig) watchShipped() (events, quarantined *[]map[string]string) {
	events, quarantined = &[]map[string]string{}, &[]map[string]string{}
	r.store.seen = func(e, q []map[string]string) {
		*events, *quarantined = append(*events, e...), append(*quarantined, q...)
	}
	return events, quarantined
}

func TestWhatBelongsElsewhereIsNotKept(t *testing.T) {
	for _, kind := range []Kind{KindExport, KindFollow} {
		t.Run(string(kind), func(t *testing.T) {
			r := newRig(t, Source{Name: "calls", Kind: kind, Format: "json-lines", Paths: []string{"logs/calls.json"}})
			r.kill()
			r.residency = inEurope()
			r.start()
			events, quarantined := r.watchShipped()
			r.write("logs/calls.json", calls(0, 90, "acme", "globex", "stranger")+"{\"tenant\":\"globex\", no json\n")
			r.settle()
			r.store.mu.Lock()
			defer r.store.mu.Unlock()
			if len(*events) != 30 {
				t.Errorf("%d events are shipped, want those 30 of acme", len(*events))
			}
			places, rejected := 0, 0
			for _, q := range *quarantined {
				if q["reason"] == schema.ReasonResidency {
					places++
					if q["content"] != "" || q["x_source_file"] == "" || q["x_source_offset"] == "0" || !strings.Contains(q["detail"], "region us") {
						t.Errorf("the place is %v", q)
					}
				} else {
					rejected++
				}
			}
			if places != 1 || rejected != 1 {
				t.Errorf("%d places and %d rejected records, want 1 and 1: %v", places, rejected, *quarantined)
			}
			if all := fmt.Sprint(*events, *quarantined); strings.Contains(all, "globex") || strings.Contains(all, "stranger") {
				t.Errorf("what is shipped names a tenant of elsewhere:\n%s", all)
			}
			status := r.w.Status()[0]
			if status.Events != 30 || status.Quarantined != 1 || status.Filtered[schema.ReasonResidency] != 60 || status.Stored != 31 || status.Pending != 0 {
				t.Errorf("the status is %+v", status)
			}
		})
	}
}

// Where quarantine belongs here, the content of records is kept.
func TestQuarantineIsKeptWhereItBelongs(t *testing.T) {
	r := newRig(t, Source{Name: "calls", Kind: KindExport, Format: "json-lines", Paths: []string{"logs/calls.json"}})
	r.kill()
	r.residency = inEurope()
	r.residency.Quarantine = "eu"
	r.start()
	_, quarantined := r.watchShipped()
	r.write("logs/calls.json", calls(0, 3, "acme")+"no json\n")
	r.settle()
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	if len(*quarantined) != 1 || !strings.Contains((*quarantined)[0]["content"], "no json") {
		t.Errorf("in quarantine: %v", *quarantined)
	}
}

// Who sends a record of elsewhere gets an answer, though nothing of it is kept.
func TestWhatIsReceivedForElsewhereIsNotKept(t *testing.T) {
	positions, err := OpenPositions(t.TempDir()+"/state", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer positions.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := newStore()
	var all []map[string]string
	s.seen = func(events, quarantined []map[string]string) { all = append(append(all, events...), quarantined...) }
	var receipts []Receipt
	w, err := NewWatcher(WatchOptions{
		Inlets: []Inlet{{Name: "edge", Format: "json-lines"}}, Residency: inEurope(), Ship: s.Ship, Positions: positions, Redactor: testRedactor(),
		Log: slog.New(slog.DiscardHandler), SealAge: time.Millisecond, Poll: 10 * time.Millisecond,
		Receive: func(ctx context.Context, to *Intake) error {
			defer cancel()
			for n, tenant := range []string{"globex", "acme", "globex"} {
				answered := make(chan Receipt, 1)
				if err := to.Put(ctx, Message{Inlet: "edge", Place: "otlp+http://127.0.0.1:4318", Data: []byte(calls(n, n+1, tenant)), Answer: func(r Receipt) { answered <- r }}); err != nil {
					return err
				}
				receipts = append(receipts, <-answered)
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if len(receipts) != 3 || receipts[0].Filtered != 1 || receipts[0].Events != 0 || receipts[1].Events != 1 || receipts[2].Filtered != 1 || receipts[2].Err != nil {
		t.Errorf("the receipts are %+v", receipts)
	}
	status := w.Status()[0]
	if status.Events != 1 || status.Stored != 1 || status.Filtered[schema.ReasonResidency] != 2 || len(all) != 2 || strings.Contains(fmt.Sprint(all), "globex") {
		t.Errorf("the status is %+v, shipped was %v", status, all)
	}
}

// A large file is read by several at once; each counts what it keeps out.
func TestPartsOfAFileCountWhatTheyKeepOut(t *testing.T) {
	const n = 30000
	dir := writeFiles(t, map[string]string{"api.csv": apiHeader + apiRows(0, 100) + strings.ReplaceAll(apiRows(100, n), "00D7x0000004Abc", "00D7x0000004Abd")})
	var places, chunks int
	tenants := map[string]bool{}
	load := func(residency *Residency) Report {
		t.Helper()
		s := newStore()
		places, chunks = 0, 0
		s.seen = func(events, quarantined []map[string]string) {
			chunks++
			for _, e := range events {
				tenants[e["metadata_tenant_uid"]] = true
			}
			for _, q := range quarantined {
				if q["reason"] == schema.ReasonResidency {
					places++
				}
			}
		}
		report, err := Load(t.Context(), LoadOptions{Paths: []string{dir}, Ship: s.Ship, Redactor: testRedactor(), Source: "api", Workers: 3, chunkSize: 1 << 18, residency: residency, Zone: time.UTC})
		if err != nil {
			t.Fatal(err)
		}
		return report
	}
	load(nil)
	home := map[string]string{}
	for tenant := range tenants {
		if strings.HasPrefix(tenant, "00D7x0000004Abc") {
			home[tenant] = "eu"
		}
	}
	if len(tenants) != 2 || len(home) != 1 || chunks < 2 {
		t.Fatalf("the tenants are %v, in %d batches", tenants, chunks)
	}
	report := load(&Residency{Here: "eu", Residency: schema.Residency{Tenants: home}})
	if f := report.Files[0]; f.Events != 100 || f.Filtered != n-100 || f.Records != n || f.Quarantined != 0 || report.Totals.Filtered != n-100 || places != 1 {
		t.Errorf("%d events, %d filtered, %d records, %d places", f.Events, f.Filtered, f.Records, places)
	}
}
