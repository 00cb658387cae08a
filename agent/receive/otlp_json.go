package receive

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
)

// json reads an ExportLogsServiceRequest in OTLP/JSON. The records themselves are left
// as they are.
func (g *groups) json(body []byte) error {
	if !json.Valid(body) {
		return errors.New("the body is not JSON")
	}
	body = bytes.TrimSpace(body)
	if body[0] != '{' {
		return errors.New(`the body is not an object: expected {"resourceLogs":[...]}`)
	}
	found, others := false, false
	for name, value := range members(body) {
		if name != "resourceLogs" {
			others = true
			continue
		}
		found = true
		if err := g.jsonEach(name, value, g.jsonResource); err != nil {
			return err
		}
	}
	if others && !found {
		return errors.New(`the body has no resourceLogs: expected {"resourceLogs":[...]}`)
	}
	return nil
}

// jsonEach calls do for the objects in an array.
func (g *groups) jsonEach(name string, array []byte, do func(object []byte) error) error {
	if array[0] == 'n' {
		return nil
	}
	if array[0] != '[' {
		return fmt.Errorf("%s is not an array", name)
	}
	for element := range elements(array) {
		if element[0] != '{' {
			return fmt.Errorf("%s holds something that is not an object", name)
		}
		if err := do(element); err != nil {
			return err
		}
	}
	return nil
}

func (g *groups) jsonResource(object []byte) (err error) {
	if err := g.begin(); err != nil {
		return err
	}
	if g.resource, err = appendMembers(g.resource, object, "scopeLogs"); err != nil {
		return err
	}
	for name, value := range members(object) {
		if name == "scopeLogs" {
			if err := g.jsonEach(name, value, g.jsonScope); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *groups) jsonScope(object []byte) (err error) {
	g.beginScope()
	if g.scope, err = appendMembers(g.scope, object, "logRecords"); err != nil {
		return err
	}
	for name, value := range members(object) {
		if name == "logRecords" {
			if err := g.jsonEach(name, value, g.jsonRecord); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *groups) jsonRecord(object []byte) error {
	return g.record(func(line []byte) ([]byte, error) { return appendOneLine(line, object), nil })
}

// appendMembers appends all members of an object but one, each with a comma behind it.
func appendMembers(to, object []byte, but string) ([]byte, error) {
	from := len(to)
	for name, value := range members(object) {
		if name == but {
			continue
		}
		to = append(appendJSONString(to, name), ':')
		to = append(appendOneLine(to, value), ',')
		if len(to)-from > maxAttributes {
			return to, errAttributes
		}
	}
	return to, nil
}

// appendOneLine appends JSON without its line ends, which stand between values only.
func appendOneLine(to, value []byte) []byte {
	from := len(to)
	to = append(to, value...)
	for i := from; i < len(to); i++ {
		if to[i] == '\n' || to[i] == '\r' {
			to[i] = ' '
		}
	}
	return to
}

// members lists the members of a JSON object that is known to be valid.
func members(object []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for i := pastSpace(object, 1); object[i] != '}'; {
			end := pastValue(object, i)
			name := string(object[i+1 : end-1])
			if bytes.IndexByte(object[i:end], '\\') >= 0 {
				_ = json.Unmarshal(object[i:end], &name)
			}
			i = pastSpace(object, end)
			i = pastSpace(object, i+1) // the colon
			end = pastValue(object, i)
			if !yield(name, object[i:end]) {
				return
			}
			if i = pastSpace(object, end); object[i] == ',' {
				i = pastSpace(object, i+1)
			}
		}
	}
}

// elements lists the elements of a JSON array that is known to be valid.
func elements(array []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := pastSpace(array, 1); array[i] != ']'; {
			end := pastValue(array, i)
			if !yield(array[i:end]) {
				return
			}
			if i = pastSpace(array, end); array[i] == ',' {
				i = pastSpace(array, i+1)
			}
		}
	}
}

func pastSpace(b []byte, i int) int {
	for b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t' {
		i++
	}
	return i
}

// pastValue is where the value at i ends. It stands within an object or an array.
func pastValue(b []byte, i int) int {
	switch b[i] {
	case '"':
		return pastString(b, i)
	case '{', '[':
		for depth := 0; ; i++ {
			switch b[i] {
			case '"':
				i = pastString(b, i) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
	}
	for ; ; i++ {
		switch b[i] {
		case ',', '}', ']', ' ', '\n', '\r', '\t':
			return i
		}
	}
}

func pastString(b []byte, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i + 1
}
