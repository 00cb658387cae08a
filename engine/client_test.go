package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/crmwatch/crmwatch/engine"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func mustExec(t testing.TB, conn driver.Conn, sql string, args ...any) {
	t.Helper()
	if err := conn.Exec(context.Background(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func count(t testing.TB, conn driver.Conn, sql string, args ...any) (n uint64) {
	t.Helper()
	if err := conn.QueryRow(context.Background(), sql, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

func wantCode(t testing.TB, err error, code int32) {
	t.Helper()
	var e *clickhouse.Exception
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("error is %v, want ClickHouse code %d", err, code)
	}
}

// TestTypes sends one row through the client's own encoder and reads it back, under every compression that the client
// has for HTTP.
func TestTypes(t *testing.T) {
	methods := map[string]*clickhouse.Compression{
		"none":    nil,
		"lz4":     {Method: clickhouse.CompressionLZ4},
		"zstd":    {Method: clickhouse.CompressionZSTD},
		"gzip":    {Method: clickhouse.CompressionGZIP, Level: 3},
		"deflate": {Method: clickhouse.CompressionDeflate, Level: 3},
		"brotli":  {Method: clickhouse.CompressionBrotli, Level: 3},
	}
	for name, compression := range methods {
		t.Run(name, func(t *testing.T) {
			_, database := enginetest.OpenDatabase(t)
			options, err := enginetest.Start(t).Endpoint().ClientOptions(engine.Admin)
			if err != nil {
				t.Fatal(err)
			}
			options.Auth.Database, options.Compression = database, compression
			options.Settings["enable_http_compression"] = 1
			conn, err := clickhouse.Open(options)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			roundTrip(t, conn)
		})
	}
}

func roundTrip(t *testing.T, conn driver.Conn) {
	ctx := context.Background()
	mustExec(t, conn, `CREATE TABLE t (id UUID, lc LowCardinality(String), lcn LowCardinality(Nullable(String)), m Map(LowCardinality(String), String),
		at DateTime64(3, 'UTC'), ip IPv6, ip4 IPv4, tags Array(String), n Nullable(UInt64), f Float64, b Bool, e Enum8('a' = 1, 'b' = 2), fs FixedString(3), tp Tuple(UInt8, String))
		ENGINE = MergeTree ORDER BY id`)
	id, at, ip := uuid.New(), time.Date(2025, 8, 17, 22, 11, 0, 123e6, time.UTC), netip.MustParseAddr("2001:db8::7")
	const rows = 3
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO t")
	if err != nil {
		t.Fatal(err)
	}
	for range rows {
		err := batch.Append(id, "Salesforce", nil, map[string]string{"k": "ü'\\\t"}, at, ip.AsSlice(), "10.1.2.3", []string{"x", "y"}, uint64(7), 1.5, true, "b", "abc", []any{uint8(1), "z"})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
	var got struct {
		id    uuid.UUID
		lc    string
		lcn   *string
		m     map[string]string
		at    time.Time
		ip    string
		tags  []string
		n     *uint64
		total uint64
	}
	err = conn.QueryRow(ctx, "SELECT id, lc, lcn, m, at, toString(ip), tags, n, count() OVER () FROM t WHERE at = {at:DateTime64(3)} AND m['k'] = {k:String} LIMIT 1",
		clickhouse.DateNamed("at", at, clickhouse.MilliSeconds), clickhouse.Named("k", "ü'\\\t")).
		Scan(&got.id, &got.lc, &got.lcn, &got.m, &got.at, &got.ip, &got.tags, &got.n, &got.total)
	if err != nil {
		t.Fatal(err)
	}
	if got.id != id || got.lc != "Salesforce" || got.lcn != nil || !got.at.Equal(at) || got.ip != ip.String() || *got.n != 7 || got.total != rows {
		t.Errorf("got %+v", got)
	}
	if diff := cmp.Diff([]any{map[string]string{"k": "ü'\\\t"}, []string{"x", "y"}}, []any{got.m, got.tags}); diff != "" {
		t.Error(diff)
	}
	var block bytes.Buffer
	stream, err := conn.QueryFormat(ctx, "Native", "SELECT * FROM t")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(&block, stream); err != nil {
		t.Fatal(err)
	}
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
	if err := conn.InsertFormat(ctx, "Native", "INSERT INTO t", &block); err != nil {
		t.Fatal(err)
	}
	if n := count(t, conn, "SELECT count() FROM t"); n != 2*rows {
		t.Errorf("a Native block that was read and inserted again makes %d rows, want %d", n, 2*rows)
	}
}

func TestQueryParameters(t *testing.T) {
	conn := enginetest.Open(t)
	for _, value := range []string{"", "plain", "it's", `back\slash`, "tab\tline\nend", "ü€😀", "'; DROP TABLE t; --", "{x:String}", "a%20b&c=d;e"} {
		var got string
		if err := conn.QueryRow(context.Background(), "SELECT {x:String}", clickhouse.Named("x", value)).Scan(&got); err != nil || got != value {
			t.Errorf("parameter %q came back as %q, %v", value, got, err)
		}
	}
	var ids []uint64
	ctx := clickhouse.Context(context.Background(), clickhouse.WithParameters(clickhouse.Parameters{"ids": "[3, 5]", "name": "number"}))
	if err := conn.QueryRow(ctx, "SELECT groupArray({name:Identifier}) FROM numbers(9) WHERE number IN {ids:Array(UInt64)}").Scan(&ids); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]uint64{3, 5}, ids); diff != "" {
		t.Error(diff)
	}
}

func TestExceptions(t *testing.T) {
	conn := enginetest.Open(t)
	ctx := context.Background()
	wantCode(t, conn.Exec(ctx, "SELEC 1"), 62)
	wantCode(t, conn.QueryRow(ctx, "SELECT * FROM missing").Err(), 60)
	wantCode(t, conn.Exec(ctx, "SELECT 1 FROM nowhere.t"), 81)
	_, err := conn.PrepareBatch(ctx, "INSERT INTO missing")
	wantCode(t, err, 60)
	mustExec(t, conn, "CREATE TABLE t (a UInt8, s String) ENGINE = MergeTree ORDER BY a")
	err = conn.InsertFormat(ctx, "CSV", "INSERT INTO t", strings.NewReader("1,x\ny,2\n"))
	wantCode(t, err, 27)
	if strings.Contains(err.Error(), "Stack trace") {
		t.Errorf("the error carries the engine's stack trace: %v", err)
	}
	wantCode(t, conn.InsertFormat(ctx, "Nonsense", "INSERT INTO t", strings.NewReader("1")), 73)
	if n := count(t, conn, "SELECT count() FROM t"); n != 0 {
		t.Errorf("failed inserts stored %d rows", n)
	}
	// This one fails in the middle of its answer.
	rows, err := conn.Query(ctx, "SELECT throwIf(number = 3000000) FROM numbers(4000000) SETTINGS max_block_size = 65536, max_threads = 1")
	if err == nil {
		for rows.Next() {
		}
		err = rows.Err()
	}
	wantCode(t, err, 395)
	stream, err := conn.QueryFormat(ctx, "CSV", "SELECT throwIf(number = 3000000) FROM numbers(4000000) SETTINGS max_block_size = 65536, max_threads = 1")
	if err == nil {
		_, err = io.Copy(io.Discard, stream)
		_ = stream.Close()
	}
	wantCode(t, err, 395)
}

func TestDeadlineAndCancel(t *testing.T) {
	conn := enginetest.Open(t)
	endless := "SELECT max(sipHash64(number)) FROM numbers(1000000000000)"
	ctx, cancel := context.WithTimeout(context.Background(), 1500*time.Millisecond)
	defer cancel()
	if err := conn.QueryRow(ctx, endless).Err(); err == nil {
		t.Error("a query outlives its deadline")
	}
	ctx, cancel = context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- conn.QueryRow(ctx, endless).Err() }()
	waitFor(t, "the query to run", func() bool { return running(t, conn, endless) == 1 })
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled query returns %v", err)
	}
	waitFor(t, "the cancelled queries to end in the engine", func() bool { return running(t, conn, endless) == 0 })
}

