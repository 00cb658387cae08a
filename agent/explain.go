package agent

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/agent/formats"
	"github.com/crmwatch/crmwatch/agent/redact"
	"github.com/crmwatch/crmwatch/schema"
)

// Explanation is how one record was read.
type Explanation struct {
	formats.Position
	// Event is the event as it would be stored; nil when Rejection says why there is
	// none. Both are valid only during the call.
	Event     *schema.Event
	Rejection *formats.Rejection
	// Fields are the record's own fields and where each one went.
	Fields []ExplainedField
	// Redactions are what was taken out, by column.
	Redactions []Redaction
}

// ExplainedField is a field of a record. It is known where it went because the record
// was read again without it.
type ExplainedField struct {
	Name string `json:"field"`
	// Columns are those that change without the field.
	Columns []string `json:"columns,omitempty"`
	// Needed says that the record cannot be read without it, as without its time.
	Needed bool `json:"needed,omitempty"`
}

// Redaction is how many secrets of a kind were taken out of a column, or how many
// pseudonyms were put into it; or that it is dropped or emptied.
type Redaction struct {
	Column string `json:"column"`
	Kind   string `json:"kind"`
	Count  uint64 `json:"count"`
}

// ExplainOptions say how Explain reads.
type ExplainOptions struct {
	// Format is the format; empty means that content decides.
	Format   string
	Options  formats.Options
	Redactor *redact.Redactor
	// Privacy says what is stored of people; nil means all that the log has.
	Privacy *redact.PrivacyOptions
	// Limit ends the reading after so many records; 0 means all.
	Limit int
	// Record is called for each record, in the order of the file.
	Record func(Explanation) error
}

// errEnough ends the reading at the limit.
var errEnough = errors.New("enough records")

// ExplainFile reads a file, unpacked if need be, and explains its records. It returns
// the format and why it is that.
func ExplainFile(ctx context.Context, in Input, o ExplainOptions) (format formats.Format, why string, err error) {
	if in.Refused != "" {
		return format, "", fmt.Errorf("%s: %s", in.Name, in.Refused)
	}
	s, err := openStream(in, 0)
	if err != nil {
		return format, "", fmt.Errorf("%s: %s", in.Name, whyUnreadable(err))
	}
	defer s.Close()
	if o.Options.Reference.IsZero() {
		o.Options.Reference = in.Written
	}
	return Explain(ctx, s, in.Name, o)
}

// Explain reads a log and explains its records.
func Explain(ctx context.Context, from io.Reader, name string, o ExplainOptions) (format formats.Format, why string, err error) {
	buf := make([]byte, 0, 2*blockSize)
	fill := func(want int) (atEOF bool, err error) {
		buf = slices.Grow(buf, want)
		n, err := io.ReadFull(from, buf[len(buf):len(buf)+want])
		buf = buf[:len(buf)+n]
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return true, nil
		}
		return false, err
	}
	atEOF, err := fill(formats.HeadSize)
	switch {
	case err != nil:
		return format, "", fmt.Errorf("read %s: %s", name, whyUnreadable(err))
	case len(buf) == 0:
		return format, "", fmt.Errorf("%s is empty", name)
	}
	ok := true
	if o.Format != "" {
		format, err = formats.ByName(o.Format)
		if why = "named on the command line"; err != nil {
			return format, "", err
		}
	} else if format, why, ok = formats.Detect(buf); !ok {
		return format, "", fmt.Errorf("%s: %s", name, whyNotRecognised(buf[:min(len(buf), formats.HeadSize)]))
	}
	x := &explaining{ExplainOptions: o, format: format, decoder: format.New(o.Options), head: -1, privacy: newPrivacy(o.Privacy, o.Redactor)}
	for {
		x.data = buf
		used, err := contained(x.decoder, buf, atEOF, x)
		if err == nil {
			err = x.tell(used)
		}
		if errors.Is(err, errEnough) {
			return format, why, nil
		}
		if err != nil {
			return format, why, err
		}
		x.offset += int64(used)
		x.line += int64(bytes.Count(buf[:used], []byte{'\n'}))
		buf = append(buf[:0], buf[used:]...)
		if atEOF {
			return format, why, nil
		}
		if ctx.Err() != nil {
			return format, why, context.Cause(ctx)
		}
		if atEOF, err = fill(blockSize); err != nil {
			return format, why, fmt.Errorf("read %s: %s", name, whyUnreadable(err))
		}
	}
}

