package formats

import (
	"bytes"
	"slices"
)

// objectLength is the length of the object at the start of data, or 0 when it is
// not closed. Braces inside strings do not count.
func objectLength(data []byte) int {
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"':
			n := jsonStringLength(data[i:])
			if n == 0 {
				return 0
			}
			i += n - 1
		}
	}
	return 0
}

// jsonStringLength is the length of the string at the start of data, quotes
// included, or 0 when it is not closed.
func jsonStringLength(data []byte) int {
	for i := 1; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// envelopeNames are the members beside "records" in the answer to a query.
var envelopeNames = []string{"totalSize", "done", "nextRecordsUrl", "status", "warnings", "entityTypeName"}

// jsonEnvelope says whether an object is the answer to a query, how long it is up
// to its first record, and how many objects that opens.
func jsonEnvelope(data []byte) (n, depth int, is bool) {
	at := 0
	space := func() byte {
		for at < len(data) && (data[at] == ' ' || data[at] == '\t' || data[at] == '\r' || data[at] == '\n' || data[at] == ',') {
			at++
		}
		if at == len(data) {
			return 0
		}
		return data[at]
	}
	for depth < 2 && space() == '{' {
		depth++
		at++
	members:
		for space() == '"' {
			length := jsonStringLength(data[at:])
			if length == 0 {
				return 0, 0, false
			}
			name := string(data[at+1 : at+length-1])
			switch {
			case name == "records" || name == "result":
				at += length
				if space() != ':' {
					return 0, 0, false
				}
				at++
				if name == "result" {
					break members
				}
				return at + 1, depth, space() == '['
			case slices.Contains(envelopeNames, name):
				length, ok := jsonMember(data[at:])
				if !ok {
					return 0, 0, false
				}
				at += length
			default:
				return 0, 0, false
			}
		}
	}
	return 0, 0, false
}

// jsonMember is the length of a member with a plain value, or an empty array, at
// the start of data. It is not ok when the member is something else or cut off.
func jsonMember(data []byte) (n int, ok bool) {
	n = jsonStringLength(data)
	if n == 0 {
		return 0, false
	}
	for n < len(data) && (data[n] == ' ' || data[n] == ':' || data[n] == '\t' || data[n] == '\r' || data[n] == '\n') {
		n++
	}
	if n == len(data) {
		return 0, false
	}
	if data[n] == '"' {
		length := jsonStringLength(data[n:])
		return n + length, length > 0
	}
	for n < len(data) && data[n] != ',' && data[n] != '}' && data[n] != '\n' {
		if data[n] == '{' {
			return 0, false
		}
		n++
	}
	return n, n < len(data)
}

// firstObjectNames lists the names in the first record of a file's head; nil when
// it is not JSON. The record itself may be cut off.
func firstObjectNames(head []byte) []string {
	head = bytes.TrimLeft(head, " \t\r\n[")
	if len(head) == 0 || head[0] != '{' {
		return nil
	}
	if n, _, is := jsonEnvelope(head); is {
		head = bytes.TrimLeft(head[n:], " \t\r\n")
	}
	names := []string{}
	for i, depth, after := 0, 0, byte(0); i < len(head); i++ {
		switch c := head[i]; c {
		case '{', '[':
			depth++
			after = c
		case '}', ']':
			if depth--; depth == 0 {
				return names
			}
			after = c
		case '"':
			n := jsonStringLength(head[i:])
			if n == 0 {
				return names
			}
			if depth == 1 && (after == '{' || after == ',') {
				names = append(names, string(head[i+1:i+n-1]))
			}
			i += n - 1
			after = c
		case ',', ':':
			after = c
		}
	}
	return names
}
