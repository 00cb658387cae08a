package audit

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// WriteMissing writes those of the records that the store does not have, and says how
// many: what a process did not come to write is written by the next one. The records
// need identities that are the same each time; see Record.UID.
func WriteMissing(ctx context.Context, store schema.Store, records ...Record) (written int, err error) {
	if len(records) == 0 {
		return 0, nil
	}
	uids := make([]string, len(records))
	var classes []uint16
	from, to := records[0].At, records[0].At
	for i, r := range records {
		uids[i] = r.identity().String()
		if of := uint16(classOf(r.Action).class); !slices.Contains(classes, of) {
			classes = append(classes, of)
		}
		if r.At.Before(from) {
			from = r.At
		}
		if r.At.After(to) {
			to = r.At
		}
	}
	known, err := knownEvents(ctx, store, uids, classes, from, to)
	if err != nil {
		return 0, err
	}
	var missing []Record
	for i, r := range records {
		if !known[uids[i]] {
			missing = append(missing, r)
		}
	}
	return len(missing), Write(ctx, store, missing...)
}

func knownEvents(ctx context.Context, store schema.Store, uids []string, classes []uint16, from, to time.Time) (map[string]bool, error) {
	rows, err := store.Query(ctx, `SELECT DISTINCT toString(event_uid) FROM events
WHERE class_uid IN {classes:Array(UInt16)} AND metadata_product_name = {product:String} AND has(arrayMap(u -> toUUID(u), {uids:Array(String)}), event_uid)
    AND time >= fromUnixTimestamp64Milli({from:Int64}) AND time <= fromUnixTimestamp64Milli({to:Int64})`,
		schema.Named("product", Product), schema.Named("uids", uids), schema.Named("classes", classes), schema.Named("from", from.UnixMilli()), schema.Named("to", to.UnixMilli()))
	if err != nil {
		return nil, fmt.Errorf("look for audit events: %w", err)
	}
	defer rows.Close()
	known := map[string]bool{}
	for rows.Next() {
		var uid string
		if err := rows.Scan(&uid); err != nil {
			return nil, fmt.Errorf("look for audit events: %w", err)
		}
		known[uid] = true
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("look for audit events: %w", err)
	}
	return known, nil
}
