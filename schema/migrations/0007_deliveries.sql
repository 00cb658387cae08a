-- Deliveries: what agents have delivered, one batch a row. A collector asks it whether
-- it knows a batch, so that collectors need no memory of their own.
CREATE TABLE IF NOT EXISTS deliveries
(
    agent_uid String,
    sequence UInt64,
    agent LowCardinality(String),
    events_hash FixedString(16),
    quarantine_hash FixedString(16),
    rows UInt64,
    quarantined UInt64,
    sealed_at DateTime64(3, 'UTC'),
    received_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY (agent_uid, sequence)
TTL toDateTime(received_at) + INTERVAL 90 DAY;
