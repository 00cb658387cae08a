// Package listen bounds what the open ports of crmwatch cost.
package listen

import (
	"net"
	"sync"
)

// Limit has no more than total connections open at a time, of which no more
// than perHost come from one address. Beyond total others wait; beyond perHost they
// are closed at once, so that one address cannot keep the others out; refused, if not
// nil, is told.
func Limit(l net.Listener, total, perHost int, refused func(host string)) net.Listener {
	return &limitedListener{Listener: l, open: make(chan struct{}, total), perHost: perHost, refused: refused, hosts: map[string]int{}}
}

type limitedListener struct {
	net.Listener
	open    chan struct{}
	perHost int
	refused func(host string)

	mu    sync.Mutex
	hosts map[string]int
}

func (l *limitedListener) Accept() (net.Conn, error) {
	l.open <- struct{}{}
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			<-l.open
			return nil, err
		}
		host, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
		if !l.enter(host) {
			_ = conn.Close()
			if l.refused != nil {
				l.refused(host)
			}
			continue
		}
		return &limitedConn{Conn: conn, release: sync.OnceFunc(func() { l.leave(host) })}, nil
	}
}

func (l *limitedListener) enter(host string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hosts[host] >= l.perHost {
		return false
	}
	l.hosts[host]++
	return true
}

func (l *limitedListener) leave(host string) {
	l.mu.Lock()
	if l.hosts[host]--; l.hosts[host] <= 0 {
		delete(l.hosts, host)
	}
	l.mu.Unlock()
	<-l.open
}

type limitedConn struct {
	net.Conn
	release func()
}

func (c *limitedConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}
