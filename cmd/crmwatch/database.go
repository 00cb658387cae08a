package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/crmwatch/crmwatch/agent"
	"github.com/crmwatch/crmwatch/compliance/audit"
	"github.com/crmwatch/crmwatch/engine"
	"github.com/crmwatch/crmwatch/schema"
)

// stopTimeout bounds a clean stop of the embedded engine.
const stopTimeout = 30 * time.Second

// lockPatience is how long to wait for a data directory that another process has
// open, leaving how long for one whose engine still answers, orphaned how long where the
// engine's process has lost the one that started it, lockRetry how often to look.
const (
	lockPatience = 20 * time.Second
	leaving      = 5 * time.Second
	orphaned     = 20 * time.Second
	lockRetry    = 200 * time.Millisecond
)

// database is the store of a data directory: an engine of our own, or one that a
// running crmwatch already has open.
type database struct {
	conn     schema.Store
	endpoint engine.Endpoint
	// dir is the data directory.
	dir string
	// engine is nil when another process owns it.
	engine *engine.Engine
	// remove is a temporary directory to delete at the end.
	remove string
	// refusals takes what the engine refuses, where a program serves for long; runRefusals
	// begins to record it, and stopRefusals records the last.
	refusals     *audit.Refusals
	runRefusals  func() (stop func())
	stopRefusals func()
}

type databaseOptions struct {
	// mustExist refuses a directory in which nothing has been collected.
	mustExist bool
	// listen is host:port or unix:/path; empty takes any free loopback port.
	listen string
	log    *slog.Logger
	// files are what the administrator's file() may read; the engine's process
	// reaches nothing else outside its directory.
	files []string
	// exclusive refuses a directory that another crmwatch has open.
	exclusive bool
	// onRestart is called when the engine had to be started again.
	onRestart func(cause error)
	// onRefused is told of what the engine refuses.
	onRefused func(engine.Refusal)
}

// openDatabase opens the data directory dir, or a temporary one if dir is empty,
// and brings its tables up to date.
func openDatabase(ctx context.Context, dir string, options databaseOptions) (*database, error) {
	db := &database{}
	if dir == "" {
		temporary, err := os.MkdirTemp("", "crmwatch-*")
		if err != nil {
			return nil, fmt.Errorf("make temporary directory: %w", err)
		}
		dir, db.remove = temporary, temporary
	}
	db.dir = dir
	if options.mustExist {
		if _, err := os.Stat(dir); err != nil {
			return nil, fmt.Errorf("open data directory: %w (load logs into it first: crmwatch ingest --data %s PATH)", err, dir)
		}
	}
	if err := db.connect(ctx, dir, options); err != nil {
		db.close()
		return nil, err
	}
	if _, err := schema.Migrate(ctx, db.conn); err != nil {
		db.close()
		return nil, fmt.Errorf("prepare tables: %w", err)
	}
	if db.refusals != nil {
		db.stopRefusals = db.runRefusals()
	}
	if db.remove == "" && !options.exclusive {
		recordCommand(ctx, db.conn)
	}
	return db, nil
}

// connect joins the engine that already serves dir, or starts one.
func (db *database) connect(ctx context.Context, dir string, options databaseOptions) error {
	endpoint, err := engine.ReadEndpoint(ctx, dir)
	// The engine of a crmwatch that was killed answers for a moment yet.
	for began := time.Now(); err == nil && options.exclusive; {
		if waited := time.Since(began); waited > orphaned || waited > leaving && !engine.Orphaned(dir) {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lockRetry):
		}
		endpoint, err = engine.ReadEndpoint(ctx, dir)
	}
	switch {
	case err == nil && options.exclusive:
		return fmt.Errorf("another crmwatch already runs on %s, at %s: stop it, or use another data directory", dir, endpoint.URL)
	case err == nil:
		db.endpoint = endpoint
	case errors.Is(err, engine.ErrNotRunning):
		if options.exclusive {
			db.refusals, db.runRefusals = keepRefusals(func() schema.Store { return db.conn }, options.log)
			options.onRefused = func(r engine.Refusal) { db.refusals.Refused(engineRefusal(r)) }
		}
		if db.engine, err = startEngine(ctx, dir, options); err != nil {
			return err
		}
		db.endpoint = db.engine.Endpoint()
	default:
		return err
	}
	db.conn, err = db.endpoint.Open(engine.Admin)
	return err
}

func startEngine(ctx context.Context, dir string, options databaseOptions) (*engine.Engine, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find own program: %w", err)
	}
	log := options.log
	if log == nil {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	o := engine.Options{Dir: dir, Command: []string{self, "engine-child"}, Files: options.files, Log: log, OnRestart: options.onRestart, OnRefused: options.onRefused}
	if path, isSocket := strings.CutPrefix(options.listen, "unix:"); isSocket {
		o.Socket = path
	} else {
		o.Address = options.listen
	}
	// The engine of a crmwatch that was killed ends by itself, but not at once.
	deadline := time.Now().Add(lockPatience)
	for {
		started, err := engine.Start(ctx, o)
		if err == nil {
			return started, nil
		}
		if !errors.Is(err, engine.ErrLocked) || time.Now().After(deadline) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lockRetry):
		}
	}
}

