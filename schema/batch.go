package schema

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/ClickHouse/ch-go/proto"
)

// EventsTable is the table that batches are inserted into.
const EventsTable = "events"

// Batch collects events in columns and encodes itself as one ClickHouse Native
// block. It is not safe for concurrent use. Reset keeps its memory, so an agent
// needs only a few.
type Batch struct {
	rows     int
	bytes    int
	minTime  int64
	maxTime  int64
	time     []byte
	uid      []byte
	text     [textCount]texts
	dict     [textCount]*dictionary
	number   [numberCount]numbers
	unmapped unmapped
}

// NewBatch makes an empty batch.
func NewBatch() *Batch {
	b := &Batch{}
	for i, column := range textColumns {
		if column.dictionary {
			b.dict[i] = newDictionary()
		}
	}
	for i, column := range numberColumns {
		b.number[i].bits = column.bits
	}
	b.unmapped.names = newDictionary()
	return b
}

// Append copies one event into the batch.
func (b *Batch) Append(e *Event) {
	if b.rows == 0 || e.Time < b.minTime {
		b.minTime = e.Time
	}
	if b.rows == 0 || e.Time > b.maxTime {
		b.maxTime = e.Time
	}
	b.time = binary.LittleEndian.AppendUint64(b.time, uint64(e.Time))
	// ClickHouse keeps a UUID as two little-endian halves.
	b.uid = binary.LittleEndian.AppendUint64(b.uid, binary.BigEndian.Uint64(e.UID[:8]))
	b.uid = binary.LittleEndian.AppendUint64(b.uid, binary.BigEndian.Uint64(e.UID[8:]))
	// Most columns of most events are empty: those cost nothing here. A column
	// catches up when a value comes, or when the block is encoded.
	for i := range e.Text {
		s := e.Text[i]
		if s == "" {
			continue
		}
		b.bytes += len(s)
		if d := b.dict[i]; d != nil {
			d.set(b.rows, s)
		} else {
			b.text[i].set(b.rows, s)
		}
	}
	for i, n := range e.Number {
		if n != 0 {
			b.number[i].set(b.rows, n)
		}
	}
	b.bytes += b.unmapped.append(e.Unmapped)
	b.rows++
}

// Rows is the number of events in the batch.
func (b *Batch) Rows() int { return b.rows }

// Bytes is the number of bytes of text in the batch.
func (b *Batch) Bytes() int { return b.bytes }

// TimeRange is the earliest and the latest event time, in milliseconds since
// 1970 UTC; both are 0 for an empty batch.
func (b *Batch) TimeRange() (first, last int64) { return b.minTime, b.maxTime }

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() {
	b.rows, b.bytes, b.minTime, b.maxTime = 0, 0, 0, 0
	b.time, b.uid = b.time[:0], b.uid[:0]
	for i := range b.text {
		b.text[i].reset()
		if b.dict[i] != nil {
			b.dict[i].Reset()
		}
	}
	for i := range b.number {
		b.number[i].reset()
	}
	b.unmapped.reset()
}

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
