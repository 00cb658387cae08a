package formats

import (
	"slices"
	"unicode/utf8"
	"unsafe"
)

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
