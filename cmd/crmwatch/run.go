package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/crmwatch/crmwatch/agent"
	"github.com/crmwatch/crmwatch/agent/receive"
	"github.com/crmwatch/crmwatch/agent/redact"
	"github.com/crmwatch/crmwatch/agent/spool"
	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/collector/insert"
	"github.com/crmwatch/crmwatch/compliance/audit"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/detectors/lease"
	"github.com/crmwatch/crmwatch/schema"
	"golang.org/x/sync/errgroup"
)

type runCommand struct {
	Config string `required:"" placeholder:"FILE" help:"Configuration; examples/crmwatch.yaml shows every key."`
}

func (runCommand) Help() string {
	return `Runs until it is interrupted; SIGHUP reads configuration and rules again, a second signal ends it at once. What was read and not yet stored is read again at the next start, and stored once.

Example:
  crmwatch validate --config crmwatch.yaml && crmwatch run --config crmwatch.yaml`
}

// runSettings are a configuration and the rules that it names.
type runSettings struct {
	config
	rules []detectors.Rule
	// file is the configuration as it was read, and ruleSettings the rules as they are
	// used: what is other than before is recorded.
	file         configFile
	ruleSettings audit.Settings
}

// load reads the configuration and its rules; via is how that was asked for.
func (c *runCommand) load(via string) (s runSettings, err error) {
	if s.file, err = readConfigFile(c.Config, via); err != nil {
		return s, err
	}
	if s.config, err = loadConfig(c.Config); err != nil {
		return s, exitError{exitFailed, "the configuration has mistakes:\n" + err.Error()}
	}
	if s.rules, err = detectors.Load(s.Rules.Directories...); err != nil {
		return s, exitError{exitFailed, "the rules have mistakes:\n" + err.Error()}
	}
	loaded := s.rules
	if s.rules, err = s.Rules.apply(c.Config, s.rules); err != nil {
		return s, exitError{exitFailed, "the configuration has mistakes:\n" + err.Error()}
	}
	s.ruleSettings = ruleSettings(loaded, s.rules)
	return s, checkFiles(c.Config, s.config)
}

func (c *runCommand) Run(ctx context.Context, term terminal) error {
	own := &life{command: "run", config: absolute(c.Config), began: time.Now()}
	first, err := c.load(audit.ViaCLI)
	if err != nil {
		return err
	}
	ports := receive.NewPorts()
	defer ports.Close()
	log := first.Log.logger(term.err)
	c.tellEnded(first, log)
	load := func() (runSettings, error) {
		s, err := c.load(viaSignal)
		if err == nil {
			c.tellEnded(s, log)
			err = s.reservePorts(ports, log)
		}
		return s, err
	}
	return reloading(ctx, log, first, load, func(serving context.Context, s runSettings) error {
		return serveMonitor(serving, s, ports, term, own, func() bool { return ctx.Err() == nil })
	})
}

// tellEnded logs what the configuration has that does not apply any more.
func (c *runCommand) tellEnded(s runSettings, log *slog.Logger) {
	for _, ended := range s.ended(c.Config, time.Now()) {
		log.Warn("a part of the configuration has ended", "what", ended)
	}
}

// serveMonitor serves until ctx ends. own records the start of the program and, unless it
// goesOn with another configuration, its stop.
func serveMonitor(ctx context.Context, s runSettings, ports *receive.Ports, term terminal, own *life, goesOn func() bool) error {
	s.apply()
	log := s.Log.logger(term.err)
	monitor, err := newMonitor(ctx, s, ports, own, term, log)
	if ctx.Err() != nil {
		// Asked to stop while still starting: that is a clean stop.
		err = nil
	}
	if monitor == nil || err != nil {
		return err
	}
	defer monitor.close()
	err = monitor.run(ctx)
	if err != nil || !goesOn() {
		own.stop(ctx, monitor.conn, err, log)
	}
	return err
}

// configMistakes ends a command whose configuration is not in order.
func configMistakes(err error) error {
	return exitError{exitFailed, "the configuration has mistakes:\n" + err.Error()}
}

