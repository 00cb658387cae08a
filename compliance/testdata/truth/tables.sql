-- Coverage: at the first check password-spray sees nothing, at the last a part.
INSERT INTO rule_coverage (checked_at, rule, metadata_tenant_uid, metadata_product_name, sight, log_types, missing, events) VALUES
    ('2026-03-10 00:00:00', 'password-spray', 'acme', 'Salesforce', 'blind', [], ['src_endpoint_ip'], 0),
    ('2026-03-11 00:00:00', 'password-spray', 'acme', 'Salesforce', 'part', ['Login'], ['src_endpoint_ip'], 5),
    ('2026-03-11 00:00:00', 'password-spray', 'acme', 'Kong Gateway', 'blind', [], ['logon_type'], 0),
    ('2026-03-11 00:00:00', 'brute-force', 'acme', 'Salesforce', 'sees', ['Login'], [], 5),
    ('2026-04-01 00:00:00', 'brute-force', 'acme', 'Salesforce', 'blind', [], [], 0),
    ('2026-03-11 00:00:00', 'OTHER-rule', 'OTHER', 'OTHERproduct', 'blind', [], ['OTHER'], 0);

INSERT INTO source_lateness (checked_at, metadata_tenant_uid, metadata_product_name, metadata_log_name, events, last_event, last_arrival, lateness_median_s, lateness_p95_s, lateness_max_s) VALUES
    ('2026-03-10 00:00:00', 'acme', 'Salesforce', 'Login', 5, '2026-03-09 00:00:00', '2026-03-09 05:00:00', 100, 200, 300),
    ('2026-03-10 01:00:00', 'acme', 'Salesforce', 'Login', 5, '2026-03-09 00:00:00', '2026-03-09 05:00:00', 120, 190, 900),
    ('2026-03-10 02:00:00', 'acme', 'Salesforce', 'Login', 5, '2026-03-09 00:00:00', '2026-03-09 05:00:00', 500, 600, 700),
    ('2026-02-10 02:00:00', 'acme', 'Salesforce', 'Login', 5, '2026-02-09 00:00:00', '2026-02-09 05:00:00', 9999, 9999, 9999),
    ('2026-03-10 02:00:00', 'OTHER', 'Salesforce', 'OTHERlog', 5, '2026-03-09 00:00:00', '2026-03-09 05:00:00', 8888, 8888, 8888);

INSERT INTO self_tests (started_at, rule, test, passed, problem, duration_ms) VALUES
    ('2026-03-10 04:00:00', 'brute-force', 'one', 1, '', 5), ('2026-03-10 04:00:00', 'brute-force', 'two', 0, 'nothing found', 5), ('2026-03-10 04:00:00', 'password-spray', 'one', 0, 'nothing found', 5),
    ('2026-03-11 04:00:00', 'brute-force', 'one', 1, '', 5), ('2026-03-11 04:00:00', 'brute-force', 'two', 1, '', 5), ('2026-03-11 04:00:00', 'password-spray', 'one', 0, 'nothing found', 5),
    ('2026-04-01 00:00:00', 'brute-force', 'one', 0, 'nothing found', 5);

-- Runs: two rules, five runs, two of which failed. From the beginning to the first are 10 days, from the last to the end 20.
INSERT INTO rule_runs (rule, started_at, duration_ms, arrived_from, arrived_to, windows, findings, error) VALUES
    ('brute-force', '2026-03-11 00:00:00', 5, '2026-03-10 00:00:00', '2026-03-11 00:00:00', 1, 2, ''), ('brute-force', '2026-03-11 06:00:00', 5, '2026-03-10 00:00:00', '2026-03-11 00:00:00', 1, 0, 'memory ran out'),
    ('brute-force', '2026-03-11 12:00:00', 5, '2026-03-10 00:00:00', '2026-03-11 00:00:00', 1, 1, ''), ('password-spray', '2026-03-11 12:00:00', 5, '2026-03-10 00:00:00', '2026-03-11 00:00:00', 1, 0, ''),
    ('password-spray', '2026-03-12 00:00:00', 5, '2026-03-10 00:00:00', '2026-03-11 00:00:00', 1, 0, 'timeout'), ('brute-force', '2026-04-01 00:00:00', 5, '2026-03-10 00:00:00', '2026-03-11 00:00:00', 1, 9, 'late');

