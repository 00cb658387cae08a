-- The life of an alert beyond what its findings say: who holds it, until when it
-- sleeps, who closed it and why.
ALTER TABLE alerts
    ADD COLUMN IF NOT EXISTS status_by String,
    ADD COLUMN IF NOT EXISTS status_at DateTime64(3, 'UTC'),
    ADD COLUMN IF NOT EXISTS status_note String,
    -- a snooze's end, and the status that it gives back
    ADD COLUMN IF NOT EXISTS snoozed_until DateTime64(3, 'UTC'),
    ADD COLUMN IF NOT EXISTS status_before LowCardinality(String),
    -- when a finding joined last, by our clock
    ADD COLUMN IF NOT EXISTS joined_at DateTime64(3, 'UTC'),
    -- the request that was carried out last
    ADD COLUMN IF NOT EXISTS request_uid UUID;

-- Requests: what people ask to be done with alerts, from a terminal or from Slack. The
-- process that keeps the alerts carries them out, so that an alert has one writer.
CREATE TABLE IF NOT EXISTS alert_requests
(
    request_uid UUID,
    version UInt64,
    requested_at DateTime64(3, 'UTC'),
    alert_uid UUID,
    -- acknowledge, snooze, resolve, false_positive or reopen
    action LowCardinality(String),
    actor String,
    -- cli or slack
    via LowCardinality(String),
    note String,
    until DateTime64(3, 'UTC'),
    -- pending, done or refused
    state LowCardinality(String),
    -- why it was refused
    reason String
)
ENGINE = ReplacingMergeTree(version)
ORDER BY request_uid;

-- Transitions: everything that has happened to an alert, one row each, never changed.
CREATE TABLE IF NOT EXISTS alert_transitions
(
    alert_uid UUID,
    transition_uid UUID,
    at DateTime64(3, 'UTC'),
    -- the alert's version that it made; 0 where it was refused
    version UInt64,
    -- open, join, raise, merge, wake, auto_resolve, or a request's action
    action LowCardinality(String),
    from_status LowCardinality(String),
    to_status LowCardinality(String),
    from_severity_id UInt8,
    to_severity_id UInt8,
    actor String,
    via LowCardinality(String),
    note String,
    until DateTime64(3, 'UTC'),
    finding_uids Array(UUID),
    refused String
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (alert_uid, transition_uid);

-- How far the thread under a message has come: the alert's version up to which its
-- changes are told there, and the reply that has begun.
ALTER TABLE notifications
    ADD COLUMN IF NOT EXISTS told_version UInt64,
    ADD COLUMN IF NOT EXISTS reply_version UInt64,
    ADD COLUMN IF NOT EXISTS reply_state LowCardinality(String),
    ADD COLUMN IF NOT EXISTS reply_at DateTime64(3, 'UTC');
