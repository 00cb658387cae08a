package formats

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// mappedRecord makes events of records whose fields a mapping explains.
type mappedRecord struct {
	mapping *Mapping
	// targets are what becomes of the fields, by name.
	targets   map[string]mappingTarget
	constants map[string]mappingTarget
	class     uint64
	zone      *time.Location
	tenant    string
	addresses addresses
	hasher    schema.UIDHasher

	event *schema.Event
	when  string
	// status says that the mapping's status field was seen.
	status bool
}

func (m *Mapping) decoder(o Options) Decoder {
	r := mappedRecord{mapping: m, targets: map[string]mappingTarget{}, constants: map[string]mappingTarget{},
		class: schema.ClassAPIActivity, zone: o.Zone, tenant: o.Tenant}
	if class, named := MappingClasses[m.Class]; named {
		r.class = class
	}
	if m.Time.Zone != "" {
		if zone, err := time.LoadLocation(m.Time.Zone); err == nil {
			r.zone = zone
		}
	}
	if r.zone == nil {
		r.zone = time.UTC
	}
	for field, name := range m.Fields {
		r.targets[field], _ = targetOf(name)
	}
	for column := range m.Constants {
		r.constants[column], _ = targetOf(column)
	}
	switch m.Shape {
	case "csv":
		return newCSVRecords(o.Start, &mappedTable{record: r})
	case "json":
		j := &mappedJSON{record: r}
		j.log.lines = newLines(o.Start)
		j.log.objects.classify = func(string) int { return 0 }
		j.log.record = j.read
		return &j.log
	}
	l := &mappedLines{lines: newLines(o.Start), record: r}
	if m.Shape == "regex" {
		l.pattern = regexp.MustCompile(m.Pattern)
		l.groups = l.pattern.SubexpNames()
	}
	return l
}

func (r *mappedRecord) begin(e *schema.Event) {
	r.event, r.when, r.status = e, "", false
	for column, target := range r.constants {
		target(r, r.mapping.Constants[column])
	}
}

// put takes one field of the record.
func (r *mappedRecord) put(name, value string) {
	value = strings.TrimSpace(value)
	if value == "" {
		return
	}
	known := false
	if name == r.mapping.Time.Field && r.when == "" {
		r.when, known = value, true
	}
	if s := &r.mapping.Status; name == s.Field {
		is := func(words []string) bool {
			return slices.ContainsFunc(words, func(word string) bool { return strings.EqualFold(word, value) })
		}
		switch {
		case is(s.Success):
			r.event.Number[schema.StatusID] = schema.StatusSuccess
		case is(s.Failure):
			r.event.Number[schema.StatusID] = schema.StatusFailure
		case is(s.Challenge):
			r.event.Number[schema.StatusID] = schema.StatusOther
		}
		r.event.Text[schema.StatusCode] = value
		r.status, known = true, true
	}
	if target := r.targets[name]; target != nil {
		was := r.event.Number[schema.StatusID]
		target(r, value)
		if r.status && was != 0 { // the mapping's word on success counts, not a code's
			r.event.Number[schema.StatusID] = was
		}
		known = true
	}
	if !known {
		r.event.AddUnmapped(name, value)
	}
}

// end fills in what the record as a whole says.
func (r *mappedRecord) end() *recordFailure {
	e, m := r.event, r.mapping
	if r.when == "" {
		return &recordFailure{ReasonTime, fmt.Sprintf("the record has no field %s, which the mapping %s names as its time", m.Time.Field, m.Name)}
	}
	var ok bool
	switch m.Time.Layout {
	case "epoch_s":
		e.Time, ok = mappingNumber(r.when, 1000)
	case "epoch_ms":
		e.Time, ok = mappingNumber(r.when, 1)
	case "":
		var wrong string
		e.Time, wrong = crmTimeOf(r.when, r.zone)
		ok = wrong == ""
	default:
		t, err := time.ParseInLocation(m.Time.Layout, r.when, r.zone)
		e.Time, ok = t.UnixMilli(), err == nil
	}
	if !ok {
		return &recordFailure{ReasonTime, fmt.Sprintf("the field %s does not hold a time of the form that the mapping %s gives: mend time.layout", m.Time.Field, m.Name)}
	}
	if e.Number[schema.ClassUID] == 0 {
		if m.Class == "" && e.Text[schema.HTTPRequestMethod] != "" {
			setClass(e)
		} else {
			e.Number[schema.ClassUID] = r.class
		}
	}
	if e.Number[schema.ActivityID] == 0 {
		e.Number[schema.ActivityID] = schema.ActivityOther
		if e.Number[schema.ClassUID] == schema.ClassAuthentication {
			e.Number[schema.ActivityID] = schema.AuthLogon
		}
	}
	if e.Number[schema.SeverityID] == 0 {
		e.Number[schema.SeverityID] = uint64(schema.SeverityInformational)
	}
	for column, value := range map[schema.Text]string{
		schema.MetadataProductName: m.Product, schema.MetadataProductVendorName: m.Vendor,
		schema.MetadataLogName: r.log(), schema.MetadataLogFormat: m.Name, schema.MetadataTenantUID: r.tenant,
	} {
		if e.Text[column] == "" {
			e.Text[column] = value
		}
	}
	return nil
}

