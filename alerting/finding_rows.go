package alerting

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// withFindings loads the alerts' findings. Those that are not in the database any
// more stay known by their uids.
func withFindings(ctx context.Context, store schema.Store, saved []savedAlert) ([]schema.Alert, error) {
	var uids []schema.UID
	for _, a := range saved {
		uids = append(uids, a.FindingUIDs...)
	}
	findings := make(map[schema.UID]schema.Finding, len(uids))
	for chunk := range slices.Chunk(uids, uidChunk) {
		if err := readFindings(ctx, store, chunk, findings); err != nil {
			return nil, err
		}
	}
	alerts := make([]schema.Alert, len(saved))
	for i, a := range saved {
		alerts[i] = a.Alert
		for _, uid := range a.FindingUIDs {
			if f, ok := findings[uid]; ok {
				alerts[i].Findings = append(alerts[i].Findings, f)
			}
		}
		slices.SortFunc(alerts[i].Findings, inOrder)
	}
	return alerts, nil
}

func readFindings(ctx context.Context, store schema.Store, uids []schema.UID, into map[schema.UID]schema.Finding) error {
	rows, err := store.Query(ctx, `SELECT toString(finding_uid), detected_at, rule, severity_id, title, message, metadata_tenant_uid, metadata_product_name,
		entity_type, entity_uid, entity, window_from, window_to, first_seen, last_seen, count, attack, attributes,
		arrayMap(u -> toString(u), evidence), evidence_sql, controls
		FROM findings FINAL WHERE finding_uid IN {uids:Array(UUID)}`, schema.Named("uids", writeUIDs(uids)))
	if err != nil {
		return fmt.Errorf("read findings: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var (
			f                            schema.Finding
			uid                          string
			severity                     uint8
			evidence                     []string
			detected, from, to, fst, lst time.Time
		)
		if err := rows.Scan(&uid, &detected, &f.Rule, &severity, &f.Title, &f.Message, &f.TenantUID, &f.Product,
			&f.EntityType, &f.EntityUID, &f.Entity, &from, &to, &fst, &lst, &f.Count, &f.Attack, &f.Attributes,
			&evidence, &f.EvidenceSQL, &f.Controls); err != nil {
			return fmt.Errorf("read findings: %w", err)
		}
		f.Severity = schema.Severity(severity)
		f.DetectedAt, f.WindowFrom, f.WindowTo = loadedTime(detected), loadedTime(from), loadedTime(to)
		f.FirstSeen, f.LastSeen = loadedTime(fst), loadedTime(lst)
		if f.UID, err = schema.ParseUID(uid); err != nil {
			return fmt.Errorf("read findings: %w", err)
		}
		if f.Evidence, err = parseUIDs(evidence); err != nil {
			return fmt.Errorf("read findings: %w", err)
		}
		if len(f.Controls) == 0 {
			f.Controls = nil
		}
		into[f.UID] = f
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read findings: %w", err)
	}
	return nil
}
