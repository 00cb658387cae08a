package receive

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/crmwatch/crmwatch/agent/formats"
)

func linesOf(t *testing.T, body string, binary bool) (lines []string) {
	t.Helper()
	if err := eachLine([]byte(body), binary, func(line []byte) bool {
		lines = append(lines, strings.TrimSuffix(string(line), "\n"))
		return true
	}); err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestRequestsInJSON(t *testing.T) {
	for body, want := range map[string][]string{
		`{}`: nil, ` {"resourceLogs":[]} `: nil, `{"resourceLogs":null}`: nil, `{"resourceLogs":[{"resource":{}}]}`: nil,
		// The resource may stand behind the records; line ends go.
		"{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"a\":1},\r\n{\"b\":\"]}\\\"\"}]},{\"scope\":{\"name\":\"s\"},\"logRecords\":[{}]}],\n\"resource\":{\"x\":\n1}},{\"scopeLogs\":[{\"logRecords\":[{\"c\":[]}]}]}]}": {
			`{"resourceLogs":[{"resource":{"x": 1},"scopeLogs":[{"logRecords":[{"a":1},{"b":"]}\""}]},{"scope":{"name":"s"},"logRecords":[{}]}]}]}`,
			`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"c":[]}]}]}]}`,
		},
		`{"resource\u004cogs":[{"scopeLogs":[{"logRecords":[{"a":1}]}]}]}`: {`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"a":1}]}]}]}`},
	} {
		if got := linesOf(t, body, false); !slices.Equal(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", body, got, want)
		}
	}
	for body, want := range map[string]string{
		``: "not JSON", `{"resourceLogs":[`: "not JSON", `[]`: "not an object", `{"resourceLogs":{}}`: "not an array",
		`{"resourceLogs":[1]}`: "not an object", `{"resourceSpans":[]}`: "no resourceLogs",
		`{"resourceLogs":[{"resource":{"a":"` + strings.Repeat("x", maxAttributes) + `"}}]}`: "more than",
	} {
		if err := checkRequest([]byte(body), false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %s", body, err, want)
		}
	}
}

// TestRequestsInGroups: a line has many records and no more than a decoder takes, a record
// that is too long harms no other, and a small request does not become a large one.
func TestRequestsInGroups(t *testing.T) {
	record := `{"body":{"stringValue":"` + strings.Repeat("x", 1000) + `"}}`
	many := `{"resourceLogs":[{"scopeLogs":[{"logRecords":[` + strings.Repeat(record+",", 999) + record + `]}]}]}`
	lines := linesOf(t, many, false)
	found := 0
	for _, line := range lines {
		found += strings.Count(line, `"body"`)
		if len(line) > groupBytes+2000 || !json.Valid([]byte(line)) {
			t.Errorf("a line has %d bytes", len(line))
		}
	}
	if found != 1000 || len(lines) != 4 {
		t.Errorf("%d records in %d lines", found, len(lines))
	}
	long := `{"body":{"stringValue":"` + strings.Repeat("x", formats.MaxRecord) + `"}}`
	lines = linesOf(t, `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"a":1},{"a":2},`+long+`,{"a":3}]}]}]}`, false)
	if len(lines) != 3 || !strings.Contains(lines[0], `[{"a":1},{"a":2}]`) || len(lines[1]) != formats.MaxRecord+1 || !strings.Contains(lines[2], `[{"a":3}]`) {
		t.Errorf("%d lines", len(lines))
	}
	scopes := `{"resourceLogs":[{"resource":{"a":"` + strings.Repeat("x", maxAttributes-100) + `"},"scopeLogs":[` + strings.Repeat(`{"logRecords":[{}]},`, 50_000) + `{}]}]}`
	total := 0
	for _, line := range linesOf(t, scopes, false) {
		total += len(line)
	}
	if total > 10*len(scopes) {
		t.Errorf("%d bytes become %d", len(scopes), total)
	}
}

// message builds protobuf by hand, so that nothing of what reads it is used.
type message []byte

func (m message) bytes(number protowire.Number, value string) message {
	return protowire.AppendString(protowire.AppendTag(m, number, protowire.BytesType), value)
}

func (m message) varint(number protowire.Number, value uint64) message {
	return protowire.AppendVarint(protowire.AppendTag(m, number, protowire.VarintType), value)
}

func (m message) fixed64(number protowire.Number, value uint64) message {
	return protowire.AppendFixed64(protowire.AppendTag(m, number, protowire.Fixed64Type), value)
}

func (m message) fixed32(number protowire.Number, value uint32) message {
	return protowire.AppendFixed32(protowire.AppendTag(m, number, protowire.Fixed32Type), value)
}

func text(s string) string { return string(message{}.bytes(1, s)) }

func attribute(key, value string) string { return string(message{}.bytes(1, key).bytes(2, value)) }

// binaryRecord is a LogRecord; n is found again in its body.
func binaryRecord(n int) string {
	return string(message{}.fixed64(1, 1772442720118000000+uint64(n)).varint(2, 13).bytes(3, "WARN").
		bytes(5, text(fmt.Sprintf("401 from CRM %d", n))).bytes(6, attribute("http.response.status_code", string(message{}.varint(3, 401)))).
		bytes(9, "\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33\x81\x3f\xc6\x0c"))
}

func binaryRequest(records ...string) string {
	scope := message{}.bytes(1, string(message{}.bytes(1, "lib").bytes(2, "1.0")))
	for _, record := range records {
		scope = scope.bytes(2, record)
	}
	// The scopes stand before their resource.
	resource := message{}.bytes(2, string(scope)).bytes(1, string(message{}.bytes(1, attribute("service.name", text("crm-sync")))))
	return string(message{}.bytes(1, string(resource)))
}

func TestRequestsInProtobuf(t *testing.T) {
	values := message{}.bytes(1, text("a\n\"b\xff")).bytes(1, string(message{}.varint(2, 1))).bytes(1, string(message{}.varint(3, 1<<63))).
		bytes(1, string(message{}.fixed64(4, 0x3ff8000000000000))).bytes(1, string(message{}.fixed64(4, 0x7ff0000000000000))).
		bytes(1, string(message{}.bytes(7, "\x00\x01"))).bytes(1, string(message{}.bytes(6, string(message{}.bytes(1, attribute("k", text("v"))))))).bytes(1, "")
	record := message{}.bytes(5, string(message{}.bytes(5, string(values)))).fixed64(11, 7).varint(7, 2).fixed32(8, 1).bytes(10, "\xee\xe1").bytes(12, "login").
		bytes(6, attribute("a", text("1"))).varint(99, 1).bytes(6, attribute("b", ""))
	got := linesOf(t, binaryRequest(string(record), binaryRecord(1)), true)
	want := `{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"crm-sync"}}]},"scopeLogs":[{"scope":{"name":"lib","version":"1.0"},"logRecords":[` +
		`{"body":{"arrayValue":{"values":[{"stringValue":"a\n\"b` + "\uFFFD" + `"},{"boolValue":true},{"intValue":"-9223372036854775808"},{"doubleValue":1.5},{"doubleValue":"Infinity"},{"bytesValue":"AAE="},{"kvlistValue":{"values":[{"key":"k","value":{"stringValue":"v"}}]}},{}]}},` +
		`"observedTimeUnixNano":"7","droppedAttributesCount":2,"flags":1,"spanId":"eee1","eventName":"login","attributes":[{"key":"a","value":{"stringValue":"1"}},{"key":"b","value":{}}]},` +
		`{"timeUnixNano":"1772442720118000001","severityNumber":13,"severityText":"WARN","body":{"stringValue":"401 from CRM 1"},"traceId":"5b8efff798038103d269b633813fc60c","attributes":[{"key":"http.response.status_code","value":{"intValue":"401"}}]}]}]}]}`
	if len(got) != 1 || got[0] != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
	if !json.Valid([]byte(got[0])) {
		t.Error("it is not JSON")
	}
	deep := text("x")
	for range 40 {
		deep = string(message{}.bytes(5, string(message{}.bytes(1, deep))))
	}
	for _, bad := range []string{"{", "\x0a\xff", string(message{}.varint(1, 1)), binaryRequest(string(message{}.bytes(5, deep))), binaryRequest(string(message{}.varint(1, 5)))} {
		if err := checkRequest([]byte(bad), true); err == nil {
			t.Errorf("%.40q is taken", bad)
		}
	}
	// Empty values grow most: what a line cannot hold is cut, and harms no other.
	grows := message{}
	for range 1_500_000 {
		grows = grows.bytes(6, "")
	}
	lines := linesOf(t, binaryRequest(binaryRecord(1), string(grows), binaryRecord(2)), true)
	if len(lines) < 3 || !strings.Contains(lines[0], "CRM 1") || !strings.Contains(lines[len(lines)-1], "CRM 2") {
		t.Errorf("%d lines", len(lines))
	}
}

func FuzzRequestsInJSON(f *testing.F) {
	f.Add(`{"resourceLogs":[{"resource":{"a":1},"scopeLogs":[{"scope":{},"logRecords":[{"body":"]}"},{}]}]}]}`)
	f.Add(`{"a":[1,"\\\"",{}], "resourceLogs":null}`)
	f.Fuzz(func(t *testing.T, body string) { fuzzRequest(t, body, false) })
}

func FuzzRequestsInProtobuf(f *testing.F) {
	f.Add(binaryRequest(binaryRecord(1), binaryRecord(2)))
	f.Fuzz(func(t *testing.T, body string) { fuzzRequest(t, body, true) })
}

func fuzzRequest(t *testing.T, body string, binary bool) {
	_ = eachLine([]byte(body), binary, func(line []byte) bool {
		if strings.Count(string(line), "\n") != 1 || !json.Valid(line) {
			t.Errorf("%q becomes %q", body, line)
		}
		return true
	})
}
