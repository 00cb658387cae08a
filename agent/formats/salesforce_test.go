package formats

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/schema"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var salesforceFormats = []Format{salesforceELF, loginHistory, setupAuditTrail, salesforceRTEM}

// transcript writes down what a decoder gives, one JSON object an item.
type transcript struct {
	bytes.Buffer
	uids   []schema.UID
	events int
}

func (t *transcript) Event(e *schema.Event) {
	t.events++
	t.uids = append(t.uids, e.UID)
	t.write(e)
}

func (t *transcript) Reject(r Rejection) {
	t.write(map[string]any{"offset": r.Offset, "line": r.Line, "column": r.Column, "reason": r.Reason, "detail": r.Detail, "content": string(r.Content)})
}

func (t *transcript) write(value any) {
	encoder := json.NewEncoder(&t.Buffer)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
}

// decodeInSteps gives a decoder a file in pieces, and more where it wants more.
func decodeInSteps(t testing.TB, d Decoder, data []byte, step int, sink Sink) {
	t.Helper()
	end := min(step, len(data))
	for {
		atEOF := end == len(data)
		// A copy, so that a decoder that keeps a piece of its input is found out.
		window := bytes.Clone(data[:end])
		used := d.Decode(window, atEOF, sink)
		for i := range window {
			window[i] = 'X'
		}
		if used < 0 || used > end || atEOF && used != end {
			t.Fatalf("used %d of %d bytes, at the end: %v", used, end, atEOF)
		}
		if atEOF {
			return
		}
		data = data[used:]
		end = min(end-used+step, len(data))
	}
}

func salesforceOptions(t testing.TB) Options {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return Options{Tenant: "acme", Zone: zone}
}

// eachSalesforceFile runs test for every input in testdata.
func eachSalesforceFile(t *testing.T, test func(t *testing.T, format Format, file string, data []byte)) {
	for _, format := range salesforceFormats {
		files, err := filepath.Glob(filepath.Join("testdata", format.Name, "*.*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no files for %s: %v", format.Name, err)
		}
		for _, file := range files {
			if filepath.Ext(file) == ".golden" {
				continue
			}
			t.Run(format.Name+"/"+filepath.Base(file), func(t *testing.T) {
				data, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				test(t, format, file, data)
			})
		}
	}
}

