package collector

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/compress"

	"github.com/crmwatch/crmwatch/schema"
)

// An agent that has another's uid, such as from a stolen backup, can neither go on with
// its numbers, nor stand in its way, nor take the uid.
func TestAnAgentCannotUseTheUIDOfAnother(t *testing.T) {
	conn := database(t)
	c, url := serve(t, Options{Conn: conn, InsertTime: 300 * time.Millisecond})
	want := func(what string, status int, agent string, d schema.Delivery) {
		t.Helper()
		if got, answer := post(t, url, agent, bytes.NewReader(wire(t, d))); got != status {
			t.Errorf("%s: %d %s, want %d", what, got, answer, status)
		}
	}
	// A claim that comes to nothing is none.
	if err := conn.Exec(t.Context(), "RENAME TABLE events TO events_away"); err != nil {
		t.Fatal(err)
	}
	want("the other comes first, and nothing can be stored", 503, "web-2", delivery(t, 1, 10, "fake"))
	if err := conn.Exec(t.Context(), "RENAME TABLE events_away TO events"); err != nil {
		t.Fatal(err)
	}
	want("the true one", 200, "web-1", delivery(t, 1, 10, "true"))
	want("a number ahead", 403, "web-2", delivery(t, 2, 10, "fake"))
	want("a number far ahead", 403, "web-2", delivery(t, 1<<40, 10, "fake"))
	want("the same number with other content", 403, "web-2", delivery(t, 1, 10, "fake"))
	want("the same batch", 403, "web-2", delivery(t, 1, 10, "true"))
	want("the true one goes on", 200, "web-1", delivery(t, 2, 10, "true"))
	want("the true one repeats", 200, "web-1", delivery(t, 2, 10, "true"))
	if s := c.Stats(); s.Gaps != 0 || s.Conflicts != 0 || s.Stored != 2 || s.Duplicates != 1 {
		t.Errorf("%+v", s)
	}
	if n := count(t, conn, "SELECT count() FROM events WHERE message = 'fake'"); n != 0 {
		t.Errorf("%d events of the other are stored", n)
	}
	// A collector that knows nothing decides the same.
	c, url = serve(t, Options{Conn: conn})
	want("at another collector", 403, "web-2", delivery(t, 3, 10, "fake"))
	want("the true one at another collector", 200, "web-1", delivery(t, 3, 10, "true"))
	if s := c.Stats(); s.Stored != 1 {
		t.Errorf("%+v", s)
	}
}

// A name in the body, in a header or in the query is nobody's.
func TestTheNameComesFromTheCredential(t *testing.T) {
	conn := database(t)
	_, url := serve(t, Options{Conn: conn})
	body := wire(t, delivery(t, 1, 10, "x"))
	request, err := http.NewRequest(http.MethodPost, url+"/v1/deliveries?agent=web-2", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]string{"Authorization": "Bearer token-of-web-1", "X-Agent": "web-2", "X-Forwarded-User": "web-2", "From": "web-2"} {
		request.Header.Set(key, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 200 {
		t.Errorf("status %d", response.StatusCode)
	}
	header := []byte(`{"agent":"web-2","agent_uid":"` + testUID + `","sequence":2}`)
	named := append(binary.LittleEndian.AppendUint32([]byte("CRMWDLV1"), uint32(len(header))), header...)
	if status, answer := post(t, url, "web-1", bytes.NewReader(named)); status != 400 {
		t.Errorf("a body that names an agent: %d %s", status, answer)
	}
	var agents string
	if err := conn.QueryRow(t.Context(), "SELECT arrayStringConcat(groupUniqArray(agent), ',') FROM deliveries").Scan(&agents); err != nil {
		t.Fatal(err)
	}
	if agents != "web-1" {
		t.Errorf("deliveries are noted for %q", agents)
	}
}

// Whatever unpacks to more than it may is refused, and what is packed once more is not
// unpacked at all.
func TestBombs(t *testing.T) {
	conn := database(t)
	_, url := serve(t, Options{Conn: conn, Limits: schema.DeliveryLimits{Wire: 1 << 20, Decoded: 8 << 20}})
	frame := func(method compress.Method, raw []byte) []byte {
		w := compress.NewWriter(compress.LevelZero, method)
		if err := w.Compress(raw); err != nil {
			t.Fatal(err)
		}
		return bytes.Clone(w.Data)
	}
	zeros := make([]byte, 64<<20)
	good := delivery(t, 1, 10, "x")
	framed := func(size int, data []byte) []byte {
		d := good
		d.Events.Size, d.Events.Data, d.Events.Framed = size, data, true
		return wire(t, d)
	}
	small := frame(compress.ZSTD, zeros[:1<<20])
	gzipped := func(in []byte) []byte {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		if _, err := w.Write(in); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	for name, c := range map[string]struct {
		body   []byte
		status int
	}{
		"over the decoded cap":             {framed(9<<20, frame(compress.LZ4, zeros[:9<<20])), 413},
		"over the ratio":                   {framed(1<<20, small), 413},
		"more than the header says, zstd":  {framed(100, frame(compress.ZSTD, zeros)), 400},
		"more than the header says, lz4":   {framed(100, frame(compress.LZ4, zeros)), 400},
		"many frames, each near the ratio": {framed(2<<20, bytes.Repeat(frame(compress.LZ4, zeros[:1<<20]), 100)), 400},
		"over the wire cap":                {make([]byte, 1<<20+1), 413},
		"gzip":                             {gzipped(wire(t, good)), 400},
		"gzip in gzip":                     {gzipped(gzipped(wire(t, good))), 400},
	} {
		t.Run(name, func(t *testing.T) {
			request, err := http.NewRequest(http.MethodPost, url+"/v1/deliveries", bytes.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", "Bearer token-of-web-1")
			if strings.HasPrefix(name, "gzip") {
				request.Header.Set("Content-Encoding", "gzip")
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != c.status {
				t.Errorf("status %d, want %d", response.StatusCode, c.status)
			}
		})
	}
	if n := count(t, conn, "SELECT count() FROM events"); n != 0 {
		t.Errorf("%d events are stored", n)
	}
}

// Wrong tokens from one address do not keep out an agent behind it, and a slow agent
// does not keep out another.
func TestOneAgentDoesNotKeepOutAnother(t *testing.T) {
	_, url := serve(t, Options{Conn: database(t)})
	for range 20 {
		post(t, url, "", strings.NewReader("x"))
	}
	if status, answer := post(t, url, "web-1", bytes.NewReader(wire(t, delivery(t, 1, 10, "x")))); status != 200 {
		t.Errorf("after wrong tokens from its address: %d %s", status, answer)
	}
	for range 10 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "POST /v1/deliveries HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token-of-web-2\r\nContent-Length: 100000\r\n\r\nCRMW")
	}
	// The slow ones are in when one more of them is sent away.
	deadline := time.Now().Add(20 * time.Second)
	for status := 0; status != http.StatusTooManyRequests && time.Now().Before(deadline); {
		status, _ = post(t, url, "web-2", strings.NewReader("x"))
	}
	if status, answer := post(t, url, "web-1", bytes.NewReader(wire(t, delivery(t, 2, 10, "x")))); status != 200 {
		t.Errorf("beside a slow agent: %d %s", status, answer)
	}
}
