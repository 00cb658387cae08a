package engine_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/crmwatch/crmwatch/engine/enginetest"
)

// call is one raw HTTP request, as curl or Grafana would make it.
type call struct {
	method, path, user, password string
	query                        url.Values
	header                       map[string]string
	body                         io.Reader
}

// do sends the call as admin unless it names a user, and returns status, headers and body.
func (c call) do(t testing.TB) (int, http.Header, string) {
	t.Helper()
	endpoint := enginetest.Start(t).Endpoint()
	if c.method == "" {
		c.method = http.MethodPost
	}
	request, err := http.NewRequest(c.method, endpoint.URL+c.path+"?"+c.query.Encode(), c.body)
	if err != nil {
		t.Fatal(err)
	}
	if c.user == "" {
		c.user, c.password = endpoint.Admin.User, endpoint.Admin.Password
	}
	if c.user != "-" {
		request.SetBasicAuth(c.user, c.password)
	}
	for name, value := range c.header {
		request.Header.Set(name, value)
	}
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Logf("read answer: %v", err)
	}
	return answer.StatusCode, answer.Header, string(body)
}

func ask(t testing.TB, sql string) string {
	t.Helper()
	status, _, body := call{body: strings.NewReader(sql)}.do(t)
	if status != http.StatusOK {
		t.Fatalf("%s: %d %s", sql, status, body)
	}
	return body
}

