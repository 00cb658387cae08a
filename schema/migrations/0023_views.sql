-- Views for analysts: what a question needs, each thing once, columns with comments.
-- SQL SECURITY INVOKER: who asks a view needs the rights on its tables, and their row
-- policies hold.

-- Of several logs that tell of the same logins, the one that tells most is taken, minute
-- by minute. A condition on time does not reach below that choice, so the view takes
-- the time as parameters: SELECT * FROM logins(from = '2026-03-01', to = '2026-03-08').
CREATE VIEW IF NOT EXISTS logins SQL SECURITY INVOKER AS
SELECT * EXCEPT (told, most)
FROM
(
    SELECT *, max(told) OVER (PARTITION BY tenant, product, lower(user), status, toStartOfMinute(time)) AS most
    FROM
    (
        SELECT
            time,
            metadata_tenant_uid AS tenant,
            metadata_product_name AS product,
            multiIf(actor_user_name != '', actor_user_name, actor_user_email_addr != '', actor_user_email_addr, actor_user_uid) AS user,
            actor_user_uid AS user_uid,
            multiIf(status_id = 1, 'success', status_id = 2, 'failure', status_id = 99, 'challenge', 'unknown') AS status,
            status_code,
            status_detail,
            src_endpoint_ip AS ip,
            x_src_endpoint_network AS network,
            src_endpoint_location_country AS country,
            logon_type,
            x_logon_sub_type AS logon_sub_type,
            auth_protocol,
            is_mfa,
            tls_version,
            tls_cipher,
            actor_app_name AS app,
            http_request_user_agent AS user_agent,
            metadata_log_name AS log,
            ingested_at,
            event_uid,
            -- Of two logs that tell as much, the first by name.
            (count() OVER (PARTITION BY tenant, product, lower(user), status, toStartOfMinute(time), log), cityHash64(log)) AS told
        FROM events FINAL
        WHERE class_uid = 3002 AND activity_id = 1 AND metadata_product_name != 'crmwatch'
            AND time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)}
    )
)
WHERE told = most
COMMENT 'Logins of [from, to), each once, although several logs may tell of it. Columns as in events, under shorter names.';

CREATE VIEW IF NOT EXISTS calls
(
    time DateTime64(3, 'UTC') COMMENT 'When the call was made, UTC',
    tenant LowCardinality(String) COMMENT 'Organisation, as the product names it',
    product LowCardinality(String) COMMENT 'Salesforce, Kong Gateway, nginx and so on',
    log LowCardinality(String) COMMENT 'Kind of log that tells it',
    told_again UInt8 COMMENT '1 in logs that repeat calls of other logs, such as ApiTotalUsage: count told_again = 0 where both are collected',
    user LowCardinality(String) COMMENT 'Who called: name, else address, else id',
    user_uid LowCardinality(String) COMMENT 'The product''s id of the user',
    app LowCardinality(String) COMMENT 'Connected app, client or workflow: name, else id',
    session LowCardinality(String) COMMENT 'Keyed hash of the session; the session itself is never stored',
    credential LowCardinality(String) COMMENT 'Id of the key or secret, or a keyed hash of it',
    ip LowCardinality(String) COMMENT 'Address of the caller',
    network LowCardinality(String) COMMENT 'The caller''s network: /24 or /48',
    user_agent LowCardinality(String) COMMENT 'Client program',
    method LowCardinality(String) COMMENT 'HTTP method',
    path String COMMENT 'Path of the URL, without secrets',
    operation LowCardinality(String) COMMENT 'What was done, in the product''s words',
    object LowCardinality(String) COMMENT 'What it was done to: object, entity or module',
    status LowCardinality(String) COMMENT 'success, failure or unknown',
    code UInt16 COMMENT 'HTTP status; 0 where the log has none',
    status_code LowCardinality(String) COMMENT 'The product''s own code of the outcome',
    duration_ms UInt32 COMMENT 'How long it took, milliseconds; 0 where the log does not tell',
    bytes_down UInt64 COMMENT 'Bytes from the server to the client',
    bytes_up UInt64 COMMENT 'Bytes from the client to the server',
    records UInt64 COMMENT 'Records read or written; 0 where the log does not tell; in log BulkApi2 those of the job so far',
    query String COMMENT 'SOQL, FetchXML or the like, without secrets',
    correlation String COMMENT 'Request id that other logs may have too',
    ingested_at DateTime64(3, 'UTC') COMMENT 'When it arrived here',
    event_uid UUID COMMENT 'The event''s identity, as in findings.evidence'
)
SQL SECURITY INVOKER AS
SELECT
    time,
    metadata_tenant_uid AS tenant,
    metadata_product_name AS product,
    metadata_log_name AS log,
    metadata_log_name IN ('ApiTotalUsage', 'CompositeApiSubrequest', 'BulkApiRequest', 'DatabaseSave') AS told_again,
    multiIf(actor_user_name != '', actor_user_name, actor_user_email_addr != '', actor_user_email_addr, actor_user_uid) AS user,
    actor_user_uid AS user_uid,
    if(actor_app_name != '', actor_app_name, actor_app_uid) AS app,
    actor_session_uid AS session,
    session_credential_uid AS credential,
    src_endpoint_ip AS ip,
    x_src_endpoint_network AS network,
    http_request_user_agent AS user_agent,
    http_request_http_method AS method,
    http_request_url_path AS path,
    api_operation AS operation,
    if(resources_name != '', resources_name, resources_type) AS object,
    multiIf(status_id = 1, 'success', status_id = 2, 'failure', 'unknown') AS status,
    http_response_code AS code,
    status_code,
    duration AS duration_ms,
    traffic_bytes_in AS bytes_down,
    traffic_bytes_out AS bytes_up,
    x_rows_processed AS records,
    query_info_query_string AS query,
    metadata_correlation_uid AS correlation,
    ingested_at,
    event_uid
