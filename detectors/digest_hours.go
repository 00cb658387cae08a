package detectors

import (
	"fmt"
	"strings"
)

// In event_hours, slow[i] are the calls that took at least 2^(i-1) * 64 ms, and
// calls_by_slot and errors_by_slot tell the twelve five minutes of the hour apart. A job
// of Bulk API 2.0 reports its total again and again: it counts once.
var hoursStatement = `INSERT INTO event_hours (hour, class_uid, activity_id, tenant, product, format, log, uid, app, mail, service, host, name,
    calls, failed, limited, bytes_in, bytes_out, with_bytes, records, with_records, timed, slow, calls_by_slot, errors_by_slot, object_records, object_bytes,
    changes, changed, changed_by_jobs, heard, paired_by, named, alone, named_by, first, last, version)
SELECT toStartOfHour(time) AS hour, class_uid, activity_id,
    metadata_tenant_uid AS tenant, metadata_product_name AS product, metadata_log_format AS format, metadata_log_name AS log,
    ` + identity + ` AS uid,
    if(actor_user_uid = '' AND actor_user_name = '' AND actor_app_uid = '', actor_app_name, '') AS app,
    if(actor_user_uid = '' AND actor_user_name = '', actor_user_email_addr, '') AS mail,
    api_service_name AS service, dst_endpoint_hostname AS host, max(actor_user_name),
    count(), countIf(status_id = 2), countIf(x_is_rate_limited = 1 OR http_response_code = 429 OR position(status_code, 'REQUEST_LIMIT_EXCEEDED') > 0),
    sum(traffic_bytes_in), sum(traffic_bytes_out), countIf(traffic_bytes_in > 0 OR traffic_bytes_out > 0),
    if(log = 'BulkApi2', arraySum(mapValues(maxMap(map(resources_uid, x_rows_processed)))), sum(x_rows_processed)), countIf(x_rows_processed > 0),
    countIf(duration > 0), ` + counts(10, "duration >= %d", func(i int) int { return 64 << i }) + `,
    ` + counts(12, "http_response_code > 0 AND intDiv(toMinute(time), 5) = %d", func(i int) int { return i }) + `,
    ` + counts(12, "http_response_code >= 500 AND intDiv(toMinute(time), 5) = %d", func(i int) int { return i }) + `,
    sumMapIf(map(if(resources_name != '', toString(resources_name), toString(resources_type)) AS object, x_rows_processed), object_told),
    sumMapIf(map(object, traffic_bytes_in), class_uid = 6003 AND activity_id = 2 AND x_rows_processed > 0 AND traffic_bytes_in > 0 AND object != '' AS object_told),
    countIf(` + changes + ` AS is_change),
    [` + deeds("sumIf(greatest(x_rows_processed, 1), is_change AND deed = '%s' AND job = '')") + `],
    [` + deeds("arraySum(mapValues(maxMapIf(map(job, x_rows_processed), is_change AND deed = '%s' AND job != '')))") + `],
    ` + heardCalls + `,
    ` + heldCalls + `,
    min(time), max(time), {version:UInt64}
FROM events FINAL
WHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)} AND toStartOfHour(time) IN {hours:Array(DateTime('UTC'))}
GROUP BY hour, class_uid, activity_id, tenant, product, format, log, uid, app, mail, service, host`

// servicesStatement sums the hours without the identities.
const servicesStatement = `INSERT INTO event_services (hour, class_uid, tenant, product, format, log, service, host,
    calls, failed, timed, slow, calls_by_slot, errors_by_slot, heard, last, version)
SELECT hour, class_uid, tenant, product, format, log, service, host,
    sum(calls), sum(failed), sum(timed), sumForEach(slow), sumForEach(calls_by_slot), sumForEach(errors_by_slot), maxMap(heard), max(last), {version:UInt64}
FROM event_hours FINAL
WHERE hour IN {hours:Array(DateTime('UTC'))}
GROUP BY hour, class_uid, tenant, product, format, log, service, host`

// daysStatement sums the hours of whole days.
const daysStatement = `INSERT INTO event_days (day, class_uid, activity_id, tenant, product, log, uid, calls, records, most, version)
SELECT toDate(hour) AS day, class_uid, activity_id, tenant, product, log, uid, sum(calls), sum(total), max(total), {version:UInt64}
FROM
(
    SELECT hour, class_uid, activity_id, tenant, product, log, uid, sum(calls) AS calls, sum(records) AS total
    FROM event_hours FINAL
    WHERE class_uid IN (6003, 4002) AND toDate(hour) IN {days:Array(Date)} AND hour >= {from:DateTime64(3)} AND hour < {to:DateTime64(3)}
    GROUP BY hour, class_uid, activity_id, tenant, product, log, uid
)
GROUP BY day, class_uid, activity_id, tenant, product, log, uid`

