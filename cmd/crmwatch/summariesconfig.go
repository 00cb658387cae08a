package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/compliance"
	"github.com/crmwatch/crmwatch/compliance/chain"
	"github.com/crmwatch/crmwatch/compliance/schedule"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// summariesConfig says which compliance summaries are made when, and who gets them.
type summariesConfig struct {
	Schedules []scheduleConfig `yaml:"schedules"`
	// Directories hold statements of one's own, beside the built-in ones.
	Directories []string `yaml:"directories"`
	// CatchUp is how many periods of a schedule are made at most after a stop.
	CatchUp int `yaml:"catch_up"`
	// KeyFile holds the key that signs the evidence chain; without it one is made in the
	// data directory. Instances on one server need the same.
	KeyFile string `yaml:"key_file"`
}

type scheduleConfig struct {
	Period    string        `yaml:"period"`
	At        string        `yaml:"at"`
	Tenants   tenantsConfig `yaml:"tenants"`
	Formats   []string      `yaml:"formats"`
	Directory string        `yaml:"directory"`
	Notify    []string      `yaml:"notify"`
}

// tenantsConfig is "all", or a list.
type tenantsConfig struct {
	list []string
	word string
}

// UnmarshalYAML reads both forms.
func (t *tenantsConfig) UnmarshalYAML(node ast.Node) error {
	if node.Type() == ast.SequenceType {
		t.list = []string{}
		return yaml.NodeToValue(node, &t.list, yaml.Strict())
	}
	return yaml.NodeToValue(node, &t.word, yaml.Strict())
}

func (c *summariesConfig) resolvePaths(dir string) {
	resolve := func(p *string) {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	resolve(&c.KeyFile)
	for i := range c.Directories {
		resolve(&c.Directories[i])
	}
	for i := range c.Schedules {
		resolve(&c.Schedules[i].Directory)
	}
}

// evidenceKeyPath is where the key is that signs the evidence chain.
func (c config) evidenceKeyPath() string {
	return cmp.Or(c.Summaries.KeyFile, filepath.Join(c.Data, chain.KeyFile))
}

// schedules are the schedules as they were checked when the configuration was loaded.
func (c summariesConfig) schedules() (all []schedule.Schedule) {
	for _, s := range c.Schedules {
		formats := s.Formats
		if len(formats) == 0 && s.Directory != "" {
			formats = []string{"html", "json"}
		}
		all = append(all, schedule.Schedule{
			Kind: compliance.PeriodKind(s.Period), At: cmp.Or(s.At, schedule.DefaultAt), Tenants: s.Tenants.list, Formats: formats, Directory: s.Directory, Notify: s.Notify,
		})
	}
	return all
}

// statements are the built-in ones and those of the directories.
func (c summariesConfig) statements(more ...string) ([]compliance.Section, []detectors.Control, error) {
	controls, err := detectors.Controls()
	if err != nil {
		return nil, nil, err
	}
	sections, err := compliance.Load(controls, append(slices.Clone(c.Directories), more...)...)
	return sections, controls, err
}

// summaries checks the schedules.
func (c *configCheck) summaries(cfg *config) {
	s := cfg.Summaries
	if s.CatchUp < 1 || s.CatchUp > 1000 {
		c.fail("$.summaries.catch_up", "summaries.catch_up is %d: use 1 to 1000 periods, such as 31", s.CatchUp)
	}
	names := cfg.notifierNames()
	for i, one := range s.Schedules {
		place := fmt.Sprintf("$.summaries.schedules[%d]", i)
		c.schedule(place, one, names)
		for j, other := range s.Schedules[:i] {
			if other.Period == one.Period && overlap(other.Tenants, one.Tenants) {
				c.fail(place+".period", "schedule %d makes %s summaries of the same tenants as schedule %d: put the two into one", i+1, one.Period, j+1)
			}
		}
	}
}

func overlap(a, b tenantsConfig) bool {
	return a.list == nil || b.list == nil || slices.ContainsFunc(a.list, func(t string) bool { return slices.Contains(b.list, t) })
}

func (c *configCheck) schedule(place string, s scheduleConfig, notifiers []string) {
	if !slices.Contains([]string{"daily", "weekly", "monthly"}, s.Period) {
		c.fail(place+".period", "the period is %q: use daily, weekly or monthly", s.Period)
	}
	if s.At != "" {
		if _, err := schedule.ParseAt(s.At); err != nil {
			c.fail(place+".at", "at is %v", err)
		}
	}
	if s.Tenants.list != nil && len(s.Tenants.list) == 0 {
		c.fail(place+".tenants", "the list of tenants is empty: name some, or write tenants: all")
	}
	if s.Tenants.list == nil && s.Tenants.word != "" && s.Tenants.word != "all" {
		c.fail(place+".tenants", "tenants is %q: write all, or a list such as [%s]", s.Tenants.word, s.Tenants.word)
	}
	for i, f := range s.Formats {
		if !slices.Contains(schedule.Formats, f) {
			c.fail(fmt.Sprintf("%s.formats[%d]", place, i), "the format is %q: use %s", f, strings.Join(schedule.Formats, ", "))
		}
	}
	if len(s.Formats) > 0 && s.Directory == "" {
		c.fail(place+".formats", "directory is missing: say where the files go, such as directory: ./reports")
	}
	for i, name := range s.Notify {
		if !slices.Contains(notifiers, name) {
			c.fail(fmt.Sprintf("%s.notify[%d]", place, i), "there is no notifier %s: use %s", name, strings.Join(notifiers, ", "))
		}
	}
}

// summaryFiles looks into the files that the summaries' configuration names.
func (c *fileCheck) summaryFiles(cfg config) {
	if len(cfg.Summaries.Directories) > 0 {
		_, _, err := cfg.Summaries.statements()
		c.at("$.summaries.directories", err)
	}
	if cfg.Summaries.KeyFile != "" {
		_, err := chain.LoadKey(cfg.Summaries.KeyFile)
		c.at("$.summaries.key_file", err)
	}
}

// announcers are those of the notifiers that tell of summaries: all that there are.
func announcers(notifiers []alerting.Notifier) (all []alerting.Announcer) {
	for _, n := range notifiers {
		if a, can := n.(alerting.Announcer); can {
			all = append(all, a)
		}
	}
	return all
}
