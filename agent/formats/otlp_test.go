package formats

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/schema"
)

const otlpLine = `{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"crm-sync"}}]},"scopeLogs":[{"scope":{},"logRecords":[` +
	`{"timeUnixNano":"1772442720118000000","body":{"stringValue":"one"}},{"timeUnixNano":"1772442721118000000","body":{"stringValue":"two"}}]}]}]}`

// A line is used as a whole or not at all, so that who follows the log can stop behind
// any line, and a new decoder goes on there.
func TestOTLPUsesWholeLines(t *testing.T) {
	data := []byte(otlpLine + "\n" + otlpLine + "\n")
	for cut := range len(data) {
		var seen countingSink
		used := otlp.New(Options{}).Decode(data[:cut], false, &seen)
		if lines := bytes.Count(data[:used], []byte("]}]}]}")); lines*2 != seen.events || used > 0 && data[used-1] != '}' && data[used-1] != '\n' {
			t.Fatalf("of %d bytes %d are used, with %d events", cut, used, seen.events)
		}
		again := otlp.New(Options{Start: Position{Offset: int64(used)}})
		if again.Decode(data[used:], true, &seen); seen.events != 4 || seen.rejections != 0 {
			t.Fatalf("cut at %d: %d events and %d rejections", used, seen.events, seen.rejections)
		}
	}
}

// A line that is longer than the limit is read record by record; a record that is
// longer is rejected in parts, and the next line is read.
func TestOTLPLongLine(t *testing.T) {
	const limit = 400
	record := `{"timeUnixNano":"1772442720118000000","body":{"stringValue":"x"}}`
	start, _, _ := strings.Cut(otlpLine, `{"timeUnixNano"`)
	long := start + strings.Repeat(record+",", 20) + record + "]}]}]}\n"
	big := start + record + `,{"timeUnixNano":"1772442720118000000","body":{"stringValue":"` + strings.Repeat("é", limit) + `"}}]}]}]}` + "\n"
	data := []byte(long + big + otlpLine)
	var want []string
	for i, size := range []int{len(data), 1, 50, limit, limit + 1} {
		d := otlp.New(Options{}).(*otlpLog)
		d.lines.max = limit
		r := &reasons{}
		decodeInSteps(t, d, data, size, r)
		if i == 0 {
			want = r.list
			for len(want) > 0 && want[0] == "" {
				want = want[1:]
			}
			if events := len(r.list) - len(want); events != 22 {
				t.Errorf("%d events before the record that is too long, want 22", events)
			}
			if n := len(want); n < 4 || want[0] != ReasonTooLong || want[n-1] != "" || want[n-2] != "" || want[n-3] == "" {
				t.Errorf("after them: %q", want)
			}
			want = r.list
		}
		if diff := cmp.Diff(want, r.list); diff != "" {
			t.Errorf("in pieces of %d: -want +got:\n%s", size, diff)
		}
	}
}

// A record has one identity however it is written, another one of another resource,
// and the same as its double.
func TestOTLPIdentity(t *testing.T) {
	read := func(text string) (uids []schema.UID) {
		var got transcript
		decodeInSteps(t, otlp.New(Options{Tenant: "acme"}), []byte(text), len(text), &got)
		return got.uids
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, []byte(otlpLine), "", "  "); err != nil {
		t.Fatal(err)
	}
	one := read(otlpLine)
	if len(one) != 2 || one[0] == one[1] {
		t.Fatalf("%v", one)
	}
	if diff := cmp.Diff(one, read(pretty.String())); diff != "" {
		t.Errorf("spread over lines: -want +got:\n%s", diff)
	}
	for name, other := range map[string]string{
		"the service": strings.Replace(otlpLine, "crm-sync", "crm-push", 1),
		"the tenant":  strings.Replace(otlpLine, "service.name", "tenant", 1),
		"the body":    strings.Replace(otlpLine, `"one"`, `"two"`, 1),
		"the scope":   strings.Replace(otlpLine, `"scope":{}`, `"scope":{"name":"x"}`, 1),
	} {
		if got := read(other); len(got) != 2 || got[0] == one[0] {
			t.Errorf("with another value for %s the identity is the same: %v", name, got)
		}
	}
	if double := read(otlpLine + "\n" + otlpLine); len(double) != 4 || double[0] != double[2] {
		t.Errorf("%v", double)
	}
}

// A resource counts for its records also where it stands behind them.
func TestOTLPResourceBehindItsRecords(t *testing.T) {
	line := `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1772442720118000000","body":{"stringValue":"one"}}]}],"schemaUrl":"","resource":{"attributes":[{"key":"service.name","value":{"stringValue":"crm-sync"}}]}},` +
		`{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1772442720118000000","body":{"stringValue":"two"}}]}]}]}`
	var got said
	for _, size := range []int{len(line), 1, 60} {
		got = said{}
		decodeInSteps(t, otlp.New(Options{}), []byte(line), size, &got)
		want := []string{
			"2026-03-02T09:12:00.118Z metadata_product_name=OpenTelemetry log actor_app_name=crm-sync message=one class_uid=6003 activity_id=99",
			"2026-03-02T09:12:00.118Z metadata_product_name=OpenTelemetry log message=two class_uid=6003 activity_id=99",
		}
		if diff := cmp.Diff(want, got.lines); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}

// What of a file that a collector did not finish is whole is read, wherever it ends.
func TestOTLPCutAnywhere(t *testing.T) {
	data, err := os.ReadFile("testdata/otlp/collector.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	before := 0
	for cut := range len(data) {
		var got countingSink
		cutOff := append(bytes.Clone(data[:cut]), "\n"+otlpLine+"\n"...)
		if used := otlp.New(Options{}).Decode(cutOff, true, &got); used != len(cutOff) {
			t.Fatalf("used %d of %d bytes", used, len(cutOff))
		}
		if got.events < before {
			t.Fatalf("cut at %d: %d events, with less %d", cut, got.events, before)
		}
		before = got.events
	}
}
