package detectors

import (
	"slices"
	"time"
)

// Inventory is what the installation says is its own, or is known to it.
type Inventory struct {
	Networks    []KnownNetwork
	Users, Apps []KnownName
}

// inventoryKinds are what a parameter can take from the inventory.
var inventoryKinds = []string{"networks", "users", "apps"}

// untilMark stands between an entry of a list and the last day on which it holds.
const untilMark = " # until "

// values are the entries of a kind, each with its last day if it has one.
func (i Inventory) values(kind string) (values []string) {
	add := func(value string, until time.Time) {
		if !until.IsZero() {
			value += untilMark + until.Add(-time.Nanosecond).UTC().Format(time.DateOnly)
		}
		values = append(values, value)
	}
	switch kind {
	case "networks":
		for _, n := range i.Networks {
			add(n.Prefix.String(), n.Until)
		}
	case "users":
		for _, n := range i.Users {
			add(n.Pattern, n.Until)
		}
	case "apps":
		for _, n := range i.Apps {
			add(n.Pattern, n.Until)
		}
	}
	return values
}

// WithInventory is the rule with what the inventory lists added to the parameters that
// ask for it.
func (r Rule) WithInventory(inventory Inventory) Rule {
	if r.inFile == nil {
		r.inFile = r.Params
	}
	r.Params = slices.Clone(r.Params)
	for i, p := range r.Params {
		list, isList := p.Value.([]string)
		if !isList {
			continue
		}
		list = slices.Clone(list)
		for _, kind := range p.Inventory {
			list = append(list, inventory.values(kind)...)
		}
		r.Params[i].Value = list
	}
	return r
}
