package receive

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Ports keeps open ports from one server to the next: what arrives while a configuration
// is changed waits in them.
type Ports struct {
	mu      sync.Mutex
	sockets map[socketKey]*socket
}

// socketKey names an open port. owner is the receiver of a port that the kernel chooses.
type socketKey struct{ network, address, owner string }

// socket is an open port of either kind.
type socket struct {
	datagrams *net.UDPConn
	stream    *net.TCPListener
	// dropped is how many datagrams the kernel had dropped when it said so last.
	dropped uint32
}

// NewPorts makes one with no port open.
func NewPorts() *Ports { return &Ports{sockets: map[socketKey]*socket{}} }

// Close closes all ports.
func (p *Ports) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, s := range p.sockets {
		s.close()
		delete(p.sockets, key)
	}
}

// Reserve opens the ports that receivers need beside those that are open. A port that
// is taken by one of these themselves is left to Open.
func (p *Ports) Reserve(receivers []Options) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range receivers {
		for _, key := range keysOf(o) {
			if err := p.reserve(key); err != nil && !p.own(key) {
				return fmt.Errorf("receiver %s: %w", o.Name, err)
			}
		}
	}
	return nil
}

// own says whether one of the open ports has the same number.
func (p *Ports) own(key socketKey) bool {
	_, number, _ := net.SplitHostPort(key.address)
	for other := range p.sockets {
		if _, n, _ := net.SplitHostPort(other.address); n == number && other.network == key.network {
			return true
		}
	}
	return false
}

// Open makes a server of receivers. Ports that none of them needs are closed.
func (p *Ports) Open(receivers []Options, limits Limits, log *slog.Logger) (*Server, error) {
	limits.setDefaults()
	p.mu.Lock()
	defer p.mu.Unlock()
	var wanted []socketKey
	for _, o := range receivers {
		wanted = append(wanted, keysOf(o)...)
	}
	for key, s := range p.sockets {
		if !slices.Contains(wanted, key) {
			s.close()
			delete(p.sockets, key)
		}
	}
	server := &Server{log: log}
	for _, o := range receivers {
		if err := p.open(server, receiver{Options: o, limits: limits, log: log}); err != nil {
			return nil, fmt.Errorf("receiver %s: %w", o.Name, err)
		}
	}
	return server, nil
}

func (p *Ports) open(server *Server, r receiver) error {
	switch {
	case r.Protocol == OTLP:
		r.Transports = []string{TCP}
	case r.Protocol != Syslog && r.Protocol != GELF:
		return fmt.Errorf("unknown protocol %q: use syslog, gelf or otlp", r.Protocol)
	}
	for _, transport := range r.Transports {
		if transport == TLS && r.TLS == nil {
			return errors.New("tls needs a certificate")
		}
		key := r.key(transport)
		if err := p.reserve(key); err != nil {
			return err
		}
		s := p.sockets[key]
		switch {
		case r.Protocol == OTLP:
			server.ports = append(server.ports, newRequests(r, s.lease()))
		case transport == UDP:
			server.ports = append(server.ports, newDatagrams(r, s))
		default:
			server.ports = append(server.ports, newStreams(r, transport, s.lease()))
		}
	}
	return nil
}

func keysOf(o Options) (keys []socketKey) {
	if o.Protocol == OTLP {
		return []socketKey{o.key(TCP)}
	}
	for _, transport := range o.Transports {
		keys = append(keys, o.key(transport))
	}
	return keys
}

func (o *Options) key(transport string) socketKey {
	key := socketKey{network: "tcp", address: o.Listen}
	if transport == UDP {
		key.network = "udp"
	}
	if strings.HasSuffix(o.Listen, ":0") {
		key.owner = o.Name
	}
	return key
}

// reserve opens a port that is not open yet. It is called with the lock held.
func (p *Ports) reserve(key socketKey) error {
	if p.sockets[key] != nil {
		return nil
	}
	s := &socket{}
	var err error
	if key.network == "udp" {
		s.datagrams, err = listenDatagrams(key.address)
	} else {
		var l net.Listener
		if l, err = net.Listen("tcp", key.address); err == nil {
			s.stream = l.(*net.TCPListener)
		}
	}
	if err != nil {
		return portTrouble(key, err)
	}
	p.sockets[key] = s
	return nil
}

// socketBuffer is what the kernel is asked to hold for a port while we do not read.
const socketBuffer = 4 << 20

func listenDatagrams(listen string) (*net.UDPConn, error) {
	address, err := net.ResolveUDPAddr("udp", listen)
	if err != nil {
		return nil, err
	}
	conn, err := net.ListenUDP("udp", address)
	if err != nil {
		return nil, err
	}
	// Both are a help only: the kernel may give less, and need not count what it drops.
	_ = conn.SetReadBuffer(socketBuffer)
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1) })
	}
	return conn, nil
}

// portTrouble says what a person can do about a port that cannot be opened.
func portTrouble(key socketKey, err error) error {
	port := key.network + " port " + key.address
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is taken by another program: stop that one, or listen elsewhere", port)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s may not be opened by this user: use one above 1023, or give crmwatch CAP_NET_BIND_SERVICE", port)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s cannot be opened: this machine does not have that address", port)
	}
	return fmt.Errorf("%s cannot be opened: %w", port, err)
}

func (s *socket) close() {
	if s.datagrams != nil {
		_ = s.datagrams.Close()
		return
	}
	_ = s.stream.Close()
}

// lease is the listening port for one server, which closes the lease and not the port.
func (s *socket) lease() net.Listener {
	_ = s.stream.SetDeadline(time.Time{})
	return &lease{TCPListener: s.stream}
}

type lease struct {
	*net.TCPListener
	over atomic.Bool
}

// Accept waits for the next connection; at the end of the lease it returns net.ErrClosed.
func (l *lease) Accept() (net.Conn, error) {
	conn, err := l.TCPListener.Accept()
	if err != nil && l.over.Load() {
		return nil, net.ErrClosed
	}
	return conn, err
}

// Close ends the lease.
func (l *lease) Close() error {
	if l.over.CompareAndSwap(false, true) {
		return l.SetDeadline(time.Unix(1, 0))
	}
	return nil
}
