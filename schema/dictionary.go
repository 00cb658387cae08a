package schema

import (
	"encoding/binary"
	"slices"
	"strings"
	"unsafe"
)

// dictionary is a LowCardinality(String) column of one batch: each value once,
// and an index a row. It is filled while rows are appended, so nothing is sorted
// or looked up a second time when the block is encoded.
type dictionary struct {
	index  map[string]uint32
	values []string
	raw    []string // the values as they came
	// clean, if not nil, changes a value when it comes for the first time; it is found
	// again by what it was before.
	clean  func(string) string
	keys   []uint32
	last   string
	lastID uint32
	// recent has no memory until the column's first value: most columns of most batches
	// have none.
	recent *[2048]recentValue
	// bytes is about how long the encoded values are.
	bytes int
}

type recentValue struct {
	value string
	id    uint32
}

func newDictionary() *dictionary {
	return &dictionary{index: map[string]uint32{"": 0}, values: []string{""}, raw: []string{""}}
}

// Reset empties the column and keeps its memory; the empty string is value 0.
func (d *dictionary) Reset() {
	d.keys = d.keys[:0]
	if !d.used() {
		return
	}
	clear(d.index)
	clear(d.values)
	clear(d.raw)
	d.values, d.raw = append(d.values[:0], ""), append(d.raw[:0], "")
	d.index[""] = 0
	d.last, d.lastID, d.bytes = "", 0, 0
	clear(d.recent[:])
}

// set puts s, which is not empty, into a row behind all rows set before; the rows
// between are empty. Most rows repeat the last value or one of a few recent ones;
// only the others pay for a map lookup, and only new values for a copy.
func (d *dictionary) set(row int, s string) {
	if len(d.keys) < row {
		d.fill(row)
	}
	if s != d.last {
		d.find(s)
	}
	d.keys = append(d.keys, d.lastID)
}

// find makes s the last value.
func (d *dictionary) find(s string) {
	if d.recent == nil {
		d.recent = new([2048]recentValue)
	}
	slot := &d.recent[slotOf(s)]
	if slot.value != s {
		id, known := d.index[s]
		if !known {
			own := strings.Clone(s)
			id = uint32(len(d.values))
			value := own
			if d.clean != nil {
				value = d.clean(own)
			}
			d.values = append(d.values, value)
			d.raw = append(d.raw, own)
			d.index[own] = id
			d.bytes += len(value) + 2
		}
		slot.value, slot.id = d.raw[id], id
	}
	d.last, d.lastID = slot.value, slot.id
}

// fill makes the column rows long with empty values.
func (d *dictionary) fill(rows int) {
	from := len(d.keys)
	d.keys = slices.Grow(d.keys, rows-from)[:rows]
	clear(d.keys[from:])
}

// slotOf spreads strings over the recent table by their length and last eight
// bytes, where names, numbers and ids differ most.
func slotOf(s string) uint16 {
	var tail uint64
	if len(s) >= 8 {
		tail = binary.LittleEndian.Uint64(unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(unsafe.StringData(s)), len(s)-8)), 8))
	} else {
		for i := range len(s) {
			tail = tail<<8 | uint64(s[i])
		}
	}
	tail ^= uint64(len(s))
	return uint16(tail * 0x9E3779B97F4A7C15 >> 53)
}

// used says whether any row holds something other than the empty string.
func (d *dictionary) used() bool { return len(d.values) > 1 }
