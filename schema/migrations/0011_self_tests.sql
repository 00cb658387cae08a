-- Whether each rule still fires on the test events in its own file. The events
-- themselves are in a database of their own, which is gone when the test ends.
CREATE TABLE IF NOT EXISTS self_tests
(
    started_at DateTime64(3, 'UTC'),
    rule LowCardinality(String),
    test String,
    passed UInt8,
    problem String,
    duration_ms UInt32
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(started_at)
ORDER BY (rule, started_at, test)
TTL toDateTime(started_at) + INTERVAL 90 DAY;