// explaining is the reading of one file.
type explaining struct {
	ExplainOptions
	format  formats.Format
	decoder formats.Decoder
	privacy *redact.Privacy
	data    []byte
	// offset and line are where data begins; head is where the first record does.
	offset, line, head int64
	header             []byte
	records            []Explanation
	told               int
}

// Event implements formats.Sink.
func (x *explaining) Event(e *schema.Event) {
	own := cloneEvent(e)
	x.records = append(x.records, Explanation{Position: formats.Position{Offset: int64(e.Number[schema.SourceOffset])}, Event: own})
}

// Reject implements formats.Sink.
func (x *explaining) Reject(r formats.Rejection) {
	r.Content = bytes.Clone(r.Content)
	x.records = append(x.records, Explanation{Position: r.Position, Rejection: &r})
}

// tell explains the records that were read from data[:used].
func (x *explaining) tell(used int) error {
	records := x.records
	x.records = nil
	for i := range records {
		r := &records[i]
		at := int(r.Offset - x.offset)
		if at < 0 || at > used {
			at = 0
		}
		if x.head < 0 {
			x.head = r.Offset
			x.header = bytes.Clone(x.data[:at])
		}
		r.Line = 1 + x.line + int64(bytes.Count(x.data[:at], []byte{'\n'}))
		if r.Event != nil {
			end := used
			if i+1 < len(records) {
				end = max(at, int(records[i+1].Offset-x.offset))
			}
			r.Fields = x.fields(x.data[at:end])
			r.Redactions = redactions(x.Redactor, r.Event)
			x.Redactor.Event(r.Event)
			x.withoutPeople(r)
		} else {
			r.Rejection.Content = []byte(x.privacy.Content(x.Redactor.Text(string(r.Rejection.Content))))
		}
		if err := x.Record(*r); err != nil {
			return err
		}
		if x.told++; x.told == x.Limit {
			return errEnough
		}
	}
	return nil
}

func cloneEvent(e *schema.Event) *schema.Event {
	own := *e
	for i, value := range own.Text {
		own.Text[i] = strings.Clone(value)
	}
	own.Unmapped = nil
	for _, a := range e.Unmapped {
		own.Unmapped = append(own.Unmapped, schema.Attribute{Name: strings.Clone(a.Name), Value: strings.Clone(a.Value)})
	}
	return &own
}

// redactions are what the redactor takes out of an event, column by column.
func redactions(redactor *redact.Redactor, e *schema.Event) (found []Redaction) {
	note := func(column string, one schema.Event) {
		r := redactor.Clone()
		r.Event(&one)
		for kind, n := range r.Count() {
			found = append(found, Redaction{column, kind.String(), n})
		}
	}
	for i, value := range e.Text {
		if value != "" {
			one := schema.Event{}
			one.Text[i] = value
			note(schema.Text(i).Column(), one)
		}
	}
	for _, a := range e.Unmapped {
		note("unmapped."+a.Name, schema.Event{Unmapped: []schema.Attribute{a}})
	}
	slices.SortFunc(found, func(a, b Redaction) int { return strings.Compare(a.Column+a.Kind, b.Column+b.Kind) })
	return found
}

// fields reads the record again without each of its fields, and says what changes.
func (x *explaining) fields(record []byte) []ExplainedField {
	whole := x.again(record)
	if whole == nil {
		return nil
	}
	var fields []ExplainedField
	for _, v := range x.variants(record) {
		f := ExplainedField{Name: x.Redactor.Text(v.name)}
		without := x.again(v.record)
		if without == nil && v.instead != nil {
			without = x.again(v.instead)
		}
		if f.Needed = without == nil; !f.Needed {
			f.Columns = changed(whole, without)
		}
		fields = append(fields, f)
	}
	return fields
}

// again reads one record by itself; nil when that does not give one event.
func (x *explaining) again(record []byte) *schema.Event {
	var one oneEvent
	if _, err := contained(x.format.New(x.Options), slices.Concat(x.header, record), true, &one); err != nil || one.n != 1 {
		return nil
	}
	return one.event
}

type oneEvent struct {
	event *schema.Event
	n     int
}

