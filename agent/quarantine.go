package agent

import (
	"fmt"
	"strings"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/crmwatch/crmwatch/agent/formats"
	"github.com/crmwatch/crmwatch/schema"
)

// Limits of what is kept of records that could not be understood.
const (
	maxQuarantineContent = 64 << 10
	quarantineRows       = 4096
	quarantineBytes      = 8 << 20
)

// quarantined turns a rejection into a row. Its identity is what it is and where
// it stood, so that reading the file again does not add a second row. redact
// cleans the content before it is cut: a secret across the cut stays whole for it.
func quarantined(source, file, format string, r formats.Rejection, redact func(string) string) schema.Quarantined {
	const overlap = 4 << 10
	content := r.Content
	if len(content) > maxQuarantineContent+overlap {
		content = content[:maxQuarantineContent+overlap]
	}
	text := strings.ToValidUTF8(redact(string(content)), "\uFFFD")
	if len(text) > maxQuarantineContent {
		text = strings.ToValidUTF8(text[:maxQuarantineContent], "")
	}
	var id schema.UIDHasher
	id.Part("quarantine")
	id.Part(file)
	id.Number(uint64(r.Offset))
	id.Part(r.Reason)
	id.Part(text)
	return schema.Quarantined{
		UID:       id.Sum(),
		Source:    source,
		File:      file,
		LogFormat: format,
		Line:      uint64(r.Line),
		Column:    uint32(r.Column),
		Offset:    uint64(r.Offset),
		Length:    uint64(len(r.Content)),
		Reason:    r.Reason,
		Detail:    r.Detail,
		Content:   text,
	}
}

// quarantineBatch collects rows for the table quarantine and encodes them as one
// Native block.
type quarantineBatch struct {
	rows, bytes             int
	uid                     proto.ColUUID
	source, file, format    proto.ColStr
	line, offset, length    proto.ColUInt64
	column                  proto.ColUInt32
	reason, detail, content proto.ColStr
}

func (b *quarantineBatch) add(q *schema.Quarantined) {
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

func (b *quarantineBatch) full() bool { return b.rows >= quarantineRows || b.bytes >= quarantineBytes }

func (b *quarantineBatch) columns() []proto.InputColumn {
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

// appendBlock appends the rows to dst as one Native block. Columns that the table
// has as LowCardinality go as plain strings; ClickHouse converts them.
func (b *quarantineBatch) appendBlock(dst []byte) ([]byte, error) {
	columns := b.columns()
	out := proto.Buffer{Buf: dst}
	block := proto.Block{Columns: len(columns), Rows: b.rows}
	if err := block.EncodeRawBlock(&out, 0, columns); err != nil {
		return dst, fmt.Errorf("encode quarantine block: %w", err)
	}
	return out.Buf, nil
}

func (b *quarantineBatch) reset() {
	for _, column := range b.columns() {
		column.Data.(proto.Resettable).Reset()
	}
	b.rows, b.bytes = 0, 0
}
