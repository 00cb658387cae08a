package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"
)

// collectorConfig is the configuration file of `crmwatch collector`.
type collectorConfig struct {
	Listen     string             `yaml:"listen"`
	TLS        collectorTLSConfig `yaml:"tls"`
	AgentsFile string             `yaml:"agents_file"`
	Data       string             `yaml:"data"`
	Store      storeConfig        `yaml:"store"`
	// Stores are those of several regions, and Residency says what belongs into which.
	Stores    []regionStoreConfig `yaml:"stores"`
	Residency residencyConfig     `yaml:"residency"`
	Log       logConfig           `yaml:"log"`
}

type collectorTLSConfig struct {
	CertFile     string `yaml:"cert_file"`
	KeyFile      string `yaml:"key_file"`
	ClientCAFile string `yaml:"client_ca_file"`
	CRLFile      string `yaml:"crl_file"`
	MinVersion   string `yaml:"min_version"`
}

// loadCollectorConfig reads and checks a configuration. The error lists every mistake
// that could be found, each with file, line, column and the mend.
func loadCollectorConfig(path string) (collectorConfig, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return collectorConfig{}, fmt.Errorf("read configuration: %w", err)
	}
	c := collectorConfig{Listen: "127.0.0.1:8443", Log: logConfig{Level: "info", Format: "text"}, Store: storeConfig{Listen: "127.0.0.1:0"}}
	c.TLS.MinVersion = "1.3"
	if err := yaml.UnmarshalWithOptions(text, &c, yaml.Strict(), yaml.DisallowUnknownField()); err != nil {
		return collectorConfig{}, yamlProblem(path, err)
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return collectorConfig{}, yamlProblem(path, err)
	}
	check := configCheck{path: path, file: file}
	check.collector(&c)
	if len(check.problems) > 0 {
		return collectorConfig{}, errors.Join(check.problems...)
	}
	for i := range c.Stores {
		if file := &c.Stores[i].DSNFile; !filepath.IsAbs(*file) {
			*file = filepath.Join(filepath.Dir(path), *file)
		}
	}
	for _, file := range []*string{&c.TLS.CertFile, &c.TLS.KeyFile, &c.TLS.ClientCAFile, &c.TLS.CRLFile, &c.AgentsFile, &c.Data, &c.Store.DSNFile} {
		if *file != "" && !filepath.IsAbs(*file) {
			*file = filepath.Join(filepath.Dir(path), *file)
		}
	}
	return c, nil
}

func (c *configCheck) collector(cfg *collectorConfig) {
	host, _, err := net.SplitHostPort(cfg.Listen)
	ip := net.ParseIP(host)
	loopback := host == "localhost" || ip != nil && ip.IsLoopback()
	switch {
	case err != nil:
		c.fail("$.listen", "listen is %q: write host:port, such as 0.0.0.0:8443", cfg.Listen)
	case !loopback && cfg.TLS.CertFile == "":
		c.fail("$.listen", "listen is %s without TLS: tokens and events would cross the network in clear; name tls.cert_file and tls.key_file (crmwatch certs makes them)", cfg.Listen)
	}
	if (cfg.TLS.CertFile == "") != (cfg.TLS.KeyFile == "") {
		c.fail("$.tls", "tls.cert_file and tls.key_file belong together: name both")
	}
	if cfg.TLS.CertFile == "" && cfg.TLS.ClientCAFile != "" {
		c.fail("$.tls.client_ca_file", "tls.client_ca_file without tls.cert_file does nothing: without TLS no agent can show a certificate")
	}
	if cfg.TLS.CRLFile != "" && cfg.TLS.ClientCAFile == "" {
		c.fail("$.tls.crl_file", "tls.crl_file without tls.client_ca_file does nothing: name the CA whose certificates it revokes")
	}
	if cfg.TLS.MinVersion != "1.2" && cfg.TLS.MinVersion != "1.3" {
		c.fail("$.tls.min_version", "tls.min_version is %q: use \"1.3\" or \"1.2\"", cfg.TLS.MinVersion)
	}
	if cfg.AgentsFile == "" && cfg.TLS.ClientCAFile == "" {
		c.fail("$.agents_file", "no agent could be known: name agents_file, or tls.client_ca_file")
	}
	switch {
	case len(cfg.Stores) > 0:
	case cfg.Data == "" && cfg.Store.DSNFile == "":
		c.fail("$.data", "nothing says where to store: name either data, the directory of an embedded database, or store.dsn_file")
	case cfg.Data != "" && cfg.Store.DSNFile != "":
		c.fail("$.store.dsn_file", "name either data, the directory of an embedded database, or store.dsn_file")
	case cfg.Data != "":
		c.listen(cfg.Store.Listen)
	}
	c.collectorRegions(cfg)
	c.log(cfg.Log)
}

func (c *configCheck) log(cfg logConfig) {
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, cfg.Level) {
		c.fail("$.log.level", "log.level is %q: use debug, info, warn or error", cfg.Level)
	}
	if !slices.Contains([]string{"text", "json"}, cfg.Format) {
		c.fail("$.log.format", "log.format is %q: use text or json", cfg.Format)
	}
}
