package formats

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/schema"
)

var accessLogs = []Format{nginx, nginxJSON, kong, apache, envoy, envoyJSON, apiGateway}

// Each testdata/FORMAT/*.log has beside it what is read from it.
func TestAccessLogGolden(t *testing.T) {
	for _, format := range accessLogs {
		files, err := filepath.Glob(filepath.Join("testdata", format.Name, "*.log"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no log files for %s: %v", format.Name, err)
		}
		for _, file := range files {
			t.Run(format.Name+"/"+filepath.Base(file), func(t *testing.T) {
				data, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				got := strings.Join(readWhole(format, data, len(data)), "\n") + "\n"
				golden := strings.TrimSuffix(file, ".log") + ".golden"
				if *update {
					if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			})
		}
	}
}

// What is read does not depend on how the file is cut into calls.
func TestAccessLogChunks(t *testing.T) {
	for _, format := range accessLogs {
		files, _ := filepath.Glob(filepath.Join("testdata", format.Name, "*.log"))
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := readWhole(format, data, len(data))
			for _, size := range []int{1, 2, 3, 7, 64, 1000} {
				if diff := cmp.Diff(want, readWhole(format, data, size)); diff != "" {
					t.Errorf("%s in pieces of %d bytes: -whole +pieces:\n%s", file, size, diff)
				}
			}
		}
	}
}

func TestAccessLogDetect(t *testing.T) {
	for _, format := range accessLogs {
		files, _ := filepath.Glob(filepath.Join("testdata", format.Name, "*.log"))
		for _, file := range files {
			if filepath.Base(file) == "broken.log" {
				continue // most of its lines are no records
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, head := range [][]byte{data, data[:len(data)*2/3]} {
				got, why, ok := Detect(head)
				if !ok || got.Name != format.Name || why == "" {
					t.Errorf("%s (%d bytes): detected %q because %q", file, len(head), got.Name, why)
				}
			}
		}
	}
	for name, head := range map[string]string{
		"csv":         "\"EVENT_TYPE\",\"TIMESTAMP\",\"REQUEST_ID\"\n\"API\",\"20260302091200.118\",\"x\"\n",
		"otlp":        `{"resourceLogs":[{"resource":{"attributes":[]},"scopeLogs":[]}]}`,
		"gelf":        `{"version":"1.1","host":"mw1","short_message":"401 from CRM","timestamp":1772442720.118,"level":4}`,
		"app":         `{"time":"2026-03-02T09:12:04Z","level":"info","msg":"request","status":200,"request":"GET /","user_agent":"x"}`,
		"nginx error": `2026/03/02 09:12:00 [error] 7#7: *1 upstream timed out, client: 203.0.113.77`,
		"syslog":      `<134>1 2026-03-02T09:12:00.118Z gw1 crmgw 2211 AUTH [meta@32473 user="svc-sync"] login failed`,
		"empty":       "", "zeros": "\x00\x00\x00", "brace": "{", "half": `{"`,
	} {
		for _, format := range accessLogs {
			if why := format.Detect([]byte(head)); why != "" {
				t.Errorf("%s is claimed as %s: %s", name, format.Name, why)
			}
		}
	}
}

// A line longer than the limit is rejected in parts, and the next one is read.
func TestAccessLogLongLine(t *testing.T) {
	const limit = 300
	line := `198.51.100.23 - - [02/Mar/2026:09:12:00 +0000] "GET / HTTP/1.1" 200 1 "-" "`
	exact := line + strings.Repeat("x", limit-len(line)-1) + `"`
	over := line + strings.Repeat("é", limit/2) + `"`
	zeros := line + strings.Repeat("\x00", 5*limit)
	data := []byte(exact + "\n" + over + "\n" + zeros + "\n" + line + `last"`)
	for _, size := range []int{len(data), 1, 50, limit, limit + 1} {
		l := nginx.New(Options{}).(*nginxLog)
		l.lines.max = limit
		r := &recorder{}
		r.read(l, data, size)
		var got []string
		for _, out := range r.out {
			var record struct{ Reject, Content string }
			if err := json.Unmarshal([]byte(out), &record); err != nil {
				t.Fatal(err)
			}
			got = append(got, record.Reject)
		}
		want := []string{"", ReasonTooLong, ReasonTooLong, ReasonCut, ReasonNotText, ""}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("in pieces of %d: -want +got:\n%s", size, diff)
		}
	}
}

func TestAccessLogUTF16(t *testing.T) {
	data := []byte("\xff\xfe{\x00}\x00\n\x00")
	for _, format := range accessLogs {
		got := readWhole(format, data, len(data))
		if len(got) != 1 || !strings.Contains(got[0], ReasonNotText) || !strings.Contains(got[0], "UTF-16") {
			t.Errorf("%s: %q", format.Name, got)
		}
	}
}

// The order of names, quotes around numbers and empty values do not change the
// identity of a record.
func TestJSONLogIdentity(t *testing.T) {
	one := `{"msec":1772442720.118,"status":"200","remote_addr":"198.51.100.23","a":{"b":[1,2],"c":null}}`
	same := `{"a":{"b":[1, 2]},"remote_addr":"198.51.100.23","status":200,"msec":"1772442720.118","d":""}`
	other := `{"a":{"b":[1, 3]},"remote_addr":"198.51.100.23","status":200,"msec":"1772442720.118"}`
	uid := func(line string) schema.UID {
		r := &recorder{}
		nginxJSON.New(Options{Tenant: "acme"}).Decode([]byte(line), true, r)
		return r.uid
	}
	if uid(one) != uid(same) {
		t.Error("the same record has two identities")
	}
	if uid(one) == uid(other) {
		t.Error("two records have the same identity")
	}
}

func TestClock(t *testing.T) {
	for text, want := range map[string]int64{
		"02/Mar/2026:09:12:00 +0000":    1772442720000,
		"02/Mar/2026:10:42:00 +0130":    1772442720000,
		"2026-03-02T09:12:00.118+00:00": 1772442720118,
		"2026-03-02T09:12:00,118999Z":   1772442720118,
		"2026-03-02 07:12:00-02":        1772442720000,
		"2026-03-02 09:12:00":           1772442720000,
		"1772442720":                    1772442720000,
		"1772442720.118":                1772442720118,
		"1772442720118":                 1772442720118,
		"1772442720118000000":           1772442720118,
		"1772442720118000":              1772442720118,
		"02/Foo/2026:09:12:00 +0000":    -1,
		"31/Feb/2026:09:12:00 +0000":    -1,
		"02/Mar/2026:25:12:00 +0000":    -1,
		"2026-03-02T09:12:0":            -1,
		"2026-03-02T09:12:00 later":     -1,
		"17724427x0":                    -1,
		"":                              -1,
		"99999999999999999999":          -1,
	} {
		var c clock
		if got, ok := c.millis(text); ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: got %d, %v, want %d", text, got, ok, want)
		}
	}
}

