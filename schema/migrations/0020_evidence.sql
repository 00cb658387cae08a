-- Summaries: what auditors and others were given about a period. A summary that is made
-- again, because logs came late, is a new version beside the old one.
CREATE TABLE IF NOT EXISTS summaries
(
    -- follows from tenant, period kind and period
    summary_uid UUID,
    version UInt64,
    -- counts how often an erasure has changed the row
    amended UInt64,
    tenant_uid String,
    -- daily, weekly, monthly or span
    period LowCardinality(String),
    -- the period is [period_from, period_to)
    period_from DateTime64(3, 'UTC'),
    period_to DateTime64(3, 'UTC'),
    made_at DateTime64(3, 'UTC'),
    made_by String,
    -- schedule or request
    made_for LowCardinality(String),
    -- the version in whose place it is, 0 for the first
    replaces UInt64,
    -- canonical JSON, and its SHA-256 in hexadecimal digits
    content String CODEC(ZSTD(6)),
    content_hash String,
    -- the evidence chain's last entry when it was made, which the files show
    chain_entry UInt64,
    chain_head String,
    -- the files that were written or sent, and the SHA-256 of each
    file_names Array(String),
    file_hashes Array(String)
)
ENGINE = ReplacingMergeTree(amended)
ORDER BY (summary_uid, version)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- The evidence chain: each entry says what something was at a time, names the entry
-- before it by its hash, and is signed. Nothing in it is ever changed.
CREATE TABLE IF NOT EXISTS evidence_chain
(
    -- from 1, without gaps
    sequence UInt64,
    at DateTime64(3, 'UTC'),
    -- summary, alerts, schedule, skipped, erasure-begun, amendment, retention
    -- or stray
    kind LowCardinality(String),
    subject_uid UUID,
    subject_version UInt64,
    -- JSON: what the entry covers, with the SHA-256 of each item
    content String CODEC(ZSTD(6)),
    -- all hashes are SHA-256 in hexadecimal digits
    content_hash String,
    previous_hash String,
    entry_hash String,
    -- the Ed25519 public key and the signature, in base64
    public_key String,
    signature String
)
ENGINE = ReplacingMergeTree
ORDER BY (sequence, entry_hash)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Who was told of which summary: an outbox as notifications is, one row a summary,
-- version and notifier, written before each step.
CREATE TABLE IF NOT EXISTS summary_posts
(
    summary_uid UUID,
    summary_version UInt64,
    notifier LowCardinality(String),
    version UInt64,
    updated_at DateTime64(3, 'UTC'),
    -- pending, sending, sent, unknown or failed
    state LowCardinality(String),
    -- why the message has to be labelled: empty or lost
    repeat LowCardinality(String),
    channel String,
    message_id String,
    -- how far the file under the message has come: empty, sending, sent or failed
    file_state LowCardinality(String),
    file_id String,
    attempts UInt32,
    first_attempt_at DateTime64(3, 'UTC'),
    -- nothing is tried before this time
    not_before DateTime64(3, 'UTC'),
    reason String
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (summary_uid, summary_version, notifier);
