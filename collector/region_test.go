package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/compress"

	"github.com/crmwatch/crmwatch/schema"
)

// of is a delivery of rows of several tenants, each of which is named in every text.
func of(t testing.TB, sequence uint64, tenants ...string) schema.Delivery {
	t.Helper()
	b := schema.NewBatch()
	for i, tenant := range tenants {
		var e schema.Event
		e.SetTime(time.Date(2026, 3, 2, 9, 0, i%60, 0, time.UTC))
		e.UID = schema.HashUID(tenant, fmt.Sprint(sequence), fmt.Sprint(i))
		e.Number[schema.ClassUID] = schema.ClassAPIActivity
		e.Text[schema.MetadataTenantUID] = tenant
		e.Text[schema.ActorUserName] = "svc@" + tenant
		e.Text[schema.Message] = "a call of " + tenant
		e.AddUnmapped("OF_"+tenant, tenant)
		b.Append(&e)
	}
	block, err := b.AppendBlock(nil)
	if err != nil {
		t.Fatal(err)
	}
	return schema.Delivery{AgentUID: testUID, Sequence: sequence, Sealed: time.Unix(1_800_000_000, 0), Events: schema.RawFrames(block, b.Rows())}
}

// framed is the delivery as an agent sends it: compressed.
func framed(t testing.TB, d schema.Delivery) schema.Delivery {
	t.Helper()
	w := compress.NewWriter(compress.LevelZero, compress.LZ4)
	if err := w.Compress(d.Events.Data); err != nil {
		t.Fatal(err)
	}
	d.Events.Data, d.Events.Framed = bytes.Clone(w.Data), true
	return d
}

func withQuarantine(t testing.TB, d schema.Delivery, content string) schema.Delivery {
	t.Helper()
	var q schema.QuarantineBatch
	q.Add(&schema.Quarantined{UID: schema.HashUID(content, fmt.Sprint(d.Sequence)), Source: "crm", File: "a.log", Reason: "not understood", Content: content})
	block, err := q.AppendBlock(nil)
	if err != nil {
		t.Fatal(err)
	}
	d.Quarantine = schema.RawFrames(block, 1)
	return d
}

// flaky is a store whose statements fail now and then, before or after they had effect.
type flaky struct {
	schema.Store
	random *rand.Rand
}

var errFlaky = errors.New("the connection is lost")

func (f *flaky) around(statement func() error) error {
	switch f.random.IntN(6) {
	case 0:
		return errFlaky
	case 1:
		if err := statement(); err != nil {
			return err
		}
		return errFlaky
	}
	return statement()
}

func (f *flaky) Exec(ctx context.Context, query string, args ...any) error {
	return f.around(func() error { return f.Store.Exec(ctx, query, args...) })
}

func (f *flaky) InsertFormat(ctx context.Context, format, query string, r io.Reader) error {
	return f.around(func() error { return f.Store.InsertFormat(ctx, format, query, r) })
}

func serveCollector(t testing.TB, c *Collector) (*Collector, string) {
	t.Helper()
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	return c, server.URL
}

var europeAndUS = &schema.Residency{Tenants: map[string]string{"acme": "eu", "initech": "eu", "globex": "us"}, Quarantine: "eu"}

// everything is all that a database holds, as text.
func everything(t testing.TB, conn schema.Store) string {
	t.Helper()
	var all strings.Builder
	for _, table := range []string{"events", "quarantine", "deliveries"} {
		var text string
		if err := conn.QueryRow(t.Context(), "SELECT arrayStringConcat(groupArray(toString(tuple(*))), '\n') FROM "+table).Scan(&text); err != nil {
			t.Fatal(err)
		}
		all.WriteString(text)
	}
	return all.String()
}

