package alerting

import (
	"context"
	"fmt"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// saveTransitions writes transitions; the same one twice stays one.
func saveTransitions(ctx context.Context, store schema.Store, list []schema.AlertTransition) error {
	if len(list) == 0 {
		return nil
	}
	batch, err := store.PrepareBatch(durable(ctx), `INSERT INTO alert_transitions (alert_uid, transition_uid, at, version, action, from_status, to_status,
		from_severity_id, to_severity_id, actor, via, note, until, finding_uids, refused)`)
	if err != nil {
		return fmt.Errorf("save transitions: %w", err)
	}
	for _, t := range list {
		if err := batch.Append(t.Alert.String(), t.UID.String(), storedTime(t.At), t.Version, string(t.Action), string(t.From), string(t.To),
			uint8(t.FromSeverity), uint8(t.ToSeverity), t.Actor, t.Via, t.Note, storedTime(t.Until), writeUIDs(t.Findings), t.Refused); err != nil {
			_ = batch.Abort()
			return fmt.Errorf("save transition of alert %s: %w", t.Alert, err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("save transitions: %w", err)
	}
	return nil
}

// Transitions reads what has happened to an alert, also what was refused, in the order of time.
func Transitions(ctx context.Context, store schema.Store, alert schema.UID) ([]schema.AlertTransition, error) {
	return readTransitions(ctx, store, "alert_uid = {alert:UUID}", schema.Named("alert", alert.String()))
}

// transitionsAfter reads what was done to an alert after one of its versions, up to another.
func transitionsAfter(ctx context.Context, store schema.Store, alert schema.UID, after, upTo uint64) ([]schema.AlertTransition, error) {
	return readTransitions(ctx, store, "alert_uid = {alert:UUID} AND version > {after:UInt64} AND version <= {upTo:UInt64}",
		schema.Named("alert", alert.String()), schema.Named("after", after), schema.Named("upTo", upTo))
}

func readTransitions(ctx context.Context, store schema.Store, condition string, parameters ...any) ([]schema.AlertTransition, error) {
	rows, err := store.Query(ctx, `SELECT toString(alert_uid), toString(transition_uid), at, version, action, from_status, to_status, from_severity_id, to_severity_id,
		actor, via, note, until, arrayMap(u -> toString(u), finding_uids), refused FROM alert_transitions FINAL WHERE `+condition+`
		ORDER BY at, version, transition_uid`, parameters...)
	if err != nil {
		return nil, fmt.Errorf("read transitions: %w", err)
	}
	defer rows.Close()
	var list []schema.AlertTransition
	for rows.Next() {
		var (
			t                  schema.AlertTransition
			alert, uid         string
			action, from, to   string
			fromLevel, toLevel uint8
			at, until          time.Time
			findings           []string
		)
		if err := rows.Scan(&alert, &uid, &at, &t.Version, &action, &from, &to, &fromLevel, &toLevel,
			&t.Actor, &t.Via, &t.Note, &until, &findings, &t.Refused); err != nil {
			return nil, fmt.Errorf("read transitions: %w", err)
		}
		t.Action, t.From, t.To = schema.AlertAction(action), schema.AlertStatus(from), schema.AlertStatus(to)
		t.FromSeverity, t.ToSeverity = schema.Severity(fromLevel), schema.Severity(toLevel)
		t.At, t.Until = loadedTime(at), loadedTime(until)
		for text, into := range map[string]*schema.UID{alert: &t.Alert, uid: &t.UID} {
			if *into, err = schema.ParseUID(text); err != nil {
				return nil, fmt.Errorf("read transitions: %w", err)
			}
		}
		if t.Findings, err = parseUIDs(findings); err != nil {
			return nil, fmt.Errorf("read transitions: %w", err)
		}
		list = append(list, t)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read transitions: %w", err)
	}
	return list, nil
}
