package agent

import (
	"fmt"
	"os"
	"testing"
	"time"
)

const log = "logs/access.log"

func TestRotationByRename(t *testing.T) {
	r := followRig(t)
	r.write(log, lines(0, 10))
	r.step(time.Second)
	// The last lines come just before the rename, and the server goes on writing to
	// the old file until it reopens.
	r.add(log, lines(10, 12))
	r.rename(log, log+".1")
	r.write(log, lines(20, 25))
	r.add(log+".1", lines(12, 15))
	r.step(time.Second)
	r.add(log+".1", lines(15, 20))
	r.step(time.Second)
	r.add(log, lines(25, 30))
	r.settle()
	r.wantLines(0, 30)
	r.wantArrived(30)
}

func TestRotationOutOfThePattern(t *testing.T) {
	r := followRig(t)
	r.write(log, lines(0, 10))
	r.step(time.Second)
	r.add(log, lines(10, 12))
	r.rename(log, "old.log")
	r.write(log, lines(20, 21))
	r.step(time.Second)
	r.add("old.log", lines(12, 20))
	r.settle()
	r.wantLines(0, 21)
	r.wantArrived(21)
}

func TestRotationsWhileDown(t *testing.T) {
	r := followRig(t)
	r.write(log, lines(0, 10))
	r.step(time.Second)
	r.kill()
	r.add(log, lines(10, 20))
	for i := range 5 {
		for n := i; n > 0; n-- {
			r.rename(fmt.Sprintf("%s.%d", log, n), fmt.Sprintf("%s.%d", log, n+1))
		}
		r.rename(log, log+".1")
		r.write(log, lines(20+i*10, 30+i*10))
	}
	r.start()
	r.settle()
	r.wantLines(0, 70)
}

func TestCopyTruncate(t *testing.T) {
	r := followRig(t)
	r.write(log, lines(0, 10))
	r.step(time.Second)
	// What was appended since the last look is only in the copy.
	r.add(log, lines(10, 15))
	r.write(log+".1", lines(0, 15))
	r.write(log, "")
	r.step(time.Second)
	r.add(log, lines(15, 20))
	r.settle()
	r.wantLines(0, 20)
	r.wantArrived(20)
}

func TestCopyIsSeenBeforeTheTruncation(t *testing.T) {
	r := followRig(t)
	r.write(log, lines(0, 30))
	r.step(time.Second)
	r.write(log+".1", lines(0, 20)) // the copy is being written
	r.step(time.Second)
	r.add(log, lines(30, 35))
	r.write(log+".1", lines(0, 30))
	r.step(time.Second)
	r.write(log, "")
	r.step(time.Second)
	r.add(log, lines(35, 40))
	r.settle()
	r.wantLines(0, 40)
	r.wantArrived(40)
}

func TestCopyTruncateWhileDown(t *testing.T) {
	r := followRig(t)
	r.write(log, lines(0, 20))
	r.step(time.Second)
	r.step(time.Second)
	r.flushed()
	r.kill()
	r.write(log+".1", lines(0, 25))
	r.write(log, lines(25, 60))
	r.start()
	r.settle()
	r.wantLines(0, 60)
	r.wantArrived(60)
}

func TestBackupCopyIsNotReadAgain(t *testing.T) {
	r := followRig(t)
	r.write(log, lines(0, 50))
	r.step(time.Second)
	r.write(log+".bak", lines(0, 40))
	r.settle()
	r.rename(log, log+".1")
	r.write(log, lines(50, 60))
	r.settle()
	r.restart()
	r.settle()
	r.wantLines(0, 60)
	r.wantArrived(60)
}

func TestTruncatedAndGrownLarger(t *testing.T) {
	r := followRig(t)
	r.write(log, lines(0, 20))
	r.step(time.Second)
	r.write(log, lines(20, 60))
	r.step(time.Second)
	r.settle()
	r.wantLines(0, 60)
	if got := r.w.Status()[0].Truncations; got != 1 {
		t.Errorf("%d truncations are counted, want 1", got)
	}
}

func TestOverwrittenWithTheSameSize(t *testing.T) {
	r := followRig(t)
	r.write(log, lines(0, 20))
	r.step(time.Second)
	r.write(log, lines(20, 40))
	r.settle()
	r.wantLines(0, 40)
}

func TestWriterWithoutAppendLeavesAHole(t *testing.T) {
	r := followRig(t)
	f, err := os.Create(r.path(log))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.WriteString(lines(0, 20))
	r.step(time.Second)
	f.Truncate(0)
	f.WriteString(lines(20, 30)) // at its old offset
	r.settle()
	r.wantLines(0, 30)
}