// Batches of one tenant and of several are sent through collectors that are killed in
// their midst, to stores that fail, and again and again: each store has its own rows,
// each once, and nothing else.
func TestEachRegionHasItsOwnAndNothingElse(t *testing.T) {
	eu, us := database(t), database(t)
	random := rand.New(rand.NewPCG(7, 8))
	fast := func() *Collector {
		c := New(Options{Authenticate: byToken, Residency: europeAndUS, InsertTime: 2 * time.Second,
			Stores: []RegionStore{{"eu", &flaky{eu, random}}, {"us", &flaky{us, random}}}})
		for _, s := range c.stores {
			s.inserter.FirstWait, s.inserter.GiveUpAfter = time.Millisecond, time.Nanosecond
		}
		return c
	}
	all := []string{"acme", "initech", "globex"}
	want := map[string]uint64{}
	quarantined := uint64(0)
	for sequence := uint64(1); sequence <= 40; sequence++ {
		var rows []string
		for range 1 + random.IntN(30) {
			rows = append(rows, all[random.IntN(1+int(sequence)%3)])
		}
		d := of(t, sequence, rows...)
		if sequence%4 == 0 {
			d = withQuarantine(t, d, "a record of nobody knows whom")
			quarantined++
		}
		if random.IntN(2) == 0 {
			d = framed(t, d)
		}
		for _, tenant := range rows {
			want[tenant]++
		}
		body := wire(t, d)
		stored := false
		for try := 0; !stored; try++ {
			if try > 200 {
				t.Fatalf("batch %d is not stored", sequence)
			}
			_, url := serveCollector(t, fast()) // a new one each time, as after a kill
			status, _ := post(t, url, "web-1", bytes.NewReader(body))
			stored = status == 200
		}
		if sequence%5 == 0 { // an answer that was lost
			_, url := serveCollector(t, New(Options{Authenticate: byToken, Residency: europeAndUS, Stores: []RegionStore{{"eu", eu}, {"us", us}}}))
			if status, answer := post(t, url, "web-1", bytes.NewReader(body)); status != 200 || !strings.Contains(answer, "duplicate") {
				t.Errorf("batch %d again: %d %s", sequence, status, answer)
			}
		}
	}
	for tenant, store := range map[string]schema.Store{"acme": eu, "initech": eu, "globex": us} {
		if got := count(t, store, "SELECT count() FROM events WHERE metadata_tenant_uid = '"+tenant+"'"); got != want[tenant] {
			t.Errorf("%d rows of %s, want %d", got, tenant, want[tenant])
		}
	}
	if text := everything(t, eu); strings.Contains(text, "globex") {
		t.Error("the store of eu holds the word globex")
	}
	if text := everything(t, us); strings.Contains(text, "acme") || strings.Contains(text, "initech") || strings.Contains(text, "nobody knows whom") {
		t.Error("the store of us holds what belongs to eu")
	}
	if got := count(t, eu, "SELECT count() FROM quarantine FINAL"); got != quarantined {
		t.Errorf("%d rows in quarantine, want %d", got, quarantined)
	}
	if got := count(t, eu, "SELECT sum(rows) FROM deliveries FINAL"); got != want["acme"]+want["initech"] {
		t.Errorf("the deliveries of eu count %d rows, want %d", got, want["acme"]+want["initech"])
	}
	if got := count(t, us, "SELECT sum(rows) + sum(quarantined) FROM deliveries FINAL"); got != want["globex"] {
		t.Errorf("the deliveries of us count %d rows, want %d", got, want["globex"])
	}
}

func TestATenantOfNoRegionIsStoredNowhere(t *testing.T) {
	eu, us := database(t), database(t)
	c, url := serveCollector(t, New(Options{Authenticate: byToken, Residency: &schema.Residency{Tenants: map[string]string{"acme": "eu", "globex": "us"}},
		Stores: []RegionStore{{"eu", eu}, {"us", us}}}))
	for _, tenants := range [][]string{{"acme", "stranger"}, {"stranger"}, {"globex", ""}} {
		status, answer := post(t, url, "web-1", bytes.NewReader(wire(t, of(t, 1, tenants...))))
		if status != 422 || !strings.Contains(answer, "residency.tenants") {
			t.Errorf("%v: %d %s", tenants, status, answer)
		}
	}
	// Without a region for it, quarantine is kept nowhere, and counted.
	d := withQuarantine(t, of(t, 2, "globex"), "a record of nobody knows whom")
	if status, answer := post(t, url, "web-1", bytes.NewReader(wire(t, d))); status != 200 {
		t.Errorf("with quarantine: %d %s", status, answer)
	}
	d.Events, d.Sequence = schema.Frames{}, 3
	if status, answer := post(t, url, "web-1", bytes.NewReader(wire(t, d))); status != 200 {
		t.Errorf("quarantine alone: %d %s", status, answer)
	}
	if got := c.Stats().Filtered; got != 2 {
		t.Errorf("%d records are counted as filtered, want 2", got)
	}
	if text := everything(t, eu); text != "" {
		t.Errorf("eu holds %s", text)
	}
	if text := everything(t, us); strings.Contains(text, "nobody knows whom") || !strings.Contains(text, "globex") || strings.Contains(text, "stranger") {
		t.Errorf("us holds %s", text)
	}
}