INSERT INTO quarantine (quarantine_uid, ingested_at, x_source_name, x_source_file, metadata_log_format, line, column, x_source_offset, length, reason, detail, content) VALUES
    ('00000000-0000-0000-0005-000000000001', '2026-03-10 00:00:00', 's', 'a.csv', 'csv', 1, 1, 0, 5, 'truncated record', '', 'SECRET'), ('00000000-0000-0000-0005-000000000002', '2026-03-10 00:00:00', 's', 'a.csv', 'csv', 2, 1, 10, 5, 'truncated record', '', ''),
    ('00000000-0000-0000-0005-000000000001', '2026-03-10 00:00:00', 's', 'a.csv', 'csv', 1, 1, 0, 5, 'truncated record', '', 'SECRET'), ('00000000-0000-0000-0005-000000000003', '2026-03-12 00:00:00', 's', 'b.log', 'nginx', 2, 1, 10, 5, 'no time', '', ''),
    ('00000000-0000-0000-0005-000000000004', '2026-04-01 00:00:00', 's', 'b.log', 'nginx', 9, 1, 90, 5, 'no time', '', '');

-- Deliveries: batch 3 of six is missing, and one was sent twice.
INSERT INTO deliveries (agent_uid, sequence, agent, events_hash, quarantine_hash, rows, quarantined, sealed_at, received_at) VALUES
    ('u1', 1, 'gw-1', '', '', 100, 1, '2026-03-10 00:00:00', '2026-03-10 00:00:02'), ('u1', 2, 'gw-1', '', '', 200, 0, '2026-03-10 01:00:00', '2026-03-10 01:00:01'),
    ('u1', 4, 'gw-1', '', '', 300, 0, '2026-03-10 02:00:00', '2026-03-10 04:00:00'), ('u1', 4, 'gw-1', '', '', 300, 0, '2026-03-10 02:00:00', '2026-03-10 04:00:00'), ('u1', 5, 'gw-1', '', '', 400, 2, '2026-04-01 00:00:00', '2026-04-01 00:00:00');

-- Alerts. A: high, opened on 2 March, acknowledged after 10 min, resolved after 2 h, and opened again. B: medium, closed as a false positive after 30 min. C: low, of
-- February, still open. D: joined to A. E: opened exactly at the end. F: of the other tenant.
INSERT INTO alerts (alert_uid, version, updated_at, status, severity_id, title, metadata_tenant_uid, entity_type, entity_uid, entity, first_seen, last_seen, finding_uids) VALUES
    ('0000000a-0000-0000-0000-000000000000', 1, '2026-03-02 10:00:00', 'open', 4, 'Token theft', 'acme', 'integration', '005S', 'svc-sync', '2026-03-10 08:00:00', '2026-03-12 02:06:00', ['00000000-0000-0000-0006-000000000001']),
    ('0000000a-0000-0000-0000-000000000000', 5, '2026-03-03 10:00:00', 'open', 4, 'Token theft: svc-sync', 'acme', 'integration', '005S', 'svc-sync', '2026-03-10 08:00:00', '2026-03-12 02:06:00', ['00000000-0000-0000-0006-000000000001', '00000000-0000-0000-0006-000000000002']),
    ('0000000b-0000-0000-0000-000000000000', 2, '2026-03-04 10:30:00', 'false_positive', 3, 'Spray', 'acme', 'network', '198.51.100.0/24', '198.51.100.0/24', '2026-02-28 00:00:00', '2026-03-01 00:00:00', ['00000000-0000-0000-0006-000000000003']),
    ('0000000c-0000-0000-0000-000000000000', 1, '2026-02-10 10:00:00', 'open', 2, 'Old client', 'acme', 'integration', '005S', 'svc-sync', '2026-02-10 00:00:00', '2026-02-10 00:00:00', ['00000000-0000-0000-0006-000000000004']),
    ('0000000d-0000-0000-0000-000000000000', 2, '2026-03-05 10:00:00', 'merged', 4, 'Part', 'acme', 'user', '005B', 'bob', '2026-03-05 00:00:00', '2026-03-05 00:00:00', ['00000000-0000-0000-0006-000000000005']),
    ('0000000e-0000-0000-0000-000000000000', 1, '2026-04-01 00:00:00', 'open', 5, 'At the end', 'acme', 'user', '005B', 'bob', '2026-04-01 00:00:00', '2026-04-01 00:00:00', ['00000000-0000-0000-0006-000000000006']),
    ('0000000f-0000-0000-0000-000000000000', 1, '2026-03-02 10:00:00', 'open', 5, 'OTHER', 'OTHER', 'user', 'OTHER', 'OTHER', '2026-03-02 10:00:00', '2026-03-02 10:00:00', ['00000000-0000-0000-0006-000000000007']);

