-- Erasures: that somebody's data were erased, without the data. Of whom they were is an
-- HMAC whose key is destroyed at the end: until then an erasure that was cut off is known
-- again by it, and afterwards it says nothing.
CREATE TABLE IF NOT EXISTS erasures
(
    erasure_uid UUID,
    version UInt64,
    started_at DateTime64(3, 'UTC'),
    updated_at DateTime64(3, 'UTC'),
    actor String,
    reason String,
    -- anonymise or delete
    method LowCardinality(String),
    -- preparing, rewriting, cleaning or done
    state LowCardinality(String),
    subject_hmac String,
    -- rows that were rewritten or deleted, by table
    counts Map(String, UInt64)
)
ENGINE = ReplacingMergeTree(version)
ORDER BY erasure_uid;
