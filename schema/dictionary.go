package schema

import (
	"encoding/binary"
	"slices"
	"strings"
	"unsafe"

	"github.com/ClickHouse/ch-go/proto"
)

// dictionary is a LowCardinality(String) column of one batch: each value once,
// and an index a row. It is filled while rows are appended, so nothing is sorted
// or looked up a second time when the block is encoded.
type dictionary struct {
	index  map[string]uint32
	values []string
	keys   []uint32
	last   string
	lastID uint32
	recent [2048]recentValue
	// bytes is about how long the encoded values are.
	bytes int
}

type recentValue struct {
	value string
	id    uint32
}

func newDictionary() *dictionary {
	d := &dictionary{index: map[string]uint32{}}
	d.Reset()
	return d
}

// Reset empties the column and keeps its memory; the empty string is value 0.
func (d *dictionary) Reset() {
	clear(d.index)
	clear(d.values)
	d.values = append(d.values[:0], "")
	d.index[""] = 0
	d.keys = d.keys[:0]
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
	slot := &d.recent[slotOf(s)]
	if slot.value != s {
		id, known := d.index[s]
		if !known {
			own := strings.Clone(s)
			id = uint32(len(d.values))
			d.values = append(d.values, own)
			d.index[own] = id
			d.bytes += len(own) + 2
		}
		slot.value, slot.id = d.values[id], id
	}
	d.last, d.lastID = slot.value, slot.id
}

// fill makes the column rows long with empty values.
func (d *dictionary) fill(rows int) {
	from := len(d.keys)
	d.keys = slices.Grow(d.keys, rows-from)[:rows]
	clear(d.keys[from:])
}

// encodedSize is about how long the encoded column is.
func (d *dictionary) encodedSize() int { return 64 + d.bytes + len(d.keys)*int(1<<d.width()) }

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

// Type is the column's type as ClickHouse prints it.
func (d *dictionary) Type() proto.ColumnType { return "LowCardinality(String)" }

// Rows is the number of rows.
func (d *dictionary) Rows() int { return len(d.keys) }

// EncodeState writes the serialization version that precedes the column.
func (d *dictionary) EncodeState(b *proto.Buffer) {
	proto.ColLowCardinalityRaw{Index: &proto.ColStr{}}.EncodeState(b)
}

// EncodeColumn writes the values and the narrowest keys that reach them.
func (d *dictionary) EncodeColumn(b *proto.Buffer) {
	const additionalKeys, updateDictionary = 1 << 9, 1 << 10
	width := d.width()
	b.PutInt64(additionalKeys | updateDictionary | int64(width))
	b.PutInt64(int64(len(d.values)))
	for _, value := range d.values {
		b.PutString(value)
	}
	b.PutInt64(int64(len(d.keys)))
	from := len(b.Buf)
	b.Buf = slices.Grow(b.Buf, len(d.keys)<<width)[:from+len(d.keys)<<width]
	out := b.Buf[from:]
	switch width {
	case proto.KeyUInt8:
		for i, key := range d.keys {
			out[i] = byte(key)
		}
	case proto.KeyUInt16:
		for i, key := range d.keys {
			binary.LittleEndian.PutUint16(out[2*i:], uint16(key))
		}
	default:
		for i, key := range d.keys {
			binary.LittleEndian.PutUint32(out[4*i:], key)
		}
	}
}

// width is the narrowest key that reaches all values.
func (d *dictionary) width() proto.CardinalityKey {
	switch n := len(d.values); {
	case n > 1<<16:
		return proto.KeyUInt32
	case n > 1<<8:
		return proto.KeyUInt16
	}
	return proto.KeyUInt8
}

// WriteColumn is EncodeColumn for ch-go's streaming writer.
func (d *dictionary) WriteColumn(w *proto.Writer) { w.ChainBuffer(d.EncodeColumn) }