INSERT INTO alert_transitions (alert_uid, transition_uid, at, version, action, from_status, to_status, from_severity_id, to_severity_id, actor, via, note, until, finding_uids, refused) VALUES
    ('0000000a-0000-0000-0000-000000000000', '00000000-0000-0000-0007-000000000001', '2026-03-02 10:00:00', 1, 'open', '', 'open', 0, 3, '', 'crmwatch', '', 0, [], ''),
    ('0000000a-0000-0000-0000-000000000000', '00000000-0000-0000-0007-000000000002', '2026-03-02 10:05:00', 2, 'raise', 'open', 'open', 3, 4, '', 'crmwatch', '', 0, [], ''),
    ('0000000a-0000-0000-0000-000000000000', '00000000-0000-0000-0007-000000000003', '2026-03-02 10:10:00', 3, 'acknowledge', 'open', 'acknowledged', 4, 4, 'mira@soc-1', 'cli', '', 0, [], ''),
    ('0000000a-0000-0000-0000-000000000000', '00000000-0000-0000-0007-000000000003', '2026-03-02 10:10:00', 3, 'acknowledge', 'open', 'acknowledged', 4, 4, 'mira@soc-1', 'cli', '', 0, [], ''),
    ('0000000a-0000-0000-0000-000000000000', '00000000-0000-0000-0007-000000000004', '2026-03-02 12:00:00', 4, 'resolve', 'acknowledged', 'resolved', 4, 4, 'mira@soc-1', 'cli', '', 0, [], ''),
    ('0000000a-0000-0000-0000-000000000000', '00000000-0000-0000-0007-000000000005', '2026-03-03 10:00:00', 5, 'reopen', 'resolved', 'open', 4, 4, '', 'crmwatch', '', 0, [], ''),
    ('0000000a-0000-0000-0000-000000000000', '00000000-0000-0000-0007-000000000006', '2026-03-03 11:00:00', 0, 'resolve', 'open', 'open', 4, 4, 'eve@soc-1', 'slack', '', 0, [], 'may not'),
    ('0000000b-0000-0000-0000-000000000000', '00000000-0000-0000-0007-000000000007', '2026-03-04 10:00:00', 1, 'open', '', 'open', 0, 3, '', 'crmwatch', '', 0, [], ''),
    ('0000000b-0000-0000-0000-000000000000', '00000000-0000-0000-0007-000000000008', '2026-03-04 10:30:00', 2, 'false_positive', 'open', 'false_positive', 3, 3, 'mira@soc-1', 'cli', '', 0, [], ''),
    ('0000000c-0000-0000-0000-000000000000', '00000000-0000-0000-0007-000000000009', '2026-02-10 10:00:00', 1, 'open', '', 'open', 0, 2, '', 'crmwatch', '', 0, [], ''),
    ('0000000c-0000-0000-0000-000000000000', '00000000-0000-0000-0007-00000000000a', '2026-04-01 00:00:00', 2, 'auto_resolve', 'open', 'resolved', 2, 2, '', 'crmwatch', '', 0, [], ''),
    ('0000000d-0000-0000-0000-000000000000', '00000000-0000-0000-0007-00000000000b', '2026-03-05 09:00:00', 1, 'open', '', 'open', 0, 4, '', 'crmwatch', '', 0, [], ''),
    ('0000000d-0000-0000-0000-000000000000', '00000000-0000-0000-0007-00000000000c', '2026-03-05 10:00:00', 2, 'merge', 'open', 'merged', 4, 4, '', 'crmwatch', '', 0, [], ''),
    ('0000000e-0000-0000-0000-000000000000', '00000000-0000-0000-0007-00000000000d', '2026-04-01 00:00:00', 1, 'open', '', 'open', 0, 5, '', 'crmwatch', '', 0, [], ''),
    ('0000000f-0000-0000-0000-000000000000', '00000000-0000-0000-0007-00000000000e', '2026-03-02 10:00:00', 1, 'open', '', 'open', 0, 5, 'OTHER', 'crmwatch', '', 0, [], '');

