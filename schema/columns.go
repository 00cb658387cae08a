package schema

import (
	"encoding/binary"

	"github.com/ClickHouse/ch-go/proto"
)

// fixed is a column whose rows already stand in wire order.
type fixed struct {
	name  proto.ColumnType
	data  []byte
	width int
}

func (f fixed) Type() proto.ColumnType       { return f.name }
func (f fixed) Rows() int                    { return len(f.data) / f.width }
func (f fixed) EncodeColumn(b *proto.Buffer) { b.PutRaw(f.data) }
func (f fixed) WriteColumn(w *proto.Writer)  { w.ChainWrite(f.data) }

// numbers is an unsigned integer column of 8, 16, 32 or 64 bits. A value that
// does not fit becomes the largest that does.
type numbers struct {
	bits int
	data []byte
	used bool
}

func (n *numbers) append(v uint64) {
	if v != 0 {
		n.used = true
		if limit := uint64(1)<<n.bits - 1; n.bits < 64 && v > limit {
			v = limit
		}
	}
	switch n.bits {
	case 8:
		n.data = append(n.data, byte(v))
	case 16:
		n.data = binary.LittleEndian.AppendUint16(n.data, uint16(v))
	case 32:
		n.data = binary.LittleEndian.AppendUint32(n.data, uint32(v))
	default:
		n.data = binary.LittleEndian.AppendUint64(n.data, v)
	}
}

func (n *numbers) reset() { n.data, n.used = n.data[:0], false }

func (n *numbers) Type() proto.ColumnType {
	switch n.bits {
	case 8:
		return proto.ColumnTypeUInt8
	case 16:
		return proto.ColumnTypeUInt16
	case 32:
		return proto.ColumnTypeUInt32
	}
	return proto.ColumnTypeUInt64
}

func (n *numbers) Rows() int                    { return len(n.data) * 8 / n.bits }
func (n *numbers) EncodeColumn(b *proto.Buffer) { b.PutRaw(n.data) }
func (n *numbers) WriteColumn(w *proto.Writer)  { w.ChainWrite(n.data) }

// unmapped is the Map(LowCardinality(String), String) column.
type unmapped struct {
	ends   []byte
	names  *dictionary
	values proto.ColStr
}

func (u *unmapped) append(attributes []Attribute) (bytes int) {
	for _, a := range attributes {
		u.names.Append(a.Name)
		u.values.Append(a.Value)
		bytes += len(a.Value)
	}
	u.ends = binary.LittleEndian.AppendUint64(u.ends, uint64(u.values.Rows()))
	return bytes
}

func (u *unmapped) reset() {
	u.ends = u.ends[:0]
	u.names.Reset()
	u.values.Reset()
}

func (u *unmapped) Type() proto.ColumnType      { return "Map(LowCardinality(String), String)" }
func (u *unmapped) Rows() int                   { return len(u.ends) / 8 }
func (u *unmapped) EncodeState(b *proto.Buffer) { u.names.EncodeState(b) }
func (u *unmapped) WriteColumn(w *proto.Writer) { w.ChainBuffer(u.EncodeColumn) }
func (u *unmapped) EncodeColumn(b *proto.Buffer) {
	b.PutRaw(u.ends)
	u.names.EncodeColumn(b)
	u.values.EncodeColumn(b)
}
