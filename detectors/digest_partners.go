package detectors

import (
	"slices"
	"time"
)

// Calls that two products tell of are paired by the id that one of them stamps. A call near
// the end of an hour may have its partner in the next, so that what arrives in an hour may
// pair calls of the hours beside, whose partners may be in the hours beside those. Of the
// last days event_hours holds which calls there were; of older ones the events are read.

const (
	// heldDays are the days before now of which event_hours holds the calls; they are read
	// from there a day less long, so that no hour in question lacks them. The table forgets
	// them after four.
	heldDays     = 3
	heldReadDays = 2
)

// isCall is an event that counts as a call of its own, and callNames are the names under
// which it does.
const (
	isCall    = "class_uid IN (6003, 4002) AND src_endpoint_name = '' AND metadata_log_name != 'BulkApi2'"
	callNames = "arrayDistinct(arrayFilter(n -> n != '', [lower(actor_user_name), lower(actor_app_name)]))"
)

// callLog is the log that tells of a call: two gateways of one product are two sources.
const callLog = `concat(toString(metadata_tenant_uid), '\n', toString(metadata_product_name), '\n', toString(x_source_name))`

// heardCalls is the column heard of event_hours: when each source of the log told of its last
// call that can be found again, in milliseconds.
const heardCalls = `maxMapIf(map(toString(x_source_name), toUInt64(toUnixTimestamp64Milli(time))), ` + isCall + ` AND (metadata_correlation_uid != '' OR actor_user_name != '' OR actor_app_name != ''))`

// heldCalls are the columns paired_by, named, alone and named_by of event_hours.
const heldCalls = `groupUniqArrayMapIf(map(toString(x_source_name), bitOr(bitAnd(cityHash64(metadata_correlation_uid), bitNot(toUInt64(3))) AS call, intDiv(toMinute(time), 15))),
        hour >= {held_from:DateTime64(3)} AND ` + isCall + ` AND metadata_correlation_uid != '' AS with_id),
    groupUniqArrayMapIf(mapFromArrays(` + callNames + ` AS names, arrayMap(n -> call, names)), with_id),
    sumMapIf(mapFromArrays(names, arrayMap(n -> toUInt64(1), names)), hour >= {held_from:DateTime64(3)} AND ` + isCall + ` AND metadata_correlation_uid = ''),
    groupUniqArrayMapIf(mapFromArrays(names, arrayMap(n -> toString(x_source_name), names)), hour >= {held_from:DateTime64(3)} AND ` + isCall + `)`

// Calls of the hours into which events arrive and of those beside are counted from each
// call, where it was seen, and what is told of it. None are paired that lie further apart
// than neighbouring hours, however much is digested at a time. An id that is used in two
// quarters of an hour is two calls. What tells of a name itself is in own.
const (
	partnersOf = `INSERT INTO event_partners (hour, sort, tenant, product, who, calls, matched, through, carriers, version)
SELECT told.1 AS hour, told.2 AS sort, told.3 AS tenant, told.4 AS product, told.5 AS who, sum(times) AS calls, sumIf(times, partners != '') AS matched,
    sumMapIf(map(partners, times), partners != '') AS through,
    mapFromArrays(arraySort(groupUniqArrayArray(logs)) AS carrying, arrayMap(l -> bitShiftLeft(toUInt32(1), toHour(hour)), carrying)), {version:UInt64}
FROM
(
    SELECT told, times, if(told.2 = 'id', arrayFilter(s -> s.2 != told.4 AND abs(toInt64(toUnixTimestamp(s.1)) - toInt64(toUnixTimestamp(told.1))) <= 3600, seen), []) AS beside,
        arrayStringConcat(arraySort(arrayDistinct(arrayMap(s -> s.2, beside))), '\n') AS partners,
        if(told.2 = 'id', arrayDistinct(arrayMap(s -> s.3, beside)), own) AS logs
    FROM
    (`
	partnersByWho = `
    )
)
GROUP BY hour, sort, tenant, product, who`
)