// recorder writes down what a decoder says.
type recorder struct {
	out []string
	uid schema.UID
}

func readWhole(format Format, data []byte, size int) []string {
	r := &recorder{}
	r.read(format.New(Options{Tenant: "acme"}), data, size)
	return r.out
}

// read gives data to the decoder in pieces of size bytes, as a reader would.
func (r *recorder) read(decoder Decoder, data []byte, size int) {
	from, to := 0, 0
	for to < len(data) {
		to = min(to+size, len(data))
		piece := bytes.Clone(data[from:to])
		used := decoder.Decode(piece, to == len(data), r)
		clear(piece)
		if used < 0 || used > len(piece) || to == len(data) && used != len(piece) {
			r.out = append(r.out, "used too little or too much")
			return
		}
		from += used
	}
}

func (r *recorder) Event(e *schema.Event) {
	r.uid = e.UID
	r.add(e)
}

func (r *recorder) Reject(j Rejection) {
	content := string(j.Content)
	if len(content) > 60 {
		content = content[:30] + "..." + content[len(content)-30:]
	}
	r.add(map[string]any{"reject": j.Reason, "detail": j.Detail, "line": j.Line, "column": j.Column, "offset": j.Offset, "length": len(j.Content), "content": content})
}

func (r *recorder) add(record any) {
	line, err := json.MarshalIndent(record, "", " ")
	if err != nil {
		line = []byte(err.Error())
	}
	r.out = append(r.out, string(line))
}
