package formats

import (
	"bytes"

	"github.com/crmwatch/crmwatch/schema"
)

const genericCSVName = "csv"

// genericCSV is CSV of any program with a header whose columns have the names that
// loggers give: one for the time, and one for who, from where, what or how it ended.
var genericCSV = Format{
	Name:   genericCSVName,
	Title:  "CSV of any program, with a header",
	Detect: detectGenericCSV,
	New: func(o Options) Decoder {
		return newCSVRecords(o.Start, &genericTable{record: newGenericRecord(genericCSVName, "CSV log", o)})
	},
}

type genericTable struct {
	record genericRecord
	names  []string
	fields []genericField
	byName []schema.NamedField
	hasher schema.UIDHasher
}

// wanted implements csvTable.
func (t *genericTable) wanted() string {
	return "a header, with a column for the time (time, timestamp, date, ...) and one for the user, the address, the action, the status or the URL; for columns of other names write a mapping: " +
		"mappings: [{name: my-log, shape: csv, time: {field: COLUMN}, fields: {COLUMN: actor_user_name, COLUMN: source, COLUMN: api_operation}, status: {field: COLUMN, failure: [WORD]}}]"
}

// isHeader implements csvTable.
func (t *genericTable) isHeader(fields []string) bool {
	if len(fields) < 2 || len(fields) > maxCSVColumns {
		return false
	}
	var evidence genericEvidence
	for _, name := range fields {
		evidence.seen[genericFieldOf(name)] = true
	}
	return evidence.isLog()
}

// setHeader implements csvTable.
func (t *genericTable) setHeader(fields []string) (wrong string) {
	names, wrong := columnNames(fields)
	if wrong != "" {
		return wrong
	}
	t.names, t.byName, t.fields = names, orderByName(names), t.fields[:0]
	for _, name := range names {
		t.fields = append(t.fields, genericFieldOf(name))
	}
	return ""
}

// row implements csvTable.
func (t *genericTable) row(fields []string, e *schema.Event) *csvFailure {
	r := &t.record
	r.begin(e)
	for i, value := range fields {
		r.put(t.fields[i], t.names[i], value)
	}
	if failure := r.end(); failure != nil {
		place := -1
		for i, field := range t.fields {
			if field == genericTime || place < 0 && (field == genericTime2 || field == genericDate) {
				place = i
			}
		}
		return &csvFailure{failure.reason, failure.detail, place}
	}
	h := &t.hasher
	h.Reset()
	h.Part(e.Text[schema.MetadataTenantUID])
	h.Part(genericCSVName)
	h.Fields(fields, t.byName)
	e.UID = h.Sum()
	return nil
}

func detectGenericCSV(head []byte) string {
	if looksUTF16(head) {
		return ""
	}
	head = bytes.TrimLeft(bytes.TrimPrefix(head, byteOrderMark), "\r\n")
	table := &genericTable{record: newGenericRecord(genericCSVName, "", Options{})}
	names := firstRecord(head)
	if !table.isHeader(names) {
		return ""
	}
	var evidence genericEvidence
	for _, name := range names {
		evidence.seen[genericFieldOf(name)] = true
	}
	var seen countingSink
	newCSVRecords(Position{}, table).Decode(head, false, &seen)
	if seen.unreadable() || isOthers(head) {
		return ""
	}
	return "CSV header with a time and " + evidence.examples()
}
