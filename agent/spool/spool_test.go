package spool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/compress"

	"github.com/crmwatch/crmwatch/agent/spool"
	"github.com/crmwatch/crmwatch/agent/spool/memdisk"
	"github.com/crmwatch/crmwatch/schema"
)

var testKey = bytes.Repeat([]byte{7}, spool.KeySize)

// batch is an invented batch; n is found again in its meta and its block.
func batch(n, size int) spool.Batch {
	block := bytes.Repeat(fmt.Appendf(nil, "canary-%06d ", n), 1+size/14)
	return spool.Batch{
		Meta:   fmt.Appendf(nil, "meta %d", n),
		Sealed: time.Unix(int64(n), 0),
		Events: schema.RawFrames(block, 1+n%7),
	}
}

// checkRecord says what is wrong with a record of batch n.
func checkRecord(r *spool.Record, n, size int) error {
	want := batch(n, size)
	if string(r.Meta) != string(want.Meta) || r.Events.Rows != want.Events.Rows || r.Events.Hash != want.Events.Hash || r.Events.Size != want.Events.Size {
		return fmt.Errorf("record %d has meta %q, %d rows", r.Sequence, r.Meta, r.Events.Rows)
	}
	data := r.Events.Data
	if r.Events.Framed {
		data = make([]byte, r.Events.Size)
		if _, err := compress.NewReader(bytes.NewReader(r.Events.Data)).Read(data); err != nil {
			return fmt.Errorf("record %d: %w", r.Sequence, err)
		}
	}
	if schema.HashBlock(data) != want.Events.Hash {
		return fmt.Errorf("record %d has another block", r.Sequence)
	}
	return nil
}

func open(t testing.TB, o spool.Options) *spool.Spool {
	t.Helper()
	s, _ := reopen(t, o)
	return s
}

func reopen(t testing.TB, o spool.Options) (*spool.Spool, spool.Recovery) {
	t.Helper()
	if o.SyncDelay == 0 {
		o.SyncDelay = time.Microsecond
	}
	s, recovery, err := spool.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s, recovery
}

func onDisk(t testing.TB) spool.FS {
	t.Helper()
	fs, err := spool.Folder(t.TempDir() + "/spool")
	if err != nil {
		t.Fatal(err)
	}
	return fs
}

func add(t testing.TB, s *spool.Spool, n, size int) uint64 {
	t.Helper()
	sequence, err := s.Append(t.Context(), batch(n, size))
	if err != nil {
		t.Fatal(err)
	}
	return sequence
}

