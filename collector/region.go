package collector

import (
	"fmt"
	"maps"
	"slices"

	"github.com/crmwatch/crmwatch/collector/insert"
	"github.com/crmwatch/crmwatch/schema"
)

// RegionStore is the database of a region.
type RegionStore struct {
	Region string
	Conn   schema.Store
}

type store struct {
	RegionStore
	inserter *insert.Inserter
}

// part is what of a delivery belongs into one store.
type part struct {
	*store
	schema.Delivery
}

// route parts a delivery by the regions of its tenants. events is its block of events, as
// it is without frames. A part has bytes and tokens of its own, and the same delivery has
// the same parts, so it can be sent again until every store has its part.
func (c *Collector) route(d schema.Delivery, events []byte) ([]part, error) {
	if c.Residency == nil {
		return []part{{c.stores[0], d}}, nil
	}
	regions := map[string]schema.Delivery{}
	if d.Events.Rows > 0 {
		split, err := schema.SplitEvents(events, d.Events.Rows, c.Residency.Region)
		if err != nil {
			return nil, err
		}
		for region, frames := range split {
			if frames.Hash == d.Events.Hash {
				frames = d.Events // in its frames, as it came
			}
			regions[region] = schema.Delivery{AgentUID: d.AgentUID, Sequence: d.Sequence, Sealed: d.Sealed, Events: frames}
		}
	}
	if region := c.Residency.Quarantine; d.Quarantine.Rows > 0 && region != "" {
		of := regions[region]
		of.AgentUID, of.Sequence, of.Sealed, of.Quarantine = d.AgentUID, d.Sequence, d.Sealed, d.Quarantine
		regions[region] = of
	}
	var parts []part
	for _, region := range slices.Sorted(maps.Keys(regions)) {
		i := slices.IndexFunc(c.stores, func(s *store) bool { return s.Region == region })
		if i < 0 {
			return nil, fmt.Errorf("the region %s has no store here", region)
		}
		parts = append(parts, part{c.stores[i], regions[region]})
	}
	return parts, nil
}

// filtered counts the records in quarantine that are kept nowhere.
func (c *Collector) filtered(agent string, d schema.Delivery) {
	if c.Residency == nil || c.Residency.Quarantine != "" || d.Quarantine.Rows == 0 {
		return
	}
	c.mu.Lock()
	c.stats.Filtered += uint64(d.Quarantine.Rows)
	c.mu.Unlock()
	c.Log.Warn("records that could not be understood are kept in no region", "agent", agent, "rule", schema.ReasonResidency, "records", d.Quarantine.Rows)
}
