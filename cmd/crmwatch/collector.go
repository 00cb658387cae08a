package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/crmwatch/crmwatch/collector"
	"github.com/crmwatch/crmwatch/collector/token"
)

type collectorCommand struct {
	Config string `required:"" placeholder:"FILE" help:"Configuration; examples/collector.yaml shows every key."`
}

func (collectorCommand) Help() string {
	return `Runs until it is interrupted. Agents authenticate with a token (crmwatch enroll) or a client certificate whose
URI is crmwatch:agent:NAME. It listens beyond loopback only with TLS.

Example:
  crmwatch enroll web-1 --agents agents.json > web-1.token
  crmwatch collector --config collector.yaml`
}

// collectorConfig is the configuration file of `crmwatch collector`.
type collectorConfig struct {
	Listen string `yaml:"listen"`
	TLS    struct {
		CertFile     string `yaml:"cert_file"`
		KeyFile      string `yaml:"key_file"`
		ClientCAFile string `yaml:"client_ca_file"`
		MinVersion   string `yaml:"min_version"`
	} `yaml:"tls"`
	AgentsFile string      `yaml:"agents_file"`
	Data       string      `yaml:"data"`
	Store      storeConfig `yaml:"store"`
	Log        logConfig   `yaml:"log"`
}

func loadCollectorConfig(path string) (c collectorConfig, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("read configuration: %w", err)
	}
	c.Listen, c.TLS.MinVersion, c.Log = "127.0.0.1:8443", "1.3", logConfig{Level: "info", Format: "text"}
	c.Store.Listen = "127.0.0.1:0"
	if err := yaml.UnmarshalWithOptions(text, &c, yaml.Strict(), yaml.DisallowUnknownField()); err != nil {
		return c, yamlProblem(path, err)
	}
	for _, file := range []*string{&c.TLS.CertFile, &c.TLS.KeyFile, &c.TLS.ClientCAFile, &c.AgentsFile, &c.Data, &c.Store.DSNFile} {
		if *file != "" && !filepath.IsAbs(*file) {
			*file = filepath.Join(filepath.Dir(path), *file)
		}
	}
	fail := func(format string, args ...any) error {
		return configProblem{file: path, message: fmt.Sprintf(format, args...)}
	}
	host, _, splitErr := net.SplitHostPort(c.Listen)
	ip := net.ParseIP(host)
	loopback := host == "localhost" || ip != nil && ip.IsLoopback()
	switch {
	case splitErr != nil:
		err = fail("listen is %q: write host:port, such as 0.0.0.0:8443", c.Listen)
	case !loopback && c.TLS.CertFile == "":
		err = fail("listen is %s without TLS: tokens and events would cross the network in clear; name tls.cert_file and tls.key_file", c.Listen)
	case (c.TLS.CertFile == "") != (c.TLS.KeyFile == ""):
		err = fail("tls.cert_file and tls.key_file belong together: name both")
	case c.TLS.MinVersion != "1.2" && c.TLS.MinVersion != "1.3":
		err = fail("tls.min_version is %q: use \"1.3\" or \"1.2\"", c.TLS.MinVersion)
	case c.AgentsFile == "" && c.TLS.ClientCAFile == "":
		err = fail("no agent could be known: name agents_file, or tls.client_ca_file")
	case (c.Data == "") == (c.Store.DSNFile == ""):
		err = fail("name either data, the directory of an embedded database, or store.dsn_file")
	}
	return c, err
}

// collectorConnections bounds open connections, collectorBody how long one request may take.
const (
	collectorConnections = 1000
	collectorBody        = time.Minute
)

func (c *collectorCommand) Run(ctx context.Context, term terminal) error {
	cfg, err := loadCollectorConfig(c.Config)
	if err != nil {
		return exitError{exitFailed, "the configuration has mistakes:\n" + err.Error()}
	}
	log := cfg.Log.logger(term.err)
	options := collector.Options{Log: log, BodyTime: collectorBody}
	if cfg.Store.DSNFile != "" {
		if options.Conn, err = openServer(ctx, cfg.Store.DSNFile); err != nil {
			return err
		}
		defer options.Conn.Close()
	} else {
		db, err := openDatabase(ctx, cfg.Data, databaseOptions{listen: cfg.Store.Listen, log: log, exclusive: true})
		if err != nil {
			return err
		}
		defer db.close()
		options.Conn = db.conn
	}
	var tokens *token.File
	if cfg.AgentsFile != "" {
		if tokens, err = token.Open(cfg.AgentsFile); err != nil {
			return err
		}
	}
	options.Authenticate = func(r *http.Request) (string, bool) { return authenticate(r, tokens) }
	server := &http.Server{
		Handler: collector.New(options), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ReadTimeout: 2 * collectorBody, MaxHeaderBytes: 16 << 10,
		ErrorLog: nil,
	}
	listener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	address := listener.Addr().String()
	listener = limitListener(listener, collectorConnections)
	scheme := "http"
	if cfg.TLS.CertFile != "" {
		config, err := serverTLS(cfg)
		if err != nil {
			listener.Close()
			return err
		}
		listener, scheme = tls.NewListener(listener, config), "https"
	}
	log.Info("collector is listening", "url", scheme+"://"+address, "version", version)
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.Background(), drainTime)
		defer cancel()
		stopped <- server.Shutdown(drain)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	err = <-stopped
	log.Info("stopped")
	if errors.Is(err, context.DeadlineExceeded) {
		return nil // agents send again what was cut off
	}
	return err
}

