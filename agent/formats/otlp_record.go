package formats

import (
	"bytes"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"
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

// member reads the name of the next member of an object, and goes to its value.
func (s *otlpScan) member(first bool) (name string, more bool, err error) {
	t := &s.text
	c := t.skip()
	if c == ',' && !first {
		t.at++
		c = t.skip()
	} else if c != '}' && !first {
		return "", false, t.cutOr(errJSONComma)
	}
	switch c {
	case '}':
		t.at++
		return "", false, nil
	case '"':
	default:
		return "", false, t.cutOr(errJSONName)
	}
	if name, err = t.text(); err != nil {
		return "", false, err
	}
	if t.skip() != ':' {
		return "", false, t.cutOr(errJSONColon)
	}
	t.at++
	t.skip()
	return name, true, nil
}

// element goes to the next element of a list.
func (s *otlpScan) element(first bool) (more bool, err error) {
	t := &s.text
	c := t.skip()
	if c == ',' && !first {
		t.at++
		c = t.skip()
	} else if c != ']' && !first {
		return false, t.cutOr(errJSONComma)
	}
	if c == ']' {
		t.at++
		return false, nil
	}
	return true, nil
}

// scalar reads a value as text, whatever it is.
func (s *otlpScan) scalar() (string, error) {
	t := &s.text
	switch t.skip() {
	case 0:
		return "", errJSONCut
	case '"':
		return t.text()
	case '[':
		return t.array()
	case '{':
		return s.verbatim()
	}
	return t.bare()
}

// verbatim reads a value as it stands.
func (s *otlpScan) verbatim() (string, error) {
	t := &s.text
	n := jsonValueLength(t.data[t.at:])
	if n == 0 {
		return "", errJSONCut
	}
	raw := t.data[t.at : t.at+n]
	t.at += n
	text := unsafe.String(unsafe.SliceData(raw), len(raw))
	if !utf8.ValidString(text) {
		from := len(t.scratch)
		t.scratch = appendValid(t.scratch, text)
		text = t.own(from)
	}
	return text, nil
}

// join is two names as one.
func (s *otlpScan) join(a, b string) string {
	t := &s.text
	from := len(t.scratch)
	t.scratch = append(append(t.scratch, a...), b...)
	return t.own(from)
}

// keyValues reads a list of KeyValue. Some writers put a plain object there.
func (s *otlpScan) keyValues(prefix string, depth int) error {
	t := &s.text
	switch {
	case depth > maxJSONDepth:
		return errJSONDepth
	case t.skip() != '[':
		_, err := s.scalar()
		return err
	}
	t.at++
	for first := true; ; first = false {
		more, err := s.element(first)
		if !more || err != nil {
			return err
		}
		if err := s.keyValue(prefix, depth); err != nil {
			return err
		}
	}
}

func (s *otlpScan) keyValue(prefix string, depth int) error {
	t := &s.text
	if t.skip() != '{' {
		return t.cutOr(errJSONValue)
	}
	t.at++
	key, value := "", -1
	for first := true; ; first = false {
		name, more, err := s.member(first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		switch {
		case name == "key":
			if key, err = s.scalar(); err == nil && prefix != "" {
				key = s.join(prefix, key)
			}
		case name == "value" && key == "": // the name comes behind it
			value = t.at
			_, err = s.verbatim()
		case name == "value":
			err = s.anyValue(key, depth+1)
		default:
			_, err = s.scalar()
		}
		if err != nil {
			return err
		}
	}
	if value < 0 || key == "" {
		return nil
	}
	end := t.at
	t.at = value
	err := s.anyValue(key, depth+1)
	t.at = end
	return err
}

// anyValue reads an AnyValue under a name. A plain value is taken as it is.
func (s *otlpScan) anyValue(name string, depth int) error {
	t := &s.text
	if depth > maxJSONDepth {
		return errJSONDepth
	}
	if t.skip() != '{' {
		text, err := s.scalar()
		if err == nil {
			s.attribute(name, text)
		}
		return err
	}
	t.at++
	for first := true; ; first = false {
		kind, more, err := s.member(first)
		if !more || err != nil {
			return err
		}
		switch kind {
		case "stringValue", "boolValue", "intValue", "doubleValue", "bytesValue", "string_value", "bool_value", "int_value", "double_value", "bytes_value":
			var text string
			if text, err = s.scalar(); err == nil {
				s.attribute(name, text)
			}
		case "arrayValue", "array_value":
			err = s.values(func() error { return s.array(name) })
		case "kvlistValue", "kvlist_value":
			err = s.values(func() error { return s.keyValues(s.join(name, "."), depth+1) })
		default:
			_, err = s.scalar()
		}
		if err != nil {
			return err
		}
	}
}

// values finds the list in {"values":[...]} and has it read.
func (s *otlpScan) values(read func() error) error {
	t := &s.text
	if t.skip() != '{' {
		_, err := s.scalar()
		return err
	}
	t.at++
	for first := true; ; first = false {
		name, more, err := s.member(first)
		if !more || err != nil {
			return err
		}
		if name == "values" {
			err = read()
		} else {
			_, err = s.scalar()
		}
		if err != nil {
			return err
		}
	}
}

// scalarKinds are the members of an AnyValue that hold plain values.
var scalarKinds = []string{"stringValue", "boolValue", "intValue", "doubleValue", "bytesValue"}

// array reads a list of AnyValue as a list of JSON: ["a","b"].
func (s *otlpScan) array(name string) error {
	t := &s.text
	if t.skip() != '[' {
		_, err := s.scalar()
		return err
	}
	t.at++
	s.list = append(s.list[:0], '[')
	for first := true; ; first = false {
		more, err := s.element(first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if !first {
			s.list = append(s.list, ',')
		}
		if err := s.listElement(); err != nil {
			return err
		}
	}
	s.list = append(s.list, ']')
	from := len(t.scratch)
	t.scratch = append(t.scratch, s.list...)
	s.attribute(name, t.own(from))
	return nil
}

func (s *otlpScan) listElement() error {
	t := &s.text
	at := t.at
	if t.data[at] == '{' {
		t.at++
		if kind, more, err := s.member(true); err == nil && more && slices.Contains(scalarKinds, kind) {
			quoted := t.at < len(t.data) && t.data[t.at] == '"' && kind != "intValue"
			text, err := s.scalar()
			if err == nil && t.skip() == '}' {
				t.at++
				if quoted {
					s.list = appendJSONString(s.list, text)
				} else {
					s.list = append(s.list, text...)
				}
				return nil
			}
		}
		t.at = at
	}
	text, err := s.verbatim()
	s.list = append(s.list, text...)
	return err
}

// appendJSONString appends text as a string of JSON.
func appendJSONString(dst []byte, text string) []byte {
	dst = append(dst, '"')
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c >= ' ':
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
