-- What a summary of a month tells of runs, checks, self-tests and deliveries must still be
-- there when the month is over, and at the audit of the year.
ALTER TABLE rule_runs MODIFY TTL toDateTime(started_at) + INTERVAL 400 DAY;

ALTER TABLE rule_coverage MODIFY TTL toDateTime(checked_at) + INTERVAL 400 DAY;

ALTER TABLE source_lateness MODIFY TTL toDateTime(checked_at) + INTERVAL 400 DAY;

ALTER TABLE self_tests MODIFY TTL toDateTime(started_at) + INTERVAL 400 DAY;

ALTER TABLE deliveries MODIFY TTL toDateTime(received_at) + INTERVAL 400 DAY;