// agentURI begins the URI by which a certificate names an agent.
const agentURI = "crmwatch:agent:"

// authenticate knows an agent by its verified certificate, else by its token.
func authenticate(r *http.Request, tokens *token.File) (string, bool) {
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		for _, uri := range r.TLS.VerifiedChains[0][0].URIs {
			if name, ok := strings.CutPrefix(uri.String(), agentURI); ok && token.CheckName(name) == nil {
				return name, true
			}
		}
	}
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || tokens == nil {
		return "", false
	}
	return tokens.Authenticate(given)
}

// serverTLS reads the certificate anew when its file changes, so that it can be
// renewed without a restart. A new file that cannot be used leaves the old one.
func serverTLS(cfg collectorConfig) (*tls.Config, error) {
	files := certificateFiles{cert: cfg.TLS.CertFile, key: cfg.TLS.KeyFile}
	if _, err := files.get(nil); err != nil {
		return nil, err
	}
	config := &tls.Config{GetCertificate: files.get, MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}}
	if cfg.TLS.MinVersion == "1.2" {
		config.MinVersion = tls.VersionTLS12
	}
	if cfg.TLS.ClientCAFile != "" {
		pem, err := os.ReadFile(cfg.TLS.ClientCAFile)
		if err != nil {
			return nil, fmt.Errorf("read client CA: %w", err)
		}
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("client CA %s holds no certificate in PEM form", cfg.TLS.ClientCAFile)
		}
		config.ClientAuth = tls.VerifyClientCertIfGiven
		if cfg.AgentsFile == "" {
			config.ClientAuth = tls.RequireAndVerifyClientCert
		}
	}
	return config, nil
}

type certificateFiles struct {
	cert, key string

	mu    sync.Mutex
	stamp time.Time
	pair  *tls.Certificate
}

func (c *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	info, err := os.Stat(c.cert)
	if err == nil && c.pair != nil && info.ModTime().Equal(c.stamp) {
		return c.pair, nil
	}
	if err == nil {
		var pair tls.Certificate
		if _, err = readSecret(c.key); err == nil {
			pair, err = tls.LoadX509KeyPair(c.cert, c.key)
		}
		if err == nil {
			c.pair, c.stamp = &pair, info.ModTime()
		}
	}
	if c.pair == nil {
		return nil, fmt.Errorf("read certificate %s: %w", c.cert, err)
	}
	return c.pair, nil
}

type enrollCommand struct {
	Agent   string        `arg:"" help:"The agent's name: a-z, 0-9, dot, dash, underscore."`
	Agents  string        `required:"" placeholder:"FILE" help:"The collector's file of agents; made if it is not there."`
	Overlap time.Duration `default:"24h" help:"How long a token that the agent had before stays valid."`
	Revoke  bool          `help:"End all tokens of the agent at once, and make none."`
}

func (enrollCommand) Help() string {
	return `Prints the token and nothing else; only its hash is kept. Enrolling again rotates it.

Example:
  (umask 077; crmwatch enroll web-1 --agents agents.json > web-1.token)`
}

func (c *enrollCommand) Run(term terminal) error {
	if c.Revoke {
		return token.Revoke(c.Agents, c.Agent)
	}
	made, err := token.Enroll(c.Agents, c.Agent, c.Overlap)
	if err != nil {
		return err
	}
	fmt.Fprintln(term.out, made)
	return nil
}

// limitListener accepts no more than n connections at a time; others wait.
func limitListener(l net.Listener, n int) net.Listener {
	return &limitedListener{l, make(chan struct{}, n)}
}

type limitedListener struct {
	net.Listener
	open chan struct{}
}

func (l *limitedListener) Accept() (net.Conn, error) {
	l.open <- struct{}{}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.open
		return nil, err
	}
	return &limitedConn{Conn: conn, release: sync.OnceFunc(func() { <-l.open })}, nil
}

type limitedConn struct {
	net.Conn
	release func()
}

func (c *limitedConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}
