package receive

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/crmwatch/crmwatch/agent/formats"
)

// The messages of OTLP are read by their field numbers, which never change
// (opentelemetry-proto 1.x: collector/logs/v1, logs/v1, resource/v1, common/v1). What has
// another number is not known and passed over, as protobuf has it.

// maxDepth is how deep a value may hold others.
const maxDepth = 32

var errDepth = fmt.Errorf("a value holds others more than %d deep", maxDepth)

// field is one field of a message: a number in bits, or bytes.
type field struct {
	number protowire.Number
	wire   protowire.Type
	bits   uint64
	bytes  []byte
}

// eachField reads the fields of a message.
func eachField(message []byte, do func(field) error) error {
	for len(message) > 0 {
		number, wire, n := protowire.ConsumeTag(message)
		if n < 0 {
			return errProtobuf
		}
		message = message[n:]
		f := field{number: number, wire: wire}
		switch wire {
		case protowire.VarintType:
			f.bits, n = protowire.ConsumeVarint(message)
		case protowire.Fixed64Type:
			f.bits, n = protowire.ConsumeFixed64(message)
		case protowire.Fixed32Type:
			var bits uint32
			bits, n = protowire.ConsumeFixed32(message)
			f.bits = uint64(bits)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(message)
		default:
			n = protowire.ConsumeFieldValue(number, wire, message)
		}
		if n < 0 {
			return errProtobuf
		}
		message = message[n:]
		if err := do(f); err != nil {
			return err
		}
	}
	return nil
}

var errProtobuf = errors.New("the body is not an ExportLogsServiceRequest in protobuf")

// is says whether a field has this number and type.
func (f *field) is(number protowire.Number, wire protowire.Type) bool {
	return f.number == number && f.wire == wire
}

// protobuf reads an ExportLogsServiceRequest.
func (g *groups) protobuf(body []byte) error {
	return eachField(body, func(f field) error {
		if f.is(1, protowire.BytesType) {
			return g.protobufResource(f.bytes)
		}
		return f.unknown(1)
	})
}

// unknown is an error for a field whose number is known and whose type is another.
func (f *field) unknown(upTo protowire.Number) error {
	if f.number <= upTo {
		return errProtobuf
	}
	return nil
}

func (g *groups) protobufResource(message []byte) error {
	if err := g.begin(); err != nil {
		return err
	}
	// The scopes may stand before the resource that they are of.
	err := eachField(message, func(f field) (err error) {
		switch {
		case f.is(1, protowire.BytesType):
			g.resource = append(g.resource, `"resource":{`...)
			if g.resource, err = appendAttributed(g.resource, f.bytes, resourceFields); err == nil {
				g.resource = append(g.resource, "},"...)
			}
		case f.is(3, protowire.BytesType):
			g.resource = appendText(g.resource, "schemaUrl", f.bytes)
		}
		if len(g.resource) > maxAttributes {
			return errAttributes
		}
		return err
	})
	if err != nil {
		return err
	}
	return eachField(message, func(f field) error {
		switch {
		case f.is(2, protowire.BytesType):
			return g.protobufScope(f.bytes)
		case f.wire == protowire.BytesType:
			return nil
		}
		return f.unknown(3)
	})
}

func (g *groups) protobufScope(message []byte) error {
	g.beginScope()
	err := eachField(message, func(f field) (err error) {
		switch {
		case f.is(1, protowire.BytesType):
			g.scope = append(g.scope, `"scope":{`...)
			if g.scope, err = appendAttributed(g.scope, f.bytes, scopeFields); err == nil {
				g.scope = append(g.scope, "},"...)
			}
		case f.is(3, protowire.BytesType):
			g.scope = appendText(g.scope, "schemaUrl", f.bytes)
		}
		if len(g.scope) > maxAttributes {
			return errAttributes
		}
		return err
	})
	if err != nil {
		return err
	}
	return eachField(message, func(f field) error {
		switch {
		case f.is(2, protowire.BytesType):
			return g.record(func(line []byte) ([]byte, error) { return appendRecord(line, f.bytes) })
		case f.wire == protowire.BytesType:
			return nil
		}
		return f.unknown(3)
	})
}

