package agent

import (
	"context"

	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/agent/spool"
	"github.com/crmwatch/crmwatch/agent/spool/memdisk"
	"github.com/crmwatch/crmwatch/schema"
)

var (
	simulations = flag.Int("simulations", 600, "how many histories of the pipeline are simulated")
	simulation  = flag.Int("simulation", -1, "the one history to simulate, by its seed")
)

// world is an agent with its logs, a disk for its spool that forgets what was not
// synced, a network that loses what it likes, and a clock that runs as fast as the
// test. What happens is decided by the seed.
type world struct {
	t      *testing.T
	seed   uint64
	random *rand.Rand
	// dir has the logs. The positions lie apart from them: the process dies in a history,
	// never the disk that they are on, so that may be the memory.
	dir, state string
	disk       *memdisk.Disk
	store      *store
	written, rotations,
	exports int
	exported map[string]bool
	stop     func()
	w        *Watcher
	failAt   int
	full     bool
}

// TestAnySimulatedHistory wants every line of every history stored exactly once.
func TestAnySimulatedHistory(t *testing.T) {
	first, n := 0, *simulations
	if *simulation >= 0 {
		first, n = *simulation, 1
	}
	root, states := t.TempDir(), memoryDir(t)
	for seed := first; seed < first+n; seed++ {
		dir, state := filepath.Join(root, fmt.Sprint(seed)), filepath.Join(states, fmt.Sprint(seed))
		if err := os.MkdirAll(filepath.Join(dir, "logs"), 0o755); err != nil {
			t.Fatal(err)
		}
		synctest.Test(t, func(t *testing.T) { simulate(t, uint64(seed), dir, state) })
		if t.Failed() {
			t.Fatalf("this history fails; repeat it with: go test ./agent -run AnySimulatedHistory -simulation %d", seed)
		}
		os.RemoveAll(dir)
		os.RemoveAll(state)
	}
}

// memoryDir is a folder whose files need no disk where the system has one, so that a test
// does not wait for every fsync.
func memoryDir(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "crmwatch-test-*")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func simulate(t *testing.T, seed uint64, dir, state string) {
	s := &world{t: t, seed: seed, random: rand.New(rand.NewPCG(seed, 11)), dir: dir, state: state, disk: memdisk.New(), store: newStore(), exported: map[string]bool{}}
	s.disk.Fault = s.fault
	s.start()
	for range 10 + s.random.IntN(30) {
		// All else rests while something happens to the logs: what is done to them in two
		// steps, such as copy and truncate, is seen as a whole.
		synctest.Wait()
		s.act()
	}
	s.end()
}

// fault lets the process die at some operation of its disk, or the disk be full.
func (s *world) fault(op memdisk.Operation, _ string) error {
	if s.full && (op == memdisk.Write || op == memdisk.Create) {
		return errFull
	}
	if s.failAt > 0 {
		if s.failAt--; s.failAt == 0 {
			s.disk.Off()
			return memdisk.ErrPowerCut
		}
	}
	return nil
}

func (s *world) start() {
	out := io.Writer(io.Discard)
	if *simulation >= 0 {
		out = testWriter{s.t}
	}
	log := slog.New(slog.NewTextHandler(out, nil))
	positions, err := OpenPositions(s.state, log)
	if err != nil {
		s.t.Fatal(err)
	}
	queue, recovery, err := spool.Open(spool.Options{FS: s.disk.View(), SegmentBytes: int64(1 + s.random.IntN(4000)), Compression: spool.None,
		RetainAfterAck: time.Duration(s.random.IntN(3)) * time.Minute, BeforeUnlink: positions.Snapshot})
	if err != nil {
		s.t.Fatalf("open spool: %v", err)
	}
	if err := positions.Follow(queue, recovery, log); err != nil {
		s.t.Fatal(err)
	}
	s.w, err = NewWatcher(WatchOptions{
		Sources: []Source{
			{Name: "web", Kind: KindFollow, Format: "nginx", Paths: []string{filepath.Join(s.dir, "logs", "access.log*")}},
			{Name: "crm", Kind: KindExport, Paths: []string{filepath.Join(s.dir, "logs", "*.csv")}},
		},
		Spool: queue, Positions: positions, Redactor: testRedactor(), Log: log,
		Poll: time.Second, Settle: 2 * time.Second, RotateWait: 5 * time.Second, SealAge: time.Second,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	w := s.w
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}, 2)
	go func() {
		_ = w.Run(ctx) // ends with an error when the disk dies under it
		done <- struct{}{}
	}()
	deliverer := &Deliverer{Spool: queue, Send: s.send, Delivered: w.Delivered, Log: log}
	go func() {
		_ = deliverer.Run(ctx)
		done <- struct{}{}
	}()
	s.stop = func() {
		cancel()
		<-done
		<-done
		_ = queue.Close()
		if err := positions.Close(); err != nil {
			s.t.Error(err)
		}
	}
}

