package alerting

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
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
	return readTransitions(ctx, store, alert, 0, math.MaxUint64, true)
}

// transitionsAfter reads what was done to an alert after one of its versions, up to another.
func transitionsAfter(ctx context.Context, store schema.Store, alert schema.UID, after, upTo uint64) ([]schema.AlertTransition, error) {
	return readTransitions(ctx, store, alert, after, upTo, false)
}

func readTransitions(ctx context.Context, store schema.Store, alert schema.UID, after, upTo uint64, refused bool) ([]schema.AlertTransition, error) {
	rows, err := store.Query(ctx, `SELECT toString(transition_uid), at, version, action, from_status, to_status, from_severity_id, to_severity_id,
		actor, via, note, until, arrayMap(u -> toString(u), finding_uids), refused FROM alert_transitions FINAL
		WHERE alert_uid = {alert:UUID} AND (version > {after:UInt64} AND version <= {upTo:UInt64} OR version = 0 AND {refused:Bool})`,
		schema.Named("alert", alert.String()), schema.Named("after", after), schema.Named("upTo", upTo), schema.Named("refused", refused))
	if err != nil {
		return nil, fmt.Errorf("read transitions: %w", err)
	}
	defer rows.Close()
	var list []schema.AlertTransition
	for rows.Next() {
		var (
			t                  schema.AlertTransition
			uid                string
			action, from, to   string
			fromLevel, toLevel uint8
			at, until          time.Time
			findings           []string
		)
		if err := rows.Scan(&uid, &at, &t.Version, &action, &from, &to, &fromLevel, &toLevel,
			&t.Actor, &t.Via, &t.Note, &until, &findings, &t.Refused); err != nil {
			return nil, fmt.Errorf("read transitions: %w", err)
		}
		t.Action, t.From, t.To = schema.AlertAction(action), schema.AlertStatus(from), schema.AlertStatus(to)
		t.FromSeverity, t.ToSeverity = schema.Severity(fromLevel), schema.Severity(toLevel)
		t.At, t.Until = loadedTime(at), loadedTime(until)
		t.Alert = alert
		if t.UID, err = schema.ParseUID(uid); err != nil {
			return nil, fmt.Errorf("read transitions: %w", err)
		}
		if t.Findings, err = parseUIDs(findings); err != nil {
			return nil, fmt.Errorf("read transitions: %w", err)
		}
		list = append(list, t)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read transitions: %w", err)
	}
	slices.SortFunc(list, func(a, b schema.AlertTransition) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Version, b.Version), bytes.Compare(a.UID[:], b.UID[:]))
	})
	return list, nil
}