func (o *oneEvent) Event(e *schema.Event)    { o.n, o.event = o.n+1, cloneEvent(e) }
func (o *oneEvent) Reject(formats.Rejection) { o.n += 2 }

// changed lists the columns in which two events differ.
func changed(a, b *schema.Event) (columns []string) {
	if a.Time != b.Time {
		columns = append(columns, "time")
	}
	for i := range a.Text {
		if a.Text[i] != b.Text[i] {
			columns = append(columns, schema.Text(i).Column())
		}
	}
	for i := range a.Number {
		if c := schema.Number(i); a.Number[i] != b.Number[i] && c != schema.SourceOffset && c != schema.FieldCount {
			columns = append(columns, c.Column())
		}
	}
	for _, attribute := range a.Unmapped {
		if !slices.Contains(b.Unmapped, attribute) {
			columns = append(columns, "unmapped."+attribute.Name)
		}
	}
	return columns
}

// variant is a record without one of its fields; instead, if not nil, has something
// else in its place, for formats in which a field cannot be missing.
type variant struct {
	name            string
	record, instead []byte
}

// variants makes the record anew without each field. What is no JSON and no CSV is cut
// into words; quotes and brackets hold words together.
func (x *explaining) variants(record []byte) []variant {
	trimmed := bytes.Trim(record, " \t\r\n,[]")
	if len(trimmed) > 0 && trimmed[0] == '{' {
		if variants := jsonVariants(trimmed); variants != nil {
			return variants
		}
	}
	if names := csvHeader(x.header); names != nil {
		return csvVariants(names, record)
	}
	return wordVariants(bytes.TrimRight(record, "\r\n"))
}

func csvHeader(header []byte) []string {
	header = bytes.TrimPrefix(header, []byte("\xEF\xBB\xBF"))
	if len(bytes.TrimSpace(header)) == 0 {
		return nil
	}
	names, err := csv.NewReader(bytes.NewReader(header)).Read()
	if err != nil || len(names) < 2 {
		return nil
	}
	return names
}

func csvVariants(names []string, record []byte) (variants []variant) {
	fields, err := csv.NewReader(bytes.NewReader(record)).Read()
	if err != nil || len(fields) != len(names) {
		return nil
	}
	for i, value := range fields {
		if value == "" {
			continue
		}
		fields[i] = ""
		var out bytes.Buffer
		w := csv.NewWriter(&out)
		_ = w.Write(fields)
		w.Flush()
		fields[i] = value
		variants = append(variants, variant{name: names[i], record: out.Bytes()})
	}
	return variants
}

func jsonVariants(record []byte) (variants []variant) {
	parse := func() any {
		d := json.NewDecoder(bytes.NewReader(record))
		d.UseNumber()
		var v any
		if d.Decode(&v) != nil {
			return nil
		}
		return v
	}
	top, ok := parse().(map[string]any)
	if !ok {
		return nil
	}
	var walk func(in map[string]any, path string)
	walk = func(in map[string]any, path string) {
		names := make([]string, 0, len(in))
		for name := range in {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			value := in[name]
			if deeper, is := value.(map[string]any); is && len(deeper) > 0 {
				walk(deeper, path+name+".")
				continue
			}
			if value == nil || value == "" {
				continue
			}
			delete(in, name)
			text, err := json.Marshal(top)
			in[name] = value
			if err == nil {
				variants = append(variants, variant{name: path + name, record: text})
			}
		}
	}
	walk(top, "")
	return variants
}

func wordVariants(line []byte) (variants []variant) {
	for i := 0; i < len(line); {
		c := line[i]
		if c == ' ' || c == '\t' {
			i++
			continue
		}
		from, to := i, i
		if end := map[byte]byte{'"': '"', '[': ']'}[c]; end != 0 {
			from++
			if to = bytes.IndexByte(line[from:], end); to < 0 {
				to = len(line) - from
			}
			to += from
			i = to + 1
		} else {
			if to = bytes.IndexAny(line[i:], " \t"); to < 0 {
				to = len(line) - i
			}
			to += i
			i = to
		}
		if word := string(line[from:to]); word != "" && word != "-" {
			variants = append(variants, variant{word,
				slices.Concat(line[:from], []byte("-"), line[to:], []byte("\n")), slices.Concat(line[:from], []byte("x"), line[to:], []byte("\n"))})
		}
	}
	return variants
}
