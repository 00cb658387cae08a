package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/crmwatch/crmwatch/engine"
	"github.com/crmwatch/crmwatch/engine/enginetest"
)

// native is the Native block of a query's answer.
func native(t testing.TB, sql string) []byte {
	t.Helper()
	status, _, body := call{query: url.Values{"default_format": {"Native"}}, body: strings.NewReader(sql)}.do(t)
	if status != http.StatusOK {
		t.Fatalf("%s: %s", sql, body)
	}
	return []byte(body)
}

func TestDeduplicationToken(t *testing.T) {
	conn := enginetest.Open(t)
	mustExec(t, conn, "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100")
	block := native(t, "SELECT number AS a FROM numbers(1000)")
	insert := func(token string) {
		t.Helper()
		ctx := clickhouse.Context(context.Background(), clickhouse.WithSettings(clickhouse.Settings{"insert_deduplication_token": token}))
		if err := conn.InsertFormat(ctx, "Native", "INSERT INTO t", bytes.NewReader(block)); err != nil {
			t.Fatal(err)
		}
	}
	insert("a:1:x")
	insert("a:1:x")
	insert("a:1:x")
	if n := count(t, conn, "SELECT count() FROM t"); n != 1000 {
		t.Errorf("the same token three times stores %d rows, want 1000", n)
	}
	insert("a:2:x")
	if n := count(t, conn, "SELECT count() FROM t"); n != 2000 {
		t.Errorf("another token stores %d rows in all, want 2000", n)
	}
}