func TestInodeIsUsedAgain(t *testing.T) {
	r := followRig(t)
	r.write(log, lines(0, 20))
	r.step(time.Second)
	r.step(time.Second)
	r.flushed()
	r.kill()
	before := inode(t, r.path(log))
	os.Remove(r.path(log))
	r.write(log, lines(20, 60))
	t.Logf("inode %d became %d", before, inode(t, r.path(log)))
	r.start()
	r.settle()
	os.Remove(r.path(log))
	r.write(log, lines(60, 100))
	r.settle()
	r.wantLines(0, 100)
	r.wantArrived(100)
}

func TestReplacedByALongerFile(t *testing.T) {
	r := followRig(t)
	r.write(log, lines(0, 20))
	r.step(time.Second)
	r.write("next", lines(0, 35))
	r.rename("next", log)
	r.settle()
	r.write("next", lines(35, 60))
	r.rename("next", log)
	r.settle()
	r.wantLines(0, 60)
	r.wantArrived(60)
}

func TestTwoLogsThatBeginAlike(t *testing.T) {
	r := followRig(t)
	r.write(log, lines(0, 20))
	r.write(log+".other", lines(0, 20)+lines(50, 60))
	r.settle()
	r.add(log, lines(20, 40))
	r.add(log+".other", lines(60, 70))
	r.settle()
	r.wantArrived(80)
}

func TestPartialLastLine(t *testing.T) {
	r := followRig(t)
	whole := line(10)
	r.write(log, lines(0, 10)+whole[:40])
	r.settle()
	r.wantLines(0, 10)
	r.restart()
	r.settle()
	r.add(log, whole[40:]+lines(11, 12))
	r.settle()
	r.wantLines(0, 12)
	r.wantArrived(12)
}

func TestPartialLineOfARotatedLog(t *testing.T) {
	r := followRig(t)
	last := line(10)
	r.write(log, lines(0, 10)+last[:len(last)-1])
	r.step(time.Second)
	r.flushed()
	r.wantLines(0, 10)
	r.rename(log, log+".1")
	r.write(log, lines(11, 12))
	r.settle()
	r.restart()
	r.settle()
	r.wantLines(0, 12)
	r.wantArrived(12)
}

func TestRotationsWhileTheStoreStandsStill(t *testing.T) {
	r := followRig(t)
	r.store.hold = make(chan struct{})
	r.write(log, lines(0, 100))
	for i := range 20 {
		r.step(time.Second)
		r.rename(log, fmt.Sprintf("gone.%d", i)) // out of the pattern
		r.write(log, lines(100+i*100, 200+i*100))
	}
	r.step(time.Second)
	if len(r.store.paths()) != 0 {
		t.Fatal("something was stored")
	}
	close(r.store.hold)
	r.settle()
	r.wantLines(0, 2100)
	r.wantArrived(2100)
}

func inode(t *testing.T, path string) uint64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return identityOf(info).inode
}

// TestFolderGoesAndComesBack is a mount that is lost for a minute.
func TestFolderGoesAndComesBack(t *testing.T) {
	r := followRig(t)
	r.write(log, lines(0, 5))
	r.settle()
	r.rename("logs", "elsewhere")
	r.settle()
	r.rename("elsewhere", "logs")
	r.add(log, lines(5, 10))
	r.settle()
	r.wantLines(0, 10)
	r.wantArrived(10)
}

// TestLinksThatLeadOut is a folder in which somebody plants a link to a secret.
func TestLinksThatLeadOut(t *testing.T) {
	r := followRig(t)
	r.write("secret", lines(0, 10))
	if err := os.Symlink(r.path("secret"), r.path(log+".1")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../secret", r.path(log+".2")); err != nil {
		t.Fatal(err)
	}
	r.write(log+".3", lines(10, 20))
	if err := os.Symlink("access.log.3", r.path(log)); err != nil {
		t.Fatal(err)
	}
	r.settle()
	r.wantLines(10, 20)
	if n := len(r.w.Status()[0].Problems); n != 2 {
		t.Errorf("problems: %+v", r.w.Status()[0].Problems)
	}
	// The link is moved to another log: the first is read on, the second begins.
	r.write(log+".4", lines(20, 30))
	os.Remove(r.path(log))
	if err := os.Symlink("access.log.4", r.path(log)); err != nil {
		t.Fatal(err)
	}
	r.add(log+".3", lines(30, 35))
	r.settle()
	r.wantLines(10, 35)
	r.wantArrived(25)
}
