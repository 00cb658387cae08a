package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/collector/ca"
	"github.com/crmwatch/crmwatch/collector/client"
	"github.com/crmwatch/crmwatch/listen"
	"github.com/crmwatch/crmwatch/schema"
)

// process is one command of the program as a process of its own.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	log  *lockedLog
	done chan error
}

// lockedLog is what a process has said so far.
type lockedLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lockedLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// stage is a folder in which processes of the program run.
type stage struct{ instance }

func newStage(t *testing.T) *stage {
	t.Helper()
	return &stage{instance{t: t, dir: t.TempDir(), log: &logBuffer{}}}
}

func (s *stage) start(args ...string) *process {
	s.t.Helper()
	p := &process{t: s.t, log: &lockedLog{}, done: make(chan error, 1)}
	p.cmd = s.command(context.Background(), args...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	s.t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	return p
}

// says waits until the log matches and returns the first group.
func (p *process) says(pattern string) string {
	p.t.Helper()
	want := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if found := want.FindStringSubmatch(p.log.String()); found != nil {
			return found[len(found)-1]
		}
		select {
		case err := <-p.done:
			p.t.Fatalf("it ended with %v before it said %s:\n%s", err, pattern, p.log)
		default:
		}
	}
	p.t.Fatalf("it does not say %s:\n%s", pattern, p.log)
	return ""
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// ends waits for the end and returns the exit code.
func (p *process) ends() int {
	p.t.Helper()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		p.t.Fatalf("it does not end:\n%s", p.log)
		return -1
	}
}

