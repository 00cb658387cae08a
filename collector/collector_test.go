package collector

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/collector/client"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

const testUID = "0123456789abcdef"

func delivery(t testing.TB, sequence uint64, n int, message string) schema.Delivery {
	t.Helper()
	b := schema.NewBatch()
	for i := range n {
		var e schema.Event
		e.SetTime(time.Date(2026, 3, 2, 9, 0, i%60, 0, time.UTC))
		e.UID = schema.HashUID(message, fmt.Sprint(sequence), fmt.Sprint(i))
		e.Number[schema.ClassUID] = schema.ClassAPIActivity
		e.Text[schema.ActorUserName] = fmt.Sprintf("svc-%d@acme.example", i%3)
		e.Text[schema.Message] = message
		e.AddUnmapped("ROW", fmt.Sprint(i))
		b.Append(&e)
	}
	block, err := b.AppendBlock(nil)
	if err != nil {
		t.Fatal(err)
	}
	return schema.Delivery{AgentUID: testUID, Sequence: sequence, Sealed: time.Unix(1_800_000_000, 0), Events: schema.RawFrames(block, n)}
}

// tokens are those of two agents.
func byToken(r *http.Request) (string, bool) {
	name, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer token-of-")
	return name, ok
}

func database(t testing.TB) schema.Store {
	t.Helper()
	conn := enginetest.Open(t)
	if _, err := schema.Migrate(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	return conn
}

func serve(t testing.TB, o Options) (*Collector, string) {
	t.Helper()
	if o.Authenticate == nil {
		o.Authenticate = byToken
	}
	c := New(o)
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	return c, server.URL
}

func count(t testing.TB, conn schema.Store, query string) (n uint64) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func wire(t testing.TB, d schema.Delivery) []byte {
	t.Helper()
	body, err := d.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// post sends a body as an agent and returns the status and the answer.
func post(t testing.TB, url, agent string, body io.Reader) (int, string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, url+"/v1/deliveries", body)
	if err != nil {
		t.Fatal(err)
	}
	if agent != "" {
		request.Header.Set("Authorization", "Bearer token-of-"+agent)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(text)
}

func TestSequences(t *testing.T) {
	conn := database(t)
	c, url := serve(t, Options{Conn: conn})
	first := wire(t, delivery(t, 1, 500, "a"))
	steps := []struct {
		name, agent string
		body        []byte
		status      int
		answer      string
	}{
		{"a new batch", "web-1", first, 200, "stored"},
		{"the same again", "web-1", first, 200, "duplicate"},
		{"the same number with other content", "web-1", wire(t, delivery(t, 1, 500, "b")), 409, "conflict"},
		{"another agent replays it", "web-2", first, 403, "foreign"},
		{"nobody replays it", "", first, 401, "unauthorized"},
		{"a gap", "web-1", wire(t, delivery(t, 5, 10, "a")), 200, "stored"},
		{"what was missing", "web-1", wire(t, delivery(t, 4, 10, "a")), 200, "stored"},
	}
	for _, s := range steps {
		if status, answer := post(t, url, s.agent, bytes.NewReader(s.body)); status != s.status || !strings.Contains(answer, s.answer) {
			t.Errorf("%s: %d %s, want %d %s", s.name, status, answer, s.status, s.answer)
		}
	}
	if n := count(t, conn, "SELECT count() FROM events"); n != 520 {
		t.Errorf("%d events are stored, want 520", n)
	}
	if s := c.Stats(); s.Gaps != 1 || s.Conflicts != 1 || s.Duplicates != 1 || s.Unauthorized != 1 {
		t.Errorf("%+v", s)
	}
	// A collector that knows nothing finds the same in the database.
	_, other := serve(t, Options{Conn: conn})
	for _, s := range steps[1:5] {
		if status, answer := post(t, other, s.agent, bytes.NewReader(s.body)); status != s.status || !strings.Contains(answer, s.answer) {
			t.Errorf("another collector, %s: %d %s, want %d %s", s.name, status, answer, s.status, s.answer)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	conn := database(t)
	_, url := serve(t, Options{Conn: conn, Limits: schema.DeliveryLimits{Wire: 1 << 20, Decoded: 2 << 20}})
	good := delivery(t, 1, 100, "x")
	change := func(edit func(d *schema.Delivery)) []byte {
		d := good
		d.Events.Data = bytes.Clone(d.Events.Data)
		edit(&d)
		return wire(t, d)
	}
	rehash := func(d *schema.Delivery) { d.Events = schema.RawFrames(d.Events.Data, d.Events.Rows) }
	whole := wire(t, good)
	cases := map[string]struct {
		body   []byte
		status int
	}{
		"nothing":       {nil, 400},
		"no delivery":   {[]byte("GET / HTTP/1.1 hello, how are you today"), 400},
		"cut":           {whole[:len(whole)-1], 400},
		"more behind":   {append(bytes.Clone(whole), 0), 400},
		"a flipped bit": {change(func(d *schema.Delivery) { d.Events.Data[len(d.Events.Data)-3] ^= 1 }), 400},
		"agent uid":     {change(func(d *schema.Delivery) { d.AgentUID = "../../etc/passw" }), 400},
		"no number":     {change(func(d *schema.Delivery) { d.Sequence = 0 }), 400},
		"too large":     {change(func(d *schema.Delivery) { d.Events.Data = make([]byte, 2<<20); rehash(d) }), 413},
		"a bomb":        {change(func(d *schema.Delivery) { d.Events.Size, d.Events.Framed = 1<<30, true }), 413},
		"unknown column": {change(func(d *schema.Delivery) {
			d.Events.Data = bytes.Replace(d.Events.Data, []byte("event_uid"), []byte("event_xyz"), 1)
			rehash(d)
		}), 422},
		"other type": {change(func(d *schema.Delivery) {
			d.Events.Data = bytes.Replace(d.Events.Data, []byte("UInt16"), []byte("UInt32"), 1)
			rehash(d)
		}), 422},
		"rows": {change(func(d *schema.Delivery) { d.Events.Rows++ }), 422},
		"a year too far": {change(func(d *schema.Delivery) {
			i := bytes.Index(d.Events.Data, []byte("'UTC')")) + 6
			d.Events.Data[i+7] = 0x7f
			rehash(d)
		}), 422},
		"for another table": {change(func(d *schema.Delivery) { d.Quarantine = d.Events }), 422},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			status, answer := post(t, url, "web-1", bytes.NewReader(c.body))
			if status != c.status {
				t.Errorf("%d %s, want %d", status, answer, c.status)
			}
		})
	}
	endless := io.LimitReader(endlessReader{}, 1<<40)
	if status, _ := post(t, url, "web-1", io.MultiReader(bytes.NewReader(whole[:20]), endless)); status != 411 {
		t.Errorf("an endless body is answered %d", status)
	}
	if n := count(t, conn, "SELECT count() FROM events"); n != 0 {
		t.Errorf("%d events of refused deliveries are stored", n)
	}
	if status, answer := post(t, url, "web-1", bytes.NewReader(whole)); status != 200 {
		t.Errorf("a good delivery afterwards: %d %s", status, answer)
	}
}

type endlessReader struct{}

func (endlessReader) Read(b []byte) (int, error) { return len(b), nil }

func TestGuessingTokensIsSlowedDown(t *testing.T) {
	var told atomic.Int64
	c, url := serve(t, Options{Conn: database(t), OnRefused: func(*http.Request) { told.Add(1) }})
	busy := 0
	for range 50 {
		if status, _ := post(t, url, "", strings.NewReader("x")); status == http.StatusTooManyRequests {
			busy++
		}
	}
	if busy < 40 {
		t.Errorf("%d of 50 guesses were answered without waiting", 50-busy)
	}
	if c.Stats().Unauthorized > 10 {
		t.Errorf("%d guesses were looked at", c.Stats().Unauthorized)
	}
	if told.Load() != 50 {
		t.Errorf("%d of 50 guesses were told", told.Load())
	}
}

func TestSlowBodyIsCutOff(t *testing.T) {
	_, url := serve(t, Options{Conn: database(t), BodyTime: 100 * time.Millisecond})
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST /v1/deliveries HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token-of-web-1\r\nContent-Length: 100000\r\n\r\nCRMW")
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return // cut off without an answer
	}
	defer response.Body.Close()
	if response.StatusCode == 200 {
		t.Error("half a delivery is stored")
	}
}

// TestTwoCollectors sends every delivery to both in any order, some several times at
// once, and loses answers.
func TestTwoCollectors(t *testing.T) {
	conn := database(t)
	_, a := serve(t, Options{Conn: conn, InFlight: 64})
	_, b := serve(t, Options{Conn: conn, InFlight: 64})
	random := rand.New(rand.NewPCG(3, 3))
	var bodies [][]byte
	for n := range 20 {
		for range 3 {
			bodies = append(bodies, wire(t, delivery(t, uint64(n+1), 50, "m")))
		}
	}
	random.Shuffle(len(bodies), func(i, j int) { bodies[i], bodies[j] = bodies[j], bodies[i] })
	done := make(chan string)
	for i, body := range bodies {
		go func() {
			url := a
			if i%2 == 0 {
				url = b
			}
			ctx, cancel := context.WithCancel(context.Background())
			if i%5 == 0 {
				time.AfterFunc(5*time.Millisecond, cancel) // gives up before the answer
			}
			defer cancel()
			request, _ := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/deliveries", bytes.NewReader(body))
			request.Header.Set("Authorization", "Bearer token-of-web-1")
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				done <- ""
				return
			}
			defer response.Body.Close()
			text, _ := io.ReadAll(response.Body)
			if response.StatusCode != 200 && response.StatusCode != 503 {
				done <- string(text)
				return
			}
			done <- ""
		}()
	}
	for range bodies {
		if wrong := <-done; wrong != "" {
			t.Errorf("an answer is %s", wrong)
		}
	}
	for n := range 20 {
		if status, answer := post(t, a, "web-1", bytes.NewReader(wire(t, delivery(t, uint64(n+1), 50, "m")))); status != 200 {
			t.Errorf("%d %s", status, answer)
		}
	}
	if n := count(t, conn, "SELECT count() FROM events FINAL"); n != 1000 {
		t.Errorf("%d events are stored, want 1000", n)
	}
	if n := count(t, conn, "SELECT count() FROM deliveries FINAL"); n != 20 {
		t.Errorf("%d deliveries are noted, want 20", n)
	}
}

