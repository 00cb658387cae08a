package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

func init() {
	rows = append(rows,
		row{name: "five rotations while nothing can be delivered", run: whileBlocked(func(t *trial) {
			for n := range 5 {
				t.write(300)
				t.rotate(n + 1)
			}
		})},
		row{name: "five rotations while the spool is full", run: whileBlockedWith("spool: {quota: 1MiB, compression: none}\n", func(t *trial) {
			for n := range 5 {
				t.write(8000)
				time.Sleep(200 * time.Millisecond)
				t.rotate(n + 1)
			}
		})},
		row{name: "truncated while nothing can be delivered", run: whileBlocked(func(t *trial) {
			for range 3 {
				t.write(300)
				time.Sleep(300 * time.Millisecond) // it is in the spool
				must(os.Truncate(t.log(), 0))
			}
		})},
		row{name: "slow database, a rotation every 400 lines, 20,000 lines", run: slowConsumer},
		row{name: "renamed out of the pattern while it is read", run: renamedAway},
		row{name: "replaced by a longer copy every 100 ms", run: replacedOften},
		row{name: "two live logs with the same first lines", run: twinLogs},
		row{name: "agent with 64 file descriptors and 300 logs", run: fewDescriptors},
		row{name: "no inotify instances left, 10,000 files", run: noInotify},
		row{name: "permission to read lost and given back", run: permissionLost},
		row{name: "a file of another owner linked into the folder", run: foreignLink},
		row{name: "the logs' file system unmounted under the agent", run: unmounted},
		row{name: "spool on a disk that becomes read-only", run: readOnly},
		row{name: "spool on a disk without inodes", run: noInodes},
	)
}

func whileBlocked(do func(*trial)) func(*rig, *result) { return whileBlockedWith("", do) }

// whileBlockedWith stops the database for a while.
func whileBlockedWith(config string, do func(*trial)) func(*rig, *result) {
	return func(g *rig, r *result) {
		for range g.few(5) {
			t := g.trial()
			t.configure(config)
			t.write(20)
			agent := t.start()
			time.Sleep(500 * time.Millisecond)
			pause(g, true)
			do(t)
			time.Sleep(time.Second)
			pause(g, false)
			time.Sleep(500 * time.Millisecond)
			must(agent.Process.Kill())
			_ = agent.Wait()
			r.kills++
			t.finish(r)
		}
	}
}

// slowConsumer lets the database work a quarter of the time.
func slowConsumer(g *rig, r *result) {
	t := g.trial()
	t.configure("")
	agent := t.start()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := range 50 {
			t.write(400)
			t.rotate(n + 1)
			time.Sleep(30 * time.Millisecond)
		}
	}()
	for running := true; running; {
		pause(g, true)
		time.Sleep(150 * time.Millisecond)
		pause(g, false)
		time.Sleep(50 * time.Millisecond)
		select {
		case <-done:
			running = false
		default:
		}
	}
	must(agent.Process.Kill())
	_ = agent.Wait()
	r.kills++
	t.finish(r)
	r.note("%d of 20,001 lines stored", t.written)
}

// running does something while the agent runs, and ends it with a kill.
func (g *rig) running(r *result, do func(*trial)) {
	t := g.trial()
	t.configure("")
	t.write(20)
	agent := t.start()
	time.Sleep(500 * time.Millisecond)
	do(t)
	time.Sleep(500 * time.Millisecond)
	must(agent.Process.Kill())
	_ = agent.Wait()
	r.kills++
	t.finish(r)
}

func renamedAway(g *rig, r *result) {
	for range g.few(5) {
		g.running(r, func(t *trial) {
			away := filepath.Join(t.dir, "archive")
			must(os.Mkdir(away, 0o700))
			t.write(20)
			must(os.Rename(t.log(), filepath.Join(away, "access.log.1")))
			appendTo(filepath.Join(away, "access.log.1"), t.lines(5)) // the writer has it open still
			t.write(10)
		})
	}
}

func replacedOften(g *rig, r *result) {
	g.running(r, func(t *trial) {
		for range 20 {
			text, err := os.ReadFile(t.log())
			must(err)
			must(os.WriteFile(filepath.Join(t.dir, "next"), append(text, t.lines(7)...), 0o644))
			must(os.Rename(filepath.Join(t.dir, "next"), t.log()))
			time.Sleep(100 * time.Millisecond)
		}
	})
}

func twinLogs(g *rig, r *result) {
	g.running(r, func(t *trial) {
		same := t.lines(30)
		for _, name := range []string{".801", ".802"} {
			appendTo(t.log()+name, same)
		}
		t.twins = 30
		appendTo(t.log()+".801", t.lines(5))
		appendTo(t.log()+".802", t.lines(5))
	})
}

