package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

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
	go func() { served <- httpServer.Serve(boundListener(s.options.Listener, maxClients)) }()
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
