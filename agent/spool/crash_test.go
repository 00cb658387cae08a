package spool_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmwatch/crmwatch/agent/spool"
	"github.com/crmwatch/crmwatch/agent/spool/memdisk"
)

// history is a spool on a disk in memory, what was promised of it, and what it gave.
type history struct {
	t      *testing.T
	random *rand.Rand
	disk   *memdisk.Disk
	o      spool.Options
	s      *spool.Spool
	// kept are batches for which Append returned nil, by sequence number.
	kept map[uint64]int
	// given is what Next gave, by sequence number; delivered what was acknowledged.
	given     map[uint64]int
	delivered map[uint64]bool
	n         int
	failAt    int
}

// fault counts operations down and lets the process die at one.
func (h *history) fault(memdisk.Operation, string) error {
	if h.failAt > 0 {
		if h.failAt--; h.failAt == 0 {
			h.disk.Off()
			return memdisk.ErrPowerCut
		}
	}
	return nil
}

func (h *history) open() {
	for tries := 0; ; tries++ {
		h.o.FS = h.disk.View()
		s, recovery, err := spool.Open(h.o)
		if err == nil {
			for _, m := range recovery.Missing {
				for q := m.From; q <= m.To; q++ {
					if _, promised := h.kept[q]; promised && !h.delivered[q] {
						h.t.Fatalf("batch %d was kept and is said to be missing", q)
					}
				}
			}
			h.s = s
			return
		}
		if h.failAt > 0 || tries > 3 {
			h.t.Fatalf("open: %v", err)
		}
		h.crash()
	}
}

func (h *history) crash() {
	h.failAt = 0
	if h.random.IntN(2) == 0 {
		h.disk.Kill()
	} else {
		h.disk.Cut(h.random)
	}
}

func (h *history) step() (alive bool) {
	switch dice := h.random.IntN(10); {
	case dice < 5:
		n, size := h.n, 1+h.n*37%2900
		h.n++
		sequence, err := h.s.Append(context.Background(), batch(n, size))
		if err != nil {
			return false
		}
		if old, twice := h.kept[sequence]; twice {
			h.t.Fatalf("batches %d and %d both have sequence number %d", old, n, sequence)
		}
		h.kept[sequence] = n
	case dice < 9:
		return h.take(h.random.IntN(4) > 0)
	case h.random.IntN(3) == 0:
		if _, err := h.s.Redeliver(); err != nil {
			return false
		}
	default:
		h.failAt = 1 + h.random.IntN(25)
	}
	return true
}

