-- What rules of the kinds first_seen, sequence and silence remember, so that a run
-- reads what has arrived and not the history. A rule is named with a fingerprint of
-- its query: one that has changed builds its state anew. Rows that are written twice
-- are one row; they expire by the moment of writing, so that the state of old exports
-- lives as long as that of live logs.

-- When an entity showed a value. stretch is 0, or the number of the grid window where
-- the rule forgets. Rules of kind silence keep an entity's last bucket here, under the
-- value ''.
CREATE TABLE IF NOT EXISTS rule_seen
(
    rule LowCardinality(String),
    tenant LowCardinality(String),
    product LowCardinality(String),
    entity_uid String,
    value String,
    stretch Int64,
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_seen SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    saved_at SimpleAggregateFunction(max, DateTime('UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (rule, tenant, product, entity_uid, value, stretch)
TTL saved_at + INTERVAL 400 DAY;

-- The events that are steps of a sequence.
CREATE TABLE IF NOT EXISTS rule_steps
(
    rule LowCardinality(String),
    tenant LowCardinality(String),
    product LowCardinality(String),
    entity_uid String,
    time DateTime64(3, 'UTC'),
    step LowCardinality(String),
    event_uid UUID,
    value String,
    entity String,
    saved_at DateTime('UTC')
)
ENGINE = ReplacingMergeTree(saved_at)
ORDER BY (rule, tenant, product, entity_uid, time, step, event_uid, value)
TTL saved_at + INTERVAL 100 DAY;

-- The buckets in which an entity did something. Nearly all that a run asks for is of
-- the last hours, so days come before entities; of a few entities it asks for all.
CREATE TABLE IF NOT EXISTS rule_activity
(
    rule LowCardinality(String),
    tenant LowCardinality(String),
    product LowCardinality(String),
    entity_uid String,
    bucket DateTime('UTC'),
    saved_at DateTime('UTC')
)
ENGINE = ReplacingMergeTree(saved_at)
ORDER BY (rule, toDate(bucket), tenant, product, entity_uid, bucket)
TTL saved_at + INTERVAL 100 DAY
SETTINGS index_granularity = 512;

-- Every run asks what has arrived since the last: without this, it reads a column of
-- all events to know.
ALTER TABLE events ADD INDEX IF NOT EXISTS ingested_at_range ingested_at TYPE minmax GRANULARITY 1;

ALTER TABLE events MATERIALIZE INDEX ingested_at_range;