func running(t *testing.T, conn driver.Conn, sql string) uint64 {
	return count(t, conn, "SELECT count() FROM system.processes WHERE query = {sql:String}", clickhouse.Named("sql", sql))
}

// waitFor polls; each poll is a query, so there is nothing to sleep for.
func waitFor(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// TestSettingsStayWithTheirRequest runs statements that change session state between others that would see it.
func TestSettingsStayWithTheirRequest(t *testing.T) {
	conn := enginetest.Open(t)
	read := func() string {
		var threads, zone, database string
		err := conn.QueryRow(context.Background(), "SELECT toString(getSetting('max_threads')), getSetting('session_timezone'), currentDatabase()").Scan(&threads, &zone, &database)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(threads, zone, database)
	}
	before := read()
	ctx := clickhouse.Context(context.Background(), clickhouse.WithSettings(clickhouse.Settings{"session_timezone": "Asia/Tokyo", "max_threads": 1}))
	var zone string
	if err := conn.QueryRow(ctx, "SELECT timezone()").Scan(&zone); err != nil || zone != "Asia/Tokyo" {
		t.Errorf("a setting does not reach its query: %q, %v", zone, err)
	}
	mustExec(t, conn, "SET session_timezone = 'Asia/Tokyo'")
	mustExec(t, conn, "USE system")
	mustExec(t, conn, "CREATE TEMPORARY TABLE secret (a UInt8)")
	if after := read(); after != before {
		t.Errorf("session state leaks: %s, before %s", after, before)
	}
	wantCode(t, conn.QueryRow(context.Background(), "SELECT * FROM secret").Err(), 60)
	ctx = clickhouse.Context(context.Background(), clickhouse.WithSettings(clickhouse.Settings{"no_such_setting": 1}))
	wantCode(t, conn.QueryRow(ctx, "SELECT 1").Err(), 115)
}

func TestFinalPerQuery(t *testing.T) {
	conn := enginetest.Open(t)
	mustExec(t, conn, "CREATE TABLE t (k UInt8, v UInt8) ENGINE = ReplacingMergeTree ORDER BY k")
	mustExec(t, conn, "SYSTEM STOP MERGES t")
	mustExec(t, conn, "INSERT INTO t VALUES (1, 1)")
	mustExec(t, conn, "INSERT INTO t VALUES (1, 2)")
	final := clickhouse.Context(context.Background(), clickhouse.WithSettings(clickhouse.Settings{"final": 1}))
	var n uint64
	if err := conn.QueryRow(final, "SELECT count() FROM t").Scan(&n); err != nil || n != 1 {
		t.Errorf("with final=1 there are %d rows, %v", n, err)
	}
	if n := count(t, conn, "SELECT count() FROM t"); n != 2 {
		t.Errorf("without final there are %d rows, want 2", n)
	}
}
