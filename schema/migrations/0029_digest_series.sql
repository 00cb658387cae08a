-- What traffic-spike, payload-spike and rows-spike make of each of the 24 hours of an
-- identity's day, and of how many events: the series that they judge, in a row a day. In an hour
-- in which calls_by_hour, with_bytes_by_hour or with_records_by_hour is 0 there was nothing. The
-- names are those of the events that count.
ALTER TABLE event_peaks
    ADD COLUMN IF NOT EXISTS calls_name String,
    ADD COLUMN IF NOT EXISTS bytes_name String,
    ADD COLUMN IF NOT EXISTS records_name String,
    ADD COLUMN IF NOT EXISTS calls_by_hour Array(UInt64),
    ADD COLUMN IF NOT EXISTS bytes_by_hour Array(UInt64),
    ADD COLUMN IF NOT EXISTS with_bytes_by_hour Array(UInt64),
    ADD COLUMN IF NOT EXISTS records_by_hour Array(UInt64),
    ADD COLUMN IF NOT EXISTS with_records_by_hour Array(UInt64);
