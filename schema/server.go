package schema

import "github.com/ClickHouse/clickhouse-go/v2"

// ServerSettings are what every statement to a server or a cluster carries. They change
// nothing on a server of its own; a cluster would do otherwise
//   - answer an insert before the shards have it,
//   - refuse a rule that looks into events for what it seeks in events,
//   - read from a replica that has fallen behind, so that a rule passes over arrivals
//     which that replica does not have yet: now the query fails when no replica of a
//     shard is up to date, and the rule comes back to the same arrivals,
//   - let a delete fail because a replica is down, though that one will do it later.
func ServerSettings() clickhouse.Settings {
	return clickhouse.Settings{
		"async_insert":                                       0,
		"distributed_foreground_insert":                      1,
		"distributed_product_mode":                           "global",
		"max_replica_delay_for_distributed_queries":          3, // seconds; below the settle of rules
		"fallback_to_stale_replicas_for_distributed_queries": 0,
		"lightweight_deletes_sync":                           1,
	}
}
