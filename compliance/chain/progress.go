package chain

import (
	"context"
	"fmt"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// Progress is how far the summaries of a schedule have come, of one tenant and kind of
// period.
type Progress struct {
	Tenant, Period string
	// UpTo is the end of the last period that was made or skipped; the beginning of the
	// first one before that.
	UpTo time.Time
}

// ReadProgress reads the lines of schedules that have begun and not ended.
func ReadProgress(ctx context.Context, store schema.Store) ([]Progress, error) {
	rows, err := store.Query(ctx, `SELECT kind, content FROM evidence_chain FINAL WHERE kind IN ('schedule', 'skipped') ORDER BY sequence`)
	if err != nil {
		return nil, fmt.Errorf("read evidence chain: %w", err)
	}
	defer rows.Close()
	type key struct{ tenant, period string }
	upTo := map[key]time.Time{}
	for rows.Next() {
		var kind, text string
		if err := rows.Scan(&kind, &text); err != nil {
			return nil, fmt.Errorf("read evidence chain: %w", err)
		}
		switch Kind(kind) {
		case KindSchedule:
			c, err := decode[ScheduleContent](Entry{Content: text})
			if err != nil {
				return nil, err
			}
			if c.State == ScheduleEnded {
				delete(upTo, key{c.Tenant, c.Period})
			} else {
				upTo[key{c.Tenant, c.Period}] = c.From.UTC()
			}
		case KindSkipped:
			c, err := decode[SkippedContent](Entry{Content: text})
			if err != nil {
				return nil, err
			}
			if at := (key{c.Tenant, c.Period}); !upTo[at].IsZero() {
				upTo[at] = later(upTo[at], c.To.UTC())
			}
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read evidence chain: %w", err)
	}
	made, err := store.Query(ctx, "SELECT tenant_uid, toString(period), max(period_to) FROM summaries FINAL WHERE made_for = 'schedule' GROUP BY tenant_uid, period")
	if err != nil {
		return nil, fmt.Errorf("read summaries: %w", err)
	}
	defer made.Close()
	for made.Next() {
		var at key
		var to time.Time
		if err := made.Scan(&at.tenant, &at.period, &to); err != nil {
			return nil, fmt.Errorf("read summaries: %w", err)
		}
		if !upTo[at].IsZero() {
			upTo[at] = later(upTo[at], to.UTC())
		}
	}
	if err := made.Err(); err != nil {
		return nil, fmt.Errorf("read summaries: %w", err)
	}
	list := make([]Progress, 0, len(upTo))
	for k, to := range upTo {
		list = append(list, Progress{k.tenant, k.period, to})
	}
	return list, nil
}
