package insert

import (
	"io"
	"testing"

	"github.com/crmwatch/crmwatch/engine/enginetest"
)

// TestClusterStoresOnce inserts through the Distributed tables of a cluster.
func TestClusterStoresOnce(t *testing.T) {
	conn := enginetest.OpenCluster(t, enginetest.OneShard)
	s := testInserter(conn, io.Discard)
	d := delivery(t, 1000, "")
	for range 3 {
		if err := s.Insert(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, conn, "SELECT count() FROM events_local"); n != 1000 {
		t.Errorf("%d rows are stored after three inserts with one token, want 1000", n)
	}
	// Past the window of tokens, the sorting key makes the rows one.
	d.Sequence++
	if err := s.Insert(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if n := count(t, conn, "SELECT count() FROM events_local"); n != 2000 {
		t.Errorf("%d rows are stored after an insert with another token, want 2000", n)
	}
	if n := count(t, conn, "SELECT count() FROM events FINAL"); n != 1000 {
		t.Errorf("%d events are read, want 1000", n)
	}
	if n := count(t, conn, "SELECT countIf(metadata_version = '1.8.0' AND ingested_at > '2026-01-01' AND category_uid = 6) FROM events FINAL"); n != 1000 {
		t.Errorf("%d events have their defaults and aliases, want 1000", n)
	}
}

// TestClusterTakesABatchApart puts a row that a shard refuses into quarantine.
func TestClusterTakesABatchApart(t *testing.T) {
	conn := enginetest.OpenCluster(t, enginetest.OneShard)
	if err := conn.Exec(t.Context(), "ALTER TABLE events_local ADD CONSTRAINT readable CHECK message != 'poison'"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := testInserter(conn, io.Discard).Insert(t.Context(), delivery(t, 1000, "poison")); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, conn, "SELECT count() FROM events FINAL"); n != 999 {
		t.Errorf("%d events are stored, want 999", n)
	}
	if n := count(t, conn, "SELECT count() FROM quarantine FINAL"); n != 1 {
		t.Errorf("%d rows are in quarantine, want 1", n)
	}
}

// TestEveryRowGoesToOneShard inserts into two shards, which here are one table.
func TestEveryRowGoesToOneShard(t *testing.T) {
	conn := enginetest.OpenCluster(t, enginetest.TwoShards)
	block := delivery(t, 1000, "")
	// Without a token, because shards that are one table would take each other's part
	// for a repetition.
	if err := testInserter(conn, io.Discard).insert(t.Context(), "events", block.Events, ""); err != nil {
		t.Fatal(err)
	}
	if n := count(t, conn, "SELECT count() FROM events_local"); n != 1000 {
		t.Errorf("%d rows are stored, want 1000", n)
	}
	if n := count(t, conn, "SELECT countIf(sipHash64(event_uid) % 2 = 0) FROM events_local"); n < 400 || n > 600 {
		t.Errorf("%d of 1000 rows without a user go to the first shard", n)
	}
	if n := count(t, conn, "SELECT uniqExact(_shard_num) FROM events"); n != 2 {
		t.Errorf("a query reads %d shards, want 2", n)
	}
}
