package main

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/detectors"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// inventoryConfig is what the company knows: groups of networks (addresses and CIDR
// ranges), of users and service accounts, and of apps and other integrations (by id or
// name; * stands for any text).
type inventoryConfig struct {
	Networks map[string]groupConfig `yaml:"networks"`
	Users    map[string]groupConfig `yaml:"users"`
	Apps     map[string]groupConfig `yaml:"apps"`
}

// groupConfig is a list, or a list with a reason and the last day on which it holds.
type groupConfig struct {
	List   []string `yaml:"list"`
	Reason string   `yaml:"reason"`
	Until  string   `yaml:"until"`
	// short says that only the list is written.
	short bool
}

// UnmarshalYAML reads both forms.
func (g *groupConfig) UnmarshalYAML(node ast.Node) error {
	if node.Type() == ast.SequenceType {
		g.short = true
		return yaml.NodeToValue(node, &g.List, yaml.Strict())
	}
	type long groupConfig
	return yaml.NodeToValue(node, (*long)(g), yaml.Strict())
}

// place is where an entry of the list stands.
func (g groupConfig) place(group string, i int) string {
	if g.short {
		return fmt.Sprintf("%s[%d]", group, i)
	}
	return fmt.Sprintf("%s.list[%d]", group, i)
}

// inventory is the configured one, by group.
type inventory struct {
	networks    map[string][]detectors.KnownNetwork
	users, apps map[string][]detectors.KnownName
}

// all is the inventory without its groups.
func (i inventory) all() detectors.Inventory {
	return detectors.Inventory{Networks: ungrouped(i.networks), Users: ungrouped(i.users), Apps: ungrouped(i.apps)}
}

func ungrouped[T any](groups map[string][]T) (all []T) {
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		all = append(all, groups[name]...)
	}
	return all
}

var groupName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// inventory checks the inventory and reads it.
func (c *configCheck) inventory(cfg inventoryConfig) inventory {
	found := inventory{map[string][]detectors.KnownNetwork{}, map[string][]detectors.KnownName{}, map[string][]detectors.KnownName{}}
	for name, group := range c.groups("$.inventory.networks", cfg.Networks) {
		until := c.until(name.place+".until", group.Until)
		found.networks[name.name] = nil
		for i, text := range group.List {
			if network, ok := c.network(group.place(name.place, i), text, nil); ok {
				found.networks[name.name] = append(found.networks[name.name], detectors.KnownNetwork{Prefix: network, Until: until})
			}
		}
	}
	for _, kind := range []struct {
		place  string
		groups map[string]groupConfig
		to     map[string][]detectors.KnownName
	}{{"$.inventory.users", cfg.Users, found.users}, {"$.inventory.apps", cfg.Apps, found.apps}} {
		for name, group := range c.groups(kind.place, kind.groups) {
			until := c.until(name.place+".until", group.Until)
			kind.to[name.name] = nil
			for i, text := range group.List {
				if pattern, ok := c.pattern(group.place(name.place, i), text); ok {
					kind.to[name.name] = append(kind.to[name.name], detectors.KnownName{Pattern: pattern, Until: until})
				}
			}
		}
	}
	return found
}

type placedName struct{ name, place string }

// groups checks the names of groups, and that they are not empty.
func (c *configCheck) groups(place string, groups map[string]groupConfig) map[placedName]groupConfig {
	placed := map[placedName]groupConfig{}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		at := place + ".'" + name + "'"
		if !groupName.MatchString(name) {
			c.fail(place, "the group %q is not lower-case words joined by dashes: write for example offices or crm-sync-hosts", name)
			continue
		}
		if len(groups[name].List) == 0 {
			c.fail(at, "the group %s is empty: list its entries, or take it out", name)
		}
		placed[placedName{name, at}] = groups[name]
	}
	return placed
}

// day reads a day; the error is placed, and the zero time returned.
func (c *configCheck) day(place, text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		c.fail(place, "%q is no day: write for example 2026-12-31", text)
	}
	return day
}

// until is the moment at which a last day is over, in UTC.
func (c *configCheck) until(place, text string) time.Time {
	day := c.day(place, text)
	if day.IsZero() {
		return day
	}
	return day.AddDate(0, 0, 1)
}

// network reads an address or a CIDR range; groups are names that would do as well.
func (c *configCheck) network(place, text string, groups []string) (netip.Prefix, bool) {
	network, err := detectors.ParseNetwork(text)
	switch {
	case err != nil && groups == nil:
		c.fail(place, "%q is neither an address nor a network: write for example 203.0.113.9, 203.0.113.0/24 or 2001:db8:7::/48", text)
	case err != nil:
		c.fail(place, "%q is neither an address, nor a network, nor a group of inventory.networks (%s): write for example 203.0.113.0/24", text, orNone(groups))
	case network != network.Masked():
		c.fail(place, "the network %s has an address beyond its /%d: write %s for the network, or %s for the address alone", text, network.Bits(), network.Masked(), network.Addr())
	case network.Bits() == 0:
		c.fail(place, "the network %s holds every address: name those that you know", text)
	default:
		return network, true
	}
	return netip.Prefix{}, false
}

// pattern reads the id or name of a user or an app.
func (c *configCheck) pattern(place, text string) (string, bool) {
	pattern := strings.ToLower(strings.TrimSpace(text))
	switch {
	case strings.Trim(pattern, "* \t") == "":
		c.fail(place, "the pattern %q matches everybody: write an id or a name, such as svc-*@acme.example", text)
	case strings.Contains(pattern, " # "):
		c.fail(place, "the name %q holds \" # \": give the reason, or the last day, beside the list", text)
	default:
		return pattern, true
	}
	return "", false
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "it has none"
	}
	return strings.Join(names, ", ")
}
