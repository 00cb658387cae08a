-- Alerts: findings of one story, grouped for a person.
CREATE TABLE IF NOT EXISTS alerts
(
    alert_uid UUID,
    version UInt64,
    updated_at DateTime64(3, 'UTC'),
    status LowCardinality(String),
    severity_id UInt8,
    title String,
    metadata_tenant_uid LowCardinality(String),
    entity_type LowCardinality(String),
    entity_uid String,
    entity String,
    first_seen DateTime64(3, 'UTC'),
    last_seen DateTime64(3, 'UTC'),
    finding_uids Array(UUID),
    attack Array(LowCardinality(String)),
    content_hash UInt64,
    notifier LowCardinality(String),
    channel String,
    message_id String,
    notified_hash UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY alert_uid;
