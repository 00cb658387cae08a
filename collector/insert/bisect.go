package insert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
	block "github.com/ClickHouse/clickhouse-go/v2/lib/proto"

	"github.com/crmwatch/crmwatch/schema"
)

// reasonRefused is the quarantine reason of a row that the database refuses.
const reasonRefused = "refused by the database"

// tooManyRefusedError is a batch of which so much is refused that the table is at
// fault, and not the rows: it waits for an operator, and nothing is put aside.
type tooManyRefusedError struct {
	rows  int
	cause error
}

func (e *tooManyRefusedError) Error() string {
	return fmt.Sprintf("more than %d rows of one batch are refused", e.rows)
}

func (e *tooManyRefusedError) Unwrap() error { return e.cause }

// bisecting finds the rows of a block that the database refuses.
type bisecting struct {
	*Inserter
	rows    *block.Block
	token   string
	allowed int
	refused []refusedRow
}

type refusedRow struct {
	index int
	cause error
}

// insertReadable inserts a block that was refused in ever smaller halves, down to
// the rows at fault, and puts those into quarantine. Up to ten rows or one in a
// hundred may go there. Halves that are in stay in: the event_uid collapses them
// when the whole block has to be tried again.
func (s *Inserter) insertReadable(ctx context.Context, refused schema.Frames, token string) error {
	rows := block.NewBlock()
	reader := proto.NewReader(bytes.NewReader(refused.Data))
	if refused.Framed {
		reader.EnableCompression()
	}
	if err := rows.Decode(reader, 0); err != nil {
		return fmt.Errorf("decode refused block: %w", err)
	}
	b := &bisecting{Inserter: s, rows: rows, token: token, allowed: max(10, rows.Rows()/100)}
	if err := b.halves(ctx, 0, rows.Rows()); err != nil {
		return err
	}
	var quarantine schema.QuarantineBatch
	for _, r := range b.refused {
		q := b.quarantined(r)
		quarantine.Add(&q)
	}
	encoded, err := quarantine.AppendBlock(nil)
	if err != nil {
		return err
	}
	return s.insert(ctx, schema.QuarantineTable, schema.RawFrames(encoded, quarantine.Rows()), token+":refused")
}

// halves splits rows [from, to), which are known to be refused together.
func (b *bisecting) halves(ctx context.Context, from, to int) error {
	middle := from + (to-from)/2
	for _, half := range [][2]int{{from, middle}, {middle, to}} {
		if half[0] == half[1] {
			continue
		}
		data, err := b.slice(half[0], half[1])
		if err != nil {
			return err
		}
		err = b.insert(ctx, schema.EventsTable, schema.RawFrames(data, half[1]-half[0]), fmt.Sprintf("%s:%d-%d", b.token, half[0], half[1]))
		switch {
		case err == nil:
		case !isDataError(err):
			return err
		case half[1]-half[0] > 1:
			if err := b.halves(ctx, half[0], half[1]); err != nil {
				return err
			}
		default:
			b.refused = append(b.refused, refusedRow{half[0], err})
			if len(b.refused) > b.allowed {
				return &tooManyRefusedError{b.allowed, err}
			}
		}
	}
	return nil
}

// slice encodes rows [from, to) as a block of their own.
func (b *bisecting) slice(from, to int) ([]byte, error) {
	part := block.NewBlock()
	for _, c := range b.rows.Columns {
		if err := part.AddColumn(c.Name(), c.Type()); err != nil {
			return nil, fmt.Errorf("split refused block: %w", err)
		}
	}
	for row := from; row < to; row++ {
		if err := part.Append(b.row(row)...); err != nil {
			return nil, fmt.Errorf("split refused block: %w", err)
		}
	}
	var out proto.Buffer
	if err := part.Encode(&out, 0); err != nil {
		return nil, fmt.Errorf("split refused block: %w", err)
	}
	return out.Buf, nil
}

func (b *bisecting) row(row int) []any {
	values := make([]any, len(b.rows.Columns))
	for i, c := range b.rows.Columns {
		values[i] = c.Row(row, false)
	}
	return values
}

// quarantined keeps a refused row as JSON. Its secrets were taken out when it was
// an event; the server's message is left out, because it may be as long as the row.
func (b *bisecting) quarantined(r refusedRow) schema.Quarantined {
	fields := make(map[string]any, len(b.rows.Columns))
	var uid string
	q := schema.Quarantined{Reason: reasonRefused}
	for i, value := range b.row(r.index) {
		name := b.rows.Columns[i].Name()
		fields[name] = value
		switch name {
		case "event_uid":
			uid = fmt.Sprint(value)
		case schema.SourceName.Column():
			q.Source = fmt.Sprint(value)
		case schema.SourceFile.Column():
			q.File = fmt.Sprint(value)
		case schema.MetadataLogFormat.Column():
			q.LogFormat = fmt.Sprint(value)
		case schema.SourceOffset.Column():
			q.Offset, _ = value.(uint64)
		}
	}
	q.UID = schema.HashUID("refused", uid)
	var exception *clickhouse.Exception
	if errors.As(r.cause, &exception) {
		q.Detail = fmt.Sprintf("ClickHouse refuses this row: error %d (%s)", exception.Code, exception.CodeName)
	}
	content, err := json.Marshal(fields)
	if err != nil {
		content = []byte(uid)
	}
	q.Content = string(content[:min(len(content), schema.MaxQuarantineContent)])
	q.Length = uint64(len(content))
	return q
}
