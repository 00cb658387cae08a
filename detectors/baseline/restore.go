package baseline

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/influxdata/tdigest"
)

// reader takes the parts of a state; after the first that is wrong it gives zeros.
type reader struct {
	bytes []byte
	bad   bool
}

// take gives the next n bytes, or none and marks the state as bad.
func (r *reader) take(n int) []byte {
	if r.bad || len(r.bytes) < n {
		r.bad, r.bytes = true, nil
		return nil
	}
	taken := r.bytes[:n]
	r.bytes = r.bytes[n:]
	return taken
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) bit() bool {
	b := r.byte()
	r.bad = r.bad || b > 1
	return b == 1
}

func (r *reader) uint(most uint64) uint64 {
	x, n := binary.Uvarint(r.bytes)
	if r.take(max(n, 0)); n <= 0 || x > most || r.bad {
		r.bad = true
		return 0
	}
	return x
}

func (r *reader) int() int64 {
	x, n := binary.Varint(r.bytes)
	if r.take(max(n, 0)); n <= 0 || r.bad {
		r.bad = true
		return 0
	}
	return x
}

// number is any float, also NaN.
func (r *reader) number() float64 {
	if b := r.take(8); b != nil {
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	}
	return 0
}

// float is a finite one.
func (r *reader) float() float64 {
	x := r.number()
	if !finite(x) {
		r.bad = true
		return 0
	}
	return x
}

func (r *reader) single() float32 {
	if b := r.take(4); b != nil {
		return math.Float32frombits(binary.LittleEndian.Uint32(b))
	}
	return 0
}

func (r *reader) tail(t *tail) {
	t.count = r.uint(math.MaxInt64)
	t.weight = r.float()
	t.high.value, t.low.value = r.float(), r.float()
	t.high.day, t.low.day = r.int(), r.int()
	t.centroids = r.centroids(3*compression, true)
	t.pending = r.centroids(pendingValues-1, false)
	if (t.count == 0) != (len(t.centroids)+len(t.pending) == 0) || t.count > 0 && !(t.weight > 0) {
		r.bad = true
	}
}

func (r *reader) centroids(most uint64, sorted bool) tdigest.CentroidList {
	n := int(r.uint(most))
	list := make(tdigest.CentroidList, n, max(n, pendingValues))
	for i := range list {
		c := tdigest.Centroid{Mean: r.float(), Weight: float64(r.single())}
		if !(c.Weight > 0) || math.IsInf(c.Weight, 1) || sorted && i > 0 && c.Mean < list[i-1].Mean {
			r.bad = true
		}
		list[i] = c
	}
	return list
}

func (r *reader) season(s *season) {
	for i := range s.slots {
		slot := &s.slots[i]
		if slot.count = r.byte(); slot.count > weeksKept {
			r.bad, slot.count = true, 0
		}
		for k := range slot.count {
			slot.values[k] = r.single()
		}
	}
	s.hour = r.int()
	s.taken = uint16(r.uint(1<<hourParts - 1))
	for i := range s.parts {
		if s.taken&(1<<i) != 0 {
			s.parts[i] = r.single()
		}
	}
}

func (r *reader) judged(j *judged) {
	j.at = r.int()
	for _, x := range [...]*float64{&j.x, &j.expected, &j.median, &j.score, &j.share, &j.beyond} {
		*x = r.float()
	}
	for i := range j.view {
		j.view[i] = r.float()
	}
	for i := range j.guess {
		j.guess[i] = r.number()
	}
	for i := range j.surprise {
		j.surprise[i] = r.float()
	}
	j.byWeek, j.down, j.high = r.bit(), r.bit(), r.bit()
}

func (r *reader) episode(e *Episode) {
	for _, at := range [...]*time.Time{&e.From, &e.To, &e.Peak.From} {
		*at = time.UnixMilli(r.int()).UTC()
	}
	for _, x := range [...]*float64{&e.Total, &e.Peak.Value, &e.Score, &e.Median, &e.Share, &e.PeakBefore} {
		*x = r.float()
	}
	e.Down, e.ByWeek = r.bit(), r.bit()
	e.History = time.Duration(r.int())
	e.Buckets = int(r.uint(math.MaxInt64))
}
