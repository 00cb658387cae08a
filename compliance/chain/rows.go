package chain

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/crmwatch/crmwatch/schema"
)

// readEntries reads the entries from a sequence on, in order; entries beside the chain
// share a sequence.
func readEntries(ctx context.Context, store schema.Store, from uint64) ([]Entry, error) {
	return readSpan(ctx, store, from, math.MaxUint64)
}

// readSpan reads the entries from one sequence up to another.
func readSpan(ctx context.Context, store schema.Store, from, upTo uint64) ([]Entry, error) {
	rows, err := store.Query(ctx, `SELECT sequence, at, kind, toString(subject_uid), subject_version, content, content_hash, previous_hash, entry_hash, public_key, signature
		FROM evidence_chain FINAL WHERE sequence >= {from:UInt64} AND sequence <= {upTo:UInt64} ORDER BY sequence, entry_hash`, schema.Named("from", from), schema.Named("upTo", upTo))
	if err != nil {
		return nil, fmt.Errorf("read evidence chain: %w", err)
	}
	defer rows.Close()
	var list []Entry
	for rows.Next() {
		var e Entry
		var kind, subject, content, previous, hash string
		if err := rows.Scan(&e.Sequence, &e.At, &kind, &subject, &e.SubjectVersion, &e.Content, &content, &previous, &hash, &e.PublicKey, &e.Signature); err != nil {
			return nil, fmt.Errorf("read evidence chain: %w", err)
		}
		e.Kind, e.At = Kind(kind), e.At.UTC()
		if e.Subject, err = schema.ParseUID(subject); err != nil {
			return nil, fmt.Errorf("read evidence chain: %w", err)
		}
		// What is no hash cannot fit, and stays the zero hash; whoever wrote it is found.
		e.ContentHash, _ = ParseHash(content)
		e.Previous, _ = ParseHash(previous)
		e.Hash, _ = ParseHash(hash)
		list = append(list, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read evidence chain: %w", err)
	}
	return list, nil
}

// lastSequence is the highest sequence there is, 0 for none.
func lastSequence(ctx context.Context, store schema.Store) (n uint64, err error) {
	if err := store.QueryRow(ctx, "SELECT max(sequence) FROM evidence_chain").Scan(&n); err != nil {
		return 0, fmt.Errorf("read evidence chain: %w", err)
	}
	return n, nil
}

// insertEntry stores an entry. It is durable when it returns.
func insertEntry(ctx context.Context, store schema.Store, e Entry) error {
	batch, err := store.PrepareBatch(durable(ctx), `INSERT INTO evidence_chain (sequence, at, kind, subject_uid, subject_version, content, content_hash,
		previous_hash, entry_hash, public_key, signature)`)
	if err != nil {
		return fmt.Errorf("save entry %d of the evidence chain: %w", e.Sequence, err)
	}
	if err := batch.Append(e.Sequence, e.At, string(e.Kind), e.Subject.String(), e.SubjectVersion, e.Content, e.ContentHash.String(),
		e.Previous.String(), e.Hash.String(), e.PublicKey, e.Signature); err != nil {
		_ = batch.Abort()
		return fmt.Errorf("save entry %d of the evidence chain: %w", e.Sequence, err)
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("save entry %d of the evidence chain: %w", e.Sequence, err)
	}
	return nil
}

// durable makes an insert wait until its rows are stored.
func durable(ctx context.Context) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"async_insert": 0}))
}

// chained says whether the chain, and not only something beside it, has an entry of a kind
// about a subject.
func chained(ctx context.Context, store schema.Store, kind Kind, subject schema.UID, version uint64) (found bool, err error) {
	err = store.QueryRow(ctx, `SELECT count() > 0 FROM evidence_chain FINAL
		WHERE kind = {kind:String} AND subject_uid = {subject:UUID} AND subject_version = {version:UInt64}
			AND entry_hash NOT IN (SELECT arrayJoin(JSONExtract(content, 'strays', 'Array(String)')) FROM evidence_chain FINAL WHERE kind = 'stray')`,
		schema.Named("kind", string(kind)), schema.Named("subject", subject.String()), schema.Named("version", version)).Scan(&found)
	if err != nil {
		return false, fmt.Errorf("read evidence chain: %w", err)
	}
	return found, nil
}

// milliseconds is a time as the tables can hold it.
func milliseconds(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
