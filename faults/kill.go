package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// sweptCalls are the system calls at each of which the agent is killed.
var sweptCalls = []string{"write", "pwrite64", "fdatasync", "fsync", "renameat", "unlinkat", "openat", "ftruncate", "mkdirat"}

func init() {
	for _, call := range sweptCalls {
		rows = append(rows, row{name: "kill -9 at every " + call, run: func(g *rig, r *result) { g.sweep(r, call, "signal=KILL") }})
	}
	for _, fault := range []struct{ call, inject string }{
		{"fdatasync", "error=EIO"}, {"fsync", "error=EIO"}, {"pwrite64", "error=EIO"}, {"pwrite64", "error=ENOSPC"},
		{"renameat", "error=ENOSPC"}, {"fdatasync", "error=ENOSPC"}, {"pwrite64", "retval=7"}, {"pwrite64", "error=EINTR"}, {"pwrite64", "error=EAGAIN"},
		{"pread64", "error=EIO"}, {"unlinkat", "error=EIO"}, {"openat", "error=EMFILE"},
	} {
		rows = append(rows, row{name: fault.call + " " + fault.inject + " once, at every place", run: func(g *rig, r *result) { g.sweep(r, fault.call, fault.inject) }})
	}
	rows = append(rows,
		row{name: "fdatasync fails for ever", run: forEver},
		row{name: "kill -9 of a running agent at random, under load and rotation", run: randomKills},
		row{name: "rename storm, back to back", run: renameStorm},
		row{name: "five rotations while the agent is down", run: rotationsWhileDown},
		row{name: "two agents on one state folder", run: twoAgents},
		row{name: "spool on a small full disk", run: smallDisk},
		row{name: "power cut: copies of the state's disk image", run: powerCuts},
		row{name: "database killed under load", run: databaseKilled},
	)
}

// sweep injects one fault at the n-th call of a kind for n = 1, 2, ... until the
// agent comes through without meeting it, each time with fresh logs and state, and
// lets an undisturbed agent go on from what is left.
func (g *rig) sweep(r *result, call, inject string) {
	step := 1
	if g.quick {
		step = 7
	}
	quiet := 0
	for n := 1; n < 400 && quiet < 3; n += step * atOnce {
		var group sync.WaitGroup
		met := make([]bool, atOnce)
		parts := make([]result, atOnce)
		for i := range atOnce {
			group.Go(func() { met[i] = g.inject(&parts[i], call, inject, n+i*step) })
		}
		group.Wait()
		for i := range parts {
			r.add(&parts[i])
			if quiet++; met[i] {
				quiet = 0
			}
		}
	}
}

// atOnce is how many trials of a sweep run at the same time.
const atOnce = 3

// inject is one trial of a sweep. It says whether the fault was met.
func (g *rig) inject(r *result, call, inject string, n int) (met bool) {
	t := g.trial()
	t.configure("")
	t.write(40)
	t.rotate(1)
	t.write(20)
	traces := filepath.Join(t.dir, "trace")
	_, err := t.agent(20*time.Second, "strace", "-f", "-qq", "-o", traces, "-e", "signal=none", "-e", "trace="+call,
		"-e", fmt.Sprintf("inject=%s:%s:when=%d", call, inject, n))
	met = killed(err)
	if met {
		r.kills++
	}
	met = met || injected(traces)
	t.finish(r)
	return met
}

// injected says whether strace met the place.
func injected(trace string) bool {
	return exec.Command("grep", "-q", "INJECTED", trace).Run() == nil
}

func forEver(g *rig, r *result) {
	t := g.trial()
	t.configure("")
	t.write(10)
	_, err := t.agent(20*time.Second, "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO")
	if err == nil {
		r.lost++
		r.note("the agent ends as if all were well")
	}
	t.finish(r)
}