// TestBrokenBlocks inserts bodies that a sender or a network has damaged: nothing of them may be stored.
func TestBrokenBlocks(t *testing.T) {
	conn := enginetest.Open(t)
	mustExec(t, conn, "CREATE TABLE t (a UInt64, s String, lc LowCardinality(String)) ENGINE = MergeTree ORDER BY a")
	block := native(t, "SELECT number AS a, toString(number) AS s, toLowCardinality(toString(number % 7)) AS lc FROM numbers(50000)")
	wrongType := native(t, "SELECT 'x' AS a, 'y' AS s FROM numbers(3)")
	bodies := map[string][]byte{
		"garbage":               []byte("this is no block at all, whatever one may say about it"),
		"zero bytes":            make([]byte, 100_000),
		"type that cannot cast": wrongType,
		"two blocks, one cut":   append(append([]byte(nil), block...), block[:len(block)/2]...),
		"a block and garbage":   append(append([]byte(nil), block...), "garbage"...),
	}
	for _, cut := range []int{1, 2, 5, 17, len(block) / 3, len(block) / 2, len(block) - 1} {
		bodies[fmt.Sprintf("cut after %d bytes", cut)] = block[:cut]
	}
	for name, body := range bodies {
		err := conn.InsertFormat(context.Background(), "Native", "INSERT INTO t", bytes.NewReader(body))
		if name != "zero bytes" && err == nil {
			t.Errorf("%s: no error", name)
		}
		if n := count(t, conn, "SELECT count() FROM t"); n != 0 {
			t.Fatalf("%s: %d rows are stored", name, n)
		}
	}
	err := conn.InsertFormat(context.Background(), "Native", "INSERT INTO t", io.MultiReader(bytes.NewReader(block[:len(block)/2]), brokenReader{}))
	if err == nil {
		t.Error("a body that breaks off is accepted")
	}
	if n := count(t, conn, "SELECT count() FROM t"); n != 0 {
		t.Errorf("a body that breaks off stores %d rows", n)
	}
	if err := conn.InsertFormat(context.Background(), "Native", "INSERT INTO t", bytes.NewReader(block)); err != nil {
		t.Errorf("a good block after the bad ones: %v", err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("the sender's disk is gone") }

func TestColumnsOfABlock(t *testing.T) {
	conn, database := enginetest.OpenDatabase(t)
	mustExec(t, conn, "CREATE TABLE t (a UInt64, s String DEFAULT concat('default ', toString(a)), m String MATERIALIZED upper(s), z UInt8) ENGINE = MergeTree ORDER BY a")
	insert := func(statement, sql string) (int, string) {
		t.Helper()
		status, _, body := call{query: url.Values{"database": {database}, "query": {statement}}, body: bytes.NewReader(native(t, sql))}.do(t)
		return status, body
	}
	for _, test := range []struct{ statement, sql string }{
		{"INSERT INTO t FORMAT Native", "SELECT toUInt64(1) AS a"},
		{"INSERT INTO t (a, z) FORMAT Native", "SELECT toUInt8(9) AS z, toUInt64(2) AS a"},
		{"INSERT INTO t FORMAT Native", "SELECT 'c' AS s, toUInt16(3) AS a"},
	} {
		if status, body := insert(test.statement, test.sql); status != http.StatusOK {
			t.Errorf("%s of %s: %d %s", test.statement, test.sql, status, body)
		}
	}
	const want = "[(1,'default 1','DEFAULT 1',0),(2,'default 2','DEFAULT 2',9),(3,'c','C',0)]\n"
	if got := ask(t, "SELECT groupArray((a, s, m, z)) FROM (SELECT a, s, m, z FROM "+database+".t ORDER BY a)"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// ClickHouse drops a column that the table does not have, unless it is told not to.
	if status, body := insert("INSERT INTO t SETTINGS input_format_skip_unknown_fields = 0 FORMAT Native", "SELECT toUInt64(4) AS a, 1 AS unknown"); status == http.StatusOK {
		t.Errorf("a column that the table does not have is accepted: %s", body)
	}
}

func TestFramedInsert(t *testing.T) {
	conn, database := enginetest.OpenDatabase(t)
	mustExec(t, conn, "CREATE TABLE t (a UInt64, s String) ENGINE = MergeTree ORDER BY a")
	block := native(t, "SELECT number AS a, toString(number) AS s FROM numbers(300000)")
	frames := compress.NewWriter(compress.LevelZero, compress.LZ4)
	var framed []byte
	for len(block) > 0 {
		piece := block[:min(len(block), 1<<20)]
		block = block[len(piece):]
		if err := frames.Compress(piece); err != nil {
			t.Fatal(err)
		}
		framed = append(framed, frames.Data...)
	}
	send := func(body []byte) (int, string) {
		status, _, answer := call{query: url.Values{"database": {database}, "query": {"INSERT INTO t FORMAT Native"}, "decompress": {"1"}}, body: bytes.NewReader(body)}.do(t)
		return status, answer
	}
	for _, cut := range []int{10, 25, 1000, len(framed) - 1} {
		if status, answer := send(framed[:cut]); status == http.StatusOK {
			t.Errorf("frames that end after %d bytes are accepted: %s", cut, answer)
		}
	}
	if status, answer := send(framed); status != http.StatusOK {
		t.Errorf("%d %s", status, answer)
	}
	if n := count(t, conn, "SELECT count() FROM t"); n != 300000 {
		t.Errorf("%d rows are stored, want 300000", n)
	}
}

func TestBodyLimits(t *testing.T) {
	limit := int64(1 << 20)
	e := startOwn(t, engine.Options{MaxBody: limit})
	admin := e.Endpoint().Admin
	send := func(header map[string]string, query string, body io.Reader) (int, string) {
		t.Helper()
		request, err := http.NewRequest(http.MethodPost, e.Endpoint().URL+"/?"+query, body)
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth(admin.User, admin.Password)
		for name, value := range header {
			request.Header.Set(name, value)
		}
		client := e.Endpoint().HTTPClient()
		defer client.CloseIdleConnections()
		answer, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(text)
	}
	if status, body := send(nil, "", strings.NewReader("CREATE TABLE t (s String) ENGINE = MergeTree ORDER BY s")); status != http.StatusOK {
		t.Fatal(body)
	}
	rows := strings.Repeat("some text\n", int(limit/10)+1)
	insert := "query=INSERT+INTO+t+FORMAT+TSV"
	var bomb bytes.Buffer
	packer := compress.NewWriter(compress.LevelZero, compress.ZSTD)
	for range 100 {
		if err := packer.Compress(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		bomb.Write(packer.Data)
	}
	tests := []struct {
		name   string
		header map[string]string
		query  string
		body   io.Reader
	}{
		{"length is announced", nil, insert, strings.NewReader(rows)},
		{"length is not announced", nil, insert, io.MultiReader(strings.NewReader(rows))},
		{"small and grows", map[string]string{"Content-Encoding": "gzip"}, insert, gzipped(t, strings.Repeat(rows, 10))},
		{"frames of zeros", nil, insert + "&decompress=1", &bomb},
		{"a query without end", nil, "", strings.NewReader("SELECT 1 /*" + rows)},
	}
	for _, test := range tests {
		if status, body := send(test.header, test.query, test.body); status != http.StatusRequestEntityTooLarge || !strings.HasPrefix(body, "Code: 307.") {
			t.Errorf("%s: %d %.200s", test.name, status, body)
		}
	}
	if status, body := send(nil, "", strings.NewReader("SELECT count() FROM t")); body != "0\n" {
		t.Errorf("bodies that are too large store rows: %d %s", status, body)
	}
}