INSERT INTO findings (finding_uid, version, detected_at, rule, severity_id, title, metadata_tenant_uid, metadata_product_name, entity_type, entity_uid, entity, window_from, window_to, first_seen, last_seen, count) VALUES
    ('00000000-0000-0000-0006-000000000001', 1, '2026-03-02 10:00:00', 'recon-then-bulk', 4, '', 'acme', 'Salesforce', 'integration', '005S', 'svc-sync', '2026-03-10 00:00:00', '2026-03-11 00:00:00', '2026-03-10 08:00:00', '2026-03-10 09:00:00', 3),
    ('00000000-0000-0000-0006-000000000002', 1, '2026-03-02 10:00:00', 'recon-then-bulk', 4, '', 'acme', 'Salesforce', 'integration', '005S', 'svc-sync', '2026-03-12 00:00:00', '2026-03-13 00:00:00', '2026-03-12 02:00:00', '2026-03-12 02:06:00', 3),
    ('00000000-0000-0000-0006-000000000003', 1, '2026-03-04 10:00:00', 'password-spray', 3, '', 'acme', 'Salesforce', 'network', '198.51.100.0/24', '', '2026-02-28 00:00:00', '2026-03-01 00:00:00', '2026-02-28 00:00:00', '2026-03-01 00:00:00', 9),
    ('00000000-0000-0000-0006-000000000005', 1, '2026-03-05 09:00:00', 'brute-force', 4, '', 'acme', 'Salesforce', 'user', '005B', 'bob', '2026-03-05 00:00:00', '2026-03-06 00:00:00', '2026-03-05 00:00:00', '2026-03-05 00:00:00', 9),
    ('00000000-0000-0000-0006-000000000008', 1, '2026-03-05 09:00:00', 'shadow-integration', 3, '', 'acme', 'Kong Gateway', 'integration', 'new-loader', 'new-loader', '2026-03-25 00:00:00', '2026-03-26 00:00:00', '2026-03-25 10:00:00', '2026-03-25 11:00:00', 12),
    ('00000000-0000-0000-0006-000000000009', 1, '2026-03-05 09:00:00', 'shadow-integration', 3, '', 'acme', 'Kong Gateway', 'integration', 'new-loader', 'new-loader', '2026-03-26 00:00:00', '2026-03-27 00:00:00', '2026-03-26 10:00:00', '2026-03-26 11:00:00', 30),
    ('00000000-0000-0000-0006-00000000000a', 1, '2026-03-05 09:00:00', 'shadow-integration', 3, '', 'OTHER', 'OTHER', 'integration', 'OTHER', 'OTHER', '2026-03-25 00:00:00', '2026-03-26 00:00:00', '2026-03-25 10:00:00', '2026-03-25 11:00:00', 12),
    ('00000000-0000-0000-0006-00000000000b', 1, '2026-03-05 09:00:00', 'known-attacker-clients', 4, '', 'acme', 'Salesforce', 'integration', '005S', 'svc-sync', '2026-03-10 00:00:00', '2026-03-11 00:00:00', '2026-03-10 08:00:00', '2026-03-10 09:00:00', 3),
    ('00000000-0000-0000-0006-00000000000c', 1, '2026-03-05 09:00:00', 'known-attacker-clients', 4, '', 'OTHER', 'OTHER', 'integration', 'OTHER', 'OTHER', '2026-03-10 00:00:00', '2026-03-11 00:00:00', '2026-03-10 08:00:00', '2026-03-10 09:00:00', 3),
    ('00000000-0000-0000-0006-00000000000d', 1, '2026-03-05 09:00:00', 'known-attacker-clients', 4, '', 'acme', 'Salesforce', 'integration', '005S', 'svc-sync', '2026-04-01 00:00:00', '2026-04-02 00:00:00', '2026-04-01 00:00:00', '2026-04-01 09:00:00', 3),
    ('00000000-0000-0000-0006-000000000007', 1, '2026-03-02 10:00:00', 'OTHER-rule', 5, '', 'OTHER', 'OTHER', 'user', 'OTHER', 'OTHER', '2026-03-02 00:00:00', '2026-03-03 00:00:00', '2026-03-02 10:00:00', '2026-03-02 10:00:00', 1);