// attributedFields are the numbers of a message with attributes; 0 for none.
type attributedFields struct{ attributes, dropped, name, version protowire.Number }

var (
	resourceFields = attributedFields{attributes: 1, dropped: 2}
	scopeFields    = attributedFields{name: 1, version: 2, attributes: 3, dropped: 4}
)

// appendAttributed appends the members of a Resource or an InstrumentationScope.
func appendAttributed(to, message []byte, fields attributedFields) ([]byte, error) {
	var attributes attributeList
	start := len(to)
	err := eachField(message, func(f field) (err error) {
		switch {
		case f.wire == protowire.BytesType && f.number == fields.attributes:
			attributes = append(attributes, f.bytes)
		case f.wire == protowire.BytesType && f.number == fields.name:
			to = appendText(to, "name", f.bytes)
		case f.wire == protowire.BytesType && f.number == fields.version:
			to = appendText(to, "version", f.bytes)
		case f.wire == protowire.VarintType && f.number == fields.dropped:
			to = appendCount(to, "droppedAttributesCount", f.bits)
		}
		return err
	})
	if err == nil {
		to, err = attributes.append(to)
	}
	return trimComma(to, start), err
}

// attributeList are the KeyValue messages of another message.
type attributeList [][]byte

// append appends the attributes as a member with a comma behind it.
func (l attributeList) append(to []byte) ([]byte, error) {
	if len(l) == 0 {
		return to, nil
	}
	to = append(to, `"attributes":[`...)
	start := len(to)
	for _, one := range l {
		var err error
		if to, err = appendKeyValue(to, one, 0); err != nil {
			return to, err
		}
		to = append(to, ',')
	}
	return append(trimComma(to, start), "],"...), nil
}

// appendRecord appends a LogRecord.
func appendRecord(to, message []byte) ([]byte, error) {
	to = append(to, '{')
	start := len(to)
	var attributes attributeList
	err := eachField(message, func(f field) (err error) {
		switch {
		case f.is(1, protowire.Fixed64Type):
			to = appendNanos(to, "timeUnixNano", f.bits)
		case f.is(11, protowire.Fixed64Type):
			to = appendNanos(to, "observedTimeUnixNano", f.bits)
		case f.is(2, protowire.VarintType):
			to = appendCount(to, "severityNumber", f.bits)
		case f.is(3, protowire.BytesType):
			to = appendText(to, "severityText", f.bytes)
		case f.is(5, protowire.BytesType):
			to = append(to, `"body":`...)
			if to, err = appendAny(to, f.bytes, 0); err == nil {
				to = append(to, ',')
			}
		case f.is(6, protowire.BytesType):
			attributes = append(attributes, f.bytes)
		case f.is(7, protowire.VarintType):
			to = appendCount(to, "droppedAttributesCount", f.bits)
		case f.is(8, protowire.Fixed32Type):
			to = appendCount(to, "flags", f.bits)
		case f.is(9, protowire.BytesType):
			to = appendHex(to, "traceId", f.bytes)
		case f.is(10, protowire.BytesType):
			to = appendHex(to, "spanId", f.bytes)
		case f.is(12, protowire.BytesType):
			to = appendText(to, "eventName", f.bytes)
		default:
			return f.unknown(12)
		}
		return err
	})
	if err == nil {
		to, err = attributes.append(to)
	}
	return append(trimComma(to, start), '}'), err
}

func appendKeyValue(to, message []byte, depth int) ([]byte, error) {
	to = append(to, '{')
	start := len(to)
	err := eachField(message, func(f field) (err error) {
		switch {
		case f.is(1, protowire.BytesType):
			to = appendText(to, "key", f.bytes)
		case f.is(2, protowire.BytesType):
			to = append(to, `"value":`...)
			if to, err = appendAny(to, f.bytes, depth); err == nil {
				to = append(to, ',')
			}
		default:
			return f.unknown(2)
		}
		return err
	})
	return append(trimComma(to, start), '}'), err
}

