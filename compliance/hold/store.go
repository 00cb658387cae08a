package hold

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

const insertHold = `INSERT INTO legal_holds (hold_uid, version, created_at, created_by, reason, metadata_tenant_uid, users, entities, metadata_product_name,
    class_uid, hold_from, hold_to, released_at, released_by, release_reason)`

// Save stores a hold, and with a later moment its next version. It holds nothing back by
// itself: retention.Apply brings it into the tables.
func Save(ctx context.Context, store schema.Store, h Hold, now time.Time) error {
	if err := h.Check(); err != nil {
		return err
	}
	settings := clickhouse.Settings{"async_insert": 0, "session_timezone": "UTC"}
	batch, err := store.PrepareBatch(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), insertHold)
	if err != nil {
		return fmt.Errorf("save hold: %w", err)
	}
	defer batch.Close()
	or := func(at, otherwise time.Time) time.Time {
		if at.IsZero() {
			return otherwise
		}
		return at.UTC()
	}
	err = batch.Append(h.UID.String(), uint64(now.UnixMicro()), h.CreatedAt.UTC(), h.CreatedBy, h.Reason, h.Tenant, append([]string{}, h.Users...), append([]string{}, h.Entities...),
		h.Product, h.Class, or(h.From, startOfTime), or(h.To, endOfTime), or(h.ReleasedAt, startOfTime), h.ReleasedBy, h.ReleaseReason)
	if err == nil {
		err = batch.Send()
	}
	if err != nil {
		return fmt.Errorf("save hold: %w", err)
	}
	return nil
}

const selectHolds = `SELECT toString(hold_uid), created_at, created_by, reason, metadata_tenant_uid, users, entities, metadata_product_name, class_uid, hold_from, hold_to,
    released_at, released_by, release_reason
FROM legal_holds FINAL
ORDER BY created_at, hold_uid`

// All reads every hold, in the order in which they were made.
func All(ctx context.Context, store schema.Store) ([]Hold, error) {
	rows, err := store.Query(clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"session_timezone": "UTC"})), selectHolds)
	if err != nil {
		return nil, fmt.Errorf("read holds: %w", err)
	}
	defer rows.Close()
	var holds []Hold
	for rows.Next() {
		var h Hold
		var uid string
		if err := rows.Scan(&uid, &h.CreatedAt, &h.CreatedBy, &h.Reason, &h.Tenant, &h.Users, &h.Entities, &h.Product, &h.Class, &h.From, &h.To,
			&h.ReleasedAt, &h.ReleasedBy, &h.ReleaseReason); err != nil {
			return nil, fmt.Errorf("read holds: %w", err)
		}
		if h.UID, err = schema.ParseUID(uid); err != nil {
			return nil, fmt.Errorf("read holds: %w", err)
		}
		for _, at := range []*time.Time{&h.From, &h.ReleasedAt} {
			if *at = at.UTC(); at.Equal(startOfTime) {
				*at = time.Time{}
			}
		}
		if h.To = h.To.UTC(); h.To.Equal(endOfTime) {
			h.To = time.Time{}
		}
		// Who can write to the table is not trusted with the tables' expressions.
		if err := h.Check(); err != nil {
			return nil, fmt.Errorf("read hold %s: %w", uid, err)
		}
		holds = append(holds, h)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read holds: %w", err)
	}
	return holds, nil
}

// Active reads the holds that stand.
func Active(ctx context.Context, store schema.Store) ([]Hold, error) {
	all, err := All(ctx, store)
	if err != nil {
		return nil, err
	}
	var active []Hold
	for _, h := range all {
		if h.Stands() {
			active = append(active, h)
		}
	}
	return active, nil
}

// One finds the hold whose id begins with a text, among those that stand.
func One(ctx context.Context, store schema.Store, text string) (Hold, error) {
	active, err := Active(ctx, store)
	if err != nil {
		return Hold{}, err
	}
	var found []Hold
	for _, h := range active {
		if text != "" && strings.HasPrefix(h.UID.String(), strings.ToLower(text)) {
			found = append(found, h)
		}
	}
	switch len(found) {
	case 0:
		return Hold{}, fmt.Errorf("no hold that stands is called %s; list them with: crmwatch hold list", text)
	case 1:
		return found[0], nil
	}
	return Hold{}, fmt.Errorf("%d holds begin with %s: give more of the id", len(found), text)
}

// Held is how many rows of a table one hold covers.
type Held struct {
	Hold Hold
	Rows uint64
}

// Covering says which holds cover how many of the rows of a table that fulfil a condition.
// where is the caller's own SQL, with parameters for its values; empty is every row.
func Covering(ctx context.Context, store schema.Store, table, where string, args ...any) ([]Held, error) {
	active, err := Active(ctx, store)
	if err != nil {
		return nil, err
	}
	if where == "" {
		where = "1"
	}
	var covering []Held
	for _, h := range active {
		held := Held{Hold: h}
		statement := countHeld(table, Condition(table, []Hold{h}), where)
		if err := store.QueryRow(ctx, statement, args...).Scan(&held.Rows); err != nil {
			return nil, fmt.Errorf("count what is held of %s: %w", table, err)
		}
		if held.Rows > 0 {
			covering = append(covering, held)
		}
	}
	return covering, nil
}

func countHeld(table, condition, where string) string {
	return "SELECT count() FROM " + table + " FINAL WHERE (" + where + ") AND " + condition
}
