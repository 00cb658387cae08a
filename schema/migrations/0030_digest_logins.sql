-- What guessing at logins is screened by. An hour into which a login arrives is summed anew,
-- each event once.

-- Logins that failed (status 2), and those that asked for more (99), by hour, identity,
-- network and code: the minutes of the hour in which there were any, and how many in each.
CREATE TABLE IF NOT EXISTS event_logins
(
    hour DateTime('UTC'),
    tenant LowCardinality(String),
    product LowCardinality(String),
    log LowCardinality(String),
    status_id UInt8,
    code LowCardinality(String),
    network String,
    uid String,
    name String,
    minutes Array(UInt8),
    counts Array(UInt64),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, tenant, product, log, status_id, code, network, uid, name)
SETTINGS index_granularity = 1024;
