-- Which calls an identity made in an hour, for a few days: what arrives next may pair them
-- with those of another product, and the events of the hours beside need not be read again
-- for it. paired are the ids of calls (hashes; the last two bits are the quarter of the
-- hour), named those of the calls under a name of a user or an app, alone the calls under a
-- name that have no id.
ALTER TABLE event_hours
    ADD COLUMN IF NOT EXISTS paired Array(UInt64) TTL greatest(hour, toDateTime(intDiv(version, 1000000000), 'UTC')) + toIntervalDay(4),
    ADD COLUMN IF NOT EXISTS named Map(String, Array(UInt64)) TTL greatest(hour, toDateTime(intDiv(version, 1000000000), 'UTC')) + toIntervalDay(4),
    ADD COLUMN IF NOT EXISTS alone Map(String, UInt64) TTL greatest(hour, toDateTime(intDiv(version, 1000000000), 'UTC')) + toIntervalDay(4);
