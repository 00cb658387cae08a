package insert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/engine"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

// database is a new database of the real engine with crmwatch's tables.
func database(t testing.TB) schema.Store {
	t.Helper()
	conn := enginetest.Open(t)
	if _, err := schema.Migrate(context.Background(), conn); err != nil {
		t.Fatal(err)
	}
	return conn
}

func count(t testing.TB, conn schema.Store, query string) (n uint64) {
	t.Helper()
	if err := conn.QueryRow(context.Background(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// delivery is a batch of n invented events, one of them with the given message.
func delivery(t testing.TB, n int, message string) schema.Delivery {
	t.Helper()
	b := schema.NewBatch()
	for i := range n {
		var e schema.Event
		e.SetTime(time.Date(2026, 3, 2+i%3, 9, 0, i%60, 0, time.UTC))
		e.UID = schema.HashUID(message, fmt.Sprint(i))
		e.Number[schema.ClassUID] = schema.ClassAPIActivity
		e.Number[schema.SourceOffset] = uint64(100 * i)
		e.Text[schema.ActorUserName] = "svc-sync@acme.example"
		e.Text[schema.SourceFile] = "Login.csv"
		e.AddUnmapped("ROW", fmt.Sprint(i))
		if i == n/3 {
			e.Text[schema.Message] = message
		}
		b.Append(&e)
	}
	block, err := b.AppendBlock(nil)
	if err != nil {
		t.Fatal(err)
	}
	return schema.Delivery{AgentUID: "test", Sequence: 1, Events: schema.RawFrames(block, n)}
}

func testInserter(conn schema.Store, log io.Writer) *Inserter {
	return &Inserter{Conn: conn, Log: slog.New(slog.NewTextHandler(log, nil)), FirstWait: time.Millisecond, LongestWait: 20 * time.Millisecond}
}

func TestBatchSentAgainIsStoredOnce(t *testing.T) {
	conn := database(t)
	s := testInserter(conn, io.Discard)
	b := delivery(t, 1000, "")
	for range 3 {
		if err := s.Insert(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, conn, "SELECT count() FROM events"); n != 1000 {
		t.Errorf("%d rows are stored, want 1000", n)
	}
	if n := count(t, conn, "SELECT countIf(unmapped['ROW'] = toString(intDiv(x_source_offset, 100))) FROM events"); n != 1000 {
		t.Errorf("%d rows have their attribute, want 1000", n)
	}
}

// TestFramedBlock inserts a block in ClickHouse's own compressed frames, and takes
// it apart when a row of it is refused.
func TestFramedBlock(t *testing.T) {
	for _, method := range []compress.Method{compress.None, compress.LZ4, compress.ZSTD} {
		t.Run(method.String(), func(t *testing.T) {
			conn := database(t)
			if err := conn.Exec(t.Context(), "ALTER TABLE events ADD CONSTRAINT readable CHECK message != 'poison'"); err != nil {
				t.Fatal(err)
			}
			d := delivery(t, 5_000, "poison")
			w := compress.NewWriter(compress.LevelZero, method)
			var framed []byte
			for raw := d.Events.Data; len(raw) > 0; {
				n := min(len(raw), 100_000)
				if err := w.Compress(raw[:n]); err != nil {
					t.Fatal(err)
				}
				framed, raw = append(framed, w.Data...), raw[n:]
			}
			d.Events.Data, d.Events.Framed = framed, true
			for range 2 {
				if err := testInserter(conn, io.Discard).Insert(t.Context(), d); err != nil {
					t.Fatal(err)
				}
			}
			if n := count(t, conn, "SELECT count() FROM events FINAL"); n != 4_999 {
				t.Errorf("%d rows are stored, want 4999", n)
			}
			if n := count(t, conn, "SELECT count() FROM quarantine FINAL"); n != 1 {
				t.Errorf("%d rows are in quarantine, want 1", n)
			}
		})
	}
}

// faultyTransport answers as a bad network does.
type faultyTransport struct {
	http.RoundTripper
	faults *atomic.Int32
	fault  func(http.RoundTripper, *http.Request) (*http.Response, error)
}

func (f faultyTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.RawQuery, "INSERT") && f.faults.Add(-1) >= 0 {
		return f.fault(f.RoundTripper, r)
	}
	return f.RoundTripper.RoundTrip(r)
}

func answer(status int, code int, name string) func(http.RoundTripper, *http.Request) (*http.Response, error) {
	return func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
		io.Copy(io.Discard, r.Body)
		body := fmt.Sprintf("Code: %d. DB::Exception: no. (%s)", code, name)
		return &http.Response{StatusCode: status, Request: r, Body: io.NopCloser(strings.NewReader(body)),
			Header: http.Header{"X-Clickhouse-Exception-Code": {fmt.Sprint(code)}}}, nil
	}
}

// TestTroubleIsTriedAgain has every kind of failure five times in front of a success.
func TestTroubleIsTriedAgain(t *testing.T) {
	cases := map[string]func(http.RoundTripper, *http.Request) (*http.Response, error){
		"connection refused": func(http.RoundTripper, *http.Request) (*http.Response, error) {
			return nil, errors.New("connection refused")
		},
		"reply lost": func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
			if _, err := next.RoundTrip(r); err != nil {
				return nil, err
			}
			return nil, errors.New("connection reset by peer")
		},
		"no answer": func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		},
		"bad gateway": func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 502, Request: r, Body: io.NopCloser(strings.NewReader("<html>"))}, nil
		},
		"too many parts": answer(500, 252, "TOO_MANY_PARTS"),
		"memory":         answer(500, 241, "MEMORY_LIMIT_EXCEEDED"),
		"unknown table":  answer(404, 60, "UNKNOWN_TABLE"),
		"authentication": answer(403, 516, "AUTHENTICATION_FAILED"),
		"readonly":       answer(500, 242, "TABLE_IS_READ_ONLY"),
	}
	for name, fault := range cases {
		t.Run(name, func(t *testing.T) {
			_, db := enginetest.OpenDatabase(t)
			options, err := enginetest.Start(t).Endpoint().ClientOptions(engine.Admin)
			if err != nil {
				t.Fatal(err)
			}
			options.Auth.Database = db
			var faults atomic.Int32
			next := options.TransportFunc
			options.TransportFunc = func(rt *http.Transport) (http.RoundTripper, error) {
				var inner http.RoundTripper = rt
				if next != nil {
					if inner, err = next(rt); err != nil {
						return nil, err
					}
				}
				return faultyTransport{inner, &faults, fault}, nil
			}
			conn, err := clickhouse.Open(options)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := schema.Migrate(t.Context(), conn); err != nil {
				t.Fatal(err)
			}
			faults.Store(5)
			var log bytes.Buffer
			s := testInserter(conn, &log)
			s.Watchdog = 200 * time.Millisecond
			if name != "no answer" {
				s.Watchdog = 0
			}
			if err := s.Insert(t.Context(), delivery(t, 100, "")); err != nil {
				t.Fatal(err)
			}
			if n := count(t, conn, "SELECT count() FROM events"); n != 100 {
				t.Errorf("%d rows are stored, want 100", n)
			}
			if n := strings.Count(log.String(), "\n"); n != 2 {
				t.Errorf("%d lines are logged, want one for the trouble and one for its end:\n%s", n, &log)
			}
		})
	}
}