INSERT INTO silences (silence_uid, version, created_at, author, reason, matchers, starts_at, ends_at, up_to_severity_id, ended_by) VALUES
    ('00000000-0000-0000-0008-000000000001', 1, '2026-03-04 10:00:00', 'mira@soc-1', 'penetration test', ['rule=password-spray'], '2026-03-04 10:00:00', '2026-03-04 22:00:00', 3, ''),
    ('00000000-0000-0000-0008-000000000001', 2, '2026-03-04 10:00:00', 'mira@soc-1', 'penetration test', ['rule=password-spray'], '2026-03-04 10:00:00', '2026-03-04 12:30:00', 3, 'root@soc-1'),
    ('00000000-0000-0000-0008-000000000002', 1, '2026-02-27 10:00:00', 'mira@soc-1', 'over the turn of the month', ['tenant=ac*'], '2026-02-27 10:00:00', '2026-03-01 10:00:00', 2, ''),
    ('00000000-0000-0000-0008-000000000003', 1, '2026-04-01 00:00:00', 'mira@soc-1', 'too late', ['rule=x'], '2026-04-01 00:00:00', '2026-04-02 00:00:00', 2, ''),
    ('00000000-0000-0000-0008-000000000004', 1, '2026-03-04 10:00:00', 'OTHER', 'OTHER', ['tenant=OTHER'], '2026-03-04 10:00:00', '2026-03-04 12:00:00', 2, '');

INSERT INTO suppressed_findings (finding_uid, version, suppressed_at, reason, rule, severity_id, message, metadata_tenant_uid, metadata_product_name, entity_type, entity_uid, entity, window_from, first_seen, last_seen, count) VALUES
    ('00000000-0000-0000-0009-000000000001', 1, '2026-03-05 00:00:00', 'our scanner', 'password-spray', 3, '', 'acme', 'Salesforce', 'network', '192.0.2.0/24', '', '2026-03-05 00:00:00', '2026-03-05 00:00:00', '2026-03-05 01:00:00', 4),
    ('00000000-0000-0000-0009-000000000001', 2, '2026-03-05 00:10:00', 'our scanner', 'password-spray', 4, '', 'acme', 'Salesforce', 'network', '192.0.2.0/24', '', '2026-03-05 00:00:00', '2026-03-05 00:00:00', '2026-03-05 02:00:00', 5),
    ('00000000-0000-0000-0009-000000000002', 1, '2026-03-06 00:00:00', 'our scanner', 'password-spray', 3, '', 'acme', 'Salesforce', 'network', '192.0.2.0/24', '', '2026-03-06 00:00:00', '2026-03-06 00:00:00', '2026-03-06 01:00:00', 4),
    ('00000000-0000-0000-0009-000000000003', 1, '2026-03-06 00:00:00', 'OTHER', 'OTHER', 3, '', 'OTHER', 'OTHER', 'network', 'OTHER', '', '2026-03-06 00:00:00', '2026-03-06 00:00:00', '2026-03-06 01:00:00', 4);

