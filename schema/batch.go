package schema

import "encoding/binary"

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

// CleanDictionaries lets clean change every value of a dictionary column when it comes
// into the batch for the first time: what has to be done to each value, such as taking
// secrets out, is done once for all rows that repeat it. It has to be called before
// the first Append.
func (b *Batch) CleanDictionaries(clean func(column Text, value string) string) {
	for i, d := range b.dict {
		if d != nil {
			d.clean = func(value string) string { return clean(Text(i), value) }
		}
	}
}

// CleanNames is CleanDictionaries for the names of unmapped fields.
func (b *Batch) CleanNames(clean func(name string) string) { b.unmapped.names.clean = clean }

// IsDictionary says whether a column keeps each value once a batch.
func IsDictionary(column Text) bool { return textColumns[column].dictionary }

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

// UID is the identity of the event in a row.
func (b *Batch) UID(row int) (uid UID) {
	half := b.uid[16*row:]
	binary.BigEndian.PutUint64(uid[:8], binary.LittleEndian.Uint64(half))
	binary.BigEndian.PutUint64(uid[8:], binary.LittleEndian.Uint64(half[8:]))
	return uid
}

// Identity is the first half of the identity of the event in a row.
func (b *Batch) Identity(row int) uint64 { return binary.LittleEndian.Uint64(b.uid[16*row:]) }

// Identify gives the event in a row another identity and an ordinal.
func (b *Batch) Identify(row int, uid UID, ordinal uint64) {
	half := b.uid[16*row:]
	binary.LittleEndian.PutUint64(half, binary.BigEndian.Uint64(uid[:8]))
	binary.LittleEndian.PutUint64(half[8:], binary.BigEndian.Uint64(uid[8:]))
	b.number[Ordinal].put(row, ordinal)
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

// Mark is how far a batch was filled at some time.
type Mark struct {
	rows, bytes      int
	minTime, maxTime int64
	dict             [textCount]int
	text             [textCount]struct{ rows, bytes int }
	number           [numberCount]int
	names            int
	values           struct{ rows, bytes int }
}

// Mark notes how far the batch is filled.
func (b *Batch) Mark(m *Mark) {
	m.rows, m.bytes, m.minTime, m.maxTime = b.rows, b.bytes, b.minTime, b.maxTime
	for i := range b.text {
		m.text[i].rows, m.text[i].bytes = b.text[i].rows, len(b.text[i].data)
		if d := b.dict[i]; d != nil {
			m.dict[i] = len(d.keys)
		}
	}
	for i := range b.number {
		m.number[i] = len(b.number[i].data)
	}
	m.names = len(b.unmapped.names.keys)
	m.values.rows, m.values.bytes = b.unmapped.values.rows, len(b.unmapped.values.data)
}

// Rewind takes out what was appended since the mark. Values that came into
// dictionaries stay there, and no row has them.
func (b *Batch) Rewind(m *Mark) {
	b.rows, b.bytes, b.minTime, b.maxTime = m.rows, m.bytes, m.minTime, m.maxTime
	b.time, b.uid = b.time[:8*m.rows], b.uid[:16*m.rows]
	for i := range b.text {
		b.text[i].rows, b.text[i].data = m.text[i].rows, b.text[i].data[:m.text[i].bytes]
		if d := b.dict[i]; d != nil {
			d.keys = d.keys[:m.dict[i]]
		}
	}
	for i := range b.number {
		b.number[i].data = b.number[i].data[:m.number[i]]
	}
	u := &b.unmapped
	u.ends, u.names.keys = u.ends[:8*m.rows], u.names.keys[:m.names]
	u.values.rows, u.values.data = m.values.rows, u.values.data[:m.values.bytes]
}
