-- Logins. Rows of numbers 1 to 3 are inserted twice: an event that came twice counts once.
INSERT INTO events (event_uid, time, metadata_tenant_uid, metadata_product_name, metadata_log_name, class_uid, activity_id, status_id, status_code, actor_user_uid, actor_user_name,
    logon_type_id, logon_type, is_mfa, tls_version, http_request_user_agent, src_endpoint_ip, x_src_endpoint_network, src_endpoint_location_country)
SELECT toUUID(concat('00000000-0000-0000-0001-', leftPad(toString(n), 12, '0'))), toDateTime64(at, 3, 'UTC'), tenant, product, log, 3002, activity, status, code, uid, name,
    kind, type, mfa, tls, agent, ip, network, country
FROM values('n UInt32, at String, tenant String, product String, log String, activity UInt8, status UInt8, code String, uid String, name String, kind UInt8, type String, mfa UInt8, tls String, agent String, ip String, network String, country String',
    -- The hour of 09:00 in two logs: Login tells of three, LoginHistory of two of them.
    (1, '2026-03-02 09:00:00', 'acme', 'Salesforce', 'Login', 1, 1, 'LOGIN_NO_ERROR', '005A', 'alice@acme.example', 2, 'Application', 1, '1.3', 'Mozilla/5.0 F', '203.0.113.7', '203.0.113.0/24', ''),
    (2, '2026-03-02 09:10:00', 'acme', 'Salesforce', 'Login', 1, 2, 'LOGIN_ERROR_INVALID_PASSWORD', '005A', 'alice@acme.example', 2, 'Application', 0, '1.3', 'Mozilla/5.0 F', '203.0.113.7', '203.0.113.0/24', ''),
    (3, '2026-03-02 09:20:00', 'acme', 'Salesforce', 'Login', 1, 2, 'LOGIN_ERROR_INVALID_PASSWORD', '005B', 'bob@acme.example', 2, 'Application', 0, '1.3', 'Mozilla/5.0 F', '203.0.113.8', '203.0.113.0/24', ''),
    (4, '2026-03-02 09:00:00', 'acme', 'Salesforce', 'LoginHistory', 1, 1, 'LOGIN_NO_ERROR', '005A', 'alice@acme.example', 2, 'Application', 0, '', 'Chrome', '203.0.113.7', '203.0.113.0/24', 'DE'),
    (5, '2026-03-02 09:10:00', 'acme', 'Salesforce', 'LoginHistory', 1, 2, 'LOGIN_ERROR_INVALID_PASSWORD', '005A', 'alice@acme.example', 2, 'Application', 0, '', 'Chrome', '203.0.113.7', '203.0.113.0/24', 'DE'),
    -- An hour that LoginHistory alone tells of.
    (6, '2026-03-03 10:00:00', 'acme', 'Salesforce', 'LoginHistory', 1, 1, 'LOGIN_NO_ERROR', '005B', 'bob@acme.example', 2, 'Application', 0, '', 'Chrome', '203.0.113.8', '203.0.113.0/24', 'DE'),
    -- A program that hands its password over, once with an old TLS.
    (7, '2026-03-04 08:00:00', 'acme', 'Salesforce', 'Login', 1, 1, 'LOGIN_NO_ERROR', '005S', 'svc-sync@acme.example', 3, 'Other Apex API', 0, '1.2', 'Axis/1.4', '198.51.100.9', '198.51.100.0/24', ''),
    (8, '2026-03-04 08:30:00', 'acme', 'Salesforce', 'Login', 1, 1, 'LOGIN_NO_ERROR', '005S', 'svc-sync@acme.example', 3, 'Other Apex API', 0, '1.1', 'Axis/1.4', '198.51.100.9', '198.51.100.0/24', ''),
    -- A further proof was asked for, and not given; a proof that is no login; a logout; a login as somebody else.
    (9, '2026-03-05 11:00:00', 'acme', 'Salesforce', 'Login', 1, 99, 'LOGIN_CHALLENGE_ISSUED', '005A', 'alice@acme.example', 2, 'Application', 0, '1.3', 'Mozilla/5.0 F', '203.0.113.7', '203.0.113.0/24', ''),
    (10, '2026-03-05 11:05:00', 'acme', 'Salesforce', 'IdentityVerificationEvent', 1, 1, '', '005A', 'alice@acme.example', 0, '', 1, '', '', '203.0.113.7', '203.0.113.0/24', ''),
    (11, '2026-03-05 11:06:00', 'acme', 'Salesforce', 'Logout', 2, 1, '', '005A', 'alice@acme.example', 0, '', 0, '', '', '203.0.113.7', '203.0.113.0/24', ''),
    (12, '2026-03-05 11:07:00', 'acme', 'Salesforce', 'LoginAs', 7, 1, '', '005Z', 'user-3fa94c-ojqwg5bnmfzxi2lp', 0, '', 0, '', '', '203.0.113.7', '203.0.113.0/24', ''),
    -- Exactly at the beginning, the last millisecond, exactly at the end.
    (13, '2026-03-01 00:00:00', 'acme', 'Salesforce', 'Login', 1, 1, 'LOGIN_NO_ERROR', '005C', 'carol@acme.example', 2, 'Application', 0, '1.3', 'Mozilla/5.0 F', '203.0.113.9', '203.0.113.0/24', ''),
    (14, '2026-03-31 23:59:59.999', 'acme', 'Salesforce', 'Login', 1, 2, 'LOGIN_ERROR_USER_FROZEN', '005E', 'erin@acme.example', 2, 'Application', 0, '1.3', 'Mozilla/5.0 F', '203.0.113.9', '203.0.113.0/24', ''),
    (15, '2026-04-01 00:00:00', 'acme', 'Salesforce', 'Login', 1, 2, 'LOGIN_ERROR_INVALID_PASSWORD', '005D', 'dave@acme.example', 2, 'Application', 0, '1.3', 'Mozilla/5.0 F', '203.0.113.9', '203.0.113.0/24', ''),
    -- A sign-in at the identity provider, and a service account in a browser.
    (16, '2026-03-02 08:59:00', 'acme', 'Microsoft Entra ID', 'SignInLogs', 1, 1, '0', 'e-alice', 'alice@acme.example', 0, '', 1, '', 'Mozilla/5.0 F', '203.0.113.7', '203.0.113.0/24', 'DE'),
    (17, '2026-03-06 22:00:00', 'acme', 'Salesforce', 'Login', 1, 1, 'LOGIN_NO_ERROR', '005S', 'svc-sync@acme.example', 2, 'Application', 0, '1.3', 'Mozilla/5.0 F', '192.0.2.5', '192.0.2.0/24', ''),
    -- February: what was known before.
    (18, '2026-02-10 09:00:00', 'acme', 'Salesforce', 'LoginHistory', 1, 1, 'LOGIN_NO_ERROR', '005A', 'alice@acme.example', 2, 'Application', 0, '', 'Chrome', '198.51.100.1', '198.51.100.0/24', 'DE'),
    (19, '2026-02-10 09:00:00', 'acme', 'Salesforce', 'Login', 1, 1, 'LOGIN_NO_ERROR', '005S', 'svc-sync@acme.example', 3, 'Other Apex API', 0, '1.2', 'Axis/1.4', '198.51.100.9', '198.51.100.0/24', ''),
    -- Another tenant.
    (20, '2026-03-02 09:00:00', 'OTHER', 'Salesforce', 'Login', 1, 2, 'LOGIN_ERROR_OTHER', '005O', 'OTHER-user', 2, 'Application', 0, '1.0', 'Mozilla/5.0 OTHER', '198.18.0.1', '198.18.0.0/24', 'OTHER'),
    (21, '2026-03-02 09:00:01', 'OTHER', 'Salesforce', 'Login', 1, 1, 'LOGIN_NO_ERROR', '005O', 'svc-OTHER@other.example', 2, 'Other Apex API', 0, '1.0', 'Mozilla/5.0 OTHER', '198.18.0.1', '198.18.0.0/24', 'OTHER'));

