-- Findings: what a rule returned for an entity and a window (OCSF 2004). A window
-- that is evaluated again replaces its row.
CREATE TABLE IF NOT EXISTS findings
(
    finding_uid UUID,
    version UInt64,
    detected_at DateTime64(3, 'UTC'),
    rule LowCardinality(String),
    severity_id UInt8,
    title String,
    message String,
    metadata_tenant_uid LowCardinality(String),
    metadata_product_name LowCardinality(String),
    entity_type LowCardinality(String),
    entity_uid String,
    entity String,
    window_from DateTime64(3, 'UTC'),
    window_to DateTime64(3, 'UTC'),
    first_seen DateTime64(3, 'UTC'),
    last_seen DateTime64(3, 'UTC'),
    count UInt64,
    attack Array(LowCardinality(String)),
    attributes Map(LowCardinality(String), String),
    evidence Array(UUID),
    evidence_sql String
)
ENGINE = ReplacingMergeTree(version)
ORDER BY finding_uid;
