-- Silences: what people mute for a while. A silence that is ended before its time is a
-- new version with another end.
CREATE TABLE IF NOT EXISTS silences
(
    silence_uid UUID,
    version UInt64,
    created_at DateTime64(3, 'UTC'),
    author String,
    reason String,
    -- conditions such as rule=traffic-drop, all of which must hold
    matchers Array(String),
    -- muted from starts_at until before ends_at
    starts_at DateTime64(3, 'UTC'),
    ends_at DateTime64(3, 'UTC'),
    -- the highest severity that is muted
    up_to_severity_id UInt8,
    ended_by String
)
ENGINE = ReplacingMergeTree(version)
ORDER BY silence_uid;

-- What is not told for itself: a notification whose state is held waits for the end of
-- what its reason names, or is told by a digest. A digest is a row of its own, whose
-- alert_uid is the digest's.
ALTER TABLE notifications
    ADD COLUMN IF NOT EXISTS digest_uid UUID,
    -- the beginning of a digest's period; 1970 for what is no digest
    ADD COLUMN IF NOT EXISTS digest_from DateTime64(3, 'UTC');