INSERT INTO events SELECT * FROM events WHERE event_uid IN ('00000000-0000-0000-0001-000000000001', '00000000-0000-0000-0001-000000000002', '00000000-0000-0000-0001-000000000003') SETTINGS final = 0;

-- Calls.
INSERT INTO events (event_uid, time, metadata_tenant_uid, metadata_product_name, metadata_product_vendor_name, metadata_log_name, class_uid, activity_id, status_id, actor_user_uid, actor_user_name, actor_app_uid, session_credential_uid,
    resources_type, resources_name, resources_uid, x_rows_processed, traffic_bytes_in)
SELECT toUUID(concat('00000000-0000-0000-0002-', leftPad(toString(n), 12, '0'))), toDateTime64(at, 3, 'UTC'), tenant, product, product, log, class, activity, status, uid, name, app, key,
    kind, object, id, records, bytes
FROM values('n UInt32, at String, tenant String, product String, log String, class UInt16, activity UInt8, status UInt8, uid String, name String, app String, key String, kind String, object String, id String, records UInt64, bytes UInt64',
    -- svc-sync: four calls, which ApiTotalUsage tells again with the name and the app; one is refused.
    (1, '2026-03-10 08:00:00', 'acme', 'Salesforce', 'RestApi', 6003, 2, 1, '005S', '', '', '', 'sobject', 'Contact', '', 100, 5000),
    (2, '2026-03-10 08:10:00', 'acme', 'Salesforce', 'RestApi', 6003, 2, 1, '005S', '', '', '', 'sobject', 'Account', '', 30, 3000),
    (3, '2026-03-10 08:20:00', 'acme', 'Salesforce', 'RestApi', 6003, 3, 1, '005S', '', '', '', 'sobject', 'Contact', '', 1, 100),
    (4, '2026-03-11 08:00:00', 'acme', 'Salesforce', 'RestApi', 6003, 4, 2, '005S', '', '', '', 'sobject', 'Contact', '', 0, 50),
    (5, '2026-03-10 08:00:00', 'acme', 'Salesforce', 'ApiTotalUsage', 6003, 2, 1, '005S', 'svc-sync@acme.example', '0H4S', '', '', 'Contact', '', 0, 0),
    (6, '2026-03-10 08:10:00', 'acme', 'Salesforce', 'ApiTotalUsage', 6003, 2, 1, '005S', 'svc-sync@acme.example', '0H4S', '', '', 'Account', '', 0, 0),
    (7, '2026-03-10 08:20:00', 'acme', 'Salesforce', 'ApiTotalUsage', 6003, 1, 1, '005S', 'svc-sync@acme.example', '0H4S', '', '', 'Contact', '', 0, 0),
    (8, '2026-03-11 08:00:00', 'acme', 'Salesforce', 'ApiTotalUsage', 6003, 4, 2, '005S', 'svc-sync@acme.example', '0H4S', '', '', 'Contact', '', 0, 0),
    -- The stream tells the two reads again, and no more.
    (9, '2026-03-10 08:00:00', 'acme', 'Salesforce', 'ApiEvent', 6003, 2, 1, '005S', '', '', '', 'sobject', 'Contact', '', 100, 0),
    (10, '2026-03-10 08:10:00', 'acme', 'Salesforce', 'ApiEvent', 6003, 2, 1, '005S', '', '', '', 'sobject', 'Account', '', 30, 0),
    -- A bulk job reports 400, 1000 and 1000 again in the next hour, and is deleted: its id is 18 characters once and 15 once.
    (11, '2026-03-12 01:50:00', 'acme', 'Salesforce', 'BulkApi2', 6003, 2, 1, '005S', '', '', '', 'job', 'Case', '750A00000000001AAA', 400, 0),
    (12, '2026-03-12 01:55:00', 'acme', 'Salesforce', 'BulkApi2', 6003, 2, 1, '005S', '', '', '', 'job', 'Case', '750A00000000001AAA', 1000, 0),
    (13, '2026-03-12 02:05:00', 'acme', 'Salesforce', 'BulkApi2', 6003, 2, 1, '005S', '', '', '', 'job', 'Case', '750A00000000001AAA', 1000, 0),
    (14, '2026-03-12 02:06:00', 'acme', 'Salesforce', 'RestApi', 6003, 4, 1, '005S', '', '', '', 'job', '', '750A00000000001', 0, 10),
    -- Another job, which writes, and stays.
    (15, '2026-03-13 01:00:00', 'acme', 'Salesforce', 'BulkApi2', 6003, 3, 1, '005S', '', '', '', 'job', 'Order', '750A00000000002AAA', 70, 0),
    -- A gateway: a key that is known since February, and one that is new on 20 March.
    (16, '2026-02-01 00:00:00', 'acme', 'Kong Gateway', 'http-log', 6003, 2, 1, 'shop', 'shop', '', 'aaaa1111', '', '', '', 0, 900),
    (17, '2026-03-20 12:00:00', 'acme', 'Kong Gateway', 'http-log', 6003, 2, 1, 'shop', 'shop', '', 'aaaa1111', '', '', '', 0, 700),
    (18, '2026-03-20 12:30:00', 'acme', 'Kong Gateway', 'http-log', 6003, 2, 1, 'shop', 'shop', '', 'bbbb2222', '', '', '', 0, 800),
    (19, '2026-03-20 12:40:00', 'acme', 'Kong Gateway', 'http-log', 6003, 2, 1, '', '', '', '', '', '', '', 0, 60),
    -- An integration that stopped in February, one that is new, and a person who calls.
    (20, '2026-02-05 10:00:00', 'acme', 'Kong Gateway', 'http-log', 6003, 2, 1, 'old-loader', 'old-loader', '', '', '', '', '', 0, 10),
    (21, '2026-03-25 10:00:00', 'acme', 'Kong Gateway', 'http-log', 6003, 1, 1, 'new-loader', 'new-loader', '', '', '', '', '', 0, 20),
    (22, '2026-03-25 11:00:00', 'acme', 'Salesforce', 'RestApi', 6003, 2, 1, '005A', '', '', '', 'sobject', 'Contact', '', 7, 70),
    -- Dynamics tells records without bytes.
    (23, '2026-03-26 10:00:00', 'acme', 'Dynamics 365', 'DynamicsAudit', 6003, 2, 1, 'app-1', 'app-portal', 'c-1', '', 'lead', '', '', 25, 0),
    -- The CRM's own call outwards; a call exactly at the end, and one in the last millisecond.
    (24, '2026-03-26 11:00:00', 'acme', 'Salesforce', 'ApexCallout', 6003, 2, 1, '005A', '', '', '', '', '', '', 0, 500),
    (25, '2026-04-01 00:00:00', 'acme', 'Salesforce', 'RestApi', 6003, 2, 1, '005S', '', '', '', 'sobject', 'Contact', '', 9999, 9999),
    (26, '2026-03-31 23:59:59.999', 'acme', 'Salesforce', 'RestApi', 6003, 2, 1, '005S', '', '', '', 'sobject', 'Contact', '', 3, 30),
    -- What svc-sync did in February: so the things of March can be new.
    (27, '2026-02-10 08:00:00', 'acme', 'Salesforce', 'RestApi', 6003, 2, 1, '005S', '', '', '', 'sobject', 'Contact', '', 10, 1000),
    (28, '2026-02-10 08:30:00', 'acme', 'Salesforce', 'RestApi', 6003, 3, 1, '005S', '', '', '', 'sobject', 'Contact', '', 1, 100),
    -- Another tenant.
    (29, '2026-03-10 08:00:00', 'OTHER', 'Salesforce', 'RestApi', 6003, 2, 1, '005O', 'svc-OTHER@other.example', '0H4OTHER', 'OTHERkey', 'sobject', 'OTHERobject', '', 77777, 777777),
    (30, '2026-03-10 08:00:00', 'OTHER', 'Salesforce', 'BulkApi2', 6003, 2, 1, '005O', 'svc-OTHER@other.example', '', '', 'job', 'OTHERobject', '750OTHER', 77777, 0),
    (31, '2026-03-10 08:30:00', 'OTHER', 'Salesforce', 'RestApi', 6003, 4, 1, '005O', 'svc-OTHER@other.example', '', '', 'job', 'OTHERobject', '750OTHER', 0, 0),
    (32, '2026-02-10 08:30:00', 'OTHER', 'Salesforce', 'RestApi', 6003, 4, 1, '005P', 'svc-OTHER2@other.example', '', 'OTHERkey2', 'sobject', 'OTHERobject', '', 0, 0));

