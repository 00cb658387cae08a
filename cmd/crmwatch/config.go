package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/agent"
	"github.com/crmwatch/crmwatch/agent/formats"
	"github.com/crmwatch/crmwatch/collector/client"
	"github.com/crmwatch/crmwatch/compliance/chain"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// config is the configuration file of `crmwatch run`. examples/crmwatch.yaml
// shows every key with its default.
type config struct {
	// Data is the directory of the database and of the reading positions.
	Data    string         `yaml:"data"`
	Store   storeConfig    `yaml:"store"`
	Sources []sourceConfig `yaml:"sources"`
	// Receivers are ports on which logs are received; none are open without it.
	Receivers []receiverConfig `yaml:"receivers"`
	Reading   readingConfig    `yaml:"reading"`
	// Inventory is what the company knows of its own: networks, users and apps.
	Inventory inventoryConfig `yaml:"inventory"`
	Rules     rulesConfig     `yaml:"rules"`
	Alerts    alertsConfig    `yaml:"alerts"`
	// Summaries are for auditors: when they are made, and who gets them.
	Summaries summariesConfig `yaml:"summaries"`
	Slack     slackConfig     `yaml:"slack"`
	// Mappings are formats of the user's own.
	Mappings []formats.Mapping `yaml:"mappings"`
	Spool    spoolConfig       `yaml:"spool"`
	// Ship is where `crmwatch agent` delivers to.
	Ship shipConfig `yaml:"ship"`
	// Retention is how long what is kept.
	Retention retentionConfig `yaml:"retention"`
	Log       logConfig       `yaml:"log"`
	// RedactionKeyFile holds the key of the HMAC that stands for tokens, session
	// ids and credentials; without it a key is made in the data directory.
	RedactionKeyFile string `yaml:"redaction_key_file"`
	// PseudonymKeyFile holds the key of the pseudonyms that sources ask for.
	PseudonymKeyFile string `yaml:"pseudonym_key_file"`

	// digest is the SHA-256 of the file, in hexadecimal digits.
	digest string
}

// storeConfig says where events are kept: in the embedded engine, or on a
// ClickHouse server whose DSN is in a file, because it holds a password.
type storeConfig struct {
	Listen  string `yaml:"listen"`
	DSNFile string `yaml:"dsn_file"`
}

type sourceConfig struct {
	Name   string   `yaml:"name"`
	Paths  []string `yaml:"paths"`
	Kind   string   `yaml:"kind"`
	Format string   `yaml:"format"`
	Tenant string   `yaml:"tenant"`
	Zone   string   `yaml:"zone"`
	// DateOrder is dmy, mdy or ymd, for dates that can be read as two different days.
	DateOrder string `yaml:"date_order"`
	// Privacy says what is stored of people.
	Privacy privacyConfig `yaml:"privacy"`
}

// readingConfig is the patience of reading; see agent.WatchOptions.
type readingConfig struct {
	Poll       time.Duration `yaml:"poll"`
	Settle     time.Duration `yaml:"settle"`
	RotateWait time.Duration `yaml:"rotate_wait"`
	// Quiet is how long a log with records of several lines must stand still until its
	// last record is taken for whole.
	Quiet   time.Duration `yaml:"quiet"`
	SealAge time.Duration `yaml:"seal_age"`
}

type rulesConfig struct {
	Directories []string                  `yaml:"directories"`
	Disabled    []string                  `yaml:"disabled"`
	Parameters  map[string]map[string]any `yaml:"parameters"`
	// Exceptions are what is expected of some rules.
	Exceptions []exceptionConfig `yaml:"exceptions"`
	// Schedule is a cron line in UTC that replaces that of every rule.
	Schedule string `yaml:"schedule"`
	// Settle is how old an arrival must be before a rule looks at it.
	Settle time.Duration `yaml:"settle"`
	// SelfTest is when the rules prove that they can fire: a cron line in UTC, or off.
	SelfTest string `yaml:"self_test"`

	// known is the inventory, and exceptions what Exceptions say, as the rules take them.
	known      detectors.Inventory
	exceptions []detectors.Exception
}

