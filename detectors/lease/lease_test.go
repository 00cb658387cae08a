package lease

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// world is a store, one time for all (the server's and that of each process, which is
// another by a constant), and what happens at each statement.
type world struct {
	schema.Store
	t          testing.TB
	began, now time.Time
	instances  []*Lease
	// before and after happen around each statement; an error is that of the statement.
	before, after func(context.Context) error
}

func newWorld(t testing.TB) *world {
	t.Helper()
	store := enginetest.Open(t)
	if _, err := schema.Migrate(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	// What is long ago would expire.
	now := time.Now().UTC().Truncate(time.Second)
	return &world{Store: store, t: t, began: now, now: now}
}

func (w *world) Exec(ctx context.Context, query string, args ...any) error {
	if w.before != nil {
		if err := w.before(ctx); err != nil {
			return err
		}
	}
	err := w.Store.Exec(ctx, query, args...)
	if err == nil && w.after != nil {
		err = w.after(ctx)
	}
	return err
}

func (w *world) Query(ctx context.Context, query string, args ...any) (driver.Rows, error) {
	if w.before != nil {
		if err := w.before(ctx); err != nil {
			return nil, err
		}
	}
	rows, err := w.Store.Query(ctx, query, args...)
	if err == nil && w.after != nil {
		if err = w.after(ctx); err != nil {
			_ = rows.Close()
		}
	}
	return rows, err
}

// instance is one that has just started; the clocks of processes do not agree.
func (w *world) instance() *Lease {
	skew := time.Duration(len(w.instances)) * 17 * time.Hour
	l := newLease(w, "detectors", fmt.Sprint("instance-", len(w.instances)), slog.New(slog.NewTextHandler(io.Discard, nil)),
		func() int64 { return w.now.UnixMilli() },
		func() time.Time { return w.now.Add(skew) })
	w.instances = append(w.instances, l)
	return l
}

// run lets instances live for some time, or until one of them leads that did not.
func (w *world) run(length time.Duration, alive ...*Lease) (took time.Duration, leader *Lease) {
	w.t.Helper()
	due := make([]time.Time, len(alive))
	led := make([]bool, len(alive))
	for i, l := range alive {
		due[i], led[i] = w.now, l.Held() == nil
	}
	began := w.now
	for w.now.Before(began.Add(length)) {
		for i, l := range alive {
			if due[i].After(w.now) {
				continue
			}
			wait, err := l.step(w.t.Context())
			if err != nil {
				w.t.Fatal(err)
			}
			due[i] = w.now.Add(wait)
			if l.Held() == nil && !led[i] {
				return w.now.Sub(began), l
			}
		}
		w.atMostOneLeads()
		w.now = w.now.Add(100 * time.Millisecond)
	}
	return w.now.Sub(began), nil
}

func (w *world) atMostOneLeads() {
	w.t.Helper()
	leaders := 0
	for _, l := range w.instances {
		if l.Held() == nil {
			leaders++
		}
	}
	if leaders > 1 {
		w.t.Fatalf("%d instances lead at %s", leaders, w.now)
	}
}

func TestOneLeadsAndAnotherTakesOver(t *testing.T) {
	w := newWorld(t)
	a, b := w.instance(), w.instance()
	took, first := w.run(time.Minute, a, b)
	if first == nil || took > Settle+time.Second {
		t.Fatalf("after %s, %v leads", took, first)
	}
	other := a
	if first == a {
		other = b
	}
	if _, changed := w.run(3*time.Minute, first, other); changed != nil || first.Held() != nil {
		t.Fatalf("a live leader was followed by %s", changed.holder)
	}
	// It is killed.
	took, second := w.run(2*time.Minute, other)
	if second != other || took < Length-Renew-Margin || took > Length+Poll+Settle+time.Second {
		t.Fatalf("after the leader's death, %v leads after %s", second, took)
	}
	// It leaves in peace.
	c := w.instance()
	w.run(10*time.Second, second, c)
	second.release(t.Context())
	if took, third := w.run(time.Minute, c); third != c || took > Poll+Settle+time.Second {
		t.Fatalf("after the leader left, %v leads after %s", third, took)
	}
	var leaders, terms uint64
	var since time.Time
	err := w.Store.QueryRow(t.Context(), "SELECT uniqExact(holder), uniqExact(term), min(since) FROM leaders FINAL WHERE state = 'leader'").Scan(&leaders, &terms, &since)
	if err != nil || leaders != 3 || terms != 3 || !since.Equal(w.began.Add(Settle)) {
		t.Errorf("the table tells of %d leaders in %d terms, the first since %s, %v", leaders, terms, since, err)
	}
}

// A process that was frozen, or whose machine was, knows that it leads no more before it
// has asked anybody.
func TestFrozenLeaderDoesNotGoOn(t *testing.T) {
	w := newWorld(t)
	a, b := w.instance(), w.instance()
	if _, leader := w.run(time.Minute, a); leader != a {
		t.Fatal("nobody leads")
	}
	w.now = w.now.Add(Length - Margin - time.Millisecond)
	if err := a.Held(); err != nil {
		t.Errorf("before the end: %v", err)
	}
	w.now = w.now.Add(time.Millisecond)
	if err := a.Held(); !errors.Is(err, ErrLost) {
		t.Errorf("at the end: %v", err)
	}
	if _, leader := w.run(time.Minute, b); leader != b {
		t.Fatal("the other does not take over")
	}
	if _, err := a.step(t.Context()); err != nil || a.Held() == nil {
		t.Errorf("awake again: %v, %v", err, a.Held())
	}
	if _, leader := w.run(2*time.Minute, a, b); leader != nil {
		t.Errorf("%s leads beside the other", leader.holder)
	}
}

// A leader whose store does not answer stops before others may lead.
func TestLeaderWithoutStoreStops(t *testing.T) {
	w := newWorld(t)
	a, b := w.instance(), w.instance()
	if _, leader := w.run(time.Minute, a); leader != a {
		t.Fatal("nobody leads")
	}
	refuse := errors.New("no route to host")
	w.before = func(context.Context) error { return refuse }
	for began := w.now; a.Held() == nil; w.now = w.now.Add(500 * time.Millisecond) {
		if _, err := a.step(t.Context()); !errors.Is(err, refuse) {
			t.Fatalf("the step ends with %v", err)
		}
		if w.now.Sub(began) > Length-Margin {
			t.Fatal("it leads for longer than its lease")
		}
	}
	w.before = nil
	if _, leader := w.run(time.Minute, b); leader != b {
		t.Error("the other does not take over")
	}
}

// Whatever freezes, fails or dies at whatever statement, never do two lead, and there is
// always somebody who leads again.
func TestNeverDoTwoLead(t *testing.T) {
	// Who comes first is also a matter of the instances' random names, so how often the
	// lead changed is judged over all seeds.
	changes := 0
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(t)
			random := rand.New(rand.NewPCG(seed, 9))
			due := map[*Lease]time.Time{}
			for range 3 {
				due[w.instance()] = w.now
			}
			busy := map[*Lease]bool{}
			var last *Lease
			var acting func(depth int)
			// At every statement others may act while this one waits.
			depth := 0
			disturb := func(context.Context) error {
				w.atMostOneLeads()
				for depth < 2 && random.IntN(4) == 0 {
					depth++
					w.now = w.now.Add(time.Duration(random.IntN(8000)) * time.Millisecond)
					if random.IntN(12) == 0 {
						w.now = w.now.Add(time.Minute)
					}
					acting(depth)
					depth--
				}
				if random.IntN(12) == 0 {
					return errors.New("connection reset")
				}
				return nil
			}
			w.before, w.after = disturb, disturb
			acting = func(int) {
				for _, l := range w.instances {
					if busy[l] || due[l].After(w.now) {
						continue
					}
					busy[l] = true
					wait, _ := l.step(t.Context())
					due[l], busy[l] = w.now.Add(wait), false
					w.atMostOneLeads()
					if l.Held() == nil && l != last {
						last = l
						changes++
					}
				}
			}
			for range 200 {
				acting(0)
				w.now = w.now.Add(time.Duration(random.IntN(3000)) * time.Millisecond)
			}
			w.before, w.after = nil, nil
			w.now = w.now.Add(time.Minute)
			if took, leader := w.run(2*time.Minute, w.instances...); leader == nil || took > Length+Poll+candidacy+Settle {
				t.Errorf("when all is well again, %v leads after %s", leader, took)
			}
		})
	}
	if changes < 2 {
		t.Errorf("the lead was taken %d times: nothing was tried", changes)
	}
	t.Logf("the lead was taken %d times", changes)
}

// By the clocks that there are: the first leader waits no longer than it must, and leaves
// the lease when it is asked to stop.
func TestRunLeads(t *testing.T) {
	w := newWorld(t)
	l := New(w.Store, "detectors", slog.New(slog.DiscardHandler))
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	began, led := time.Now(), time.Duration(0)
	err := l.Run(ctx, func(ctx context.Context) error {
		led = time.Since(began)
		if err := l.Held(); err != nil {
			t.Error(err)
		}
		stop()
		<-ctx.Done()
		return nil
	})
	if err != nil || led < Settle || !errors.Is(l.Held(), ErrLost) {
		t.Errorf("Run ends with %v, after it led from %s on; then: %v", err, led, l.Held())
	}
	var left uint64
	if err := w.Store.QueryRow(t.Context(), "SELECT count() FROM leaders FINAL WHERE state = 'leader' AND until <= now64(3)").Scan(&left); err != nil || left != 1 {
		t.Errorf("%d leases are given back, %v", left, err)
	}
}
