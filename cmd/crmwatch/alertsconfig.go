package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/alerting/route"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
)

// alertsConfig says what people are told about, and who is.
type alertsConfig struct {
	// NotifyFrom is the least severity; what is below is kept, and listed by
	// `crmwatch alerts list`.
	NotifyFrom string `yaml:"notify_from"`
	// ResolveAfter is how long nothing may join an alert until it is resolved by itself.
	ResolveAfter time.Duration `yaml:"resolve_after"`
	// Notifiers are those beside the one that the key slack makes, by name.
	Notifiers map[string]notifierConfig `yaml:"notifiers"`
	Routes    []route.Route             `yaml:"routes"`
	// Maintenance are silences that come again.
	Maintenance []route.Maintenance `yaml:"maintenance"`
	// Inhibit replaces the inhibitions that are built in; an empty list is none.
	Inhibit   *[]route.Inhibition `yaml:"inhibit"`
	Heartbeat heartbeatConfig     `yaml:"heartbeat"`
}

// notifyFrom is the severity that was checked when the configuration was loaded.
func (c alertsConfig) notifyFrom() schema.Severity {
	severity, _ := schema.ParseSeverity(c.NotifyFrom)
	return severity
}

// notifierConfig is one notifier: one of slack, incoming_webhook, webhook, file and console.
type notifierConfig struct {
	Slack   *channelConfig `yaml:"slack"`
	Webhook *webhookConfig `yaml:"webhook"`
	// IncomingWebhook is an address of Slack's that takes messages for one channel.
	IncomingWebhook *incomingWebhookConfig `yaml:"incoming_webhook"`
	File            *fileConfig            `yaml:"file"`
	Console         *struct{}              `yaml:"console"`
	Rate            *rateConfig            `yaml:"rate"`
}

// channelConfig is another channel for the token of the key slack.
type channelConfig struct {
	Channel string `yaml:"channel"`
}

type webhookConfig struct {
	URLFile    string `yaml:"url_file"`
	HeaderFile string `yaml:"header_file"`
	SecretFile string `yaml:"secret_file"`
}

type incomingWebhookConfig struct {
	URLFile string `yaml:"url_file"`
}

type fileConfig struct {
	Path string `yaml:"path"`
}

// rateConfig bounds how many alerts a notifier is told one by one.
type rateConfig struct {
	Alerts int           `yaml:"alerts"`
	Per    time.Duration `yaml:"per"`
}

// heartbeatConfig is an address that is requested as long as all goes well.
type heartbeatConfig struct {
	URLFile string        `yaml:"url_file"`
	Every   time.Duration `yaml:"every"`
}

func (c notifierConfig) kinds() (kinds []string) {
	for _, k := range []struct {
		name  string
		given bool
	}{{"slack", c.Slack != nil}, {"incoming_webhook", c.IncomingWebhook != nil}, {"webhook", c.Webhook != nil}, {"file", c.File != nil}, {"console", c.Console != nil}} {
		if k.given {
			kinds = append(kinds, k.name)
		}
	}
	return kinds
}

// notifierNames are all notifiers: slack first, where there is one, then the others in
// the order of their names. Without any there is the console.
func (c config) notifierNames() []string {
	names := slices.Sorted(maps.Keys(c.Alerts.Notifiers))
	if c.Slack.TokenFile != "" && c.Slack.Channel != "" {
		names = append([]string{slackNotifier}, names...)
	}
	if len(names) == 0 {
		names = []string{consoleNotifier}
	}
	return names
}

const (
	slackNotifier   = "slack"
	consoleNotifier = "console"
)

