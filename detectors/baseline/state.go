package baseline

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/influxdata/tdigest"
)

// stateVersion is the first byte of a saved state. A state of another version is
// refused: its series begins anew.
const stateVersion = 1

// ErrOtherOptions says that a state was saved under other options.
var ErrOtherOptions = errors.New("the baseline was saved under another bucket, direction or kind of value")

var errState = errors.New("the bytes are no baseline of this version")

// MarshalBinary saves the whole state, at most 11 KB. The same state
// gives the same bytes.
func (s *Series) MarshalBinary() ([]byte, error) { return s.AppendBinary(make([]byte, 0, 8<<10)) }

// AppendBinary appends what MarshalBinary gives.
func (s *Series) AppendBinary(to []byte) ([]byte, error) {
	w := writer{append(to, stateVersion, byte(s.o.Direction), bit(s.o.Counts))}
	w.uint(uint64(s.o.Bucket.Milliseconds()))
	w.bytes = append(w.bytes, bit(s.seen), bit(s.begun), s.below)
	for _, x := range [...]int64{s.start, s.last, s.rebased} {
		w.int(x)
	}
	w.uint(s.used)
	for i := range s.tails {
		w.tail(&s.tails[i])
	}
	w.season(&s.season)
	for _, r := range s.usual {
		w.floats(r.miss, r.off)
		w.uint(r.count)
	}
	w.floats(s.before)
	w.uint(uint64(len(s.recent)))
	w.floats(s.recent...)
	w.uint(uint64(len(s.waiting)))
	for i := range s.waiting {
		w.judged(&s.waiting[i])
	}
	w.bytes = append(w.bytes, bit(s.open != nil))
	if s.open != nil {
		w.episode(s.open)
	}
	return w.bytes, nil
}

// UnmarshalBinary restores a state into a series that New made with the options under
// which it was saved; Guards and WarmUp may be others. It fails with ErrOtherOptions,
// or because the bytes are no state; the series is then as it was. The bytes may be
// used again afterwards.
func (s *Series) UnmarshalBinary(from []byte) error {
	r := reader{bytes: from}
	if r.byte() != stateVersion {
		return fmt.Errorf("restore a baseline: %w", errState)
	}
	direction, counts, size := Direction(r.byte()), r.bit(), r.uint(math.MaxInt64)
	if r.bad {
		return fmt.Errorf("restore a baseline: %w", errState)
	}
	if direction != s.o.Direction || counts != s.o.Counts || int64(size) != s.o.Bucket.Milliseconds() {
		return fmt.Errorf("restore a baseline: %w", ErrOtherOptions)
	}
	n := Series{o: s.o}
	n.seen, n.begun, n.below = r.bit(), r.bit(), r.byte()
	n.start, n.last, n.rebased = r.int(), r.int(), r.int()
	n.used = r.uint(math.MaxUint64)
	for i := range n.tails {
		r.tail(&n.tails[i])
	}
	r.season(&n.season)
	for i := range n.usual {
		n.usual[i] = record{r.float(), r.float(), r.uint(math.MaxUint64)}
	}
	n.before = r.float()
	n.recent = make([]float64, r.uint(uint64(s.shortBuckets())), s.shortBuckets())
	for i := range n.recent {
		n.recent[i] = r.float()
	}
	n.waiting = make([]judged, r.uint(openOf-1), openOf)
	for i := range n.waiting {
		r.judged(&n.waiting[i])
	}
	if r.bit() {
		n.open = &Episode{}
		r.episode(n.open)
	}
	if r.bad || len(r.bytes) > 0 || !n.begun && n.tails[level].count > 0 || n.begun && n.start > n.last {
		return fmt.Errorf("restore a baseline: %w", errState)
	}
	*s = n
	return nil
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// writer appends the parts of a state.
type writer struct{ bytes []byte }

func (w *writer) uint(x uint64) { w.bytes = binary.AppendUvarint(w.bytes, x) }
func (w *writer) int(x int64)   { w.bytes = binary.AppendVarint(w.bytes, x) }

func (w *writer) floats(xs ...float64) {
	for _, x := range xs {
		w.bytes = binary.LittleEndian.AppendUint64(w.bytes, math.Float64bits(x))
	}
}

func (w *writer) single(x float32) {
	w.bytes = binary.LittleEndian.AppendUint32(w.bytes, math.Float32bits(x))
}

func (w *writer) tail(t *tail) {
	w.uint(t.count)
	w.floats(t.weight, t.high.value, t.low.value)
	w.int(t.high.day)
	w.int(t.low.day)
	for _, list := range [...]tdigest.CentroidList{t.centroids, t.pending} {
		w.uint(uint64(len(list)))
		for _, c := range list {
			w.floats(c.Mean)
			w.single(float32(c.Weight))
		}
	}
}

func (w *writer) season(s *season) {
	for i := range s.slots {
		slot := &s.slots[i]
		w.bytes = append(w.bytes, slot.count)
		for _, x := range slot.values[:slot.count] {
			w.single(x)
		}
	}
	w.int(s.hour)
	w.uint(uint64(s.taken))
	for i, x := range s.parts {
		if s.taken&(1<<i) != 0 {
			w.single(x)
		}
	}
}

func (w *writer) judged(j *judged) {
	w.int(j.at)
	w.floats(j.x, j.expected, j.median, j.score, j.share, j.beyond)
	w.floats(j.view[:]...)
	w.floats(j.guess[:]...)
	w.floats(j.surprise[:]...)
	w.bytes = append(w.bytes, bit(j.byWeek), bit(j.down), bit(j.high))
}

func (w *writer) episode(e *Episode) {
	for _, at := range [...]time.Time{e.From, e.To, e.Peak.From} {
		w.int(at.UnixMilli())
	}
	w.floats(e.Total, e.Peak.Value, e.Score, e.Median, e.Share, e.PeakBefore)
	w.bytes = append(w.bytes, bit(e.Down), bit(e.ByWeek))
	w.int(int64(e.History))
	w.uint(uint64(e.Buckets))
}
