-- What an exception of the configuration kept from being a finding, and why: nothing is
-- left out without a trace.
CREATE TABLE IF NOT EXISTS suppressed_findings
(
    finding_uid UUID,
    version UInt64,
    suppressed_at DateTime64(3, 'UTC'),
    -- the exception's
    reason String,
    rule LowCardinality(String),
    severity_id UInt8,
    message String,
    metadata_tenant_uid LowCardinality(String),
    metadata_product_name LowCardinality(String),
    entity_type LowCardinality(String),
    entity_uid String,
    entity String,
    window_from DateTime64(3, 'UTC'),
    first_seen DateTime64(3, 'UTC'),
    last_seen DateTime64(3, 'UTC'),
    count UInt64,
    evidence Array(UUID)
)
ENGINE = ReplacingMergeTree(version)
ORDER BY finding_uid;

-- How many findings of a run an exception suppressed, and how many it made notes.
ALTER TABLE rule_runs
    ADD COLUMN IF NOT EXISTS suppressed UInt32,
    ADD COLUMN IF NOT EXISTS noted UInt32;

-- The controls that a finding's rule serves, such as "ISO 27001:2022 A.8.16".
ALTER TABLE findings
    ADD COLUMN IF NOT EXISTS controls Array(LowCardinality(String));
