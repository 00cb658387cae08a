package detectors

// loginsStatement counts the logins that did not succeed, minute by minute.
const loginsStatement = `INSERT INTO event_logins (hour, tenant, product, log, status_id, code, network, uid, name, minutes, counts, version)
SELECT toStartOfHour(time) AS hour, metadata_tenant_uid AS tenant, metadata_product_name AS product, metadata_log_name AS log, status_id,
    status_code AS code, x_src_endpoint_network AS network, actor_user_uid AS uid, lower(actor_user_name) AS name,
    (sumMap([toMinute(time)], [toUInt64(1)]) AS told).1, told.2, {version:UInt64}
FROM events FINAL
WHERE class_uid = 3002 AND activity_id = 1 AND status_id IN (2, 99) AND (actor_user_uid != '' OR actor_user_name != '')
    AND time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)} AND toStartOfHour(time) IN {hours:Array(DateTime('UTC'))}
GROUP BY hour, tenant, product, log, status_id, code, network, uid, name`
