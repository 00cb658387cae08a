package main

import (
	"context"
	"fmt"
	"time"

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
}

func (c *agentCommand) load() (config, error) {
	cfg, err := loadConfig(c.Config)
	if err == nil && cfg.Ship.Collector == "" && cfg.Ship.DSNFile == "" {
		err = configProblem{file: c.Config, message: "ship is missing: name a collector or a dsn_file, see examples/agent.yaml"}
	}
	return cfg, err
}

func (c *agentCommand) Run(ctx context.Context, term terminal) error {
	cfg, err := c.load()
	if err != nil {
		return exitError{exitFailed, "the configuration has mistakes:\n" + err.Error()}
	}
	if c.Once {
		return c.serve(ctx, cfg, term)
	}
	return reloading(ctx, cfg.Log.logger(term.err), cfg, c.load, func(ctx context.Context, cfg config) error { return c.serve(ctx, cfg, term) })
}

func (c *agentCommand) serve(ctx context.Context, cfg config, term terminal) error {
	cfg.apply()
	log := cfg.Log.logger(term.err)
	var send func(context.Context, schema.Delivery) error
	if cfg.Ship.DSNFile != "" {
		conn, err := openServer(ctx, cfg.Ship.DSNFile)
		if err != nil {
			return err
		}
		defer conn.Close()
		send = (&insert.Inserter{Conn: conn, Log: log}).Insert
	} else {
		shipper, err := client.New(client.Options{
			URL: cfg.Ship.Collector, TokenFile: cfg.Ship.TokenFile, CAFile: cfg.Ship.CAFile,
			CertFile: cfg.Ship.CertFile, KeyFile: cfg.Ship.KeyFile, ServerName: cfg.Ship.ServerName, Log: log,
		})
		if err != nil {
			return err
		}
		send = shipper.Send
	}
	p, err := openPipeline(cfg, spool.LZ4, log, send)
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
	log.Info("agent is running", "agent_uid", p.spool.AgentUID(), "sources", len(cfg.Sources), "version", version)
	go reportSources(ctx, log, p)
	err = p.run(ctx)
	log.Info("stopped", "waiting_batches", p.spool.Stats().PendingBatches)
	return err
}
