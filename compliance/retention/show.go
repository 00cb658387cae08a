package retention

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/compliance/audit"
	"github.com/crmwatch/crmwatch/compliance/hold"
	"github.com/crmwatch/crmwatch/schema"
)

// Kept is how a table stands: what it holds of one tenant and class, where it knows them.
type Kept struct {
	What   What   `json:"what"`
	Table  string `json:"table"`
	Tenant string `json:"tenant,omitempty"`
	Class  uint16 `json:"class_uid,omitempty"`
	// KeptFor is how long: such as 400d, or forever.
	KeptFor string `json:"kept_for"`
	// Oldest is the oldest moment that a row tells of, NextDue when the first row that is
	// not held may be deleted; zero is never.
	Oldest  time.Time `json:"oldest,omitzero"`
	NextDue time.Time `json:"next_due,omitzero"`
	// Rows counts rows as they are stored, repeated ones too; Due those that may go now,
	// and wait for the engine to merge.
	Rows uint64 `json:"rows"`
	Due  uint64 `json:"due"`
	// Bytes is the part of the table's bytes on this server's disk, by its rows.
	Bytes uint64 `json:"bytes_on_disk"`
	// Held are the holds that stand and cover some of the rows.
	Held []HeldBy `json:"held_by,omitempty"`
}

// HeldBy is how many rows one hold covers.
type HeldBy struct {
	Hold schema.UID `json:"hold_uid"`
	Rows uint64     `json:"rows"`
}

// Show says how everything stands, as the tables are now. It reads a few columns of all
// rows.
func Show(ctx context.Context, store schema.Store) ([]Kept, error) {
	policy, _, err := Stored(ctx, store)
	if err != nil {
		return nil, err
	}
	holds, err := hold.Active(ctx, store)
	if err != nil {
		return nil, err
	}
	place, err := schema.FindPlace(ctx, store)
	if err != nil {
		return nil, err
	}
	has, err := readNow(ctx, store)
	if err != nil {
		return nil, err
	}
	var all []Kept
	for i := range tables {
		t := &tables[i]
		current, there := has[place.Stored(t.name)]
		if !there {
			continue
		}
		found, err := t.show(ctx, store, place, policy, holds, current.ttl)
		if err != nil {
			return nil, fmt.Errorf("look at how %s is kept: %w", t.name, err)
		}
		all = append(all, found...)
	}
	return all, nil
}

const endOfTTL = 4291747200 // never, in Unix seconds

func (t *table) show(ctx context.Context, store schema.Store, place schema.Place, p Policy, holds []hold.Hold, ttl string) ([]Kept, error) {
	var bytes, stored uint64
	if err := store.QueryRow(ctx, "SELECT sum(bytes_on_disk), sum(rows) FROM system.parts WHERE active AND database = currentDatabase() AND table = {table:String}",
		schema.Named("table", place.Stored(t.name))).Scan(&bytes, &stored); err != nil {
		return nil, err
	}
	settings := clickhouse.Settings{"session_timezone": "UTC", "final": 0}
	rows, err := store.Query(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), t.showQuery(holds, ttl))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Kept
	for rows.Next() {
		k := Kept{What: t.what, Table: t.name}
		var audited uint8
		var oldest, due int64
		var held []uint64
		if err := rows.Scan(&k.Tenant, &k.Class, &audited, &k.Rows, &oldest, &due, &k.Due, &held); err != nil {
			return nil, err
		}
		if audited == 1 {
			k.What = Audit
		}
		k.Oldest = time.Unix(oldest, 0).UTC()
		if due > 0 && due < endOfTTL {
			k.NextDue = time.Unix(due, 0).UTC()
		}
		if stored > 0 {
			k.Bytes = uint64(float64(bytes) * float64(k.Rows) / float64(stored))
		}
		k.KeptFor = t.keptFor(p, k)
		for i, n := range held {
			if n > 0 {
				k.Held = append(k.Held, HeldBy{holds[i].UID, n})
			}
		}
		all = append(all, k)
	}
	return all, rows.Err()
}

// keptFor is in words what the policy says of a row of Show.
func (t *table) keptFor(p Policy, k Kept) string {
	var keep time.Duration
	told := true
	switch {
	case k.What == Audit:
		keep = p.Keep(Audit, "", 0)
	case k.What == Digests:
		if keep, told = p.find(Digests, "", 0); !told && slices.ContainsFunc(p.rules, func(r Rule) bool { return r.What == Events }) {
			return "as its events"
		}
	default:
		keep = p.Keep(k.What, k.Tenant, k.Class)
	}
	if keep == Forever && t.base != "" {
		return "a while after use"
	}
	return KeepText(keep)
}

// showQuery reads a table by tenant and class. ttl is the table's own, as the server
// writes it.
func (t *table) showQuery(holds []hold.Hold, ttl string) string {
	or := func(column, otherwise string) string {
		if column == "" {
			return otherwise
		}
		return column
	}
	audited := "toUInt8(0)"
	if t.what == Events {
		audited = "toUInt8(metadata_product_name = " + schema.Literal(audit.Product) + ")"
	}
	held := make([]string, len(holds))
	for i, h := range holds {
		held[i] = "countIf(" + hold.Condition(t.name, []hold.Hold{h}) + ")"
	}
	counts := "emptyArrayUInt64()"
	if len(held) > 0 {
		counts = "[" + strings.Join(held, ", ") + "]"
	}
	due := or(ttl, never)
	return "SELECT toString(" + or(t.tenant, "''") + ") AS of_tenant, toUInt16(" + or(t.class, "0") + ") AS of_class, " + audited + " AS audited, count(), toInt64(toUnixTimestamp(min(" + t.shown + "))), toInt64(toUnixTimestamp(min(" + due + "))), countIf(" + due + " <= now()), " + counts + `
FROM ` + t.name + `
GROUP BY of_tenant, of_class, audited
ORDER BY of_tenant, of_class, audited`
}
