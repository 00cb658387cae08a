package alerting

import (
	"slices"
	"time"

	"github.com/crmwatch/crmwatch/schema"
	"github.com/zeebo/xxh3"
)

// contentHash covers all of an alert that a person is shown: when it changes,
// messages are brought up to date; when it does not, nothing is sent. The times
// at which crmwatch itself did something are left out, or every evaluation of a
// window would be news.
func contentHash(a schema.Alert) uint64 {
	var h schema.UIDHasher
	for _, s := range []string{string(a.Status), a.MergedInto.String(), a.Title, a.TenantUID, a.EntityType, a.EntityUID, a.Entity} {
		h.Part(s)
	}
	h.Part(a.StatusBy)
	h.Part(a.StatusNote)
	h.Number(uint64(storedTime(a.StatusAt).UnixMilli()))
	h.Number(uint64(storedTime(a.SnoozedUntil).UnixMilli()))
	h.Number(uint64(a.Severity))
	h.Number(uint64(a.FirstSeen.UnixMilli()))
	h.Number(uint64(a.LastSeen.UnixMilli()))
	parts(&h, a.Attack)
	h.Number(uint64(len(a.FindingUIDs)))
	for _, f := range a.Findings {
		hashFinding(&h, f)
	}
	sum := h.Sum()
	return xxh3.Hash(sum[:])
}

func hashFinding(h *schema.UIDHasher, f schema.Finding) {
	for _, s := range []string{f.UID.String(), f.Rule, f.Title, f.Message, f.Product, f.EvidenceSQL} {
		h.Part(s)
	}
	for _, t := range []time.Time{f.FirstSeen, f.LastSeen, f.WindowFrom, f.WindowTo} {
		h.Number(uint64(storedTime(t).UnixMilli()))
	}
	h.Number(uint64(f.Severity))
	h.Number(f.Count)
	h.Number(uint64(len(f.Evidence)))
	parts(h, f.Attack)
	parts(h, f.Controls)
	names := make([]string, 0, len(f.Attributes))
	for name := range f.Attributes {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		h.Part(name)
		h.Part(f.Attributes[name])
	}
}

func parts(h *schema.UIDHasher, list []string) {
	h.Number(uint64(len(list)))
	for _, s := range list {
		h.Part(s)
	}
}
