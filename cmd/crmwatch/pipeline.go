package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/crmwatch/crmwatch/agent"
	"github.com/crmwatch/crmwatch/agent/formats"
	"github.com/crmwatch/crmwatch/agent/receive"
	"github.com/crmwatch/crmwatch/agent/redact"
	"github.com/crmwatch/crmwatch/agent/spool"
	"github.com/crmwatch/crmwatch/schema"
)

// drainTime is how long delivering goes on after reading has ended.
const drainTime = 10 * time.Second

// pipeline reads sources into a spool and delivers from it.
type pipeline struct {
	spool     *spool.Spool
	positions *agent.Positions
	watcher   *agent.Watcher
	deliverer *agent.Deliverer
	log       *slog.Logger
}

// openPipeline opens spool and positions in the state folder, and the receivers' ports
// unless ports is nil. send stores a batch for good.
func openPipeline(cfg config, ports *receive.Ports, compression spool.Compression, log *slog.Logger, send func(context.Context, schema.Delivery) error) (_ *pipeline, err error) {
	state, err := stateDir(cfg.Data)
	if err != nil {
		return nil, err
	}
	key, err := redactionKey(cfg, state)
	if err != nil {
		return nil, err
	}
	pseudonyms, err := cfg.pseudonymKey()
	if err != nil {
		return nil, err
	}
	p := &pipeline{log: log}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if p.positions, err = agent.OpenPositions(state, log); err != nil {
		return nil, err
	}
	folder, err := spool.Folder(filepath.Join(state, "spool"))
	if err != nil {
		return nil, err
	}
	options := spool.Options{
		FS: folder, Compression: compression, Quota: int64(cfg.Spool.Quota), WhenFull: spool.Policy(cfg.Spool.WhenFull),
		RetainAfterAck: cfg.Spool.RetainAfterAck, Log: log, BeforeUnlink: p.positions.Snapshot,
		OnDamage: func(d spool.Damage) { p.positions.Reread(d, log) },
	}
	if cfg.Spool.Compression != "auto" {
		options.Compression = spool.Compression(cfg.Spool.Compression)
	}
	if options.Keys, err = cfg.Spool.keys(); err != nil {
		return nil, err
	}
	var recovery spool.Recovery
	if p.spool, recovery, err = spool.Open(options); err != nil {
		return nil, err
	}
	if err := p.positions.Follow(p.spool, recovery, log); err != nil {
		return nil, err
	}
	if recovery.Pending > 0 {
		log.Info("the spool holds batches of an earlier run; they are delivered first", "batches", recovery.Pending)
	}
	watch := agent.WatchOptions{
		Spool: p.spool, Positions: p.positions, Redactor: redact.New(key), Residency: cfg.residency(), Log: log,
		Poll: cfg.Reading.Poll, Settle: cfg.Reading.Settle, RotateWait: cfg.Reading.RotateWait, Quiet: cfg.Reading.Quiet, SealAge: cfg.Reading.SealAge,
	}
	for _, s := range cfg.Sources {
		zone, err := time.LoadLocation(s.Zone)
		if err != nil {
			return nil, fmt.Errorf("load zone of source %s: %w", s.Name, err)
		}
		order, err := formats.ParseDateOrder(s.DateOrder)
		if err != nil {
			return nil, fmt.Errorf("read the date order of source %s: %w", s.Name, err)
		}
		watch.Sources = append(watch.Sources, agent.Source{
			Name: s.Name, Paths: s.Paths, Kind: agent.Kind(s.Kind), Format: s.Format, Tenant: s.Tenant, Zone: zone, DateOrder: order,
			Privacy: s.Privacy.options(pseudonyms),
		})
	}
	if ports != nil {
		if err := receiveInto(&watch, cfg, pseudonyms, ports, log); err != nil {
			return nil, err
		}
	}
	if p.watcher, err = agent.NewWatcher(watch); err != nil {
		return nil, err
	}
	p.deliverer = &agent.Deliverer{Spool: p.spool, Send: send, Delivered: p.watcher.Delivered, Log: log}
	return p, nil
}

// receiveInto opens the ports and has the watcher take what comes to them.
func receiveInto(watch *agent.WatchOptions, cfg config, pseudonyms *redact.PseudonymKey, ports *receive.Ports, log *slog.Logger) error {
	options, err := cfg.receiverOptions(log)
	if err != nil {
		return err
	}
	server, err := ports.Open(options, receive.Limits{}, log)
	if err != nil || len(options) == 0 {
		return err
	}
	for i := range cfg.Receivers {
		inlet, err := cfg.Receivers[i].inlet(pseudonyms)
		if err != nil {
			return fmt.Errorf("receiver %s: %w", cfg.Receivers[i].Name, err)
		}
		watch.Inlets = append(watch.Inlets, inlet)
	}
	watch.Receive = server.Run
	for _, address := range server.Addresses() {
		log.Info("logs are received", "network", address.Network(), "address", address.String())
	}
	return nil
}

