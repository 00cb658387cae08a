package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/crmwatch/crmwatch/engine"
)

// rig is one engine for the whole run, and a folder for each trial. A trial has a
// source name of its own, by which its events are found again.
type rig struct {
	program, dir string
	quick        bool
	random       *rand.Rand
	engine       *exec.Cmd
	conn         driver.Conn
	dsn          string
	trials       atomic.Int64
	once         sync.Once
}

func newRig(program, dir string, quick bool, seed uint64) (*rig, error) {
	g := &rig{program: program, dir: dir, quick: quick, random: rand.New(rand.NewPCG(seed, 1))}
	data := filepath.Join(dir, "engine")
	g.engine = exec.Command(program, "engine", "--data", data, "--listen", "127.0.0.1:0")
	g.engine.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := g.engine.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w (build it first: make build)", program, err)
	}
	for start := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		endpoint, err := engine.ReadEndpoint(context.Background(), data)
		if err == nil {
			if g.conn, err = endpoint.Open(engine.Admin); err != nil {
				return nil, err
			}
			address := strings.TrimPrefix(endpoint.URL, "http://")
			g.dsn = "http://" + endpoint.Admin.User + ":" + endpoint.Admin.Password + "@" + address + "/default"
			var n uint64
			if g.conn.QueryRow(context.Background(), "SELECT count() FROM deliveries").Scan(&n) == nil {
				return g, nil
			}
		}
		if time.Since(start) > 30*time.Second {
			return nil, fmt.Errorf("the engine does not answer: %w", err)
		}
	}
}

func (g *rig) close() {
	g.once.Do(func() {
		if g.conn != nil {
			_ = g.conn.Close()
		}
		_ = g.engine.Process.Signal(syscall.SIGTERM)
		_ = g.engine.Wait()
		os.RemoveAll(g.dir)
	})
}

// trial is one agent with its logs.
type trial struct {
	*rig
	source, dir, state string
	written            int
	// twins is how many lines stand in two files, so that their paths are stored twice.
	twins int
	dsn   string
	// user is who the agent runs as, if not root.
	user string
	// peak is the largest resident memory of an agent that ended by itself, in KiB.
	peak int64
}

func (g *rig) trial() *trial {
	t := &trial{rig: g, source: fmt.Sprintf("trial-%05d", g.trials.Add(1)), dsn: g.dsn}
	t.dir = filepath.Join(g.dir, t.source)
	t.state = filepath.Join(t.dir, "data")
	must(os.MkdirAll(filepath.Join(t.dir, "logs"), 0o700))
	return t
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (t *trial) log() string { return filepath.Join(t.dir, "logs", "access.log") }

// configure writes the agent's configuration.
func (t *trial) configure(more string) {
	must(os.WriteFile(filepath.Join(t.dir, "dsn"), []byte(t.dsn), 0o600))
	must(os.WriteFile(filepath.Join(t.dir, "agent.yaml"), fmt.Appendf(nil, `
data: %s
sources:
  - {name: %s, kind: follow, format: nginx, paths: ["./logs/access.log", "./logs/access.log.*"]}
  - {name: %s-csv, kind: export, paths: ["./logs/*.csv", "./logs/*.csv.gz"]}
reading: {poll: 20ms, settle: 40ms, rotate_wait: 60ms, seal_age: 20ms}
ship: {dsn_file: ./dsn}
%s`, t.state, t.source, t.source, more), 0o600))
}

// lines are lines of an access log; each is found again by its path.
func (t *trial) lines(n int) string {
	var b strings.Builder
	for range n {
		fmt.Fprintf(&b, "203.0.113.7 - crm [%02d/Mar/2026:%02d:%02d:%02d +0000] \"GET /line/%s/%06d HTTP/1.1\" 200 512 \"-\" \"sync/1.0\"\n",
			2+t.written/86400%20, t.written/3600%24, t.written/60%60, t.written%60, t.source, t.written)
		t.written++
	}
	return b.String()
}

func appendTo(path, text string) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	must(err)
	defer f.Close()
	_, err = f.WriteString(text)
	must(err)
}

func (t *trial) write(n int) { appendTo(t.log(), t.lines(n)) }

// rotate renames the log.
func (t *trial) rotate(n int) { must(os.Rename(t.log(), fmt.Sprintf("%s.%03d", t.log(), n))) }

// agent runs the agent under a command, such as strace, until it ends. It returns
// what it wrote and how it ended.
func (t *trial) agent(limit time.Duration, under ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	args := append(under, t.asUser(t.program, "agent", "--once", "--config", filepath.Join(t.dir, "agent.yaml"))...)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		t.peak = max(t.peak, usage.Maxrss)
	}
	return out.String(), err
}

func (t *trial) asUser(args ...string) []string {
	if t.user == "" {
		return args
	}
	return append([]string{"setpriv", "--reuid=" + t.user, "--regid=" + t.user, "--clear-groups"}, args...)
}

// start runs the agent until it is killed.
func (t *trial) start() *exec.Cmd {
	args := t.asUser(t.program, "agent", "--config", filepath.Join(t.dir, "agent.yaml"))
	cmd := exec.Command(args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(cmd.Start())
	return cmd
}

func killed(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status := exit.Sys().(syscall.WaitStatus)
	return status.Signaled() || status.ExitStatus() == 137
}

// finish lets the agent run undisturbed, with one more line, and counts.
func (t *trial) finish(r *result) {
	t.write(1)
	out, err := t.agent(60 * time.Second)
	if err != nil {
		r.lost++
		r.note("%s: the agent ends with %v: %.200s", t.source, err, lastLine(out))
	}
	t.count(r)
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}

func (t *trial) query(query string) (n int) {
	var v uint64
	ctx := clickhouse.Context(context.Background(), clickhouse.WithParameters(clickhouse.Parameters{"source": t.source}))
	must(t.conn.QueryRow(ctx, query).Scan(&v))
	return int(v)
}

// count compares what is stored with what was written.
func (t *trial) count(r *result) {
	r.trials++
	distinct := t.query("SELECT uniqExact(http_request_url_path) FROM events WHERE startsWith(x_source_name, {source:String})")
	all := t.query("SELECT count() FROM events FINAL WHERE startsWith(x_source_name, {source:String})")
	if distinct != t.written || all != distinct+t.twins {
		r.note("%s: %d written, %d stored, %d distinct", t.source, t.written, all, distinct)
	}
	r.lost += max(0, t.written-distinct)
	r.doubled += max(0, all-distinct-t.twins)
	r.lost += max(0, distinct+t.twins-all)
	if os.Getenv("KEEP") == "" {
		os.RemoveAll(t.dir)
	}
}

// few is n, or a sample of it in a quick run.
func (g *rig) few(n int) int {
	if g.quick {
		return max(1, n/20)
	}
	return n
}
