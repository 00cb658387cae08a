package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/crmwatch/crmwatch/engine"
	"golang.org/x/sys/unix"
)

// TestInsertsSurviveKills kills the engine again and again under a sender that repeats each block, with its token, until
// it is acknowledged: every row is stored once.
func TestInsertsSurviveKills(t *testing.T) {
	const blocks, rows, kills = 60, 5000, 4
	restarted := make(chan error, kills)
	e := startOwn(t, engine.Options{OnRestart: func(cause error) { restarted <- cause }})
	conn, err := e.Endpoint().Open(engine.Admin)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	mustExec(t, conn, "CREATE TABLE t (block UInt32, a UInt64) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 1000")
	var data [blocks][]byte
	for i := range data {
		data[i] = native(t, fmt.Sprintf("SELECT toUInt32(%d) AS block, number AS a FROM numbers(%d)", i, rows))
	}
	sent := make(chan int, blocks)
	failures := make(chan int, 1)
	go func() {
		defer close(sent)
		repeated := 0
		for i, block := range data {
			ctx := clickhouse.Context(context.Background(), clickhouse.WithSettings(clickhouse.Settings{"insert_deduplication_token": fmt.Sprint("block-", i)}))
			for conn.InsertFormat(ctx, "Native", "INSERT INTO t", bytes.NewReader(block)) != nil {
				repeated++
			}
			sent <- i
		}
		failures <- repeated
	}()
	done := 0
	for range kills {
		for range blocks / (kills + 1) {
			<-sent
			done++
		}
		if err := unix.Kill(e.PID(), unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		<-restarted
	}
	for range sent {
		done++
	}
	t.Logf("%d blocks, %d times sent again", done, <-failures)
	if n := count(t, conn, "SELECT count() FROM t"); n != blocks*rows {
		t.Errorf("%d rows are stored, want %d", n, blocks*rows)
	}
	if n := count(t, conn, "SELECT count() FROM (SELECT block FROM t GROUP BY block HAVING count() = {rows:UInt64})", clickhouse.Named("rows", fmt.Sprint(rows))); n != blocks {
		t.Errorf("%d blocks are whole, want %d", n, blocks)
	}
}
