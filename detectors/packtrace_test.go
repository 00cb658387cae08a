package detectors

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/crmwatch/crmwatch/schema"
)

// tracedStore prints the statements that read many rows.
type tracedStore struct {
	schema.Store
	b       *testing.B
	history packHistory
}

// tracedRows is how many rows a statement reads that is printed.
const tracedRows = 4000

func (s tracedStore) trace(statement string, work func()) {
	before := s.history.cost(s.b)
	work()
	if rows := s.history.cost(s.b).rows - before.rows; rows >= tracedRows {
		text := strings.Join(strings.Fields(statement), " ")
		fmt.Printf("    %9d rows  %s\n", rows, text[:min(len(text), 230)])
	}
}

func (s tracedStore) Query(ctx context.Context, query string, args ...any) (rows driver.Rows, err error) {
	s.trace(query, func() { rows, err = s.Store.Query(ctx, query, args...) })
	return rows, err
}

func (s tracedStore) QueryRow(ctx context.Context, query string, args ...any) (row driver.Row) {
	s.trace(query, func() { row = s.Store.QueryRow(ctx, query, args...) })
	return row
}

func (s tracedStore) Exec(ctx context.Context, query string, args ...any) (err error) {
	s.trace(query, func() { err = s.Store.Exec(ctx, query, args...) })
	return err
}
