package schema

import (
	"encoding/binary"
	"slices"

	"github.com/ClickHouse/ch-go/proto"
)

// encodedSize is about how long the encoded column is.
func (d *dictionary) encodedSize() int { return 64 + d.bytes + len(d.keys)*int(1<<d.width()) }

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
