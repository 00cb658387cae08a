-- What the checks of crmwatch posture said: a row for each run, check, tenant and product.
CREATE TABLE IF NOT EXISTS posture_results
(
    ran_at DateTime64(3, 'UTC'),
    -- what was looked at, in event time
    period_from DateTime64(3, 'UTC'),
    period_to DateTime64(3, 'UTC'),
    check_id LowCardinality(String),
    title LowCardinality(String),
    metadata_tenant_uid LowCardinality(String),
    -- empty where the tenant has no log of a product that the check concerns
    metadata_product_name LowCardinality(String),
    -- pass, attention, fail or cannot judge
    verdict LowCardinality(String),
    -- things that were judged, that did not pass, and that could not be judged
    looked_at UInt64,
    not_passed UInt64,
    not_judged UInt64,
    -- why it could not be judged
    reason String,
    -- the worst five, each with what was seen
    evidence Array(String),
    controls Array(LowCardinality(String))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(ran_at)
ORDER BY (metadata_tenant_uid, check_id, metadata_product_name, ran_at)
TTL toDateTime(ran_at) + INTERVAL 800 DAY;