// partnersFromEvents reads the events of two hours on either side.
const partnersFromEvents = partnersOf + `
        SELECT call, groupUniqArray((toStartOfHour(time), toString(metadata_product_name), ` + callLog + `)) AS seen,
            arrayJoin(groupUniqArrayArray(if(toStartOfHour(time) IN {hours:Array(DateTime('UTC'))},
                arrayMap(x -> (toStartOfHour(time), x.1, toString(metadata_tenant_uid), toString(metadata_product_name), x.2, if(x.1 = 'id', intDiv(toMinute(time), 15), 0), x.3),
                    arrayConcat(if(metadata_correlation_uid != '', [('id', toString(` + identity + `), '')], []),
                        arrayMap(n -> ('name', n, ''), ` + callNames + ` AS names), arrayMap(n -> ('name', n, ` + callLog + `), names))), []))) AS told,
            toUInt64(told.7 = '') AS times, if(told.7 != '', [told.7], []) AS own
        FROM events
        WHERE ` + isCall + `
            AND time >= {from:DateTime64(3)} - toIntervalHour(2) AND time < {to:DateTime64(3)} + toIntervalHour(2)
            AND toStartOfHour(time) IN {around:Array(DateTime('UTC'))}
        GROUP BY if(metadata_correlation_uid != '', metadata_correlation_uid, toString(event_uid)) AS call` + partnersByWho

// partnersFromHours reads which calls event_hours holds.
const partnersFromHours = partnersOf + `
        SELECT bitAnd(uid_and_quarter, bitNot(toUInt64(3))) AS call, groupUniqArray((hour, toString(product), log)) AS seen,
            arrayJoin(groupUniqArrayIf((hour, 'id', toString(tenant), toString(product), uid, bitAnd(uid_and_quarter, 3)), hour IN {hours:Array(DateTime('UTC'))})) AS told, toUInt64(1) AS times,
            CAST([], 'Array(String)') AS own
        FROM
        (
            SELECT hour, tenant, product, uid, concat(toString(tenant), '\n', toString(product), '\n', source) AS log, ids
            FROM event_hours FINAL
            ARRAY JOIN mapKeys(paired_by) AS source, mapValues(paired_by) AS ids
            WHERE class_uid IN (6003, 4002) AND hour IN {around:Array(DateTime('UTC'))}
        )
        ARRAY JOIN ids AS uid_and_quarter
        GROUP BY call
        UNION ALL
        SELECT toUInt64(0) AS call, CAST([], 'Array(Tuple(DateTime(\'UTC\'), String, String))') AS seen,
            (hour, 'name', toString(tenant), toString(product), name, toUInt64(0)) AS told, toUInt64(length(groupUniqArrayArray(named[name]))) + sum(alone[name]) AS times,
            arrayMap(source -> concat(told.3, '\n', told.4, '\n', source), groupUniqArrayArray(sources)) AS own
        FROM event_hours FINAL
        ARRAY JOIN mapKeys(named_by) AS name, mapValues(named_by) AS sources
        WHERE class_uid IN (6003, 4002) AND hour IN {hours:Array(DateTime('UTC'))}
        GROUP BY told` + partnersByWho

// partnerDaysStatement sums event_partners by day; an arrival may change the day beside.
const partnerDaysStatement = `INSERT INTO event_partners (hour, sort, tenant, product, who, calls, matched, through, carriers, calls_by_hour, version)
SELECT toStartOfDay(hour) AS day, concat(sort, ' by day') AS daily, tenant, product, who, sum(calls), sum(event_partners.matched), sumMap(event_partners.through), sumMap(event_partners.carriers),
    sumForEach(arrayMap(n -> if(n = toHour(hour), calls, 0), range(24))), {version:UInt64}
FROM event_partners FINAL
WHERE sort IN ('id', 'name') AND toDate(hour) IN {days:Array(Date)} AND hour >= {from:DateTime64(3)} - toIntervalDay(1) AND hour < {to:DateTime64(3)} + toIntervalDay(1)
GROUP BY day, daily, tenant, product, who`

// callHours are the hours whose calls an arrival may pair, and those in which their
// partners may be.
type callHours struct{ called, around []string }

// callHoursOf parts the hours in which calls arrived into those whose calls event_hours
// still holds, and those before.
func callHoursOf(arrived []arrivedHour, now time.Time) (held, older callHours) {
	from := now.Add(-heldReadDays * day)
	for _, hour := range arrived {
		if hour.calls == 0 {
			continue
		}
		to := &held
		if hour.at.Add(-2 * time.Hour).Before(from) {
			to = &older
		}
		for beside := -2; beside <= 2; beside++ {
			at := hour.at.Add(time.Duration(beside) * time.Hour).Format(time.DateTime)
			to.around = append(to.around, at)
			if beside >= -1 && beside <= 1 {
				to.called = append(to.called, at)
			}
		}
	}
	for _, list := range []*[]string{&held.called, &held.around, &older.called, &older.around} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return held, older
}
