package engine

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
)

// maxClients bounds the open connections of the server; more wait in the socket's queue.
const maxClients = 1024

// sharedListener is a listener whose socket can be handed to a child process.
type sharedListener interface {
	net.Listener
	File() (*os.File, error)
}

// listen opens the engine's address. The interface has no encryption, so it is for this machine only.
func listen(o Options) (sharedListener, error) {
	if o.Socket != "" {
		return listenUnix(o.Socket)
	}
	host, _, err := net.SplitHostPort(o.Address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", o.Address, err)
	}
	if address, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !address.IsLoopback()) {
		return nil, fmt.Errorf("listen on %s: the engine serves loopback addresses and unix sockets only", o.Address)
	}
	address, err := net.ResolveTCPAddr("tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", o.Address, err)
	}
	listener, err := net.ListenTCP("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", o.Address, err)
	}
	return listener, nil
}

func listenUnix(path string) (sharedListener, error) {
	// A socket file that nobody serves is left over from a crash; one that is served belongs to another engine.
	if conn, err := net.Dial("unix", path); err == nil {
		conn.Close()
		return nil, fmt.Errorf("listen on %s: %w", path, ErrLocked)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	listener.SetUnlinkOnClose(false)
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("listen on %s: %w", path, err), listener.Close())
	}
	return listener, nil
}

// boundedListener accepts no more than so many connections at a time.
type boundedListener struct {
	net.Listener
	free   chan struct{}
	closed chan struct{}
	once   sync.Once
}

func boundListener(l net.Listener, clients int) *boundedListener {
	return &boundedListener{Listener: l, free: make(chan struct{}, clients), closed: make(chan struct{})}
}

func (b *boundedListener) Accept() (net.Conn, error) {
	select {
	case b.free <- struct{}{}:
	case <-b.closed:
		return nil, net.ErrClosed
	}
	conn, err := b.Listener.Accept()
	if err != nil {
		<-b.free
		return nil, err
	}
	return &boundedConn{Conn: conn, release: func() { <-b.free }}, nil
}

func (b *boundedListener) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.Listener.Close()
}

type boundedConn struct {
	net.Conn
	once    sync.Once
	release func()
}

func (c *boundedConn) Close() error {
	defer c.once.Do(c.release)
	return c.Conn.Close()
}
