-- What a run of a rule cost: rows and bytes that its queries read, the most memory that
-- one of them took (0 where the engine does not tell), and how late the rows came that
-- it looked at: arrival less event time, in seconds.
ALTER TABLE rule_runs
    ADD COLUMN IF NOT EXISTS queries UInt32,
    ADD COLUMN IF NOT EXISTS read_rows UInt64,
    ADD COLUMN IF NOT EXISTS read_bytes UInt64,
    ADD COLUMN IF NOT EXISTS memory_bytes UInt64,
    ADD COLUMN IF NOT EXISTS lateness_median_s UInt32,
    ADD COLUMN IF NOT EXISTS lateness_max_s UInt32;
