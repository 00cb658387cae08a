package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/crmwatch/crmwatch/collector/ca"
	"github.com/crmwatch/crmwatch/collector/token"
)

// credentials know agents by their verified certificate, else by their token.
type credentials struct {
	tokens  *token.File     // nil for none
	revoked *ca.Revocations // nil for none
	log     *slog.Logger
	expiry  expiryWarning
}

// authenticate says which agent asks. A connection may have been open for long: what
// has expired or was revoked since does not count any more.
func (c *credentials) authenticate(r *http.Request) (string, bool) {
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		leaf := r.TLS.VerifiedChains[0][0]
		if time.Now().After(leaf.NotAfter) || c.isRevoked(leaf) {
			return "", false
		}
		for _, uri := range leaf.URIs {
			if name, ok := strings.CutPrefix(uri.String(), ca.AgentURI); ok && token.CheckName(name) == nil {
				c.expiry.note(c.log, "certificate of agent "+name, leaf)
				return name, true
			}
		}
	}
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || c.tokens == nil {
		return "", false
	}
	return c.tokens.Authenticate(given)
}

func (c *credentials) isRevoked(leaf *x509.Certificate) bool {
	return c.revoked != nil && c.revoked.Revoked(leaf)
}

// verify refuses a revoked certificate already when a connection is made, a resumed
// one too.
func (c *credentials) verify(state tls.ConnectionState) error {
	if len(state.VerifiedChains) > 0 && c.isRevoked(state.VerifiedChains[0][0]) {
		return errors.New("the client's certificate is revoked")
	}
	return nil
}

// collectorTLS is nil for a collector that listens in clear, on loopback. Certificate
// and revocations are read anew when their files change.
func collectorTLS(cfg collectorConfig, known *credentials) (*tls.Config, error) {
	if cfg.TLS.CertFile == "" {
		return nil, nil
	}
	files := &certificateFiles{cert: cfg.TLS.CertFile, key: cfg.TLS.KeyFile, log: known.log}
	if _, err := files.get(nil); err != nil {
		return nil, err
	}
	config := &tls.Config{GetCertificate: files.get, MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}}
	if cfg.TLS.MinVersion == "1.2" {
		config.MinVersion = tls.VersionTLS12
	}
	if cfg.TLS.ClientCAFile == "" {
		return config, nil
	}
	authorities, err := readAuthorities(cfg.TLS.ClientCAFile)
	if err != nil {
		return nil, err
	}
	config.ClientCAs = x509.NewCertPool()
	for _, authority := range authorities {
		config.ClientCAs.AddCert(authority)
	}
	config.ClientAuth = tls.VerifyClientCertIfGiven
	if cfg.AgentsFile == "" {
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	if cfg.TLS.CRLFile != "" {
		if known.revoked, err = ca.OpenRevocations(cfg.TLS.CRLFile, authorities, known.log, nil); err != nil {
			return nil, err
		}
	}
	config.VerifyConnection = known.verify
	return config, nil
}

// readAuthorities reads the certificates of a PEM file.
func readAuthorities(path string) (all []*x509.Certificate, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read CA file: %w", err)
	}
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("CA file %s holds a %s: name a file of certificates alone", path, strings.ToLower(block.Type))
		}
		one, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("read CA file %s: %w", path, err)
		}
		all = append(all, one)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("CA file %s holds no certificate in PEM form", path)
	}
	return all, nil
}

// certificateFiles reads a certificate anew when its file changes, so that it can be
// renewed without a restart. New files that cannot be used leave the old certificate.
type certificateFiles struct {
	cert, key string
	log       *slog.Logger
	expiry    expiryWarning

	mu      sync.Mutex
	stamp   [2]int64
	pair    *tls.Certificate
	trouble string
}

func (c *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	info, err := os.Stat(c.cert)
	if err == nil {
		stamp := [2]int64{info.ModTime().UnixNano(), info.Size()}
		if c.pair == nil || stamp != c.stamp {
			var pair *tls.Certificate
			if pair, err = readPair(c.cert, c.key); err == nil {
				if c.pair != nil {
					c.log.Info("a new certificate is used", "file", c.cert, "until", pair.Leaf.NotAfter.UTC().Format(time.DateOnly))
				}
				c.pair, c.stamp, c.trouble = pair, stamp, ""
			}
		}
	}
	if c.pair == nil {
		return nil, fmt.Errorf("read certificate %s: %w", c.cert, err)
	}
	if err != nil && err.Error() != c.trouble {
		c.trouble = err.Error()
		c.log.Error("the new certificate is not usable; the one before is used on", "file", c.cert, "error", err)
	}
	c.expiry.note(c.log, c.cert, c.pair.Leaf)
	return c.pair, nil
}

// readPair reads a certificate and its key, which only its owner may read.
func readPair(cert, key string) (*tls.Certificate, error) {
	if _, err := readSecret(key); err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, err
	}
	if pair.Leaf == nil {
		if pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0]); err != nil {
			return nil, err
		}
	}
	return &pair, nil
}

// expiryWarning says once a day which certificates end soon.
type expiryWarning struct {
	mu     sync.Mutex
	warned map[string]time.Time
}

func (e *expiryWarning) note(log *slog.Logger, whose string, leaf *x509.Certificate) {
	now := time.Now()
	left := leaf.NotAfter.Sub(now)
	if left > ca.Soon {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if now.Sub(e.warned[whose]) < 24*time.Hour {
		return
	}
	if e.warned == nil {
		e.warned = map[string]time.Time{}
	}
	e.warned[whose] = now
	log.Warn("a certificate ends soon: renew it", "certificate", whose, "until", leaf.NotAfter.UTC().Format(time.DateOnly), "days_left", int(left/(24*time.Hour)))
}
