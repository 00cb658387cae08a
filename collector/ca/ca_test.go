package ca

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// clock is a time that a test sets.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func open(t *testing.T, dir string, c *clock) *Folder {
	t.Helper()
	f, err := Open(dir, c.now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

func certificate(t *testing.T, f *Folder, name string) *x509.Certificate {
	t.Helper()
	cert, err := f.readCertificate(name)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestWhatIsMade(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "certs")
	c := &clock{start}
	f := open(t, dir, c)
	if _, err := f.Server([]string{"Collector.acme.example", "203.0.113.9", "2001:db8::9"}, 90, false); err != nil {
		t.Fatal(err)
	}
	one, err := f.Agent("web-1", 365, false)
	if err != nil {
		t.Fatal(err)
	}
	if want := start.AddDate(0, 0, 365); !one.NotAfter.Equal(want) {
		t.Errorf("the agent's certificate ends %s, want %s", one.NotAfter, want)
	}
	root, server, agent := certificate(t, f, "ca.pem"), certificate(t, f, "collector.pem"), certificate(t, f, "agent-web-1.pem")
	if !root.IsCA || !root.MaxPathLenZero || root.NotAfter.Sub(start) != rootLife {
		t.Errorf("the root: CA %v, path length zero %v, until %s", root.IsCA, root.MaxPathLenZero, root.NotAfter)
	}
	if got, want := NamesOf(server), []string{"collector.acme.example", "203.0.113.9", "2001:db8::9"}; !slices.Equal(got, want) {
		t.Errorf("the server's names: %q, want %q", got, want)
	}
	if len(agent.URIs) != 1 || agent.URIs[0].String() != "crmwatch:agent:web-1" || len(agent.DNSNames)+len(agent.IPAddresses) != 0 {
		t.Errorf("the agent's names: %v %v", agent.URIs, agent.DNSNames)
	}
	for name, c := range map[string]struct {
		cert *x509.Certificate
		use  x509.ExtKeyUsage
		ok   bool
	}{
		"server as server": {server, x509.ExtKeyUsageServerAuth, true}, "server as client": {server, x509.ExtKeyUsageClientAuth, false},
		"agent as client": {agent, x509.ExtKeyUsageClientAuth, true}, "agent as server": {agent, x509.ExtKeyUsageServerAuth, false},
	} {
		pool := x509.NewCertPool()
		pool.AddCert(root)
		_, err := c.cert.Verify(x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{c.use}, CurrentTime: start.Add(time.Minute)})
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	serials := map[string]bool{}
	for _, cert := range []*x509.Certificate{root, server, agent} {
		key := cert.PublicKey.(*ecdsa.PublicKey)
		if key.Curve != elliptic.P256() || cert.SerialNumber.BitLen() <= 64 || cert.SerialNumber.BitLen() > 128 {
			t.Errorf("%s: key %s, serial number of %d bits", cert.Subject, key.Curve.Params().Name, cert.SerialNumber.BitLen())
		}
		serials[cert.SerialNumber.String()] = true
	}
	if len(serials) != 3 {
		t.Error("two certificates have one serial number")
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v %v", entry.Name(), info.Mode(), err)
		}
	}
}

func TestNothingIsOverwritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "certs")
	c := &clock{start}
	f := open(t, dir, c)
	if _, err := f.Agent("web-1", 30, false); err != nil {
		t.Fatal(err)
	}
	root, before := certificate(t, f, "ca.pem"), certificate(t, f, "agent-web-1.pem")
	if _, err := f.Agent("web-1", 30, false); !errors.Is(err, ErrExists) {
		t.Errorf("made twice: %v", err)
	}
	f.Close()
	f = open(t, dir, c)
	if f.Created() || !certificate(t, f, "ca.pem").Equal(root) || !certificate(t, f, "agent-web-1.pem").Equal(before) {
		t.Error("opening it again has made something")
	}
	if _, err := f.Agent("web-1", 30, true); err != nil {
		t.Fatal(err)
	}
	if certificate(t, f, "agent-web-1.pem").Equal(before) {
		t.Error("it was not renewed")
	}
	// What ends soon is renewed under its names; the rest stays.
	if _, err := f.Server([]string{"a.acme.example", "203.0.113.9"}, 20, false); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Agent("web-2", 300, false); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Agent("web-3", 20, false); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Revoke("web-3"); err != nil {
		t.Fatal(err)
	}
	made, err := f.RenewSoon(100)
	if err != nil || len(made) != 2 || made[0].Name != "agent web-1" || made[1].Name != "a.acme.example, 203.0.113.9" {
		t.Errorf("renewed: %v %v", made, err)
	}
	// No certificate outlives the root.
	c.at = start.Add(rootLife - 24*time.Hour)
	if one, err := f.Agent("late", 365, false); err != nil || one.NotAfter.After(root.NotAfter) {
		t.Errorf("%v %v", one, err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	c := &clock{start}
	f := open(t, filepath.Join(t.TempDir(), "certs"), c)
	for name, try := range map[string]func() error{
		"agent name":     func() error { _, err := f.Agent("../web", 1, false); return err },
		"empty name":     func() error { _, err := f.Agent("", 1, false); return err },
		"host with port": func() error { _, err := f.Server([]string{"a.example:8443"}, 1, false); return err },
		"URL":            func() error { _, err := f.Server([]string{"https://a.example"}, 1, false); return err },
		"no host":        func() error { _, err := f.Server(nil, 1, false); return err },
		"zone":           func() error { _, err := f.Server([]string{"fe80::1%eth0"}, 1, false); return err },
		"no days":        func() error { _, err := f.Agent("a", 0, false); return err },
		"too many days":  func() error { _, err := f.Agent("a", MaxDays+1, false); return err },
		"unknown agent":  func() error { _, err := f.Revoke("web-9"); return err },
	} {
		if try() == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for name, c := range map[string]struct {
		spoil func(dir string) error
		want  string
	}{
		"open folder":   {func(dir string) error { return os.Chmod(dir, 0o750) }, "chmod 700"},
		"open key":      {func(dir string) error { return os.Chmod(filepath.Join(dir, "ca.key"), 0o640) }, "chmod 600"},
		"no key":        {func(dir string) error { return os.Remove(filepath.Join(dir, "ca.key")) }, "backup"},
		"no root":       {func(dir string) error { return os.Remove(filepath.Join(dir, "ca.pem")) }, "backup"},
		"no index":      {func(dir string) error { return os.Remove(filepath.Join(dir, "issued.json")) }, "backup"},
		"key is a link": {func(dir string) error { return relink(filepath.Join(dir, "ca.key")) }, "symbolic links"},
		"dir is a link": {func(dir string) error { return relink(dir) }, "not a link"},
	} {
		dir := filepath.Join(t.TempDir(), "certs")
		clock := &clock{start}
		open(t, dir, clock).Close()
		if err := c.spoil(dir); err != nil {
			t.Fatal(err)
		}
		if f, err := Open(dir, clock.now); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
			if err == nil {
				f.Close()
			}
		}
	}
}

// relink puts a link to a thing into its place.
func relink(path string) error {
	return errors.Join(os.Rename(path, path+".moved"), os.Symlink(path+".moved", path))
}

// TestRevocation follows a list through its life.
func TestRevocation(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "certs")
	c := &clock{start}
	f := open(t, dir, c)
	for _, name := range []string{"web-1", "web-2"} {
		if _, err := f.Agent(name, 365, false); err != nil {
			t.Fatal(err)
		}
	}
	first, other := certificate(t, f, "agent-web-1.pem"), certificate(t, f, "agent-web-2.pem")
	// A certificate that was replaced still is one.
	if _, err := f.Agent("web-1", 365, true); err != nil {
		t.Fatal(err)
	}
	second := certificate(t, f, "agent-web-1.pem")
	root := certificate(t, f, "ca.pem")
	var log bytes.Buffer
	path := f.Path(CRLFile)
	r, err := OpenRevocations(path, []*x509.Certificate{root}, slog.New(slog.NewTextHandler(&log, nil)), c.now)
	if err != nil {
		t.Fatal(err)
	}
	want := func(what string, revoked bool, certs ...*x509.Certificate) {
		t.Helper()
		for _, cert := range certs {
			if r.Revoked(cert) != revoked {
				t.Errorf("%s: %s is revoked: %v, want %v\n%s", what, cert.Subject, !revoked, revoked, &log)
			}
		}
	}
	want("at the start", false, first, second, other)
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := f.Revoke("web-1"); n != 2 || err != nil {
		t.Errorf("%d certificates are revoked (%v), want 2", n, err)
	}
	want("after", true, first, second)
	want("after", false, other)
	if _, err := f.Agent("web-1", 365, true); err != nil {
		t.Fatal(err)
	}
	want("a new one of the same agent", false, certificate(t, f, "agent-web-1.pem"))

	stranger := open(t, filepath.Join(t.TempDir(), "stranger"), c)
	foreign, err := os.ReadFile(stranger.Path(CRLFile))
	if err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Replace(good, []byte("\n"), []byte("\nAAAA"), 1)
	for name, c := range map[string]struct {
		text []byte
		log  string
	}{
		"broken": {[]byte("nonsense"), "holds no list"}, "empty": {nil, "holds no list"}, "flipped": {flipped, "not usable"},
		"of another CA": {foreign, "not signed"}, "older": {old, "is below"}, "cut": {good[:len(good)/2], "holds no list"},
		"a certificate": {certPEM(root.Raw), "holds a CERTIFICATE"},
	} {
		if err := os.WriteFile(path, good, 0o600); err != nil {
			t.Fatal(err)
		}
		want(name+", before", true, first)
		log.Reset()
		if err := os.WriteFile(path, c.text, 0o600); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			want(name, true, first)
			want(name, false, other)
		}
		if n := strings.Count(log.String(), "not usable"); n != 1 || !strings.Contains(log.String(), c.log) {
			t.Errorf("%s: logged %d times:\n%s", name, n, &log)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	want("removed", true, first)
	// Out of date: what is known counts, and is logged once; a new one is taken.
	c.at = start.Add(crlLife + 2*time.Hour)
	log.Reset()
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		want("out of date", true, first)
	}
	if n := strings.Count(log.String(), "is out of date; what it revokes"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, &log)
	}
	// At a start it counts all the same.
	if r, err := OpenRevocations(path, []*x509.Certificate{root}, slog.New(slog.DiscardHandler), c.now); err != nil || !r.Revoked(first) {
		t.Errorf("a start with a list that is out of date: %v", err)
	}
	if _, err := f.RenewSoon(365); err != nil {
		t.Fatal(err)
	}
	want("expired certificates leave the list", false, first)
	if until, err := f.CRLUntil(); err != nil || until.Before(c.at.Add(crlLife-time.Hour)) {
		t.Errorf("the new list counts until %s, %v", until, err)
	}
	for name, text := range map[string][]byte{"broken": []byte("nonsense"), "foreign": foreign} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenRevocations(path, []*x509.Certificate{root}, slog.New(slog.DiscardHandler), c.now); err == nil {
			t.Errorf("a start with a %s list works", name)
		}
	}
}

// A list signed by a certificate that has the root's name and another key is nobody's.
func TestAListSignedWithAnotherKey(t *testing.T) {
	c := &clock{start}
	f := open(t, filepath.Join(t.TempDir(), "certs"), c)
	root := certificate(t, f, "ca.pem")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := *root
	template.PublicKey = &key.PublicKey
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if f.root, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	f.key = key
	if err := f.writeCRL(); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenRevocations(f.Path(CRLFile), []*x509.Certificate{root}, slog.New(slog.DiscardHandler), c.now); err == nil || !strings.Contains(err.Error(), "not signed") {
		t.Errorf("%v", err)
	}
}
