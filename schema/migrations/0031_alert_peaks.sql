-- How large what an alert tells of was when people were told, so that they are told again
-- when it has doubled. A transition's action may be above_peak.
ALTER TABLE alerts
    -- of each of finding_uids the largest value; 0 where it has none
    ADD COLUMN IF NOT EXISTS told_peaks Array(Float64),
    -- when one last doubled, by our clock, and what it had risen to
    ADD COLUMN IF NOT EXISTS risen_at DateTime64(3, 'UTC'),
    ADD COLUMN IF NOT EXISTS risen String;
