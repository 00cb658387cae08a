package schema

import (
	"fmt"

	"github.com/ClickHouse/ch-go/proto"
)

// QuarantineBatch collects rows for the table quarantine and encodes them as one
// Native block.
type QuarantineBatch struct {
	rows, bytes             int
	uid                     proto.ColUUID
	source, file, format    proto.ColStr
	line, offset, length    proto.ColUInt64
	column                  proto.ColUInt32
	reason, detail, content proto.ColStr
}

// Add copies one row into the batch.
func (b *QuarantineBatch) Add(q *Quarantined) {
	b.uid.Append([16]byte(q.UID))
	b.source.Append(q.Source)
	b.file.Append(q.File)
	b.format.Append(q.LogFormat)
	b.line.Append(q.Line)
	b.column.Append(q.Column)
	b.offset.Append(q.Offset)
	b.length.Append(q.Length)
	b.reason.Append(q.Reason)
	b.detail.Append(q.Detail)
	b.content.Append(q.Content)
	b.rows++
	b.bytes += len(q.File) + len(q.Detail) + len(q.Content)
}

// Rows is the number of rows.
func (b *QuarantineBatch) Rows() int { return b.rows }

// Bytes is about how long the rows are, in bytes.
func (b *QuarantineBatch) Bytes() int { return b.bytes }

func (b *QuarantineBatch) columns() []proto.InputColumn {
	return []proto.InputColumn{
		{Name: "quarantine_uid", Data: &b.uid},
		{Name: "x_source_name", Data: &b.source},
		{Name: "x_source_file", Data: &b.file},
		{Name: "metadata_log_format", Data: &b.format},
		{Name: "line", Data: &b.line},
		{Name: "column", Data: &b.column},
		{Name: "x_source_offset", Data: &b.offset},
		{Name: "length", Data: &b.length},
		{Name: "reason", Data: &b.reason},
		{Name: "detail", Data: &b.detail},
		{Name: "content", Data: &b.content},
	}
}

// AppendBlock appends the rows to dst as one Native block. Columns that the table
// has as LowCardinality go as plain strings; ClickHouse converts them.
func (b *QuarantineBatch) AppendBlock(dst []byte) ([]byte, error) {
	columns := b.columns()
	out := proto.Buffer{Buf: dst}
	block := proto.Block{Columns: len(columns), Rows: b.rows}
	if err := block.EncodeRawBlock(&out, 0, columns); err != nil {
		return dst, fmt.Errorf("encode quarantine block: %w", err)
	}
	return out.Buf, nil
}

// Reset empties the batch and keeps its memory.
func (b *QuarantineBatch) Reset() {
	for _, column := range b.columns() {
		column.Data.(proto.Resettable).Reset()
	}
	b.rows, b.bytes = 0, 0
}
