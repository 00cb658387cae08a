CREATE DATABASE IF NOT EXISTS `crmwatch` ON CLUSTER `crm`;

CREATE TABLE IF NOT EXISTS `crmwatch`.schema_migrations ON CLUSTER `crm`
(
    name String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{database}/schema_migrations', '{shard}-{replica}')
ORDER BY name;

CREATE TABLE IF NOT EXISTS `crmwatch`.events_local ON CLUSTER `crm`
(
    time DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    event_uid UUID,
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3),
    metadata_tenant_uid LowCardinality(String),
    metadata_product_name LowCardinality(String),
    metadata_product_vendor_name LowCardinality(String),
    metadata_log_name LowCardinality(String),
    metadata_log_format LowCardinality(String),
    metadata_event_code LowCardinality(String),
    metadata_correlation_uid String,
    metadata_original_event_uid String,
    actor_user_uid LowCardinality(String),
    actor_user_name LowCardinality(String),
    actor_user_email_addr LowCardinality(String),
    actor_user_type LowCardinality(String),
    actor_app_uid LowCardinality(String),
    actor_app_name LowCardinality(String),
    x_actor_client_name LowCardinality(String),
    x_actor_client_category LowCardinality(String),
    actor_idp_uid LowCardinality(String),
    actor_session_uid LowCardinality(String),
    actor_session_uid_alt LowCardinality(String),
    session_credential_uid LowCardinality(String),
    user_uid LowCardinality(String),
    user_name LowCardinality(String),
    src_endpoint_ip LowCardinality(String),
    src_endpoint_name LowCardinality(String),
    x_src_endpoint_network LowCardinality(String),
    src_endpoint_location_country LowCardinality(String),
    src_endpoint_location_city LowCardinality(String),
    dst_endpoint_ip LowCardinality(String),
    dst_endpoint_hostname LowCardinality(String),
    http_request_http_method LowCardinality(String),
    http_request_url_path String,
    http_request_url_query_string String,
    http_request_user_agent LowCardinality(String),
    http_request_referrer String,
    http_request_version LowCardinality(String),
    http_response_content_type LowCardinality(String),
    http_request_x_forwarded_for LowCardinality(String),
    api_operation LowCardinality(String),
    api_version LowCardinality(String),
    api_service_name LowCardinality(String),
    resources_name LowCardinality(String),
    resources_type LowCardinality(String),
    resources_uid String,
    query_info_query_string String,
    status_code LowCardinality(String),
    status_detail String,
    message String,
    logon_type LowCardinality(String),
    x_logon_sub_type LowCardinality(String),
    auth_protocol LowCardinality(String),
    tls_version LowCardinality(String),
    tls_cipher LowCardinality(String),
    x_source_name LowCardinality(String),
    x_source_file LowCardinality(String),
    raw_data String,
    class_uid UInt16,
    activity_id UInt8,
    severity_id UInt8,
    status_id UInt8,
    action_id UInt8,
    disposition_id UInt8,
    metadata_is_truncated UInt8,
    actor_user_type_id UInt8,
    src_endpoint_port UInt16,
    http_response_code UInt16,
    duration UInt32,
    traffic_bytes_in UInt64,
    traffic_bytes_out UInt64,
    x_rows_processed UInt64,
    x_rows_failed UInt64,
    logon_type_id UInt8,
    auth_protocol_id UInt8,
    account_switch_type_id UInt8,
    is_mfa UInt8,
    x_counts_against_limit UInt8,
    x_is_rate_limited UInt8,
    x_cpu_time UInt32,
    x_db_time UInt64,
    x_db_cpu_time UInt32,
    x_db_blocks UInt64,
    x_field_count UInt32,
    x_source_offset UInt64,
    x_ordinal UInt32,
    unmapped Map(LowCardinality(String), String),
    metadata_version LowCardinality(String) DEFAULT '1.8.0',
    metadata_uid String ALIAS toString(event_uid),
    category_uid UInt8 ALIAS intDiv(class_uid, 1000),
    type_uid UInt32 ALIAS class_uid * 100 + activity_id
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/events_local', '{replica}')
PARTITION BY toYYYYMMDD(time)
ORDER BY (class_uid, toStartOfHour(time), actor_user_uid, time, event_uid)
SETTINGS replicated_deduplication_window_seconds = 604800, replicated_deduplication_window = 10000, min_bytes_for_wide_part = 67108864;

CREATE TABLE IF NOT EXISTS `crmwatch`.events ON CLUSTER `crm` AS `crmwatch`.events_local
ENGINE = Distributed('crm', 'crmwatch', 'events_local',
    if(actor_user_uid = '', sipHash64(event_uid), sipHash64(actor_user_uid)));

INSERT INTO `crmwatch`.schema_migrations (name) VALUES ('0001_events');

CREATE TABLE IF NOT EXISTS `crmwatch`.quarantine_local ON CLUSTER `crm`
(
    quarantine_uid UUID,
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3),
    x_source_name LowCardinality(String),
    x_source_file String,
    metadata_log_format LowCardinality(String),
    line UInt64,
    column UInt32,
    x_source_offset UInt64,
    length UInt64,
    reason LowCardinality(String),
    detail String,
    content String
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/quarantine_local', '{replica}')
ORDER BY (x_source_file, x_source_offset, quarantine_uid);

CREATE TABLE IF NOT EXISTS `crmwatch`.quarantine ON CLUSTER `crm` AS `crmwatch`.quarantine_local
ENGINE = Distributed('crm', 'crmwatch', 'quarantine_local',
    sipHash64(x_source_file, x_source_offset));

INSERT INTO `crmwatch`.schema_migrations (name) VALUES ('0002_quarantine');

CREATE TABLE IF NOT EXISTS `crmwatch`.findings ON CLUSTER `crm`
(
    finding_uid UUID,
    version UInt64,
    detected_at DateTime64(3, 'UTC'),
    rule LowCardinality(String),
    severity_id UInt8,
    title String,
    message String,
    metadata_tenant_uid LowCardinality(String),
    metadata_product_name LowCardinality(String),
    entity_type LowCardinality(String),
    entity_uid String,
    entity String,
    window_from DateTime64(3, 'UTC'),
    window_to DateTime64(3, 'UTC'),
    first_seen DateTime64(3, 'UTC'),
    last_seen DateTime64(3, 'UTC'),
    count UInt64,
    attack Array(LowCardinality(String)),
    attributes Map(LowCardinality(String), String),
    evidence Array(UUID),
    evidence_sql String
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{database}/findings', '{shard}-{replica}', version)
ORDER BY finding_uid;

INSERT INTO `crmwatch`.schema_migrations (name) VALUES ('0003_findings');

CREATE TABLE IF NOT EXISTS `crmwatch`.alerts ON CLUSTER `crm`
(
    alert_uid UUID,
    version UInt64,
    updated_at DateTime64(3, 'UTC'),
    status LowCardinality(String),
    merged_into UUID,
    severity_id UInt8,
    title String,
    metadata_tenant_uid LowCardinality(String),
    entity_type LowCardinality(String),
    entity_uid String,
    entity String,
    first_seen DateTime64(3, 'UTC'),
    last_seen DateTime64(3, 'UTC'),
    seen_after_s UInt32,
    finding_uids Array(UUID),
    attack Array(LowCardinality(String)),
    content_hash UInt64
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{database}/alerts', '{shard}-{replica}', version)
ORDER BY alert_uid;

INSERT INTO `crmwatch`.schema_migrations (name) VALUES ('0004_alerts');

CREATE TABLE IF NOT EXISTS `crmwatch`.watermarks ON CLUSTER `crm`
(
    rule LowCardinality(String),
    version UInt64,
    watermark DateTime64(3, 'UTC')
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{database}/watermarks', '{shard}-{replica}', version)
ORDER BY rule;

CREATE TABLE IF NOT EXISTS `crmwatch`.rule_runs ON CLUSTER `crm`
(
    rule LowCardinality(String),
    started_at DateTime64(3, 'UTC'),
    duration_ms UInt32,
    arrived_from DateTime64(3, 'UTC'),
    arrived_to DateTime64(3, 'UTC'),
    windows UInt32,
    findings UInt32,
    error String
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{database}/rule_runs', '{shard}-{replica}')
PARTITION BY toYYYYMM(started_at)
ORDER BY (rule, started_at)
TTL toDateTime(started_at) + INTERVAL 30 DAY;

INSERT INTO `crmwatch`.schema_migrations (name) VALUES ('0005_rule_runs');

CREATE TABLE IF NOT EXISTS `crmwatch`.notifications ON CLUSTER `crm`
(
    alert_uid UUID,
    notifier LowCardinality(String),
    version UInt64,
    updated_at DateTime64(3, 'UTC'),
    state LowCardinality(String),
    repeat LowCardinality(String),
    channel String,
    message_id String,
    content_hash UInt64,
    severity_id UInt8,
    attempts UInt32,
    first_attempt_at DateTime64(3, 'UTC'),
    sent_at DateTime64(3, 'UTC'),
    not_before DateTime64(3, 'UTC'),
    reason LowCardinality(String)
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{database}/notifications', '{shard}-{replica}', version)
ORDER BY (alert_uid, notifier);

INSERT INTO `crmwatch`.schema_migrations (name) VALUES ('0006_notifications');

CREATE TABLE IF NOT EXISTS `crmwatch`.deliveries ON CLUSTER `crm`
(
    agent_uid String,
    sequence UInt64,
    agent LowCardinality(String),
    events_hash FixedString(16),
    quarantine_hash FixedString(16),
    rows UInt64,
    quarantined UInt64,
    sealed_at DateTime64(3, 'UTC'),
    received_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{database}/deliveries', '{shard}-{replica}')
ORDER BY (agent_uid, sequence)
TTL toDateTime(received_at) + INTERVAL 90 DAY;

INSERT INTO `crmwatch`.schema_migrations (name) VALUES ('0007_deliveries');

CREATE TABLE IF NOT EXISTS `crmwatch`.rule_seen ON CLUSTER `crm`
(
    rule LowCardinality(String),
    tenant LowCardinality(String),
    product LowCardinality(String),
    entity_uid String,
    value String,
    stretch Int64,
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_seen SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    saved_at SimpleAggregateFunction(max, DateTime('UTC'))
)
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{database}/rule_seen', '{shard}-{replica}')
ORDER BY (rule, tenant, product, entity_uid, value, stretch)
TTL saved_at + INTERVAL 400 DAY;

CREATE TABLE IF NOT EXISTS `crmwatch`.rule_steps ON CLUSTER `crm`
(
    rule LowCardinality(String),
    tenant LowCardinality(String),
    product LowCardinality(String),
    entity_uid String,
    time DateTime64(3, 'UTC'),
    step LowCardinality(String),
    event_uid UUID,
    value String,
    entity String,
    saved_at DateTime('UTC')
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{database}/rule_steps', '{shard}-{replica}', saved_at)
ORDER BY (rule, tenant, product, entity_uid, time, step, event_uid, value)
TTL saved_at + INTERVAL 100 DAY;

CREATE TABLE IF NOT EXISTS `crmwatch`.rule_activity ON CLUSTER `crm`
(
    rule LowCardinality(String),
    tenant LowCardinality(String),
    product LowCardinality(String),
    entity_uid String,
    bucket DateTime('UTC'),
    saved_at DateTime('UTC')
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{database}/rule_activity', '{shard}-{replica}', saved_at)
ORDER BY (rule, toDate(bucket), tenant, product, entity_uid, bucket)
TTL saved_at + INTERVAL 100 DAY
SETTINGS index_granularity = 512;

ALTER TABLE `crmwatch`.events_local ON CLUSTER `crm` ADD INDEX IF NOT EXISTS ingested_at_range ingested_at TYPE minmax GRANULARITY 1;

ALTER TABLE `crmwatch`.events_local ON CLUSTER `crm` MATERIALIZE INDEX ingested_at_range;

INSERT INTO `crmwatch`.schema_migrations (name) VALUES ('0008_rule_state');

ALTER TABLE `crmwatch`.rule_runs ON CLUSTER `crm` ADD COLUMN IF NOT EXISTS queries UInt32,
    ADD COLUMN IF NOT EXISTS read_rows UInt64,
    ADD COLUMN IF NOT EXISTS read_bytes UInt64,
    ADD COLUMN IF NOT EXISTS memory_bytes UInt64,
    ADD COLUMN IF NOT EXISTS lateness_median_s UInt32,
    ADD COLUMN IF NOT EXISTS lateness_max_s UInt32;

INSERT INTO `crmwatch`.schema_migrations (name) VALUES ('0009_rule_run_cost');

CREATE TABLE IF NOT EXISTS `crmwatch`.rule_coverage ON CLUSTER `crm`
(
    checked_at DateTime64(3, 'UTC'),
    rule LowCardinality(String),
    metadata_tenant_uid LowCardinality(String),
    metadata_product_name LowCardinality(String),
    sight LowCardinality(String),
    log_types Array(LowCardinality(String)),
    missing Array(LowCardinality(String)),
    events UInt64
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{database}/rule_coverage', '{shard}-{replica}')
PARTITION BY toYYYYMM(checked_at)
ORDER BY (checked_at, rule, metadata_tenant_uid, metadata_product_name)
TTL toDateTime(checked_at) + INTERVAL 90 DAY;

CREATE TABLE IF NOT EXISTS `crmwatch`.source_lateness ON CLUSTER `crm`
(
    checked_at DateTime64(3, 'UTC'),
    metadata_tenant_uid LowCardinality(String),
    metadata_product_name LowCardinality(String),
    metadata_log_name LowCardinality(String),
    events UInt64,
    last_event DateTime64(3, 'UTC'),
    last_arrival DateTime64(3, 'UTC'),
    lateness_median_s UInt32,
    lateness_p95_s UInt32,
    lateness_max_s UInt32
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{database}/source_lateness', '{shard}-{replica}')
PARTITION BY toYYYYMM(checked_at)
ORDER BY (checked_at, metadata_tenant_uid, metadata_product_name, metadata_log_name)
TTL toDateTime(checked_at) + INTERVAL 90 DAY;

INSERT INTO `crmwatch`.schema_migrations (name) VALUES ('0010_coverage');

CREATE TABLE IF NOT EXISTS `crmwatch`.self_tests ON CLUSTER `crm`
(
    started_at DateTime64(3, 'UTC'),
    rule LowCardinality(String),
    test String,
    passed UInt8,
    problem String,
    duration_ms UInt32
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{database}/self_tests', '{shard}-{replica}')
PARTITION BY toYYYYMM(started_at)
ORDER BY (rule, started_at, test)
TTL toDateTime(started_at) + INTERVAL 90 DAY;

INSERT INTO `crmwatch`.schema_migrations (name) VALUES ('0011_self_tests');

CREATE TABLE IF NOT EXISTS `crmwatch`.leaders ON CLUSTER `crm`
(
    name LowCardinality(String),
    term UInt64,
    holder String,
    state LowCardinality(String),
    since DateTime64(3, 'UTC'),
    at DateTime64(3, 'UTC'),
    until DateTime64(3, 'UTC')
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{database}/leaders', '{shard}-{replica}', at)
ORDER BY (name, term, holder, state)
TTL toDateTime(at) + INTERVAL 90 DAY;

INSERT INTO `crmwatch`.schema_migrations (name) VALUES ('0012_leaders');

CREATE TABLE IF NOT EXISTS `crmwatch`.event_facets ON CLUSTER `crm`
(
    kind LowCardinality(String),
    day Date,
    tenant LowCardinality(String),
    product LowCardinality(String),
    log LowCardinality(String),
    uid String,
    value String,
    first SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{database}/event_facets', '{shard}-{replica}')
PARTITION BY toYYYYMM(day)
ORDER BY (kind, day, tenant, product, log, uid, value)
SETTINGS index_granularity = 1024;

CREATE TABLE IF NOT EXISTS `crmwatch`.event_hours ON CLUSTER `crm`
(
    hour DateTime('UTC'),
    class_uid UInt16,
    activity_id UInt8,
    tenant LowCardinality(String),
    product LowCardinality(String),
    format LowCardinality(String),
    log LowCardinality(String),
    uid String,
    app LowCardinality(String),
    mail String,
    service LowCardinality(String),
    host LowCardinality(String),
    name String,
    calls UInt64,
    failed UInt64,
    limited UInt64,
    bytes_in UInt64,
    bytes_out UInt64,
    with_bytes UInt64,
    records UInt64,
    with_records UInt64,
    timed UInt64,
    slow Array(UInt64),
    calls_by_slot Array(UInt64),
    errors_by_slot Array(UInt64),
    first DateTime64(3, 'UTC'),
    last DateTime64(3, 'UTC'),
    version UInt64
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{database}/event_hours', '{shard}-{replica}', version)
PARTITION BY toYYYYMM(hour)
ORDER BY (class_uid, hour, tenant, product, format, log, activity_id, uid, app, mail, service, host)
SETTINGS index_granularity = 1024;

CREATE TABLE IF NOT EXISTS `crmwatch`.event_partners ON CLUSTER `crm`
(
    hour DateTime('UTC'),
    sort LowCardinality(String),
    tenant LowCardinality(String),
    product LowCardinality(String),
    who String,
    calls UInt64,
    matched UInt64,
    version UInt64
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{database}/event_partners', '{shard}-{replica}', version)
PARTITION BY toYYYYMM(hour)
ORDER BY (sort, hour, tenant, product, who)
SETTINGS index_granularity = 1024;

INSERT INTO `crmwatch`.schema_migrations (name) VALUES ('0013_digest');

ALTER TABLE `crmwatch`.event_hours ON CLUSTER `crm` ADD COLUMN IF NOT EXISTS object_records Map(String, UInt64);

ALTER TABLE `crmwatch`.event_hours ON CLUSTER `crm` ADD COLUMN IF NOT EXISTS object_bytes Map(String, UInt64);

CREATE TABLE IF NOT EXISTS `crmwatch`.event_services ON CLUSTER `crm`
(
    hour DateTime('UTC'),
    class_uid UInt16,
    tenant LowCardinality(String),
    product LowCardinality(String),
    format LowCardinality(String),
    log LowCardinality(String),
    service LowCardinality(String),
    host LowCardinality(String),
    calls UInt64,
    failed UInt64,
    timed UInt64,
    slow Array(UInt64),
    calls_by_slot Array(UInt64),
    errors_by_slot Array(UInt64),
    last DateTime64(3, 'UTC'),
    version UInt64
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{database}/event_services', '{shard}-{replica}', version)
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, class_uid, tenant, product, format, log, service, host)
SETTINGS index_granularity = 1024;

CREATE TABLE IF NOT EXISTS `crmwatch`.event_days ON CLUSTER `crm`
(
    day Date,
    class_uid UInt16,
    activity_id UInt8,
    tenant LowCardinality(String),
    product LowCardinality(String),
    log LowCardinality(String),
    uid String,
    calls UInt64,
    records UInt64,
    most UInt64,
    version UInt64
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{database}/event_days', '{shard}-{replica}', version)
PARTITION BY toYYYYMM(day)
ORDER BY (class_uid, day, activity_id, tenant, product, log, uid)
SETTINGS index_granularity = 1024;

INSERT INTO `crmwatch`.schema_migrations (name) VALUES ('0014_digest_sums');

CREATE TABLE IF NOT EXISTS `crmwatch`.suppressed_findings ON CLUSTER `crm`
(
    finding_uid UUID,
    version UInt64,
    suppressed_at DateTime64(3, 'UTC'),
    reason String,
    rule LowCardinality(String),
    severity_id UInt8,
    message String,
    metadata_tenant_uid LowCardinality(String),
    metadata_product_name LowCardinality(String),
    entity_type LowCardinality(String),
    entity_uid String,
    entity String,
    window_from DateTime64(3, 'UTC'),
    first_seen DateTime64(3, 'UTC'),
    last_seen DateTime64(3, 'UTC'),
    count UInt64,
    evidence Array(UUID)
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{database}/suppressed_findings', '{shard}-{replica}', version)
ORDER BY finding_uid;

ALTER TABLE `crmwatch`.rule_runs ON CLUSTER `crm` ADD COLUMN IF NOT EXISTS suppressed UInt32,
    ADD COLUMN IF NOT EXISTS noted UInt32;

ALTER TABLE `crmwatch`.findings ON CLUSTER `crm` ADD COLUMN IF NOT EXISTS controls Array(LowCardinality(String));

INSERT INTO `crmwatch`.schema_migrations (name) VALUES ('0015_exceptions');

ALTER TABLE `crmwatch`.alerts ON CLUSTER `crm` ADD COLUMN IF NOT EXISTS status_by String,
    ADD COLUMN IF NOT EXISTS status_at DateTime64(3, 'UTC'),
    ADD COLUMN IF NOT EXISTS status_note String,
    ADD COLUMN IF NOT EXISTS snoozed_until DateTime64(3, 'UTC'),
    ADD COLUMN IF NOT EXISTS status_before LowCardinality(String),
    ADD COLUMN IF NOT EXISTS joined_at DateTime64(3, 'UTC'),
    ADD COLUMN IF NOT EXISTS request_uid UUID;

CREATE TABLE IF NOT EXISTS `crmwatch`.alert_requests ON CLUSTER `crm`
(
    request_uid UUID,
    version UInt64,
    requested_at DateTime64(3, 'UTC'),
    alert_uid UUID,
    action LowCardinality(String),
    actor String,
    via LowCardinality(String),
    note String,
    until DateTime64(3, 'UTC'),
    state LowCardinality(String),
    reason String
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{database}/alert_requests', '{shard}-{replica}', version)
ORDER BY request_uid;

CREATE TABLE IF NOT EXISTS `crmwatch`.alert_transitions ON CLUSTER `crm`
(
    alert_uid UUID,
    transition_uid UUID,
    at DateTime64(3, 'UTC'),
    version UInt64,
    action LowCardinality(String),
    from_status LowCardinality(String),
    to_status LowCardinality(String),
    from_severity_id UInt8,
    to_severity_id UInt8,
    actor String,
    via LowCardinality(String),
    note String,
    until DateTime64(3, 'UTC'),
    finding_uids Array(UUID),
    refused String
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{database}/alert_transitions', '{shard}-{replica}', version)
ORDER BY (alert_uid, transition_uid);

ALTER TABLE `crmwatch`.notifications ON CLUSTER `crm` ADD COLUMN IF NOT EXISTS told_version UInt64,
    ADD COLUMN IF NOT EXISTS reply_version UInt64,
    ADD COLUMN IF NOT EXISTS reply_state LowCardinality(String),
    ADD COLUMN IF NOT EXISTS reply_at DateTime64(3, 'UTC');

INSERT INTO `crmwatch`.schema_migrations (name) VALUES ('0016_alert_life');

CREATE TABLE IF NOT EXISTS `crmwatch`.silences ON CLUSTER `crm`
(
    silence_uid UUID,
    version UInt64,
    created_at DateTime64(3, 'UTC'),
    author String,
    reason String,
    matchers Array(String),
    starts_at DateTime64(3, 'UTC'),
    ends_at DateTime64(3, 'UTC'),
    up_to_severity_id UInt8,
    ended_by String
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{database}/silences', '{shard}-{replica}', version)
ORDER BY silence_uid;

ALTER TABLE `crmwatch`.notifications ON CLUSTER `crm` ADD COLUMN IF NOT EXISTS digest_uid UUID,
    ADD COLUMN IF NOT EXISTS digest_from DateTime64(3, 'UTC');

INSERT INTO `crmwatch`.schema_migrations (name) VALUES ('0017_silences');

CREATE TABLE IF NOT EXISTS `crmwatch`.legal_holds ON CLUSTER `crm`
(
    hold_uid UUID,
    version UInt64,
    created_at DateTime64(3, 'UTC'),
    created_by String,
    reason String,
    metadata_tenant_uid String,
    users Array(String),
    entities Array(String),
    metadata_product_name String,
    class_uid UInt16,
    hold_from DateTime64(3, 'UTC'),
    hold_to DateTime64(3, 'UTC'),
    released_at DateTime64(3, 'UTC'),
    released_by String,
    release_reason String
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{database}/legal_holds', '{shard}-{replica}', version)
ORDER BY hold_uid;

CREATE TABLE IF NOT EXISTS `crmwatch`.retention_rules ON CLUSTER `crm`
(
    version UInt64,
    applied_at DateTime64(3, 'UTC'),
    applied_by String,
    what LowCardinality(String),
    metadata_tenant_uid String,
    class_uid UInt16,
    keep_s UInt64
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{database}/retention_rules', '{shard}-{replica}')
ORDER BY (version, what, metadata_tenant_uid, class_uid);

INSERT INTO `crmwatch`.schema_migrations (name) VALUES ('0018_retention');

CREATE TABLE IF NOT EXISTS `crmwatch`.erasures ON CLUSTER `crm`
(
    erasure_uid UUID,
    version UInt64,
    started_at DateTime64(3, 'UTC'),
    updated_at DateTime64(3, 'UTC'),
    actor String,
    reason String,
    method LowCardinality(String),
    state LowCardinality(String),
    subject_hmac String,
    counts Map(String, UInt64)
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{database}/erasures', '{shard}-{replica}', version)
ORDER BY erasure_uid;

INSERT INTO `crmwatch`.schema_migrations (name) VALUES ('0019_erasures');