// must runs a command line to its end.
func (s *stage) must(args ...string) string {
	s.t.Helper()
	out, err := s.command(context.Background(), args...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("crmwatch %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// collect starts a collector with TLS, an agent's certificate and a token, and returns
// its address.
func (s *stage) collect(more string) (p *process, address string) {
	s.t.Helper()
	s.must("certs", "--dir", filepath.Join(s.dir, "certs"), "--server", "127.0.0.1", "--agent", "web-1", "--agent", "web-2")
	s.write("web-3.token", s.must("collector", "enroll", "web-3", "--agents", filepath.Join(s.dir, "agents.json")))
	s.write("collector.yaml", `
listen: 127.0.0.1:0
tls: {cert_file: certs/collector.pem, key_file: certs/collector.key, client_ca_file: certs/ca.pem, crl_file: certs/crl.pem}
agents_file: agents.json
data: ./data
`+more)
	p = s.start("collector", "--config", filepath.Join(s.dir, "collector.yaml"))
	return p, p.says(`url=https://(\S+)`)
}

// tlsConfig is that of a client with a certificate of the folder; name may be empty.
func (s *stage) tlsConfig(name string) *tls.Config {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "certs", ca.RootFile))
	if err != nil {
		s.t.Fatal(err)
	}
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	config.RootCAs.AppendCertsFromPEM(text)
	if name != "" {
		pair, err := tls.LoadX509KeyPair(filepath.Join(s.dir, name+".pem"), filepath.Join(s.dir, name+".key"))
		if err != nil {
			s.t.Fatal(err)
		}
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	return config
}

func (s *stage) sender(address, agent string) *client.Client {
	s.t.Helper()
	o := client.Options{URL: "https://" + address, CAFile: filepath.Join(s.dir, "certs", ca.RootFile), FirstWait: 10 * time.Millisecond, LongestWait: 100 * time.Millisecond}
	if agent == "web-3" {
		o.TokenFile = filepath.Join(s.dir, "web-3.token")
	} else {
		o.CertFile, o.KeyFile = filepath.Join(s.dir, "certs", "agent-"+agent+".pem"), filepath.Join(s.dir, "certs", "agent-"+agent+".key")
	}
	c, err := client.New(o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(c.Close)
	return c
}

func sampleDelivery(t *testing.T, uid string, sequence uint64) schema.Delivery {
	t.Helper()
	b := schema.NewBatch()
	var e schema.Event
	e.SetTime(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	e.UID = schema.HashUID(uid, fmt.Sprint(sequence))
	e.Number[schema.ClassUID] = schema.ClassAPIActivity
	b.Append(&e)
	block, err := b.AppendBlock(nil)
	if err != nil {
		t.Fatal(err)
	}
	return schema.Delivery{AgentUID: uid, Sequence: sequence, Sealed: time.Unix(1_800_000_000, 0), Events: schema.RawFrames(block, 1)}
}

func (s *stage) send(c *client.Client, uid string, sequence uint64) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return c.Send(ctx, sampleDelivery(s.t, uid, sequence))
}

// raw sends bytes over TLS as web-1 and returns all that comes back.
func raw(t *testing.T, address string, config *tls.Config, text string) string {
	t.Helper()
	conn, err := tls.Dial("tcp", address, config)
	if err != nil {
		return "refused"
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	// The other side may close before it has read everything.
	go io.WriteString(conn, text)
	answer, err := io.ReadAll(conn)
	if len(answer) == 0 {
		return fmt.Sprintf("refused (%v)", err)
	}
	return string(answer)
}

// TestCollectorUnderAttack has one real collector, attacked over real connections.
func TestCollectorUnderAttack(t *testing.T) {
	s := newStage(t)
	p, address := s.collect("")
	good := s.sender(address, "web-1")
	if err := s.send(good, "00000000000000a1", 1); err != nil {
		t.Fatal(err)
	}
	with := s.tlsConfig("certs/agent-web-1")
	sample := sampleDelivery(t, "00000000000000a2", 1)
	body, err := sample.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	const post = "POST /v1/deliveries HTTP/1.1\r\nHost: x\r\n"
	chunked := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	get := "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
	for name, c := range map[string]struct{ request, want string }{
		"method":                         {"GET /v1/deliveries HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 405 "},
		"another method":                 {"DELETE /v1/deliveries HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 405 "},
		"an unknown method":              {"BREW /v1/deliveries HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 405 "},
		"a proxy request":                {"CONNECT 203.0.113.9:443 HTTP/1.1\r\nHost: 203.0.113.9:443\r\nConnection: close\r\n\r\n", "HTTP/1.1 40"},
		"path traversal":                 {"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 [34]0"},
		"encoded path traversal":         {"GET /..%2f..%2fetc%2fpasswd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 404 "},
		"a NUL in the path":              {"GET /healthz%00.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 404 "},
		"two lengths":                    {post + fmt.Sprintf("Content-Length: %d\r\nContent-Length: 5\r\n\r\n%s", len(body), body), "HTTP/1.1 400 "},
		"a length and chunks":            {post + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked + get, "^HTTP/1.1 4[01][01] "},
		"chunks":                         {post + "Transfer-Encoding: chunked\r\n\r\n" + chunked + get, "HTTP/1.1 411 "},
		"chunks, twice":                  {post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + chunked + get, "HTTP/1.1 (400|501) "},
		"chunks, oddly spelled":          {post + "Transfer-Encoding: xchunked\r\n\r\n" + chunked + get, "HTTP/1.1 (400|501) "},
		"space before the colon":         {post + "Transfer-Encoding : chunked\r\n\r\n" + chunked + get, "HTTP/1.1 400 "},
		"a negative length":              {post + "Content-Length: -1\r\n\r\n" + get, "HTTP/1.1 400 "},
		"a length with a sign":           {post + fmt.Sprintf("Content-Length: +%d\r\n\r\n%s", len(body), body), "HTTP/1.1 400 "},
		"a folded header":                {post + "X: a\r\n Content-Length: 5\r\n\r\n" + get, "HTTP/1.1 4"},
		"two hosts":                      {"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n", "HTTP/1.1 400 "},
		"a request behind a refused one": {post + "Content-Length: 5\r\n\r\nhello" + get, "HTTP/1.1 400 "},
		"a large header":                 {post + "X: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", "HTTP/1.1 431 "},
		"many headers":                   {post + strings.Repeat("X-A: b\r\n", 10_000) + "\r\n", "HTTP/1.1 431 "},
		"a body beyond the cap":          {post + "Content-Length: 68719476736\r\n\r\nCRMW", "HTTP/1.1 413 "},
		"gzip":                           {post + "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00", "HTTP/1.1 400 "},
		"a preface of HTTP/2":            {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 |refused"},
	} {
		t.Run(name, func(t *testing.T) {
			got := raw(t, address, with, c.request)
			if !regexp.MustCompile(c.want).MatchString(got) {
				t.Errorf("answered %.300q, want %s", got, c.want)
			}
			if strings.Contains(got, "stored") || strings.Count(got, "HTTP/1.1 ") > 1 || strings.Contains(got, "root:") {
				t.Errorf("answered %q", got)
			}
		})
	}
	t.Run("credentials", func(t *testing.T) {
		ask := post + fmt.Sprintf("Content-Length: %d\r\n", len(body))
		s.must("certs", "--dir", filepath.Join(s.dir, "stranger"), "--agent", "web-1")
		for name, c := range map[string]struct {
			certificate, header, want string
		}{
			"none":                    {"", "", "HTTP/1.1 401 "},
			"of another CA":           {"stranger/agent-web-1", "", "refused"},
			"the server's":            {"certs/collector", "", "refused"},
			"a token that is none":    {"", "Authorization: Bearer cwa_" + strings.Repeat("A", 43) + "\r\n", "HTTP/1.1 401 "},
			"an empty token":          {"", "Authorization: Bearer \r\n", "HTTP/1.1 401 "},
			"a token's hash":          {"", "Authorization: Bearer " + strings.Repeat("0", 64) + "\r\n", "HTTP/1.1 401 "},
			"a name without a secret": {"", "Authorization: Basic d2ViLTE6\r\n", "HTTP/1.1 401 "},
			"a name in a header":      {"", "X-SSL-Client-S-DN: CN=agent-web-1\r\n", "HTTP/1.1 401 "},
		} {
			if got := raw(t, address, s.tlsConfig(c.certificate), ask+c.header+"\r\n"+string(body)); !strings.HasPrefix(got, c.want) {
				t.Errorf("%s: answered %.200q, want %s", name, got, c.want)
			}
		}
	})
	t.Run("versions", func(t *testing.T) {
		for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12} {
			config := with.Clone()
			config.MinVersion, config.MaxVersion = tls.VersionTLS10, version
			if got := raw(t, address, config, get); !strings.HasPrefix(got, "refused") {
				t.Errorf("TLS %x: %q", version, got)
			}
		}
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, get)
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || response.StatusCode != http.StatusBadRequest {
			t.Errorf("plain HTTP: %v %v", response, err)
		}
	})
	t.Run("10,000 idle connections", func(t *testing.T) {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}, Timeout: 10 * time.Second}
		for range 10_000 {
			conn, err := dialer.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
		}
		if err := s.send(s.sender(address, "web-1"), "00000000000000a1", 2); err != nil {
			t.Errorf("an agent from another address does not get through: %v", err)
		}
		files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) > collectorPerHost+100 {
			t.Errorf("the collector has %d files open", len(files))
		}
	})
	// All the while, it served.
	if err := s.send(good, "00000000000000a1", 3); err != nil {
		t.Fatal(err)
	}
	if got := s.query("SELECT count(), uniqExact(sequence), groupUniqArray(agent) FROM deliveries"); got != `3,3,"['web-1']"` {
		t.Errorf("deliveries: %s", got)
	}
	log := p.log.String()
	if strings.Contains(log, "panic") || !strings.Contains(log, "a connection is refused") || strings.Count(log, "a connection is refused") > 10*listen.TroubleLines {
		t.Errorf("the log:\n%.3000s", log)
	}
	p.signal(syscall.SIGTERM)
	if code := p.ends(); code != 0 {
		t.Errorf("a clean stop ends with %d:\n%s", code, p.log)
	}
}