func (r *mappedRecord) log() string {
	if r.mapping.Log != "" {
		return r.mapping.Log
	}
	return r.mapping.Name
}

// mappedTable is CSV.
type mappedTable struct {
	record mappedRecord
	names  []string
	byName []schema.NamedField
}

func (t *mappedTable) wanted() string {
	return "a header with the column " + t.record.mapping.Time.Field
}
func (t *mappedTable) isHeader(fields []string) bool {
	return len(fields) <= maxCSVColumns && fieldIndex(fields, t.record.mapping.Time.Field) >= 0
}

func (t *mappedTable) setHeader(fields []string) string {
	names, wrong := columnNames(fields)
	if wrong == "" {
		t.names, t.byName = names, orderByName(names)
	}
	return wrong
}

func (t *mappedTable) row(fields []string, e *schema.Event) *csvFailure {
	r := &t.record
	r.begin(e)
	for i, value := range fields {
		r.put(t.names[i], value)
	}
	if failure := r.end(); failure != nil {
		return &csvFailure{failure.reason, failure.detail, slices.Index(t.names, r.mapping.Time.Field)}
	}
	r.hasher.Reset()
	r.hasher.Part(r.tenant)
	r.hasher.Part(r.log())
	r.hasher.Fields(fields, t.byName)
	e.UID = r.hasher.Sum()
	return nil
}

// mappedJSON is JSON objects; a nested value's name is its path, such as user.id.
type mappedJSON struct {
	record mappedRecord
	log    jsonLog
}

func (j *mappedJSON) read(e *schema.Event) *recordFailure {
	j.record.begin(e)
	for i := range j.log.objects.leaves {
		leaf := &j.log.objects.leaves[i]
		j.record.put(leaf.node.path, leaf.text)
	}
	if failure := j.record.end(); failure != nil {
		return failure
	}
	e.UID = j.log.uid(j.record.tenant, j.record.log())
	return nil
}

// mappedLines is lines of key=value pairs, or of a pattern.
type mappedLines struct {
	lines   lines
	record  mappedRecord
	event   schema.Event
	pattern *regexp.Regexp
	groups  []string
	pairs   logfmtPairs
	valid   []byte
}

// Decode implements Decoder.
func (l *mappedLines) Decode(data []byte, atEOF bool, sink Sink) int {
	used, ok := l.lines.start(data, atEOF, sink)
	for ok && used < len(data) {
		line, n, ended := l.lines.cut(data[used:], atEOF, sink)
		if n == 0 {
			break
		}
		if line != nil {
			l.line(line, sink)
		}
		used += l.lines.passLine(n, ended)
	}
	return used
}

func (l *mappedLines) line(raw []byte, sink Sink) {
	e, r := &l.event, &l.record
	e.Reset()
	r.begin(e)
	l.valid = appendValid(l.valid[:0], string(bytes.TrimPrefix(raw, byteOrderMark)))
	line := string(l.valid)
	if l.pattern != nil {
		found := l.pattern.FindStringSubmatch(line)
		if found == nil {
			l.lines.reject(sink, raw, 1, ReasonSyntax, "the line is not of the form that the pattern of the mapping "+r.mapping.Name+" gives")
			return
		}
		for i, name := range l.groups {
			if name != "" {
				r.put(name, found[i])
			}
		}
	} else {
		l.pairs.begin()
		found := false
		for rest := line; ; {
			var key, value string
			var isPair bool
			if key, value, rest, isPair = l.pairs.next(rest); key == "" {
				break
			}
			if isPair {
				r.put(key, value)
				found = true
			}
		}
		if !found {
			l.lines.reject(sink, raw, 1, ReasonSyntax, "expected key=value pairs")
			return
		}
	}
	if failure := r.end(); failure != nil {
		l.lines.reject(sink, raw, 1, failure.reason, failure.detail)
		return
	}
	r.hasher.Reset()
	r.hasher.Part(r.tenant)
	r.hasher.Part(r.log())
	r.hasher.Part(line)
	e.UID = r.hasher.Sum()
	e.Number[schema.SourceOffset] = uint64(l.lines.at.Offset)
	sink.Event(e)
}
