package formats

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/schema"
)

// said collects what a decoder gives, as text.
type said struct{ lines []string }

func (s *said) Event(e *schema.Event) {
	var out strings.Builder
	out.WriteString(e.When().Format(time.RFC3339Nano))
	for i, v := range e.Text {
		if c := schema.Text(i); v != "" && c != schema.MetadataLogFormat && c != schema.MetadataLogName {
			fmt.Fprintf(&out, " %s=%s", c.Column(), v)
		}
	}
	for i, v := range e.Number {
		if c := schema.Number(i); v != 0 && c != schema.SourceOffset && c != schema.SeverityID {
			fmt.Fprintf(&out, " %s=%d", c.Column(), v)
		}
	}
	for _, a := range e.Unmapped {
		fmt.Fprintf(&out, " {%s=%s}", a.Name, a.Value)
	}
	s.lines = append(s.lines, out.String())
}

func (s *said) Reject(r Rejection) {
	s.lines = append(s.lines, fmt.Sprintf("line %d: %s: %s", r.Line, r.Reason, r.Detail))
}

func TestMappingsReadUnknownLogs(t *testing.T) {
	for _, c := range []struct {
		name    string
		mapping Mapping
		log     string
		want    []string
	}{
		{"json", Mapping{Name: "orders", Shape: "json", Product: "Orders", Class: "authentication",
			Time: MappingTime{Field: "ts", Layout: "epoch_ms"}, Fields: map[string]string{"who.name": "actor_user_name", "from": "source", "took": "duration_s", "key": "credential"},
			Status: MappingStatus{Field: "result", Success: []string{"ok"}, Failure: []string{"denied"}, Challenge: []string{"otp"}}},
			`{"ts":1772438400123,"who":{"name":"anna"},"from":"203.0.113.9:4431","took":"0.25","result":"DENIED","n":7}
{"ts":1772438401000,"who":{"name":"bert"},"result":"otp"}
{"ts":"soon","who":{"name":"bert"}}
not json
`, []string{
				"2026-03-02T08:00:00.123Z metadata_product_name=Orders actor_user_name=anna src_endpoint_ip=203.0.113.9 x_src_endpoint_network=203.0.113.0/24 status_code=DENIED class_uid=3002 activity_id=1 status_id=2 src_endpoint_port=4431 duration=250 {n=7}",
				"2026-03-02T08:00:01Z metadata_product_name=Orders actor_user_name=bert status_code=otp class_uid=3002 activity_id=1 status_id=99",
				"line 3: unreadable time: the field ts does not hold a time of the form that the mapping orders gives: mend time.layout",
				`line 4: syntax error: expected a JSON object, "{...}": remove what is no JSON, or write it to another file`,
			}},
		{"csv in a local zone", Mapping{Name: "sync", Shape: "csv", Time: MappingTime{Field: "Zeit", Layout: "02.01.2006 15:04:05", Zone: "Europe/Berlin"},
			Fields: map[string]string{"Benutzer": "actor_user_uid", "Zeilen": "x_rows_processed"}, Constants: map[string]string{"activity_id": "2", "actor_user_type_id": "4"}},
			"Zeit,Benutzer,Zeilen,Text\n02.03.2026 09:00:00,u1,5000,\"a\nb\"\n2026-03-02,u1,1,x\n", []string{
				"2026-03-02T08:00:00Z actor_user_uid=u1 class_uid=6003 activity_id=2 actor_user_type_id=4 x_rows_processed=5000 {Text=a\nb}",
				"line 4: unreadable time: the field Zeit does not hold a time of the form that the mapping sync gives: mend time.layout",
			}},
		{"logfmt", Mapping{Name: "gate", Shape: "logfmt", Time: MappingTime{Field: "t"}, Fields: map[string]string{"m": "http_request_http_method", "u": "url", "code": "http_response_code", "secret": "drop"}},
			"t=2026-03-02T08:00:00Z m=GET u=\"/a b?x=1\" code=401 secret=abc word say=\"he \\\"said\\\"\"\nno pairs\n", []string{
				`2026-03-02T08:00:00Z http_request_http_method=GET http_request_url_path=/a b http_request_url_query_string=x=1 status_code=401 class_uid=4002 activity_id=3 status_id=2 action_id=2 http_response_code=401 {say=he "said"}`,
				"line 2: syntax error: expected key=value pairs",
			}},
		{"regex", Mapping{Name: "bpa-tasks", Shape: "regex", Pattern: `^\[(?P<at>[^]]+)\] (?P<level>\w+) task (?P<task>\S+) (?P<outcome>\w+)$`,
			Time: MappingTime{Field: "at", Layout: "2006-01-02 15:04:05,000"}, Fields: map[string]string{"task": "api_operation"},
			Status: MappingStatus{Field: "outcome", Success: []string{"completed"}, Failure: []string{"failed"}}},
			"[2026-03-02 08:00:00,250] INFO task sync.orders completed\r\nrubbish\n", []string{
				"2026-03-02T08:00:00.25Z api_operation=sync.orders status_code=completed class_uid=6003 activity_id=99 status_id=1 {level=INFO}",
				"line 2: syntax error: the line is not of the form that the pattern of the mapping bpa-tasks gives",
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if problems := c.mapping.Check(); problems != nil {
				t.Fatal(problems)
			}
			SetMappings([]Mapping{c.mapping})
			defer SetMappings(nil)
			f, why, ok := Detect([]byte(c.log))
			if !ok || f.Name != c.mapping.Name {
				t.Errorf("recognised as %q (%s)", f.Name, why)
			}
			var got said
			f.New(Options{}).Decode([]byte(c.log), true, &got)
			if diff := cmp.Diff(c.want, got.lines); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			// However it is cut, it says the same.
			for cut := range len(c.log) {
				var again said
				d := f.New(Options{})
				used := d.Decode([]byte(c.log[:cut]), false, &again)
				d.Decode([]byte(c.log[used:]), true, &again)
				if diff := cmp.Diff(c.want, again.lines); diff != "" {
					t.Fatalf("cut at %d (-want +got):\n%s", cut, diff)
				}
			}
		})
	}
}

func TestMappingMistakesAreNamed(t *testing.T) {
	m := Mapping{Name: "nginx", Shape: "xml", Class: "login", Time: MappingTime{Layout: "yesterday", Zone: "Mars/Base"},
		Fields: map[string]string{"u": "user"}, Constants: map[string]string{"source": "x"}, Status: MappingStatus{Success: []string{"ok"}}}
	var keys []string
	for _, p := range m.Check() {
		keys = append(keys, p.Key)
	}
	if diff := cmp.Diff([]string{"class", "constants.source", "fields.u", "name", "shape", "status", "time", "time.layout", "time.zone"}, keys); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzMappings(f *testing.F) {
	f.Add([]byte(`{"t":1}` + "\n" + `t=2026-03-02T08:00:00Z a="b`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, shape := range []string{"json", "csv", "logfmt", "regex"} {
			m := Mapping{Name: "x", Shape: shape, Time: MappingTime{Field: "t"}, Pattern: `^(?P<t>\S+) (?P<a>.*)$`}
			if used := m.decoder(Options{}).Decode(data, true, &said{}); used > len(data) {
				t.Fatalf("%s: used %d of %d", shape, used, len(data))
			}
		}
	})
}
