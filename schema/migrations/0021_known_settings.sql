-- Known settings: those that crmwatch ran with last, flat, so that it can be told after a
-- restart what is other than before. Values of secrets are not in it.
CREATE TABLE IF NOT EXISTS known_settings
(
    -- what they are the settings of: configuration, rules or collector
    name LowCardinality(String),
    version UInt64,
    loaded_at DateTime64(3, 'UTC'),
    -- who started crmwatch with them
    actor String,
    -- of the file, in hexadecimal digits
    sha256 String,
    settings Map(String, String),
    -- those before them
    before_sha256 String,
    before Map(String, String),
    -- 1 once the events say what has changed
    told UInt8
)
ENGINE = ReplacingMergeTree(version)
ORDER BY name;
