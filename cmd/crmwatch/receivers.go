package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/agent"
	"github.com/crmwatch/crmwatch/agent/formats"
	"github.com/crmwatch/crmwatch/agent/receive"
	"github.com/crmwatch/crmwatch/agent/redact"
)

// receiverConfig is a port on which logs are received.
type receiverConfig struct {
	Name     string `yaml:"name"`
	Protocol string `yaml:"protocol"`
	Listen   string `yaml:"listen"`
	// Transport is udp, tcp or tls; OTLP has none to choose.
	Transport []string `yaml:"transport"`
	CertFile  string   `yaml:"cert_file"`
	KeyFile   string   `yaml:"key_file"`
	// ClientCAFile makes senders show a certificate of this authority.
	ClientCAFile string `yaml:"client_ca_file"`
	// TokenFile holds the token that senders of OTLP have to show.
	TokenFile string `yaml:"token_file"`
	Format    string `yaml:"format"`
	Tenant    string `yaml:"tenant"`
	Zone      string `yaml:"zone"`
	// Privacy says what is stored of people, as for a source.
	Privacy privacyConfig `yaml:"privacy"`
	// Allow lists the networks of the senders.
	Allow []string `yaml:"allow"`
	// Plaintext allows syslog and GELF in clear beyond loopback.
	Plaintext bool `yaml:"plaintext"`
}

// transports are those named, or those that go without saying.
func (r *receiverConfig) transports() []string {
	switch {
	case len(r.Transport) > 0 || r.Protocol == receive.OTLP:
		return r.Transport
	case r.CertFile != "":
		return []string{receive.TLS}
	}
	return []string{receive.UDP, receive.TCP}
}

// exposed says whether other machines can reach the port.
func (r *receiverConfig) exposed() bool {
	host, _, err := net.SplitHostPort(r.Listen)
	ip := net.ParseIP(host)
	return err == nil && host != "localhost" && (ip == nil || !ip.IsLoopback())
}

// clear says whether anything crosses the network in clear.
func (r *receiverConfig) clear() bool {
	if r.Protocol == receive.OTLP {
		return r.CertFile == ""
	}
	return slices.ContainsFunc(r.transports(), func(t string) bool { return t != receive.TLS })
}

// receiver checks one of the receivers. names are those of the sources and the receivers
// before it, ports those that are taken by these.
func (c *configCheck) receiver(place string, cfg *config, r receiverConfig, names, ports map[string]bool) {
	c.sourceName(place, "receiver", r.Name, names)
	_, number, err := net.SplitHostPort(r.Listen)
	switch {
	case r.Listen == "":
		c.fail(place, "the receiver has no address: add one such as listen: 127.0.0.1:5514")
	case err != nil || number == "":
		c.fail(place+".listen", "listen is %q: write host:port, such as 127.0.0.1:5514", r.Listen)
	}
	switch r.Protocol {
	case receive.Syslog, receive.GELF:
		c.messages(place, cfg, r)
	case receive.OTLP:
		c.otlp(place, r)
	case "":
		c.fail(place, "the receiver has no protocol: add syslog, gelf or otlp")
	default:
		c.fail(place+".protocol", "the protocol is %q: use syslog, gelf or otlp", r.Protocol)
	}
	transports := r.transports()
	if r.Protocol == receive.OTLP {
		transports = []string{receive.TCP}
	}
	for _, t := range transports {
		if t == receive.TLS {
			t = receive.TCP
		}
		if key := t + " " + r.Listen; ports[key] && number != "0" {
			c.fail(place+".listen", "%s port %s is used twice: give each receiver its own", t, r.Listen)
		} else {
			ports[key] = true
		}
	}
	if (r.CertFile == "") != (r.KeyFile == "") {
		c.fail(place, "cert_file and key_file belong together: name both")
	}
	if r.ClientCAFile != "" && r.CertFile == "" {
		c.fail(place+".client_ca_file", "client_ca_file without cert_file does nothing: without TLS no sender can show a certificate")
	}
	if _, err := allowed(r.Allow); err != nil {
		c.fail(place+".allow", "%v", err)
	}
	c.zone(place, r.Zone)
	c.privacy(place+".privacy", cfg, r.Privacy)
}

