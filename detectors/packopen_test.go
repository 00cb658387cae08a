package detectors

import (
	"bytes"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

var packOpen = flag.Bool("pack-open", false, "let every rule have found something on the last day: its first test that fires, at a tenant of its own")

// open inserts what each rule fires for on the last day of the history, as if it had arrived
// before the arrivals that are measured: a rule that has found something looks at the day
// again at each run.
func (h packHistory) open(b *testing.B, rules []Rule) {
	var known uint64
	if err := h.store.QueryRow(b.Context(), "SELECT count() FROM events WHERE startsWith(metadata_tenant_uid, 'open/')").Scan(&known); err != nil {
		b.Fatal(err)
	}
	if known > 0 {
		return
	}
	for _, statement := range []string{"DROP TABLE IF EXISTS opening", "CREATE TABLE opening AS events ENGINE = Memory"} {
		if err := h.store.Exec(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
	for _, rule := range rules {
		for _, test := range rule.Tests {
			if test.Kind != "fires" || len(test.Params) > 0 {
				continue
			}
			batch := schema.NewBatch()
			test.fill(batch, fmt.Sprintf("open/%s/", rule.ID), rule.Window)
			block, err := batch.AppendBlock(nil)
			if err != nil {
				b.Fatal(err)
			}
			if err := h.store.InsertFormat(b.Context(), "Native", "INSERT INTO opening", bytes.NewReader(block)); err != nil {
				b.Fatal(err)
			}
			break
		}
	}
	if err := h.store.Exec(clickhouse.Context(b.Context(), clickhouse.WithSettings(clickhouse.Settings{"max_partitions_per_insert_block": 0})),
		"INSERT INTO events SELECT * REPLACE (time + toIntervalDay({later:UInt32}) AS time, {arrived:DateTime64(3)} AS ingested_at) FROM opening",
		schema.Named("later", uint32(*packDays-1)), clickhouse.DateNamed("arrived", h.before.Add(-time.Second), clickhouse.MilliSeconds)); err != nil {
		b.Fatal(err)
	}
}
