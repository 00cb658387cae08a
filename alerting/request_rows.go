package alerting

import (
	"context"
	"fmt"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// requestState is how far a request has come.
type requestState string

const (
	requestPending requestState = "pending"
	requestDone    requestState = "done"
	requestRefused requestState = "refused"
)

// SaveRequest asks the process that keeps the alerts of a database to do something with
// one. It says nothing about whether it will: Outcome does, once that has happened.
func SaveRequest(ctx context.Context, store schema.Store, r schema.AlertRequest) error {
	return saveRequest(ctx, store, r, requestPending, "")
}

func saveRequest(ctx context.Context, store schema.Store, r schema.AlertRequest, state requestState, reason string) error {
	version := uint64(1)
	if state != requestPending {
		version = 2
	}
	batch, err := store.PrepareBatch(durable(ctx), `INSERT INTO alert_requests (request_uid, version, requested_at, alert_uid, action, actor, via, note, until, state, reason)`)
	if err != nil {
		return fmt.Errorf("save request: %w", err)
	}
	if err := batch.Append(r.UID.String(), version, storedTime(r.At), r.Alert.String(), string(r.Action), r.Actor, r.Via, r.Note, storedTime(r.Until), string(state), reason); err != nil {
		_ = batch.Abort()
		return fmt.Errorf("save request: %w", err)
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("save request: %w", err)
	}
	return nil
}

// Outcome reads what became of a request: known is false while nobody has looked at it.
func Outcome(ctx context.Context, store schema.Store, request schema.UID) (refused string, known bool, err error) {
	rows, err := store.Query(ctx, "SELECT state, reason FROM alert_requests FINAL WHERE request_uid = {request:UUID}", schema.Named("request", request.String()))
	if err != nil {
		return "", false, fmt.Errorf("read request: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var state string
		if err := rows.Scan(&state, &refused); err != nil {
			return "", false, fmt.Errorf("read request: %w", err)
		}
		known = requestState(state) != requestPending
	}
	if err := rows.Err(); err != nil {
		return "", false, fmt.Errorf("read request: %w", err)
	}
	return refused, known, nil
}

// pendingRequests reads what nobody has done or refused yet, the oldest first.
func pendingRequests(ctx context.Context, store schema.Store) ([]schema.AlertRequest, error) {
	rows, err := store.Query(ctx, `SELECT toString(request_uid), requested_at, toString(alert_uid), action, actor, via, note, until
		FROM alert_requests FINAL WHERE state = 'pending' ORDER BY requested_at, request_uid LIMIT 100`)
	if err != nil {
		return nil, fmt.Errorf("read requests: %w", err)
	}
	defer rows.Close()
	var list []schema.AlertRequest
	for rows.Next() {
		var (
			r          schema.AlertRequest
			uid, alert string
			action     string
			at, until  time.Time
		)
		if err := rows.Scan(&uid, &at, &alert, &action, &r.Actor, &r.Via, &r.Note, &until); err != nil {
			return nil, fmt.Errorf("read requests: %w", err)
		}
		r.At, r.Until, r.Action = loadedTime(at), loadedTime(until), schema.AlertAction(action)
		if r.UID, err = schema.ParseUID(uid); err != nil {
			return nil, fmt.Errorf("read requests: %w", err)
		}
		if r.Alert, err = schema.ParseUID(alert); err != nil {
			return nil, fmt.Errorf("read requests: %w", err)
		}
		list = append(list, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read requests: %w", err)
	}
	return list, nil
}