-- Exports, downloads and changes.
INSERT INTO events (event_uid, time, metadata_tenant_uid, metadata_product_name, metadata_log_name, class_uid, activity_id, status_id, actor_user_uid, actor_user_name, metadata_event_code, api_operation, resources_type, resources_name,
    message, user_name, x_rows_processed, traffic_bytes_in)
SELECT toUUID(concat('00000000-0000-0000-0003-', leftPad(toString(n), 12, '0'))), toDateTime64(at, 3, 'UTC'), tenant, product, log, class, activity, status, uid, name, code, operation, kind, object, said, target, records, bytes
FROM values('n UInt32, at String, tenant String, product String, log String, class UInt16, activity UInt8, status UInt8, uid String, name String, code String, operation String, kind String, object String, said String, target String, records UInt64, bytes UInt64',
    -- One export that two logs tell of, two downloads, one that was refused, and a report that was only looked at.
    (1, '2026-03-16 09:00:00', 'acme', 'Salesforce', 'ReportExport', 6001, 7, 1, '005A', '', 'ReportExport', '', 'report', 'Pipeline', '', '', 0, 0),
    (2, '2026-03-16 09:00:00', 'acme', 'Salesforce', 'Report', 6001, 7, 1, '005A', '', 'Report', '', 'report', 'Pipeline', '', '', 250, 0),
    (3, '2026-03-16 10:00:00', 'acme', 'Salesforce', 'ContentTransfer', 6006, 2, 1, '005B', 'bob@acme.example', 'ContentTransfer', '', 'file', 'Offer', '', '', 0, 4000),
    (4, '2026-03-17 10:00:00', 'acme', 'Salesforce', 'ContentTransfer', 6006, 2, 1, '005B', 'bob@acme.example', 'ContentTransfer', '', 'file', 'Plan', '', '', 0, 6000),
    (5, '2026-03-17 11:00:00', 'acme', 'Salesforce', 'ReportExport', 6001, 7, 2, '005B', 'bob@acme.example', 'ReportExport', '', 'report', 'Secret', '', '', 0, 0),
    (6, '2026-03-17 12:00:00', 'acme', 'Salesforce', 'Report', 6001, 2, 1, '005B', 'bob@acme.example', 'Report', '', 'report', 'Pipeline', '', '', 10, 0),
    -- Changes: a right, a key, an app, an allowed address, an account; the last of them by somebody whom only an id names.
    (7, '2026-03-18 09:00:00', 'acme', 'Salesforce', 'PermissionUpdate', 3005, 1, 1, '005A', '', 'PermissionUpdate', 'update', 'permission', '', 'UserPerm: Export Reports enabled', '', 0, 0),
    (8, '2026-03-18 09:10:00', 'acme', 'HubSpot', 'security', 3004, 1, 1, 'h1', 'hana@acme.example', 'API_KEY_CREATED', 'create', 'api key', 'k', 'API key made', '', 0, 0),
    (9, '2026-03-19 09:00:00', 'acme', 'Salesforce', 'SetupAuditTrail', 3004, 1, 1, '005A', 'alice@acme.example', 'createdConnectedApp', 'createdConnectedApp', 'Connected Apps', '', 'Created connected app Loader', '', 0, 0),
    (10, '2026-03-19 09:30:00', 'acme', 'Salesforce', 'SetupAuditTrail', 3004, 3, 2, '005A', 'alice@acme.example', 'changedTrustedIp', 'changedTrustedIp', 'Security', '', 'Changed network access', '', 0, 0),
    (11, '2026-03-20 09:00:00', 'acme', 'Salesforce', 'SetupAuditTrail', 3001, 4, 1, '005B', 'bob@acme.example', 'resetpassword', 'resetpassword', 'Manage Users', '', 'Reset password for carol', 'carol@acme.example', 0, 0),
    (12, '2026-04-01 00:00:00', 'acme', 'Salesforce', 'SetupAuditTrail', 3004, 1, 1, '005B', 'bob@acme.example', 'createdConnectedApp', 'createdConnectedApp', 'Connected Apps', '', 'Too late', '', 0, 0),
    (13, '2026-03-18 09:00:00', 'OTHER', 'Salesforce', 'SetupAuditTrail', 3004, 1, 1, '005O', 'OTHER-user', 'createdConnectedApp', 'createdConnectedApp', 'OTHER', '', 'OTHER app', 'OTHER', 0, 0),
    (14, '2026-03-18 09:00:00', 'OTHER', 'Salesforce', 'ReportExport', 6001, 7, 1, '005O', 'OTHER-user', 'ReportExport', '', 'report', 'OTHERreport', '', '', 0, 0));