FROM events FINAL
WHERE class_uid IN (4002, 6003, 6005) AND metadata_product_name != 'crmwatch'
COMMENT 'API calls, HTTP requests and operations on records';

CREATE VIEW IF NOT EXISTS identities
(
    tenant LowCardinality(String) COMMENT 'Organisation, as the product names it',
    product LowCardinality(String) COMMENT 'Salesforce, Dynamics 365, Zoho CRM and so on',
    user_uid LowCardinality(String) COMMENT 'The product''s id of the user',
    name LowCardinality(String) COMMENT 'A name that came with it: logs often have only one of the two',
    first_seen DateTime64(3, 'UTC') COMMENT 'Time of the first event with both',
    last_seen DateTime64(3, 'UTC') COMMENT 'Time of the last event with both'
)
SQL SECURITY INVOKER AS
SELECT metadata_tenant_uid AS tenant, metadata_product_name AS product, actor_user_uid AS user_uid, actor_user_name AS name,
    min(time) AS first_seen, max(time) AS last_seen
FROM events
WHERE actor_user_uid != '' AND actor_user_name != '' AND actor_user_uid != actor_user_name AND metadata_product_name != 'crmwatch'
GROUP BY tenant, product, user_uid, name
COMMENT 'Which names belong to which ids of users';

CREATE VIEW IF NOT EXISTS exports
(
    time DateTime64(3, 'UTC') COMMENT 'When it was taken, UTC',
    tenant LowCardinality(String) COMMENT 'Organisation, as the product names it',
    product LowCardinality(String) COMMENT 'Salesforce, Dynamics 365, Zoho CRM and so on',
    log LowCardinality(String) COMMENT 'Kind of log that tells it; several may tell of one export',
    kind LowCardinality(String) COMMENT 'export (report, list, bulk query) or download (file)',
    user LowCardinality(String) COMMENT 'Who took it: name, else address, else id',
    what LowCardinality(String) COMMENT 'Report, object or file: name, else id',
    job LowCardinality(String) COMMENT 'Id of the bulk job; each of its rows tells the records so far: take the largest, not the sum',
    records UInt64 COMMENT 'Records; 0 where the log does not tell',
    bytes UInt64 COMMENT 'Bytes; 0 where the log does not tell',
    ip LowCardinality(String) COMMENT 'Address of the caller',
    user_agent LowCardinality(String) COMMENT 'Client program',
    status LowCardinality(String) COMMENT 'success, failure or unknown',
    event_uid UUID COMMENT 'The event''s identity, as in findings.evidence'
)
SQL SECURITY INVOKER AS
SELECT
    time,
    metadata_tenant_uid AS tenant,
    metadata_product_name AS product,
    metadata_log_name AS log,
    if(class_uid = 6006, 'download', 'export') AS kind,
    multiIf(actor_user_name != '', actor_user_name, actor_user_email_addr != '', actor_user_email_addr, actor_user_uid) AS user,
    if(resources_name != '', resources_name, toLowCardinality(resources_uid)) AS what,
    if(metadata_log_name = 'BulkApi2', toLowCardinality(resources_uid), '') AS job,
    x_rows_processed AS records,
    traffic_bytes_in AS bytes,
    src_endpoint_ip AS ip,
    http_request_user_agent AS user_agent,
    multiIf(status_id = 1, 'success', status_id = 2, 'failure', 'unknown') AS status,
    event_uid
