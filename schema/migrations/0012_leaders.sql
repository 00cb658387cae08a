-- Which instance evaluates the rules, and which did before. Times are the server's own,
-- so that the clocks of the instances do not matter.
CREATE TABLE IF NOT EXISTS leaders
(
    -- what is led
    name LowCardinality(String),
    -- terms follow upon each other; candidates of one term stand against each other
    term UInt64,
    -- host, process and a random number
    holder String,
    -- candidate or leader
    state LowCardinality(String),
    -- when it became that
    since DateTime64(3, 'UTC'),
    -- when it said so last
    at DateTime64(3, 'UTC'),
    -- until when nobody else may lead
    until DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(at)
ORDER BY (name, term, holder, state)
TTL toDateTime(at) + INTERVAL 90 DAY;