INSERT INTO notifications (alert_uid, notifier, version, updated_at, state, reason) VALUES
    ('0000000a-0000-0000-0000-000000000000', 'slack', 1, '2026-03-02 10:00:01', 'pending', ''), ('0000000a-0000-0000-0000-000000000000', 'slack', 2, '2026-03-02 10:00:02', 'sent', ''),
    ('0000000b-0000-0000-0000-000000000000', 'slack', 1, '2026-03-04 10:00:01', 'failed', 'channel not found'), ('0000000c-0000-0000-0000-000000000000', 'slack', 1, '2026-02-10 10:00:01', 'sent', ''),
    ('0000000b-0000-0000-0000-000000000000', 'pager', 1, '2026-03-04 10:00:01', 'held', ''), ('0000000f-0000-0000-0000-000000000000', 'OTHER', 1, '2026-03-02 10:00:01', 'sent', '');

INSERT INTO retention_rules (version, applied_at, applied_by, what, metadata_tenant_uid, class_uid, keep_s) VALUES
    (1, '2026-01-01 00:00:00', 'root@soc-1', 'events', '', 0, 86400), (2, '2026-02-01 00:00:00', 'root@soc-1', 'events', '', 0, 864000000), (2, '2026-02-01 00:00:00', 'root@soc-1', 'events', '', 3002, 8640000000),
    (2, '2026-02-01 00:00:00', 'root@soc-1', 'events', 'OTHER', 0, 864000), (2, '2026-02-01 00:00:00', 'root@soc-1', 'audit', '', 0, 172800);

INSERT INTO legal_holds (hold_uid, version, created_at, created_by, reason, metadata_tenant_uid, users, entities, metadata_product_name, class_uid, hold_from, hold_to, released_at, released_by, release_reason) VALUES
    ('0000000a-0000-0000-0000-000000000001', 1, '2026-02-01 00:00:00', 'leo@legal', 'matter 17', 'acme', ['alice@acme.example', 'bob@acme.example'], [], 'Salesforce', 3002, '2026-01-01 00:00:00', '2026-03-01 00:00:00', '1970-01-01 00:00:00', '', ''),
    ('0000000a-0000-0000-0000-000000000001', 2, '2026-02-01 00:00:00', 'leo@legal', 'matter 17', 'acme', ['alice@acme.example', 'bob@acme.example'], [], 'Salesforce', 3002, '2026-01-01 00:00:00', '2026-03-01 00:00:00', '2026-03-20 00:00:00', 'leo@legal', 'settled'),
    ('0000000b-0000-0000-0000-000000000001', 1, '2026-02-01 00:00:00', 'leo@legal', 'matter 16', '', [], ['svc-sync'], '', 0, '1970-01-01 00:00:00', '2100-01-01 00:00:00', '2026-02-20 00:00:00', 'leo@legal', 'over'),
    ('0000000c-0000-0000-0000-000000000001', 1, '2026-02-01 00:00:00', 'OTHER', 'OTHER', 'OTHER', ['OTHER'], [], '', 0, '1970-01-01 00:00:00', '2100-01-01 00:00:00', '1970-01-01 00:00:00', '', '');

