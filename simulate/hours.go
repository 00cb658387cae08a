package simulate

import (
	"cmp"
	"slices"
	"time"
)

// hours keeps the records of the hours that are not yet complete. An actor may
// write into a later hour; so memory holds what is under way, not the whole log.
type hours struct {
	from, to time.Time
	open     map[int64]*hour
}

// hour is the records of one hour: where each lies in data.
type hour struct {
	records []record
	data    []byte
}

type record struct {
	when       int64
	start, end int
}

func newHours(from, to time.Time) *hours {
	return &hours{from: from, to: to, open: map[int64]*hour{}}
}

// add takes one record. What happens outside the simulated window is not logged.
func (h *hours) add(when time.Time, write func([]byte) []byte) {
	if when.Before(h.from) || !when.Before(h.to) {
		return
	}
	key := when.Truncate(time.Hour).UnixMilli()
	o := h.open[key]
	if o == nil {
		o = &hour{}
		h.open[key] = o
	}
	start := len(o.data)
	o.data = write(o.data)
	o.records = append(o.records, record{when.UnixMilli(), start, len(o.data)})
}

// take hands over the hour that starts at from, its records in the order of
// time, or nil when nothing happened.
func (h *hours) take(from time.Time) *hour {
	key := from.UnixMilli()
	o := h.open[key]
	if o == nil {
		return nil
	}
	delete(h.open, key)
	slices.SortStableFunc(o.records, func(a, b record) int { return cmp.Compare(a.when, b.when) })
	return o
}