// appendAny appends an AnyValue; of several kinds in one the last counts.
func appendAny(to, message []byte, depth int) ([]byte, error) {
	if depth > maxDepth {
		return to, errDepth
	}
	if len(to) > formats.MaxRecord {
		return to, errRecordTooLong
	}
	start := len(to)
	to = append(to, "{}"...)
	err := eachField(message, func(f field) (err error) {
		switch {
		case f.is(1, protowire.BytesType):
			to = appendJSONString(append(to[:start], `{"stringValue":`...), string(f.bytes))
		case f.is(2, protowire.VarintType):
			to = strconv.AppendBool(append(to[:start], `{"boolValue":`...), f.bits != 0)
		case f.is(3, protowire.VarintType):
			to = append(strconv.AppendInt(append(to[:start], `{"intValue":"`...), int64(f.bits), 10), '"')
		case f.is(4, protowire.Fixed64Type):
			to = appendDouble(append(to[:start], `{"doubleValue":`...), math.Float64frombits(f.bits))
		case f.is(5, protowire.BytesType):
			to = append(to[:start], `{"arrayValue":{"values":[`...)
			to, err = appendValues(to, f.bytes, depth+1, appendAny)
		case f.is(6, protowire.BytesType):
			to = append(to[:start], `{"kvlistValue":{"values":[`...)
			to, err = appendValues(to, f.bytes, depth+1, appendKeyValue)
		case f.is(7, protowire.BytesType):
			to = base64.StdEncoding.AppendEncode(append(to[:start], `{"bytesValue":"`...), f.bytes)
			to = append(to, '"')
		default:
			return f.unknown(7)
		}
		to = append(to, '}')
		return err
	})
	return to, err
}

// appendValues appends the values of an ArrayValue or a KeyValueList and closes it.
func appendValues(to, message []byte, depth int, value func(to, message []byte, depth int) ([]byte, error)) ([]byte, error) {
	start := len(to)
	err := eachField(message, func(f field) (err error) {
		if !f.is(1, protowire.BytesType) {
			return f.unknown(1)
		}
		if to, err = value(to, f.bytes, depth); err == nil {
			to = append(to, ',')
		}
		return err
	})
	return append(trimComma(to, start), "]}"...), err
}

func appendText(to []byte, name string, value []byte) []byte {
	to = append(append(append(to, '"'), name...), `":`...)
	return append(appendJSONString(to, string(value)), ',')
}

func appendHex(to []byte, name string, value []byte) []byte {
	to = append(append(append(to, '"'), name...), `":"`...)
	return append(hex.AppendEncode(to, value), `",`...)
}

func appendNanos(to []byte, name string, value uint64) []byte {
	to = append(append(append(to, '"'), name...), `":"`...)
	return append(strconv.AppendUint(to, value, 10), `",`...)
}

func appendCount(to []byte, name string, value uint64) []byte {
	to = append(append(append(to, '"'), name...), `":`...)
	return append(strconv.AppendUint(to, value, 10), ',')
}

func appendDouble(to []byte, v float64) []byte {
	switch {
	case math.IsNaN(v):
		return append(to, `"NaN"`...)
	case math.IsInf(v, 1):
		return append(to, `"Infinity"`...)
	case math.IsInf(v, -1):
		return append(to, `"-Infinity"`...)
	}
	return strconv.AppendFloat(to, v, 'g', -1, 64)
}

// trimComma takes the comma behind the last of some members, if there are any.
func trimComma(b []byte, start int) []byte {
	if len(b) > start && b[len(b)-1] == ',' {
		return b[:len(b)-1]
	}
	return b
}

// appendResponse appends an ExportLogsServiceResponse.
func appendResponse(to []byte, rejected int64, message string) []byte {
	if rejected == 0 {
		return to
	}
	partial := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(rejected))
	partial = protowire.AppendString(protowire.AppendTag(partial, 2, protowire.BytesType), message)
	return protowire.AppendBytes(protowire.AppendTag(to, 1, protowire.BytesType), partial)
}

// appendStatus appends a google.rpc.Status.
func appendStatus(to []byte, message string) []byte {
	return protowire.AppendString(protowire.AppendTag(to, 2, protowire.BytesType), message)
}
