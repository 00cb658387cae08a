-- Legal holds: what must not be deleted, whatever the retention says and whoever asks for
-- its erasure. A hold that is released is a new version. Conditions that are empty do not
-- narrow it; all others must hold.
CREATE TABLE IF NOT EXISTS legal_holds
(
    hold_uid UUID,
    version UInt64,
    created_at DateTime64(3, 'UTC'),
    created_by String,
    reason String,
    metadata_tenant_uid String,
    -- names, addresses and ids, as they are stored; one of them is enough
    users Array(String),
    entities Array(String),
    metadata_product_name String,
    -- 0 is every class
    class_uid UInt16,
    -- event time, [hold_from, hold_to); 1970 and 2100 are no bound
    hold_from DateTime64(3, 'UTC'),
    hold_to DateTime64(3, 'UTC'),
    -- 1970 while it stands
    released_at DateTime64(3, 'UTC'),
    released_by String,
    release_reason String
)
ENGINE = ReplacingMergeTree(version)
ORDER BY hold_uid;

-- How long what is kept, as it was applied to the tables: all rows of the highest version
-- together, one for each rule. A version without rules has one row, of nothing.
CREATE TABLE IF NOT EXISTS retention_rules
(
    version UInt64,
    applied_at DateTime64(3, 'UTC'),
    applied_by String,
    -- events, audit, quarantine, findings, alerts, digests, summaries, or nothing
    what LowCardinality(String),
    -- empty is every tenant without a rule of its own
    metadata_tenant_uid String,
    -- 0 is every class without a rule of its own
    class_uid UInt16,
    -- in seconds; 0 is for ever
    keep_s UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (version, what, metadata_tenant_uid, class_uid);
