-- Alerts: findings of one story, grouped for a person. content_hash covers all
-- that a person is shown; a notification whose content_hash differs is out of date.
CREATE TABLE IF NOT EXISTS alerts
(
    alert_uid UUID,
    version UInt64,
    updated_at DateTime64(3, 'UTC'),
    status LowCardinality(String),
    merged_into UUID,
    severity_id UInt8,
    title String,
    metadata_tenant_uid LowCardinality(String),
    entity_type LowCardinality(String),
    entity_uid String,
    entity String,
    first_seen DateTime64(3, 'UTC'),
    last_seen DateTime64(3, 'UTC'),
    seen_after_s UInt32,
    finding_uids Array(UUID),
    attack Array(LowCardinality(String)),
    content_hash UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY alert_uid;
