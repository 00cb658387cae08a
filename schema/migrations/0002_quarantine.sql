-- Quarantine: records that could not be understood, kept with the reason.
CREATE TABLE IF NOT EXISTS quarantine
(
    quarantine_uid UUID,
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3),
    x_source_name LowCardinality(String),
    x_source_file String,
    metadata_log_format LowCardinality(String),
    line UInt64,
    column UInt32,
    x_source_offset UInt64,
    length UInt64,
    reason LowCardinality(String),
    detail String,
    content String
)
ENGINE = ReplacingMergeTree
ORDER BY (x_source_file, x_source_offset, quarantine_uid);
