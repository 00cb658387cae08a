package formats

import (
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// crmFormat is what a format of audit records knows: what its fields mean, and how
// a record becomes an event. The records are rows of CSV or objects of JSON (one a
// line, in arrays, or in the pages of an API); fields are matched by plain name, so
// that occurredAt, "Occurred at" and OCCURRED_AT are the same.
type crmFormat struct {
	// name is the format's, product and vendor are whose records they are.
	name, product, vendor string
	// roles says by plain name what a field means: crmID, crmTime, or a number of
	// the format's own from crmOwn on. All else is unmapped.
	roles map[string]int
	// log tells which log holds records with these roles; "" means none.
	log func(has crmRoles) string
	// times are the roles that hold the time where crmTime does not.
	times []int
	// claims says, beyond log, that records with these roles are no other format's.
	// nil means that log is enough.
	claims func(has crmRoles) bool
	// utc says that times are UTC, whatever zone is set for the source.
	utc bool
	// nothing lists the texts that stand for an empty field.
	nothing []string
	// prepare, if not nil, looks at the fields before anything else does.
	prepare func(*crmRecord) *csvFailure
	// fill makes an event of a record, or says why that cannot be done. Time,
	// product, log, tenant and identity are filled in around it.
	fill func(*crmRecord) *csvFailure
	// wanted describes a header, for messages.
	wanted string
}

// The roles that all formats have.
const (
	crmUnmapped = iota
	// crmID is the id of the record, which alone makes its identity.
	crmID
	crmTime
	crmOwn
)

// crmMaxRoles is more than any format has.
const crmMaxRoles = 48

// crmRoles is a set of roles.
type crmRoles uint64

func (s crmRoles) with(role int) crmRoles { return s | 1<<role }

// all says whether every one of roles is in the set.
func (s crmRoles) all(roles ...int) bool {
	return !slices.ContainsFunc(roles, func(role int) bool { return s&(1<<role) == 0 })
}

// any says whether one of roles is in the set.
func (s crmRoles) any(roles ...int) bool {
	return slices.ContainsFunc(roles, func(role int) bool { return s&(1<<role) != 0 })
}

// role is what a field means.
func (f *crmFormat) role(name string) int {
	if len(name) > maxMemoKey {
		return crmUnmapped
	}
	return f.roles[plainName(strings.Trim(name, " \t\uFEFF"))]
}

// rolesOf is the set of roles of names.
func (f *crmFormat) rolesOf(names []string) (has crmRoles) {
	for _, name := range names {
		if role := f.role(name); role != crmUnmapped {
			has = has.with(role)
		}
	}
	return has
}

// detect says why a file's head is of the format, or "".
func (f *crmFormat) detect(head []byte) string {
	head, encoding := plainHead(head)
	shape := "CSV header with the columns of "
	names := crmPageNames(head)
	if names != nil {
		shape = "JSON with the fields of "
	} else {
		names = firstRecord(head)
	}
	has := f.rolesOf(names)
	log := f.log(has)
	if log == "" || f.claims != nil && !f.claims(has) {
		return ""
	}
	return shape + f.product + " " + log + encoding
}

// decoder chooses between JSON and CSV when it sees the first byte.
func (f *crmFormat) decoder(o Options) Decoder {
	r := crmRecord{format: f, tenant: o.Tenant, zone: o.Zone}
	if f.utc {
		r.zone = nil
	}
	return &crmDecoder{start: o.Start, record: r}
}

// crmRecord makes events of the records of one file.
type crmRecord struct {
	format    *crmFormat
	tenant    string
	zone      *time.Location
	addresses addresses
	hasher    schema.UIDHasher
	inner     jsonObjects

	event *schema.Event
	log   string
	// values are the present record's, by role, and places the fields they stand in.
	values [crmMaxRoles]string
	places [crmMaxRoles]int
}

// begin starts a record.
func (r *crmRecord) begin(e *schema.Event, log string) {
	r.event, r.log = e, log
	clear(r.values[:])
	for i := range r.places {
		r.places[i] = -1
	}
}

// put takes a field. A second field of the same meaning counts where it says
// something else.
func (r *crmRecord) put(role, place int, name, value string) {
	value = strings.TrimSpace(value)
	switch {
	case value == "" || slices.Contains(r.format.nothing, value):
	case role == crmUnmapped:
		r.event.AddUnmapped(name, value)
	case r.values[role] == "":
		r.values[role], r.places[role] = value, place
	case r.values[role] != value:
		r.event.AddUnmapped(name, value)
	}
}

// finish fills in the event from what was put.
func (r *crmRecord) finish() *csvFailure {
	e, f := r.event, r.format
	if f.prepare != nil {
		if failure := f.prepare(r); failure != nil {
			return failure
		}
	}
	for _, role := range f.times {
		if r.values[role] != "" {
			e.AddUnmapped("time", r.values[crmTime])
			r.values[crmTime], r.places[crmTime] = r.values[role], r.places[role]
		}
	}
	if r.values[crmTime] == "" {
		return &csvFailure{ReasonTime, "the record has no time: add its field to the export", -1}
	}
	ms, wrong := crmTimeOf(r.values[crmTime], r.zone)
	if wrong != "" {
		return &csvFailure{ReasonTime, "the time " + wrong, r.places[crmTime]}
	}
	e.Time = ms
	e.Text[schema.MetadataProductName] = f.product
	e.Text[schema.MetadataProductVendorName] = f.vendor
	e.Text[schema.MetadataLogName] = r.log
	e.Text[schema.MetadataLogFormat] = f.name
	e.Text[schema.MetadataTenantUID] = r.tenant
	e.Text[schema.MetadataOriginalEventUID] = r.values[crmID]
	e.Number[schema.SeverityID] = uint64(schema.SeverityInformational)
	return f.fill(r)
}

// identity starts the identity of the record. It says whether the record's id was
// all that is needed; else the caller adds the fields.
func (r *crmRecord) identity() (whole bool) {
	h := &r.hasher
	h.Reset()
	h.Part(r.tenant)
	h.Part(r.format.product)
	h.Part(r.log)
	if r.values[crmID] == "" {
		return false
	}
	h.Part("id")
	h.Part(r.values[crmID])
	return true
}

// set fills a column from a role.
func (r *crmRecord) set(column schema.Text, role int) {
	r.event.Text[column] = r.values[role]
}

// activity sets class and activity.
func (r *crmRecord) activity(class, activity uint64) {
	r.event.Number[schema.ClassUID], r.event.Number[schema.ActivityID] = class, activity
}

// severity sets the severity.
func (r *crmRecord) severity(s schema.Severity) {
	r.event.Number[schema.SeverityID] = uint64(s)
}

// crmDecoder is a decoder of JSON or of CSV, as the file turns out to be.
type crmDecoder struct {
	start   Position
	record  crmRecord
	decoder Decoder
}

// Decode implements Decoder.
func (d *crmDecoder) Decode(data []byte, atEOF bool, sink Sink) int {
	if d.decoder == nil {
		head, _ := plainHead(data)
		first := strings.TrimLeft(string(head[:min(len(head), 64)]), " \t\r\n")
		switch {
		case len(data) < 4 && !atEOF: // it may be in the middle of a byte order mark
			return 0
		case first != "" && (first[0] == '{' || first[0] == '[') && !looksUTF16(data):
			d.decoder = newCRMPages(d.start, d.record)
		case first != "" || atEOF || len(data) >= HeadSize:
			d.decoder = newCSVRecords(d.start, &crmTable{crmRecord: d.record})
		default:
			return 0
		}
	}
	return d.decoder.Decode(data, atEOF, sink)
}

// crmTable reads rows of CSV.
type crmTable struct {
	crmRecord
	names  []string
	fields []int
	byName []schema.NamedField
	// table is the log that the header stands for; a record may be of another.
	table string
}

func (t *crmTable) wanted() string { return t.format.wanted }

func (t *crmTable) isHeader(fields []string) bool {
	return len(fields) <= maxCSVColumns && t.format.log(t.format.rolesOf(fields)) != ""
}

func (t *crmTable) setHeader(fields []string) string {
	names, wrong := columnNames(fields)
	if wrong != "" {
		return wrong
	}
	plain := make([]string, len(names))
	t.fields = t.fields[:0]
	for i, name := range names {
		plain[i] = plainName(name)
		t.fields = append(t.fields, t.format.role(name))
	}
	t.names, t.byName = names, orderByName(plain)
	t.table = t.format.log(t.format.rolesOf(names))
	if !slices.ContainsFunc(t.fields, func(role int) bool { return role == crmTime || slices.Contains(t.format.times, role) }) {
		return "the header has no column for the time: add it to the export"
	}
	return ""
}

// row implements csvTable.
func (t *crmTable) row(fields []string, e *schema.Event) *csvFailure {
	t.begin(e, t.table)
	for i, role := range t.fields {
		t.put(role, i, t.names[i], fields[i])
	}
	if failure := t.finish(); failure != nil {
		return failure
	}
	if !t.identity() {
		t.hasher.Fields(fields, t.byName)
	}
	e.UID = t.hasher.Sum()
	return nil
}