func randomKills(g *rig, r *result) {
	for range g.few(160) {
		t := g.trial()
		t.configure("")
		for round := range 5 {
			agent := t.start()
			for range 4 {
				t.write(1 + g.random.IntN(60))
				time.Sleep(time.Duration(g.random.IntN(60)) * time.Millisecond)
			}
			if g.random.IntN(2) == 0 {
				t.rotate(round + 1)
			}
			must(agent.Process.Kill())
			_ = agent.Wait()
			r.kills++
		}
		t.finish(r)
	}
}

func renameStorm(g *rig, r *result) {
	t := g.trial()
	t.configure("")
	agent := t.start()
	for n := range g.few(1000) {
		t.write(1)
		t.rotate(n + 1)
		if n%10 == 0 {
			time.Sleep(5 * time.Millisecond)
		}
	}
	must(agent.Process.Kill())
	_ = agent.Wait()
	r.kills++
	t.finish(r)
}

func rotationsWhileDown(g *rig, r *result) {
	t := g.trial()
	t.configure("")
	t.write(10)
	if _, err := t.agent(30 * time.Second); err != nil {
		r.note("%v", err)
	}
	for n := range 5 {
		t.write(10)
		t.rotate(n + 1)
	}
	t.finish(r)
}

func twoAgents(g *rig, r *result) {
	t := g.trial()
	t.configure("")
	t.write(10)
	agent := t.start()
	time.Sleep(time.Second)
	if out, err := t.agent(10 * time.Second); err == nil {
		r.doubled++
		r.note("a second agent was let in: %s", lastLine(out))
	}
	must(agent.Process.Kill())
	_ = agent.Wait()
	t.finish(r)
}

// mounted runs fn with a file system image mounted in place of the trial's state.
func (t *trial) mounted(size, options string, fn func(image string)) error {
	image := filepath.Join(t.dir, "disk.img")
	must(os.MkdirAll(t.state, 0o700))
	for _, command := range [][]string{
		{"truncate", "-s", size, image}, {"mkfs.ext4", "-q", "-O", "^has_journal", "-m", "0", image}, {"mount", "-o", "loop" + options, image, t.state}, {"chmod", "700", t.state},
	} {
		if command[0] == "mkfs.ext4" && options == "" {
			command = []string{"mkfs.ext4", "-q", "-m", "0", image}
		}
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", command[0], err, out)
		}
	}
	defer func() { _ = exec.Command("umount", "-l", t.state).Run() }()
	fn(image)
	return nil
}

func smallDisk(g *rig, r *result) {
	t := g.trial()
	good := t.dsn
	t.dsn = "http://nobody:nothing@127.0.0.1:1/default" // nothing can leave: the spool fills the disk
	err := t.mounted("4M", "", func(string) {
		t.configure("")
		t.dsn = good
		t.configure("")
		// The database is stopped, not absent, so that the agent starts.
		pause(g, true)
		agent := t.start()
		for range 60 {
			t.write(500)
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		pause(g, false)
		time.Sleep(time.Second)
		must(agent.Process.Kill())
		_ = agent.Wait()
		r.kills++
		t.finish(r)
	})
	if err != nil {
		r.note("not executed: %v", err)
	}
}

// powerCuts copies the mounted image of a running agent's state without a sync, and
// goes on from the copy.
func powerCuts(g *rig, r *result) {
	for range g.few(100) {
		t := g.trial()
		copied := filepath.Join(t.dir, "cut.img")
		err := t.mounted("24M", "", func(image string) {
			t.configure("")
			agent := t.start()
			for range 2 + g.random.IntN(8) {
				t.write(1 + g.random.IntN(80))
				time.Sleep(time.Duration(g.random.IntN(80)) * time.Millisecond)
			}
			must(exec.Command("cp", image, copied).Run())
			must(agent.Process.Kill())
			_ = agent.Wait()
		})
		if err != nil {
			r.note("not executed: %v", err)
			return
		}
		r.kills++
		if out, err := exec.Command("mount", "-o", "loop", copied, t.state).CombinedOutput(); err != nil {
			r.note("mount of the cut disk: %s", out)
			continue
		}
		_ = os.Chmod(t.state, 0o700)
		t.finish(r)
		_ = exec.Command("umount", "-l", t.state).Run()
	}
}
