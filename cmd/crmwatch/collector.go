package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/crmwatch/crmwatch/collector"
	"github.com/crmwatch/crmwatch/collector/token"
	"github.com/crmwatch/crmwatch/compliance/audit"
	"github.com/crmwatch/crmwatch/listen"
	"github.com/crmwatch/crmwatch/schema"
)

type collectorCommand struct {
	Serve  collectorServeCommand `cmd:"" name:"run" default:"withargs" help:"Receive what agents ship, and store it once; the default."`
	Enroll enrollCommand         `cmd:"" help:"Give an agent a token, rotate it, or take it back."`
}

func (collectorCommand) Help() string { return collectorHelp }

const collectorHelp = `Runs until it is interrupted. Agents authenticate with a token (crmwatch collector enroll) or a client certificate
(crmwatch certs) whose URI is crmwatch:agent:NAME. It listens beyond loopback only with TLS. Certificates, revocations
and tokens are read anew when their files change; the configuration at a restart.

Example:
  (umask 077; crmwatch collector enroll web-1 --agents agents.json > web-1.token)
  crmwatch collector --config collector.yaml`

type collectorServeCommand struct {
	Config string `required:"" placeholder:"FILE" help:"Configuration; examples/collector.yaml shows every key."`
}

func (collectorServeCommand) Help() string { return collectorHelp }

// Bounds of a collector. An agent needs one connection and sends one delivery at a time.
const (
	collectorConnections = 2000
	collectorPerHost     = 500
	collectorBody        = time.Minute
)

func (c *collectorServeCommand) Run(ctx context.Context, term terminal) error {
	hangups, ignore := hangups()
	defer ignore()
	file, err := readConfigFile(c.Config, audit.ViaCLI)
	if err != nil {
		return err
	}
	cfg, err := loadCollectorConfig(c.Config)
	if err != nil {
		return configMistakes(err)
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
	own := &life{command: "collector", config: file.path, began: file.at}
	if err := own.start(ctx, options.Conn); err != nil {
		return err
	}
	// A collector's configuration has no key under which a value is hidden, so that a key of
	// this process does for the hashes.
	if err := file.recordLoad(ctx, options.Conn, "collector", []byte(rand.Text()), nil); err != nil {
		return err
	}
	refusals, runRefusals := keepRefusals(func() schema.Store { return options.Conn }, log)
	defer runRefusals()()
	known := &credentials{log: log}
	options.OnRefused = func(r *http.Request) { refusals.Refused(known.refusal(r)) }
	if cfg.AgentsFile != "" {
		if known.tokens, err = token.Open(cfg.AgentsFile); err != nil {
			return err
		}
	}
	options.Authenticate = known.authenticate
	secure, err := collectorTLS(cfg, known)
	if err != nil {
		return err
	}
	plain, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	scheme := "http"
	if secure != nil {
		scheme = "https"
	}
	log.Info("collector is listening", "url", scheme+"://"+plain.Addr().String(), "version", version)
	go c.answerHangups(ctx, hangups, log)
	server := collectorServer(collector.New(options), log)
	server.ErrorLog = handshakeLog(server.ErrorLog, refusals.Refused)
	err = serveCollector(ctx, server, collectorListener(plain, secure))
	own.stop(ctx, options.Conn, err, log)
	log.Info("stopped")
	return err
}

// answerHangups says what a SIGHUP is good for here: to check the configuration.
func (c *collectorServeCommand) answerHangups(ctx context.Context, hangups <-chan struct{}, log *slog.Logger) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
		}
		cfg, err := loadCollectorConfig(c.Config)
		if err == nil {
			err = errors.Join(lookIntoCollector(c.Config, cfg).problems...)
		}
		if err != nil {
			log.Error("the configuration has mistakes; nothing changes", "error", err.Error())
			continue
		}
		log.Info("certificates, revocations and tokens are read anew whenever they change; the configuration counts at the next start")
	}
}

// collectorServer bounds what one connection may cost.
func collectorServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ReadTimeout: 2 * collectorBody, MaxHeaderBytes: 16 << 10,
		ErrorLog: listen.ErrorLog(log),
	}
}

// collectorListener bounds connections, and speaks TLS if secure is not nil.
func collectorListener(plain net.Listener, secure *tls.Config) net.Listener {
	l := listen.Limit(plain, collectorConnections, collectorPerHost, nil)
	if secure != nil {
		l = tls.NewListener(l, secure)
	}
	return l
}

// serveCollector serves until ctx is done, and then for drainTime lets requests come to
// their end. What is cut off is sent again by its agent.
func serveCollector(ctx context.Context, server *http.Server, l net.Listener) error {
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.Background(), drainTime)
		defer cancel()
		err := server.Shutdown(drain)
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close()
		}
		stopped <- err
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return <-stopped
}
