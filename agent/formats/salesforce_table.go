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
	// languages are those in which the titles of the page's download are known.
	languages []pageLanguage
	// columns are in order of rank, by plain name.
	columns []salesforceColumn
	// finish fills class, activity and what depends on several fields.
	finish func(*salesforceReader)
}

// decoder chooses between JSON and CSV when it sees the first byte.
func (o *salesforceObject) decoder(options Options) Decoder {
	table := &salesforceTable{object: o, tenant: salesforceID(options.Tenant), zone: options.Zone, order: options.DateOrder}
	return &salesforceDecoder{start: options.Start, table: table}
}

// isHeader says whether names are a header of the object.
func (o *salesforceObject) isHeader(names []string) bool {
	_, _, ok := o.columnsOf(names)
	return ok
}

// clock is the column that holds the time; -1 where there is none.
func (o *salesforceObject) clock(columns []string) int {
	for _, name := range o.times {
		if at := slices.Index(columns, name); at >= 0 {
			return at
		}
	}
	return -1
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
	if len(head) == 0 {
		return ""
	}
	if _, p, _, ok := o.csvHeader(head, len(head) < HeadSize); ok {
		switch {
		case p.comma != ',':
			encoding += ", saved by a spreadsheet"
		case p.windows1252:
			encoding += ", in Windows-1252"
		}
		return "CSV header with the columns of " + o.object + encoding
	}
	return ""
}

// salesforceTable reads the records of one file.
type salesforceTable struct {
	object *salesforceObject
	tenant string
	zone   *time.Location
	// order is that of days and months where a date alone does not tell.
	order  DateOrder
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
	plain, language, _ := t.object.columnsOf(names)
	t.names, t.clock = names, t.object.clock(plain)
	t.reader.foreign = language != nil
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
	ms, wrong := parseLocalTimeIn(fields[t.clock], t.zone, t.order)
	if wrong == twoDays {
		wrong = "can be read as two different days (day or month first), and neither the language of the header nor other rows tell: set the source's date_order (dmy or mdy), export it with ISO dates, or through the API"
	}
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
		first := strings.TrimLeft(string(head[:min(len(head), 64)]), " \t\r\n")
		switch {
		case first != "" && (first[0] == '{' || first[0] == '[') && !looksUTF16(data):
			d.decoder = newJSONRecords(d.start, d.table)
		case atEOF || len(data) >= HeadSize:
			d.decoder = d.newCSV(data[:min(len(data), HeadSize)], atEOF && len(data) <= HeadSize)
		default: // how dates are written may show in later rows
			return 0
		}
	}
	return d.decoder.Decode(data, atEOF, sink)
}