// changes are the events that say that records were changed, deleted or given to others.
// Requests about a job are no changes of records, and BulkApiRequest has none.
const changes = `((class_uid = 6003 AND activity_id IN (3, 4) OR class_uid = 6005 AND activity_id IN (2, 7)
        OR class_uid = 3004 AND metadata_product_name = 'SugarCRM' AND (activity_id = 4 OR metadata_event_code IN ('deleted', 'assigned_user_id')))
    AND status_id != 2 AND api_service_name != 'BULK'
    AND NOT (resources_type = 'job' OR startsWith(metadata_log_name, 'BulkApiRequest') OR metadata_log_name = 'MetadataApiOperation'))`

// deeds is an expression for each thing that is done to records. A job of Bulk API 2.0
// reports its total again and again.
func deeds(expression string) string {
	const job = "if(metadata_log_name = 'BulkApi2', toString(resources_uid), '')"
	const deed = `multiIf(` + reassigned + `, 'owner', class_uid = 6005 AND activity_id = 7 OR class_uid != 6005 AND activity_id = 4 OR metadata_event_code = 'deleted', 'delete', 'change')`
	var parts []string
	for _, name := range []string{"change", "delete", "owner"} {
		parts = append(parts, fmt.Sprintf(strings.NewReplacer("deed =", deed+" =", "job", job).Replace(expression), name))
	}
	return strings.Join(parts, ", ")
}

// changesStatement bounds what an identity did to records on whole days. Logs that tell of
// the same changes are not added up.
const changesStatement = `INSERT INTO event_changes (day, tenant, product, uid, least, most, version)
SELECT day, tenant, product, who, maxForEach(surely), maxForEach(perhaps), {version:UInt64}
FROM
(
    SELECT toDate(hour) AS day, tenant, product, if(mail != '', mail, uid) AS who, multiIf(log = 'ApiTotalUsage', 1, log = 'DatabaseSave', 2, 0) AS stream,
        arrayMap((a, b) -> a + b, sumForEach(changed) AS alone, maxForEach(changed_by_jobs)) AS surely,
        arrayMap((a, b) -> a + b, alone, sumForEach(changed_by_jobs)) AS perhaps
    FROM event_hours FINAL
    WHERE class_uid IN (6003, 6005, 3004) AND toDate(hour) IN {days:Array(Date)} AND hour >= {from:DateTime64(3)} AND hour < {to:DateTime64(3)}
        AND changes > 0 AND who != ''
    GROUP BY day, tenant, product, who, stream
)
GROUP BY day, tenant, product, who`

// callersStatement lists the hours in which somebody calls.
const callersStatement = `INSERT INTO event_callers (day, tenant, product, who, name, hours, last, version)
SELECT toDate(hour) AS day, tenant, product, if(app != '', app, uid) AS who, max(name), arraySort(groupUniqArray(toHour(hour))), max(event_hours.last), {version:UInt64}
FROM event_hours FINAL
WHERE class_uid IN (6003, 4002) AND toDate(hour) IN {days:Array(Date)} AND hour >= {from:DateTime64(3)} AND hour < {to:DateTime64(3)}
    AND log NOT IN ('ApexCallout', 'NamedCredential')
GROUP BY day, tenant, product, who`

// readsStatement lists what is read of each object.
const readsStatement = `INSERT INTO event_reads (day, tenant, product, uid, object, hours, records, bytes, version)
SELECT day, tenant, product, uid, object, arrayMap(h -> h.1, told), arrayMap(h -> h.2, told), arrayMap(h -> h.3, told), {version:UInt64}
FROM
(
    SELECT toDate(hour) AS day, tenant, product, uid, object, arraySort(groupArray((toHour(hour), read, received))) AS told
    FROM
    (
        SELECT hour, tenant, product, uid, object, sum(object_read) AS read, sum(object_received) AS received
        FROM event_hours FINAL
        ARRAY JOIN mapKeys(object_records) AS object, mapValues(object_records) AS object_read, mapValues(object_bytes) AS object_received
        WHERE class_uid = 6003 AND activity_id = 2 AND toDate(hour) IN {days:Array(Date)} AND hour >= {from:DateTime64(3)} AND hour < {to:DateTime64(3)} AND uid != ''
        GROUP BY hour, tenant, product, uid, object
    )
    GROUP BY day, tenant, product, uid, object
)`

// counts is an array of the numbers of events that fulfil a condition with each of n
// values.
func counts(n int, condition string, value func(int) int) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprintf("countIf("+condition+")", value(i))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
