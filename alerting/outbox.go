package alerting

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// deliveryState is how far telling one notifier about one alert has come.
type deliveryState string

const (
	// statePending: nothing of this alert is on its way.
	statePending deliveryState = "pending"
	// stateSending: a post has begun. Whoever finds this row later cannot know
	// how it ended, so it means the same as stateUnknown.
	stateSending deliveryState = "sending"
	// stateUnknown: a post began and its answer is lost.
	stateUnknown deliveryState = "unknown"
	// stateSent: the message stands and its receipt is known.
	stateSent deliveryState = "sent"
	// stateFailed: this content was refused; another content is tried again.
	stateFailed deliveryState = "failed"
	// stateSkipped: the alert was closed before anybody heard of it.
	stateSkipped deliveryState = "skipped"
	// stateHeld: nobody is told for now, because the alert is muted, or a digest tells
	// of it.
	stateHeld deliveryState = "held"
)

// delivery is a row of the outbox.
type delivery struct {
	alert    schema.UID
	notifier string
	version  uint64
	state    deliveryState
	repeat   Repeat
	receipt  Receipt
	// hash and severity are those of the content that the message shows, or that
	// was refused.
	hash      uint64
	severity  schema.Severity
	attempts  uint32
	firstTry  time.Time
	sentAt    time.Time
	notBefore time.Time
	reason    string
	// digest is the digest that tells of the alert, while the row is held for one.
	digest schema.UID
	// digestFrom is set on the row of a digest: the beginning of its period.
	digestFrom time.Time
	// told is the alert's version up to which the thread tells its changes, reply the
	// version of the reply that has begun at replyAt; replyState is empty, stateSending
	// or stateUnknown.
	told, reply uint64
	replyState  deliveryState
	replyAt     time.Time
}

type deliveryKey struct {
	alert    schema.UID
	notifier string
}

// saveDeliveries writes new versions of outbox rows, and counts their versions up.
func saveDeliveries(ctx context.Context, store schema.Store, now time.Time, rows ...*delivery) error {
	if len(rows) == 0 {
		return nil
	}
	batch, err := store.PrepareBatch(durable(ctx), `INSERT INTO notifications (alert_uid, notifier, version, updated_at, state, repeat, channel, message_id,
		content_hash, severity_id, attempts, first_attempt_at, sent_at, not_before, reason, told_version, reply_version, reply_state, reply_at,
		digest_uid, digest_from)`)
	if err != nil {
		return fmt.Errorf("save notifications: %w", err)
	}
	for _, d := range rows {
		d.version++
		if err := batch.Append(d.alert.String(), d.notifier, d.version, storedTime(now), string(d.state), string(d.repeat), d.receipt.Channel, d.receipt.Message,
			d.hash, uint8(d.severity), d.attempts, storedTime(d.firstTry), storedTime(d.sentAt), storedTime(d.notBefore), d.reason,
			d.told, d.reply, string(d.replyState), storedTime(d.replyAt),
			d.digest.String(), storedTime(d.digestFrom)); err != nil {
			_ = batch.Abort()
			return fmt.Errorf("save notification of alert %s: %w", d.alert, err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("save notifications: %w", err)
	}
	return nil
}

// deliveriesOf reads the outbox rows of alerts.
func deliveriesOf(ctx context.Context, store schema.Store, alerts []schema.UID) (map[deliveryKey]*delivery, error) {
	found := map[deliveryKey]*delivery{}
	for chunk := range slices.Chunk(alerts, uidChunk) {
		if err := readDeliveries(ctx, store, found, "alert_uid IN {uids:Array(UUID)}", schema.Named("uids", writeUIDs(chunk))); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// overdueDeliveries reads the rows that an earlier process left unfinished, those
// whose message or thread shows less than the alert has by now, and those that are held and may
// have to be told.
func overdueDeliveries(ctx context.Context, store schema.Store) (map[deliveryKey]*delivery, error) {
	found := map[deliveryKey]*delivery{}
	err := readDeliveries(ctx, store, found, `toUnixTimestamp64Milli(digest_from) = 0 AND (state IN ('pending', 'sending', 'unknown')
		OR state != 'held' AND (alert_uid, content_hash) NOT IN (SELECT alert_uid, content_hash FROM alerts FINAL)
		OR state = 'sent' AND (alert_uid, told_version) NOT IN (SELECT alert_uid, version FROM alerts FINAL)
		OR state = 'held' AND digest_uid = toUUID('00000000-0000-0000-0000-000000000000')
			AND alert_uid IN (SELECT alert_uid FROM alerts FINAL WHERE status NOT IN ('resolved', 'false_positive', 'merged'))
		OR state = 'held' AND alert_uid IN (SELECT alert_uid FROM
			(SELECT alert_uid, severity_id AS held_at FROM notifications FINAL WHERE state = 'held') AS held
			INNER JOIN (SELECT alert_uid, severity_id FROM alerts FINAL) AS risen USING alert_uid WHERE severity_id > held_at))`)
	return found, err
}

func readDeliveries(ctx context.Context, store schema.Store, into map[deliveryKey]*delivery, condition string, parameters ...any) error {
	rows, err := store.Query(ctx, `SELECT toString(alert_uid), notifier, version, state, repeat, channel, message_id, content_hash, severity_id,
		attempts, first_attempt_at, sent_at, not_before, reason, told_version, reply_version, reply_state, reply_at,
		toString(digest_uid), digest_from FROM notifications FINAL WHERE `+condition, parameters...)
	if err != nil {
		return fmt.Errorf("read notifications: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var (
			d                           delivery
			uid, state, repeat, reply   string
			digest                      string
			severity                    uint8
			firstTry, sentAt, notBefore time.Time
			replyAt, digestFrom         time.Time
		)
		if err := rows.Scan(&uid, &d.notifier, &d.version, &state, &repeat, &d.receipt.Channel, &d.receipt.Message, &d.hash, &severity,
			&d.attempts, &firstTry, &sentAt, &notBefore, &d.reason, &d.told, &d.reply, &reply, &replyAt,
			&digest, &digestFrom); err != nil {
			return fmt.Errorf("read notifications: %w", err)
		}
		d.replyState, d.replyAt = deliveryState(reply), loadedTime(replyAt)
		d.state, d.repeat, d.severity = deliveryState(state), Repeat(repeat), schema.Severity(severity)
		d.firstTry, d.sentAt, d.notBefore = loadedTime(firstTry), loadedTime(sentAt), loadedTime(notBefore)
		d.digestFrom = loadedTime(digestFrom)
		if d.digest, err = schema.ParseUID(digest); err != nil {
			return fmt.Errorf("read notifications: %w", err)
		}
		if d.alert, err = schema.ParseUID(uid); err != nil {
			return fmt.Errorf("read notifications: %w", err)
		}
		into[deliveryKey{d.alert, d.notifier}] = &d
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read notifications: %w", err)
	}
	return nil
}
