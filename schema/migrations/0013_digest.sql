-- What rules need to know of the events before they read any: a summary that is small
-- where the events are many, kept up to date with what arrives. It says too much
-- rather than too little, and nothing in it is evidence.

-- Which values an identity showed on which day. An event that is told twice changes
-- nothing, nor does the order in which events arrive.
CREATE TABLE IF NOT EXISTS event_facets
(
    kind LowCardinality(String),
    day Date,
    tenant LowCardinality(String),
    product LowCardinality(String),
    log LowCardinality(String),
    uid String,
    value String,
    first SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (kind, day, tenant, product, log, uid, value)
SETTINGS index_granularity = 1024;

-- How much an identity did in an hour. An hour into which an event arrives is summed
-- anew, each event once.
CREATE TABLE IF NOT EXISTS event_hours
(
    hour DateTime('UTC'),
    class_uid UInt16,
    activity_id UInt8,
    tenant LowCardinality(String),
    product LowCardinality(String),
    format LowCardinality(String),
    log LowCardinality(String),
    uid String,
    app LowCardinality(String),
    mail String,
    service LowCardinality(String),
    host LowCardinality(String),
    name String,
    calls UInt64,
    failed UInt64,
    limited UInt64,
    bytes_in UInt64,
    bytes_out UInt64,
    with_bytes UInt64,
    records UInt64,
    with_records UInt64,
    timed UInt64,
    slow Array(UInt64),
    calls_by_slot Array(UInt64),
    errors_by_slot Array(UInt64),
    first DateTime64(3, 'UTC'),
    last DateTime64(3, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(hour)
ORDER BY (class_uid, hour, tenant, product, format, log, activity_id, uid, app, mail, service, host)
SETTINGS index_granularity = 1024;

-- Which calls were told by two products: those of an identity, by the id that one of them
-- stamps (sort id; matched are the ids that another product has too, within the hour
-- before or after), and those under a name of a user or an app (sort name).
CREATE TABLE IF NOT EXISTS event_partners
(
    hour DateTime('UTC'),
    sort LowCardinality(String),
    tenant LowCardinality(String),
    product LowCardinality(String),
    who String,
    calls UInt64,
    matched UInt64,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(hour)
ORDER BY (sort, hour, tenant, product, who)
SETTINGS index_granularity = 1024;
