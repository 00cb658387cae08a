package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Options configures an engine that runs as a child process.
type Options struct {
	// Dir is the data directory; it is created with mode 0700.
	Dir string
	// Address is the loopback address to listen on; empty means 127.0.0.1 and any free port.
	Address string
	// Socket is the path of a unix socket to listen on in place of an address.
	Socket string
	// Admin and Reader are the credentials; one with an empty password gets a new random one at each Start.
	Admin, Reader Credential
	// Command starts the child; it must end in RunChild. Empty means this program with the argument "engine".
	Command []string
	// Library is the path of libchdb.so; empty means FindLibrary.
	Library string
	// Memory bounds the engine's memory, in bytes; 0 means 60 % of the machine's.
	Memory int64
	// Files are directories and files that admins may read and write with file() and the like. Everything else outside the
	// data directory is closed to the engine by the kernel (Landlock), as is the network.
	Files []string
	// Connections bounds the statements that run at once; 0 means 8.
	Connections int
	// Threads bounds the threads of one statement; 0 means the number of CPUs.
	Threads int
	// MaxBody bounds a request's body in bytes; 0 means 1 GiB.
	MaxBody int64
	// StartTimeout bounds one start of the child, which loads all tables; 0 means 2 minutes.
	StartTimeout time.Duration
	// DrainTimeout is how long running statements may take to end at a stop; 0 means 10 s.
	DrainTimeout time.Duration
	// ReadTimeout is how long a client may send nothing while the server waits for the rest of its request; 0 means 1 min.
	ReadTimeout time.Duration
	// Log takes what happens to the child; nil means slog.Default.
	Log *slog.Logger
	// OnRestart, if not nil, is called after the child has ended unbidden and serves again, with how it ended.
	OnRestart func(cause error)
}

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
	err      error         // valid after done: why it ended unbidden
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
	socket, err := listener.(interface{ File() (*os.File, error) }).File()
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

func (o Options) withDefaults() (Options, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil || o.Dir == "" {
		return o, fmt.Errorf("find data directory %q: %w", o.Dir, errors.Join(err, os.ErrInvalid))
	}
	o.Dir = dir
	if err := prepareDirectory(dir); err != nil {
		return o, err
	}
	if o.Library == "" {
		if o.Library, err = FindLibrary(); err != nil {
			return o, err
		}
	}
	if len(o.Command) == 0 {
		self, err := os.Executable()
		if err != nil {
			return o, fmt.Errorf("find own program: %w", err)
		}
		o.Command = []string{self, "engine"}
	}
	if o.Address == "" {
		o.Address = "127.0.0.1:0"
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	orDefault(&o.StartTimeout, 2*time.Minute)
	orDefault(&o.DrainTimeout, 10*time.Second)
	return o, nil
}

func listen(o Options) (net.Listener, error) {
	if o.Socket == "" {
		listener, err := net.Listen("tcp", o.Address)
		if err != nil {
			return nil, fmt.Errorf("listen on %s: %w", o.Address, err)
		}
		return listener, nil
	}
	// A socket file that nobody serves is left over from a crash; one that is served belongs to another engine.
	if conn, err := net.Dial("unix", o.Socket); err == nil {
		conn.Close()
		return nil, fmt.Errorf("listen on %s: %w", o.Socket, ErrLocked)
	}
	if err := os.Remove(o.Socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("listen on %s: %w", o.Socket, err)
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: o.Socket, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", o.Socket, err)
	}
	listener.SetUnlinkOnClose(false)
	if err := os.Chmod(o.Socket, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("listen on %s: %w", o.Socket, err), listener.Close())
	}
	return listener, nil
}

// supervise starts the child again whenever it ends, until Stop.
func (e *Engine) supervise(running *child) {
	defer close(e.done)
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = 100*time.Millisecond, 30*time.Second
	for {
		began := time.Now()
		<-running.exited
		if e.isStopping() {
			return
		}
		cause := running.failure()
		e.options.Log.Error("engine ended and is started again", "error", cause)
		if time.Since(began) > time.Minute {
			pause.Reset()
		}
		next, ok := e.restart(pause)
		if !ok {
			return
		}
		running = next
		e.restarts.Add(1)
		e.options.Log.Info("engine serves again", "restarts", e.restarts.Load())
		if e.options.OnRestart != nil {
			e.options.OnRestart(cause)
		}
	}
}

// restart tries until a child answers; false means that Stop came first.
func (e *Engine) restart(pause *backoff.ExponentialBackOff) (*child, bool) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-e.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	for {
		wait := time.NewTimer(pause.NextBackOff())
		select {
		case <-e.stop:
			wait.Stop()
			return nil, false
		case <-wait.C:
		}
		next, err := e.startChild(ctx)
		if err != nil {
			if e.isStopping() {
				return nil, false
			}
			e.options.Log.Error("engine does not start", "error", err)
			continue
		}
		e.mutex.Lock()
		if e.stopping {
			e.mutex.Unlock()
			next.kill()
			return nil, false
		}
		e.child = next
		e.mutex.Unlock()
		return next, true
	}
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
