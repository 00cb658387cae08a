-- What mass changes are screened by: how many records an identity changed, deleted and
-- gave to others, in this order.

-- In an hour: those that are counted by themselves, and those that bulk jobs report, each
-- job once. changes are the events behind them.
ALTER TABLE event_hours
    ADD COLUMN IF NOT EXISTS changes UInt64,
    ADD COLUMN IF NOT EXISTS changed Array(UInt64),
    ADD COLUMN IF NOT EXISTS changed_by_jobs Array(UInt64);

-- On a day. A job that reports its total in several hours may be counted in each (most), or
-- in one alone (least): the truth lies between.
CREATE TABLE IF NOT EXISTS event_changes
(
    day Date,
    tenant LowCardinality(String),
    product LowCardinality(String),
    uid String,
    least Array(UInt64),
    most Array(UInt64),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(day)
ORDER BY (day, tenant, product, uid)
SETTINGS index_granularity = 1024;

-- The largest hour of an identity on a day, in calls, bytes and records as the rules that
-- follow them over time count them.
CREATE TABLE IF NOT EXISTS event_peaks
(
    day Date,
    tenant LowCardinality(String),
    product LowCardinality(String),
    uid String,
    calls UInt64,
    bytes UInt64,
    records UInt64,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(day)
ORDER BY (day, tenant, product, uid)
SETTINGS index_granularity = 1024;

-- event_partners by day (sort "id by day" and "name by day"): a row in place of 24.
ALTER TABLE event_partners ADD COLUMN IF NOT EXISTS calls_by_hour Array(UInt64);

-- In which hours of a day who calls an API, an app by its name where that is all there is.
CREATE TABLE IF NOT EXISTS event_callers
(
    day Date,
    tenant LowCardinality(String),
    product LowCardinality(String),
    who String,
    name String,
    hours Array(UInt8),
    last DateTime64(3, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(day)
ORDER BY (day, tenant, product, who)
SETTINGS index_granularity = 1024;

-- What an identity reads of an object in the hours of a day, by queries that tell records
-- and bytes.
CREATE TABLE IF NOT EXISTS event_reads
(
    day Date,
    tenant LowCardinality(String),
    product LowCardinality(String),
    uid String,
    object String,
    hours Array(UInt8),
    records Array(UInt64),
    bytes Array(UInt64),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(day)
ORDER BY (day, tenant, product, uid, object)
SETTINGS index_granularity = 1024;
