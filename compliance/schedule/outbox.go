package schedule

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/compliance/chain"
	"github.com/crmwatch/crmwatch/schema"
)

// postState is how far telling one notifier of one summary has come; see the outbox of
// alerts. fileState is that of the file under the message.
type (
	postState string
	fileState string
)

const (
	postPending postState = "pending"
	postSending postState = "sending"
	postUnknown postState = "unknown"
	postSent    postState = "sent"
	postFailed  postState = "failed"

	fileNone    fileState = ""
	filePending fileState = "pending"
	fileSending fileState = "sending"
	fileSent    fileState = "sent"
	fileFailed  fileState = "failed"
)

// post is a row of the outbox.
type post struct {
	summary        schema.UID
	summaryVersion uint64
	notifier       string
	version        uint64
	state          postState
	repeat         alerting.Repeat
	receipt        alerting.Receipt
	file           fileState
	fileID         string
	attempts       uint32
	firstTry       time.Time
	notBefore      time.Time
	reason         string
}

// savePosts writes new versions of rows, and counts their versions up.
func (k *Keeper) savePosts(ctx context.Context, rows ...*post) error {
	if len(rows) == 0 {
		return nil
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"async_insert": 0}))
	batch, err := k.store.PrepareBatch(ctx, `INSERT INTO summary_posts (summary_uid, summary_version, notifier, version, updated_at, state, repeat, channel, message_id,
		file_state, file_id, attempts, first_attempt_at, not_before, reason)`)
	if err != nil {
		return fmt.Errorf("save who is told of a summary: %w", err)
	}
	now := k.options.Clock()
	for _, p := range rows {
		p.version++
		if err := batch.Append(p.summary.String(), p.summaryVersion, p.notifier, p.version, stored(now), string(p.state), string(p.repeat), p.receipt.Channel, p.receipt.Message,
			string(p.file), p.fileID, p.attempts, stored(p.firstTry), stored(p.notBefore), p.reason); err != nil {
			_ = batch.Abort()
			return fmt.Errorf("save who is told of a summary: %w", err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("save who is told of a summary: %w", err)
	}
	return nil
}

func stored(t time.Time) time.Time {
	if t.IsZero() {
		return time.UnixMilli(0).UTC()
	}
	return t.UTC().Truncate(time.Millisecond)
}

func loaded(t time.Time) time.Time {
	if t.UnixMilli() == 0 {
		return time.Time{}
	}
	return t.UTC()
}

// notify notes who is to be told of a summary that is about to be kept.
func (k *Keeper) notify(ctx context.Context, s chain.Summary, notifiers []string) error {
	known := map[string]bool{}
	there, err := k.readPosts(ctx, true, s.UID, s.Version)
	if err != nil {
		return err
	}
	for _, p := range there {
		known[p.notifier] = true
	}
	var rows []*post
	for _, name := range notifiers {
		if !known[name] {
			rows = append(rows, &post{summary: s.UID, summaryVersion: s.Version, notifier: name, state: postPending})
		}
	}
	return k.savePosts(ctx, rows...)
}

// readPosts reads the rows of one summary, or those of all kept summaries with which
// something is left to do, the oldest first.
func (k *Keeper) readPosts(ctx context.Context, one bool, uid schema.UID, version uint64) ([]*post, error) {
	rows, err := k.store.Query(ctx, `SELECT toString(p.summary_uid), p.summary_version, toString(p.notifier), p.version, toString(p.state), toString(p.repeat), p.channel, p.message_id,
			toString(p.file_state), p.file_id, p.attempts, p.first_attempt_at, p.not_before, p.reason
		FROM (SELECT * FROM summary_posts FINAL WHERE {one:Bool} AND summary_uid = {uid:UUID} AND summary_version = {version:UInt64}
			OR NOT {one:Bool} AND (state IN ('pending', 'sending', 'unknown') OR state = 'sent' AND file_state IN ('pending', 'sending'))) AS p
		LEFT JOIN (SELECT summary_uid, version, made_at FROM summaries FINAL) AS s ON s.summary_uid = p.summary_uid AND s.version = p.summary_version
		WHERE {one:Bool} OR s.version > 0
		ORDER BY s.made_at, p.summary_uid, p.notifier`,
		schema.Named("one", one), schema.Named("uid", uid.String()), schema.Named("version", version))
	if err != nil {
		return nil, fmt.Errorf("read who is told of summaries: %w", err)
	}
	defer rows.Close()
	var list []*post
	for rows.Next() {
		var p post
		var uid, state, repeat, file string
		if err := rows.Scan(&uid, &p.summaryVersion, &p.notifier, &p.version, &state, &repeat, &p.receipt.Channel, &p.receipt.Message,
			&file, &p.fileID, &p.attempts, &p.firstTry, &p.notBefore, &p.reason); err != nil {
			return nil, fmt.Errorf("read who is told of summaries: %w", err)
		}
		if p.summary, err = schema.ParseUID(uid); err != nil {
			return nil, fmt.Errorf("read who is told of summaries: %w", err)
		}
		p.state, p.repeat, p.file = postState(state), alerting.Repeat(repeat), fileState(file)
		p.firstTry, p.notBefore = loaded(p.firstTry), loaded(p.notBefore)
		list = append(list, &p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read who is told of summaries: %w", err)
	}
	return list, nil
}