// TestClientGetsThrough has a network that refuses, loses answers and answers garbage.
func TestClientGetsThrough(t *testing.T) {
	conn := database(t)
	c := New(Options{Conn: conn, Authenticate: byToken})
	var requests atomic.Int32
	var sizes []int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sizes = append(sizes, r.ContentLength)
		switch requests.Add(1) {
		case 1:
			panic(http.ErrAbortHandler)
		case 2:
			http.Redirect(w, r, "http://203.0.113.9/", http.StatusTemporaryRedirect)
		case 3: // stored, and the answer is lost
			c.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		case 4: // an endless answer
			w.WriteHeader(200)
			for range 100_000 {
				if _, err := w.Write(bytes.Repeat([]byte("x"), 10_000)); err != nil {
					return
				}
			}
		case 5:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(503)
		case 6:
			w.WriteHeader(401)
		default:
			c.ServeHTTP(w, r)
		}
	}))
	defer server.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("token-of-web-1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	sender, err := client.New(client.Options{URL: server.URL, TokenFile: token, FirstWait: time.Millisecond, LongestWait: 10 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Send(t.Context(), delivery(t, 1, 300, "x")); err != nil {
		t.Fatal(err)
	}
	if n := count(t, conn, "SELECT count() FROM events"); n != 300 {
		t.Errorf("%d events are stored, want 300", n)
	}
	for _, size := range sizes {
		if size != sizes[0] {
			t.Errorf("the delivery was sent with different lengths: %v", sizes)
		}
	}
	if strings.Contains(log.String(), "token-of") || !strings.Contains(log.String(), "enroll this agent") {
		t.Errorf("the log:\n%s", &log)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	server.Close()
	if err := sender.Send(ctx, delivery(t, 2, 3, "x")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("sending ends with %v", err)
	}
}

func TestClientRefusesToSpeakInClear(t *testing.T) {
	for url, wants := range map[string]string{
		"http://collector.acme.example:8443": "not https",
		"collector.acme.example":             "write a URL",
		"https://u:p@collector.acme.example": "write a URL",
	} {
		if _, err := client.New(client.Options{URL: url, TokenFile: "t"}); err == nil || !strings.Contains(err.Error(), wants) {
			t.Errorf("%s: %v", url, err)
		}
	}
}
