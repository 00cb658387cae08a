package alerting

import (
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// AlertDocument is an alert as JSON, for programs: what `crmwatch alerts list --json`
// writes, and what webhooks and files get. Fields are only ever added.
type AlertDocument struct {
	UID          string            `json:"alert_uid"`
	Version      uint64            `json:"version"`
	Status       string            `json:"status"`
	StatusBy     string            `json:"status_by,omitempty"`
	StatusAt     *time.Time        `json:"status_at,omitempty"`
	StatusNote   string            `json:"status_note,omitempty"`
	SnoozedUntil *time.Time        `json:"snoozed_until,omitempty"`
	MergedInto   string            `json:"merged_into,omitempty"`
	RisenAt      *time.Time        `json:"risen_at,omitempty"`
	Risen        string            `json:"risen,omitempty"`
	Severity     string            `json:"severity"`
	Title        string            `json:"title"`
	Tenant       string            `json:"tenant,omitempty"`
	EntityType   string            `json:"entity_type"`
	EntityUID    string            `json:"entity_uid"`
	Entity       string            `json:"entity"`
	Products     []string          `json:"products,omitempty"`
	FirstSeen    time.Time         `json:"first_seen"`
	LastSeen     time.Time         `json:"last_seen"`
	Attack       []string          `json:"attack,omitempty"`
	Findings     []FindingDocument `json:"findings,omitempty"`
}

// FindingDocument is a finding of an AlertDocument.
type FindingDocument struct {
	UID         string            `json:"finding_uid"`
	Rule        string            `json:"rule"`
	Severity    string            `json:"severity"`
	Title       string            `json:"title"`
	Message     string            `json:"message"`
	Product     string            `json:"product,omitempty"`
	FirstSeen   time.Time         `json:"first_seen"`
	LastSeen    time.Time         `json:"last_seen"`
	Count       uint64            `json:"count"`
	Attack      []string          `json:"attack,omitempty"`
	Controls    []string          `json:"controls,omitempty"`
	Attributes  map[string]string `json:"attributes,omitempty"`
	Evidence    []string          `json:"evidence,omitempty"`
	EvidenceSQL string            `json:"evidence_sql,omitempty"`
}

// Document is an alert for programs; its times are UTC.
func Document(a schema.Alert) AlertDocument {
	d := AlertDocument{
		UID: a.UID.String(), Version: a.Version, Status: string(a.Status), StatusBy: a.StatusBy, StatusNote: a.StatusNote,
		StatusAt: moment(a.StatusAt), SnoozedUntil: moment(a.SnoozedUntil), RisenAt: moment(a.RisenAt), Risen: a.Risen,
		Severity: a.Severity.String(), Title: a.Title, Tenant: a.TenantUID,
		EntityType: a.EntityType, EntityUID: a.EntityUID, Entity: a.Entity,
		FirstSeen: a.FirstSeen.UTC(), LastSeen: a.LastSeen.UTC(), Attack: a.Attack, Products: productList(a),
	}
	if a.Status == schema.AlertMerged {
		d.MergedInto = a.MergedInto.String()
	}
	for _, f := range a.Findings {
		first, last := seen(f)
		d.Findings = append(d.Findings, FindingDocument{
			UID: f.UID.String(), Rule: f.Rule, Severity: f.Severity.String(), Title: f.Title, Message: f.Message, Product: f.Product,
			FirstSeen: first.UTC(), LastSeen: last.UTC(), Count: f.Count, Attack: f.Attack, Controls: f.Controls, Attributes: f.Attributes,
			Evidence: writeUIDs(f.Evidence), EvidenceSQL: f.EvidenceSQL,
		})
	}
	return d
}

// moment is a time that may be missing.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
