package detectors

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

const insertSuppressed = `INSERT INTO suppressed_findings (finding_uid, version, suppressed_at, reason, rule, severity_id, message, metadata_tenant_uid,
    metadata_product_name, entity_type, entity_uid, entity, window_from, first_seen, last_seen, count, evidence)`

const selectSuppressed = `SELECT finding_uid, metadata_tenant_uid, metadata_product_name, entity_uid, window_from
FROM suppressed_findings FINAL
WHERE rule = {rule:String} AND window_from >= {from:DateTime64(3)} AND window_from < {to:DateTime64(3)}`

// replaceSuppressed stores what the exceptions of an arrival's rule suppressed, and
// deletes what was suppressed before in the same windows and is not any more, because it
// has become untrue, or a finding.
func replaceSuppressed(ctx context.Context, store schema.Store, a Arrival, now time.Time) error {
	if len(a.Windows) == 0 {
		return nil
	}
	if err := saveSuppressed(ctx, store, a.Suppressed, now); err != nil {
		return err
	}
	within := a.replaces()
	if within.To.IsZero() {
		within.To = endOfTime
	}
	settings := clickhouse.Settings{"session_timezone": "UTC"}
	stored, err := readRecords(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), store, selectSuppressed, schema.Named("rule", a.Rule),
		clickhouse.DateNamed("from", within.From, clickhouse.MilliSeconds), clickhouse.DateNamed("to", within.To, clickhouse.MilliSeconds))
	if err != nil {
		return fmt.Errorf("load suppressed findings of rule %s: %w", a.Rule, err)
	}
	current := map[schema.UID]bool{}
	for _, f := range a.Suppressed {
		current[f.UID] = true
	}
	var gone []string
	for _, row := range stored {
		uid, err := uidOf(row["finding_uid"])
		if err != nil {
			return fmt.Errorf("load suppressed findings of rule %s: %w", a.Rule, err)
		}
		from, _ := row["window_from"].(time.Time)
		old := schema.Finding{TenantUID: textOf(row["metadata_tenant_uid"]), Product: textOf(row["metadata_product_name"]), EntityUID: textOf(row["entity_uid"]), WindowFrom: from.UTC(), WindowTo: from.UTC().Add(a.Windows[0].To.Sub(a.Windows[0].From))}
		if !current[uid] && a.saysAllOf(old) {
			gone = append(gone, uid.String())
		}
	}
	if len(gone) == 0 {
		return nil
	}
	if err := store.Exec(ctx, "DELETE FROM suppressed_findings WHERE toString(finding_uid) IN {uids:Array(String)}", schema.Named("uids", gone)); err != nil {
		return fmt.Errorf("take back suppressed findings of rule %s: %w", a.Rule, err)
	}
	return nil
}

func saveSuppressed(ctx context.Context, store schema.Store, suppressed []schema.Finding, now time.Time) error {
	if len(suppressed) == 0 {
		return nil
	}
	batch, err := store.PrepareBatch(writing(ctx), insertSuppressed)
	if err != nil {
		return fmt.Errorf("save suppressed findings: %w", err)
	}
	defer batch.Close()
	for _, f := range suppressed {
		evidence := make([]string, len(f.Evidence))
		for i, uid := range f.Evidence {
			evidence[i] = uid.String()
		}
		err := batch.Append(f.UID.String(), uint64(now.UnixMicro()), now, f.Suppressed, f.Rule, uint8(f.Severity), f.Message, f.TenantUID,
			f.Product, f.EntityType, f.EntityUID, f.Entity, f.WindowFrom, f.FirstSeen, f.LastSeen, f.Count, evidence)
		if err != nil {
			return fmt.Errorf("save suppressed finding %s of rule %s: %w", f.UID, f.Rule, err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("save suppressed findings: %w", err)
	}
	return nil
}

// noted counts the findings that an exception made notes.
func noted(findings []schema.Finding) (n uint32) {
	for _, f := range findings {
		if _, has := f.Attributes[ExceptionAttribute]; has {
			n++
		}
	}
	return n
}

// ExceptionUse is how often an exception, known by its reason, applied to a rule.
type ExceptionUse struct {
	Rule, Reason string
	// Suppressed and Noted count the stored findings of the stretch of event time.
	Suppressed, Noted uint64
	// Last is the last event of them all.
	Last time.Time
}

const exceptionUses = `SELECT rule, reason, sum(s) AS suppressed, sum(n) AS noted, max(last) AS last
FROM
(
    SELECT rule, reason, 1 AS s, 0 AS n, last_seen AS last
    FROM suppressed_findings FINAL
    WHERE last_seen >= {from:DateTime64(3)} AND last_seen < {to:DateTime64(3)}
    UNION ALL
    SELECT rule, attributes['exception'] AS reason, 0 AS s, 1 AS n, last_seen AS last
    FROM findings FINAL
    WHERE last_seen >= {from:DateTime64(3)} AND last_seen < {to:DateTime64(3)} AND mapContains(attributes, 'exception')
)
GROUP BY rule, reason
ORDER BY rule, reason`

// ExceptionUses says which exceptions applied to stored findings whose last event lies
// within a stretch of event time.
func ExceptionUses(ctx context.Context, store schema.Store, within Window) ([]ExceptionUse, error) {
	settings := clickhouse.Settings{"session_timezone": "UTC"}
	records, err := readRecords(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), store, exceptionUses,
		clickhouse.DateNamed("from", within.From, clickhouse.MilliSeconds), clickhouse.DateNamed("to", within.To, clickhouse.MilliSeconds))
	if err != nil {
		return nil, fmt.Errorf("count what exceptions apply to: %w", err)
	}
	uses := make([]ExceptionUse, len(records))
	for i, row := range records {
		uses[i] = ExceptionUse{Rule: textOf(row["rule"]), Reason: textOf(row["reason"])}
		uses[i].Suppressed, _ = row["suppressed"].(uint64)
		uses[i].Noted, _ = row["noted"].(uint64)
		uses[i].Last, _ = row["last"].(time.Time)
	}
	return uses, nil
}