// openScratch makes another database with empty tables on the engine of a temporary
// directory, with which it goes.
func (db *database) openScratch(ctx context.Context, name string) (schema.Store, error) {
	if _, err := schema.CreateDatabase(ctx, db.conn, schema.Place{Database: name}); err != nil {
		return nil, err
	}
	options, err := db.endpoint.ClientOptions(engine.Admin)
	if err != nil {
		return nil, err
	}
	options.Auth.Database = name
	conn, err := clickhouse.Open(options)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", name, err)
	}
	if _, err := schema.Migrate(ctx, conn); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("prepare tables: %w", err)
	}
	return conn, nil
}

// mergeBytes is how much may be loaded with merges deferred: about a hundred parts.
const mergeBytes = 4 << 30

// deferMerges leaves the merging of a load's parts to the next process that opens
// the directory, because it costs the engine more processor time than storing them.
// A load that would make too many parts keeps its merges, and so does an engine
// that belongs to a running monitor.
func (db *database) deferMerges(ctx context.Context, paths []string) error {
	if db.engine == nil {
		return nil
	}
	var bytes int64
	for _, in := range agent.Walk(paths) {
		bytes += in.Size
	}
	if bytes > mergeBytes {
		return nil
	}
	if err := db.conn.Exec(ctx, "SYSTEM STOP MERGES events"); err != nil {
		return fmt.Errorf("defer merges: %w", err)
	}
	return nil
}

// close stops what openDatabase started. What goes wrong then has no consequence
// for what was done, so it is told on standard error and no more.
func (db *database) close() {
	if db.stopRefusals != nil {
		db.stopRefusals()
	}
	if db.conn != nil {
		_ = db.conn.Close()
	}
	if db.engine != nil {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		if err := db.engine.Stop(ctx); err != nil {
			fmt.Fprintf(os.Stderr, "crmwatch: stop engine: %v\n", err)
		}
	}
	if db.remove != "" {
		if err := os.RemoveAll(db.remove); err != nil {
			fmt.Fprintf(os.Stderr, "crmwatch: remove temporary data: %v\n", err)
		}
	}
}

// server is a ClickHouse server named by a DSN file.
type server struct {
	url, user, password, database string
	http                          *http.Client
}

// readServer reads the URL of a ClickHouse server, with its password, from a file
// that only its owner may read.
func readServer(path string) (server, error) {
	text, err := readSecret(path)
	if err != nil {
		return server{}, err
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return server{}, fmt.Errorf("read DSN file %s: write one line such as https://user:password@host:8443/database", path)
	}
	s := server{user: u.User.Username(), database: strings.Trim(u.Path, "/"), http: &http.Client{}}
	s.password, _ = u.User.Password()
	u.User, u.Path = nil, "/"
	// On a cluster, events may be sought by what is found in events.
	parameters := url.Values{"distributed_product_mode": {"global"}}
	if s.database != "" {
		parameters.Set("database", s.database)
	}
	u.RawQuery = parameters.Encode()
	s.url = u.String()
	return s, nil
}

// openServer connects to the ClickHouse server of a DSN file and brings its tables
// up to date.
func openServer(ctx context.Context, path string) (schema.Store, error) {
	conn, err := connectServer(path)
	if err != nil {
		return nil, err
	}
	if _, err := schema.Migrate(ctx, conn); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare tables: %w", err), conn.Close())
	}
	recordCommand(ctx, conn)
	return conn, nil
}

// connectServer makes a connection, which need not reach the server yet.
func connectServer(path string) (schema.Store, error) {
	options, err := serverOptions(path)
	if err != nil {
		return nil, err
	}
	conn, err := clickhouse.Open(options)
	if err != nil {
		return nil, fmt.Errorf("open ClickHouse server: %w", err)
	}
	return conn, nil
}

func serverOptions(path string) (*clickhouse.Options, error) {
	text, err := readSecret(path)
	if err != nil {
		return nil, err
	}
	options, err := clickhouse.ParseDSN(text)
	if err != nil {
		// The error may quote the DSN and so the password.
		return nil, fmt.Errorf("read DSN file %s: write one line such as https://user:password@host:8443/database", path)
	}
	options.Protocol = clickhouse.HTTP
	options.TransportFunc = schema.MeteredTransport
	if options.Settings == nil {
		options.Settings = clickhouse.Settings{}
	}
	for name, value := range schema.ServerSettings() {
		if _, own := options.Settings[name]; !own {
			options.Settings[name] = value
		}
	}
	return options, nil
}

// readSecret reads a file with one secret, and refuses it when others may read it.
func readSecret(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("open secret: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("look at secret: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("refuse secret %s: others may read it (mode %04o); run: chmod 600 %s", path, info.Mode().Perm(), filepath.Clean(path))
	}
	text, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return "", fmt.Errorf("read secret %s: %w", path, err)
	}
	return strings.TrimSpace(string(text)), nil
}
