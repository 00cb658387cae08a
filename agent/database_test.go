package agent

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/collector/insert"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

// database is a new database of the real engine with crmwatch's tables.
func database(t testing.TB) schema.Store {
	t.Helper()
	return enginetest.OpenStore(t)
}

func count(t testing.TB, conn schema.Store, query string) (n uint64) {
	t.Helper()
	if err := conn.QueryRow(context.Background(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// inserting ships straight into the database.
func inserting(conn schema.Store, log io.Writer) func(context.Context, Sealed) error {
	i := &insert.Inserter{Conn: conn, Log: slog.New(slog.NewTextHandler(log, nil)), FirstWait: time.Millisecond, LongestWait: 20 * time.Millisecond}
	return func(ctx context.Context, s Sealed) error { return i.Insert(ctx, s.Delivery("test")) }
}
