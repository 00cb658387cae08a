package detectors

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

const insertFindings = `INSERT INTO findings (finding_uid, version, detected_at, rule, severity_id, title, message, metadata_tenant_uid,
    metadata_product_name, entity_type, entity_uid, entity, window_from, window_to, first_seen, last_seen, count, attack, attributes,
    evidence, evidence_sql, controls)`

// SaveFindings stores findings; one that is stored already is replaced.
func SaveFindings(ctx context.Context, store schema.Store, findings []schema.Finding) error {
	return saveFindings(ctx, store, findings, time.Now())
}

// saveFindings is SaveFindings with the moment that decides, in microseconds, which
// of two rows of a finding is the newer.
func saveFindings(ctx context.Context, store schema.Store, findings []schema.Finding, now time.Time) error {
	if len(findings) == 0 {
		return nil
	}
	batch, err := store.PrepareBatch(writing(ctx), insertFindings)
	if err != nil {
		return fmt.Errorf("save findings: %w", err)
	}
	defer batch.Close()
	version := uint64(now.UnixMicro())
	for _, f := range findings {
		evidence := make([]string, len(f.Evidence))
		for i, uid := range f.Evidence {
			evidence[i] = uid.String()
		}
		attributes := f.Attributes
		if attributes == nil {
			attributes = map[string]string{}
		}
		err := batch.Append(f.UID.String(), version, f.DetectedAt, f.Rule, uint8(f.Severity), f.Title, f.Message, f.TenantUID,
			f.Product, f.EntityType, f.EntityUID, f.Entity, f.WindowFrom, f.WindowTo, f.FirstSeen, f.LastSeen, f.Count,
			append([]string{}, f.Attack...), attributes, evidence, f.EvidenceSQL,
			append([]string{}, f.Controls...))
		if err != nil {
			return fmt.Errorf("save finding %s of rule %s: %w", f.UID, f.Rule, err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("save findings: %w", err)
	}
	return nil
}

// FindingFilter says which stored findings to load; the zero value means all.
type FindingFilter struct {
	// Rule is a rule's id.
	Rule string
	// From and To bound the start of the findings' windows, [From, To).
	From, To time.Time
	// UIDs names findings one by one.
	UIDs []schema.UID
}

const selectFindings = `SELECT finding_uid, detected_at, rule, severity_id, title, message, metadata_tenant_uid, metadata_product_name,
    entity_type, entity_uid, entity, window_from, window_to, first_seen, last_seen, count, attack, attributes, evidence, evidence_sql, controls
FROM findings FINAL
WHERE ({rule:String} = '' OR rule = {rule:String})
  AND window_from >= {from:DateTime64(3)} AND window_from < {to:DateTime64(3)}
  AND (empty({uids:Array(String)}) OR toString(finding_uid) IN {uids:Array(String)})
ORDER BY first_seen, finding_uid`

// endOfTime is later than any event time that ClickHouse keeps.
var endOfTime = time.Date(2299, 12, 31, 0, 0, 0, 0, time.UTC)

// LoadFindings reads stored findings in the order of their first event.
func LoadFindings(ctx context.Context, store schema.Store, filter FindingFilter) ([]schema.Finding, error) {
	if filter.From.IsZero() {
		filter.From = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if filter.To.IsZero() {
		filter.To = endOfTime
	}
	uids := make([]string, len(filter.UIDs))
	for i, uid := range filter.UIDs {
		uids[i] = uid.String()
	}
	settings := clickhouse.Settings{"session_timezone": "UTC"}
	records, err := readRecords(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), store, selectFindings,
		schema.Named("rule", filter.Rule), schema.Named("uids", uids),
		clickhouse.DateNamed("from", filter.From, clickhouse.MilliSeconds), clickhouse.DateNamed("to", filter.To, clickhouse.MilliSeconds))
	if err != nil {
		return nil, fmt.Errorf("load findings: %w", err)
	}
	findings := make([]schema.Finding, 0, len(records))
	for _, row := range records {
		f, err := storedFinding(row)
		if err != nil {
			return nil, fmt.Errorf("load findings: %w", err)
		}
		findings = append(findings, f)
	}
	return findings, nil
}

func storedFinding(row record) (schema.Finding, error) {
	uid, err := uidOf(row["finding_uid"])
	if err != nil {
		return schema.Finding{}, err
	}
	evidence, err := uidsOf(row["evidence"])
	if err != nil {
		return schema.Finding{}, err
	}
	at := func(name string) time.Time {
		t, _ := row[name].(time.Time)
		return t.UTC()
	}
	severity, _ := row["severity_id"].(uint8)
	count, _ := row["count"].(uint64)
	attack, _ := row["attack"].([]string)
	controls, _ := row["controls"].([]string)
	attributes, _ := row["attributes"].(map[string]string)
	return schema.Finding{
		UID: uid, DetectedAt: at("detected_at"), Rule: textOf(row["rule"]), Severity: schema.Severity(severity),
		Title: textOf(row["title"]), Message: textOf(row["message"]), TenantUID: textOf(row["metadata_tenant_uid"]),
		Product: textOf(row["metadata_product_name"]), EntityType: textOf(row["entity_type"]), EntityUID: textOf(row["entity_uid"]),
		Entity: textOf(row["entity"]), WindowFrom: at("window_from"), WindowTo: at("window_to"), FirstSeen: at("first_seen"),
		LastSeen: at("last_seen"), Count: count, Attack: attack, Attributes: attributes, Evidence: evidence,
		EvidenceSQL: textOf(row["evidence_sql"]), Controls: controls,
	}, nil
}

// replaceFindings stores what an arrival found and deletes what the same windows
// said before and no longer say: rows that came late can take a finding back. A
// finding that was known keeps the moment of its first detection.
func replaceFindings(ctx context.Context, store schema.Store, a Arrival, now time.Time) ([]schema.Finding, error) {
	if len(a.Windows) == 0 {
		return nil, nil
	}
	stored, err := LoadFindings(ctx, store, a.replaces())
	if err != nil {
		return nil, err
	}
	current := map[schema.UID]int{}
	for i, f := range a.Findings {
		current[f.UID] = i
	}
	var gone []string
	for _, old := range stored {
		if i, known := current[old.UID]; known {
			a.Findings[i].DetectedAt = old.DetectedAt
		} else if a.saysAllOf(old) {
			gone = append(gone, old.UID.String())
		}
	}
	if err := saveFindings(ctx, store, a.Findings, now); err != nil {
		return nil, err
	}
	if len(gone) > 0 {
		err := store.Exec(ctx, "DELETE FROM findings WHERE toString(finding_uid) IN {uids:Array(String)}", schema.Named("uids", gone))
		if err != nil {
			return nil, fmt.Errorf("take back findings of rule %s: %w", a.Rule, err)
		}
	}
	return a.Findings, nil
}

// replaces bounds the findings that an arrival can change.
func (a Arrival) replaces() FindingFilter {
	filter := FindingFilter{Rule: a.Rule, From: a.Windows[0].From, To: a.Windows[len(a.Windows)-1].To}
	if a.scope == nil {
		return filter
	}
	filter.To = time.Time{}
	for _, from := range a.scope {
		if from.Before(filter.From) {
			filter.From = from
		}
	}
	return filter
}

// saysAllOf tells whether a stored finding would be among the arrival's, were it still
// true.
func (a Arrival) saysAllOf(old schema.Finding) bool {
	if a.horizon.passed(old.TenantUID, old.WindowFrom, old.WindowTo) {
		return false
	}
	if a.scope == nil {
		return inWindows(a.Windows, old.WindowFrom)
	}
	from, judged := a.scope[seriesKey{old.TenantUID, old.Product, old.EntityUID}]
	return judged && !old.WindowFrom.Before(from)
}

func inWindows(windows []Window, at time.Time) bool {
	for _, w := range windows {
		if !at.Before(w.From) && at.Before(w.To) {
			return true
		}
	}
	return false
}