// send is a network and a database: a batch may be lost on the way, arrive twice, or
// arrive without an answer.
func (s *world) send(ctx context.Context, d schema.Delivery) error {
	for {
		dice := s.random.IntN(6)
		if dice != 0 { // 0: lost on the way
			if err := s.store.Ship(ctx, Sealed{Events: d.Events, Quarantine: d.Quarantine}); err != nil {
				return err
			}
		}
		if dice > 1 { // 1: the answer is lost
			return ctx.Err()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(1+s.random.IntN(5000)) * time.Millisecond):
		}
	}
}

func (s *world) act() {
	log := filepath.Join(s.dir, "logs", "access.log")
	dice := s.random.IntN(20)
	if *simulation >= 0 {
		s.t.Logf("%s action %d, %d lines", time.Now().Format("04:05.000"), dice, s.written)
	}
	switch {
	case dice < 7:
		n := 1 + s.random.IntN(40)
		s.add(log, lines(s.written, s.written+n))
		s.written += n
	case dice < 9:
		s.rotations++
		_ = os.Rename(log, fmt.Sprintf("%s.%03d", log, s.rotations))
	case dice < 10:
		s.copyTruncate(log)
	case dice < 12:
		from := 1000 * s.exports
		s.exports++
		name := fmt.Sprintf("api%d.csv", s.exports)
		s.exported[name] = true
		s.add(filepath.Join(s.dir, "logs", name), apiHeader+apiRows(from, from+1+s.random.IntN(30)))
	case dice < 13:
		s.die(s.disk.Kill)
	case dice < 14:
		s.die(func() { s.disk.Cut(s.random) })
	case dice < 16:
		s.failAt = 1 + s.random.IntN(20)
		time.Sleep(time.Duration(s.random.IntN(3000)) * time.Millisecond)
		s.die(s.disk.Kill)
	case dice < 17:
		s.full = !s.full
	default:
		time.Sleep(time.Duration(s.random.IntN(8000)) * time.Millisecond)
	}
}

// die ends the agent as kill -9 or a power cut do.
func (s *world) die(how func()) {
	s.disk.Off()
	s.stop()
	s.failAt, s.full = 0, false
	how()
	s.start()
}

func (s *world) add(path, text string) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

func (s *world) copyTruncate(log string) {
	data, err := os.ReadFile(log)
	if err != nil {
		return // there is none at the moment
	}
	s.rotations++
	s.add(fmt.Sprintf("%s.%03d", log, s.rotations), string(data))
	if err := os.Truncate(log, 0); err != nil {
		s.t.Fatal(err)
	}
}

// end lets the faults stop and everything come in.
func (s *world) end() {
	s.failAt, s.full = 0, false
	s.add(filepath.Join(s.dir, "logs", "access.log"), lines(s.written, s.written+1))
	s.written++
	if s.random.IntN(2) == 0 {
		s.die(s.disk.Kill)
	}
	s.settle()
	for _, status := range s.w.Status() {
		if status.Pending != 0 || status.LagBytes != 0 || status.Events+status.Quarantined != status.Stored {
			s.t.Errorf("after all has settled: %+v", status)
		}
	}
	s.stop()
	var got []string
	exported := 0
	for _, r := range s.store.rows {
		if r.source == "web" {
			got = append(got, r.path)
		} else {
			exported++
		}
	}
	want := map[string]bool{}
	for _, path := range wantPaths(0, s.written) {
		want[path] = true
	}
	twice := map[string]int{}
	for _, path := range got {
		if twice[path]++; twice[path] > 1 {
			s.t.Errorf("%s is stored twice", path)
		}
		delete(want, path)
	}
	if len(want) > 0 {
		s.t.Errorf("of %d lines %d are lost", s.written, len(want))
	}
	rows := 0
	for name := range s.exported {
		data, err := os.ReadFile(filepath.Join(s.dir, "logs", name))
		if err != nil {
			s.t.Fatal(err)
		}
		for _, b := range data {
			if b == '\n' {
				rows++
			}
		}
		rows--
	}
	if diff := cmp.Diff(rows, exported); diff != "" {
		s.t.Errorf("rows of exports (-want +got):\n%s", diff)
	}
}

// settle lets everything come in, and then goes on for longer than any file is waited
// for; every eighth history, until the spool has dropped what it kept, too.
func (s *world) settle() {
	began, still := time.Now(), 0
	for time.Since(began) < 5*time.Minute && (still < 2 || s.seed%8 == 0) {
		time.Sleep(12 * time.Second)
		synctest.Wait()
		still++
		for _, status := range s.w.Status() {
			if status.Pending != 0 || status.LagBytes != 0 {
				still = 0
			}
		}
	}
}

var errFull = fmt.Errorf("simulated: %w", syscall.ENOSPC)