// TestRevokedAgentIsRefused revokes an agent that holds a connection open.
func TestRevokedAgentIsRefused(t *testing.T) {
	s := newStage(t)
	p, address := s.collect("")
	transport := &http.Transport{TLSClientConfig: s.tlsConfig("certs/agent-web-1")}
	defer transport.CloseIdleConnections()
	deliver := func(sequence uint64) (status int, reused bool) {
		t.Helper()
		d := sampleDelivery(t, "00000000000000b1", sequence)
		body, err := d.AppendTo(nil)
		if err != nil {
			t.Fatal(err)
		}
		request, err := http.NewRequest(http.MethodPost, "https://"+address+"/v1/deliveries", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request = request.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused }}))
		response, err := transport.RoundTrip(request)
		if err != nil {
			return 0, reused
		}
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, response.Body)
		return response.StatusCode, reused
	}
	for sequence := range uint64(2) {
		if status, reused := deliver(sequence + 1); status != 200 || reused != (sequence == 1) {
			t.Fatalf("delivery %d: %d, on the same connection: %v", sequence+1, status, reused)
		}
	}
	s.must("certs", "--dir", filepath.Join(s.dir, "certs"), "--revoke", "web-1")
	if status, reused := deliver(3); status != 401 || !reused {
		t.Errorf("on the connection that was open: %d, reused: %v", status, reused)
	}
	if status, _ := deliver(4); status != 0 {
		t.Errorf("a new connection: %d", status)
	}
	if err := s.send(s.sender(address, "web-2"), "00000000000000b2", 1); err != nil {
		t.Errorf("another agent: %v", err)
	}
	if err := s.send(s.sender(address, "web-3"), "00000000000000b3", 1); err != nil {
		t.Errorf("an agent with a token: %v", err)
	}
	p.says("the client's certificate is revoked")
	// A renewed certificate of the same agent works, and a renewed server is trusted.
	s.must("certs", "--dir", filepath.Join(s.dir, "certs"), "--agent", "web-1", "--server", "127.0.0.1", "--renew")
	if err := s.send(s.sender(address, "web-1"), "00000000000000b1", 3); err != nil {
		t.Errorf("with a new certificate: %v", err)
	}
	p.says("a new certificate is used")
	s.write("certs/crl.pem", "nonsense")
	if err := s.send(s.sender(address, "web-1"), "00000000000000b1", 4); err != nil {
		t.Errorf("with a broken list: %v", err)
	}
	p.says("the new list of revocations is not usable")
	p.signal(syscall.SIGHUP)
	p.says("the configuration has mistakes; nothing changes")
}

