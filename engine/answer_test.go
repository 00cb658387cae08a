package engine_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/crmwatch/crmwatch/engine"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// TestStreamStartsAndStops reads the beginning of an endless answer and goes away: the engine must stop working on it.
func TestStreamStartsAndStops(t *testing.T) {
	endpoint := enginetest.Start(t).Endpoint()
	const sql = "SELECT number FROM numbers(1000000000000)"
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	request, _ := http.NewRequestWithContext(ctx, http.MethodPost, endpoint.URL, strings.NewReader(sql))
	request.SetBasicAuth(endpoint.Reader.User, endpoint.Reader.Password)
	client := endpoint.HTTPClient()
	defer client.CloseIdleConnections()
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(answer.Body)
	for i := range 100_000 {
		if !lines.Scan() || lines.Text() != fmt.Sprint(i) {
			t.Fatalf("line %d is %q, %v", i, lines.Text(), lines.Err())
		}
	}
	conn := enginetest.OpenAs(t, engine.Admin, "")
	if running(t, conn, sql) != 1 {
		t.Error("the query is not in the engine's process list")
	}
	cancel()
	answer.Body.Close()
	waitFor(t, "the query of a client that is gone to end", func() bool { return running(t, conn, sql) == 0 })
}

// TestSlowAnswerIsSeen reads the first rows of an answer that goes on for seconds.
func TestSlowAnswerIsSeen(t *testing.T) {
	endpoint := enginetest.Start(t).Endpoint()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	request, _ := http.NewRequestWithContext(ctx, http.MethodPost, endpoint.URL,
		strings.NewReader("SELECT number, sleepEachRow(0.3) FROM numbers(100) SETTINGS max_block_size = 1, max_threads = 1, function_sleep_max_microseconds_per_block = 60000000"))
	request.SetBasicAuth(endpoint.Reader.User, endpoint.Reader.Password)
	client := endpoint.HTTPClient()
	defer client.CloseIdleConnections()
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if line, err := bufio.NewReader(answer.Body).ReadString('\n'); err != nil || line != "0\t0\n" {
		t.Errorf("the first line is %q, %v", line, err)
	}
}

func TestBrokenAnswerIsMarked(t *testing.T) {
	status, header, body := call{body: strings.NewReader("SELECT throwIf(number = 3000000) FROM numbers(4000000) SETTINGS max_block_size = 65536, max_threads = 1")}.do(t)
	mark := "\r\n__exception__\r\n" + header.Get("X-ClickHouse-Exception-Tag") + "\r\nCode: 395. "
	if status != http.StatusOK || !strings.Contains(body, mark) || !strings.HasSuffix(body, "\r\n__exception__\r\n") {
		t.Errorf("status %d, end of the answer %q", status, body[max(0, len(body)-300):])
	}
	status, _, body = call{query: url.Values{"wait_end_of_query": {"1"}}, body: strings.NewReader("SELECT throwIf(number = 3000000) FROM numbers(4000000) SETTINGS max_block_size = 65536, max_threads = 1")}.do(t)
	if status != http.StatusInternalServerError || !strings.HasPrefix(body, "Code: 395.") {
		t.Errorf("with wait_end_of_query: %d %.100q", status, body)
	}
}

func TestEncodings(t *testing.T) {
	const sql = "SELECT number FROM numbers(100000)"
	want := ask(t, sql)
	decoders := map[string]func(io.Reader) io.Reader{
		"gzip": func(r io.Reader) io.Reader { d, _ := gzip.NewReader(r); return d },
		"zstd": func(r io.Reader) io.Reader { d, _ := zstd.NewReader(r); return d },
	}
	for name, decoder := range decoders {
		_, header, body := call{query: url.Values{"enable_http_compression": {"1"}}, header: map[string]string{"Accept-Encoding": name}, body: strings.NewReader(sql)}.do(t)
		got, err := io.ReadAll(decoder(strings.NewReader(body)))
		if header.Get("Content-Encoding") != name || err != nil || string(got) != want {
			t.Errorf("%s: encoding %q, %d bytes, %v", name, header.Get("Content-Encoding"), len(got), err)
		}
	}
	_, _, body := call{query: url.Values{"compress": {"1"}}, body: strings.NewReader(sql)}.do(t)
	got, err := io.ReadAll(compress.NewReader(strings.NewReader(body)))
	if string(got) != want {
		t.Errorf("frames: %d bytes, want %d, %v", len(got), len(want), err)
	}
	packers := map[string]func(io.Writer) io.WriteCloser{
		"gzip": func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
		"zstd": func(w io.Writer) io.WriteCloser { p, _ := zstd.NewWriter(w); return p },
		"lz4":  func(w io.Writer) io.WriteCloser { return lz4.NewWriter(w) },
	}
	for name, pack := range packers {
		var packed bytes.Buffer
		p := pack(&packed)
		_, err := io.WriteString(p, "SELECT 'packed'")
		if err := errors.Join(err, p.Close()); err != nil {
			t.Fatal(err)
		}
		whole := packed.Bytes()
		if status, _, body := (call{header: map[string]string{"Content-Encoding": name}, body: bytes.NewReader(whole)}).do(t); body != "packed\n" {
			t.Errorf("%s body: %d %s", name, status, body)
		}
		if status, _, body := (call{header: map[string]string{"Content-Encoding": name}, body: bytes.NewReader(whole[:len(whole)/2])}).do(t); status != 400 {
			t.Errorf("%s body that is cut: %d %s", name, status, body)
		}
	}
	for _, method := range []compress.Method{compress.None, compress.LZ4, compress.LZ4HC, compress.ZSTD} {
		frames := compress.NewWriter(compress.LevelZero, method)
		if err := frames.Compress([]byte("SELECT 'framed'")); err != nil {
			t.Fatal(err)
		}
		if status, _, body := (call{query: url.Values{"decompress": {"1"}}, body: bytes.NewReader(frames.Data)}).do(t); body != "framed\n" {
			t.Errorf("frame %s: %d %s", method, status, body)
		}
		frames.Data[len(frames.Data)-1] ^= 1
		if status, _, body := (call{query: url.Values{"decompress": {"1"}}, body: bytes.NewReader(frames.Data)}).do(t); status != 400 || !strings.HasPrefix(body, "Code: 271.") {
			t.Errorf("broken frame %s: %d %s", method, status, body)
		}
	}
}

func TestCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Log("curl is not installed: nothing to check")
		return
	}
	e := enginetest.Start(t).Endpoint()
	got, err := exec.Command(curl, "-sS", "--user", e.Reader.User+":"+e.Reader.Password, e.URL+"/?default_format=CSV", "--data-binary", "SELECT 1, 'a'").CombinedOutput()
	if err != nil || string(got) != "1,\"a\"\n" {
		t.Errorf("curl: %q, %v", got, err)
	}
}
