package formats

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// salesforceELF is EventLogFile, the CSV files in which Salesforce's Event
// Monitoring delivers what happened in an org. All its event types have this one
// decoder; the type is taken from the column EVENT_TYPE, never from a file name.
var salesforceELF = Format{
	Name:   salesforceELFName,
	Title:  "Salesforce EventLogFile (CSV)",
	Detect: detectELF,
	New: func(o Options) Decoder {
		return newCSVRecords(o.Start, &elfTable{tenant: salesforceID(o.Tenant)})
	},
}

// detectELF wants the two columns that the decoder needs, and one of those that
// tell Salesforce's files from any other with these names.
func detectELF(head []byte) string {
	head, encoding := plainHead(head)
	fields := firstRecord(head)
	if !isELFHeader(fields) {
		return ""
	}
	clock := "TIMESTAMP"
	if fieldIndex(fields, clock) < 0 {
		clock = "TIMESTAMP_DERIVED"
	}
	for _, own := range []string{"TIMESTAMP_DERIVED", "ORGANIZATION_ID", "USER_ID_DERIVED", "REQUEST_ID"} {
		if fieldIndex(fields, own) >= 0 {
			return "CSV header with EVENT_TYPE and " + clock + encoding
		}
	}
	return ""
}

// plainHead drops what stands before the first record, and makes text of ASCII in
// UTF-16, so that such a file is recognised and then refused with a clear message.
func plainHead(head []byte) (plain []byte, encoding string) {
	if looksUTF16(head) {
		encoding = ", in UTF-16"
		plain = make([]byte, 0, len(head)/2)
		for _, c := range head {
			if c != 0 && c < 0x80 {
				plain = append(plain, c)
			}
		}
		head = plain
	}
	head = bytes.TrimPrefix(head, byteOrderMark)
	return bytes.TrimLeft(head, "\r\n\x00"), encoding
}

// firstRecord splits the first record of a file's head; nil when it cannot be.
func firstRecord(head []byte) []string {
	if len(head) == 0 {
		return nil
	}
	var s csvSplitter
	if _, result := s.split(head, len(head) < HeadSize); result != csvRecord {
		return nil
	}
	return s.fields
}

func isELFHeader(fields []string) bool {
	return fieldIndex(fields, "EVENT_TYPE") >= 0 &&
		(fieldIndex(fields, "TIMESTAMP_DERIVED") >= 0 || fieldIndex(fields, "TIMESTAMP") >= 0)
}

// fieldIndex finds the field with a name, or returns -1.
func fieldIndex(fields []string, name string) int {
	for i, field := range fields {
		if len(field) >= len(name) && strings.Trim(field, " \t\uFEFF") == name {
			return i
		}
	}
	return -1
}

// elfTable reads the rows of EventLogFile.
type elfTable struct {
	tenant string
	reader salesforceReader
	hasher schema.UIDHasher
	header *elfHeader
	// plan is that of the last row's event type.
	plan *elfPlan
}

func (t *elfTable) wanted() string { return "a header that names EVENT_TYPE and TIMESTAMP" }

func (t *elfTable) isHeader(fields []string) bool { return isELFHeader(fields) }

func (t *elfTable) setHeader(fields []string) string {
	header, wrong := newELFHeader(fields)
	if wrong == "" {
		t.header, t.plan = header, nil
	}
	return wrong
}

// maxEventType is longer than the name of any event type.
const maxEventType = 100

// Why rows with the right number of columns can be unreadable.
var (
	noEventType = csvFailure{ReasonEventType, "the column EVENT_TYPE does not hold the name of an event type: fetch the file again", -1}
	elfTimes    = "2026-03-02T08:15:01.204Z or 20260302081501.204"
)

