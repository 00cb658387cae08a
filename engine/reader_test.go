package engine_test

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/engine"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"golang.org/x/sys/unix"
)

func asReader(t testing.TB, database, sql string, settings ...string) (int, string) {
	t.Helper()
	reader := enginetest.Start(t).Endpoint().Reader
	query := url.Values{"database": {database}}
	for i := 0; i < len(settings); i += 2 {
		query.Set(settings[i], settings[i+1])
	}
	status, _, body := call{user: reader.User, password: reader.Password, query: query, body: strings.NewReader(sql)}.do(t)
	return status, body
}

// TestReaderIsRefused lists what a reader must not do; {file} stands for a file that holds the word "canary".
func TestReaderIsRefused(t *testing.T) {
	conn, database := enginetest.OpenDatabase(t)
	mustExec(t, conn, "CREATE TABLE t (a UInt8, s String) ENGINE = MergeTree ORDER BY a")
	mustExec(t, conn, "INSERT INTO t VALUES (1, 'x')")
	dir := t.TempDir()
	file := filepath.Join(dir, "secret")
	if err := os.WriteFile(file, []byte("canary\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ sql, code string }{
		{"INSERT INTO t VALUES (2, 'y')", "164"},
		{"INSERT INTO t FORMAT CSV\n2,y\n", "164"},
		{"INSERT INTO t SELECT * FROM t", "164"},
		{"/* SELECT */ INSERT /* x */ INTO t VALUES (2, 'y')", "164"},
		{"INSERT INTO FUNCTION file('{file}.csv', CSV) SELECT 1", "164"},
		{"INSERT INTO t FROM INFILE '{file}' FORMAT CSV", "164"},
		{"CREATE TABLE x (a UInt8) ENGINE = Memory", "164"},
		{"CREATE TEMPORARY TABLE x (a UInt8)", "164"},
		{"CREATE TABLE x ENGINE = Memory AS SELECT 1", "164"},
		{"CREATE VIEW x AS SELECT file('{file}')", "164"},
		{"CREATE MATERIALIZED VIEW x ENGINE = Memory AS SELECT 1 AS a", "164"},
		{"CREATE DATABASE x", "164"},
		{"CREATE FUNCTION leak AS x -> file(x)", "164"},
		{"CREATE USER x", "164"},
		{"CREATE DICTIONARY x (a UInt8) PRIMARY KEY a SOURCE(FILE(path '{file}' format 'CSV')) LAYOUT(FLAT()) LIFETIME(1)", "164"},
		{"GRANT ALL ON *.* TO reader", "164"},
		{"SET ROLE crmwatch", "164"},
		{"SET ROLE ALL", "164"},
		{"SET ROLE DEFAULT", "164"},
		{"EXECUTE AS default SELECT 1", "164"},
		{"SET readonly = 0", "164"},
		{"SELECT 1 SETTINGS readonly = 0", "164"},
		{"SELECT * FROM (SELECT * FROM file('{file}', LineAsString) SETTINGS readonly = 0)", "497"},
		{"USE system", "164"},
		{"DROP TABLE t", "164"},
		{"TRUNCATE TABLE t", "164"},
		{"ALTER TABLE t DELETE WHERE 1", "164"},
		{"DELETE FROM t WHERE 1", "164"},
		{"UPDATE t SET s = '' WHERE 1", "164"},
		{"OPTIMIZE TABLE t FINAL", "164"},
		{"RENAME TABLE t TO u", "164"},
		{"ATTACH TABLE x", "164"},
		{"DETACH TABLE t", "164"},
		{"KILL QUERY WHERE 1", "164"},
		{"SYSTEM FLUSH LOGS", "164"},
		{"SYSTEM STOP MERGES", "164"},
		{"BACKUP DATABASE default TO File('{file}.zip')", "164"},
		{"SELECT 1 INTO OUTFILE '{file}.out'", "164"},
		{"SELECT 1 PARALLEL WITH SELECT 2", "164"},
		{"SELECT 1; DROP TABLE t", "62"},
		{"SELECT * FROM url('http://127.0.0.1:1/', CSV, 'a String')", "497"},
		{"SELECT * FROM file('{file}', LineAsString)", "497"},
		{"SELECT * FROM FILE('{file}', LineAsString)", "46"},
		{"SELECT * FROM `file`('{file}', LineAsString)", "497"},
		{"WITH x AS (SELECT * FROM file('{file}', LineAsString)) SELECT * FROM x", "497"},
		{"SELECT (SELECT any(line) FROM file('{file}', LineAsString))", "497"},
		{"SELECT 1 WHERE 'canary' IN (SELECT * FROM file('{file}', LineAsString))", "497"},
		{"SELECT * FROM t UNION ALL SELECT 1, line FROM file('{file}', LineAsString)", "497"},
		{"EXPLAIN SELECT * FROM file('{file}', LineAsString)", "497"},
		{"DESCRIBE TABLE file('{file}', LineAsString)", "497"},
		{"SELECT file('{file}')", "497"},
		{"SELECT lower(`f\\x69le`('{file}'))", "497"},
		{"SELECT \"file\" /* x */ ('{file}')", "497"},
		{"SELECT “file”('{file}')", "497"},
		{"SELECT * APPLY file FROM (SELECT '{file}')", "497"},
		{"SELECT * APPLY(file) FROM (SELECT '{file}')", "497"},
		{"SELECT arrayMap(file, ['{file}'])", "497"},
		{"SELECT s FROM generateRandom('a UInt8, s String ALIAS file(\\'{file}\\')') LIMIT 1", "497"},
		{"SELECT * FROM format(CSV, 'a UInt8, s String DEFAULT file(\\'{file}\\')', '1,\\n')", "497"},
		{"SELECT * FROM s3('http://127.0.0.1:1/bucket/key', CSV, 'a String')", "497"},
		{"SELECT * FROM remote('127.0.0.2', system.one)", "497"},
		{"SELECT * FROM remoteSecure('127.0.0.2', system.one)", "497"},
		{"SELECT * FROM mysql('h:1', 'd', 't', 'u', 'p')", "497"},
		{"SELECT * FROM postgresql('h:1', 'd', 't', 'u', 'p')", "497"},
		{"SELECT * FROM sqlite('{file}', 't')", "497"},
		{"SELECT * FROM mongodb('h:1', 'd', 't', 'u', 'p', 'a UInt8')", "497"},
		{"SELECT * FROM redis('h:1', 'k', 'k String')", "497"},
		{"SELECT * FROM jdbc('x', 'y', 'z')", "497"},
		{"SELECT * FROM odbc('DSN=x', 'y', 'z')", "497"},
		{"SELECT * FROM hdfs('hdfs://x/y', CSV, 'a String')", "497"},
		{"SELECT * FROM azureBlobStorage('x', 'y', 'z')", "497"},
		{"SELECT * FROM icebergLocal('{file}')", "497"},
		{"SELECT * FROM filesystem('/etc')", "497"},
		{"SELECT * FROM executable('x.sh', TSV, 'a String')", "497"},
		{"SELECT * FROM loop(numbers(3))", "497"},
		{"SELECT * FROM viewExplain('EXPLAIN', '', (SELECT 1))", "497"},
		{"SELECT addressToSymbol(1)", "497"},
		{"SELECT * FROM system.users", "497"},
		{"SHOW CREATE USER default", "497"},
		{"SELECT * FROM input('a String')", "477"},
		{"SELECT * FROM `{file}`", "60"},
		{"SELECT 1 AS a FORMAT Protobuf SETTINGS output_format_schema = '{file}.schema'", "452"},
		{"SELECT 1 AS a FORMAT Template SETTINGS format_template_row = '{file}'", "452"},
		{"SELECT 1 AS a FORMAT Protobuf SETTINGS format_schema = '{file}:X'", "452"},
	}
	for _, test := range tests {
		sql := strings.ReplaceAll(test.sql, "{file}", file)
		status, body := asReader(t, database, sql)
		if status == http.StatusOK || !strings.HasPrefix(body, "Code: "+test.code+". ") {
			t.Errorf("%s: %d %.200s, want code %s", test.sql, status, body, test.code)
		}
		if strings.Contains(body, "canary") {
			t.Errorf("%s: shows the file", test.sql)
		}
	}
	settings := [][]string{{"readonly", "0"}, {"readonly", "1"}, {"output_format_schema", file + ".schema"}, {"format_template_row", file}}
	for _, setting := range settings {
		if status, body := asReader(t, database, "SELECT 1 AS a", setting...); status == http.StatusOK && setting[0] == "readonly" {
			t.Errorf("setting %s: %s", setting, body)
		}
	}
	if n := count(t, conn, "SELECT count() FROM t"); n != 1 {
		t.Errorf("the table has %d rows", n)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("files were written: %v, %v", left, err)
	}
}

// TestSandbox tries the ways around the engine's permissions, as a reader and as an admin: the kernel refuses them.
func TestSandbox(t *testing.T) {
	const landlockCreateRuleset, askVersion = 444, 1
	if _, _, errno := unix.Syscall(landlockCreateRuleset, 0, 0, askVersion); errno != 0 {
		t.Logf("this kernel has no Landlock (%v): there is no sandbox to test", errno)
		return
	}
	_, database := enginetest.OpenDatabase(t)
	tricks := []string{
		"SELECT s FROM values(concat('a UInt8, s String ALIAS fi', 'le(\\'/etc/passwd\\')'), 1)",
		"SELECT 1 SETTINGS additional_result_filter = 'throwIf(position(file(\\'/etc/passwd\\'), \\'root\\') > 0)'",
	}
	for _, sql := range tricks {
		if status, body := asReader(t, database, sql); status == http.StatusOK || strings.Contains(body, "root:") || strings.Contains(body, "Code: 395") {
			t.Errorf("reader: %s: %d %.200s", sql, status, body)
		}
	}
	for _, sql := range []string{
		"SELECT * FROM file('/etc/passwd', LineAsString)",
		"SELECT file('/proc/1/environ')",
		"SELECT * FROM url('http://127.0.0.1:1/', CSV, 'a String')",
		"INSERT INTO FUNCTION file('/var/tmp/crmwatch-canary.csv', CSV) SELECT 1",
		"SELECT * FROM executable('../../../../../bin/sh', TSV, 'a String')",
	} {
		status, _, body := call{body: strings.NewReader(sql)}.do(t)
		if status == http.StatusOK {
			t.Errorf("admin: %s: %.200s", sql, body)
		}
	}
	opened := filepath.Join(t.TempDir(), "x.csv")
	ask(t, "INSERT INTO FUNCTION file('"+opened+"', CSV, 'a UInt8') SELECT 7")
	if got := ask(t, "SELECT * FROM file('"+opened+"', CSV, 'a UInt8')"); got != "7\n" {
		t.Errorf("an admin reads %q from a directory that is open to admins", got)
	}
}

func TestReaderCanRead(t *testing.T) {
	conn, database := enginetest.OpenDatabase(t)
	mustExec(t, conn, "CREATE TABLE t (a UInt8, file_name String) ENGINE = MergeTree ORDER BY a")
	mustExec(t, conn, "INSERT INTO t VALUES (1, 'file(x)')")
	for _, sql := range []string{
		"SELECT * FROM t WHERE file_name = 'file(x)'", "WITH x AS (SELECT 1 AS a) SELECT * FROM x JOIN t USING a",
		"SELECT * FROM t SETTINGS max_threads = 1, final = 0", "(SELECT 1) UNION ALL (SELECT 2)", "SHOW TABLES", "SHOW CREATE TABLE t",
		"DESCRIBE TABLE t", "EXPLAIN SELECT * FROM t", "EXISTS TABLE t", "CHECK TABLE t", "SELECT * FROM numbers(3)", "SELECT count() FROM system.parts",
		"SELECT * FROM view(SELECT 1)", "SELECT * FROM merge(currentDatabase(), '^t$')", "-- comment; DROP TABLE t\nSELECT 1 /* ; */;",
	} {
		if status, body := asReader(t, database, sql, "max_execution_time", "5"); status != http.StatusOK {
			t.Errorf("%s: %d %s", sql, status, body)
		}
	}
	reader := enginetest.OpenAs(t, engine.Reader, database)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var n uint64
	if err := reader.QueryRow(ctx, "SELECT count() FROM t").Scan(&n); err != nil || n != 1 {
		t.Errorf("a reader with a deadline counts %d, %v", n, err)
	}
	wantCode(t, reader.Exec(ctx, "DROP TABLE t"), 164)
	_, err := reader.PrepareBatch(ctx, "INSERT INTO t")
	if err == nil {
		err = reader.InsertFormat(ctx, "CSV", "INSERT INTO t", strings.NewReader("1,x\n"))
	}
	wantCode(t, err, 164)
}
