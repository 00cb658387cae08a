-- Where each rule stands: arrivals up to the watermark have been looked at.
CREATE TABLE IF NOT EXISTS watermarks
(
    rule LowCardinality(String),
    version UInt64,
    watermark DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(version)
ORDER BY rule;

-- What each run of a rule did, for "why did it not fire" and for its cost.
CREATE TABLE IF NOT EXISTS rule_runs
(
    rule LowCardinality(String),
    started_at DateTime64(3, 'UTC'),
    duration_ms UInt32,
    arrived_from DateTime64(3, 'UTC'),
    arrived_to DateTime64(3, 'UTC'),
    windows UInt32,
    findings UInt32,
    error String
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(started_at)
ORDER BY (rule, started_at)
TTL toDateTime(started_at) + INTERVAL 30 DAY;
