package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// killTimeout is how long cancelled statements may take to end at a stop.
const killTimeout = 10 * time.Second

// ServeOptions configures the engine's process.
type ServeOptions struct {
	// Dir is the data directory; it is created with mode 0700 and belongs to one process at a time.
	Dir string
	// Listener is where to serve; it is closed at the end.
	Listener net.Listener
	// Admin and Reader are the credentials; one with an empty password does not exist.
	Admin, Reader Credential
	// Library is the path of libchdb.so; empty means FindLibrary.
	Library string
	// Memory bounds the engine's memory, in bytes; 0 means 60 % of the machine's.
	Memory int64
	// Connections bounds the statements that run at once; 0 means 8. Queue bounds those that wait; 0 means 256.
	Connections, Queue int
	// Threads bounds the threads of one statement and sizes the background pools; 0 means the number of CPUs.
	Threads int
	// MaxBody bounds a request's body, on the wire and decoded, in bytes; 0 means 1 GiB.
	MaxBody int64
	// MaxAnswerHeld bounds what wait_end_of_query=1 holds back before the answer is streamed; 0 means 16 MiB.
	MaxAnswerHeld int
	// DrainTimeout is how long running statements may take to end at a stop; 0 means 10 s.
	DrainTimeout time.Duration
	// ReadTimeout is how long a client may send nothing while the server waits for the rest of its request; 0 means 1 min.
	ReadTimeout time.Duration
	// Log takes what the server has to say; nil means slog.Default.
	Log *slog.Logger
	// Ready is called once the engine answers.
	Ready func()
}

// server is the running HTTP interface.
type server struct {
	options   ServeOptions
	lib       *library
	arguments []string // of every chdb_connect
	control   *control
	guard     *guard
	slots     *slots
	identity  struct{ displayName, version, timezone string }
}

// Serve opens the engine on the data directory and serves ClickHouse's HTTP interface until ctx ends. It then lets
// running statements finish (DrainTimeout), closes the engine and returns nil. The process can serve once: chDB does not
// start a second time. An error wraps ErrLocked when the directory belongs to another process, or ErrLibraryMissing.
func Serve(ctx context.Context, options ServeOptions) error {
	s := &server{options: options.withDefaults()}
	defer s.options.Listener.Close()
	unix.Umask(0o077)
	dir, err := filepath.Abs(s.options.Dir)
	if err != nil {
		return fmt.Errorf("find data directory %s: %w", s.options.Dir, err)
	}
	s.options.Dir = dir
	if err := prepareDirectory(dir); err != nil {
		return err
	}
	lock, err := lockDirectory(dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := s.boot(); err != nil {
		return err
	}
	defer s.shutdown()
	return s.listen(ctx)
}

func (o ServeOptions) withDefaults() ServeOptions {
	if o.Memory == 0 {
		o.Memory = machineMemory() / 10 * 6
	}
	orDefault(&o.Connections, 8)
	orDefault(&o.Queue, 256)
	orDefault(&o.Threads, runtime.NumCPU())
	orDefault(&o.MaxBody, 1<<30)
	orDefault(&o.MaxAnswerHeld, 16<<20)
	orDefault(&o.DrainTimeout, 10*time.Second)
	orDefault(&o.ReadTimeout, time.Minute)
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

func orDefault[T int | int64 | time.Duration](value *T, standard T) {
	if *value == 0 {
		*value = standard
	}
}

func machineMemory() int64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 2 << 30
	}
	return int64(info.Totalram) * int64(info.Unit)
}

// boot loads the library, opens the data directory and asks the engine who it is.
func (s *server) boot() error {
	path := s.options.Library
	if path == "" {
		found, err := FindLibrary()
		if err != nil {
			return err
		}
		path = found
	}
	lib, err := loadLibrary(path)
	if err != nil {
		return err
	}
	arguments, err := writeConfig(&s.options)
	if err != nil {
		return err
	}
	first, err := lib.open(arguments...)
	if err != nil {
		return fmt.Errorf("open data directory %s: %w", s.options.Dir, err)
	}
	s.lib, s.arguments, s.control = lib, arguments[:2], &control{connection: first}
	answer, err := first.queryText("SELECT version(), timezone()", "TabSeparatedRaw")
	if err != nil {
		return fmt.Errorf("ask the engine's version: %w", err)
	}
	s.identity.version, s.identity.timezone, _ = strings.Cut(strings.TrimSpace(string(answer)), "\t")
	s.identity.displayName = "crmwatch"
	s.guard = newGuard(s.options.Admin, s.options.Reader)
	s.slots = newSlots(s.options.Connections, s.options.Queue)
	return nil
}

func (s *server) listen(ctx context.Context) error {
	// Requests outlive ctx by the drain timeout, and are cancelled then.
	requests, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	httpServer := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: min(10*time.Second, s.options.ReadTimeout),
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    1 << 20,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ErrorLog:          slog.NewLogLogger(s.options.Log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- httpServer.Serve(s.options.Listener) }()
	if s.options.Ready != nil {
		s.options.Ready()
	}
	select {
	case err := <-served:
		return fmt.Errorf("serve %s: %w", s.options.Listener.Addr(), err)
	case <-ctx.Done():
	}
	drain, stop := context.WithTimeout(context.WithoutCancel(ctx), s.options.DrainTimeout)
	defer stop()
	if err := httpServer.Shutdown(drain); err != nil {
		s.options.Log.Warn("statements are cancelled: they did not end in time", "timeout", s.options.DrainTimeout)
		cancel()
		final, stop := context.WithTimeout(context.WithoutCancel(ctx), killTimeout)
		defer stop()
		if err := httpServer.Shutdown(final); err != nil {
			return fmt.Errorf("stop serving: %w", err)
		}
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", s.options.Listener.Addr(), err)
	}
	return nil
}

// shutdown closes the last connection, which closes the engine and its files.
func (s *server) shutdown() { s.control.close() }
