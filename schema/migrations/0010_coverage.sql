-- What each rule could look at, for each tenant and product, when it was last checked.
CREATE TABLE IF NOT EXISTS rule_coverage
(
    checked_at DateTime64(3, 'UTC'),
    rule LowCardinality(String),
    metadata_tenant_uid LowCardinality(String),
    metadata_product_name LowCardinality(String),
    -- sees, part or blind
    sight LowCardinality(String),
    log_types Array(LowCardinality(String)),
    missing Array(LowCardinality(String)),
    events UInt64
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(checked_at)
ORDER BY (checked_at, rule, metadata_tenant_uid, metadata_product_name)
TTL toDateTime(checked_at) + INTERVAL 90 DAY;

-- How late each kind of log came: arrival less event time, in seconds.
CREATE TABLE IF NOT EXISTS source_lateness
(
    checked_at DateTime64(3, 'UTC'),
    metadata_tenant_uid LowCardinality(String),
    metadata_product_name LowCardinality(String),
    metadata_log_name LowCardinality(String),
    events UInt64,
    last_event DateTime64(3, 'UTC'),
    last_arrival DateTime64(3, 'UTC'),
    lateness_median_s UInt32,
    lateness_p95_s UInt32,
    lateness_max_s UInt32
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(checked_at)
ORDER BY (checked_at, metadata_tenant_uid, metadata_product_name, metadata_log_name)
TTL toDateTime(checked_at) + INTERVAL 90 DAY;
