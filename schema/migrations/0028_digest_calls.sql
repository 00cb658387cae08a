-- Which calls an identity made in an hour, for a few days: what arrives next may pair them
-- with those of another product, and the events of the hours beside need not be read again
-- for it. paired_by are the ids of calls (hashes; the last two bits are the quarter of the
-- hour) by the source of the log that tells them, named those of the calls under a name of a
-- user or an app, alone the calls under a name that have no id, named_by the sources that
-- tell of a name.
ALTER TABLE event_hours
    ADD COLUMN IF NOT EXISTS paired_by Map(String, Array(UInt64)) TTL greatest(hour, toDateTime(intDiv(version, 1000000000), 'UTC')) + toIntervalDay(4),
    ADD COLUMN IF NOT EXISTS named Map(String, Array(UInt64)) TTL greatest(hour, toDateTime(intDiv(version, 1000000000), 'UTC')) + toIntervalDay(4),
    ADD COLUMN IF NOT EXISTS alone Map(String, UInt64) TTL greatest(hour, toDateTime(intDiv(version, 1000000000), 'UTC')) + toIntervalDay(4),
    ADD COLUMN IF NOT EXISTS named_by Map(String, Array(String)) TTL greatest(hour, toDateTime(intDiv(version, 1000000000), 'UTC')) + toIntervalDay(4);

-- When each source told of its last call that can be found again in another log, in
-- milliseconds: a log that is silent says nothing of partners. Two gateways of one product
-- are two sources, and one of them may fall silent.
ALTER TABLE event_hours ADD COLUMN IF NOT EXISTS heard Map(String, UInt64);

ALTER TABLE event_services ADD COLUMN IF NOT EXISTS heard Map(String, UInt64);

-- The logs that have the partners of an identity's calls (sort id), or that tell of the name
-- itself (sort name): tenant, product and source, a line each, and in which hours of the day,
-- a bit each, the lowest for midnight.
ALTER TABLE event_partners ADD COLUMN IF NOT EXISTS carriers Map(String, UInt32);
