package receive

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/crmwatch/crmwatch/agent"
	"github.com/crmwatch/crmwatch/agent/formats"
)

// Why something was not taken, as the status counts it.
const (
	lostSender  = "sender not allowed"
	lostQueue   = "queue full"
	lostKernel  = "dropped by the kernel"
	lostTooLong = "rest of a message that is too long"
	lostMemory  = "no memory for a long message"
	lostCrowd   = "too many connections of one sender"
	lostBroken  = "connection without a message"
)

// datagrams is a UDP port. One goroutine empties the socket, another looks at what came:
// the socket is read on when batches do not leave, and what there is no room for then is
// counted.
type datagrams struct {
	receiver
	socket  *socket
	conn    *net.UDPConn
	where   string
	waiting chan datagram
	// held is what waiting has, in bytes.
	held   atomic.Int64
	chunks *assembler
}

type datagram struct {
	from netip.Addr
	data []byte
}

func newDatagrams(r receiver, s *socket) *datagrams {
	return &datagrams{receiver: r, socket: s, conn: s.datagrams, where: r.place(UDP, s.datagrams.LocalAddr()), waiting: make(chan datagram, 65_536)}
}

func (d *datagrams) address() net.Addr { return d.conn.LocalAddr() }

// maxDatagram is more than a datagram can have.
const maxDatagram = 64 << 10

func (d *datagrams) serve(ctx context.Context, in *agent.Intake) error {
	_ = d.conn.SetReadDeadline(time.Time{})
	looked := make(chan struct{})
	go func() {
		defer close(looked)
		d.look(in)
	}()
	defer context.AfterFunc(ctx, func() { _ = d.conn.SetReadDeadline(time.Now().Add(linger)) })()
	err := d.empty(in)
	close(d.waiting)
	<-looked
	if ctx.Err() != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return err
}

// empty reads the socket until its deadline.
func (d *datagrams) empty(in *agent.Intake) error {
	buffer := make([]byte, maxDatagram)
	control := make([]byte, 128)
	for {
		n, controlled, _, from, err := d.conn.ReadMsgUDPAddrPort(buffer, control)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed):
			return err
		case err != nil:
			// An answer of the network to something that was sent from this port before.
			continue
		}
		if total, ok := droppedSoFar(control[:controlled]); ok && total != d.socket.dropped {
			in.Lost(d.Name, lostKernel, int64(total-d.socket.dropped), 0)
			d.socket.dropped = total
		}
		sender := from.Addr().Unmap()
		if !d.allowed(sender) {
			in.Lost(d.Name, lostSender, 1, int64(n))
			continue
		}
		if d.held.Load()+int64(n) > d.limits.Datagrams {
			in.Lost(d.Name, lostQueue, 1, int64(n))
			continue
		}
		data := append(make([]byte, 0, n), buffer[:n]...)
		select {
		case d.waiting <- datagram{sender, data}:
			d.held.Add(int64(n))
		default:
			in.Lost(d.Name, lostQueue, 1, int64(n))
		}
	}
}

// droppedSoFar is how many datagrams the kernel has dropped at this socket; it says so
// with the next one that it lets through.
func droppedSoFar(control []byte) (total uint32, ok bool) {
	if len(control) == 0 {
		return 0, false
	}
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return 0, false
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_RXQ_OVFL && len(m.Data) >= 4 {
			return binary.NativeEndian.Uint32(m.Data), true
		}
	}
	return 0, false
}

// look puts what waits into the intake, messages in chunks when they are whole.
func (d *datagrams) look(in *agent.Intake) {
	d.chunks = newAssembler(d.limits.Message, d.limits.Chunks, d.limits.ChunkTime, func(from netip.Addr, beginning []byte, why string) {
		d.put(in, from, beginning, &formats.Rejection{Reason: formats.ReasonCut, Detail: "a chunked message is not whole: " + why})
	})
	ticks := time.NewTicker(d.limits.ChunkTime)
	defer ticks.Stop()
	for {
		select {
		case one, more := <-d.waiting:
			if !more {
				d.chunks.end(time.Now())
				return
			}
			d.message(in, one)
			d.held.Add(-int64(len(one.data)))
		case <-ticks.C:
			d.chunks.expire(time.Now())
		}
	}
}

func (d *datagrams) message(in *agent.Intake, one datagram) {
	if d.Protocol == GELF && strings.HasPrefix(string(one.data[:min(2, len(one.data))]), chunkMagic) {
		if one.data = d.chunks.add(one.from, one.data, time.Now()); one.data == nil {
			return
		}
	}
	d.hand(in, one.from, d.where, one.data, true)
}

func (d *datagrams) put(in *agent.Intake, from netip.Addr, data []byte, rejected *formats.Rejection) {
	d.handRejected(in, from, d.where, data, rejected)
}

// hand puts one whole message into the intake. It waits as long as the intake has no
// room; the watcher ends that when it stops.
func (r *receiver) hand(in *agent.Intake, from netip.Addr, where string, message []byte, mayBePacked bool) {
	if r.Protocol == GELF && mayBePacked {
		unpacked, err := unpack(message, r.limits.Message)
		switch {
		case errors.Is(err, errUnpackedTooLong):
			r.handRejected(in, from, where, unpacked, &formats.Rejection{Reason: formats.ReasonTooLong, Detail: errUnpackedTooLong.Error()})
			return
		case err != nil:
			r.handRejected(in, from, where, message, &formats.Rejection{Reason: formats.ReasonUnreadableBytes, Detail: "the packed message cannot be unpacked: it is damaged"})
			return
		}
		message = unpacked
	}
	if r.Inner {
		message = inner(message)
	}
	if line := oneLine(message); line != nil {
		_ = in.Put(context.Background(), agent.Message{Inlet: r.Name, Place: where, From: from, Data: line})
	}
}

// handRejected puts what is no message into the intake, for the quarantine.
func (r *receiver) handRejected(in *agent.Intake, from netip.Addr, where string, data []byte, rejected *formats.Rejection) {
	_ = in.Put(context.Background(), agent.Message{Inlet: r.Name, Place: where, From: from, Data: append([]byte(nil), data...), Rejected: rejected})
}
