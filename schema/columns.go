package schema

import (
	"encoding/binary"
	"slices"

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

// texts is a String column, kept as it goes over the wire: each value with its
// length before it.
type texts struct {
	rows int
	data []byte
}

// set puts s into a row behind all rows set before; the rows between are empty.
func (t *texts) set(row int, s string) {
	if t.rows < row {
		t.fill(row)
	}
	t.data = append(binary.AppendUvarint(t.data, uint64(len(s))), s...)
	t.rows++
}

// fill makes the column rows long with empty values.
func (t *texts) fill(rows int) {
	t.data = zeros(t.data, rows-t.rows)
	t.rows = rows
}

func (t *texts) reset() { t.rows, t.data = 0, t.data[:0] }

func (t *texts) Type() proto.ColumnType       { return proto.ColumnTypeString }
func (t *texts) Rows() int                    { return t.rows }
func (t *texts) EncodeColumn(b *proto.Buffer) { b.PutRaw(t.data) }
func (t *texts) WriteColumn(w *proto.Writer)  { w.ChainWrite(t.data) }

// zeros appends n zero bytes.
func zeros(data []byte, n int) []byte {
	if n == 0 {
		return data
	}
	from := len(data)
	data = slices.Grow(data, n)[:from+n]
	clear(data[from:])
	return data
}

// numbers is an unsigned integer column of 8, 16, 32 or 64 bits. A value that
// does not fit becomes the largest that does.
type numbers struct {
	bits int
	data []byte
}

// set puts v into a row behind all rows set before; the rows between are 0.
func (n *numbers) set(row int, v uint64) {
	if len(n.data)*8 < row*n.bits {
		n.fill(row)
	}
	if limit := uint64(1)<<n.bits - 1; n.bits < 64 && v > limit {
		v = limit
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

// put is set for any row.
func (n *numbers) put(row int, v uint64) {
	at := numbers{bits: n.bits}
	if have := len(n.data) * 8 / n.bits; row < have {
		at.data = n.data[: row*n.bits/8 : len(n.data)]
		at.set(row, v)
		return
	}
	n.set(row, v)
}

// fill makes the column rows long with zeros.
func (n *numbers) fill(rows int) { n.data = zeros(n.data, rows*n.bits/8-len(n.data)) }

func (n *numbers) reset() { n.data = n.data[:0] }

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
	values texts
	// lately are the names of a late row: as a rule they come back in its order.
	lately []recentValue
}

func (u *unmapped) append(attributes []Attribute) (bytes int) {
	for i, a := range attributes {
		if i < len(u.lately) && u.lately[i].value == a.Name {
			u.names.keys = append(u.names.keys, u.lately[i].id)
		} else {
			u.names.set(len(u.names.keys), a.Name)
			u.lately = append(u.lately[:i], recentValue{u.names.last, u.names.lastID})
		}
		u.values.set(u.values.rows, a.Value)
		bytes += len(a.Value)
	}
	u.ends = binary.LittleEndian.AppendUint64(u.ends, uint64(u.values.rows))
	return bytes
}

func (u *unmapped) reset() {
	u.ends, u.lately = u.ends[:0], u.lately[:0]
	u.names.Reset()
	u.values.reset()
}

func (u *unmapped) encodedSize() int {
	return len(u.ends) + u.names.encodedSize() + len(u.values.data)
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
