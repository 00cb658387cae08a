package chain

import (
	"context"
	"fmt"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// transition is something that happened to an alert, as the chain sees it.
type transition struct {
	uid  schema.UID
	at   time.Time
	hash Hash
}

// transitions reads what happened after one moment, up to and including another, in the
// order of time. Its hash is over every column, and over those of the request of the
// same uid, where a person asked for it: what was asked and what was done stand together.
func transitions(ctx context.Context, store schema.Store, after, upTo time.Time) ([]transition, error) {
	rows, err := store.Query(ctx, `SELECT toString(t.transition_uid), t.at,
		[toString(t.alert_uid), toString(t.transition_uid), toString(toUnixTimestamp64Milli(t.at)), toString(t.version), toString(t.action),
			toString(t.from_status), toString(t.to_status), toString(t.from_severity_id), toString(t.to_severity_id), t.actor, toString(t.via), t.note,
			toString(toUnixTimestamp64Milli(t.until)), arrayStringConcat(arrayMap(u -> toString(u), t.finding_uids), ','), t.refused],
		r.fields
		FROM (SELECT * FROM alert_transitions FINAL WHERE at > {after:DateTime64(3, 'UTC')} AND at <= {upTo:DateTime64(3, 'UTC')}) AS t
		LEFT JOIN (SELECT request_uid, [toString(request_uid), toString(version), toString(toUnixTimestamp64Milli(requested_at)), toString(alert_uid),
				toString(action), actor, toString(via), note, toString(toUnixTimestamp64Milli(until)), toString(state), reason] AS fields
			FROM alert_requests FINAL) AS r ON r.request_uid = t.transition_uid
		ORDER BY t.at, t.alert_uid, t.transition_uid`,
		schema.Named("after", stamp(after)), schema.Named("upTo", stamp(upTo)))
	if err != nil {
		return nil, fmt.Errorf("read the history of alerts: %w", err)
	}
	defer rows.Close()
	var list []transition
	for rows.Next() {
		var t transition
		var uid string
		var fields, request []string
		if err := rows.Scan(&uid, &t.at, &fields, &request); err != nil {
			return nil, fmt.Errorf("read the history of alerts: %w", err)
		}
		if t.uid, err = schema.ParseUID(uid); err != nil {
			return nil, fmt.Errorf("read the history of alerts: %w", err)
		}
		t.at, t.hash = t.at.UTC(), hashFields(append(append(fields, number(uint64(len(request)))), request...))
		list = append(list, t)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the history of alerts: %w", err)
	}
	return list, nil
}

// The times that the tables can hold.
var (
	firstTime = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	lastTime  = time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC)
)

// stamp writes a time as a parameter of type DateTime64(3).
func stamp(t time.Time) string {
	if t.Before(firstTime) {
		t = firstTime
	}
	if t.After(lastTime) {
		t = lastTime
	}
	return t.UTC().Format("2006-01-02 15:04:05.000")
}

// unsettled is when the earliest thing happened that may yet be written again: the
// process that keeps the alerts writes what happens before it saves the alert, and does
// so anew after a crash in between. The zero time is nothing.
func unsettled(ctx context.Context, store schema.Store, after time.Time) (at time.Time, err error) {
	var found uint64
	err = store.QueryRow(ctx, `SELECT count(), min(t.at)
		FROM (SELECT * FROM alert_transitions FINAL WHERE at > {after:DateTime64(3, 'UTC')}) AS t
		LEFT JOIN (SELECT alert_uid, version AS saved FROM alerts FINAL) AS a ON a.alert_uid = t.alert_uid
		WHERE t.version > a.saved OR t.transition_uid IN (SELECT request_uid FROM alert_requests FINAL WHERE state = 'pending')`,
		schema.Named("after", stamp(after))).Scan(&found, &at)
	if err != nil {
		return time.Time{}, fmt.Errorf("read the history of alerts: %w", err)
	}
	if found == 0 {
		return time.Time{}, nil
	}
	return at.UTC(), nil
}

// strayRequests are requests that were carried out, or refused, of which the history
// tells nothing, as far as they were asked for after a time.
func strayRequests(ctx context.Context, store schema.Store, since time.Time) (uids []string, err error) {
	err = store.QueryRow(ctx, `SELECT arraySort(groupArray(1000)(toString(request_uid))) FROM alert_requests FINAL
		WHERE state != 'pending' AND requested_at > {since:DateTime64(3, 'UTC')} AND request_uid NOT IN (SELECT transition_uid FROM alert_transitions FINAL)`,
		schema.Named("since", stamp(since))).Scan(&uids)
	if err != nil {
		return nil, fmt.Errorf("read the history of alerts: %w", err)
	}
	return uids, nil
}
