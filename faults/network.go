package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

func init() {
	rows = append(rows,
		row{name: "collector killed at random, under load", run: collectorKilled},
		row{name: "answers of the database lost after it has stored", run: func(g *rig, r *result) { g.badNetwork(r, loseAnswer) }},
		row{name: "connections reset before the database has it", run: func(g *rig, r *result) { g.badNetwork(r, reset) }},
		row{name: "answers swallowed: a black hole", run: func(g *rig, r *result) { g.badNetwork(r, swallow) }},
		row{name: "database stopped where it is, for a while", run: databasePaused},
	)
}

type networkFault int32

const (
	sound networkFault = iota
	loseAnswer
	reset
	swallow
)

// proxy passes bytes on to the database, and does what it is told to some answers.
type proxy struct {
	net.Listener
	to     string
	fault  networkFault
	meet   func() bool
	broken atomic.Bool
}

func newProxy(to string, fault networkFault, meet func() bool) *proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	p := &proxy{Listener: l, to: to, fault: fault, meet: meet}
	p.broken.Store(true)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer server.Close()
	hit := p.broken.Load() && p.meet()
	if hit && p.fault == reset {
		_ = client.(*net.TCPConn).SetLinger(0)
		return
	}
	go func() { _, _ = io.Copy(server, client) }()
	if !hit {
		_, _ = io.Copy(client, server)
		return
	}
	// The first bytes of an answer mean that the request was worked on.
	_, _ = server.Read(make([]byte, 64<<10))
	if p.fault == swallow {
		time.Sleep(time.Second)
	}
	_ = client.(*net.TCPConn).SetLinger(0)
}

func (g *rig) badNetwork(r *result, fault networkFault) {
	address := g.dsn[strings.LastIndexByte(g.dsn, '@')+1 : strings.LastIndexByte(g.dsn, '/')]
	for range g.few(40) {
		t := g.trial()
		p := newProxy(address, fault, func() bool { return g.random.IntN(2) == 0 })
		t.dsn = strings.Replace(g.dsn, address, p.Addr().String(), 1)
		p.broken.Store(false)
		t.configure("")
		agent := t.start()
		time.Sleep(300 * time.Millisecond)
		p.broken.Store(true)
		for range 10 {
			t.write(10)
			time.Sleep(30 * time.Millisecond)
		}
		p.broken.Store(false)
		_ = agent.Process.Signal(os.Interrupt)
		_ = agent.Wait()
		t.finish(r)
		p.Close()
	}
}

func databasePaused(g *rig, r *result) {
	for range g.few(5) {
		t := g.trial()
		t.configure("")
		agent := t.start()
		time.Sleep(300 * time.Millisecond)
		pause(g, true)
		for range 20 {
			t.write(20)
			time.Sleep(20 * time.Millisecond)
		}
		must(agent.Process.Kill())
		_ = agent.Wait()
		r.kills++
		pause(g, false)
		t.finish(r)
	}
}

func collectorKilled(g *rig, r *result) {
	for range g.few(20) {
		t := g.trial()
		must(os.WriteFile(filepath.Join(t.dir, "dsn"), []byte(t.dsn), 0o600))
		token, err := exec.Command(t.program, "enroll", "agent", "--agents", filepath.Join(t.dir, "agents.json")).Output()
		must(err)
		must(os.WriteFile(filepath.Join(t.dir, "token"), token, 0o600))
		port := 20_000 + g.random.IntN(20_000)
		must(os.WriteFile(filepath.Join(t.dir, "collector.yaml"), fmt.Appendf(nil,
			"listen: 127.0.0.1:%d\nagents_file: ./agents.json\nstore: {dsn_file: ./dsn}\n", port), 0o600))
		t.configure("")
		config := filepath.Join(t.dir, "agent.yaml")
		text, err := os.ReadFile(config)
		must(err)
		ship := fmt.Sprintf("ship: {collector: \"http://127.0.0.1:%d\", token_file: ./token}", port)
		must(os.WriteFile(config, []byte(strings.Replace(string(text), "ship: {dsn_file: ./dsn}", ship, 1)), 0o600))
		start := func() *exec.Cmd {
			cmd := exec.Command(t.program, "collector", "--config", filepath.Join(t.dir, "collector.yaml"))
			cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
			must(cmd.Start())
			return cmd
		}
		agent := t.start()
		for range 5 {
			collector := start()
			for range 5 {
				t.write(20)
				time.Sleep(time.Duration(g.random.IntN(60)) * time.Millisecond)
			}
			must(collector.Process.Kill())
			_ = collector.Wait()
			r.kills++
		}
		must(agent.Process.Kill())
		_ = agent.Wait()
		r.kills++
		collector := start()
		t.finish(r)
		_ = collector.Process.Kill()
		_ = collector.Wait()
	}
}
