package formats

import (
	"bytes"
	"fmt"
	"math/bits"
	"strings"
	"unsafe"

	"github.com/zeebo/xxh3"

	"github.com/crmwatch/crmwatch/schema"
)

// otlpScan reads LogRecords, and the resources and scopes that they belong to.
type otlpScan struct {
	text            jsonObjects
	record          genericRecord
	resource, scope otlpSurroundings
	// into is where attributes go: nil for the record.
	into   *otlpSurroundings
	sum    otlpSum
	hasher schema.UIDHasher
	list   []byte
}

// otlpSum is a hash of names and values that does not depend on their order.
type otlpSum struct{ hi, lo uint64 }

func (s *otlpSum) add(name, value string) {
	h := xxh3.HashString128Seed(value, xxh3.HashString(name))
	var carry uint64
	s.lo, carry = bits.Add64(s.lo, h.Lo, 0)
	s.hi, _ = bits.Add64(s.hi, h.Hi, carry)
}

// otlpSurroundings are the attributes of a resource or a scope.
type otlpSurroundings struct {
	raw    []byte
	values []otlpValue
	// kept holds the names and values.
	kept []byte
	sum  otlpSum
}

type otlpValue struct {
	field       genericField
	name, value string
}

func (u *otlpSurroundings) reset() {
	u.raw, u.values, u.kept, u.sum = u.raw[:0], u.values[:0], u.kept[:0], otlpSum{}
}

// keep copies text. When kept grows, what was kept before keeps the older array alive.
func (u *otlpSurroundings) keep(text string) string {
	from := len(u.kept)
	u.kept = append(u.kept, text...)
	return unsafe.String(unsafe.SliceData(u.kept[from:]), len(text))
}

// read takes over a resource or a scope, which is often the one that it has already.
// What of it cannot be read is left out: the records around it are still good.
func (u *otlpSurroundings) read(s *otlpScan, raw []byte, prefix string) {
	if bytes.Equal(raw, u.raw) {
		return
	}
	u.reset()
	u.raw = append(u.raw, raw...)
	s.begin(u.raw)
	s.into = u
	_ = s.members(prefix)
	s.into = nil
}

// begin starts the text of a record, a resource or a scope.
func (s *otlpScan) begin(raw []byte) {
	s.text.data, s.text.at, s.text.scratch = raw, 0, s.text.scratch[:0]
}

// read fills the event from a record.
func (s *otlpScan) read(e *schema.Event, raw []byte) *recordFailure {
	r := &s.record
	r.begin(e)
	s.sum = otlpSum{}
	s.begin(raw)
	if err := s.members(""); err != nil {
		return &recordFailure{ReasonSyntax, fmt.Sprintf("%v: the record is damaged, export it again", err)}
	}
	for _, around := range []*otlpSurroundings{&s.scope, &s.resource} {
		for _, v := range around.values {
			r.put(v.field, v.name, v.value)
		}
	}
	if failure := r.end(); failure != nil {
		return failure
	}
	h := &s.hasher
	h.Reset()
	h.Part(e.Text[schema.MetadataTenantUID])
	h.Part(otlpName)
	for _, sum := range []otlpSum{s.sum, s.scope.sum, s.resource.sum} {
		h.Number(sum.hi)
		h.Number(sum.lo)
	}
	e.UID = h.Sum()
	return nil
}

// members reads the object at the present place: a record, a resource or a scope.
func (s *otlpScan) members(prefix string) error {
	t := &s.text
	if t.skip() != '{' {
		return errJSONValue
	}
	t.at++
	for first := true; ; first = false {
		name, more, err := s.member(first)
		if !more || err != nil {
			return err
		}
		switch {
		case name == "attributes":
			err = s.keyValues("", 0)
		case name == "body" && s.into == nil:
			err = s.anyValue("body", 0)
		default:
			var text string
			if text, err = s.scalar(); err == nil {
				s.own(prefix, name, text)
			}
		}
		if err != nil {
			return err
		}
	}
}

// own takes a member that is no attribute.
func (s *otlpScan) own(prefix, name, text string) {
	if text == "" || text == "0" {
		return
	}
	field := genericUnmapped
	switch {
	case prefix == "scope." && name == "name":
		field = genericLog
	case s.into != nil:
	case name == "timeUnixNano" || name == "time_unix_nano":
		field = genericTime
	case name == "observedTimeUnixNano" || name == "observed_time_unix_nano":
		field = genericObserved
	case name == "severityNumber" || name == "severity_number":
		field = genericLevelOTel
		if word, found := strings.CutPrefix(text, "SEVERITY_NUMBER_"); found {
			field, text = genericLevel, word
		}
	case name == "severityText" || name == "severity_text":
		field = genericLevel
	case name == "traceId" || name == "trace_id":
		field, text = genericTrace, strings.ToLower(text)
	case name == "spanId" || name == "span_id":
		text = strings.ToLower(text)
	case name == "eventName" || name == "event_name":
		field = genericEvent
	}
	if prefix != "" {
		name = s.join(prefix, name)
	}
	s.put(field, name, text)
}

// put takes a value of the record, or of what is around it.
func (s *otlpScan) put(field genericField, name, text string) {
	if text == "" {
		return
	}
	if u := s.into; u != nil {
		u.sum.add(name, text)
		u.values = append(u.values, otlpValue{field, u.keep(name), u.keep(text)})
		return
	}
	s.sum.add(name, text)
	s.record.put(field, name, text)
}

// attribute takes a value by its name.
func (s *otlpScan) attribute(name, text string) {
	field := *s.record.known.get(name, genericFieldOf)
	if name == "body" {
		field = genericMessage
	}
	s.put(field, name, text)
}
