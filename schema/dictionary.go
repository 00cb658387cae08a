package schema

import (
	"encoding/binary"
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
	recent [256]recentValue
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
	d.last, d.lastID = "", 0
	clear(d.recent[:])
}

// Append adds one row. Most rows repeat the last value or one of a few recent
// ones; only the others pay for a map lookup, and only new values for a copy.
func (d *dictionary) Append(s string) {
	if s == d.last {
		d.keys = append(d.keys, d.lastID)
		return
	}
	if s == "" {
		d.keys = append(d.keys, 0)
		return
	}
	slot := &d.recent[slotOf(s)]
	if slot.value != s {
		id, known := d.index[s]
		if !known {
			own := strings.Clone(s)
			id = uint32(len(d.values))
			d.values = append(d.values, own)
			d.index[own] = id
		}
		slot.value, slot.id = d.values[id], id
	}
	d.last, d.lastID = slot.value, slot.id
	d.keys = append(d.keys, slot.id)
}

// slotOf spreads strings over the recent table by their length and last eight
// bytes, where names, numbers and ids differ most.
func slotOf(s string) uint8 {
	var tail uint64
	if len(s) >= 8 {
		tail = binary.LittleEndian.Uint64(unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(unsafe.StringData(s)), len(s)-8)), 8))
	} else {
		for i := range len(s) {
			tail = tail<<8 | uint64(s[i])
		}
	}
	tail ^= uint64(len(s))
	return uint8(tail * 0x9E3779B97F4A7C15 >> 56)
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
	width := proto.KeyUInt8
	switch n := len(d.values); {
	case n > 1<<16:
		width = proto.KeyUInt32
	case n > 1<<8:
		width = proto.KeyUInt16
	}
	b.PutInt64(additionalKeys | updateDictionary | int64(width))
	b.PutInt64(int64(len(d.values)))
	for _, value := range d.values {
		b.PutString(value)
	}
	b.PutInt64(int64(len(d.keys)))
	for _, key := range d.keys {
		switch width {
		case proto.KeyUInt8:
			b.Buf = append(b.Buf, byte(key))
		case proto.KeyUInt16:
			b.Buf = binary.LittleEndian.AppendUint16(b.Buf, uint16(key))
		default:
			b.Buf = binary.LittleEndian.AppendUint32(b.Buf, key)
		}
	}
}

// WriteColumn is EncodeColumn for ch-go's streaming writer.
func (d *dictionary) WriteColumn(w *proto.Writer) { w.ChainBuffer(d.EncodeColumn) }