// take gets a record, if there is one, and acknowledges it or not.
func (h *history) take(ack bool) (alive bool) {
	if h.s.Stats().PendingBatches == 0 {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, err := h.s.Next(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return true // all that is pending is out already
	}
	if err != nil {
		return false
	}
	var n int
	fmt.Sscanf(string(r.Meta), "meta %d", &n)
	if err := checkRecord(r, n, 1+n*37%2900); err != nil {
		h.t.Fatal(err)
	}
	if promised, ok := h.kept[r.Sequence]; ok && promised != n {
		h.t.Fatalf("sequence number %d was batch %d and is %d", r.Sequence, promised, n)
	}
	if before, ok := h.given[r.Sequence]; ok && before != n {
		h.t.Fatalf("sequence number %d was given as batch %d and is %d", r.Sequence, before, n)
	}
	h.given[r.Sequence] = n
	if !ack {
		return true
	}
	// The database has it, whether or not the disk keeps the acknowledgement.
	h.delivered[r.Sequence] = true
	return h.s.Done(r) == nil
}

// finish delivers all that is left and wants everything promised to be among it.
func (h *history) finish() {
	h.failAt = 0
	h.crash()
	h.open()
	for h.s.Stats().PendingBatches > 0 {
		if !h.take(true) {
			h.t.Fatal("the spool fails on a sound disk")
		}
	}
	for sequence, n := range h.kept {
		if !h.delivered[sequence] {
			h.t.Errorf("batch %d, sequence number %d, was kept and is lost", n, sequence)
		}
	}
	var order []uint64
	for sequence := range h.delivered {
		order = append(order, sequence)
	}
	slices.Sort(order)
	if err := h.s.Close(); err != nil {
		h.t.Error(err)
	}
}

// TestAnyHistory kills the process and cuts the power at any operation.
func TestAnyHistory(t *testing.T) {
	for seed := range uint64(1500) {
		synctest.Test(t, func(t *testing.T) {
			h := &history{t: t, random: rand.New(rand.NewPCG(seed, 7)), disk: memdisk.New(),
				kept: map[uint64]int{}, given: map[uint64]int{}, delivered: map[uint64]bool{}}
			h.disk.Fault = h.fault
			h.o = spool.Options{SegmentBytes: 1 + int64(h.random.IntN(20_000)), RetainAfterAck: time.Duration(h.random.IntN(3)-1) * time.Second,
				Compression: []spool.Compression{spool.None, spool.LZ4}[h.random.IntN(2)]}
			if h.random.IntN(3) == 0 {
				h.o.Keys = [][]byte{testKey}
			}
			h.open()
			for range 60 {
				if !h.step() {
					h.crash()
					h.open()
				}
			}
			h.finish()
			if t.Failed() {
				t.Logf("seed %d", seed)
			}
		})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// TestFailingDisk lets every single operation fail once, for each kind of error.
func TestFailingDisk(t *testing.T) {
	for _, fail := range []error{syscall.EIO, syscall.ENOSPC, syscall.EDQUOT, syscall.EINTR, syscall.EAGAIN} {
		t.Run(fail.Error(), func(t *testing.T) {
			for at := 1; ; at++ {
				operations := 0
				synctest.Test(t, func(t *testing.T) {
					disk := memdisk.New()
					o := spool.Options{FS: disk.View(), SegmentBytes: 3000, Compression: spool.None, RetainAfterAck: -1}
					s := open(t, o)
					disk.Fault = func(memdisk.Operation, string) error {
						if operations++; operations == at {
							return fail
						}
						return nil
					}
					kept := map[uint64]int{}
					for n := range 8 {
						if sequence, err := s.Append(t.Context(), batch(n, 1000)); err == nil {
							kept[sequence] = n
						} else {
							t.Errorf("operation %d: append %d: %v", at, n, err)
						}
						if n%2 == 1 {
							r, err := s.Next(t.Context())
							if err != nil {
								continue // reading is tried again
							}
							if checkRecord(r, kept[r.Sequence], 1000) == nil {
								_ = s.Done(r) // the database has it, whatever the disk keeps
								delete(kept, r.Sequence)
							}
						}
					}
					disk.Fault = nil
					_ = s.Close()
					disk.Cut(rand.New(rand.NewPCG(uint64(at), 1)))
					o.FS = disk.View()
					s = open(t, o)
					for s.Stats().PendingBatches > 0 {
						r := take(t, s)
						if n, ok := kept[r.Sequence]; ok {
							if err := checkRecord(r, n, 1000); err != nil {
								t.Error(err)
							}
							delete(kept, r.Sequence)
						}
						if err := s.Done(r); err != nil {
							t.Fatal(err)
						}
					}
					if len(kept) > 0 {
						t.Errorf("operation %d fails: batches %v are lost", at, kept)
					}
					s.Close()
				})
				if t.Failed() {
					t.Fatalf("with operation %d", at)
				}
				if operations < at {
					return
				}
			}
		})
	}
}

func TestDiskThatNeverSyncsIsFatal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := memdisk.New()
		s := open(t, spool.Options{FS: disk.View()})
		add(t, s, 0, 100)
		disk.Fault = func(op memdisk.Operation, _ string) error {
			if op == memdisk.Sync {
				return syscall.EIO
			}
			return nil
		}
		if _, err := s.Append(t.Context(), batch(1, 100)); !errors.Is(err, spool.ErrNotDurable) {
			t.Errorf("append says %v", err)
		}
		if _, err := s.Append(t.Context(), batch(2, 100)); !errors.Is(err, spool.ErrNotDurable) {
			t.Errorf("the next append says %v", err)
		}
		disk.Fault = nil
		s.Close()
	})
}

func TestFullDiskMakesAppendWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := memdisk.New()
		disk.Full, disk.Capacity = syscall.ENOSPC, 20_000
		s := open(t, spool.Options{FS: disk.View(), SegmentBytes: 3000, Compression: spool.None})
		appended := make(chan int)
		go func() {
			for n := range 40 {
				if _, err := s.Append(context.Background(), batch(n, 1000)); err != nil {
					t.Errorf("append %d: %v", n, err)
				}
				appended <- n
			}
			close(appended)
		}()
		taken := 0
		for n := range appended {
			synctest.Wait()
			if n >= 10 {
				r := take(t, s)
				if err := checkRecord(r, taken, 1000); err != nil {
					t.Error(err)
				}
				if err := s.Done(r); err != nil {
					t.Error(err)
				}
				taken++
			}
		}
		for s.Stats().PendingBatches > 0 {
			r := take(t, s)
			if err := checkRecord(r, taken, 1000); err != nil {
				t.Error(err)
			}
			if err := s.Done(r); err != nil {
				t.Error(err)
			}
			taken++
		}
		if taken != 40 {
			t.Errorf("%d batches came out, want 40", taken)
		}
		s.Close()
	})
}