type slackConfig struct {
	TokenFile string `yaml:"token_file"`
	Channel   string `yaml:"channel"`
	APIURL    string `yaml:"api_url"`
	// Rate bounds how many alerts the channel is told one by one.
	Rate *rateConfig `yaml:"rate"`
	// AppTokenFile opens Socket Mode connections; SigningSecretFile checks requests that
	// come to Listen. Either makes buttons work, for AllowedUsers and AllowedGroups.
	AppTokenFile      string   `yaml:"app_token_file"`
	SigningSecretFile string   `yaml:"signing_secret_file"`
	Listen            string   `yaml:"listen"`
	AllowedUsers      []string `yaml:"allowed_users"`
	AllowedGroups     []string `yaml:"allowed_groups"`
}

type logConfig struct {
	Level  string `yaml:"level"`
	Format string `yaml:"format"`
}

// configProblem is one mistake in a configuration file.
type configProblem struct {
	file         string
	line, column int
	message      string
}

func (p configProblem) Error() string {
	if p.line == 0 {
		return fmt.Sprintf("%s: %s", p.file, p.message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.file, p.line, p.column, p.message)
}

// loadConfig reads and checks a configuration. The error lists every mistake that
// could be found, each with file, line, column and the mend.
func loadConfig(path string) (config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return config{}, fmt.Errorf("read configuration: %w", err)
	}
	c := config{
		Reading:   readingConfig{Poll: time.Second, Settle: 2 * time.Second, RotateWait: 10 * time.Second, Quiet: 5 * time.Second, SealAge: 500 * time.Millisecond},
		Rules:     rulesConfig{Settle: 5 * time.Second, SelfTest: "@daily"},
		Store:     storeConfig{Listen: "127.0.0.1:0"},
		Alerts:    alertsConfig{NotifyFrom: schema.SeverityLow.String(), ResolveAfter: 72 * time.Hour, Heartbeat: heartbeatConfig{Every: time.Minute}},
		Slack:     slackConfig{APIURL: "https://slack.com/api/"},
		Summaries: summariesConfig{CatchUp: 31},
		Log:       logConfig{Level: "info", Format: "text"},
		Spool:     spoolConfig{Quota: 10 << 30, WhenFull: "block", Compression: "auto", RetainAfterAck: 15 * time.Minute},
	}
	if err := yaml.UnmarshalWithOptions(text, &c, yaml.Strict(), yaml.DisallowUnknownField()); err != nil {
		return config{}, yamlProblem(path, err)
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return config{}, yamlProblem(path, err)
	}
	check := configCheck{path: path, file: file}
	check.all(&c)
	if len(check.problems) > 0 {
		return config{}, errors.Join(check.problems...)
	}
	c.resolvePaths(filepath.Dir(path))
	c.digest = chain.HashOf(text).String()
	return c, nil
}

// yamlProblem turns the YAML library's error into one line with a position,
// followed by the lines around it.
func yamlProblem(path string, err error) error {
	var syntax yaml.Error
	if !errors.As(err, &syntax) || syntax.GetToken() == nil {
		return configProblem{file: path, message: err.Error()}
	}
	at := syntax.GetToken().Position
	_, source, _ := strings.Cut(yaml.FormatError(err, false, true), "\n")
	return configProblem{path, at.Line, at.Column, syntax.GetMessage() + "\n" + source}
}

