package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// benchTailCommand measures steady tailing: an agent of its own process follows many
// logs while they are written.
type benchTailCommand struct {
	Files    int           `default:"50" help:"Logs that grow."`
	Rate     int           `default:"20000" help:"Lines a second, over all logs."`
	Duration time.Duration `default:"30s" help:"How long they grow."`
	Every    time.Duration `default:"10s" help:"How often to say how it stands."`
}

func (c *benchTailCommand) Run(ctx context.Context, term terminal) error {
	dir, err := os.MkdirTemp("", "crmwatch-tail-*")
	if err != nil {
		return fmt.Errorf("make bench directory: %w", err)
	}
	defer os.RemoveAll(dir)
	db, err := openDatabase(ctx, filepath.Join(dir, "database"), databaseOptions{})
	if err != nil {
		return err
	}
	defer db.close()
	agent, err := c.startAgent(dir, db, term)
	if err != nil {
		return err
	}
	defer agent.Process.Kill()
	logs := make([]*os.File, c.Files)
	for n := range logs {
		if logs[n], err = os.Create(filepath.Join(dir, fmt.Sprintf("access.log.%d", n))); err != nil {
			return fmt.Errorf("create bench log: %w", err)
		}
		defer logs[n].Close()
	}
	fmt.Fprintf(term.out, "%s lines/s over %s for %s\n\n%8s %14s %10s %12s %8s %8s %9s\n", grouped(int64(c.Rate)), plural(c.Files, "log"), c.Duration, "s", "lines written", "agent CPU", "agent memory", "p50", "p99", "largest")
	pid := agent.Process.Pid
	const tick = 20 * time.Millisecond
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	start, written := time.Now(), 0
	said, before := start, processCPU(pid)
	for now := start; now.Sub(start) < c.Duration; now = <-ticker.C {
		due := int(now.Sub(start).Seconds() * float64(c.Rate))
		for _, f := range logs {
			var text strings.Builder
			for n := 0; n < (due-written+c.Files-1)/c.Files; n++ {
				fmt.Fprintf(&text, `{"msec":"%d.%03d","remote_addr":"203.0.113.%d","remote_user":"sync-%d","request_method":"GET","request_uri":"/crm/contacts/%d","status":"200","body_bytes_sent":"512","request_time":"0.012","http_user_agent":"sync/1.0"}`+"\n",
					now.Unix(), now.Nanosecond()/1e6, written%250, written%40, written)
			}
			if _, err := f.WriteString(text.String()); err != nil {
				return fmt.Errorf("write bench log: %w", err)
			}
		}
		written += (due - written + c.Files - 1) / c.Files * c.Files
		if time.Since(said) >= c.Every {
			cpu := processCPU(pid)
			share := float64(cpu-before) / float64(time.Since(said))
			if err := c.tell(ctx, term, db, pid, time.Since(start), written, share); err != nil {
				return err
			}
			said, before = time.Now(), processCPU(pid)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	time.Sleep(3 * time.Second)
	var stored uint64
	if err := db.conn.QueryRow(ctx, "SELECT count() FROM events FINAL").Scan(&stored); err != nil {
		return fmt.Errorf("count rows: %w", err)
	}
	fmt.Fprintf(term.out, "\n%s lines written, %s stored\n", grouped(int64(written)), grouped(int64(stored)))
	return nil
}

// tell prints the last stretch: how long lines took from being written to being
// inserted. The insert itself takes some milliseconds more until it can be queried.
func (c *benchTailCommand) tell(ctx context.Context, term terminal, db *database, pid int, since time.Duration, written int, share float64) error {
	var p50, p99, largest float64
	err := db.conn.QueryRow(ctx, `SELECT quantile(0.5)(d), quantile(0.99)(d), toFloat64(max(d)) FROM
	(SELECT toUnixTimestamp64Milli(ingested_at) - toUnixTimestamp64Milli(time) AS d FROM events WHERE time > now64(3) - INTERVAL 10 SECOND)`).Scan(&p50, &p99, &largest)
	if err != nil {
		return fmt.Errorf("measure delays: %w", err)
	}
	fmt.Fprintf(term.out, "%8.0f %14s %9.0f%% %8d MiB %5.0f ms %5.0f ms %6.0f ms\n", since.Seconds(), grouped(int64(written)), share*100, residentKiB(pid)>>10, p50, p99, largest)
	return nil
}

func (c *benchTailCommand) startAgent(dir string, db *database, term terminal) (*exec.Cmd, error) {
	e := db.endpoint
	dsn := strings.Replace(e.URL, "http://", "http://"+e.Admin.User+":"+e.Admin.Password+"@", 1) + "/default"
	config := "data: ./agent\nsources:\n  - {name: tail, kind: follow, format: nginx-json, paths: [\"./access.log.*\"]}\nship: {dsn_file: ./dsn}\nlog: {level: warn}\n"
	for name, text := range map[string]string{"dsn": dsn, "agent.yaml": config} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, fmt.Errorf("write bench configuration: %w", err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find own program: %w", err)
	}
	cmd := exec.Command(self, "agent", "--config", filepath.Join(dir, "agent.yaml"))
	cmd.Stderr = term.err
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start agent: %w", err)
	}
	return cmd, nil
}

// residentKiB is the resident memory of a process.
func residentKiB(pid int) (n int64) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	fmt.Sscan(rest, &n)
	return n
}