func TestSalesforceGolden(t *testing.T) {
	eachSalesforceFile(t, func(t *testing.T, format Format, file string, data []byte) {
		var got transcript
		decodeInSteps(t, format.New(salesforceOptions(t)), data, len(data), &got)
		golden := file + ".golden"
		if *update {
			if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

func TestSalesforceReadsTheSameInPieces(t *testing.T) {
	eachSalesforceFile(t, func(t *testing.T, format Format, file string, data []byte) {
		if strings.Contains(file, "utf16") {
			return // its one rejection holds what the first call has
		}
		var want transcript
		decodeInSteps(t, format.New(salesforceOptions(t)), data, len(data), &want)
		for _, step := range []int{1, 7, 100, 1000} {
			var got transcript
			decodeInSteps(t, format.New(salesforceOptions(t)), data, step, &got)
			if diff := cmp.Diff(want.String(), got.String()); diff != "" {
				t.Fatalf("in pieces of %d: -whole +pieces:\n%s", step, diff)
			}
		}
	})
}

func TestSalesforceDetect(t *testing.T) {
	eachSalesforceFile(t, func(t *testing.T, format Format, file string, data []byte) {
		got, why, ok := Detect(data[:min(len(data), HeadSize)])
		switch filepath.Base(file) {
		case "empty.csv", "noheader.csv", "notime.csv":
			if ok {
				t.Errorf("detected as %s: %s", got.Name, why)
			}
		default:
			if !ok || got.Name != format.Name || why == "" {
				t.Errorf("detected as %q: %q", got.Name, why)
			}
		}
		for _, other := range salesforceFormats {
			if other.Name != format.Name && other.Detect(data) != "" {
				t.Errorf("%s claims it too", other.Name)
			}
		}
	})
}

func TestSalesforceDetectLeavesOthersAlone(t *testing.T) {
	for _, head := range []string{
		"", "\n", "a", "a,b,c\n1,2,3\n", "EVENT_TYPE,VALUE\nx,1\n", "timestamp,event_type,user\n", "EVENT_TYPE,TIMESTAMP,VALUE\nx,y,z\n",
		"TIMESTAMP,REQUEST_ID,ORGANIZATION_ID\n", "EVENT_TYPE;TIMESTAMP;REQUEST_ID\n", "date,user,subject\n", `{"a":1}`, `{"records":[{"Id":"1","Name":"x"}]}`,
		`[{"CreatedDate":"2026-03-02","Name":"x"}]`, `{"event_type":"Login","timestamp":"2026-03-02"}`, "{", "[", `{"`, `{"records":`, `"unclosed`, "\x00\x01\x02\x03", "\xff\xfeabc",
		`198.51.100.23 - - [02/Mar/2026:09:12:00 +0000] "GET / HTTP/1.1" 200 1 "-" "-"`,
	} {
		for _, format := range salesforceFormats {
			if why := format.Detect([]byte(head)); why != "" {
				t.Errorf("%s claims %q: %s", format.Name, head, why)
			}
		}
	}
}

// An hourly file, its daily twin and a re-export with other quoting, line ends and
// column order hold the same events.
func TestELFIdentitySurvivesReexport(t *testing.T) {
	var uids [2][]schema.UID
	for i, name := range []string{"restapi.csv", "restapi-resaved.csv"} {
		data, err := os.ReadFile(filepath.Join("testdata", "salesforce-elf", name))
		if err != nil {
			t.Fatal(err)
		}
		var got transcript
		decodeInSteps(t, salesforceELF.New(Options{}), data, len(data), &got)
		uids[i] = got.uids
	}
	if len(uids[0]) == 0 || !slices.Equal(uids[0], uids[1]) {
		t.Errorf("got %v and %v", uids[0], uids[1])
	}
	seen := map[schema.UID]bool{}
	for _, uid := range uids[0] {
		if seen[uid] {
			t.Errorf("two rows have the identity %s", uid)
		}
		seen[uid] = true
	}
}

// The columns of a row make its identity; so do tenant and event type.
func TestELFIdentityTellsRowsApart(t *testing.T) {
	const header = "EVENT_TYPE,TIMESTAMP,ORGANIZATION_ID,URI,QUERY\n"
	var got transcript
	rows := "A,20260302140001,00D7x0000004Abc,x,\nA,20260302140001,00D7x0000004Abc,,x\nB,20260302140001,00D7x0000004Abc,x,\nA,20260302140001,00D7x0000004Abd,x,\nA,20260302140002,00D7x0000004Abc,x,\n"
	decodeInSteps(t, salesforceELF.New(Options{}), []byte(header+rows), 1000, &got)
	slices.SortFunc(got.uids, func(a, b schema.UID) int { return bytes.Compare(a[:], b[:]) })
	if n := len(slices.Compact(got.uids)); n != 5 {
		t.Errorf("%d identities for 5 rows", n)
	}
}

func FuzzSalesforce(f *testing.F) {
	for _, format := range salesforceFormats {
		files, _ := filepath.Glob(filepath.Join("testdata", format.Name, "*.*"))
		for _, file := range files {
			if data, err := os.ReadFile(file); err == nil && filepath.Ext(file) != ".golden" {
				f.Add(data, uint16(50))
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, step uint16) {
		data = data[:min(len(data), 4<<10)]
		step |= 15 // what is not used is read again, so small steps cost much time
		for _, format := range salesforceFormats {
			format.Detect(data[:min(len(data), HeadSize)])
			var whole transcript
			decodeInSteps(t, format.New(Options{}), data, len(data), &whole)
			if looksUTF16(data) {
				continue
			}
			var pieces transcript
			decodeInSteps(t, format.New(Options{}), data, int(step)+1, &pieces)
			if whole.String() != pieces.String() {
				t.Errorf("%s: in pieces of %d: -whole +pieces:\n%s", format.Name, step+1, cmp.Diff(whole.String(), pieces.String()))
			}
		}
	})
}

// A record of an array may be as long as the limit; a longer one is rejected in
// parts, and those behind it are read.
func TestSalesforceJSONIsBounded(t *testing.T) {
	record := func(id, padding string) string {
		return `{"Id":"` + id + `","LoginTime":"2026-03-02T08:15:01.000Z","SourceIp":"203.0.113.7","Status":"Success","X":"` + padding + `"}`
	}
	file := "{\"done\":true,\"records\":[\n" + record("1", "") + ",\n" + record("2", strings.Repeat("é", 1000)) + ",\n" + record("3", "") + "\n],\"totalSize\":3}\n"
	for _, step := range []int{len(file), 1, 50, 300} {
		d := newJSONRecords(Position{}, &salesforceTable{object: &loginHistoryObject})
		d.max = 400
		var got transcript
		decodeInSteps(t, d, []byte(file), step, &got)
		if got.events != 2 || strings.Count(got.String(), ReasonTooLong) < 2 {
			t.Errorf("in steps of %d: %d events\n%s", step, got.events, got.String())
		}
	}
}