FROM events FINAL
WHERE class_uid = 6001 AND activity_id = 7 OR class_uid = 6006 AND activity_id = 2
    OR class_uid = 6003 AND metadata_log_name = 'BulkApi2' AND activity_id = 2
COMMENT 'What left the CRM as a report, a list, a bulk query or a file';

CREATE VIEW IF NOT EXISTS changes
(
    time DateTime64(3, 'UTC') COMMENT 'When it was changed, UTC',
    tenant LowCardinality(String) COMMENT 'Organisation, as the product names it',
    product LowCardinality(String) COMMENT 'Salesforce, HubSpot, Workato and so on',
    kind LowCardinality(String) COMMENT 'account, setting, access or group',
    user LowCardinality(String) COMMENT 'Who changed it: name, else address, else id',
    operation LowCardinality(String) COMMENT 'What was done, in the product''s words',
    what LowCardinality(String) COMMENT 'What was changed: name, else type',
    subject LowCardinality(String) COMMENT 'Whose account or rights were changed, where it is a person''s',
    detail String COMMENT 'The log''s own sentence',
    status LowCardinality(String) COMMENT 'success, failure or unknown',
    ip LowCardinality(String) COMMENT 'Address of the caller',
    event_uid UUID COMMENT 'The event''s identity, as in findings.evidence'
)
SQL SECURITY INVOKER AS
SELECT
    time,
    metadata_tenant_uid AS tenant,
    metadata_product_name AS product,
    multiIf(class_uid = 3001, 'account', class_uid = 3005, 'access', class_uid = 3006, 'group', 'setting') AS kind,
    multiIf(actor_user_name != '', actor_user_name, actor_user_email_addr != '', actor_user_email_addr, actor_user_uid) AS user,
    if(api_operation != '', api_operation, metadata_event_code) AS operation,
    if(resources_name != '', resources_name, resources_type) AS what,
    if(user_name != '', user_name, user_uid) AS subject,
    if(message != '', message, status_detail) AS detail,
    multiIf(status_id = 1, 'success', status_id = 2, 'failure', 'unknown') AS status,
    src_endpoint_ip AS ip,
    event_uid
FROM events FINAL
WHERE class_uid IN (3001, 3004, 3005, 3006) AND metadata_product_name != 'crmwatch'
COMMENT 'Changes of accounts, settings, rights and groups in the monitored products';

CREATE VIEW IF NOT EXISTS acts
(
    time DateTime64(3, 'UTC') COMMENT 'When it was done, UTC',
    tenant LowCardinality(String) COMMENT 'Whose data it concerned; empty for the whole installation',
    actor LowCardinality(String) COMMENT 'Who did it, such as alice@host, or crmwatch itself',
    action LowCardinality(String) COMMENT 'What was done, such as acknowledge_alert or load_configuration',
    object_type LowCardinality(String) COMMENT 'What it was done to: alert, rule, silence, subject and so on',
    object LowCardinality(String) COMMENT 'The id or the name of that',
    status LowCardinality(String) COMMENT 'success, failure or unknown',
    ip LowCardinality(String) COMMENT 'Address of the caller, where it came over a network',
    detail String COMMENT 'One sentence',
    attributes Map(LowCardinality(String), String) COMMENT 'More about it, by name',
    event_uid UUID COMMENT 'The event''s identity, as in findings.evidence'
)
SQL SECURITY INVOKER AS
SELECT
    time,
    metadata_tenant_uid AS tenant,
    actor_user_name AS actor,
    api_operation AS action,
    resources_type AS object_type,
    if(resources_name != '', resources_name, toLowCardinality(resources_uid)) AS object,
    multiIf(status_id = 1, 'success', status_id = 2, 'failure', 'unknown') AS status,
    src_endpoint_ip AS ip,
    message AS detail,
    unmapped AS attributes,
    event_uid
FROM events FINAL
WHERE metadata_product_name = 'crmwatch'
COMMENT 'What was done with crmwatch itself';

CREATE VIEW IF NOT EXISTS sources
(
    tenant LowCardinality(String) COMMENT 'Organisation, as the product names it',
    product LowCardinality(String) COMMENT 'Salesforce, Kong Gateway, nginx and so on',
    log LowCardinality(String) COMMENT 'Kind of log',
    events UInt64 COMMENT 'Events of the last days before the check',
    last_event DateTime64(3, 'UTC') COMMENT 'Time of the latest event',
    last_arrival DateTime64(3, 'UTC') COMMENT 'When the latest arrived',
    late_median_s UInt32 COMMENT 'Arrival less event time, seconds: half came sooner',
    late_p95_s UInt32 COMMENT 'The same: 95 of 100 came sooner',
    checked_at DateTime64(3, 'UTC') COMMENT 'When this was looked up; crmwatch run does so every hour'
)
SQL SECURITY INVOKER AS
SELECT
    metadata_tenant_uid AS tenant,
    metadata_product_name AS product,
    metadata_log_name AS log,
    events,
    last_event,
    last_arrival,
    lateness_median_s AS late_median_s,
    lateness_p95_s AS late_p95_s,
    checked_at
