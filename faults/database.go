package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// engineChild is the process that has the database open.
func engineChild(g *rig) int {
	out, _ := exec.Command("pgrep", "-P", fmt.Sprint(g.engine.Process.Pid)).Output()
	var pid int
	fmt.Sscan(strings.TrimSpace(string(out)), &pid)
	return pid
}

// pause stops the database where it is, or lets it go on.
func pause(g *rig, stop bool) {
	signal := syscall.SIGCONT
	if stop {
		signal = syscall.SIGSTOP
	}
	if pid := engineChild(g); pid > 0 {
		_ = syscall.Kill(pid, signal)
	}
}

func databaseKilled(g *rig, r *result) {
	for range g.few(20) {
		t := g.trial()
		t.configure("")
		agent := t.start()
		for range 10 {
			t.write(20)
			time.Sleep(time.Duration(g.random.IntN(40)) * time.Millisecond)
		}
		if pid := engineChild(g); pid > 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			r.kills++
		}
		t.write(20)
		time.Sleep(500 * time.Millisecond)
		_ = agent.Process.Signal(os.Interrupt)
		_ = agent.Wait()
		t.finish(r)
	}
}
