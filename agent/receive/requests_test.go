package receive

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func otlpOptions() Options { return Options{Name: "apps", Protocol: OTLP, Listen: "127.0.0.1:0"} }

// jsonRecord is a record in OTLP/JSON; n is found again in its body.
func jsonRecord(n int) string {
	return fmt.Sprintf(`{"timeUnixNano":"%d","severityNumber":13,"body":{"stringValue":"401 from CRM %d"},"attributes":[{"key":"client.address","value":{"stringValue":"203.0.113.77"}}]}`, 1772442720118000000+n, n)
}

func jsonRequest(records ...string) string {
	return `{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"crm-sync"}}]},"scopeLogs":[{"scope":{},"logRecords":[` + strings.Join(records, ",") + `]}]}]}`
}

type answered struct {
	status int
	body   string
	header http.Header
}

// post sends a request with headers "Name: value".
func (r *rig) post(body string, headers ...string) answered {
	r.t.Helper()
	request, err := http.NewRequest(http.MethodPost, "http://"+r.address(0)+"/v1/logs", strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Content-Type", mediaJSON)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		request.Header.Set(name, value)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answered{response.StatusCode, string(text), response.Header}
}

func (r *rig) wantAnswer(got answered, status int, body string) {
	r.t.Helper()
	if got.status != status || !strings.Contains(got.body, body) {
		r.t.Errorf("answer %d %s, want %d %s", got.status, got.body, status, body)
	}
}

const binaryMedia = "Content-Type: " + mediaProtobuf

func TestRequests(t *testing.T) {
	r := newRig(t, nil, otlpOptions()).start()
	r.wantAnswer(r.post(jsonRequest(jsonRecord(1), jsonRecord(2))), 200, "{}")
	// It is durable before the answer.
	r.want(2, 0)
	r.wantAnswer(r.post(binaryRequest(binaryRecord(3), binaryRecord(4)), binaryMedia), 200, "")
	r.wantAnswer(r.post(pack(t, jsonRequest(jsonRecord(5)), false), "Content-Encoding: gzip"), 200, "{}")
	r.want(5, 0)
	r.wantAnswer(r.post(`{}`), 200, "{}")
	r.wantAnswer(r.post("", binaryMedia), 200, "")
	// What has no time is in quarantine, the others are stored.
	r.wantAnswer(r.post(jsonRequest(jsonRecord(6), `{"timeUnixNano":"x","body":{"stringValue":"y"}}`)), 200, `{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"kept in quarantine`)
	r.want(6, 1)
	r.wantAnswer(r.post(`{"resourceLogs":[`), 400, "not JSON")
	r.wantAnswer(r.post("{", binaryMedia), 400, "protobuf")
	r.wantAnswer(r.post(`{}`, "Content-Type: text/plain"), 415, "application/x-protobuf")
	r.wantAnswer(r.post(`{}`, "Content-Encoding: br"), 415, "gzip")
	r.wantAnswer(r.post(pack(t, strings.Repeat(" ", 17<<20), false), "Content-Encoding: gzip"), 413, "fewer records")
	r.wantAnswer(r.post(strings.Repeat(" ", 5<<20)), 413, "fewer records")
	response, err := http.Get("http://" + r.address(0) + "/v1/logs")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", response.StatusCode)
	}
	http.DefaultClient.CloseIdleConnections()
	r.want(6, 1)
}

// TestRequestsAreStoredOnce has answers that are lost, a restart in between, and requests
// that are repeated.
func TestRequestsAreStoredOnce(t *testing.T) {
	r := newRig(t, nil, otlpOptions()).start()
	// Identical records of one request are two, of two requests one.
	bodies := []string{jsonRequest(jsonRecord(1), jsonRecord(1), jsonRecord(2), `{"timeUnixNano":"x"}`), jsonRequest(jsonRecord(3))}
	for _, body := range bodies {
		lost := r.dial(0, "tcp")
		r.write(lost, fmt.Sprintf("POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
		lost.Close()
	}
	r.want(4, 1)
	for range 2 {
		r.end()
		r.start()
		for range 2 {
			for _, body := range bodies {
				if got := r.post(body); got.status != 200 {
					t.Errorf("%d %s", got.status, got.body)
				}
			}
		}
		r.want(4, 1)
	}
	// The order within a batch changes nothing.
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { r.wantAnswer(r.post(bodies[0]), 200, "rejectedLogRecords") })
	}
	all.Wait()
	r.want(4, 1)
	if r.rows.arrived < 4+1+4*5 {
		t.Errorf("only %d rows arrived", r.rows.arrived)
	}
}