INSERT INTO erasures (erasure_uid, version, started_at, updated_at, actor, reason, method, state, subject_hmac, counts) VALUES
    ('0000000a-0000-0000-0000-000000000002', 1, '2026-03-21 10:00:00', '2026-03-21 10:00:00', 'dpo@acme', 'request 5', 'anonymise', 'preparing', 'h', map()),
    ('0000000a-0000-0000-0000-000000000002', 2, '2026-03-21 10:00:00', '2026-03-21 10:01:30', 'dpo@acme', 'request 5', 'anonymise', 'done', '', map('events', 40, 'findings', 2)),
    ('0000000b-0000-0000-0000-000000000002', 1, '2026-04-01 00:00:00', '2026-04-01 00:00:00', 'dpo@acme', 'request 6', 'delete', 'preparing', 'h', map());

-- Runs about March; one whose logs end where March begins, one of February and one of another tenant.
INSERT INTO posture_results (ran_at, period_from, period_to, check_id, title, metadata_tenant_uid, metadata_product_name, verdict, looked_at, not_passed, not_judged, reason, evidence, controls) VALUES
    ('2026-02-20 05:00:00', '2026-01-20 00:00:00', '2026-02-20 00:00:00', 'tls', 'TLS is new', 'acme', 'Salesforce', 'fail', 6, 2, 0, '', ['old: TLS 1.0'], ['GDPR 32']),
    ('2026-03-01 05:00:00', '2026-02-01 00:00:00', '2026-03-01 00:00:00', 'mfa', 'People use two factors', 'acme', 'Salesforce', 'attention', 9, 1, 0, '', ['eva: none'], ['GDPR 32']),
    ('2026-03-10 05:00:00', '2026-02-10 00:00:00', '2026-03-10 00:00:00', 'mfa', 'People use two factors', 'acme', 'Salesforce', 'pass', 10, 0, 1, '', [], ['GDPR 32']),
    ('2026-03-10 05:00:00', '2026-02-10 00:00:00', '2026-03-10 00:00:00', 'mfa', 'People use two factors', 'acme', 'HubSpot', 'fail', 4, 1, 0, '', ['ida: none'], ['GDPR 32']),
    ('2026-03-10 05:00:00', '2026-02-10 00:00:00', '2026-03-10 00:00:00', 'tls', 'TLS is new', 'acme', 'Salesforce', 'cannot judge', 0, 0, 6, 'no log tells it', [], ['GDPR 32']),
    ('2026-03-20 05:00:00', '2026-02-20 00:00:00', '2026-03-20 00:00:00', 'mfa', 'People use two factors', 'acme', 'Salesforce', 'attention', 12, 1, 0, '', ['ada: 3 logins'], ['GDPR 32']),
    ('2026-03-20 05:00:00', '2026-02-20 00:00:00', '2026-03-20 00:00:00', 'mfa', 'People use two factors', 'acme', 'HubSpot', 'pass', 4, 0, 0, '', [], ['GDPR 32']),
    ('2026-03-20 05:00:00', '2026-02-20 00:00:00', '2026-03-20 00:00:00', 'tls', 'TLS is new', 'acme', 'Salesforce', 'pass', 6, 0, 0, '', [], ['GDPR 32', 'SOC 2 CC6.7']),
    ('2026-04-01 05:00:00', '2026-03-01 00:00:00', '2026-04-01 00:00:00', 'mfa', 'People use two factors', 'acme', 'Salesforce', 'fail', 13, 2, 0, '', ['ada: 5 logins', 'eva: none'], ['GDPR 32']),
    ('2026-04-02 05:00:00', '2026-03-02 00:00:00', '2026-04-02 00:00:00', 'mfa', 'People use two factors', 'acme', 'Salesforce', 'pass', 13, 0, 0, '', [], ['GDPR 32']),
    ('2026-03-10 05:00:00', '2026-02-10 00:00:00', '2026-03-10 00:00:00', 'mfa', 'OTHER', 'OTHER', 'OTHER', 'fail', 4, 1, 0, '', ['OTHER'], []);
