package schema

import (
	"bytes"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// decodedBlock reads a Native block back with ch-go's own columns: each row as the
// values of its columns, written as text, without the empty ones.
type decodedBlock struct{ rows []map[string]string }

func (d *decodedBlock) DecodeResult(r *proto.Reader, _ int, b proto.Block) error {
	d.rows = make([]map[string]string, b.Rows)
	for i := range d.rows {
		d.rows[i] = map[string]string{}
	}
	for range b.Columns {
		name, err := r.Str()
		if err != nil {
			return err
		}
		kind, err := r.Str()
		if err != nil {
			return err
		}
		column, cell, err := columnFor(kind)
		if err != nil {
			return fmt.Errorf("column %s: %w", name, err)
		}
		if state, ok := column.(proto.StateDecoder); ok {
			if err := state.DecodeState(r); err != nil {
				return fmt.Errorf("state of %s: %w", name, err)
			}
		}
		if err := column.DecodeColumn(r, b.Rows); err != nil {
			return fmt.Errorf("column %s: %w", name, err)
		}
		if column.Rows() != b.Rows {
			return fmt.Errorf("column %s: %d rows, want %d", name, column.Rows(), b.Rows)
		}
		for i, row := range d.rows {
			if value := cell(i); value != "" {
				row[name] = value
			}
		}
	}
	return nil
}

func columnFor(kind string) (column proto.ColResult, cell func(int) string, err error) {
	switch kind {
	case "DateTime64(3, 'UTC')":
		c := (&proto.ColDateTime64{}).WithPrecision(proto.PrecisionMilli)
		return c, func(i int) string { return c.Row(i).UTC().Format(eventTimeLayout) }, nil
	case "UUID":
		c := &proto.ColUUID{}
		return c, func(i int) string { return c.Row(i).String() }, nil
	case "String":
		c := &proto.ColStr{}
		return c, func(i int) string { return c.Row(i) }, nil
	case "LowCardinality(String)":
		c := new(proto.ColStr).LowCardinality()
		return c, func(i int) string { return c.Row(i) }, nil
	case "UInt8":
		c := &proto.ColUInt8{}
		return c, func(i int) string { return countText(uint64(c.Row(i))) }, nil
	case "UInt16":
		c := &proto.ColUInt16{}
		return c, func(i int) string { return countText(uint64(c.Row(i))) }, nil
	case "UInt32":
		c := &proto.ColUInt32{}
		return c, func(i int) string { return countText(uint64(c.Row(i))) }, nil
	case "UInt64":
		c := &proto.ColUInt64{}
		return c, func(i int) string { return countText(uint64(c.Row(i))) }, nil
	case "Map(LowCardinality(String), String)":
		c := proto.NewMap[string, string](new(proto.ColStr).LowCardinality(), new(proto.ColStr))
		return c, func(i int) string { return unmappedText(c.Row(i)) }, nil
	}
	return nil, nil, fmt.Errorf("unexpected type %s", kind)
}

func countText(n uint64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func unmappedText(values map[string]string) string {
	if len(values) == 0 {
		return ""
	}
	return fmt.Sprintf("%q", values) // fmt sorts maps
}

// expectedRow is what decodedBlock should find of an event.
func expectedRow(e *Event) map[string]string {
	row := map[string]string{"time": e.When().Format(eventTimeLayout)}
	if id := uuid.UUID(e.UID).String(); id != "" {
		row["event_uid"] = id
	}
	for i, value := range e.Text {
		if value != "" {
			row[Text(i).Column()] = value
		}
	}
	for i, value := range e.Number {
		if limit := uint64(1)<<numberColumns[i].bits - 1; numberColumns[i].bits < 64 && value > limit {
			value = limit
		}
		if value != 0 {
			row[Number(i).Column()] = fmt.Sprint(value)
		}
	}
	values := map[string]string{}
	for _, a := range e.Unmapped {
		values[a.Name] = a.Value
	}
	if len(values) > 0 {
		row["unmapped"] = unmappedText(values)
	}
	return row
}

func decodeBlock(t interface{ Fatal(...any) }, block []byte) []map[string]string {
	var header proto.Block
	var decoded decodedBlock
	reader := proto.NewReader(bytes.NewReader(block))
	if err := header.DecodeRawBlock(reader, 0, &decoded); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.ReadByte(); err == nil {
		t.Fatal("bytes follow the block")
	}
	return decoded.rows
}

// A batch encodes what was appended, also when it is used a second time.
func TestBatchBlockHoldsWhatWasAppended(t *testing.T) {
	values := rapid.OneOf(rapid.SampledFrom([]string{"", "", "a", "Login", "198.51.100.23", strings.Repeat("x", 300)}), rapid.String())
	rapid.Check(t, func(t *rapid.T) {
		b := NewBatch()
		for range rapid.IntRange(1, 3).Draw(t, "uses") {
			b.Reset()
			var want []map[string]string
			size := 0
			for range rapid.IntRange(1, 20).Draw(t, "rows") {
				var e Event
				e.Time = rapid.Int64Range(0, 4e12).Draw(t, "time")
				e.UID = HashUID(rapid.String().Draw(t, "uid"))
				for range rapid.IntRange(0, 6).Draw(t, "texts") {
					e.Text[rapid.IntRange(0, TextCount-1).Draw(t, "column")] = values.Draw(t, "text")
				}
				for range rapid.IntRange(0, 6).Draw(t, "numbers") {
					e.Number[rapid.IntRange(0, NumberCount-1).Draw(t, "column")] = rapid.Uint64().Draw(t, "number")
				}
				for name, value := range maps.All(rapid.MapOfN(values, values, 0, 3).Draw(t, "unmapped")) {
					e.AddUnmapped(name, value)
				}
				for _, s := range e.Text {
					size += len(s)
				}
				for _, a := range e.Unmapped {
					size += len(a.Value)
				}
				b.Append(&e)
				want = append(want, expectedRow(&e))
			}
			if b.Rows() != len(want) || b.Bytes() != size {
				t.Fatalf("%d rows of %d bytes, want %d of %d", b.Rows(), b.Bytes(), len(want), size)
			}
			prefix := []byte("before")
			block, err := b.AppendBlock(prefix)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.HasPrefix(block, prefix) {
				t.Fatal("what stood before the block is gone")
			}
			if diff := cmp.Diff(want, decodeBlock(t, block[len(prefix):])); diff != "" {
				t.Fatalf("-appended +decoded:\n%s", diff)
			}
		}
	})
}

// Keys of a dictionary widen with the number of values: 256 fit into a byte, 65536
// into two.
func TestBatchDictionaryWidths(t *testing.T) {
	for _, distinct := range []int{1, 255, 256, 65535, 65536} {
		b := NewBatch()
		var want []map[string]string
		for i := range distinct + 2 {
			e := Event{Time: int64(i)}
			if i > 0 {
				e.Text[ActorUserName] = fmt.Sprintf("user-%d", i%distinct)
			}
			b.Append(&e)
			want = append(want, expectedRow(&e))
		}
		block, err := b.AppendBlock(nil)
		if err != nil {
			t.Fatal(err)
		}
		if !cmp.Equal(want, decodeBlock(t, block)) {
			t.Errorf("with %d values the block holds something else", distinct)
		}
	}
}
