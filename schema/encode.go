package schema

import (
	"fmt"
	"slices"

	"github.com/ClickHouse/ch-go/proto"
)

// AppendBlock appends the batch to dst as one Native block (protocol revision 0)
// and returns it. Columns in which every row is empty are left out: the table
// fills in the same value, and neither side pays for it.
func (b *Batch) AppendBlock(dst []byte) ([]byte, error) {
	columns := make([]proto.InputColumn, 0, 4+TextCount+NumberCount)
	columns = append(columns,
		proto.InputColumn{Name: "time", Data: fixed{"DateTime64(3, 'UTC')", b.time, 8}},
		proto.InputColumn{Name: "event_uid", Data: fixed{"UUID", b.uid, 16}})
	for i, column := range textColumns {
		switch {
		case column.dictionary && b.dict[i].used():
			b.dict[i].fill(b.rows)
			columns = append(columns, proto.InputColumn{Name: column.name, Data: b.dict[i]})
		case b.text[i].rows > 0:
			b.text[i].fill(b.rows)
			columns = append(columns, proto.InputColumn{Name: column.name, Data: &b.text[i]})
		}
	}
	for i, column := range numberColumns {
		if len(b.number[i].data) > 0 {
			b.number[i].fill(b.rows)
			columns = append(columns, proto.InputColumn{Name: column.name, Data: &b.number[i]})
		}
	}
	if b.unmapped.values.rows > 0 {
		columns = append(columns, proto.InputColumn{Name: "unmapped", Data: &b.unmapped})
	}
	out := proto.Buffer{Buf: slices.Grow(dst, b.encodedSize())}
	block := proto.Block{Columns: len(columns), Rows: b.rows}
	if err := block.EncodeRawBlock(&out, 0, columns); err != nil {
		return dst, fmt.Errorf("encode events block: %w", err)
	}
	return out.Buf, nil
}

// encodedSize is about how long the block will be, and rather too much, so that
// encoding it allocates once.
func (b *Batch) encodedSize() int {
	size := 4096 + len(b.time) + len(b.uid) + b.unmapped.encodedSize()
	for i := range b.text {
		size += len(b.text[i].data)
		if d := b.dict[i]; d != nil {
			size += d.encodedSize()
		}
	}
	for i := range b.number {
		size += len(b.number[i].data)
	}
	return size + size/16
}
