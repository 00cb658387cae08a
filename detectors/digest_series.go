package detectors

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

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

// leftDaysQuery finds the days of which the digest knows the hours alone: their events were
// gone before it had the series in rows by day.
const leftDaysQuery = `SELECT DISTINCT toDate(hour) AS left_day
FROM event_hours
WHERE class_uid IN (6003, 4002) AND uid != '' AND left_day NOT IN (SELECT day FROM event_peaks WHERE notEmpty(calls_by_hour))
ORDER BY left_day`

// digestLeftHours makes the series of such days, a month at a time.
func (r *Runner) digestLeftHours(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, digestTimeout)
	defer cancel()
	records, err := readRecords(digesting(ctx), r.store, leftDaysQuery)
	if err != nil {
		return err
	}
	for month := range slices.Chunk(records, 31) {
		days := make([]string, len(month))
		var first, last time.Time
		for i, row := range month {
			last, _ = row["left_day"].(time.Time)
			if days[i] = last.Format(time.DateOnly); i == 0 {
				first = last
			}
		}
		if err := r.store.Exec(digesting(ctx), peaksStatement, schema.Named("days", days), schema.Named("version", uint64(time.Now().UnixNano())),
			clickhouse.DateNamed("from", first, clickhouse.MilliSeconds), clickhouse.DateNamed("to", last.Add(day), clickhouse.MilliSeconds)); err != nil {
			return err
		}
	}
	return nil
}
