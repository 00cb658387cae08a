package receive

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/crmwatch/crmwatch/agent"
	"github.com/crmwatch/crmwatch/agent/formats"
)

// ownBuffer is what a connection may hold before it takes from what all share.
const ownBuffer = 16 << 10

// streams is a TCP port, with TLS or without. A connection is read no further while the
// intake has no room, so that its sender has to wait.
type streams struct {
	receiver
	transport string
	listener  net.Listener
	where     string
	// room is what messages longer than ownBuffer may take.
	room *semaphore.Weighted

	mu      sync.Mutex
	open    map[net.Conn]struct{}
	stopped bool
}

func newStreams(r receiver, transport string, l net.Listener) *streams {
	s := &streams{receiver: r, transport: transport, where: r.place(transport, l.Addr()),
		room: semaphore.NewWeighted(r.limits.Buffers), open: map[net.Conn]struct{}{}}
	s.listener = l
	return s
}

func (s *streams) address() net.Addr { return s.listener.Addr() }

func (s *streams) serve(ctx context.Context, in *agent.Intake) error {
	var serving sync.WaitGroup
	defer context.AfterFunc(ctx, s.stop)()
	err := s.accept(s.limited(s.listener, in), in, &serving)
	s.stop()
	serving.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// accept takes connections until the listener is closed.
func (s *streams) accept(l net.Listener, in *agent.Intake, serving *sync.WaitGroup) error {
	for wait := 5 * time.Millisecond; ; {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("receiver %s: %w", s.Name, err)
		}
		if err != nil {
			// Too many open files, or a connection that went before it was taken.
			time.Sleep(wait)
			wait = min(2*wait, time.Second)
			continue
		}
		wait = 5 * time.Millisecond
		if !s.enter(conn) {
			_ = conn.Close()
			continue
		}
		serving.Go(func() {
			defer s.leave(conn)
			s.connection(conn, senderOf(conn.RemoteAddr()), in)
		})
	}
}

// stop closes the port and lets the connections come to an end: what has arrived is read,
// and no more.
func (s *streams) stop() {
	_ = s.listener.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	for conn := range s.open {
		_ = conn.SetReadDeadline(time.Now().Add(linger))
	}
}

func (s *streams) enter(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		s.open[conn] = struct{}{}
	}
	return !s.stopped
}

func (s *streams) leave(conn net.Conn) {
	s.mu.Lock()
	delete(s.open, conn)
	s.mu.Unlock()
	_ = conn.Close()
}

// setDeadline bounds the next read, unless the port is being closed.
func (s *streams) setDeadline(conn net.Conn, end time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		_ = conn.SetReadDeadline(end)
	}
}

// connection reads the messages of one sender.
func (s *streams) connection(conn net.Conn, from netip.Addr, in *agent.Intake) {
	stream := conn
	if s.transport == TLS {
		secure := tls.Server(conn, s.TLS)
		stream = secure
		ctx, cancel := context.WithTimeout(context.Background(), s.limits.Unfinished)
		err := secure.HandshakeContext(ctx)
		cancel()
		if err != nil {
			in.Lost(s.Name, lostBroken, 1, 0)
			s.log.Debug("a connection is refused", "receiver", s.Name, "error", err)
			return
		}
	}
	c := &connection{streams: s, from: from, in: in, buffer: make([]byte, 0, ownBuffer),
		frames: frames{max: s.limits.Message, delimiter: '\n', counted: true}}
	if s.Protocol == GELF {
		c.frames.delimiter, c.frames.counted = 0, false
	}
	defer c.release()
	c.read(conn, stream)
}

// connection is one sender's stream.
type connection struct {
	*streams
	from   netip.Addr
	in     *agent.Intake
	frames frames
	buffer []byte
	// taken is what the buffer has of the shared room.
	taken int64
	// begun is when the message in the buffer began to arrive.
	begun time.Time
}

func (c *connection) read(conn net.Conn, stream io.Reader) {
	for {
		if !c.grow() {
			c.in.Lost(c.Name, lostMemory, 1, int64(len(c.buffer)))
			c.handRejected(c.in, c.from, c.where, c.buffer, &formats.Rejection{Reason: formats.ReasonTooLong, Detail: "too many long messages arrived at once; its connection was closed"})
			return
		}
		end := time.Now().Add(c.limits.Idle)
		if len(c.buffer) > 0 {
			end = c.begun.Add(c.limits.Unfinished)
		}
		c.setDeadline(conn, end)
		n, err := stream.Read(c.buffer[len(c.buffer):cap(c.buffer)])
		if n > 0 && len(c.buffer) == 0 {
			c.begun = time.Now()
		}
		c.buffer = c.buffer[:len(c.buffer)+n]
		c.cut(err != nil, errors.Is(err, io.EOF))
		if err != nil {
			return
		}
	}
}

// cut hands on the messages in the buffer. At the end of the stream what is left is one
// too, if the sender ended the stream and a message has no other end.
func (c *connection) cut(atEnd, clean bool) {
	used := 0
	for {
		f := c.frames.next(c.buffer[used:], atEnd)
		if f.size == 0 {
			break
		}
		counted := f.message != nil && len(f.message) < f.size && !f.tooLong
		used += f.size
		switch {
		case f.skipped:
			c.in.Lost(c.Name, lostTooLong, 0, int64(f.size))
		case f.tooLong:
			c.handRejected(c.in, c.from, c.where, f.message, &formats.Rejection{Reason: formats.ReasonTooLong,
				Detail: fmt.Sprintf("the message is longer than %d bytes, the most that one may have: its beginning is kept", c.frames.max)})
		case f.cut && (!clean || counted):
			c.handRejected(c.in, c.from, c.where, f.message, &formats.Rejection{Reason: formats.ReasonCut, Detail: "the connection ended within the message"})
		case f.message != nil:
			c.hand(c.in, c.from, c.where, f.message, false)
		}
	}
	if used == 0 {
		return
	}
	c.begun = time.Now()
	c.buffer = append(c.buffer[:0], c.buffer[used:]...)
	if len(c.buffer) <= ownBuffer/2 && cap(c.buffer) > ownBuffer {
		c.buffer = append(make([]byte, 0, ownBuffer), c.buffer...)
		c.release()
	}
}

// grow makes room for more of a message, as long as there is some for all.
func (c *connection) grow() bool {
	if len(c.buffer) < cap(c.buffer) {
		return true
	}
	size := min(2*cap(c.buffer), c.frames.max+maxCount+2)
	if !c.room.TryAcquire(int64(size) - c.taken) {
		return false
	}
	c.taken = int64(size)
	c.buffer = append(make([]byte, 0, size), c.buffer...)
	return true
}

func (c *connection) release() {
	c.room.Release(c.taken)
	c.taken = 0
}