// messages checks what syslog and GELF have in common.
func (c *configCheck) messages(place string, cfg *config, r receiverConfig) {
	transports := r.transports()
	for i, t := range transports {
		switch {
		case !slices.Contains([]string{receive.UDP, receive.TCP, receive.TLS}, t):
			c.fail(fmt.Sprintf("%s.transport[%d]", place, i), "the transport is %q: use udp, tcp or tls", t)
		case slices.Contains(transports[:i], t):
			c.fail(fmt.Sprintf("%s.transport[%d]", place, i), "the transport %s is named twice", t)
		}
	}
	secure := slices.Contains(transports, receive.TLS)
	switch {
	case secure && slices.Contains(transports, receive.TCP):
		c.fail(place+".transport", "tcp and tls cannot share one port: make two receivers of it")
	case secure && r.CertFile == "":
		c.fail(place+".transport", "tls needs a certificate: name cert_file and key_file (crmwatch certs makes them)")
	case !secure && r.CertFile != "":
		c.fail(place+".cert_file", "cert_file does nothing without the transport tls: use transport: [tls]")
	}
	if r.exposed() && r.clear() && !r.Plaintext {
		c.fail(place+".listen", "listen is %s in clear: everybody on the way can read the logs, and everybody who reaches the port can invent some; use transport: [tls] with client_ca_file, or say plaintext: true and name the senders in allow", r.Listen)
	}
	if r.TokenFile != "" {
		c.fail(place+".token_file", "%s knows no token: use transport: [tls] with client_ca_file", r.Protocol)
	}
	if r.Format != "" {
		f, err := cfg.formatByName(r.Format)
		if err != nil {
			c.fail(place+".format", "%v", err)
		} else if !f.Line {
			c.fail(place+".format", "a record of %s does not stand for itself, so it cannot be received: use a format of lines", r.Format)
		}
	}
}

// otlp checks what only OTLP has.
func (c *configCheck) otlp(place string, r receiverConfig) {
	if len(r.Transport) > 0 {
		c.fail(place+".transport", "transport is for syslog and gelf: otlp is HTTP, and HTTPS with cert_file")
	}
	if r.Format != "" {
		c.fail(place+".format", "format is for syslog and gelf: otlp is read as such")
	}
	if r.Plaintext {
		c.fail(place+".plaintext", "plaintext is for syslog and gelf: beyond loopback otlp needs cert_file and key_file, because its token must not cross the network in clear")
	}
	if !r.exposed() {
		return
	}
	if r.CertFile == "" {
		c.fail(place+".listen", "listen is %s without TLS: token and logs would cross the network in clear; name cert_file and key_file (crmwatch certs makes them)", r.Listen)
	}
	if r.TokenFile == "" && r.ClientCAFile == "" {
		c.fail(place, "everybody could send: name token_file (openssl rand -hex 32 makes a token), or client_ca_file")
	}
}

func (c *configCheck) sourceName(place, what, name string, names map[string]bool) {
	switch {
	case name == "":
		c.fail(place, "the %s has no name: add one of a-z, 0-9, dot, dash, underscore", what)
	case strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") != "" || len(name) > 64:
		c.fail(place+".name", "the name %q is not usable: use 1 to 64 of a-z, 0-9, dot, dash, underscore", name)
	case names[name]:
		c.fail(place+".name", "the name %q is used twice: give each source and receiver its own", name)
	}
	names[name] = true
}

func (c *configCheck) zone(place, zone string) {
	if _, err := time.LoadLocation(zone); err != nil {
		c.fail(place+".zone", "the zone %q is not known: use an IANA name such as Europe/Berlin", zone)
	}
}

