package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/crmwatch/crmwatch/agent/receive"
	"github.com/crmwatch/crmwatch/agent/spool"
	"github.com/crmwatch/crmwatch/collector/client"
	"github.com/crmwatch/crmwatch/collector/insert"
	"github.com/crmwatch/crmwatch/schema"
)

type agentCommand struct {
	Config string `required:"" placeholder:"FILE" help:"Configuration; examples/agent.yaml shows every key."`
	Once   bool   `help:"Read everything that is there, deliver it, and end."`
}

func (agentCommand) Help() string {
	return `Reads logs on this machine, keeps them in a crash-safe spool, and ships them to a collector or straight to a
ClickHouse server. Runs until it is interrupted; SIGHUP reads the configuration again. A second signal ends it at once.

Example:
  crmwatch agent --config agent.yaml
  crmwatch agent --config agent.yaml --once`
}

// shipConfig says where an agent ships to: a collector, or a ClickHouse server.
type shipConfig struct {
	Collector  string `yaml:"collector"`
	TokenFile  string `yaml:"token_file"`
	CAFile     string `yaml:"ca_file"`
	CertFile   string `yaml:"cert_file"`
	KeyFile    string `yaml:"key_file"`
	ServerName string `yaml:"server_name"`
	DSNFile    string `yaml:"dsn_file"`
	// Region is that of the server; see residencyConfig.
	Region string `yaml:"region"`
}

// named says whether the configuration is one of an agent.
func (c shipConfig) named() bool { return c.Collector != "" || c.DSNFile != "" }

// client is a connection to the collector; nothing is sent yet.
func (c shipConfig) client(log *slog.Logger) (*client.Client, error) {
	return client.New(client.Options{
		URL: c.Collector, TokenFile: c.TokenFile, CAFile: c.CAFile,
		CertFile: c.CertFile, KeyFile: c.KeyFile, ServerName: c.ServerName, Log: log,
	})
}

// loadAgentConfig is loadConfig for a file that has to say where to ship.
func loadAgentConfig(path string) (config, error) {
	cfg, err := loadConfig(path)
	if err == nil && !cfg.Ship.named() {
		err = placedProblem(path, "$.ship", errors.New("ship is missing: name a collector or a dsn_file, see examples/agent.yaml"))
	}
	return cfg, err
}

func (c *agentCommand) load() (config, error) {
	cfg, err := loadAgentConfig(c.Config)
	if err == nil {
		err = checkFiles(c.Config, cfg)
	}
	return cfg, err
}

func (c *agentCommand) Run(ctx context.Context, term terminal) error {
	cfg, err := loadAgentConfig(c.Config)
	if err != nil {
		return exitError{exitFailed, "the configuration has mistakes:\n" + err.Error()}
	}
	if c.Once {
		return c.serve(ctx, cfg, nil, term)
	}
	ports := receive.NewPorts()
	defer ports.Close()
	log := cfg.Log.logger(term.err)
	load := func() (config, error) {
		cfg, err := c.load()
		if err == nil {
			err = cfg.reservePorts(ports, log)
		}
		return cfg, err
	}
	return reloading(ctx, log, cfg, load, func(ctx context.Context, cfg config) error { return c.serve(ctx, cfg, ports, term) })
}

// serve reads and ships. It opens no port of a receiver when ports is nil.
func (c *agentCommand) serve(ctx context.Context, cfg config, ports *receive.Ports, term terminal) error {
	cfg.apply()
	log := cfg.Log.logger(term.err)
	var send func(context.Context, schema.Delivery) error
	if cfg.Ship.DSNFile != "" {
		conn, err := connectServer(cfg.Ship.DSNFile)
		if err != nil {
			return err
		}
		defer conn.Close()
		send = (&preparing{conn: conn, log: log, next: (&insert.Inserter{Conn: conn, Log: log}).Insert, once: c.Once}).send
	} else {
		shipper, err := cfg.Ship.client(log)
		if err != nil {
			return err
		}
		defer shipper.Close()
		send = shipper.Send
	}
	p, err := openPipeline(cfg, ports, spool.LZ4, log, send)
	if err != nil {
		return err
	}
	defer p.close()
	start := time.Now()
	if c.Once {
		if err := p.readAll(ctx, cfg.Reading); err != nil {
			return err
		}
		var read, stored, quarantined int64
		for _, s := range p.watcher.Status() {
			read, stored, quarantined = read+s.Events+s.Quarantined, stored+s.Stored, quarantined+s.Quarantined
		}
		fmt.Fprintf(term.out, "Read %s in %.1f s: %s delivered (%s of it quarantined), %s waiting in the spool.\n",
			plural(read, "record"), time.Since(start).Seconds(), plural(stored, "record"), grouped(quarantined), grouped(read-stored))
		if ctx.Err() == nil && read > stored {
			return exitError{exitFailed, "not everything was delivered; the next run goes on with it"}
		}
		return nil
	}
	log.Info("agent is running", "agent_uid", p.spool.AgentUID(), "sources", len(cfg.Sources), "receivers", len(cfg.Receivers), "version", version)
	go reportSources(ctx, log, p)
	err = p.run(ctx)
	log.Info("stopped", "waiting_batches", p.spool.Stats().PendingBatches)
	return err
}

// preparing brings the tables of a server up to date before the first delivery, and
// waits for a server that is not there: meanwhile the agent reads, and keeps what it
// read in its spool.
type preparing struct {
	conn schema.Store
	log  *slog.Logger
	next func(context.Context, schema.Delivery) error
	// once gives up after a while: whoever started the agent wants to know.
	once bool
	done bool
}

// patienceOnce is how long `agent --once` waits for a server.
const patienceOnce = 30 * time.Second

// send is called from one goroutine.
func (p *preparing) send(ctx context.Context, d schema.Delivery) error {
	said := ""
	for begin, wait := time.Now(), 200*time.Millisecond; !p.done; wait = min(2*wait, 30*time.Second) {
		_, err := schema.Migrate(ctx, p.conn)
		if err == nil {
			p.done = true
			break
		}
		if ctx.Err() != nil || p.once && time.Since(begin) > patienceOnce {
			return fmt.Errorf("prepare tables: %w", err)
		}
		if said != err.Error() {
			said = err.Error()
			p.log.Error("the database cannot be used yet; what is read waits in the spool", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
	return p.next(ctx, d)
}
