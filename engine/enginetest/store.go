package enginetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/crmwatch/crmwatch/engine"
	"github.com/crmwatch/crmwatch/schema"
)

// idle are migrated and empty databases of tests that have ended: making the tables takes
// longer than most tests that need them.
var idle struct {
	mu        sync.Mutex
	databases []string
	// tables are those that the migrations make.
	tables []string
}

// OpenStore returns a connection, as admin, whose default database has crmwatch's tables.
// They are empty, and this test's own until it ends. Tests that change the tables
// themselves need Open.
func OpenStore(t testing.TB) schema.Store {
	t.Helper()
	endpoint := Start(t).Endpoint()
	database := takeIdle()
	made := database == ""
	if made {
		database = fmt.Sprintf("test_%d", shared.tests.Add(1))
		setup := dial(t, endpoint, engine.Admin, "")
		defer setup.Close()
		if err := setup.Exec(context.Background(), "CREATE DATABASE "+database); err != nil {
			t.Fatalf("create the test's database: %v", err)
		}
	}
	conn := dial(t, endpoint, engine.Admin, database)
	t.Cleanup(func() { _ = conn.Close() })
	if made {
		if err := migrate(conn); err != nil {
			t.Fatalf("make the test's tables: %v", err)
		}
	}
	// On a connection of its own: tests close theirs, or use it up.
	t.Cleanup(func() {
		admin := dial(t, endpoint, engine.Admin, database)
		defer admin.Close()
		if err := makeIdle(admin, database); err != nil {
			t.Errorf("empty the test's database: %v", err)
		}
	})
	return conn
}

func migrate(conn schema.Store) error {
	ctx := context.Background()
	if _, err := schema.Migrate(ctx, conn); err != nil {
		return err
	}
	idle.mu.Lock()
	defer idle.mu.Unlock()
	return conn.QueryRow(ctx, "SELECT groupArray(name) FROM system.tables WHERE database = currentDatabase()").Scan(&idle.tables)
}

func takeIdle() string {
	idle.mu.Lock()
	defer idle.mu.Unlock()
	last := len(idle.databases) - 1
	if last < 0 {
		return ""
	}
	database := idle.databases[last]
	idle.databases = idle.databases[:last]
	return database
}

// makeIdle empties the tables of the migrations, drops others, and lets the next test
// have the database.
func makeIdle(conn driver.Conn, database string) error {
	ctx := context.Background()
	var filled, tables []string
	err := conn.QueryRow(ctx, `SELECT groupArrayIf(name, total_rows > 0 AND name != 'schema_migrations'), groupArray(name)
FROM system.tables WHERE database = currentDatabase()`).Scan(&filled, &tables)
	if err != nil {
		return err
	}
	for _, table := range filled {
		if err := conn.Exec(ctx, "TRUNCATE TABLE `"+table+"`"); err != nil {
			return err
		}
	}
	for _, table := range tables {
		if !slices.Contains(idle.tables, table) {
			if err := conn.Exec(ctx, "DROP TABLE `"+table+"` SYNC"); err != nil {
				return err
			}
		}
	}
	idle.mu.Lock()
	defer idle.mu.Unlock()
	idle.databases = append(idle.databases, database)
	return nil
}
