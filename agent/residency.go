package agent

import (
	"github.com/crmwatch/crmwatch/schema"
)

// Residency keeps out what belongs into the store of another region, before it is kept
// anywhere.
type Residency struct {
	schema.Residency
	// Here is the region of the store to which everything goes.
	Here string
}

// elsewhere says that a tenant's records do not belong here, and where they do.
func (r *Residency) elsewhere(tenant string) (detail string, is bool) {
	if r == nil {
		return "", false
	}
	switch region, known := r.Region(tenant); {
	case !known:
		return "its tenant has no region: this record and what follows of such tenants in this file are not stored; add the tenant to residency.tenants, or an entry '*'", true
	case region != r.Here:
		return "its tenant belongs to region " + region + ", and this store is that of " + r.Here + ": this record and what follows of such tenants in this file are not stored here", true
	}
	return "", false
}

// content is what may be kept of a record that could not be understood: it may be of any
// tenant.
func (r *Residency) content(text string) string {
	if r == nil || r.Quarantine == r.Here {
		return text
	}
	return ""
}

// outside is the first record of a file, and of one reading of it, that was kept out. Its
// place goes to quarantine and stands for those that follow.
type outside struct {
	any    bool
	offset int64
	detail string
}

func (o *outside) note(offset uint64, detail string) {
	if !o.any {
		*o = outside{true, int64(offset), detail}
	}
}

// row is the place for the table quarantine. It holds nothing of the record.
func (o *outside) row(source, file, format string) schema.Quarantined {
	var id schema.UIDHasher
	id.Part(schema.ReasonResidency)
	id.Part(source)
	id.Part(file)
	id.Number(uint64(o.offset))
	return schema.Quarantined{UID: id.Sum(), Source: source, File: file, LogFormat: format, Offset: uint64(o.offset), Reason: schema.ReasonResidency, Detail: o.detail}
}

// note puts the place of records that are kept out into the batch. It counts as none: the
// records are filtered.
func (s *sealer) note(q *schema.Quarantined) { s.quarantine.Add(q) }
