// Package receive takes logs in over the network: syslog, GELF and OTLP/HTTP. It has
// the sockets, the framing and the limits; what a message says is the formats' affair.
package receive

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/crmwatch/crmwatch/agent"
	"github.com/crmwatch/crmwatch/listen"
)

// The protocols, which are formats too, and the transports.
const (
	Syslog = "syslog"
	GELF   = "gelf"
	OTLP   = "otlp"

	UDP = "udp"
	TCP = "tcp"
	TLS = "tls"
)

// Options say what one receiver takes.
type Options struct {
	// Name is the inlet's.
	Name     string
	Protocol string
	// Listen is the address, host:port, of all transports.
	Listen string
	// Transports of syslog and GELF: UDP, TCP, or TLS in place of TCP. OTLP is HTTP, over
	// TLS if TLS is set.
	Transports []string
	TLS        *tls.Config
	// Token is what a sender of OTLP has to show; "" asks for none.
	Token string
	// Inner hands on what stands behind the header of a syslog message, for a format that
	// knows no such header.
	Inner bool
	// Allow are the networks of the senders; none means all.
	Allow []netip.Prefix
}

// Limits bound what senders can make a receiver spend. Zero values mean the defaults.
type Limits struct {
	// Message is the longest message, unpacked, in bytes; 1 MiB by default.
	Message int
	// Connections is how many are open at a time, 1024 by default, of which a quarter may
	// come from one address.
	Connections int
	// Unfinished is how long a message, a handshake or a request may take to arrive; 30
	// seconds by default.
	Unfinished time.Duration
	// Idle is how long a connection may say nothing; 12 hours by default: a sender of
	// syslog does not notice that its connection was closed, and loses what it writes next.
	Idle time.Duration
	// Buffers is what messages that are longer than a connection's own buffer may take,
	// over all connections; 64 MiB by default.
	Buffers int64
	// Datagrams is what a port holds of what came in and was not looked at yet, in bytes;
	// 8 MiB by default.
	Datagrams int64
	// Chunks is what incomplete chunked messages of a port may take; 16 MiB by default.
	Chunks int
	// ChunkTime is how long the chunks of a message may take; 5 seconds by default, as the
	// specification of GELF has it.
	ChunkTime time.Duration
	// Request is the longest body of a request as sent, RequestUnpacked as unpacked; 4 and
	// 16 MiB by default.
	Request, RequestUnpacked int64
	// Requests is how many are worked on at once, of which half may come from one
	// address; 16 by default.
	Requests int
	// Answer is how long a request waits for its records to be durable; 8 seconds by
	// default: senders give up after ten.
	Answer time.Duration
}

func (l *Limits) setDefaults() {
	setDefault(&l.Message, 1<<20)
	setDefault(&l.Connections, 1024)
	setDefault(&l.Unfinished, 30*time.Second)
	setDefault(&l.Idle, 12*time.Hour)
	setDefault(&l.Buffers, 64<<20)
	setDefault(&l.Datagrams, 8<<20)
	setDefault(&l.Chunks, 16<<20)
	setDefault(&l.ChunkTime, 5*time.Second)
	setDefault(&l.Request, 4<<20)
	setDefault(&l.RequestUnpacked, 16<<20)
	setDefault(&l.Requests, 16)
	setDefault(&l.Answer, 8*time.Second)
}

func setDefault[T int | int64 | time.Duration](v *T, value T) {
	if *v <= 0 {
		*v = value
	}
}

// linger is how long what has already arrived is still read when a receiver stops.
const linger = 50 * time.Millisecond

// Server takes in what comes to the ports of all receivers.
type Server struct {
	ports []port
	log   *slog.Logger
}

// port is one open port. serve takes messages in until ctx is done, and has handed on
// what it read when it returns.
type port interface {
	serve(ctx context.Context, in *agent.Intake) error
	address() net.Addr
}

// Addresses are those of the ports, in the order of the receivers and their transports.
func (s *Server) Addresses() []net.Addr {
	var all []net.Addr
	for _, p := range s.ports {
		all = append(all, p.address())
	}
	return all
}

// Run takes in what comes until ctx is done, and returns when all that was read has been
// handed on.
func (s *Server) Run(ctx context.Context, in *agent.Intake) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var serving sync.WaitGroup
	errs := make([]error, len(s.ports))
	for i, p := range s.ports {
		serving.Go(func() {
			if errs[i] = p.serve(ctx, in); errs[i] != nil {
				stop(errs[i])
			}
		})
	}
	serving.Wait()
	return errors.Join(errs...)
}

// receiver is what the ports of one receiver have in common.
type receiver struct {
	Options
	limits Limits
	log    *slog.Logger
}

func (r *receiver) allowed(from netip.Addr) bool {
	if len(r.Allow) == 0 {
		return true
	}
	from = from.Unmap().WithZone("")
	return slices.ContainsFunc(r.Allow, func(p netip.Prefix) bool { return p.Contains(from) })
}

// admitting takes connections of allowed senders only.
type admitting struct {
	net.Listener
	*receiver
	in *agent.Intake
}

func (l *admitting) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil || l.allowed(senderOf(conn.RemoteAddr())) {
			return conn, err
		}
		l.in.Lost(l.Name, lostSender, 1, 0)
		_ = conn.Close()
	}
}

// limited bounds who may connect, and how often.
func (r *receiver) limited(l net.Listener, in *agent.Intake) net.Listener {
	refused := func(string) { in.Lost(r.Name, lostCrowd, 1, 0) }
	return listen.Limit(&admitting{l, r, in}, r.limits.Connections, max(1, r.limits.Connections/4), refused)
}

// senderOf is the address of the other end of a connection.
func senderOf(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// place names a port in x_source_file.
func (r *receiver) place(transport string, a net.Addr) string {
	return r.Protocol + "+" + transport + "://" + a.String()
}
