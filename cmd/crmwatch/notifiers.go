package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/crmwatch/crmwatch/alerting"
)

// notifierParts are what notifiers are made with.
type notifierParts struct {
	console *alerting.Console
	runbook func(rule string) []string
	notSeen func(entityType string) []string
	log     *slog.Logger
}

// notifiers makes the notifiers of a configuration, and what takes over from those
// that can refuse; nil where none can.
func (c config) notifiers(parts notifierParts) (all []alerting.Notifier, fallback alerting.Notifier, err error) {
	var token alerting.Token
	if c.Slack.TokenFile != "" {
		if token, err = alerting.ReadToken(c.Slack.TokenFile); err != nil {
			return nil, nil, err
		}
	}
	slack := func(name, channel string) error {
		s, err := alerting.NewSlack(alerting.SlackOptions{
			APIURL: c.Slack.APIURL, Token: token, Name: name, Channel: channel, Runbook: parts.runbook, NotSeen: parts.notSeen, Buttons: c.Slack.interactive(), Log: parts.log,
		})
		if err != nil {
			return fmt.Errorf("notifier %s: %w", name, err)
		}
		all = append(all, s)
		return nil
	}
	if c.Slack.TokenFile != "" && c.Slack.Channel != "" {
		if err := slack(slackNotifier, c.Slack.Channel); err != nil {
			return nil, nil, err
		}
	}
	consoles := 0
	for _, name := range slices.Sorted(maps.Keys(c.Alerts.Notifiers)) {
		switch n := c.Alerts.Notifiers[name]; {
		case n.Slack != nil:
			if err := slack(name, n.Slack.Channel); err != nil {
				return nil, nil, err
			}
		case n.Webhook != nil:
			w, err := n.Webhook.open(name)
			if err != nil {
				return nil, nil, err
			}
			all = append(all, w)
		case n.IncomingWebhook != nil:
			w, err := n.IncomingWebhook.open(name, parts)
			if err != nil {
				return nil, nil, err
			}
			all = append(all, w)
		case n.File != nil:
			all = append(all, alerting.NewFile(name, n.File.Path))
		default:
			consoles++
			all = append(all, parts.console.Named(name))
		}
	}
	if len(all) == 0 {
		return []alerting.Notifier{parts.console}, nil, nil
	}
	if consoles == len(all) {
		return all, nil, nil
	}
	return all, parts.console, nil
}

func (c webhookConfig) open(name string) (*alerting.Webhook, error) {
	o := alerting.WebhookOptions{Name: name}
	for _, secret := range []struct {
		path string
		take func(text string)
	}{
		{c.URLFile, func(text string) { o.URL = text }}, {c.HeaderFile, func(text string) { o.Header = text }}, {c.SecretFile, func(text string) { o.Secret = []byte(text) }},
	} {
		if secret.path == "" {
			continue
		}
		text, err := readSecret(secret.path)
		if err != nil {
			return nil, fmt.Errorf("notifier %s: %w", name, err)
		}
		secret.take(text)
	}
	return alerting.NewWebhook(o)
}

func (c incomingWebhookConfig) open(name string, parts notifierParts) (*alerting.IncomingWebhook, error) {
	address, err := readSecret(c.URLFile)
	if err != nil {
		return nil, fmt.Errorf("notifier %s: %w", name, err)
	}
	return alerting.NewIncomingWebhook(alerting.IncomingWebhookOptions{Name: name, URL: address, Runbook: parts.runbook, NotSeen: parts.notSeen})
}

// checkNotifiers asks each Slack notifier whether token and channel are good.
func checkNotifiers(ctx context.Context, all []alerting.Notifier, log *slog.Logger) {
	for _, n := range all {
		slack, is := n.(*alerting.Slack)
		if !is {
			continue
		}
		// Slack may be down while we start: alerts wait in the outbox.
		if identity, err := slack.Check(ctx); err != nil {
			log.Error("slack does not take alerts yet", "notifier", n.Name(), "error", err)
		} else {
			log.Info("slack takes alerts", "notifier", n.Name(), "team", identity.Team, "channel", identity.Channel)
		}
	}
}

// alertFiles looks into the files that the alerts' configuration names.
func (c *fileCheck) alertFiles(cfg config) {
	for _, name := range slices.Sorted(maps.Keys(cfg.Alerts.Notifiers)) {
		n := cfg.Alerts.Notifiers[name]
		if n.IncomingWebhook != nil && n.IncomingWebhook.URLFile != "" {
			_, err := n.IncomingWebhook.open(name, notifierParts{})
			c.at("$.alerts.notifiers.'"+name+"'.incoming_webhook.url_file", err)
		}
		if n.Webhook == nil || n.Webhook.URLFile == "" {
			continue
		}
		place := "$.alerts.notifiers.'" + name + "'.webhook"
		c.secret(place+".secret_file", n.Webhook.SecretFile)
		_, err := n.Webhook.open(name)
		c.at(place+".url_file", err)
	}
	if path := cfg.Alerts.Heartbeat.URLFile; path != "" {
		text, err := readSecret(path)
		if err == nil {
			err = alerting.CheckPostURL(text)
		}
		c.at("$.alerts.heartbeat.url_file", err)
	}
}