// row implements csvTable.
func (t *elfTable) row(fields []string, e *schema.Event) *csvFailure {
	h := t.header
	eventType := fields[h.eventType]
	if t.plan == nil || t.plan.eventType != eventType {
		if eventType == "" || len(eventType) > maxEventType {
			return &noEventType
		}
		t.plan = h.plan(eventType)
	}
	plan := t.plan
	if failure := t.time(fields, e); failure != nil {
		return failure
	}
	r := &t.reader
	r.begin(e)
	e.Text[schema.MetadataLogFormat] = salesforceELFName
	e.Text[schema.MetadataLogName] = plan.eventType
	e.Text[schema.MetadataEventCode] = plan.eventType
	e.Number[schema.ClassUID] = plan.class
	e.Number[schema.SeverityID] = uint64(plan.severity)
	for i := range plan.steps {
		step := &plan.steps[i]
		value := fields[step.field]
		if value == "" {
			continue
		}
		switch step.kind {
		case readText: // as read does, without the call: most columns are of this kind
			if e.Text[step.text] == "" {
				e.Text[step.text] = value
				continue
			}
		case readUnmapped:
			e.Unmapped = append(e.Unmapped, schema.Attribute{Name: step.name, Value: value})
			continue
		case readTwin:
			if strings.HasPrefix(fields[step.twin], value) {
				continue
			}
		}
		r.read(&step.salesforceColumn, value)
	}
	if e.Text[schema.MetadataTenantUID] == "" {
		e.Text[schema.MetadataTenantUID] = t.tenant
	}
	if e.Text[schema.ActorAppName] == "" {
		// The caller chose this name; the connected app's, where there is one, is the org's.
		e.Text[schema.ActorAppName] = e.Text[schema.ActorClientName]
	}
	e.Number[schema.ActivityID] = plan.activity(r)
	r.end()
	if e.Number[schema.StatusID] == schema.StatusFailure && plan.class != schema.ClassAuthentication && e.Number[schema.SeverityID] == uint64(schema.SeverityInformational) {
		e.Number[schema.SeverityID] = uint64(schema.SeverityLow)
	}
	e.UID = t.uid(fields, e)
	return nil
}

// time reads TIMESTAMP_DERIVED or, failing that, TIMESTAMP. The one that is not
// used is kept only when it says something else.
func (t *elfTable) time(fields []string, e *schema.Event) *csvFailure {
	h := t.header
	if h.derived >= 0 {
		if ms, ok := parseSalesforceTime(fields[h.derived]); ok {
			e.Time = ms
			if h.timestamp >= 0 && !sameTime(fields[h.timestamp], fields[h.derived], ms) {
				e.AddUnmapped("TIMESTAMP", fields[h.timestamp])
			}
			return nil
		}
	}
	if h.timestamp >= 0 {
		if ms, ok := parseSalesforceTime(fields[h.timestamp]); ok {
			e.Time = ms
			if h.derived >= 0 {
				e.AddUnmapped("TIMESTAMP_DERIVED", fields[h.derived])
			}
			return nil
		}
	}
	at, name := h.derived, "TIMESTAMP_DERIVED"
	if at < 0 || fields[at] == "" && h.timestamp >= 0 {
		at, name = h.timestamp, "TIMESTAMP"
	}
	return &csvFailure{ReasonTime, fmt.Sprintf("the column %s does not hold a time such as %s", name, elfTimes), at}
}

// sameTime says whether TIMESTAMP, if there is one, is the time ms that
// TIMESTAMP_DERIVED holds. As a rule the two have the same digits.
func sameTime(timestamp, derived string, ms int64) bool {
	if len(timestamp) == len("20260302081501.204") && len(derived) == len("2026-03-02T08:15:01.204Z") {
		t, d := timestamp, derived
		if t[12:] == d[17:23] && t[10:12] == d[14:16] && t[8:10] == d[11:13] && t[6:8] == d[8:10] && t[4:6] == d[5:7] && t[:4] == d[:4] {
			return true
		}
	}
	other, ok := parseSalesforceTime(timestamp)
	return timestamp == "" || ok && other == ms
}

// uid is the identity of a row: tenant, event type, and every field that is not
// empty under its name, in the order of the names.
func (t *elfTable) uid(fields []string, e *schema.Event) schema.UID {
	h := &t.hasher
	h.Reset()
	h.Part(e.Text[schema.MetadataTenantUID])
	h.Part(e.Text[schema.MetadataLogName])
	h.Fields(fields, t.header.byName)
	return h.Sum()
}
