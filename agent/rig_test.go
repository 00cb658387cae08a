package agent

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// rig is a watcher whose clock and polls the test drives by hand.
type rig struct {
	t       *testing.T
	dir     string
	state   string
	sources []Source
	store   *store
	clock   atomic.Int64
	w       *Watcher
	stopped func()
	// byHand means that batches are shipped by shipNow, and not at once.
	byHand bool
	// residency keeps out what belongs elsewhere.
	residency *Residency
}

func newRig(t *testing.T, sources ...Source) *rig {
	r := &rig{t: t, dir: t.TempDir(), store: newStore()}
	r.clock.Store(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC).UnixNano())
	r.state = filepath.Join(memoryDir(t), "state")
	if err := os.Mkdir(r.path("logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, s := range sources {
		for i := range s.Paths {
			s.Paths[i] = r.path(s.Paths[i])
		}
		r.sources = append(r.sources, s)
	}
	r.start()
	t.Cleanup(r.kill)
	return r
}

// followRig follows logs/access.log*.
func followRig(t *testing.T) *rig {
	return newRig(t, Source{Name: "web", Kind: KindFollow, Paths: []string{"logs/access.log*"}})
}

func (r *rig) path(name string) string { return filepath.Join(r.dir, name) }

func (r *rig) start() {
	r.t.Helper()
	log := slog.New(slog.NewTextHandler(testWriter{r.t}, nil))
	positions, err := OpenPositions(r.state, log)
	if err != nil {
		r.t.Fatal(err)
	}
	r.w, err = NewWatcher(WatchOptions{
		Sources: r.sources, Ship: r.store.Ship, Positions: positions, Redactor: testRedactor(), Residency: r.residency, Log: log,
		SealAge: time.Millisecond, Now: func() time.Time { return time.Unix(0, r.clock.Load()).UTC() },
	})
	if err != nil {
		r.t.Fatal(err)
	}
	w := r.w
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	w.readers.Go(func() { w.loadExports(ctx, ctx) })
	go func() {
		defer close(done)
		if !r.byHand {
			w.shipAll(ctx)
			w.discardRest()
		}
	}()
	r.stopped = func() {
		cancel()
		close(w.exports)
		w.readers.Wait()
		close(w.out)
		<-done
		for _, s := range w.sources {
			s.close()
		}
		positions.Close()
	}
}

// kill ends the watcher as kill -9 does: nothing that is open is sealed.
func (r *rig) kill() {
	if r.stopped != nil {
		r.stopped()
		r.stopped = nil
	}
}

func (r *rig) restart() {
	r.kill()
	r.start()
}

// step lets d pass and polls until nothing more is read, without waiting for Ship.
func (r *rig) step(d time.Duration) {
	r.clock.Add(int64(d))
	for r.w.poll(context.Background()) {
	}
	r.clock.Add(int64(time.Millisecond))
	r.w.poll(context.Background())
}

// settle polls over a minute and a half, until everything is read and stored.
func (r *rig) settle() {
	r.t.Helper()
	for range 30 {
		r.step(3 * time.Second)
		r.flushed()
	}
}

// flushed waits until every batch and export is stored. It asks what waits before it
// counts the batches: an export is handed on before it no longer waits.
func (r *rig) flushed() {
	r.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for r.waiting() || len(r.w.free) < batchesInFlight {
		if time.Now().After(deadline) {
			r.t.Fatal("batches are not shipped")
		}
		time.Sleep(100 * time.Microsecond)
	}
}

// shipNow ships, by hand, the batches that are sealed, and commits their positions
// or leaves that to be cut off by a crash.
func (r *rig) shipNow(commit bool) {
	r.t.Helper()
	for {
		// Asked before the look at the batches, for the same reason as in flushed.
		waiting := commit && r.waiting()
		select {
		case b := <-r.w.out:
			var e encoder
			err := e.encode(&b)
			if err == nil {
				err = r.store.Ship(context.Background(), b)
			}
			if err == nil && commit {
				err = r.w.Positions.Commit(b.Positions, r.w.Now())
			}
			if err != nil {
				r.t.Fatal(err)
			}
			r.w.free <- b.filling
		default:
			if !waiting {
				return
			}
			time.Sleep(50 * time.Microsecond)
		}
	}
}

func (r *rig) waiting() bool {
	for _, s := range r.w.Status() {
		if s.WaitingBytes > 0 {
			return true
		}
	}
	return false
}

func (r *rig) write(name, content string) {
	r.t.Helper()
	if err := os.WriteFile(r.path(name), []byte(content), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) add(name, content string) {
	r.t.Helper()
	f, err := os.OpenFile(r.path(name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = f.WriteString(content)
		f.Close()
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) rename(from, to string) {
	r.t.Helper()
	if err := os.Rename(r.path(from), r.path(to)); err != nil {
		r.t.Fatal(err)
	}
}

// wantLines checks that the lines [from, to) are stored, each once.
func (r *rig) wantLines(from, to int) {
	r.t.Helper()
	if diff := cmp.Diff(wantPaths(from, to), r.store.paths()); diff != "" {
		r.t.Errorf("stored lines (-want +got):\n%s", diff)
	}
}

// wantArrived checks that nothing was even sent twice.
func (r *rig) wantArrived(n int) {
	r.t.Helper()
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	if r.store.arrived != n {
		r.t.Errorf("%d events were shipped, want %d", r.store.arrived, n)
	}
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", p)
	return len(p), nil
}
