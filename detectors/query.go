package detectors

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/crmwatch/crmwatch/schema"
)

// maxResultRows bounds what one window of a rule may return; series are longer.
const (
	maxResultRows = 10_000
	maxSeriesRows = 5_000_000
)

// record is one row of a rule's query, by column.
type record map[string]any

// read runs a rule's query over [from, to).
func (r *Runner) read(ctx context.Context, rule Rule, from, to time.Time, params map[string]any, adjust ...func(clickhouse.Settings)) ([]record, error) {
	return r.readStatement(ctx, rule, wrapQuery(rule.Query), from, to, params, adjust...)
}

// readStatement runs a statement with the rule's parameters.
func (r *Runner) readStatement(ctx context.Context, rule Rule, statement string, from, to time.Time, params map[string]any, adjust ...func(clickhouse.Settings)) ([]record, error) {
	args := []any{clickhouse.DateNamed("from", from, clickhouse.MilliSeconds), clickhouse.DateNamed("to", to, clickhouse.MilliSeconds)}
	for name, value := range params {
		if at, ok := value.(time.Time); ok {
			args = append(args, clickhouse.DateNamed(name, at, clickhouse.MilliSeconds))
			continue
		}
		args = append(args, schema.Named(name, value))
	}
	for _, p := range rule.Params {
		args = append(args, schema.Named(p.Name, p.Value))
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.QueryTimeout)
	defer cancel()
	limit := maxResultRows
	if rule.Kind != KindQuery {
		limit = maxSeriesRows
	}
	settings := r.readerSettings(limit)
	for _, change := range adjust {
		change(settings)
	}
	return readRecords(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), r.store, statement, args...)
}

// wrapQuery makes the rule's statement a subquery: it can then carry neither an
// output clause nor a second statement, and its lines count one further.
func wrapQuery(query string) string {
	return "SELECT * FROM (\n" + strings.TrimRight(query, "; \n\t") + "\n)"
}

// readerSettings keep a rule's query to reading, in bounds, each event once.
func (r *Runner) readerSettings(limit int) clickhouse.Settings {
	return clickhouse.Settings{
		"final": 1,
		// Rows with one sorting key lie in one partition, so parts of different days
		// need not be merged with each other.
		"do_not_merge_across_partitions_select_final": 1,
		// Rows with one sorting key are one record, so they can be filtered before they
		// are merged.
		"optimize_move_to_prewhere_if_final": 1,
		// Each window is a small query, planned anew: compiling its expressions to
		// machine code costs more than it saves.
		"compile_expressions":           0,
		"compile_aggregate_expressions": 0,
		"readonly":                      2,
		"max_memory_usage":              r.options.QueryMemory,
		// A fortnight of many events is grouped slowly rather than not at all.
		"max_bytes_before_external_group_by": r.options.QueryMemory / 2,
		"max_result_rows":                    limit,
		"result_overflow_mode":               "throw",
		"session_timezone":                   "UTC",
	}
}

func readRecords(ctx context.Context, store schema.Store, statement string, args ...any) ([]record, error) {
	rows, err := store.Query(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	records, err := scanRecords(rows)
	return records, errors.Join(err, rows.Close())
}

func scanRecords(rows driver.Rows) ([]record, error) {
	names, types := rows.Columns(), rows.ColumnTypes()
	places := make([]any, len(names))
	for i := range names {
		places[i] = reflect.New(types[i].ScanType()).Interface()
	}
	var records []record
	for rows.Next() {
		if err := rows.Scan(places...); err != nil {
			return nil, fmt.Errorf("read row: %w", err)
		}
		row := make(record, len(names))
		for i, name := range names {
			row[name] = reflect.ValueOf(places[i]).Elem().Interface()
		}
		records = append(records, row)
	}
	return records, rows.Err()
}