func TestRequestsWaitForTheSpool(t *testing.T) {
	r := newRig(t, nil, otlpOptions())
	r.quota, r.limits = 100_000, Limits{Answer: 300 * time.Millisecond, Requests: 4}
	r.start()
	r.hold(true)
	var got answered
	n := 0
	for ; n < 5000; n++ {
		if got = r.post(jsonRequest(jsonRecord(n))); got.status != 200 {
			break
		}
	}
	r.wantAnswer(got, 503, "spool is full")
	if got.header.Get("Retry-After") != "5" || r.lost(0, lostFull) == 0 {
		t.Errorf("%v %+v", got.header, r.status(0))
	}
	// One address gets half of the places.
	statuses := make(chan int, 6)
	for i := range 6 {
		go func() { statuses <- r.post(jsonRequest(jsonRecord(10_000 + i))).status }()
	}
	seen := map[int]int{}
	for range 6 {
		seen[<-statuses]++
	}
	if seen[429] == 0 || seen[200] != 0 {
		t.Errorf("answers: %v", seen)
	}
	r.hold(false)
	// The sender tries again: everything is stored once.
	waitFor(t, func() bool { return r.post(jsonRequest(jsonRecord(n))).status == 200 }, func() string { return "the spool stays full" })
	waitFor(t, func() bool { s := r.status(0); return s.Pending == 0 }, func() string { return fmt.Sprintf("%+v", r.status(0)) })
	seenBodies := map[string]int{}
	for _, uid := range r.column(r.rows.events, "event_uid") {
		seenBodies[uid]++
	}
	if len(seenBodies) < n+1 {
		t.Errorf("%d events are stored, want %d", len(seenBodies), n+1)
	}
}

func TestRequestsNeedTheToken(t *testing.T) {
	o := otlpOptions()
	o.Token = "correct-horse-battery"
	r := newRig(t, nil, o).start()
	for _, header := range []string{"X: y", "Authorization: Bearer", "Authorization: Bearer wrong", "Authorization: Basic correct-horse-battery"} {
		r.wantAnswer(r.post(jsonRequest(jsonRecord(1)), header), 401, "no valid token")
	}
	r.wantAnswer(r.post(jsonRequest(jsonRecord(1)), "Authorization: Bearer correct-horse-battery"), 200, "{}")
	r.want(1, 0)
	if strings.Contains(r.log.String(), "battery") {
		t.Error("the log has the token")
	}
}

func TestSlowRequestsAreCutOff(t *testing.T) {
	r := newRig(t, nil, otlpOptions())
	r.limits = Limits{Unfinished: 300 * time.Millisecond}
	r.start()
	for _, begin := range []string{"POST /v1", "POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"} {
		conn := r.dial(0, "tcp")
		r.write(conn, begin)
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.ReadAll(conn); err != nil && strings.Contains(err.Error(), "timeout") {
			t.Errorf("%q: %v", begin, err)
		}
	}
	r.want(0, 0)
}

// certificate is one that names 127.0.0.1 and signs itself.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "receiver"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
}

func TestOverTLS(t *testing.T) {
	pair, pool := certificate(t)
	secure := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
	edge, gelf, apps := syslogOptions(TLS), gelfOptions(TLS), otlpOptions()
	edge.TLS, gelf.TLS, apps.TLS = secure, secure, secure
	r := newRig(t, map[string]string{"edge": "nginx", "gelf": "kong"}, edge, gelf, apps)
	r.limits = Limits{Unfinished: 500 * time.Millisecond}
	r.start()
	good := &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}}
	send := func(n int, config *tls.Config, text string) error {
		conn, err := tls.Dial("tcp", r.address(n), config)
		if err != nil {
			return err
		}
		defer conn.Close()
		_, err = conn.Write([]byte(text))
		return err
	}
	if err := send(0, good, accessLine(1)+"\n"+accessLine(2)+"\n"); err != nil {
		t.Fatal(err)
	}
	if err := send(1, good, kongRecord(3)+"\x00"); err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: good, DisableKeepAlives: true}}
	response, err := client.Post("https://"+r.address(2)+"/v1/logs", mediaJSON, bytes.NewReader([]byte(jsonRequest(jsonRecord(4)))))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 200 {
		t.Errorf("status %d", response.StatusCode)
	}
	r.want(4, 0)
	// Old versions, no certificate, no TLS, and a handshake that never ends.
	old := good.Clone()
	old.MaxVersion = tls.VersionTLS11
	if err := send(0, old, accessLine(5)+"\n"); err == nil {
		t.Error("TLS 1.1 is taken")
	}
	_ = send(0, &tls.Config{RootCAs: pool}, accessLine(6)+"\n")
	plain := r.dial(0, "tcp")
	r.write(plain, accessLine(7)+"\n")
	silent := r.dial(0, "tcp")
	_ = silent.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := silent.Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Errorf("a silent connection: %v", err)
	}
	waitFor(t, func() bool { return r.lost(0, lostBroken) >= 4 }, func() string { return fmt.Sprintf("%+v", r.status(0)) })
	r.want(4, 0)
}

// TestRequestsDuringTheStop: what was taken is answered, what is not answered is not
// relied on.
func TestRequestsDuringTheStop(t *testing.T) {
	r := newRig(t, nil, otlpOptions()).start()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	taken := make(chan int, 1)
	address := r.address(0)
	go func() {
		n := 0
		defer func() { taken <- n }()
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 2 * time.Second}
		for ctx.Err() == nil {
			response, err := client.Post("http://"+address+"/v1/logs", mediaJSON, strings.NewReader(jsonRequest(jsonRecord(n))))
			if err != nil {
				return
			}
			response.Body.Close()
			if response.StatusCode != 200 {
				return
			}
			n++
		}
	}()
	waitFor(t, func() bool { e, _ := r.counts(); return e > 3 }, func() string { return "nothing is stored" })
	r.end()
	cancel()
	n := <-taken
	if events, _ := r.counts(); events != n && events != n+1 {
		t.Errorf("%d events are stored, %d were acknowledged", events, n)
	}
}
