package receive

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestStreamsInPieces mixes both framings and cuts the stream anywhere.
func TestStreamsInPieces(t *testing.T) {
	r := newRig(t, nginxInside, syslogOptions(TCP)).start()
	var stream strings.Builder
	const lines = 60
	for n := range lines {
		if line := accessLine(n); n%3 == 0 {
			fmt.Fprintf(&stream, "%d %s", len(line), line)
		} else {
			stream.WriteString(line + "\n")
		}
	}
	text := stream.String()
	for _, size := range []int{len(text), 1000, 7} {
		conn := r.dial(0, "tcp")
		for from := 0; from < len(text); from += size {
			r.write(conn, text[from:min(len(text), from+size)])
		}
		conn.Close()
	}
	// Each is an event of its own: nothing says that two equal messages are one.
	r.want(3*lines, 0)
	paths := map[string]int{}
	for _, path := range r.column(r.rows.events, "http_request_url_path") {
		paths[path]++
	}
	for n := range lines {
		if path := fmt.Sprintf("/line/%06d", n); paths[path] != 3 {
			t.Errorf("%s is stored %d times", path, paths[path])
		}
	}
	if unmapped := r.column(r.rows.events, "unmapped"); !contains(unmapped[:1], "received_from") || !contains(unmapped[:1], "127.0.0.1") {
		t.Errorf("unmapped: %s", unmapped[0])
	}
	if sources := r.column(r.rows.events, "x_source_file"); !strings.HasPrefix(sources[0], "syslog+tcp://127.0.0.1:") {
		t.Errorf("x_source_file: %s", sources[0])
	}
	if names := r.column(r.rows.events, "x_source_name"); names[0] != "edge" {
		t.Errorf("x_source_name: %s", names[0])
	}
}

// TestStreamsEndWithinAMessage: a sender that goes is believed, one that was cut off is not.
func TestStreamsEndWithinAMessage(t *testing.T) {
	r := newRig(t, nginxInside, syslogOptions(TCP)).start()
	whole := r.dial(0, "tcp")
	r.write(whole, accessLine(1))
	whole.Close()
	counted := r.dial(0, "tcp")
	r.write(counted, "500 "+accessLine(2))
	counted.Close()
	reset := r.dial(0, "tcp").(*net.TCPConn)
	r.write(reset, accessLine(3)+"\n"+accessLine(4)[:60])
	r.want(2, 1)
	_ = reset.SetLinger(0)
	reset.Close()
	r.want(2, 2)
	if reasons := r.column(r.rows.quarantine, "reason"); reasons[0] != "record cut off" || reasons[1] != "record cut off" {
		t.Errorf("reasons: %q", reasons)
	}
}

func TestStreamsBoundWhatOneSenderCosts(t *testing.T) {
	r := newRig(t, nginxInside, syslogOptions(TCP))
	r.limits = Limits{Message: 40_000, Connections: 8, Unfinished: 300 * time.Millisecond, Idle: 700 * time.Millisecond, Buffers: 100_000}
	r.start()
	// A message that is too long is kept in part, and what follows it is read.
	long := r.dial(0, "tcp")
	r.write(long, "<13>"+strings.Repeat("x", 100_000)+"\n"+accessLine(1)+"\n")
	r.want(1, 1)
	if lost := r.status(0).Lost[lostTooLong]; lost.Bytes < 60_000 || lost.Bytes > 60_010 {
		t.Errorf("lost: %+v", lost)
	}
	// A message that never ends, and a connection that never begins, are closed.
	slow, idle := r.dial(0, "tcp"), r.dial(0, "tcp")
	go func() {
		for range 100 {
			if _, err := slow.Write([]byte("x")); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	closed := func(conn net.Conn) time.Duration {
		begin := time.Now()
		_ = conn.SetReadDeadline(begin.Add(10 * time.Second))
		if _, err := conn.Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
			t.Errorf("a connection is not closed: %v", err)
		}
		return time.Since(begin)
	}
	if took := closed(slow); took > 2*time.Second {
		t.Errorf("a slow connection is closed after %s", took)
	}
	closed(idle)
	r.want(1, 2)
	closed(long)
	// One address gets a quarter of the connections, once those before are given back.
	time.Sleep(200 * time.Millisecond)
	first, second := r.dial(0, "tcp"), r.dial(0, "tcp")
	r.write(first, accessLine(2)+"\n")
	r.write(second, accessLine(3)+"\n")
	r.want(3, 2)
	third := r.dial(0, "tcp")
	closed(third)
	if r.lost(0, lostCrowd) == 0 {
		t.Errorf("status: %+v", r.status(0))
	}
}

func TestStreamsShareTheMemoryForLongMessages(t *testing.T) {
	r := newRig(t, nginxInside, syslogOptions(TCP))
	r.limits = Limits{Buffers: 100_000}
	r.start()
	var conns []net.Conn
	for range 3 {
		conn := r.dial(0, "tcp")
		r.write(conn, "<13>"+strings.Repeat("x", 40_000))
		conns = append(conns, conn)
	}
	r.want(0, 2) // one is read on
	if r.lost(0, lostMemory) != 2 {
		t.Errorf("status: %+v", r.status(0))
	}
	for _, conn := range conns {
		conn.Close()
	}
}

func TestSendersThatAreNotAllowed(t *testing.T) {
	o := syslogOptions(UDP, TCP)
	o.Allow = []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}
	r := newRig(t, nginxInside, o).start()
	r.write(r.dial(0, "udp"), accessLine(1))
	conn := r.dial(1, "tcp")
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is not closed")
	}
	waitFor(t, func() bool { return r.lost(0, lostSender) == 2 }, func() string { return fmt.Sprintf("%+v", r.status(0)) })
	r.want(0, 0)
}