// logger writes to w as the configuration says.
func (c logConfig) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	// The level was checked when the configuration was loaded.
	_ = level.UnmarshalText([]byte(c.Level))
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// monitor is everything that `crmwatch run` keeps running.
type monitor struct {
	log      *slog.Logger
	config   config
	db       *database // nil with a ClickHouse server
	conn     schema.Store
	pipeline *pipeline
	// redeliver is the pipeline, for the engine's supervisor.
	redeliver atomic.Pointer[pipeline]
	rules     []detectors.Rule
	// notifiers tell people, as policy says, and fallback what they refuse; nil where
	// nothing is refused.
	notifiers []alerting.Notifier
	fallback  alerting.Notifier
	policy    alerting.Policy
	// lease is nil with a data directory: that has one owner.
	lease *lease.Lease
	// runner and desk are those of the present time as leader.
	runner *detectors.Runner
	desk   *alerting.Desk
	// leading is desk for those who do not know whether this instance leads: nil while
	// it does not.
	leading atomic.Pointer[alerting.Desk]
	// slackPort takes what people do in Slack; nil where it comes by Socket Mode, or not.
	slackPort net.Listener
	// blind is what the last check of coverage found.
	blind atomic.Pointer[[]detectors.BlindSpot]
	// evidenceKey signs the evidence chain.
	evidenceKey ed25519.PrivateKey
}

// notSeen gives the rules about a type of entity that have no log to look at.
func (m *monitor) notSeen(entityType string) []string {
	if spots := m.blind.Load(); spots != nil {
		return notSeenBy(*spots)(entityType)
	}
	return nil
}

func newMonitor(ctx context.Context, s runSettings, ports *receive.Ports, own *life, term terminal, log *slog.Logger) (_ *monitor, err error) {
	cfg, rules := s.config, s.rules
	m := &monitor{log: log, config: cfg, rules: rules}
	defer func() {
		if err != nil {
			if m.conn != nil {
				own.stop(ctx, m.conn, err, log)
			}
			m.close()
		}
	}()
	if cfg.Store.DSNFile != "" {
		if m.conn, err = openServer(ctx, cfg.Store.DSNFile); err == nil {
			m.lease = lease.New(m.conn, "detectors", log)
		}
	} else if m.db, err = openDatabase(ctx, cfg.Data, databaseOptions{listen: cfg.Store.Listen, log: log, exclusive: true, onRestart: m.engineRestarted}); err == nil {
		m.conn = m.db.conn
	}
	if err == nil {
		m.evidenceKey, err = cfg.openEvidenceKey()
	}
	if err != nil {
		return nil, err
	}
	if err := own.start(ctx, m.conn); err != nil {
		return nil, err
	}
	unproven := rules
	if m.db != nil {
		unproven = detectors.Own(rules)
	}
	if err := detectors.Validate(ctx, m.conn, unproven); err != nil {
		return nil, exitError{exitFailed, "the rules have mistakes:\n" + err.Error()}
	}
	if err := m.recordSettings(ctx, s); err != nil {
		return nil, err
	}
	if err := m.watch(cfg, ports); err != nil {
		return nil, err
	}
	if err := m.alert(ctx, cfg, rules, term); err != nil {
		return nil, err
	}
	return m, nil
}

// recordSettings records which configuration is loaded, and what is other about it and
// the rules than before. Without that nothing is watched: a change of what is watched
// must not go unseen.
func (m *monitor) recordSettings(ctx context.Context, s runSettings) error {
	state, err := stateDir(s.Data)
	if err != nil {
		return err
	}
	key, err := redactionKey(s.config, state)
	if err != nil {
		return err
	}
	counts := map[string]string{"rules": strconv.Itoa(len(s.rules)), "rules_sha256": s.ruleSettings.SHA256}
	if err := s.file.recordLoad(ctx, m.conn, "configuration", key, counts); err != nil {
		return err
	}
	return s.file.recordRules(ctx, m.conn, s.ruleSettings)
}

// watch sets up the reading of the sources, and the delivery of what is read.
func (m *monitor) watch(cfg config, ports *receive.Ports) (err error) {
	inserter := &insert.Inserter{Conn: m.conn, Log: m.log}
	if m.pipeline, err = openPipeline(cfg, ports, spool.None, m.log, inserter.Insert); err != nil {
		return err
	}
	if m.db == nil {
		return nil
	}
	// The embedded engine does not sync what it stores: after a crash it may have lost
	// its last seconds.
	m.redeliver.Store(m.pipeline)
	return m.pipeline.redeliverAfterReboot()
}

// engineRestarted sends again what was stored shortly before the engine ended unbidden.
func (m *monitor) engineRestarted(error) {
	p := m.redeliver.Load()
	if p == nil {
		return
	}
	n, err := p.spool.Redeliver()
	if err != nil {
		m.log.Error("what was delivered shortly before cannot be sent again", "error", err)
		return
	}
	m.log.Info("what was delivered shortly before the engine ended is sent again and stored once", "batches", n)
}