-- What was done with crmwatch itself.
INSERT INTO events (event_uid, time, metadata_tenant_uid, metadata_product_name, metadata_log_name, class_uid, activity_id, status_id, actor_user_name, api_operation, resources_name, src_endpoint_ip, message, unmapped)
SELECT toUUID(concat('00000000-0000-0000-0004-', leftPad(toString(n), 12, '0'))), toDateTime64(at, 3, 'UTC'), tenant, 'crmwatch', 'audit', class, activity, status, who, act, object, ip, said, CAST(more, 'Map(LowCardinality(String), String)')
FROM values('n UInt32, at String, tenant String, class UInt16, activity UInt8, status UInt8, who String, act String, object String, ip String, said String, more Map(String, String)',
    (1, '2026-03-01 00:00:00', '', 6002, 3, 1, 'root@soc-1', 'crmwatch.start', '', '', 'Started.', map('via', 'cli')),
    (2, '2026-03-02 10:00:00', '', 3004, 3, 1, 'root@soc-1', 'configuration.change', 'c.yaml', '', 'The configuration c.yaml is another than before.', map('via', 'configuration')),
    (3, '2026-03-02 10:00:00', '', 3004, 2, 1, 'root@soc-1', 'configuration.load', 'c.yaml', '', 'The configuration c.yaml is loaded.', map('via', 'configuration')),
    (4, '2026-03-03 10:00:00', '', 3004, 1, 1, 'mira@soc-1', 'exception.add', 'scanner', '', 'The exception scanner is new.', map('via', 'configuration')),
    (5, '2026-03-04 10:00:00', '', 3004, 1, 1, 'mira@soc-1', 'silence.add', '', '', 'mira@soc-1 has muted rule=password-spray.', map('via', 'cli')),
    (6, '2026-03-05 10:00:00', 'acme', 3004, 3, 1, 'mira@soc-1', 'alert.acknowledge', '', '', 'mira@soc-1 has acknowledged the alert.', map('via', 'slack')),
    (7, '2026-03-06 10:00:00', '', 6005, 4, 1, 'mira@soc-1', 'command.run', 'query', '', 'x', map('via', 'cli', 'arguments', 'SELECT count() FROM events')),
    (8, '2026-03-06 10:01:00', '', 6005, 4, 1, 'mira@soc-1', 'command.run', 'query', '', 'x', map('via', 'cli', 'arguments', 'SELECT 1')),
    (9, '2026-03-07 10:00:00', '', 3002, 1, 2, 'agent-9', 'login.refuse', '', '192.0.2.66', 'Refused: no token.', map('via', 'collector')),
    (10, '2026-03-08 10:00:00', '', 3004, 99, 2, 'crmwatch', 'audit.lose', 'audit', '', 'Three acts could not be recorded.', map('via', 'crmwatch')),
    (11, '2026-04-01 00:00:00', '', 3004, 1, 1, 'late@soc-1', 'silence.add', '', '', 'too late', map('via', 'cli')),
    (12, '2026-03-05 10:00:00', 'OTHER', 3004, 3, 1, 'OTHER@soc-1', 'alert.resolve', 'OTHER', '', 'OTHER', map('via', 'cli')),
    (13, '2026-03-05 10:00:00', 'OTHER', 3002, 1, 2, 'OTHER', 'login.refuse', 'OTHER', '198.18.0.1', 'OTHER', map('via', 'cli')));