// TestBackpressure has a spool that fills: a TCP sender waits and loses nothing, of UDP
// what is lost is counted.
func TestBackpressure(t *testing.T) {
	r := newRig(t, nginxInside, syslogOptions(UDP, TCP))
	r.quota, r.limits = 300_000, Limits{Datagrams: 20_000}
	r.start()
	r.hold(true)
	conn := r.dial(1, "tcp")
	sent := make(chan int, 1)
	const lines = 160_000
	text := accessLine(7) + "\n"
	go func() {
		n := 0
		for ; n < lines; n += 100 {
			if _, err := conn.Write([]byte(strings.Repeat(text, 100))); err != nil {
				break
			}
		}
		conn.Close()
		sent <- n
	}()
	// The sender stands still.
	read := int64(-1)
	waitFor(t, func() bool {
		before := read
		read = r.status(0).Events
		time.Sleep(500 * time.Millisecond)
		return read > 0 && read == before
	}, func() string { return "the sender is never slowed down" })
	if read >= lines {
		t.Fatalf("all %d lines are read although the spool is full", read)
	}
	datagrams := r.dial(0, "udp")
	for n := range 2000 {
		r.write(datagrams, accessLine(n))
		if n%50 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	waitFor(t, func() bool { return r.lost(0, lostQueue) > 0 }, func() string { return fmt.Sprintf("%+v", r.status(0)) })
	r.hold(false)
	n := <-sent
	waitFor(t, func() bool {
		s := r.status(0)
		return s.Stored >= int64(n)+2000-r.lost(0, lostQueue)-r.lost(0, lostKernel)
	}, func() string { return fmt.Sprintf("%d sent, %+v", n, r.status(0)) })
	if s := r.status(0); s.Events != int64(n)+2000-r.lost(0, lostQueue)-r.lost(0, lostKernel) {
		t.Errorf("%d lines and 2000 datagrams are sent: %+v", n, s)
	}
	if !strings.Contains(r.log.String(), `reason="queue full"`) {
		t.Error("the log does not say that datagrams are lost")
	}
}

// TestStopDrains stops while messages are on their way.
func TestStopDrains(t *testing.T) {
	r := newRig(t, nginxInside, syslogOptions(UDP, TCP)).start()
	conn, datagrams := r.dial(1, "tcp"), r.dial(0, "udp")
	for n := range 500 {
		r.write(conn, accessLine(n)+"\n")
		r.write(datagrams, accessLine(n))
	}
	r.write(conn, accessLine(500)[:50])
	r.end()
	if events, quarantined := r.counts(); events != 1000-int(r.lost(0, lostKernel)) || quarantined != 1 {
		t.Errorf("%d events and %d quarantined are stored: %+v", events, quarantined, r.status(0))
	}
	// What comes while nothing runs waits in the ports.
	r.write(datagrams, accessLine(501))
	late := r.dial(1, "tcp")
	r.write(late, accessLine(502)+"\n")
	r.start()
	r.want(1002-int(r.lost(0, lostKernel)), 1)
}