func fewDescriptors(g *rig, r *result) {
	t := g.trial()
	t.configure("")
	for n := range 300 {
		appendTo(fmt.Sprintf("%s.%04d", t.log(), n+1000), t.lines(3))
	}
	if out, err := t.agent(60*time.Second, "prlimit", "--nofile=64"); err != nil {
		r.note("with 64 descriptors the agent ends with %v: %.200s", err, lastLine(out))
	}
	t.finish(r)
}

func noInotify(g *rig, r *result) {
	const setting = "/proc/sys/fs/inotify/max_user_instances"
	before, err := os.ReadFile(setting)
	if err == nil {
		err = os.WriteFile(setting, []byte("0"), 0o644)
	}
	if err != nil {
		r.note("not executed: %v", err)
		return
	}
	defer os.WriteFile(setting, before, 0o644)
	g.running(r, func(t *trial) {
		for n := range 10_000 {
			appendTo(fmt.Sprintf("%s.%05d", t.log(), n), t.lines(1))
		}
		time.Sleep(3 * time.Second)
	})
}

// permissionLost runs the agent as nobody, because root may read everything.
func permissionLost(g *rig, r *result) {
	t := g.trial()
	t.user = "65534"
	program := filepath.Join(g.dir, "program")
	text, err := os.ReadFile(g.program)
	must(err)
	must(os.WriteFile(program, text, 0o755))
	must(os.Chmod(g.dir, 0o711))
	defer func(root string) { g.program = root }(g.program)
	g.program = program
	t.configure("")
	t.write(20)
	must(exec.Command("chown", "-R", "65534:65534", t.dir).Run())
	agent := t.start()
	time.Sleep(500 * time.Millisecond)
	must(os.Chmod(t.log(), 0o000))
	t.write(20)
	t.rotate(1)
	t.write(20)
	must(os.Chmod(t.log(), 0o000))
	time.Sleep(500 * time.Millisecond)
	must(os.Chmod(t.log(), 0o644))
	must(os.Chmod(t.log()+".001", 0o644))
	time.Sleep(500 * time.Millisecond)
	must(agent.Process.Kill())
	_ = agent.Wait()
	r.kills++
	t.finish(r)
}

func unmounted(g *rig, r *result) {
	logs := func(t *trial) string { return filepath.Dir(t.log()) }
	g.running(r, func(t *trial) {
		if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=4m", "crmwatch-faults", logs(t)).CombinedOutput(); err != nil {
			r.note("not executed: %s", out)
			return
		}
		t.write(30)
		time.Sleep(500 * time.Millisecond)
		must(syscall.Unmount(logs(t), syscall.MNT_DETACH))
		time.Sleep(500 * time.Millisecond)
		t.write(10) // on what was below
	})
}

func readOnly(g *rig, r *result) {
	t := g.trial()
	err := t.mounted("24M", "", func(string) {
		t.configure("")
		t.write(50)
		agent := t.start()
		time.Sleep(500 * time.Millisecond)
		if out, err := exec.Command("mount", "-o", "remount,ro", t.state).CombinedOutput(); err != nil {
			// Files are open for writing: the kernel refuses. An emergency does not ask.
			if out2, err := exec.Command("mount", "-o", "remount,ro,abort", t.state).CombinedOutput(); err != nil {
				r.note("not executed: %s %s", out, out2)
			}
		}
		t.write(50)
		time.Sleep(time.Second)
		_ = agent.Process.Kill()
		_ = agent.Wait()
		r.kills++
		_ = exec.Command("mount", "-o", "remount,rw", t.state).Run()
		t.finish(r)
	})
	if err != nil {
		r.note("not executed: %v", err)
	}
}

func noInodes(g *rig, r *result) {
	t := g.trial()
	err := t.mounted("24M", "", func(string) {
		t.configure("")
		t.write(20)
		t.agent(60 * time.Second)
		taken := 0
		for ; taken < 1<<20; taken++ {
			f, err := os.Create(filepath.Join(t.state, fmt.Sprintf("taken-%d", taken)))
			if err != nil {
				break
			}
			f.Close()
		}
		agent := t.start()
		t.write(50)
		t.rotate(1)
		t.write(50)
		time.Sleep(time.Second)
		_ = agent.Process.Kill()
		_ = agent.Wait()
		r.kills++
		for n := range taken {
			_ = os.Remove(filepath.Join(t.state, fmt.Sprintf("taken-%d", n)))
		}
		t.finish(r)
	})
	if err != nil {
		r.note("not executed: %v", err)
	}
}

// foreignLink links a file with other lines, of another owner, into a user's folder:
// they must not be read.
func foreignLink(g *rig, r *result) {
	t := g.trial()
	t.configure("")
	t.write(10)
	must(os.Chown(filepath.Dir(t.log()), 65534, 65534))
	secret := filepath.Join(t.dir, "secret")
	appendTo(secret, t.lines(7))
	t.written -= 7
	must(os.Link(secret, t.log()+".901"))
	t.written += 7 // their numbers stay unused
	t.finish(r)
	r.lost -= 7
	if r.lost != 0 {
		r.note("%d lines of a file of another owner were read", -r.lost)
	}
}
