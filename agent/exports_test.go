package agent

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// dropRig watches logs/ for whatever is dropped there.
func dropRig(t *testing.T, kind Kind) *rig {
	return newRig(t, Source{Name: "drop", Kind: kind, Paths: []string{"logs"}})
}

func (r *rig) wantStored(n int) {
	r.t.Helper()
	if got := len(r.store.paths()); got != n {
		r.t.Errorf("%d events are stored, want %d", got, n)
	}
}

func TestExportIsLoadedWhenItStandsStill(t *testing.T) {
	r := dropRig(t, KindExport)
	r.write("logs/api.csv", apiHeader+apiRows(0, 10))
	r.step(time.Second)
	r.flushed()
	r.wantStored(0)
	r.add("logs/api.csv", apiRows(10, 20))
	r.step(time.Second)
	r.step(time.Second)
	r.flushed()
	r.wantStored(0)
	r.settle()
	r.wantStored(20)
	r.wantArrived(20)
	// Neither polls, nor a restart, nor a new name make it new.
	r.rename("logs/api.csv", "logs/api.old.csv")
	r.settle()
	r.restart()
	r.settle()
	r.wantArrived(20)
	// When it grows, it is read again, and what was known collapses.
	r.add("logs/api.old.csv", apiRows(20, 25))
	r.settle()
	r.wantStored(25)
	r.wantArrived(45)
}

func TestExportsOfEveryKind(t *testing.T) {
	r := dropRig(t, KindExport)
	r.write("logs/a.csv.gz", gzipped(t, apiHeader+apiRows(0, 5)))
	r.write("logs/b.zip", zipped(t, "1.csv", apiHeader+apiRows(5, 10), "2.csv", apiHeader+apiRows(10, 15), "readme", "hello\n"))
	r.write("logs/c.csv", noise(5000))
	r.write("logs/d.csv", "")
	r.write("logs/e.log", lines(0, 7))
	r.settle()
	r.wantStored(22)
	r.wantArrived(22)
	var problems []string
	for _, p := range r.w.Status()[0].Problems {
		problems = append(problems, p.File+": "+string(p.Status))
	}
	want := "b.zip!readme: not recognised, c.csv: not recognised, d.csv: empty"
	if got := strings.Join(problems, ", "); got != want {
		t.Errorf("problems: %s, want %s", got, want)
	}
}

func TestExportIsReadAgainAfterACrash(t *testing.T) {
	r := dropRig(t, KindExport)
	r.write("logs/api.csv", apiHeader+apiRows(0, 70_000))
	r.store.hold = make(chan struct{})
	r.step(time.Second)
	r.step(3 * time.Second)
	close(r.store.hold)
	waitFor(t, 10*time.Second, func() bool { return r.w.Status()[0].Stored > 0 })
	r.kill()
	r.store.hold = nil
	r.start()
	r.settle()
	r.wantStored(70_000)
}

func TestAutoTellsLogsFromExports(t *testing.T) {
	r := dropRig(t, KindAuto)
	r.write("logs/access.log", lines(0, 5))
	r.write("logs/api.csv", apiHeader+apiRows(0, 5))
	r.write("logs/late.log", "")
	r.step(time.Second)
	r.add("logs/access.log", lines(5, 8))
	r.add("logs/late.log", lines(20, 22))
	r.settle()
	r.wantStored(15)
	r.wantArrived(15)
	r.restart()
	r.add("logs/access.log", lines(8, 9))
	r.settle()
	r.wantStored(16)
	r.wantArrived(16)
}

// TestPackedRotatedLog packs a rotated log of which a part was not read yet.
func TestPackedRotatedLog(t *testing.T) {
	r := followRig(t)
	r.write(log, lines(0, 100))
	r.step(time.Second)
	r.step(time.Second)
	r.flushed()
	r.kill()
	r.write(log+".1.gz", gzipped(t, lines(0, 150)))
	os.Remove(r.path(log))
	r.write(log, lines(150, 160))
	r.write(log+".2.gz", gzipped(t, lines(200, 220))) // of a log never seen before
	r.start()
	r.settle()
	r.restart()
	r.settle()
	r.wantStored(180)
	r.wantArrived(180)
}

func TestLogIsPackedWhileItIsOpen(t *testing.T) {
	r := followRig(t)
	r.write(log, lines(0, 100))
	r.step(time.Second)
	r.rename(log, log+".1")
	r.write(log, lines(100, 110))
	r.step(time.Second)
	r.write(log+".1.gz", gzipped(t, lines(0, 100)))
	os.Remove(r.path(log + ".1"))
	r.settle()
	r.wantLines(0, 110)
	r.wantArrived(110)
}

func TestLedgerBalancesAtEveryMoment(t *testing.T) {
	r := followRig(t)
	r.store.hold = make(chan struct{})
	r.write(log, lines(0, 50)+"this is no access log line\n"+lines(50, 60))
	r.step(time.Second)
	s := r.w.Status()[0]
	if s.Events != 60 || s.Quarantined != 1 || s.Pending != 61 || s.Stored != 0 {
		t.Errorf("while the store stands still: %+v", s)
	}
	close(r.store.hold)
	r.settle()
	s = r.w.Status()[0]
	if s.Pending != 0 || s.Stored != 61 || s.LagBytes != 0 {
		t.Errorf("afterwards: %+v", s)
	}
	if len(r.store.quarantine) != 1 {
		t.Errorf("quarantine: %v", r.store.quarantine)
	}
}

// TestHugeLineOfALog appends a line of 20 MiB, and a hole of 64 MiB.
func TestHugeLineOfALog(t *testing.T) {
	r := followRig(t)
	r.write(log, lines(0, 10))
	r.step(time.Second)
	for range 20 {
		r.add(log, strings.Repeat("x", 1<<20))
		r.step(time.Second)
	}
	r.add(log, "\n"+lines(10, 20))
	r.step(time.Second)
	info, err := os.Stat(r.path(log))
	if err == nil {
		err = os.Truncate(r.path(log), info.Size()+64<<20)
	}
	if err != nil {
		t.Fatal(err)
	}
	r.step(time.Second)
	r.add(log, lines(20, 30))
	r.settle()
	r.wantLines(0, 30)
	if got := cap(r.w.buf); got > 6<<20 {
		t.Errorf("the buffer grew to %d MiB", got>>20)
	}
}

func TestManyLogs(t *testing.T) {
	r := newRig(t, Source{Name: "web", Kind: KindFollow, Format: "nginx", Paths: []string{"logs/*.log"}})
	const logs = 1200
	for i := range logs {
		r.write(fmt.Sprintf("logs/%04d.log", i), line(i))
	}
	r.step(time.Second)
	for i := range logs {
		r.add(fmt.Sprintf("logs/%04d.log", i), line(i+logs))
	}
	r.settle()
	r.wantLines(0, 2*logs)
	r.wantArrived(2 * logs)
}