func TestRowAtFaultGoesToQuarantine(t *testing.T) {
	conn := database(t)
	if err := conn.Exec(t.Context(), "ALTER TABLE events ADD CONSTRAINT readable CHECK message != 'poison'"); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	s := testInserter(conn, &log)
	if err := s.Insert(t.Context(), delivery(t, 10_000, "poison")); err != nil {
		t.Fatal(err)
	}
	if n := count(t, conn, "SELECT count() FROM events FINAL"); n != 9_999 {
		t.Errorf("%d rows are stored, want 9999", n)
	}
	var got struct{ file, reason, detail, content string }
	var offset uint64
	if err := conn.QueryRow(t.Context(), "SELECT x_source_file, reason, detail, JSONExtractString(content, 'actor_user_name'), x_source_offset FROM quarantine").
		Scan(&got.file, &got.reason, &got.detail, &got.content, &offset); err != nil {
		t.Fatal(err)
	}
	want := "Login.csv|refused by the database|ClickHouse refuses this row: error 469 (VIOLATED_CONSTRAINT)|svc-sync@acme.example|333300"
	if diff := cmp.Diff(want, fmt.Sprintf("%s|%s|%s|%s|%d", got.file, got.reason, got.detail, got.content, offset)); diff != "" {
		t.Errorf("quarantine (-want +got):\n%s", diff)
	}
	if log.Len() > 0 {
		t.Errorf("a row at fault is no trouble with the database:\n%s", &log)
	}
}

func TestTableThatRefusesEverythingBlocks(t *testing.T) {
	conn := database(t)
	if err := conn.Exec(t.Context(), "ALTER TABLE events ADD CONSTRAINT closed CHECK class_uid = 1"); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	s := testInserter(conn, &log)
	s.GiveUpAfter = 300 * time.Millisecond
	var refused *tooManyRefusedError
	if err := s.Insert(t.Context(), delivery(t, 200, "")); !errors.As(err, &refused) {
		t.Errorf("shipping ends with %v", err)
	}
	if n := count(t, conn, "SELECT count() FROM quarantine"); n != 0 {
		t.Errorf("%d rows are in quarantine, want none: the table is at fault", n)
	}
	if !strings.Contains(log.String(), "too many rows refused") {
		t.Errorf("the log does not say why:\n%s", &log)
	}
}

func TestInsertEndsWithItsContext(t *testing.T) {
	conn := enginetest.Open(t) // has no tables
	ctx, cancel := context.WithCancel(t.Context())
	log := writerFunc(func([]byte) { cancel() })
	if err := testInserter(conn, log).Insert(ctx, delivery(t, 10, "")); !errors.Is(err, context.Canceled) {
		t.Errorf("shipping ends with %v", err)
	}
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}