// resolvePaths makes relative paths relative to the configuration file, so that
// it means the same wherever crmwatch is started.
func (c *config) resolvePaths(dir string) {
	resolve := func(p *string) {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	resolve(&c.Data)
	resolve(&c.Store.DSNFile)
	resolve(&c.Slack.TokenFile)
	resolve(&c.Slack.AppTokenFile)
	resolve(&c.Slack.SigningSecretFile)
	resolve(&c.RedactionKeyFile)
	resolve(&c.PseudonymKeyFile)
	c.Alerts.resolvePaths(dir)
	c.Summaries.resolvePaths(dir)
	for _, file := range []*string{&c.Spool.KeyFile, &c.Ship.TokenFile, &c.Ship.CAFile, &c.Ship.CertFile, &c.Ship.KeyFile, &c.Ship.DSNFile} {
		resolve(file)
	}
	for i := range c.Spool.OldKeyFiles {
		resolve(&c.Spool.OldKeyFiles[i])
	}
	for i := range c.Rules.Directories {
		resolve(&c.Rules.Directories[i])
	}
	for i := range c.Receivers {
		r := &c.Receivers[i]
		for _, file := range []*string{&r.CertFile, &r.KeyFile, &r.ClientCAFile, &r.TokenFile} {
			resolve(file)
		}
	}
	for i := range c.Sources {
		for j := range c.Sources[i].Paths {
			resolve(&c.Sources[i].Paths[j])
		}
	}
}

// configCheck collects what is wrong with a configuration that parses.
type configCheck struct {
	path     string
	file     *ast.File
	problems []error
}

// fail records a mistake at a place such as "$.sources[0].kind".
func (c *configCheck) fail(place, format string, args ...any) {
	problem := configProblem{file: c.path, message: fmt.Sprintf(format, args...)}
	for place != "$" && problem.line == 0 {
		if p, err := yaml.PathString(place); err == nil {
			if node, err := p.FilterFile(c.file); err == nil && node.GetToken() != nil {
				problem.line, problem.column = node.GetToken().Position.Line, node.GetToken().Position.Column
			}
		}
		cut := strings.LastIndexAny(place, ".[")
		if cut <= 0 {
			break
		}
		place = place[:cut]
	}
	if problem.line == 0 {
		problem.line, problem.column = 1, 1 // something is missing
	}
	c.problems = append(c.problems, problem)
}

func (c *configCheck) all(cfg *config) {
	if cfg.Data == "" {
		c.fail("$.data", "data is missing: name the directory for the database, such as data: /var/lib/crmwatch")
	}
	if cfg.Store.DSNFile == "" {
		c.listen(cfg.Store.Listen)
	}
	if len(cfg.Sources)+len(cfg.Receivers) == 0 {
		c.fail("$.sources", "sources is empty: name at least one, with its paths, or one of receivers")
	}
	c.mappings(cfg.Mappings)
	known := c.inventory(cfg.Inventory)
	cfg.Rules.known, cfg.Rules.exceptions = known.all(), c.exceptions(cfg.Rules.Exceptions, known)
	names := map[string]bool{}
	for i, s := range cfg.Sources {
		c.source(fmt.Sprintf("$.sources[%d]", i), cfg, s, names)
	}
	ports := map[string]bool{}
	for i, r := range cfg.Receivers {
		c.receiver(fmt.Sprintf("$.receivers[%d]", i), cfg, r, names, ports)
	}
	if cfg.Slack.Channel != "" && cfg.Slack.TokenFile == "" {
		c.fail("$.slack.channel", "slack.token_file is missing: put the bot token (xoxb-...) into a file of mode 0600 and name it here")
	}
	if cfg.Slack.TokenFile != "" && cfg.Slack.Channel == "" {
		c.fail("$.slack.token_file", "slack.channel is missing: name the channel, such as channel: C0123456789")
	}
	c.slackURL(cfg.Slack.APIURL)
	c.alerts(cfg)
	c.summaries(cfg)
	c.interactivity(cfg.Slack)
	if cfg.Alerts.ResolveAfter < time.Hour {
		c.fail("$.alerts.resolve_after", "alerts.resolve_after is %s: use at least 1h, such as 72h", cfg.Alerts.ResolveAfter)
	}
	if _, known := schema.ParseSeverity(cfg.Alerts.NotifyFrom); !known {
		c.fail("$.alerts.notify_from", "alerts.notify_from is %q: use informational, low, medium, high or critical", cfg.Alerts.NotifyFrom)
	}
	c.log(cfg.Log)
	for name, wait := range map[string]time.Duration{"poll": cfg.Reading.Poll, "settle": cfg.Reading.Settle, "rotate_wait": cfg.Reading.RotateWait, "quiet": cfg.Reading.Quiet, "seal_age": cfg.Reading.SealAge} {
		if wait <= 0 || wait > time.Hour {
			c.fail("$.reading."+name, "reading.%s is %s: use a duration such as 2s, up to 1h", name, wait)
		}
	}
	if !slices.Contains([]string{"auto", "none", "lz4", "zstd"}, cfg.Spool.Compression) {
		c.fail("$.spool.compression", "spool.compression is %q: use auto, none, lz4 or zstd", cfg.Spool.Compression)
	}
	if !slices.Contains([]string{"block", "drop"}, cfg.Spool.WhenFull) {
		c.fail("$.spool.when_full", "spool.when_full is %q: use block (reading waits) or drop (the oldest batches are given up and counted)", cfg.Spool.WhenFull)
	}
	c.ship(cfg.Ship)
	c.retention(&cfg.Retention)
	if cfg.Rules.Settle < 0 || cfg.Rules.Settle > time.Hour {
		c.fail("$.rules.settle", "rules.settle is %s: use 0s to 1h", cfg.Rules.Settle)
	}
	if cfg.Rules.SelfTest != selfTestOff && detectors.CheckSchedule(cfg.Rules.SelfTest) != nil {
		c.fail("$.rules.self_test", "rules.self_test is %q: use @daily, a cron line in UTC such as \"0 3 * * *\", or off", cfg.Rules.SelfTest)
	}
}

// mappings checks the user's formats.
func (c *configCheck) mappings(mappings []formats.Mapping) {
	var good []formats.Mapping
	for i := range mappings {
		problems := mappings[i].Check()
		for _, p := range problems {
			c.fail(fmt.Sprintf("$.mappings[%d].%s", i, p.Key), "%s", p.Message)
		}
		if slices.ContainsFunc(good, func(m formats.Mapping) bool { return m.Name == mappings[i].Name }) {
			c.fail(fmt.Sprintf("$.mappings[%d].name", i), "two mappings are called %s: give each a name of its own", mappings[i].Name)
		}
		good = append(good, mappings[i])
	}
}

// apply makes the mappings known as formats.
func (c *config) apply() { formats.SetMappings(c.Mappings) }

func (c *configCheck) ship(s shipConfig) {
	switch {
	case s.Collector != "" && s.DSNFile != "":
		c.fail("$.ship", "ship names both a collector and a dsn_file: keep one")
	case s.Collector == "" && s != (shipConfig{DSNFile: s.DSNFile}):
		c.fail("$.ship", "ship names no collector: add one such as collector: https://collector.acme.example:8443")
	}
	if s.Collector == "" {
		return
	}
	if err := client.CheckURL(s.Collector); err != nil {
		c.fail("$.ship.collector", "%v", err)
	}
	if (s.CertFile == "") != (s.KeyFile == "") {
		c.fail("$.ship", "ship.cert_file and ship.key_file belong together: name both")
	}
	if s.TokenFile == "" && s.CertFile == "" {
		c.fail("$.ship", "the collector will not know this agent: name ship.token_file, or ship.cert_file and ship.key_file")
	}
}

func (c *configCheck) listen(address string) {
	if strings.HasPrefix(address, "unix:") {
		return
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		c.fail("$.store.listen", "store.listen is %q: write host:port, such as 127.0.0.1:8123, or unix:/path", address)
		return
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		c.fail("$.store.listen", "store.listen is %q: the embedded engine listens on loopback only; put a TLS proxy in front of it for others", address)
	}
}

func (c *configCheck) source(place string, cfg *config, s sourceConfig, names map[string]bool) {
	c.sourceName(place, "source", s.Name, names)
	if len(s.Paths) == 0 {
		c.fail(place+".paths", "the source has no paths: list files or patterns such as /var/log/crm/*.csv")
	}
	for i, p := range s.Paths {
		if _, err := filepath.Match(filepath.Base(p), ""); err != nil {
			c.fail(fmt.Sprintf("%s.paths[%d]", place, i), "the pattern %q is malformed: check its brackets", p)
		}
	}
	switch agent.Kind(s.Kind) {
	case "", agent.KindAuto, agent.KindExport, agent.KindFollow:
	default:
		c.fail(place+".kind", "the kind is %q: use export (finished files), follow (logs being written) or auto", s.Kind)
	}
	if s.Format != "" {
		f, err := cfg.formatByName(s.Format)
		if err != nil {
			c.fail(place+".format", "%v", err)
		} else if agent.Kind(s.Kind) == agent.KindFollow && !f.Line {
			c.fail(place+".kind", "the format %s cannot be followed, its records span lines: use kind: export", s.Format)
		}
	}
	if s.DateOrder != "" {
		if _, err := formats.ParseDateOrder(s.DateOrder); err != nil {
			c.fail(place+".date_order", "%v", err)
		}
	}
	c.privacy(place+".privacy", cfg, s.Privacy)
	c.zone(place, s.Zone)
}

// slackURL refuses to send the token in clear to another machine.
func (c *configCheck) slackURL(address string) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		c.fail("$.slack.api_url", "slack.api_url is not a URL: use https://slack.com/api/")
		return
	}
	ip := net.ParseIP(u.Hostname())
	loopback := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback) {
		c.fail("$.slack.api_url", "slack.api_url is not https: the token would cross the network in clear")
	}
}