// redactionKey is the configured key, or the one of the state directory.
func redactionKey(cfg config, state string) ([]byte, error) {
	if cfg.RedactionKeyFile == "" {
		return agent.LoadKey(state)
	}
	text, err := readSecret(cfg.RedactionKeyFile)
	if err != nil {
		return nil, err
	}
	if len(text) < redact.MinKeySize {
		return nil, fmt.Errorf("redaction key %s has %d bytes: use at least %d, such as from: openssl rand -base64 32",
			cfg.RedactionKeyFile, len(text), redact.MinKeySize)
	}
	return []byte(text), nil
}

// alert sets up who is told: the notifiers of the configuration, with the console for
// what they refuse, or the console alone.
func (m *monitor) alert(ctx context.Context, cfg config, rules []detectors.Rule, term terminal) (err error) {
	runbook := runbookOf(rules)
	console := alerting.NewConsole(term.out, alerting.Style{
		Color: colorSetting(term.out) == "1", Width: terminalWidth(term.out), Runbook: runbook,
	})
	if m.policy, err = cfg.policy(rules); err != nil {
		return err
	}
	if m.notifiers, m.fallback, err = cfg.notifiers(notifierParts{console, runbook, m.notSeen, m.log}); err != nil {
		return err
	}
	checkNotifiers(ctx, m.notifiers, m.log)
	return m.openSlackPort(ctx, cfg.Slack)
}

// run keeps everything going until ctx ends or the database is lost for good.
func (m *monitor) run(ctx context.Context) error {
	if m.db != nil {
		m.log.Info("engine is serving", "url", m.db.endpoint.URL, "credentials", filepath.Join(m.db.dir, "endpoint.json"))
	}
	m.log.Info("watching", "rules", len(m.rules), "version", version)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return m.pipeline.run(ctx) })
	go reportSources(ctx, m.log, m.pipeline)
	if m.config.Slack.interactive() {
		group.Go(func() error { return m.serveSlack(ctx) })
	}
	group.Go(func() error {
		if m.lease != nil {
			return m.lease.Run(ctx, m.detect)
		}
		return m.detect(ctx)
	})
	if m.db != nil {
		group.Go(func() error {
			select {
			case <-ctx.Done():
				return nil
			case <-m.db.engine.Done():
				return errors.New("the engine ended and could not be started again")
			}
		})
	}
	err := group.Wait()
	m.log.Info("stopped")
	return err
}

// reportEvery is how often the log says how the sources stand.
const reportEvery = time.Minute

// reportSources logs how each source and the spool stand, when that has changed.
func reportSources(ctx context.Context, log *slog.Logger, p *pipeline) {
	last := map[string]agent.SourceStatus{}
	ticker := time.NewTicker(reportEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for _, s := range p.watcher.Status() {
			before := last[s.Name]
			if before.Stored == s.Stored && before.LagBytes == s.LagBytes && before.Quarantined == s.Quarantined && lostMessages(before) == lostMessages(s) && filteredRecords(before) == filteredRecords(s) {
				continue
			}
			last[s.Name] = s
			if s.Kind == agent.KindReceive {
				log.Info("receiver", "name", s.Name, "events", s.Events, "stored", s.Stored, "quarantined", s.Quarantined, "filtered", filteredRecords(s),
					"pending", s.Pending, "lost", lostMessages(s))
				continue
			}
			log.Info("source", "name", s.Name, "files", s.Files, "events", s.Events, "stored", s.Stored,
				"quarantined", s.Quarantined, "filtered", filteredRecords(s), "pending", s.Pending, "lag_bytes", s.LagBytes)
		}
		if s := p.spool.Stats(); s.PendingBatches > 0 {
			log.Info("spool", "pending_batches", s.PendingBatches, "bytes", s.Bytes, "oldest", s.Oldest.UTC().Format(time.DateTime),
				"waiting_for_quota", s.Waiting, "disk_full", s.DiskFull, "dropped_batches", s.DroppedBatches)
		}
	}
}

// filteredRecords is how many records were read and are not to be stored here.
func filteredRecords(s agent.SourceStatus) (n int64) {
	for _, records := range s.Filtered {
		n += records
	}
	return n
}

// lostMessages is how many messages came and were not taken.
func lostMessages(s agent.SourceStatus) (n int64) {
	for _, loss := range s.Lost {
		n += loss.Messages
	}
	return n
}

func (m *monitor) close() {
	if m.slackPort != nil {
		_ = m.slackPort.Close() // serving has closed it, where it came to that
	}
	if m.pipeline != nil {
		m.pipeline.close()
	}
	if m.db != nil {
		m.db.close()
		return
	}
	if m.conn != nil {
		if err := m.conn.Close(); err != nil {
			fmt.Fprintf(os.Stderr, "crmwatch: close connection: %v\n", err)
		}
	}
}