func TestAnswers(t *testing.T) {
	_, database := enginetest.OpenDatabase(t)
	db := url.Values{"database": {database}}
	with := func(pairs ...string) url.Values {
		values := url.Values{"database": {database}}
		for i := 0; i < len(pairs); i += 2 {
			values.Set(pairs[i], pairs[i+1])
		}
		return values
	}
	body := strings.NewReader
	tests := []struct {
		name   string
		call   call
		status int
		want   string // the whole body, or with a * at its end its beginning
	}{
		{"ping needs no credential", call{path: "/ping", user: "-", method: "GET"}, 200, "Ok.\n"},
		{"replicas status", call{path: "/replicas_status", user: "-", method: "GET"}, 200, "Ok.\n"},
		{"root", call{path: "/", user: "-", method: "GET"}, 200, "Ok.\n"},
		{"unknown path", call{path: "/play", method: "GET"}, 404, "*"},
		{"body is the query", call{query: db, body: body("SELECT 1")}, 200, "1\n"},
		{"query parameter", call{query: with("query", "SELECT 1"), method: "GET"}, 200, "1\n"},
		{"a semicolon at the end", call{query: with("query", "SELECT 1;"), method: "GET"}, 200, "1\n"},
		{"parameter and body are joined", call{query: with("query", "SELECT number FROM numbers(9)"), body: body("LIMIT 2")}, 200, "0\n1\n"},
		{"two statements", call{query: db, body: body("SELECT 1; SELECT 2")}, 400, "Code: 62. *"},
		{"empty", call{query: db, body: body(" ")}, 400, "Code: 62. *"},
		{"syntax", call{query: db, body: body("SELEC 1")}, 400, "Code: 62. DB::Exception: Syntax error*"},
		{"unknown table", call{query: db, body: body("SELECT * FROM missing")}, 404, "Code: 60. DB::Exception: *"},
		{"unknown database", call{query: url.Values{"database": {"missing"}}, body: body("SELECT 1")}, 404, "Code: 81. DB::Exception: *"},
		{"name of a database is quoted", call{query: url.Values{"database": {"x`; DROP DATABASE " + database + "; --"}}, body: body("SELECT 1")}, 404, "Code: 81. *"},
		{"unknown setting", call{query: with("missing_setting", "1"), body: body("SELECT 1")}, 404, "Code: 115. DB::Exception: Unknown setting 'missing_setting'*"},
		{"setting that is no name", call{query: with("a=1; DROP", "1"), body: body("SELECT 1")}, 404, "Code: 115. *"},
		{"value of a setting is quoted", call{query: with("session_timezone", "x', max_threads = '1"), body: body("SELECT 1")}, 400, "Code: 36. *"},
		{"unknown format", call{query: with("default_format", "Missing"), body: body("SELECT 1")}, 404, "Code: 73. *"},
		{"table exists", call{query: url.Values{"database": {"system"}}, body: body("CREATE DATABASE " + database)}, 500, "Code: 82. *"},
		{"default format", call{query: with("default_format", "JSONEachRow"), body: body("SELECT 1 AS a")}, 200, "{\"a\":1}\n"},
		{"format header", call{query: db, header: map[string]string{"X-ClickHouse-Format": "CSVWithNames"}, body: body("SELECT 1 AS a")}, 200, "\"a\"\n1\n"},
		{"format clause wins", call{query: with("default_format", "JSON"), body: body("SELECT 1 AS a FORMAT CSV")}, 200, "1\n"},
		{"database header", call{header: map[string]string{"X-ClickHouse-Database": "system"}, body: body("SELECT currentDatabase()")}, 200, "system\n"},
		{"parameter", call{query: with("param_x", "a\\tb"), body: body("SELECT {x:String} FORMAT TSVRaw")}, 200, "a\tb\n"},
		{"setting in the URL", call{query: with("max_threads", "1"), body: body("SELECT getSetting('max_threads')")}, 200, "1\n"},
		{"get is read-only", call{query: with("query", "CREATE TABLE x (a UInt8) ENGINE = Memory"), method: "GET"}, 403, "Code: 164. *"},
		{"create", call{query: db, body: body("CREATE TABLE t (a UInt8, s String DEFAULT 'none') ENGINE = MergeTree ORDER BY a")}, 200, ""},
		{"values in the body", call{query: db, body: body("INSERT INTO t VALUES (1, 'a'), (2, 'b;c')")}, 200, ""},
		{"values in the body, data from the parameter", call{query: with("query", "INSERT INTO t VALUES"), body: body("(3, 'c')")}, 200, ""},
		{"values with a parameter", call{query: with("param_v", "d"), body: body("INSERT INTO t VALUES (4, {v:String})")}, 200, ""},
		{"data after the format", call{query: with("query", "INSERT INTO t FORMAT CSV"), body: body("5,e\n6,f\n")}, 200, ""},
		{"statement and data in the body", call{query: db, body: body("INSERT INTO t (a) FORMAT TSV\n7\n8\n")}, 200, ""},
		{"settings before the format", call{query: with("query", "INSERT INTO t SETTINGS async_insert = 0 FORMAT JSONEachRow"), body: body(`{"a":9}`)}, 200, ""},
		{"settings after the format", call{query: with("query", "INSERT INTO t FORMAT JSONEachRow SETTINGS input_format_skip_unknown_fields = 1"), body: body(`{"a":10,"zz":1}`)}, 200, ""},
		{"insert select", call{query: db, body: body("INSERT INTO t SELECT 11, 'x'")}, 200, ""},
		{"insert through input()", call{query: with("query", "INSERT INTO t SELECT a + 1, upper(s) FROM input('a UInt8, s String') FORMAT CSV"), body: body("11,y\n")}, 501, "Code: 48. *"},
		{"all arrived", call{query: db, body: body("SELECT groupArray((a, s)) FROM (SELECT * FROM t ORDER BY a)")}, 200,
			`[(1,'a'),(2,'b;c'),(3,'c'),(4,'d'),(5,'e'),(6,'f'),(7,'none'),(8,'none'),(9,'none'),(10,'none'),(11,'x')]` + "\n"},
		{"many values", call{query: db, body: body("INSERT INTO t VALUES " + strings.Repeat("(20, 'some text that is rather long'), ", 20000) + "(21, 'last')")}, 200, ""},
		{"they arrived", call{query: db, body: body("SELECT count() FROM t WHERE a >= 20")}, 200, "20001\n"},
		{"bad data", call{query: with("query", "INSERT INTO t FORMAT CSV"), body: body("x,y\n")}, 400, "Code: 27. DB::Exception: *"},
		{"insert into a missing table", call{query: with("query", "INSERT INTO missing FORMAT CSV"), body: body("1\n")}, 404, "Code: 60. *"},
		{"insert that ends early", call{query: db, body: body("INSERT INTO t")}, 400, "Code: 62. *"},
		{"encoding that is unknown", call{query: db, header: map[string]string{"Content-Encoding": "rot13"}, body: body("x")}, 400, "Code: 89. *"},
		{"encoding that lies", call{query: db, header: map[string]string{"Content-Encoding": "gzip"}, body: body("SELECT 1")}, 400, "Code: 271. *"},
		{"external tables", call{query: db, header: map[string]string{"Content-Type": "multipart/form-data; boundary=x"}, body: body("--x--")}, 501, "Code: 48. *"},
		{"drop", call{query: db, body: body("DROP TABLE t SYNC")}, 200, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, header, got := test.call.do(t)
			prefix, open := strings.CutSuffix(test.want, "*")
			if status != test.status || !open && got != test.want || !strings.HasPrefix(got, prefix) {
				t.Errorf("got %d %q, want %d %q", status, got, test.status, test.want)
			}
			if code := strings.TrimPrefix(prefix, "Code: "); open && code != prefix && !strings.HasPrefix(code, header.Get("X-ClickHouse-Exception-Code")+".") {
				t.Errorf("X-ClickHouse-Exception-Code is %q", header.Get("X-ClickHouse-Exception-Code"))
			}
			if open && strings.HasPrefix(prefix, "Code:") && !strings.Contains(got, "(version ") {
				t.Errorf("no version in %q", got)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	_, header, body := call{query: url.Values{"query_id": {"my-id"}, "default_format": {"JSON"}}, body: strings.NewReader("SELECT number FROM numbers(5)")}.do(t)
	want := map[string]string{
		"X-ClickHouse-Query-Id": "my-id", "X-ClickHouse-Format": "JSON", "X-ClickHouse-Timezone": "UTC",
		"X-ClickHouse-Server-Display-Name": "crmwatch", "Content-Type": "application/json; charset=UTF-8",
	}
	for name, value := range want {
		if header.Get(name) != value {
			t.Errorf("%s is %q, want %q", name, header.Get(name), value)
		}
	}
	if !strings.Contains(header.Get("X-ClickHouse-Summary"), `"read_rows":"5"`) {
		t.Errorf("summary is %s", header.Get("X-ClickHouse-Summary"))
	}
	if !strings.Contains(body, `"rows": 5`) {
		t.Errorf("JSON answer has no end: %s", body)
	}
	_, database := enginetest.OpenDatabase(t)
	db := url.Values{"database": {database}}
	call{query: db, body: strings.NewReader("CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")}.do(t)
	_, header, _ = call{query: db, body: strings.NewReader("INSERT INTO t FORMAT CSV\n1\n2\n3\n")}.do(t)
	if !strings.Contains(header.Get("X-ClickHouse-Summary"), `"written_rows":"3"`) {
		t.Errorf("summary of an insert is %s", header.Get("X-ClickHouse-Summary"))
	}
}

func TestAuthentication(t *testing.T) {
	e := enginetest.Start(t).Endpoint()
	sql := func() io.Reader { return strings.NewReader("SELECT getSetting('readonly')") }
	tests := []struct {
		name   string
		call   call
		status int
		want   string
	}{
		{"basic admin", call{body: sql()}, 200, "0\n"},
		{"basic reader", call{user: e.Reader.User, password: e.Reader.Password, body: sql()}, 200, "2\n"},
		{"bearer", call{user: "-", header: map[string]string{"Authorization": "Bearer " + e.Reader.Password}, body: sql()}, 200, "2\n"},
		{"headers", call{user: "-", header: map[string]string{"X-ClickHouse-User": e.Admin.User, "X-ClickHouse-Key": e.Admin.Password}, body: sql()}, 200, "0\n"},
		{"parameters", call{user: "-", query: url.Values{"user": {e.Reader.User}, "password": {e.Reader.Password}}, body: sql()}, 200, "2\n"},
		{"none", call{user: "-", body: sql()}, 403, "Code: 516. DB::Exception: default: Authentication failed"},
		{"wrong password", call{user: e.Admin.User, password: "x", body: sql()}, 403, "Code: 516."},
		{"password of the other", call{user: e.Admin.User, password: e.Reader.Password, body: sql()}, 403, "Code: 516."},
		{"default without password", call{user: "default", body: sql()}, 403, "Code: 516."},
		{"wrong bearer", call{user: "-", header: map[string]string{"Authorization": "Bearer x"}, body: sql()}, 403, "Code: 516."},
		{"empty bearer", call{user: "-", header: map[string]string{"Authorization": "Bearer "}, body: sql()}, 403, "Code: 516."},
		{"the hello of the client", call{user: "-", query: url.Values{"client_protocol_version": {"54460"}}, body: strings.NewReader("SELECT displayName(), version(), revision(), timezone()")}, 403, "Code: 516."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if status, _, body := test.call.do(t); status != test.status || !strings.HasPrefix(body, test.want) {
				t.Errorf("got %d %q, want %d %q", status, body, test.status, test.want)
			}
		})
	}
}