FROM source_lateness
WHERE checked_at = (SELECT max(checked_at) FROM source_lateness)
COMMENT 'Which logs came, and how late, at the last check';

CREATE VIEW IF NOT EXISTS alert_times
(
    alert_uid UUID COMMENT 'The alert; its first eight digits do in commands',
    tenant LowCardinality(String) COMMENT 'Organisation, as the product names it',
    title String COMMENT 'The alert''s title',
    severity_id UInt8 COMMENT '1 informational, 2 low, 3 medium, 4 high, 5 critical',
    status LowCardinality(String) COMMENT 'open, acknowledged, snoozed, resolved, false_positive or merged',
    entity String COMMENT 'Who or what it is about',
    first_seen DateTime64(3, 'UTC') COMMENT 'Time of its first event',
    opened_at DateTime64(3, 'UTC') COMMENT 'When crmwatch opened it',
    acknowledged_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When somebody first took it; empty: nobody did',
    acknowledged_by String COMMENT 'Who took it first',
    closed_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was closed last; empty while it is not closed',
    closed_by String COMMENT 'Who closed it last',
    seconds_to_acknowledge Nullable(Int64) COMMENT 'From opening to the first acknowledgement',
    seconds_to_close Nullable(Int64) COMMENT 'From opening to the last closing'
)
SQL SECURITY INVOKER AS
SELECT
    alert_uid,
    a.metadata_tenant_uid AS tenant,
    a.title AS title,
    a.severity_id AS severity_id,
    a.status AS status,
    a.entity AS entity,
    a.first_seen AS first_seen,
    h.opened AS opened_at,
    h.acknowledged AS acknowledged_at,
    h.acknowledger AS acknowledged_by,
    if(a.status IN ('resolved', 'false_positive'), h.closed, NULL) AS closed_at,
    if(a.status IN ('resolved', 'false_positive'), h.closer, '') AS closed_by,
    dateDiff('second', h.opened, h.acknowledged) AS seconds_to_acknowledge,
    if(a.status IN ('resolved', 'false_positive'), dateDiff('second', h.opened, h.closed), NULL) AS seconds_to_close
FROM (SELECT * FROM alerts FINAL) AS a
INNER JOIN
(
    SELECT
        alert_uid,
        minIf(at, action = 'open') AS opened,
        minOrNullIf(at, action = 'acknowledge' AND refused = '') AS acknowledged,
        argMinIf(actor, at, action = 'acknowledge' AND refused = '') AS acknowledger,
        maxOrNullIf(at, to_status IN ('resolved', 'false_positive') AND refused = '') AS closed,
        argMaxIf(actor, at, to_status IN ('resolved', 'false_positive') AND refused = '') AS closer
    FROM alert_transitions FINAL
    GROUP BY alert_uid
) AS h USING (alert_uid)
COMMENT 'Alerts with the times of their life';

CREATE VIEW IF NOT EXISTS rule_health
(
    rule LowCardinality(String) COMMENT 'The rule''s id',
    last_run DateTime64(3, 'UTC') COMMENT 'When its last run began',
    looked_at_until DateTime64(3, 'UTC') COMMENT 'Arrivals before this have been looked at',
    runs_24h UInt64 COMMENT 'Runs of the 24 hours before the last run of any rule',
    failed_24h UInt64 COMMENT 'How many of them failed',
    last_error String COMMENT 'Why the last that failed did so; empty if none did',
    findings_24h UInt64 COMMENT 'Findings that they made',
    median_ms Float64 COMMENT 'Half of them took less, milliseconds'
)
SQL SECURITY INVOKER AS
SELECT
    rule,
    max(started_at) AS last_run,
    maxIf(arrived_to, error = '') AS looked_at_until,
    countIf(recent) AS runs_24h,
    countIf(recent AND error != '') AS failed_24h,
    argMaxIf(error, started_at, error != '') AS last_error,
    sumIf(findings, recent) AS findings_24h,
    medianIf(duration_ms, recent) AS median_ms
FROM (SELECT *, started_at >= (SELECT max(started_at) FROM rule_runs) - INTERVAL 1 DAY AS recent FROM rule_runs)
GROUP BY rule
COMMENT 'Whether each rule runs, and what it costs';