// An agent whose certificate has expired since it connected is refused.
func TestExpiredSinceItConnected(t *testing.T) {
	leaf := &x509.Certificate{NotAfter: time.Now().Add(-time.Second)}
	u := "crmwatch:agent:web-1"
	known := &credentials{log: slog.New(slog.DiscardHandler)}
	request := &http.Request{TLS: &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{leaf}}}}
	leaf.URIs = append(leaf.URIs, mustURL(t, u))
	if name, ok := known.authenticate(request); ok {
		t.Errorf("it is taken for %s", name)
	}
	leaf.NotAfter = time.Now().Add(time.Hour)
	if name, ok := known.authenticate(request); !ok || name != "web-1" {
		t.Errorf("it is taken for %q, %v", name, ok)
	}
}

// Connections that send too slowly, before or after the handshake, are closed.
func TestSlowConnectionsAreClosed(t *testing.T) {
	s := newStage(t)
	s.must("certs", "--dir", filepath.Join(s.dir, "certs"), "--server", "127.0.0.1", "--agent", "web-1")
	known := &credentials{log: slog.New(slog.DiscardHandler)}
	certs := filepath.Join(s.dir, "certs")
	secure, err := collectorTLS(collectorConfig{TLS: collectorTLSConfig{CertFile: certs + "/collector.pem", KeyFile: certs + "/collector.key", ClientCAFile: certs + "/ca.pem", MinVersion: "1.3"}}, known)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := collectorServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "served") }), slog.New(slog.DiscardHandler))
	if server.ReadHeaderTimeout <= 0 || server.ReadTimeout <= 0 || server.IdleTimeout <= 0 {
		t.Errorf("no bounds: %+v", server)
	}
	server.ReadHeaderTimeout = 200 * time.Millisecond
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serveCollector(ctx, server, collectorListener(plain, secure)) }()
	t.Run("no handshake", func(t *testing.T) {
		conn, err := net.Dial("tcp", plain.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		wantClosed(t, conn, "")
	})
	t.Run("slow loris", func(t *testing.T) {
		conn, err := tls.Dial("tcp", plain.Addr().String(), s.tlsConfig("certs/agent-web-1"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "POST /v1/deliveries HTTP/1.1\r\nHost: x\r\n")
		go func() {
			for n := 0; ; n++ {
				if _, err := fmt.Fprintf(conn, "X-%d: y\r\n", n); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}()
		wantClosed(t, conn, "served")
	})
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// wantClosed waits until the other side closes, without an answer that has unwanted in it.
func wantClosed(t *testing.T, conn net.Conn, unwanted string) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(conn)
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		t.Error("it stays open")
	}
	if unwanted != "" && strings.Contains(string(text), unwanted) {
		t.Errorf("it is answered %q", text)
	}
}