// take is the next record, which must be there.
func take(t testing.TB, s *spool.Spool) *spool.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, err := s.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestBatchesComeOutAsTheyWentIn(t *testing.T) {
	for _, compression := range []spool.Compression{spool.None, spool.LZ4, spool.ZSTD} {
		for _, keys := range [][][]byte{nil, {testKey}} {
			t.Run(fmt.Sprintf("%s,%d", compression, len(keys)), func(t *testing.T) {
				o := spool.Options{FS: onDisk(t), Compression: compression, Keys: keys, SegmentBytes: 20_000}
				s := open(t, o)
				for n := range 30 {
					if sequence := add(t, s, n, n*300); sequence != uint64(n+1) {
						t.Fatalf("batch %d has sequence number %d", n, sequence)
					}
				}
				uid := s.AgentUID()
				for n := range 10 {
					r := take(t, s)
					if err := checkRecord(r, n, n*300); err != nil {
						t.Error(err)
					}
					if err := s.Done(r); err != nil {
						t.Fatal(err)
					}
				}
				if stats := s.Stats(); stats.PendingBatches != 20 {
					t.Errorf("%d batches are pending, want 20", stats.PendingBatches)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s, recovery := reopen(t, o)
				defer s.Close()
				if recovery.Pending != 20 || len(recovery.Missing)+len(recovery.SetAside) > 0 || s.AgentUID() != uid {
					t.Errorf("recovery: %+v", recovery)
				}
				for n := 10; n < 30; n++ {
					r := take(t, s)
					if err := checkRecord(r, n, n*300); err != nil || r.Sequence != uint64(n+1) {
						t.Errorf("sequence %d: %v", r.Sequence, err)
					}
					if err := s.Done(r); err != nil {
						t.Fatal(err)
					}
				}
				if sequence := add(t, s, 30, 10); sequence != 31 {
					t.Errorf("the next sequence number is %d, want 31", sequence)
				}
			})
		}
	}
}

func TestAppendsAtOnceShareSyncs(t *testing.T) {
	s := open(t, spool.Options{FS: onDisk(t), SyncDelay: 50 * time.Millisecond})
	defer s.Close()
	done := make(chan error)
	for n := range 50 {
		go func() {
			_, err := s.Append(t.Context(), batch(n, 100))
			done <- err
		}()
	}
	for range 50 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if syncs := s.Stats().Syncs; syncs > 25 {
		t.Errorf("50 appends at once needed %d syncs", syncs)
	}
}

func TestQuotaMakesAppendWait(t *testing.T) {
	s := open(t, spool.Options{FS: onDisk(t), Compression: spool.None, SegmentBytes: 4000, Quota: 20_000})
	defer s.Close()
	n := 0
	for ; ; n++ {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, err := s.Append(ctx, batch(n, 1000))
		cancel()
		if err != nil {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			break
		}
	}
	if stats := s.Stats(); !stats.Waiting || stats.Bytes > 20_000 || n < 12 {
		t.Errorf("after %d batches: %+v", n, stats)
	}
	appended := make(chan error)
	go func() {
		_, err := s.Append(t.Context(), batch(n, 1000))
		appended <- err
	}()
	for i := range n {
		r := take(t, s)
		if err := checkRecord(r, i, 1000); err != nil {
			t.Fatal(err)
		}
		if err := s.Done(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-appended; err != nil {
		t.Fatal(err)
	}
	if err := checkRecord(take(t, s), n, 1000); err != nil {
		t.Error(err)
	}
}

func TestQuotaDropsAndCounts(t *testing.T) {
	o := spool.Options{FS: onDisk(t), Compression: spool.None, SegmentBytes: 4000, Quota: 20_000, WhenFull: spool.Drop}
	s := open(t, o)
	rows := 0
	for n := range 100 {
		rows += batch(n, 1000).Events.Rows
		add(t, s, n, 1000)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, recovery := reopen(t, o)
	defer s.Close()
	stats := s.Stats()
	if len(recovery.Missing) > 0 || stats.DroppedBatches == 0 || stats.DroppedBatches+stats.PendingBatches != 100 || stats.DroppedRows+uint64(stats.PendingRows) != uint64(rows) {
		t.Errorf("%d rows went in; %+v, recovery %+v", rows, stats, recovery)
	}
	for n := int(stats.DroppedBatches); n < 100; n++ {
		r := take(t, s)
		if err := checkRecord(r, n, 1000); err != nil {
			t.Fatal(err)
		}
		if err := s.Done(r); err != nil {
			t.Fatal(err)
		}
	}
	if stats := s.Stats(); stats.PendingBatches != 0 || stats.Acked != 100 {
		t.Errorf("after all are delivered: %+v", stats)
	}
}

func TestDeliveredSegmentsAreKeptForAWhile(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	snapshots := 0
	disk := memdisk.New()
	o := spool.Options{FS: disk.View(), SegmentBytes: 2000, Compression: spool.None, Now: func() time.Time { return now },
		BeforeUnlink: func() error { snapshots++; return nil }}
	s := open(t, o)
	for n := range 10 {
		add(t, s, n, 1000)
		if err := s.Done(take(t, s)); err != nil {
			t.Fatal(err)
		}
	}
	if again, err := s.Redeliver(); err != nil || again != 10 {
		t.Fatalf("%d batches are delivered again, want 10: %v", again, err)
	}
	for n := range 10 {
		r := take(t, s)
		if err := checkRecord(r, n, 1000); err != nil {
			t.Fatal(err)
		}
		if err := s.Done(r); err != nil {
			t.Fatal(err)
		}
	}
	before := len(disk.Names())
	now = now.Add(16 * time.Minute)
	add(t, s, 10, 1000)
	if err := s.Done(take(t, s)); err != nil {
		t.Fatal(err)
	}
	if after := len(disk.Names()); after > before-3 || snapshots == 0 {
		t.Errorf("%d files before, %d after a quarter of an hour, %d snapshots:\n%v", before, after, snapshots, disk.Names())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range disk.Names() {
		if name != "state" {
			disk.Drop(name)
		}
	}
	o.FS = disk.View()
	s = open(t, o)
	defer s.Close()
	if sequence := add(t, s, 11, 10); sequence != 12 {
		t.Errorf("the next sequence number is %d, want 12: numbers never come twice", sequence)
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	fs := onDisk(t)
	s := open(t, spool.Options{FS: fs})
	if _, _, err := spool.Open(spool.Options{FS: fs}); err == nil {
		t.Error("a second process opened the spool")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, spool.Options{FS: fs}).Close()
}
