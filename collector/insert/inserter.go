// Package insert puts deliveries into ClickHouse, each exactly once.
package insert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/cenkalti/backoff/v5"

	"github.com/crmwatch/crmwatch/schema"
)

// Inserter inserts deliveries into ClickHouse, each exactly once. Whatever is
// wrong with the connection or the server, it sends the same bytes with the same
// token again until they are in; only data that the server refuses for itself is
// taken apart, row by row, and the rows at fault go to quarantine.
type Inserter struct {
	// Conn is a clickhouse-go connection over HTTP.
	Conn schema.Store
	Log  *slog.Logger
	// FirstWait and LongestWait bound the pause before an insert is tried again;
	// 0 means half a second and half a minute.
	FirstWait, LongestWait time.Duration
	// Watchdog ends an insert that does not come back; 0 means two minutes.
	Watchdog time.Duration
	// GiveUpAfter ends the trying; 0 means never.
	GiveUpAfter time.Duration

	mu      sync.Mutex
	trouble string
	since   time.Time
}

// insertSettings make one insert one part-wise atomic, deduplicated block: no
// asynchronous queue that acknowledges early, no merge of the block while the
// insert waits, no squashing of blocks that have the right size already, and as
// many partitions as the events have days. One thread is enough for one block; a
// second one only costs.
var insertSettings = clickhouse.Settings{
	"async_insert":                               0,
	"insert_deduplicate":                         1,
	"optimize_on_insert":                         0,
	"max_partitions_per_insert_block":            0,
	"max_threads":                                1,
	"max_insert_threads":                         1,
	"min_insert_block_size_rows":                 0,
	"min_insert_block_size_bytes":                0,
	"input_format_defaults_for_omitted_fields":   1,
	"input_format_native_allow_types_conversion": 1,
	// On a cluster, an insert into a Distributed table is answered when the shards have
	// it, and its token goes with it.
	"distributed_foreground_insert": 1,
}

// Insert inserts a delivery and returns when the server has acknowledged all of it.
// An error means that ctx is done or that GiveUpAfter has passed.
func (s *Inserter) Insert(ctx context.Context, d schema.Delivery) error {
	if err := s.keepInserting(ctx, schema.QuarantineTable, d.Quarantine, d.Token(&d.Quarantine)); err != nil {
		return err
	}
	return s.keepInserting(ctx, schema.EventsTable, d.Events, d.Token(&d.Events))
}

func (s *Inserter) keepInserting(ctx context.Context, table string, block schema.Frames, token string) error {
	if block.Rows == 0 {
		return nil
	}
	try := func() (struct{}, error) {
		err := s.insert(ctx, table, block, token)
		if table == schema.EventsTable && isDataError(err) {
			err = s.insertReadable(ctx, block, token)
		}
		s.note(table, err)
		return struct{}{}, err
	}
	wait := backoff.NewExponentialBackOff()
	if s.FirstWait > 0 {
		wait.InitialInterval = s.FirstWait
	}
	wait.MaxInterval = 30 * time.Second
	if s.LongestWait > 0 {
		wait.MaxInterval = s.LongestWait
	}
	_, err := backoff.Retry(ctx, try, backoff.WithBackOff(wait), backoff.WithMaxElapsedTime(s.GiveUpAfter))
	if err != nil {
		return fmt.Errorf("insert into %s: %w", table, err)
	}
	return nil
}

// errStuck is an insert that the watchdog ended.
var errStuck = errors.New("no answer to the insert")

// insert sends a block once. The watchdog is a cancel and not a deadline, because
// clickhouse-go turns a deadline into a setting that restricted users may not make.
func (s *Inserter) insert(ctx context.Context, table string, block schema.Frames, token string) error {
	settings := make(clickhouse.Settings, len(insertSettings)+2)
	for name, value := range insertSettings {
		settings[name] = value
	}
	settings["insert_deduplication_token"] = token
	if block.Framed {
		// The HTTP interface takes off the frames itself.
		settings["decompress"] = 1
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := s.Watchdog
	if watchdog == 0 {
		watchdog = 2 * time.Minute
	}
	defer time.AfterFunc(watchdog, func() { cancel(errStuck) }).Stop()
	err := s.Conn.InsertFormat(clickhouse.Context(ctx, clickhouse.WithSettings(settings)),
		"Native", "INSERT INTO "+table, bytes.NewReader(block.Data))
	if err != nil && errors.Is(context.Cause(ctx), errStuck) {
		return errStuck
	}
	return err
}

// note logs when inserting begins to fail, fails for another reason, and works
// again: one line for each change, however often it is tried in between.
func (s *Inserter) note(table string, err error) {
	if s.Log == nil || errors.Is(err, context.Canceled) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	kind := ""
	if err != nil {
		kind = kindOfTrouble(err)
	}
	if kind == s.trouble {
		return
	}
	if kind == "" {
		s.Log.Info("inserting works again", "table", table, "after", time.Since(s.since).Round(time.Millisecond).String())
	} else {
		s.Log.Warn("inserting fails and is tried again until it works; nothing is lost", "table", table, "kind", kind, "mend", mendOf(err), "error", publicText(err))
		if s.trouble == "" {
			s.since = time.Now()
		}
	}
	s.trouble = kind
}
