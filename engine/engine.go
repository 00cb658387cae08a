package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

// Engine is a running engine and its supervisor. If the child ends, it is started again on the same address and with the
// same credentials; requests in between wait in the listening socket's queue.
type Engine struct {
	options  Options
	endpoint Endpoint
	socket   *os.File // the listening socket, which outlives every child
	restarts atomic.Int64

	mutex    sync.Mutex
	stopping bool
	child    *child
	stop     chan struct{} // closed by Stop
	done     chan struct{} // closed when the supervisor has ended
}

// Start starts the engine and returns when it answers. The error carries what the child said; it wraps ErrLibraryMissing
// when there is no library. ctx bounds the start only.
func Start(ctx context.Context, options Options) (*Engine, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	listener, err := listen(options)
	if err != nil {
		return nil, err
	}
	socket, err := listener.File()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("share listening socket: %w", err), listener.Close())
	}
	e := &Engine{
		options: options, socket: socket,
		endpoint: newEndpoint(options, listener.Addr()),
		stop:     make(chan struct{}), done: make(chan struct{}),
	}
	// Only the shared descriptor must remain, or two accept queues would look at one socket.
	if err := listener.Close(); err != nil {
		return nil, errors.Join(fmt.Errorf("share listening socket: %w", err), e.release())
	}
	first, err := e.startChild(ctx)
	if err == nil {
		err = WriteEndpoint(options.Dir, e.endpoint)
	}
	if err != nil {
		if first != nil {
			first.kill()
		}
		return nil, errors.Join(err, e.release())
	}
	e.child = first
	go e.supervise(first)
	return e, nil
}

func (e *Engine) isStopping() bool {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	return e.stopping
}

// Stop ends the engine: running statements may finish within the drain timeout, then the data directory is closed.
// When ctx ends first, the child is killed, which costs nothing that was acknowledged. Stop may be called again.
func (e *Engine) Stop(ctx context.Context) error {
	e.mutex.Lock()
	first, running := !e.stopping, e.child
	e.stopping = true
	if first {
		close(e.stop)
	}
	e.mutex.Unlock()
	if !first {
		<-e.done
		return nil
	}
	err := running.stop(ctx)
	<-e.done
	return errors.Join(err, RemoveEndpoint(e.options.Dir), e.release())
}

// release gives the listening socket up.
func (e *Engine) release() error {
	if err := e.socket.Close(); err != nil {
		return fmt.Errorf("close listening socket: %w", err)
	}
	if e.options.Socket != "" {
		if err := os.Remove(e.options.Socket); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove socket: %w", err)
		}
	}
	return nil
}

// Endpoint is where the engine answers; it stays the same across restarts.
func (e *Engine) Endpoint() Endpoint { return e.endpoint }

// Restarts counts how often the child had to be started again.
func (e *Engine) Restarts() int { return int(e.restarts.Load()) }

// Done is closed after Stop has ended the supervision.
func (e *Engine) Done() <-chan struct{} { return e.done }

// PID is the process id of the current child.
func (e *Engine) PID() int {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	return e.child.command.Process.Pid
}
