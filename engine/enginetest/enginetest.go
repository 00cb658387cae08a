// Package enginetest gives tests the real engine: one child process per test binary and one database per test.
//
// A package that uses it needs
//
//	func TestMain(m *testing.M) { enginetest.Main(m) }
//
// because the child process is the test binary itself.
package enginetest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/crmwatch/crmwatch/engine"
)

// childArgument makes the test binary the engine's child process.
const childArgument = "crmwatch-engine-child"

// stopTimeout bounds the engine's stop after the last test.
const stopTimeout = 30 * time.Second

var shared struct {
	once   sync.Once
	dir    string
	engine *engine.Engine
	err    error
	tests  atomic.Int64
}

// Main runs the package's tests, or the engine when the binary was started as its child.
func Main(m *testing.M) {
	if IsChild() {
		os.Exit(RunChild())
	}
	code := m.Run()
	if err := stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// IsChild tells whether this process was started as the engine's child. For packages with a TestMain of their own.
func IsChild() bool { return len(os.Args) > 1 && os.Args[1] == childArgument }

// RunChild is the engine's process; it returns the exit code.
func RunChild() int {
	if err := engine.RunChild(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// Command is what starts the test binary as an engine child (engine.Options.Command).
func Command() []string {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	return []string{self, childArgument}
}

// Start returns the engine that all tests of the binary share; the first call starts it. Its admins can use file() on the
// directories of testing.T.TempDir. Without the library the test
// fails and says to run `make engine`.
func Start(t testing.TB) *engine.Engine {
	t.Helper()
	shared.once.Do(func() {
		if shared.dir, shared.err = os.MkdirTemp("", "crmwatch-engine-*"); shared.err != nil {
			return
		}
		if shared.err = writeClusters(shared.dir); shared.err != nil {
			return
		}
		shared.engine, shared.err = engine.Start(context.Background(), engine.Options{
			Dir: shared.dir, Command: Command(), Files: []string{os.TempDir()},
		})
	})
	if shared.err != nil {
		t.Fatalf("the tests need the engine (run make engine): %v", shared.err)
	}
	return shared.engine
}

// Open returns a connection, as admin, whose default database is new, empty and this test's own.
func Open(t testing.TB) driver.Conn {
	t.Helper()
	conn, _ := OpenDatabase(t)
	return conn
}

// OpenDatabase is Open and the database's name.
func OpenDatabase(t testing.TB) (driver.Conn, string) {
	t.Helper()
	database := fmt.Sprintf("test_%d", shared.tests.Add(1))
	endpoint := Start(t).Endpoint()
	setup := dial(t, endpoint, engine.Admin, "")
	if err := setup.Exec(context.Background(), "CREATE DATABASE "+database); err != nil {
		t.Fatalf("create the test's database: %v", err)
	}
	t.Cleanup(func() {
		if err := setup.Exec(context.Background(), "DROP DATABASE "+database+" SYNC"); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
		_ = setup.Close()
	})
	conn := dial(t, endpoint, engine.Admin, database)
	t.Cleanup(func() { _ = conn.Close() })
	return conn, database
}

// OpenAs returns a connection as role with the given default database.
func OpenAs(t testing.TB, role engine.Role, database string) driver.Conn {
	t.Helper()
	conn := dial(t, Start(t).Endpoint(), role, database)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func dial(t testing.TB, endpoint engine.Endpoint, role engine.Role, database string) driver.Conn {
	t.Helper()
	options, err := endpoint.ClientOptions(role)
	if err != nil {
		t.Fatalf("open the engine: %v", err)
	}
	options.Auth.Database = database
	conn, err := clickhouse.Open(options)
	if err != nil {
		t.Fatalf("open the engine: %v", err)
	}
	return conn
}

func stop() error {
	if shared.engine == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := shared.engine.Stop(ctx); err != nil {
		return fmt.Errorf("stop the tests' engine: %w", err)
	}
	if err := os.RemoveAll(shared.dir); err != nil {
		return fmt.Errorf("remove the tests' data: %w", err)
	}
	return nil
}
