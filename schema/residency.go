package schema

import (
	"maps"
	"slices"
)

// Residency says in which region the data of each tenant is kept.
type Residency struct {
	// Tenants are the regions by tenant; AnyTenant stands for those without one of their
	// own. A tenant without a region is kept nowhere.
	Tenants map[string]string
	// Quarantine is the region of records that could not be understood: nobody knows whose
	// they are. Empty is none: of them only the place is kept.
	Quarantine string
}

// AnyTenant is the tenant of a residency that stands for all others.
const AnyTenant = "*"

// ReasonResidency is the quarantine reason, and the name of the rule that filters, of what
// belongs to another region.
const ReasonResidency = "residency"

// Region is where a tenant's data is kept.
func (r *Residency) Region(tenant string) (region string, known bool) {
	if region, known = r.Tenants[tenant]; known && tenant != AnyTenant {
		return region, true
	}
	region, known = r.Tenants[AnyTenant]
	return region, known
}

// Regions lists the regions in order.
func (r *Residency) Regions() []string {
	regions := slices.Collect(maps.Values(r.Tenants))
	if r.Quarantine != "" {
		regions = append(regions, r.Quarantine)
	}
	slices.Sort(regions)
	return slices.Compact(regions)
}
