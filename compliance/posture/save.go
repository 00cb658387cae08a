package posture

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

// Save keeps what a run said, a row for each product of each result, in the table
// posture_results.
func Save(ctx context.Context, store schema.Store, r Report) error {
	if len(r.Results) == 0 {
		return nil
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"async_insert": 0}))
	batch, err := store.PrepareBatch(ctx, `INSERT INTO posture_results
    (ran_at, period_from, period_to, check_id, title, metadata_tenant_uid, metadata_product_name, verdict, looked_at, not_passed, not_judged, reason, evidence, controls)`)
	if err != nil {
		return fmt.Errorf("save posture: %w", err)
	}
	defer batch.Close()
	for _, x := range r.Results {
		products := x.Products
		if len(products) == 0 {
			// It concerns no product of the tenant.
			products = []Product{{Verdict: x.Verdict, Reason: x.Reason}}
		}
		for _, p := range products {
			evidence := []string{}
			for _, e := range p.Evidence {
				if e.Verdict != CannotJudge && len(evidence) < 5 {
					evidence = append(evidence, e.Thing+": "+e.Says)
				}
			}
			if err := batch.Append(r.RanAt, r.From, r.To, x.Check, x.Title, x.Tenant, p.Product, string(p.Verdict), p.LookedAt, p.NotPassed, p.NotJudged, p.Reason, evidence, x.Controls); err != nil {
				return fmt.Errorf("save posture: %w", err)
			}
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("save posture: %w", err)
	}
	return nil
}
