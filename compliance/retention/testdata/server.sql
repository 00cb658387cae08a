ALTER TABLE events MODIFY SETTING materialize_ttl_recalculate_only = 1, merge_with_ttl_timeout = 86400, ttl_only_drop_parts = 0;

ALTER TABLE events MODIFY TTL multiIf(((metadata_tenant_uid = 'acme') AND ((lowerUTF8(actor_user_uid) IN ('alice@acme.example')) OR (lowerUTF8(actor_user_name) IN ('alice@acme.example')) OR (lowerUTF8(actor_user_email_addr) IN ('alice@acme.example')) OR (lowerUTF8(user_uid) IN ('alice@acme.example')) OR (lowerUTF8(user_name) IN ('alice@acme.example'))) AND (time >= toDateTime64('2026-01-01 00:00:00.000', 3, 'UTC'))), toDateTime('2106-01-01 00:00:00', 'UTC'), metadata_product_name = 'crmwatch', toDateTime(least(time, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(63072000), (metadata_tenant_uid = 'a\' OR 1=1') AND ((class_uid = 4002)), toDateTime(least(time, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(1209600), (metadata_tenant_uid = 'a\' OR 1=1') AND ((class_uid = 6003)), toDateTime(least(time, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(7776000), metadata_tenant_uid = 'a\' OR 1=1', toDateTime(least(time, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(34560000), metadata_tenant_uid = 'acme', toDateTime(least(time, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(15552000), (class_uid = 4002), toDateTime(least(time, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(2592000), (class_uid = 6003), toDateTime(least(time, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(7776000), toDateTime(least(time, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(34560000)) SETTINGS mutations_sync = 1;

ALTER TABLE quarantine MODIFY SETTING materialize_ttl_recalculate_only = 1;

ALTER TABLE quarantine MODIFY TTL multiIf((((positionCaseInsensitiveUTF8(content, 'alice@acme.example') > 0) OR (positionCaseInsensitiveUTF8(x_source_file, 'alice@acme.example') > 0)) AND (ingested_at >= toDateTime64('2026-01-01 00:00:00.000', 3, 'UTC'))), toDateTime('2106-01-01 00:00:00', 'UTC'), toDateTime(least(ingested_at, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(2592000)) SETTINGS mutations_sync = 1;

ALTER TABLE findings MODIFY SETTING materialize_ttl_recalculate_only = 1;

ALTER TABLE findings MODIFY TTL multiIf(((metadata_tenant_uid = 'acme') AND ((lowerUTF8(entity_uid) IN ('alice@acme.example')) OR (lowerUTF8(entity) IN ('alice@acme.example')) OR (positionCaseInsensitiveUTF8(message, 'alice@acme.example') > 0)) AND (last_seen >= toDateTime64('2026-01-01 00:00:00.000', 3, 'UTC'))), toDateTime('2106-01-01 00:00:00', 'UTC'), toDateTime(least(detected_at, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(63072000)) SETTINGS mutations_sync = 1;

ALTER TABLE alerts MODIFY SETTING materialize_ttl_recalculate_only = 1;

ALTER TABLE alerts MODIFY TTL multiIf(((metadata_tenant_uid = 'acme') AND ((lowerUTF8(entity_uid) IN ('alice@acme.example')) OR (lowerUTF8(entity) IN ('alice@acme.example')) OR (positionCaseInsensitiveUTF8(title, 'alice@acme.example') > 0)) AND (last_seen >= toDateTime64('2026-01-01 00:00:00.000', 3, 'UTC'))), toDateTime('2106-01-01 00:00:00', 'UTC'), toDateTime(least(updated_at, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(63072000)) SETTINGS mutations_sync = 1;

ALTER TABLE suppressed_findings MODIFY SETTING materialize_ttl_recalculate_only = 1;

ALTER TABLE suppressed_findings MODIFY TTL multiIf(((metadata_tenant_uid = 'acme') AND ((lowerUTF8(entity_uid) IN ('alice@acme.example')) OR (lowerUTF8(entity) IN ('alice@acme.example')) OR (positionCaseInsensitiveUTF8(message, 'alice@acme.example') > 0)) AND (last_seen >= toDateTime64('2026-01-01 00:00:00.000', 3, 'UTC'))), toDateTime('2106-01-01 00:00:00', 'UTC'), toDateTime(least(suppressed_at, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(63072000)) SETTINGS mutations_sync = 1;

ALTER TABLE alert_transitions MODIFY SETTING materialize_ttl_recalculate_only = 1;

ALTER TABLE alert_transitions MODIFY TTL multiIf((at >= toDateTime64('2026-01-01 00:00:00.000', 3, 'UTC')), toDateTime('2106-01-01 00:00:00', 'UTC'), toDateTime(least(at, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(63072000)) SETTINGS mutations_sync = 1;

ALTER TABLE alert_requests MODIFY SETTING materialize_ttl_recalculate_only = 1;

ALTER TABLE alert_requests MODIFY TTL multiIf((requested_at >= toDateTime64('2026-01-01 00:00:00.000', 3, 'UTC')), toDateTime('2106-01-01 00:00:00', 'UTC'), toDateTime(least(requested_at, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(63072000)) SETTINGS mutations_sync = 1;

ALTER TABLE notifications MODIFY SETTING materialize_ttl_recalculate_only = 1;

ALTER TABLE notifications MODIFY TTL multiIf((updated_at >= toDateTime64('2026-01-01 00:00:00.000', 3, 'UTC')), toDateTime('2106-01-01 00:00:00', 'UTC'), toDateTime(least(updated_at, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(63072000)) SETTINGS mutations_sync = 1;

ALTER TABLE silences MODIFY SETTING materialize_ttl_recalculate_only = 1;

ALTER TABLE silences MODIFY TTL toDateTime(least(ends_at, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(63072000) SETTINGS mutations_sync = 1;

ALTER TABLE event_facets MODIFY SETTING materialize_ttl_recalculate_only = 1;

ALTER TABLE event_facets MODIFY TTL multiIf((tenant = 'a\' OR 1=1') AND ((kind = 'call') OR (kind = 'credential') OR (kind = 'deleted job') OR (kind = 'reassignment') OR (kind = 'refusal') OR (kind = 'way')), toDateTime(least(last, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(7776000), (tenant = 'a\' OR 1=1') AND ((kind = 'audited key') OR (kind = 'end') OR (kind = 'home network') OR (kind = 'impersonation') OR (kind = 'interactive login') OR (kind = 'login') OR (kind = 'login network') OR (kind = 'named login') OR (kind = 'named login network') OR (kind = 'refused login')), toDateTime(least(last, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(34560000), tenant = 'a\' OR 1=1', toDateTime(least(last, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(1209600), tenant = 'acme', toDateTime(least(last, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(15552000), (kind = 'call') OR (kind = 'credential') OR (kind = 'deleted job') OR (kind = 'reassignment') OR (kind = 'refusal') OR (kind = 'way'), toDateTime(least(last, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(7776000), (kind = 'audited key') OR (kind = 'end') OR (kind = 'home network') OR (kind = 'impersonation') OR (kind = 'interactive login') OR (kind = 'login') OR (kind = 'login network') OR (kind = 'named login') OR (kind = 'named login network') OR (kind = 'refused login'), toDateTime(least(last, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(34560000), toDateTime(least(last, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(2592000)) SETTINGS mutations_sync = 1;

ALTER TABLE event_hours MODIFY SETTING materialize_ttl_recalculate_only = 1;

ALTER TABLE event_hours MODIFY TTL multiIf((tenant = 'a\' OR 1=1') AND ((class_uid = 4002)), toDateTime(least(last, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(1209600), (tenant = 'a\' OR 1=1') AND ((class_uid = 6003)), toDateTime(least(last, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(7776000), tenant = 'a\' OR 1=1', toDateTime(least(last, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(34560000), tenant = 'acme', toDateTime(least(last, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(15552000), (class_uid = 4002), toDateTime(least(last, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(2592000), (class_uid = 6003), toDateTime(least(last, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(7776000), toDateTime(least(last, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(34560000)) SETTINGS mutations_sync = 1;

ALTER TABLE event_services MODIFY SETTING materialize_ttl_recalculate_only = 1;

ALTER TABLE event_services MODIFY TTL multiIf((tenant = 'a\' OR 1=1') AND ((class_uid = 4002)), toDateTime(least(last, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(1209600), (tenant = 'a\' OR 1=1') AND ((class_uid = 6003)), toDateTime(least(last, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(7776000), tenant = 'a\' OR 1=1', toDateTime(least(last, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(34560000), tenant = 'acme', toDateTime(least(last, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(15552000), (class_uid = 4002), toDateTime(least(last, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(2592000), (class_uid = 6003), toDateTime(least(last, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(7776000), toDateTime(least(last, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(34560000)) SETTINGS mutations_sync = 1;

ALTER TABLE event_days MODIFY SETTING materialize_ttl_recalculate_only = 1;

ALTER TABLE event_days MODIFY TTL multiIf((tenant = 'a\' OR 1=1') AND ((class_uid = 4002)), toDateTime(least(day, toDate('2079-12-31')) + 1, 'UTC') + toIntervalSecond(1209600), (tenant = 'a\' OR 1=1') AND ((class_uid = 6003)), toDateTime(least(day, toDate('2079-12-31')) + 1, 'UTC') + toIntervalSecond(7776000), tenant = 'a\' OR 1=1', toDateTime(least(day, toDate('2079-12-31')) + 1, 'UTC') + toIntervalSecond(34560000), tenant = 'acme', toDateTime(least(day, toDate('2079-12-31')) + 1, 'UTC') + toIntervalSecond(15552000), (class_uid = 4002), toDateTime(least(day, toDate('2079-12-31')) + 1, 'UTC') + toIntervalSecond(2592000), (class_uid = 6003), toDateTime(least(day, toDate('2079-12-31')) + 1, 'UTC') + toIntervalSecond(7776000), toDateTime(least(day, toDate('2079-12-31')) + 1, 'UTC') + toIntervalSecond(34560000)) SETTINGS mutations_sync = 1;

ALTER TABLE event_changes MODIFY SETTING materialize_ttl_recalculate_only = 1;

ALTER TABLE event_changes MODIFY TTL multiIf((tenant = 'a\' OR 1=1') AND ((1)), toDateTime(least(day, toDate('2079-12-31')) + 1, 'UTC') + toIntervalSecond(7776000), tenant = 'a\' OR 1=1', toDateTime(least(day, toDate('2079-12-31')) + 1, 'UTC') + toIntervalSecond(1209600), tenant = 'acme', toDateTime(least(day, toDate('2079-12-31')) + 1, 'UTC') + toIntervalSecond(15552000), (1), toDateTime(least(day, toDate('2079-12-31')) + 1, 'UTC') + toIntervalSecond(7776000), toDateTime(least(day, toDate('2079-12-31')) + 1, 'UTC') + toIntervalSecond(2592000)) SETTINGS mutations_sync = 1;

ALTER TABLE event_peaks MODIFY SETTING materialize_ttl_recalculate_only = 1;

ALTER TABLE event_peaks MODIFY TTL multiIf(tenant = 'a\' OR 1=1', toDateTime(least(day, toDate('2079-12-31')) + 1, 'UTC') + toIntervalSecond(1209600), tenant = 'acme', toDateTime(least(day, toDate('2079-12-31')) + 1, 'UTC') + toIntervalSecond(15552000), toDateTime(least(day, toDate('2079-12-31')) + 1, 'UTC') + toIntervalSecond(2592000)) SETTINGS mutations_sync = 1;

ALTER TABLE event_callers MODIFY SETTING materialize_ttl_recalculate_only = 1;

ALTER TABLE event_callers MODIFY TTL multiIf(tenant = 'a\' OR 1=1', toDateTime(least(day, toDate('2079-12-31')) + 1, 'UTC') + toIntervalSecond(1209600), tenant = 'acme', toDateTime(least(day, toDate('2079-12-31')) + 1, 'UTC') + toIntervalSecond(15552000), toDateTime(least(day, toDate('2079-12-31')) + 1, 'UTC') + toIntervalSecond(2592000)) SETTINGS mutations_sync = 1;

ALTER TABLE event_reads MODIFY SETTING materialize_ttl_recalculate_only = 1;

ALTER TABLE event_reads MODIFY TTL multiIf(tenant = 'a\' OR 1=1', toDateTime(least(day, toDate('2079-12-31')) + 1, 'UTC') + toIntervalSecond(1209600), tenant = 'acme', toDateTime(least(day, toDate('2079-12-31')) + 1, 'UTC') + toIntervalSecond(15552000), toDateTime(least(day, toDate('2079-12-31')) + 1, 'UTC') + toIntervalSecond(2592000)) SETTINGS mutations_sync = 1;

ALTER TABLE event_partners MODIFY SETTING materialize_ttl_recalculate_only = 1;

ALTER TABLE event_partners MODIFY TTL multiIf(tenant = 'a\' OR 1=1', (least(hour, toDateTime('2080-01-01 00:00:00', 'UTC')) + toIntervalHour(1)) + toIntervalSecond(1209600), tenant = 'acme', (least(hour, toDateTime('2080-01-01 00:00:00', 'UTC')) + toIntervalHour(1)) + toIntervalSecond(15552000), (least(hour, toDateTime('2080-01-01 00:00:00', 'UTC')) + toIntervalHour(1)) + toIntervalSecond(2592000)) SETTINGS mutations_sync = 1;

ALTER TABLE event_logins MODIFY SETTING materialize_ttl_recalculate_only = 1;

ALTER TABLE event_logins MODIFY TTL multiIf((tenant = 'a\' OR 1=1') AND ((1)), (least(hour, toDateTime('2080-01-01 00:00:00', 'UTC')) + toIntervalHour(1)) + toIntervalSecond(34560000), tenant = 'a\' OR 1=1', (least(hour, toDateTime('2080-01-01 00:00:00', 'UTC')) + toIntervalHour(1)) + toIntervalSecond(1209600), tenant = 'acme', (least(hour, toDateTime('2080-01-01 00:00:00', 'UTC')) + toIntervalHour(1)) + toIntervalSecond(15552000), (1), (least(hour, toDateTime('2080-01-01 00:00:00', 'UTC')) + toIntervalHour(1)) + toIntervalSecond(34560000), (least(hour, toDateTime('2080-01-01 00:00:00', 'UTC')) + toIntervalHour(1)) + toIntervalSecond(2592000)) SETTINGS mutations_sync = 1;

ALTER TABLE rule_seen MODIFY SETTING materialize_ttl_recalculate_only = 1;

ALTER TABLE rule_seen MODIFY TTL least((saved_at + toIntervalDay(400)), multiIf((tenant = 'a\' OR 1=1') AND ((startsWith(rule, 'login-place#'))), toDateTime(least(last_seen, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(34560000), tenant = 'a\' OR 1=1', toDateTime(least(last_seen, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(1209600), tenant = 'acme', toDateTime(least(last_seen, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(15552000), (startsWith(rule, 'login-place#')), toDateTime(least(last_seen, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(34560000), toDateTime(least(last_seen, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(2592000))) SETTINGS mutations_sync = 1;

ALTER TABLE rule_steps MODIFY SETTING materialize_ttl_recalculate_only = 1;

ALTER TABLE rule_steps MODIFY TTL least((saved_at + toIntervalDay(100)), multiIf((tenant = 'a\' OR 1=1') AND ((startsWith(rule, 'login-place#'))), toDateTime(least(time, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(34560000), tenant = 'a\' OR 1=1', toDateTime(least(time, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(1209600), tenant = 'acme', toDateTime(least(time, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(15552000), (startsWith(rule, 'login-place#')), toDateTime(least(time, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(34560000), toDateTime(least(time, toDateTime64('2080-01-01 00:00:00', 3, 'UTC')), 'UTC') + toIntervalSecond(2592000))) SETTINGS mutations_sync = 1;

ALTER TABLE rule_activity MODIFY SETTING materialize_ttl_recalculate_only = 1;

ALTER TABLE rule_activity MODIFY TTL least((saved_at + toIntervalDay(100)), multiIf((tenant = 'a\' OR 1=1') AND ((startsWith(rule, 'login-place#'))), least(bucket, toDateTime('2080-01-01 00:00:00', 'UTC')) + toIntervalSecond(34560000), tenant = 'a\' OR 1=1', least(bucket, toDateTime('2080-01-01 00:00:00', 'UTC')) + toIntervalSecond(1209600), tenant = 'acme', least(bucket, toDateTime('2080-01-01 00:00:00', 'UTC')) + toIntervalSecond(15552000), (startsWith(rule, 'login-place#')), least(bucket, toDateTime('2080-01-01 00:00:00', 'UTC')) + toIntervalSecond(34560000), least(bucket, toDateTime('2080-01-01 00:00:00', 'UTC')) + toIntervalSecond(2592000))) SETTINGS mutations_sync = 1;
