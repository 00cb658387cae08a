package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/compliance/audit"
)

// authority is a CA of a test.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T, dir, name string) *authority {
	a := &authority{t: t, dir: dir}
	a.cert, a.key = a.make(&x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, name)
	a.file = filepath.Join(dir, name+".pem")
	return a
}

// make writes NAME.pem and NAME.key.
func (a *authority) make(template, parent *x509.Certificate, name string) (*x509.Certificate, *ecdsa.PrivateKey) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore = time.Now().Add(-time.Hour)
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().Add(time.Hour)
	}
	signer := a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for ext, block := range map[string]*pem.Block{".pem": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "EC PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(a.dir, name+ext), pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

func (a *authority) agent(name, uri string, usage x509.ExtKeyUsage, until time.Time) {
	u, err := url.Parse(uri)
	if err != nil {
		a.t.Fatal(err)
	}
	a.make(&x509.Certificate{URIs: []*url.URL{u}, ExtKeyUsage: []x509.ExtKeyUsage{usage}, NotAfter: until}, a.cert, name)
}

// TestCollectorKnowsAgentsByCertificate asks a collector's TLS with good and bad
// certificates and with old versions of TLS.
func TestCollectorKnowsAgentsByCertificate(t *testing.T) {
	dir := t.TempDir()
	ca, stranger := newAuthority(t, dir, "ca"), newAuthority(t, dir, "stranger")
	ca.make(&x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, ca.cert, "server")
	ca.agent("good", "crmwatch:agent:web-1", x509.ExtKeyUsageClientAuth, time.Time{})
	ca.agent("expired", "crmwatch:agent:web-1", x509.ExtKeyUsageClientAuth, time.Now().Add(-time.Minute))
	ca.agent("nameless", "https://acme.example", x509.ExtKeyUsageClientAuth, time.Time{})
	ca.agent("badname", "crmwatch:agent:..%2f..%2fetc", x509.ExtKeyUsageClientAuth, time.Time{})
	ca.agent("serverkind", "crmwatch:agent:web-1", x509.ExtKeyUsageServerAuth, time.Time{})
	stranger.agent("forged", "crmwatch:agent:web-1", x509.ExtKeyUsageClientAuth, time.Time{})

	var cfg collectorConfig
	cfg.TLS.CertFile, cfg.TLS.KeyFile, cfg.TLS.ClientCAFile = filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"), ca.file
	cfg.TLS.MinVersion = "1.3"
	known := &credentials{log: slog.New(slog.DiscardHandler)}
	config, err := collectorTLS(cfg, known)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := make(chan audit.Refusal, 100)
	note := func(r audit.Refusal) { refused <- r }
	server := &http.Server{ErrorLog: handshakeLog(log.New(io.Discard, "", 0), note), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ok := known.authenticate(r)
		if !ok {
			note(known.refusal(r))
		}
		fmt.Fprint(w, name, ok)
	})}
	go server.Serve(tls.NewListener(plain, config))
	defer server.Close()
	ask := func(certificate string, version uint16) string {
		t.Helper()
		roots := x509.NewCertPool()
		roots.AddCert(ca.cert)
		c := &tls.Config{RootCAs: roots, MaxVersion: version}
		if certificate != "" {
			pair, err := tls.LoadX509KeyPair(filepath.Join(dir, certificate+".pem"), filepath.Join(dir, certificate+".key"))
			if err != nil {
				t.Fatal(err)
			}
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
		}
		transport := &http.Transport{TLSClientConfig: c, DisableKeepAlives: true}
		defer transport.CloseIdleConnections()
		response, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Get("https://" + plain.Addr().String())
		if err != nil {
			return "refused"
		}
		defer response.Body.Close()
		text := make([]byte, 100)
		n, _ := response.Body.Read(text)
		return string(text[:n])
	}
	for _, c := range []struct {
		certificate string
		version     uint16
		want        string
	}{
		{"good", 0, "web-1true"},
		{"expired", 0, "refused"},
		{"forged", 0, "refused"},
		{"serverkind", 0, "refused"},
		{"", 0, "refused"},
		{"nameless", 0, "false"},
		{"badname", 0, "false"},
		{"good", tls.VersionTLS12, "refused"},
		{"good", tls.VersionTLS11, "refused"},
	} {
		if got := ask(c.certificate, c.version); got != c.want {
			t.Errorf("certificate %q, TLS %x: %s, want %s", c.certificate, c.version, got, c.want)
		}
	}
	// What is refused is told, with as much as is known of who it was.
	told := map[string]int{}
	for range 8 {
		select {
		case r := <-refused:
			if r.Address != "127.0.0.1" || r.Service != "collector" {
				t.Errorf("refusal %+v", r)
			}
			told[r.Action+" "+r.Name]++
		case <-time.After(10 * time.Second):
			t.Fatalf("8 refusals are not told: %v", told)
		}
	}
	if told["login.refuse unknown agent"] != 6 || told["connection.refuse "] != 2 {
		t.Errorf("told are %v", told)
	}
	// A renewed certificate is taken without a restart; one that cannot be read is not.
	if err := os.WriteFile(cfg.TLS.CertFile, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := ask("good", 0); got != "web-1true" {
		t.Errorf("with a broken new certificate: %s", got)
	}
	ca.make(&x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, Subject: pkix.Name{CommonName: "renewed"}}, ca.cert, "server")
	if err := os.Chtimes(cfg.TLS.CertFile, time.Now(), time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if got := ask("good", 0); got != "web-1true" {
		t.Errorf("with a renewed certificate: %s", got)
	}
}

// TestWhyARequestHasNoCredential asks with a token that nobody has, and with none.
func TestWhyARequestHasNoCredential(t *testing.T) {
	const secret = "cwa_hunter2Sesame94d1"
	known := &credentials{}
	for header, want := range map[string]string{
		"": "no token and no certificate", "Bearer " + secret: "unknown or expired token", "Bearer ": "no token and no certificate", "Basic YTpi": "no token and no certificate",
	} {
		r := httptest.NewRequest(http.MethodPost, "/v1/deliveries", nil)
		r.RemoteAddr = "[2001:db8::7]:5123"
		r.Header.Set("Authorization", header)
		got := known.refusal(r)
		if got.Reason != want || got.Address != "2001:db8::7" || got.Name != unknownAgent || strings.Contains(fmt.Sprint(got), secret) {
			t.Errorf("%q: %+v, want %s", header, got, want)
		}
	}
}

func TestCollectorConfigurationRefusesToBeOpen(t *testing.T) {
	for text, want := range map[string]string{
		"listen: 0.0.0.0:8443\nagents_file: a\ndata: d": "without TLS",
		"agents_file: a": "name either data",
		"data: d":        "no agent could be known",
		"agents_file: a\ndata: d\ntls: {cert_file: x}":         "belong together",
		"agents_file: a\ndata: d\ntls: {min_version: \"1.0\"}": "min_version",
		"agents_file: a\ndata: d\nlisten: here":                "host:port",
		"agents_file: a\ndata: d\nlissten: 127.0.0.1:1":        ":3:1:",
	} {
		path := filepath.Join(t.TempDir(), "collector.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := loadCollectorConfig(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func mustURL(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
