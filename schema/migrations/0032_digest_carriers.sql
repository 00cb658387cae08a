-- By which logs calls were told, not by which products alone: two gateways of one product are
-- two sources, and one of them may fall silent.

-- For a few days event_hours holds calls by the source of the log that tells them (paired_by
-- in place of paired), and by which sources a name was told (named_by).
ALTER TABLE event_hours
    DROP COLUMN IF EXISTS paired,
    ADD COLUMN IF NOT EXISTS paired_by Map(String, Array(UInt64)) TTL greatest(hour, toDateTime(intDiv(version, 1000000000), 'UTC')) + toIntervalDay(4),
    ADD COLUMN IF NOT EXISTS named_by Map(String, Array(String)) TTL greatest(hour, toDateTime(intDiv(version, 1000000000), 'UTC')) + toIntervalDay(4);

-- When each source told of its last call that can be found again in another log, in
-- milliseconds: a log that is silent says nothing of partners.
ALTER TABLE event_hours ADD COLUMN IF NOT EXISTS heard Map(String, UInt64);
ALTER TABLE event_services ADD COLUMN IF NOT EXISTS heard Map(String, UInt64);

-- The logs that have the partners of an identity's calls (sort id), or that tell of the name
-- itself (sort name): tenant, product and source, a line each, and in which hours of the day,
-- a bit each, the lowest for midnight.
ALTER TABLE event_partners ADD COLUMN IF NOT EXISTS carriers Map(String, UInt32);
