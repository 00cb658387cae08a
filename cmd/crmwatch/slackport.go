package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/alerting/interaction"
	"github.com/crmwatch/crmwatch/compliance/audit"
	"github.com/crmwatch/crmwatch/detectors/lease"
	"github.com/crmwatch/crmwatch/listen"
	"github.com/crmwatch/crmwatch/schema"
	"golang.org/x/sync/errgroup"
)

const (
	slackConnections = 64
	// slackTimeout bounds a request of Slack, which itself waits three seconds.
	slackTimeout = 10 * time.Second
	// slackWidth is how wide a story is in a message, in characters.
	slackWidth = 80
	// outcomeEvery is how often it is looked whether another instance has done something.
	outcomeEvery = 500 * time.Millisecond
)

// openSlackPort opens the port on which Slack's requests come, where they do.
func (m *monitor) openSlackPort(ctx context.Context, cfg slackConfig) error {
	if cfg.SigningSecretFile == "" {
		return nil
	}
	port, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("open slack.listen %s: %w", cfg.Listen, err)
	}
	m.slackPort = listen.Limit(port, slackConnections, slackConnections, nil)
	return nil
}

// serveSlack does what people ask for in Slack until ctx ends. Every instance takes it,
// because Slack chooses which one it tells; the one that leads does it.
func (m *monitor) serveSlack(ctx context.Context) error {
	handler, err := m.slackHandler(ctx)
	if err != nil {
		return err
	}
	if m.slackPort == nil {
		return handler.Run(ctx)
	}
	m.log.Info("slack's requests are taken", "address", m.slackPort.Addr().String(), "paths", interaction.InteractivePath+" "+interaction.CommandPath)
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: slackTimeout, ReadTimeout: slackTimeout, WriteTimeout: slackTimeout, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: listen.ErrorLog(m.log),
	}
	// What was taken is done, so the port closes before the work ends.
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var group errgroup.Group
	group.Go(func() error { return handler.Run(working) })
	group.Go(func() error {
		defer stop()
		if err := server.Serve(m.slackPort); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve slack.listen: %w", err)
		}
		return nil
	})
	select {
	case <-ctx.Done():
	case <-working.Done():
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), slackTimeout)
	defer cancel()
	_ = server.Shutdown(closing) // what is cut off, Slack shows as not done
	return group.Wait()
}

func (m *monitor) slackHandler(ctx context.Context) (*interaction.Handler, error) {
	cfg := m.config.Slack
	o := interaction.Options{
		AllowedUsers: cfg.AllowedUsers, AllowedGroups: cfg.AllowedGroups, Log: m.log,
		// To record a refusal is no work on an alert: any instance may.
		Refuse: alerting.NewDesk(m.conn, nil, alerting.Options{OnRequest: recordRequest(m.conn), Log: m.log}).Refuse,
		Request: func(working context.Context, r schema.AlertRequest) (schema.AlertTransition, error) {
			return m.request(working, ctx.Done(), r)
		},
		Evidence: func(ctx context.Context, alert schema.UID) (string, error) {
			return alerting.EvidenceText(ctx, m.conn, alert)
		},
		Status: func(ctx context.Context) (string, error) { return alerting.OverviewText(ctx, m.conn, m.standing()) },
		Silence: func(ctx context.Context, actor, text string) (string, error) {
			reply, err := alerting.SilenceCommand(ctx, m.conn, actor, text, time.Now())
			if err == nil {
				// What cannot be recorded now is within a minute, by the instance that leads.
				if err := recordSilences(ctx, m.conn, time.Now(), nil); err != nil {
					m.log.Warn("a silence is not recorded in the audit yet", "error", err)
				}
			}
			return reply, err
		},
		OnLook: func(ctx context.Context, l interaction.Look) {
			if err := audit.Write(ctx, m.conn, lookRecord(l)); err != nil {
				m.log.Warn("what somebody looked at in Slack is not recorded in the audit", "actor", l.Actor, "what", l.What, "error", err)
			}
		},
		Show: func(ctx context.Context, what string) (string, error) {
			return alerting.ShowText(ctx, m.conn, what, alerting.Style{Width: slackWidth, Runbook: runbookOf(m.rules)})
		},
	}
	var err error
	if o.Slack.Token, err = alerting.ReadToken(cfg.TokenFile); err != nil {
		return nil, err
	}
	o.Slack.APIURL = cfg.APIURL
	if cfg.AppTokenFile != "" {
		o.AppToken, err = alerting.ReadAppToken(cfg.AppTokenFile)
	} else {
		o.SigningSecret, err = alerting.ReadSigningSecret(cfg.SigningSecretFile)
	}
	if err != nil {
		return nil, err
	}
	return interaction.New(o)
}

// request does what a person asks in Slack, or has it done by the instance that leads:
// it is written down, and that one looks there every few seconds.
func (m *monitor) request(ctx context.Context, stopping <-chan struct{}, r schema.AlertRequest) (schema.AlertTransition, error) {
	if desk := m.leading.Load(); desk != nil {
		t, err := desk.Request(ctx, r)
		if !errors.Is(err, lease.ErrLost) {
			return t, err
		}
	}
	if err := alerting.SaveRequest(ctx, m.conn, r); err != nil {
		return schema.AlertTransition{}, err
	}
	for deadline := time.Now().Add(outcomePatience); time.Now().Before(deadline); {
		refused, known, err := alerting.Outcome(ctx, m.conn, r.UID)
		if known || err != nil {
			return schema.AlertTransition{UID: r.UID, Alert: r.Alert, Action: r.Action, Refused: refused}, err
		}
		select {
		case <-stopping:
			return schema.AlertTransition{}, interaction.ErrLater
		case <-ctx.Done():
			return schema.AlertTransition{}, ctx.Err()
		case <-time.After(outcomeEvery):
		}
	}
	return schema.AlertTransition{}, interaction.ErrLater
}

// standing is what this instance knows beside what is stored.
func (m *monitor) standing() alerting.Watch {
	w := alerting.Watch{Now: time.Now()}
	for _, s := range m.pipeline.watcher.Status() {
		if s.LagBytes > 0 {
			w.Behind = append(w.Behind, fmt.Sprintf("%s (%s)", s.Name, sizeText(s.LagBytes)))
		}
	}
	if spots := m.blind.Load(); spots != nil {
		w.BlindKnown = true
		for _, spot := range *spots {
			if !slices.Contains(w.Blind, spot.Rule) {
				w.Blind = append(w.Blind, spot.Rule)
			}
		}
	}
	return w
}