// formatByName finds a format, or a mapping that is not known as one yet.
func (c *config) formatByName(name string) (formats.Format, error) {
	for i := range c.Mappings {
		if m := &c.Mappings[i]; m.Name == name {
			return formats.Format{Line: m.Shape != "csv"}, nil
		}
	}
	return formats.ByName(name)
}

// allowed reads networks, such as 10.0.0.0/8, and addresses.
func allowed(names []string) (all []netip.Prefix, err error) {
	for _, name := range names {
		prefix, err := netip.ParsePrefix(name)
		if err != nil {
			address, err := netip.ParseAddr(name)
			if err != nil {
				return nil, fmt.Errorf("%q is no network: write one such as 10.0.0.0/8 or 2001:db8::/32, or an address", name)
			}
			prefix = netip.PrefixFrom(address.Unmap(), address.Unmap().BitLen())
		}
		all = append(all, prefix.Masked())
	}
	return all, nil
}

// minToken is the shortest token that is taken for one that nobody guesses.
const minToken = 16

func (r *receiverConfig) token() (string, error) {
	if r.TokenFile == "" {
		return "", nil
	}
	token, err := readSecret(r.TokenFile)
	if err == nil && len(token) < minToken {
		err = fmt.Errorf("token %s has %d characters: use at least %d, such as from: openssl rand -hex 32", r.TokenFile, len(token), minToken)
	}
	return token, err
}

// secure is the receiver's TLS, or nil. The certificate is read anew when its file changes.
func (r *receiverConfig) secure(log *slog.Logger) (*tls.Config, error) {
	if r.CertFile == "" {
		return nil, nil
	}
	files := &certificateFiles{cert: r.CertFile, key: r.KeyFile, log: log}
	if _, err := files.get(nil); err != nil {
		return nil, err
	}
	secure := &tls.Config{GetCertificate: files.get, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	if r.Protocol != receive.OTLP {
		secure.NextProtos = nil
	}
	if r.ClientCAFile == "" {
		return secure, nil
	}
	authorities, err := readAuthorities(r.ClientCAFile)
	if err != nil {
		return nil, err
	}
	secure.ClientCAs = x509.NewCertPool()
	for _, authority := range authorities {
		secure.ClientCAs.AddCert(authority)
	}
	secure.ClientAuth = tls.RequireAndVerifyClientCert
	return secure, nil
}

// options are what package receive needs to know.
func (r *receiverConfig) options(log *slog.Logger) (receive.Options, error) {
	o := receive.Options{
		Name: r.Name, Protocol: r.Protocol, Listen: r.Listen, Transports: r.transports(),
		Inner: r.Protocol == receive.Syslog && r.Format != "" && r.Format != receive.Syslog,
	}
	var err error
	if o.Allow, err = allowed(r.Allow); err != nil {
		return o, err
	}
	if o.Token, err = r.token(); err != nil {
		return o, err
	}
	o.TLS, err = r.secure(log)
	return o, err
}

// inlet is what the watcher needs to know.
func (r *receiverConfig) inlet(pseudonyms *redact.PseudonymKey) (agent.Inlet, error) {
	zone, err := time.LoadLocation(r.Zone)
	if err != nil {
		return agent.Inlet{}, err
	}
	format := r.Format
	if format == "" {
		format = r.Protocol
	}
	return agent.Inlet{Name: r.Name, Format: format, Tenant: r.Tenant, Zone: zone, Privacy: r.Privacy.options(pseudonyms)}, nil
}

func (c *config) receiverOptions(log *slog.Logger) (all []receive.Options, err error) {
	for i := range c.Receivers {
		o, err := c.Receivers[i].options(log)
		if err != nil {
			return nil, fmt.Errorf("receiver %s: %w", c.Receivers[i].Name, err)
		}
		all = append(all, o)
	}
	return all, nil
}

// reservePorts opens the ports that a new configuration needs while the old one still
// runs: if one is taken, the old one stays.
func (c *config) reservePorts(ports *receive.Ports, log *slog.Logger) error {
	options, err := c.receiverOptions(log)
	if err != nil {
		return err
	}
	return ports.Reserve(options)
}