// resolvePaths makes the paths relative to dir.
func (c *alertsConfig) resolvePaths(dir string) {
	resolve := func(p *string) {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	for _, n := range c.Notifiers {
		if n.Webhook != nil {
			resolve(&n.Webhook.URLFile)
			resolve(&n.Webhook.HeaderFile)
			resolve(&n.Webhook.SecretFile)
		}
		if n.IncomingWebhook != nil {
			resolve(&n.IncomingWebhook.URLFile)
		}
		if n.File != nil {
			resolve(&n.File.Path)
		}
	}
	resolve(&c.Heartbeat.URLFile)
}

// alerts checks who is told.
func (c *configCheck) alerts(cfg *config) {
	for _, name := range slices.Sorted(maps.Keys(cfg.Alerts.Notifiers)) {
		c.notifier("$.alerts.notifiers.'"+name+"'", name, cfg, cfg.Alerts.Notifiers[name])
	}
	c.rate("$.slack.rate", cfg.Slack.Rate)
	names := cfg.notifierNames()
	for i, r := range cfg.Alerts.Routes {
		c.place(fmt.Sprintf("$.alerts.routes[%d]", i), r.Check(names))
	}
	windows := map[string]bool{}
	for i, m := range cfg.Alerts.Maintenance {
		place := fmt.Sprintf("$.alerts.maintenance[%d]", i)
		c.place(place, m.Check())
		if windows[m.Name] {
			c.fail(place+".name", "two maintenances are called %s: give each a name of its own", m.Name)
		}
		windows[m.Name] = true
	}
	if cfg.Alerts.Inhibit != nil {
		for i, inhibition := range *cfg.Alerts.Inhibit {
			c.place(fmt.Sprintf("$.alerts.inhibit[%d]", i), inhibition.Check())
		}
	}
	if every := cfg.Alerts.Heartbeat.Every; every < 10*time.Second || every > time.Hour {
		c.fail("$.alerts.heartbeat.every", "alerts.heartbeat.every is %s: use 10s to 1h", every)
	}
}

// place records the problems of a part of the configuration.
func (c *configCheck) place(at string, problems []route.Problem) {
	for _, p := range problems {
		c.fail(at+"."+p.Key, "%s", p.Message)
	}
}

func (c *configCheck) notifier(place, name string, cfg *config, n notifierConfig) {
	if name == "" || len(name) > 64 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		c.fail(place, "the notifier's name is %q: use 1 to 64 of a-z, 0-9, dash, dot and underscore", name)
	}
	if name == slackNotifier && cfg.Slack.TokenFile != "" || name == consoleNotifier {
		c.fail(place, "the name %s is taken: the key slack makes a notifier slack, and console is what takes over from others; choose another, such as terminal", name)
	}
	switch kinds := n.kinds(); len(kinds) {
	case 1:
	case 0:
		c.fail(place, "the notifier %s is of no kind: add slack, incoming_webhook, webhook, file or console, such as console: {}", name)
	default:
		c.fail(place, "the notifier %s is %s: keep one", name, strings.Join(kinds, " and "))
	}
	if n.Slack != nil {
		if n.Slack.Channel == "" {
			c.fail(place+".slack", "the channel is missing: name it, such as channel: C0123456789")
		}
		if cfg.Slack.TokenFile == "" {
			c.fail(place+".slack", "slack.token_file is missing: the notifier %s uses the token of the key slack", name)
		}
	}
	if n.Webhook != nil && n.Webhook.URLFile == "" {
		c.fail(place+".webhook", "url_file is missing: put the URL into a file of mode 0600, because it often holds a secret, and name it here")
	}
	if n.IncomingWebhook != nil && n.IncomingWebhook.URLFile == "" {
		c.fail(place+".incoming_webhook", "url_file is missing: put the URL, https://hooks.slack.com/services/..., into a file of mode 0600, because whoever has it can post, and name it here")
	}
	if n.File != nil && n.File.Path == "" {
		c.fail(place+".file", "path is missing: name the file, such as path: /var/log/crmwatch/alerts.jsonl")
	}
	c.rate(place+".rate", n.Rate)
}

func (c *configCheck) rate(place string, r *rateConfig) {
	switch {
	case r == nil:
	case r.Alerts < 1 || r.Alerts > 10000:
		c.fail(place+".alerts", "the rate is %d alerts: use 1 to 10000", r.Alerts)
	case r.Per < time.Minute || r.Per > 24*time.Hour:
		c.fail(place+".per", "the rate is per %s: use 1m to 24h", r.Per)
	}
}

// rates are the rates of all notifiers that have one.
func (c config) rates() map[string]alerting.Rate {
	rates := map[string]alerting.Rate{}
	add := func(name string, isSlack bool, r *rateConfig) {
		switch {
		case r != nil:
			rates[name] = alerting.Rate{Alerts: r.Alerts, Per: r.Per}
		case isSlack:
			rates[name] = alerting.DefaultSlackRate
		}
	}
	add(slackNotifier, true, c.Slack.Rate)
	for name, n := range c.Alerts.Notifiers {
		add(name, n.Slack != nil || n.IncomingWebhook != nil, n.Rate)
	}
	return rates
}

// policy is who is told of an alert, and when. The parts were checked when the
// configuration was loaded.
func (c config) policy(rules []detectors.Rule) (p alerting.Policy, err error) {
	p.Rates = c.rates()
	if len(c.Alerts.Routes) > 0 {
		if p.Routes, err = route.NewTable(c.Alerts.Routes, c.notifierNames()); err != nil {
			return p, fmt.Errorf("configure routes: %w", err)
		}
	}
	inhibit := builtInInhibitions(rules)
	if c.Alerts.Inhibit != nil {
		inhibit = *c.Alerts.Inhibit
	}
	if p.Quiet, err = route.NewQuiet(c.Alerts.Maintenance, inhibit); err != nil {
		return p, fmt.Errorf("configure alerts: %w", err)
	}
	return p, nil
}

// builtInInhibitions: where a source has fallen silent, that what is in it has fallen
// silent too says nothing more. Rules by which an attacker would be noticed who
// silences a source are not among them.
func builtInInhibitions(rules []detectors.Rule) []route.Inhibition {
	var silences route.Patterns
	for _, r := range rules {
		if r.ID == "traffic-drop" || r.Kind == detectors.KindSilence {
			silences = append(silences, r.ID)
		}
	}
	if len(silences) == 0 {
		return nil
	}
	return []route.Inhibition{{
		When: route.Match{Rule: route.Patterns{"source-silent"}}, Mute: route.Match{Rule: silences}, Equal: []string{"tenant", "product"},
	}}
}