// run reads and delivers until ctx is done, and then delivers what is left, for
// drainTime at most. What is left then is delivered by the next run.
func (p *pipeline) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	deliverCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	group.Go(func() error { return p.deliverer.Run(deliverCtx) })
	group.Go(func() error {
		defer stop()
		err := p.watcher.Run(ctx)
		for end := time.Now().Add(drainTime); err == nil && p.spool.Stats().PendingBatches > 0 && time.Now().Before(end); {
			time.Sleep(20 * time.Millisecond)
		}
		return err
	})
	return group.Wait()
}

// readAll runs until everything that is there is read and delivered.
func (p *pipeline) readAll(ctx context.Context, reading readingConfig) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { defer stop(); return p.run(ctx) })
	group.Go(func() error {
		defer stop()
		// A file is finished when it has stood still for a while.
		wait := time.NewTimer(reading.Settle + 2*reading.Poll)
		defer wait.Stop()
		polls := uint64(0)
		for quiet := 0; quiet < 3; {
			select {
			case <-ctx.Done():
				return nil
			case <-wait.C:
			}
			wait.Reset(reading.Poll)
			now := p.watcher.Polls()
			if now < polls+2 {
				continue // nothing was looked at since, or not all of it
			}
			polls = now
			quiet++
			for _, s := range p.watcher.Status() {
				if s.LagBytes != 0 || s.Pending != 0 {
					quiet = 0
				}
			}
		}
		return nil
	})
	return group.Wait()
}

// redeliverAfterReboot sends again what was stored shortly before the machine went
// down, because a database on it may have lost its last seconds.
func (p *pipeline) redeliverAfterReboot() error {
	const bootID = "/proc/sys/kernel/random/boot_id"
	now, err := os.ReadFile(bootID)
	if err != nil {
		return nil // only Linux tells
	}
	path := filepath.Join(p.positions.Dir(), "boot_id")
	before, err := os.ReadFile(path)
	if err == nil && string(before) != string(now) {
		n, err := p.spool.Redeliver()
		if err != nil {
			return err
		}
		p.log.Info("the machine was restarted; what was delivered shortly before is sent again and stored once", "batches", n)
	}
	if string(before) == string(now) {
		return nil
	}
	if err := os.WriteFile(path, now, 0o600); err != nil {
		return fmt.Errorf("note boot id: %w", err)
	}
	return nil
}

func (p *pipeline) close() {
	if p.spool != nil {
		if err := errors.Join(p.positions.Snapshot(), p.spool.Close()); err != nil {
			p.log.Error("the spool was not closed cleanly; nothing is lost", "error", err)
		}
	}
	if p.positions != nil {
		_ = p.positions.Close()
	}
}

// spoolConfig is how batches are kept until they are delivered.
type spoolConfig struct {
	Quota       byteSize `yaml:"quota"`
	WhenFull    string   `yaml:"when_full"`
	Compression string   `yaml:"compression"`
	// KeyFile holds 64 hexadecimal digits; batches are encrypted with it.
	KeyFile        string        `yaml:"key_file"`
	OldKeyFiles    []string      `yaml:"old_key_files"`
	RetainAfterAck time.Duration `yaml:"retain_after_ack"`
}

func (c spoolConfig) keys() (keys [][]byte, err error) {
	if c.KeyFile == "" {
		return nil, nil
	}
	for _, path := range append([]string{c.KeyFile}, c.OldKeyFiles...) {
		text, err := readSecret(path)
		if err != nil {
			return nil, err
		}
		key, err := hex.DecodeString(text)
		if err != nil || len(key) != spool.KeySize {
			return nil, fmt.Errorf("spool key %s: write %d hexadecimal digits into it, such as from: openssl rand -hex %d", path, 2*spool.KeySize, spool.KeySize)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// byteSize is a number of bytes, written such as 512MiB or 10GiB.
type byteSize int64

func (b *byteSize) UnmarshalYAML(text []byte) error {
	s := strings.TrimSpace(strings.Trim(strings.TrimSpace(string(text)), `"'`))
	for unit, shift := range map[string]int{"KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40} {
		if number, ok := strings.CutSuffix(s, unit); ok {
			var n int64
			if _, err := fmt.Sscanf(strings.TrimSpace(number)+" ", "%d ", &n); err != nil || n <= 0 || n > 1<<20 {
				break
			}
			*b = byteSize(n << shift)
			return nil
		}
	}
	return fmt.Errorf("%q is no size: write a whole number and KiB, MiB, GiB or TiB, such as 10GiB", s)
}
