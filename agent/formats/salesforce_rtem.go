package formats

import (
	"bytes"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

const rtemName = "salesforce-rtem"

// salesforceRTEM is Salesforce's Real-Time Event Monitoring as JSON, one object a
// line, in arrays or in the pages of a query. An event comes in one of four
// envelopes: a message of the streaming API ({"channel":...,"data":{"payload":{...}}}),
// the same without its channel, the bare payload, or a record of the object that
// keeps it ({"attributes":{"type":"LoginEvent"},...}). Field names are those of
// Salesforce's Platform Events Developer Guide and Object Reference.
var salesforceRTEM = Format{
	Name:       rtemName,
	Title:      "Salesforce Real-Time Event Monitoring (JSON)",
	Line:       true,
	Identified: true,
	Detect:     detectRTEM,
	New: func(o Options) Decoder {
		d := &rtemDecoder{lines: newLines(o.Start), record: rtemRecord{tenant: salesforceID(o.Tenant)}}
		d.pages = newPages(o.Start, jsonEnvelope, rtemRole, d.record.read)
		return d
	},
}

// detectRTEM wants a type of event that only Salesforce has, or the two fields that
// all its real-time events have.
func detectRTEM(head []byte) string {
	head, encoding := plainHead(head)
	head = bytes.TrimLeft(head, " \t\r\n[")
	if n, _, is := jsonEnvelope(head); is {
		head = bytes.TrimLeft(head[n:], " \t\r\n[")
	}
	if len(head) == 0 || head[0] != '{' {
		return ""
	}
	objects := jsonObjects{classify: rtemRole}
	if n, err := objects.object(head); err != nil && n < len(head) {
		return ""
	}
	var r rtemRecord
	r.take(&objects)
	if name, known := r.typeName(); known {
		return "JSON with a " + name + " of Salesforce" + encoding
	}
	if r.has[rtemEventIdentifier] && (r.has[rtemEventDate] || r.has[rtemCreatedDate]) {
		return "JSON with EventIdentifier and EventDate" + encoding
	}
	return ""
}

// rtemDecoder refuses a file that is no UTF-8, and reads the pages of one that is.
type rtemDecoder struct {
	lines  lines
	pages  *crmPages
	record rtemRecord
}

// Decode implements Decoder.
func (d *rtemDecoder) Decode(data []byte, atEOF bool, sink Sink) int {
	if d.lines.skip != skipFile && (d.lines.at.Offset != 0 || len(data) >= 4 && !looksUTF16(data) || len(data) < 4 && atEOF) {
		d.lines.at.Offset = 1 // the first bytes have been looked at
		return d.pages.Decode(data, atEOF, sink)
	}
	used, _ := d.lines.start(data, atEOF, sink)
	return used
}

// rtemRecord makes events of real-time events.
type rtemRecord struct {
	tenant string
	reader salesforceReader
	hasher schema.UIDHasher
	inner  jsonObjects

	// values are the present record's, by field, and has says which it names.
	values [rtemFieldCount]string
	has    [rtemFieldCount]bool
}

// take sorts the leaves of an object by what they mean. It returns how many have no
// meaning of their own.
func (r *rtemRecord) take(objects *jsonObjects) (others int) {
	clear(r.values[:])
	clear(r.has[:])
	for i := range objects.leaves {
		leaf := &objects.leaves[i]
		field := leaf.node.field
		if field == rtemOther {
			others++
			continue
		}
		r.has[field] = true
		if r.values[field] == "" && leaf.text != "N/A" {
			r.values[field] = leaf.text
		}
	}
	return others
}

// read makes the event of the object that was just scanned.
func (r *rtemRecord) read(e *schema.Event, objects *jsonObjects) *csvFailure {
	others := r.take(objects)
	name, _ := r.typeName()
	if name == "" {
		if strings.HasPrefix(r.values[rtemChannel], "/meta/") {
			return &csvFailure{ReasonEventType, "this is a message of the streaming protocol itself, and no event", -1}
		}
		return &csvFailure{ReasonEventType, "the object does not say which event it is, and its fields do not tell: keep the channel of the stream, or attributes.type of the query", -1}
	}
	if failure := r.time(e); failure != nil {
		return failure
	}
	kind := rtemTypes[name]
	r.reader.begin(e)
	e.Text[schema.MetadataLogFormat] = rtemName
	e.Text[schema.MetadataLogName] = name
	e.Text[schema.MetadataEventCode] = firstFilled(r.writtenType(), name)
	e.Text[schema.MetadataTenantUID] = r.tenant
	e.Number[schema.ClassUID] = kind.class
	e.Number[schema.SeverityID] = uint64(kind.severity)
	e.Number[schema.ActivityID] = schema.ActivityOther
	e.Text[schema.MetadataOriginalEventUID] = r.values[rtemEventIdentifier]
	r.columns(e)
	if others > 0 {
		for i := range objects.leaves {
			if leaf := &objects.leaves[i]; leaf.node.field == rtemOther && leaf.text != "N/A" {
				e.AddUnmapped(rtemFieldName(leaf.node.path), leaf.text)
			}
		}
	}
	if e.Text[schema.ActorAppName] == "" {
		e.Text[schema.ActorAppName] = e.Text[schema.ActorClientName]
	}
	if kind.activity != nil {
		e.Number[schema.ActivityID] = kind.activity(r)
	}
	r.policy()
	r.reader.end()
	e.UID = r.uid(e, objects)
	return nil
}

// columns fills in the fields that have a meaning of their own, by rank.
func (r *rtemRecord) columns(e *schema.Event) {
	for i := range rtemColumns {
		field := int(rtemFirstColumn) + i
		value := r.values[field]
		if value == "" {
			continue
		}
		c := &rtemColumns[i]
		switch {
		case c.kind == readNumber && value == "-1" || value == "{}":
			// Salesforce writes these where it did not count, or has nothing to say.
		case c.number == schema.RowsProcessed && c.kind == readNumber && r.continues():
			e.AddUnmapped(c.name, value)
		default:
			r.reader.read(c, value)
		}
	}
}

// continues says whether the record is a later part of an event that was too large
// for one. Each part has the number of rows of the whole, which counts once.
func (r *rtemRecord) continues() bool {
	if r.values[rtemExecutionIdentifier] == "" {
		return false
	}
	n, ok := parseCount(r.values[rtemSequence])
	return ok && n > 1
}

// time reads EventDate, in UTC; CreatedDate is when the event was published.
func (r *rtemRecord) time(e *schema.Event) *csvFailure {
	for _, field := range []int{rtemEventDate, rtemCreatedDate} {
		value := r.values[field]
		if value == "" {
			continue
		}
		ms, ok := parseSalesforceTime(value)
		if !ok || strings.IndexByte(value, '-') < 0 {
			if n, isNumber := epochMillis(value); isNumber {
				ms, ok = n, true
			}
		}
		if !ok {
			return &csvFailure{ReasonTime, "EventDate does not hold a time such as 2026-03-02T08:15:01.204Z, nor milliseconds since 1970", -1}
		}
		e.Time = ms
		if field == rtemEventDate {
			e.AddUnmapped("CreatedDate", r.values[rtemCreatedDate])
		}
		return nil
	}
	return &csvFailure{ReasonTime, "the event has no EventDate: add it to the query", -1}
}

// uid is the identity of an event: its EventIdentifier, which the stream and the
// stored copy share; failing that, all its fields.
func (r *rtemRecord) uid(e *schema.Event, objects *jsonObjects) schema.UID {
	h := &r.hasher
	h.Reset()
	h.Part(e.Text[schema.MetadataTenantUID])
	h.Part("Salesforce real-time event")
	if id := firstFilled(r.values[rtemEventIdentifier], r.values[rtemEventUUID]); id != "" {
		h.Part(strings.ToLower(id))
		return h.Sum()
	}
	sum := objects.hash()
	h.Number(sum.Hi)
	h.Number(sum.Lo)
	return h.Sum()
}
