package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/collector/ca"
	"github.com/crmwatch/crmwatch/collector/token"
)

// fileCheck looks into the files that a configuration names. Their mistakes are
// placed where the configuration names them.
type fileCheck struct {
	config   string
	problems []error
	// soon are certificates that have to be renewed.
	soon []string
}

func (c *fileCheck) at(place string, err error) {
	if err != nil {
		c.problems = append(c.problems, placedProblem(c.config, place, err))
	}
}

func (c *fileCheck) secret(place, path string) {
	if path == "" {
		return
	}
	text, err := readSecret(path)
	if err == nil && text == "" {
		err = fmt.Errorf("read secret %s: it is empty", path)
	}
	c.at(place, err)
}

// pair checks a certificate, its key, and that it is made for usage.
func (c *fileCheck) pair(place, cert, key string, usage x509.ExtKeyUsage, kind string) {
	if cert == "" {
		return
	}
	if _, err := readSecret(key); err != nil {
		c.at(place+".key_file", err)
		return
	}
	pair, err := readPair(cert, key)
	if err != nil {
		c.at(place+".cert_file", fmt.Errorf("read certificate %s: %w", cert, err))
		return
	}
	c.leaf(place+".cert_file", cert, pair, usage, kind)
}

func (c *fileCheck) leaf(place, file string, pair *tls.Certificate, usage x509.ExtKeyUsage, kind string) {
	left := time.Until(pair.Leaf.NotAfter)
	switch usages := pair.Leaf.ExtKeyUsage; {
	case left <= 0:
		c.at(place, fmt.Errorf("%s: renew it, such as with: crmwatch certs --dir DIR --renew", endsSoon(file, pair.Leaf.NotAfter, left)))
	case len(usages) > 0 && !slices.Contains(usages, usage) && !slices.Contains(usages, x509.ExtKeyUsageAny):
		c.at(place, fmt.Errorf("%s is not made for a %s: name one that is", file, kind))
	case left < ca.Soon:
		c.soon = append(c.soon, endsSoon(file, pair.Leaf.NotAfter, left)+": renew it")
	}
}

func (c *fileCheck) authorities(place, path string) []*x509.Certificate {
	if path == "" {
		return nil
	}
	all, err := readAuthorities(path)
	c.at(place, err)
	for _, one := range all {
		if left := time.Until(one.NotAfter); left < ca.Soon {
			c.soon = append(c.soon, endsSoon(path, one.NotAfter, left)+": renew it")
		}
	}
	return all
}

// checkFiles looks into the files of an agent's or a monitor's configuration.
func checkFiles(path string, cfg config) error {
	return errors.Join(lookInto(path, cfg).problems...)
}

func lookInto(path string, cfg config) *fileCheck {
	c := &fileCheck{config: path}
	c.secret("$.ship.token_file", cfg.Ship.TokenFile)
	c.authorities("$.ship.ca_file", cfg.Ship.CAFile)
	c.pair("$.ship", cfg.Ship.CertFile, cfg.Ship.KeyFile, x509.ExtKeyUsageClientAuth, "client")
	if len(c.problems) == 0 && cfg.Ship.Collector != "" {
		_, err := cfg.Ship.client(nil)
		c.at("$.ship", err)
	}
	c.server("$.ship.dsn_file", cfg.Ship.DSNFile)
	c.server("$.store.dsn_file", cfg.Store.DSNFile)
	for i := range cfg.Receivers {
		r := &cfg.Receivers[i]
		place := fmt.Sprintf("$.receivers[%d]", i)
		c.pair(place, r.CertFile, r.KeyFile, x509.ExtKeyUsageServerAuth, "server")
		c.authorities(place+".client_ca_file", r.ClientCAFile)
		_, err := r.token()
		c.at(place+".token_file", err)
	}
	if cfg.RedactionKeyFile != "" {
		_, err := redactionKey(cfg, "")
		c.at("$.redaction_key_file", err)
	}
	_, err := cfg.pseudonymKey()
	c.at("$.pseudonym_key_file", err)
	_, err = cfg.Spool.keys()
	c.at("$.spool.key_file", err)
	if cfg.Slack.TokenFile != "" {
		_, err := alerting.ReadToken(cfg.Slack.TokenFile)
		c.at("$.slack.token_file", err)
	}
	c.alertFiles(cfg)
	c.summaryFiles(cfg)
	if cfg.Slack.AppTokenFile != "" {
		_, err := alerting.ReadAppToken(cfg.Slack.AppTokenFile)
		c.at("$.slack.app_token_file", err)
	}
	if cfg.Slack.SigningSecretFile != "" {
		_, err := alerting.ReadSigningSecret(cfg.Slack.SigningSecretFile)
		c.at("$.slack.signing_secret_file", err)
	}
	return c
}

func (c *fileCheck) server(place, path string) {
	if path != "" {
		_, err := readServer(path)
		c.at(place, err)
	}
}

// lookIntoCollector looks into the files of a collector's configuration.
func lookIntoCollector(path string, cfg collectorConfig) *fileCheck {
	c := &fileCheck{config: path}
	c.pair("$.tls", cfg.TLS.CertFile, cfg.TLS.KeyFile, x509.ExtKeyUsageServerAuth, "server")
	authorities := c.authorities("$.tls.client_ca_file", cfg.TLS.ClientCAFile)
	if cfg.TLS.CRLFile != "" && len(authorities) > 0 {
		_, err := ca.OpenRevocations(cfg.TLS.CRLFile, authorities, slog.New(slog.NewTextHandler(io.Discard, nil)), nil)
		c.at("$.tls.crl_file", err)
	}
	if cfg.AgentsFile != "" {
		_, err := token.Open(cfg.AgentsFile)
		c.at("$.agents_file", err)
	}
	for i, s := range cfg.Stores {
		c.server(fmt.Sprintf("$.stores[%d].dsn_file", i), s.DSNFile)
	}
	c.server("$.store.dsn_file", cfg.Store.DSNFile)
	return c
}
