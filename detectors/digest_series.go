package detectors

import "fmt"

// peaksStatement makes a row of the 24 hours of an identity's day, and of the largest of
// them, by what traffic-spike, payload-spike and rows-spike make of an hour. Streams that
// tell of the same calls are not added up.
var peaksStatement = `INSERT INTO event_peaks (day, tenant, product, uid, calls, bytes, records, calls_name, bytes_name, records_name,
    calls_by_hour, bytes_by_hour, with_bytes_by_hour, records_by_hour, with_records_by_hour, version)
SELECT toDate(hour) AS day, tenant, product, uid, max(hour_calls), max(hour_bytes), max(hour_records), max(by_calls), max(by_bytes), max(by_records),
    ` + byHour("hour_calls") + `, ` + byHour("hour_bytes") + `, ` + byHour("hour_with_bytes") + `, ` + byHour("hour_records") + `, ` + byHour("hour_with_records") + `, {version:UInt64}
FROM
(
    SELECT hour, tenant, product, uid,
        greatest(sumIf(calls, called AND NOT usage), sumIf(calls, usage)) AS hour_calls,
        sumIf(if(endsWith(log, 'Callout'), bytes_out, bytes_in), carried) AS hour_bytes, sumIf(with_bytes, carried) AS hour_with_bytes,
        greatest(sumIf(records, read AND NOT streamed), sumIf(records, read AND streamed)) AS hour_records,
        greatest(sumIf(with_records, read AND NOT streamed), sumIf(with_records, read AND streamed)) AS hour_with_records,
        maxIf(name, called) AS by_calls, maxIf(name, carried) AS by_bytes, maxIf(name, read) AS by_records
    FROM
    (
        SELECT hour, tenant, product, uid, log, name, calls, bytes_in, bytes_out, with_bytes, records, with_records,
            log = 'ApiTotalUsage' AS usage, log NOT IN ('ApexCallout', 'NamedCredential', 'CompositeApiSubrequest') AS called,
            with_bytes > 0 AND log NOT IN ('CompositeApiSubrequest', 'ApiTotalUsage') AS carried,
            class_uid = 6003 AND activity_id = 2 AND records > 0 AND log NOT IN ('ApiTotalUsage', 'CompositeApiSubrequest') AS read,
            log IN ('ApiEvent', 'BulkApiResultEvent') AS streamed
        FROM event_hours FINAL
        WHERE class_uid IN (6003, 4002) AND toDate(hour) IN {days:Array(Date)} AND hour >= {from:DateTime64(3)} AND hour < {to:DateTime64(3)} AND uid != ''
    )
    GROUP BY hour, tenant, product, uid
)
GROUP BY day, tenant, product, uid`

// byHour puts a number of each hour of a day into an array of 24.
func byHour(number string) string {
	return fmt.Sprintf("sumForEach(arrayMap(h -> if(h = toHour(hour), %s, 0), range(24)))", number)
}
