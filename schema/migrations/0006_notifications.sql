-- Notifications: the outbox. One row an alert and notifier says how far telling
-- people has come; it is written before each step, so that a process which dies
-- between two steps knows afterwards what may have happened.
CREATE TABLE IF NOT EXISTS notifications
(
    alert_uid UUID,
    notifier LowCardinality(String),
    version UInt64,
    updated_at DateTime64(3, 'UTC'),
    -- pending, sending, sent, unknown or failed
    state LowCardinality(String),
    -- why the next message has to be labelled: empty, lost or deleted
    repeat LowCardinality(String),
    channel String,
    message_id String,
    -- what the message shows
    content_hash UInt64,
    severity_id UInt8,
    attempts UInt32,
    first_attempt_at DateTime64(3, 'UTC'),
    sent_at DateTime64(3, 'UTC'),
    -- nothing is tried before this time
    not_before DateTime64(3, 'UTC'),
    reason LowCardinality(String)
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (alert_uid, notifier);
