package schema

import (
	"encoding/binary"
	"fmt"

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
	text     [textCount]proto.ColStr
	dict     [textCount]*dictionary
	textUsed [textCount]bool
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
	for i := range e.Text {
		s := e.Text[i]
		b.bytes += len(s)
		if d := b.dict[i]; d != nil {
			d.Append(s)
			continue
		}
		if s != "" {
			b.textUsed[i] = true
		}
		b.text[i].Append(s)
	}
	for i := range e.Number {
		b.number[i].append(e.Number[i])
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
	b.textUsed = [textCount]bool{}
	for i := range b.text {
		b.text[i].Reset()
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
			columns = append(columns, proto.InputColumn{Name: column.name, Data: b.dict[i]})
		case b.textUsed[i]:
			columns = append(columns, proto.InputColumn{Name: column.name, Data: &b.text[i]})
		}
	}
	for i, column := range numberColumns {
		if b.number[i].used {
			columns = append(columns, proto.InputColumn{Name: column.name, Data: &b.number[i]})
		}
	}
	if b.unmapped.values.Rows() > 0 {
		columns = append(columns, proto.InputColumn{Name: "unmapped", Data: &b.unmapped})
	}
	out := proto.Buffer{Buf: dst}
	block := proto.Block{Columns: len(columns), Rows: b.rows}
	if err := block.EncodeRawBlock(&out, 0, columns); err != nil {
		return dst, fmt.Errorf("encode events block: %w", err)
	}
	return out.Buf, nil
}
