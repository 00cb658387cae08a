-- More of the summary, so that a run of all rules reads little of it, however long the
-- history is.

-- What was read of each object in the hour: records and bytes of queries that tell both.
ALTER TABLE event_hours ADD COLUMN IF NOT EXISTS object_records Map(String, UInt64);

ALTER TABLE event_hours ADD COLUMN IF NOT EXISTS object_bytes Map(String, UInt64);

-- event_hours without the identities.
CREATE TABLE IF NOT EXISTS event_services
(
    hour DateTime('UTC'),
    class_uid UInt16,
    tenant LowCardinality(String),
    product LowCardinality(String),
    format LowCardinality(String),
    log LowCardinality(String),
    service LowCardinality(String),
    host LowCardinality(String),
    calls UInt64,
    failed UInt64,
    timed UInt64,
    slow Array(UInt64),
    calls_by_slot Array(UInt64),
    errors_by_slot Array(UInt64),
    last DateTime64(3, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, class_uid, tenant, product, format, log, service, host)
SETTINGS index_granularity = 1024;

-- event_hours by day; most is the largest number of records in one hour.
CREATE TABLE IF NOT EXISTS event_days
(
    day Date,
    class_uid UInt16,
    activity_id UInt8,
    tenant LowCardinality(String),
    product LowCardinality(String),
    log LowCardinality(String),
    uid String,
    calls UInt64,
    records UInt64,
    most UInt64,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(day)
ORDER BY (class_uid, day, activity_id, tenant, product, log, uid)
SETTINGS index_granularity = 1024;
