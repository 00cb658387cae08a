package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/agent/redact"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/goccy/go-yaml"
)

// privacyConfig says what is stored of the people in a source.
type privacyConfig struct {
	// Pseudonyms replaces people by pseudonyms that are made with PseudonymKeyFile.
	Pseudonyms bool `yaml:"pseudonyms"`
	// Fields are what becomes pseudonyms: user, address, uid.
	Fields     []string `yaml:"fields"`
	KeepDomain bool     `yaml:"keep_domain"`
	// Except are patterns of names that stay readable.
	Except []string `yaml:"except"`
	// FreeText, when it is there, lists the columns of free text that are kept; Drop
	// lists columns and fields that are not stored.
	FreeText *[]string `yaml:"free_text"`
	Drop     []string  `yaml:"drop"`
}

// pseudonymFields are what fields may name, and what it names by default.
var (
	pseudonymFields = []string{"user", "address", "uid"}
	defaultFields   = []string{"user", "address"}
)

// options are the settings as reading needs them; nil when nothing is set.
func (c privacyConfig) options(key *redact.PseudonymKey) *redact.PrivacyOptions {
	fields := c.Fields
	if len(fields) == 0 {
		fields = defaultFields
	}
	o := &redact.PrivacyOptions{KeepDomain: c.KeepDomain, LimitFreeText: c.FreeText != nil, Drop: c.Drop}
	if c.Pseudonyms {
		o.Key = key
		o.Users, o.Addresses, o.IDs = slices.Contains(fields, "user"), slices.Contains(fields, "address"), slices.Contains(fields, "uid")
	}
	for _, pattern := range c.Except {
		o.Except = append(o.Except, strings.ToLower(strings.TrimSpace(pattern)))
	}
	if c.FreeText != nil {
		o.FreeText = *c.FreeText
	}
	if !o.Any() {
		return nil
	}
	return o
}

// tellBlinded says of each source and receiver which rules miss what its privacy leaves out.
func tellBlinded(term terminal, cfg config, rules []detectors.Rule) {
	type named struct {
		kind, name string
		privacy    privacyConfig
	}
	var all []named
	for _, s := range cfg.Sources {
		all = append(all, named{"source", s.Name, s.Privacy})
	}
	for _, r := range cfg.Receivers {
		all = append(all, named{"receiver", r.Name, r.Privacy})
	}
	for _, s := range all {
		o := s.privacy.options(nil)
		for _, rule := range rules {
			var missing []string
			for _, column := range rule.Needs.Columns {
				if o.LeavesOut(column) {
					missing = append(missing, column)
				}
			}
			for _, list := range rule.Needs.OneOf {
				if !slices.ContainsFunc(list, func(column string) bool { return !o.LeavesOut(column) }) {
					missing = append(missing, detectors.SayOneOf(list))
				}
			}
			if len(missing) > 0 {
				fmt.Fprintf(term.err, "crmwatch: %s %s leaves out %s, which rule %s looks at\n", s.kind, s.name, strings.Join(missing, ", "), rule.ID)
			} else if less := mentions(rule, o); len(less) > 0 {
				fmt.Fprintf(term.err, "crmwatch: %s %s leaves out %s: rule %s works without, and sees less\n", s.kind, s.name, strings.Join(less, ", "), rule.ID)
			}
		}
	}
}

// pseudonymKey reads the key of the configuration; nil when it names none.
func (c *config) pseudonymKey() (*redact.PseudonymKey, error) {
	if c.PseudonymKeyFile == "" {
		return nil, nil
	}
	return readPseudonymKey(c.PseudonymKeyFile)
}

// readPseudonymKey reads a file that newPseudonymKey made.
func readPseudonymKey(path string) (*redact.PseudonymKey, error) {
	text, err := readSecret(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("pseudonym key %s is not there: restore it from a backup, or make one with: crmwatch pseudonym --new-key FILE", path)
	}
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(text)
	if err != nil || len(key) != redact.PseudonymKeySize {
		return nil, fmt.Errorf("pseudonym key %s: it is not %d hexadecimal digits: restore it from a backup, or make one with: crmwatch pseudonym --new-key FILE", path, 2*redact.PseudonymKeySize)
	}
	return redact.NewPseudonymKey(key), nil
}

// has says whether the configuration has a key, were it without a value.
func (c *configCheck) has(place string) bool {
	p, err := yaml.PathString(place)
	if err != nil {
		return false
	}
	node, err := p.FilterFile(c.file)
	return err == nil && node != nil
}

// privacy checks the settings of a source.
func (c *configCheck) privacy(place string, cfg *config, p privacyConfig) {
	if p.Pseudonyms && cfg.PseudonymKeyFile == "" {
		c.fail(place+".pseudonyms", "pseudonym_key_file is missing: make a key with: crmwatch pseudonym --new-key pseudonym.key, and name it at the top of this file")
	}
	if !p.Pseudonyms {
		for _, key := range []struct {
			name string
			set  bool
		}{{"fields", p.Fields != nil}, {"keep_domain", p.KeepDomain}, {"except", p.Except != nil}} {
			if key.set {
				c.fail(place+"."+key.name, "%s does nothing by itself: add pseudonyms: true", key.name)
			}
		}
	}
	for i, field := range p.Fields {
		if !slices.Contains(pseudonymFields, field) {
			c.fail(fmt.Sprintf("%s.fields[%d]", place, i), "the field is %q: use user (user names), address (e-mail addresses) or uid (user ids)", field)
		}
	}
	for i, pattern := range p.Except {
		if strings.Trim(pattern, "* \t") == "" {
			c.fail(fmt.Sprintf("%s.except[%d]", place, i), "the pattern %q matches everybody: name service accounts, such as svc-*@acme.example", pattern)
		}
	}
	if p.FreeText == nil && c.has(place+".free_text") {
		c.fail(place+".free_text", "free_text names nothing: write free_text: [] to keep no free text at all, or take the line out")
	}
	if p.FreeText != nil {
		for i, name := range *p.FreeText {
			if err := redact.CheckFreeText(name); err != nil {
				c.fail(fmt.Sprintf("%s.free_text[%d]", place, i), "%v", err)
			}
		}
	}
	for i, name := range p.Drop {
		if err := redact.CheckDrop(name); err != nil {
			c.fail(fmt.Sprintf("%s.drop[%d]", place, i), "%v", err)
		}
	}
}
