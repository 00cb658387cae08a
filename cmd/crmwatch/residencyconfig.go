package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/agent"
	"github.com/crmwatch/crmwatch/schema"
)

// residencyConfig says in which region the data of each tenant is kept.
type residencyConfig struct {
	// Tenants are the regions by tenant; '*' stands for all others.
	Tenants map[string]string `yaml:"tenants"`
	// Quarantine is the region of records that could not be understood, or none.
	Quarantine string `yaml:"quarantine"`
}

// noRegion keeps records that could not be understood nowhere.
const noRegion = "none"

// named says whether the data of tenants is kept apart.
func (c residencyConfig) named() bool { return len(c.Tenants) > 0 || c.Quarantine != "" }

func (c residencyConfig) residency() schema.Residency {
	r := schema.Residency{Tenants: c.Tenants, Quarantine: c.Quarantine}
	if r.Quarantine == noRegion {
		r.Quarantine = ""
	}
	return r
}

// residency is what reading keeps out; nil where everything goes to one store, or where a
// collector parts it.
func (c *config) residency() *agent.Residency {
	if !c.Residency.named() {
		return nil
	}
	return &agent.Residency{Residency: c.Residency.residency(), Here: c.region()}
}

// region is that of the store that the configuration names.
func (c *config) region() string {
	if c.Ship.named() {
		return c.Ship.Region
	}
	return c.Store.Region
}

// regions checks the part residency, and returns the regions that it names.
func (c *configCheck) regions(cfg residencyConfig) []string {
	if !cfg.named() {
		if c.has("$.residency") {
			c.fail("$.residency", "residency names no tenant: write tenants: {acme: eu, '*': us}, or take it out")
		}
		return nil
	}
	if len(cfg.Tenants) == 0 {
		c.fail("$.residency", "residency names no tenant: write tenants: {acme: eu, '*': us}")
	}
	for _, tenant := range slices.Sorted(maps.Keys(cfg.Tenants)) {
		place := "$.residency.tenants.'" + tenant + "'"
		if c.tenant(place, tenant) {
			c.regionName(place, cfg.Tenants[tenant])
		}
	}
	if cfg.Quarantine != "" && cfg.Quarantine != noRegion {
		c.regionName("$.residency.quarantine", cfg.Quarantine)
	}
	r := cfg.residency()
	return r.Regions()
}

func (c *configCheck) regionName(place, region string) {
	if !groupName.MatchString(region) || region == noRegion {
		c.fail(place, "the region is %q: use lower-case words joined by dashes, such as eu or us-east", region)
	}
}

// residencyOf checks what a configuration of run or agent says of regions.
func (c *configCheck) residencyOf(cfg *config) {
	regions := c.regions(cfg.Residency)
	here, place := cfg.region(), "$.store.region"
	if cfg.Ship.named() {
		place = "$.ship.region"
		if cfg.Store.Region != "" {
			c.fail("$.store.region", "this is the configuration of an agent: name the region of its server as ship.region")
		}
	}
	switch {
	case cfg.Ship.Collector != "" && (here != "" || cfg.Residency.named()):
		c.fail("$.residency", "the collector knows what belongs where: leave residency and region to its configuration")
		return
	case here != "" && !cfg.Residency.named():
		c.fail(place, "a region does nothing by itself: say under residency which tenants belong into which")
		return
	case here == "" && cfg.Residency.named():
		c.fail("$.residency", "%s is missing: name the region of the store, one of %s", strings.TrimPrefix(place, "$."), strings.Join(regions, ", "))
		return
	case here == "":
		return
	}
	c.regionName(place, here)
	if !slices.Contains(regions, here) {
		c.fail(place, "no tenant belongs to the region %s: use one of %s", here, strings.Join(regions, ", "))
	}
	for i, s := range cfg.Sources {
		c.belongs(fmt.Sprintf("$.sources[%d].tenant", i), cfg.Residency.residency(), s.Tenant, here)
	}
	for i, r := range cfg.Receivers {
		c.belongs(fmt.Sprintf("$.receivers[%d].tenant", i), cfg.Residency.residency(), r.Tenant, here)
	}
}

// belongs wants a tenant that a configuration names to belong to the region of its store.
func (c *configCheck) belongs(place string, r schema.Residency, tenant, here string) {
	if tenant == "" {
		return
	}
	switch region, known := r.Region(tenant); {
	case !known:
		c.fail(place, "the tenant %s has no region: add it to residency.tenants, or an entry '*' for all others", tenant)
	case region != here:
		c.fail(place, "the tenant %s belongs to region %s, and this store is that of %s: read this source where that region's store is", tenant, region, here)
	}
}

// regionStoreConfig is the store of a region, for a collector.
type regionStoreConfig struct {
	Region  string `yaml:"region"`
	DSNFile string `yaml:"dsn_file"`
}

// collectorRegions checks the stores of a collector for several regions.
func (c *configCheck) collectorRegions(cfg *collectorConfig) {
	regions := c.regions(cfg.Residency)
	if len(cfg.Stores) == 0 {
		if cfg.Residency.named() && cfg.Store.Region == "" {
			c.fail("$.residency", "no store has a region: list stores, each with region and dsn_file, or name store.region")
		}
		if cfg.Store.Region != "" {
			c.regionName("$.store.region", cfg.Store.Region)
			if !cfg.Residency.named() {
				c.fail("$.store.region", "a region does nothing by itself: say under residency which tenants belong into which")
			}
		}
	} else if cfg.Data != "" || cfg.Store.DSNFile != "" || cfg.Store.Region != "" {
		c.fail("$.stores", "name either stores, or one store (data, or store)")
	}
	if len(cfg.Stores) > 0 && !cfg.Residency.named() {
		c.fail("$.stores", "nothing says which tenants belong into which region: add residency")
	}
	if cfg.Residency.named() && cfg.Residency.Quarantine == "" {
		c.fail("$.residency", "residency.quarantine is missing: nobody knows whose the records are that could not be understood; name the region that keeps them, or none")
	}
	seen := map[string]bool{}
	if cfg.Store.Region != "" {
		seen[cfg.Store.Region] = true
	}
	for i, s := range cfg.Stores {
		place := fmt.Sprintf("$.stores[%d]", i)
		c.regionName(place+".region", s.Region)
		if seen[s.Region] {
			c.fail(place+".region", "two stores are of the region %s", s.Region)
		}
		seen[s.Region] = true
		if s.DSNFile == "" {
			c.fail(place+".dsn_file", "the store of region %s has no dsn_file", s.Region)
		}
	}
	if len(seen) == 0 {
		return
	}
	for _, region := range regions {
		if !seen[region] {
			c.fail("$.residency", "the region %s has no store: add it to stores", region)
		}
	}
}
