package formats

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// salesforceObject is what a format of Salesforce's setup objects (LoginHistory,
// SetupAuditTrail) knows. They come from the API, as JSON or CSV with the object's
// field names, or from a page of Setup, as CSV with the page's column titles; both
// are matched by their plain names.
type salesforceObject struct {
	// format is the format's name, object the object's.
	format, object string
	// times are the names of the column that holds the time.
	times []string
	// needs lists alternatives: a header must have all names of one of them.
	needs [][]string
	// columns are in order of rank, by plain name.
	columns []salesforceColumn
	// finish fills class, activity and what depends on several fields.
	finish func(*salesforceReader)
}

// decoder chooses between JSON and CSV when it sees the first byte.
func (o *salesforceObject) decoder(options Options) Decoder {
	table := &salesforceTable{object: o, tenant: salesforceID(options.Tenant), zone: options.Zone}
	return &salesforceDecoder{start: options.Start, table: table}
}

// isHeader says whether names are a header of the object.
func (o *salesforceObject) isHeader(names []string) bool {
	plain := make([]string, len(names))
	for i, name := range names {
		if len(name) > maxMemoKey {
			return false
		}
		plain[i] = plainName(name)
	}
	return slices.ContainsFunc(o.needs, func(alternative []string) bool {
		return !slices.ContainsFunc(alternative, func(name string) bool { return !slices.Contains(plain, name) })
	})
}

// detect says why a file's head is the object, or "".
func (o *salesforceObject) detect(head []byte) string {
	head, encoding := plainHead(head)
	if names := firstObjectNames(head); names != nil {
		if o.isHeader(names) {
			return "JSON with the fields of " + o.object + encoding
		}
		return ""
	}
	if o.isHeader(firstRecord(head)) {
		return "CSV header with the columns of " + o.object + encoding
	}
	return ""
}

// salesforceTable reads the records of one file.
type salesforceTable struct {
	object *salesforceObject
	tenant string
	zone   *time.Location
	reader salesforceReader
	hasher schema.UIDHasher
	names  []string
	// clock and id are the columns of the time and of the record's id; -1 where
	// there is none.
	clock, id int
	byName    []schema.NamedField
	steps     []elfStep
}

func (t *salesforceTable) wanted() string {
	return "a header that names the columns of " + t.object.object
}

func (t *salesforceTable) isHeader(fields []string) bool { return t.object.isHeader(fields) }

func (t *salesforceTable) setHeader(fields []string) string {
	names, wrong := columnNames(fields)
	if wrong != "" {
		return wrong
	}
	plain := make([]string, len(names))
	for i, name := range names {
		plain[i] = plainName(name)
	}
	t.names, t.clock = names, -1
	for _, name := range t.object.times {
		if t.clock < 0 {
			t.clock = slices.Index(plain, name)
		}
	}
	t.id = slices.Index(plain, "id")
	t.byName = orderByName(plain)
	t.steps = salesforceSteps(plain, t.object.columns)
	for i := range t.steps {
		t.steps[i].name = names[t.steps[i].field]
	}
	if t.clock < 0 {
		return fmt.Sprintf("the header has no column %s: add it to the export", t.object.times[0])
	}
	return ""
}

// row implements csvTable.
func (t *salesforceTable) row(fields []string, e *schema.Event) *csvFailure {
	ms, wrong := parseLocalTime(fields[t.clock], t.zone)
	if wrong != "" {
		return &csvFailure{ReasonTime, fmt.Sprintf("the column %s %s", t.names[t.clock], wrong), t.clock}
	}
	r := &t.reader
	r.begin(e)
	e.Time = ms
	e.Text[schema.MetadataLogFormat] = t.object.format
	e.Text[schema.MetadataLogName] = t.object.object
	e.Text[schema.MetadataEventCode] = t.object.object
	for i := range t.steps {
		step := &t.steps[i]
		// Salesforce writes N/A where a login has no such thing.
		if value := fields[step.field]; value != "" && value != "N/A" && step.field != t.clock {
			r.read(&step.salesforceColumn, value)
		}
	}
	if e.Text[schema.MetadataTenantUID] == "" {
		e.Text[schema.MetadataTenantUID] = t.tenant
	}
	t.object.finish(r)
	r.end()
	e.UID = t.uid(fields, e)
	return nil
}

// uid is the identity of a record: its id where it has one, because an export with
// more fields is still the same record; else all its fields.
func (t *salesforceTable) uid(fields []string, e *schema.Event) schema.UID {
	h := &t.hasher
	h.Reset()
	h.Part(e.Text[schema.MetadataTenantUID])
	h.Part(t.object.object)
	if t.id >= 0 && fields[t.id] != "" {
		h.Part("id")
		h.Part(salesforceID(fields[t.id]))
		return h.Sum()
	}
	h.Fields(fields, t.byName)
	return h.Sum()
}

// salesforceDecoder is a decoder of JSON or of CSV, as the file turns out to be.
type salesforceDecoder struct {
	start   Position
	table   *salesforceTable
	decoder Decoder
}

// Decode implements Decoder.
func (d *salesforceDecoder) Decode(data []byte, atEOF bool, sink Sink) int {
	if d.decoder == nil {
		head, _ := plainHead(data)
		if first := strings.TrimLeft(string(head[:min(len(head), 64)]), " \t\r\n"); first != "" && (first[0] == '{' || first[0] == '[') && !looksUTF16(data) {
			d.decoder = newJSONRecords(d.start, d.table)
		} else if first != "" || atEOF || len(data) >= HeadSize {
			d.decoder = newCSVRecords(d.start, d.table)
		} else {
			return 0
		}
	}
	return d.decoder.Decode(data, atEOF, sink)
}
