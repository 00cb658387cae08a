package formats

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// crmFormats are those of CRMs that are read in the tests here, by the options of
// a source in Berlin.
var crmFormats = []Format{hubspot, zoho, sugarLog, sugarAudit, sugarAccess, microsoftAudit, entraSignIn}

// eachCRMFile runs test for every sample of a format.
func eachCRMFile(t *testing.T, test func(t *testing.T, format Format, file string, data []byte)) {
	for _, format := range crmFormats {
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

// Each testdata/FORMAT/FILE has beside it what is read from it.
func TestCRMGolden(t *testing.T) {
	eachCRMFile(t, func(t *testing.T, format Format, file string, data []byte) {
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

// What is read does not depend on how the file is cut into calls.
func TestCRMReadsTheSameInPieces(t *testing.T) {
	eachCRMFile(t, func(t *testing.T, format Format, file string, data []byte) {
		var want transcript
		decodeInSteps(t, format.New(salesforceOptions(t)), data, len(data), &want)
		for _, step := range []int{1, 3, 17, 100, 1000} {
			var got transcript
			decodeInSteps(t, format.New(salesforceOptions(t)), data, step, &got)
			if diff := cmp.Diff(want.String(), got.String()); diff != "" {
				t.Fatalf("in pieces of %d: -whole +pieces:\n%s", step, diff)
			}
		}
	})
}

// Every sample is claimed by its format and by no other.
func TestCRMDetect(t *testing.T) {
	eachCRMFile(t, func(t *testing.T, format Format, file string, data []byte) {
		got, why, ok := Detect(data[:min(len(data), HeadSize)])
		if !ok || got.Name != format.Name || why == "" {
			t.Errorf("detected as %q: %q", got.Name, why)
		}
		for _, other := range All() {
			if other.Name == format.Name || format.Name == "sugarcrm-access" && other.Name == nginxName {
				continue
			}
			if why := other.Detect([]byte(strings.TrimPrefix(string(data), "\ufeff"))); why != "" {
				t.Errorf("%s claims it too: %s", other.Name, why)
			}
		}
	})
}

// No sample of another format is claimed, nor what only looks alike.
func TestCRMDetectLeavesOthersAlone(t *testing.T) {
	heads := map[string][]byte{}
	for i, text := range []string{
		"", "\n", "{", "[", `{"`, `{"results":`, `{"results":[]}`, `{"results":[{"id":"1","name":"x"}]}`, "a,b,c\n1,2,3\n", "\x00\x01",
		"date,user,action\n2026-03-02,x,y\n", "Time,User,Action,Module\n", "time,user,status,ip\n", `{"createdAt":"2026-03-02","type":"x","userId":1}`,
		`{"id":"x","createdDateTime":"2026-03-02T09:12:00Z","userPrincipalName":"a@acme.example","ipAddress":"203.0.113.7","status":{"errorCode":0}}`,
		`{"timestamp":"2026-03-02","event_type":"x","user":{"id":1},"action":"y"}`, "[2026-03-02 09:12:00] [info] x\n", "Mon Mar  2 09:12:00 2026 started\n",
		"Mon Mar  2 09:12:00 2026 [1][2] x\n",
	} {
		heads[string(rune('a'+i))] = []byte(text)
	}
	for _, format := range All() {
		files, _ := filepath.Glob(filepath.Join("testdata", format.Name, "*"))
		for _, file := range files {
			if data, err := os.ReadFile(file); err == nil && filepath.Ext(file) != ".golden" {
				heads[file] = data
			}
		}
	}
	for name, head := range heads {
		for _, format := range crmFormats {
			if strings.HasPrefix(name, filepath.Join("testdata", format.Name)+string(filepath.Separator)) {
				continue
			}
			if why := format.Detect(head); why != "" {
				t.Errorf("%s claims %s: %s", format.Name, name, why)
			}
		}
	}
}

// Whatever the bytes: nothing panics, everything is used, no byte of a rejection is
// invented, and the cut into calls changes nothing.
func FuzzCRM(f *testing.F) {
	for i, format := range crmFormats {
		files, _ := filepath.Glob(filepath.Join("testdata", format.Name, "*.*"))
		for _, file := range files {
			if data, err := os.ReadFile(file); err == nil && filepath.Ext(file) != ".golden" {
				f.Add(data, byte(i), uint16(50))
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, which byte, step uint16) {
		if len(data) == 0 || looksUTF16(data) { // UTF-16 is refused with as much as is at hand
			return
		}
		data = data[:min(len(data), 4<<10)]
		format := crmFormats[int(which)%len(crmFormats)]
		format.Detect(data)
		c := &crmChecker{checker{t: t, data: data}}
		if used := format.New(Options{}).Decode(data, true, c); used != len(data) {
			t.Fatalf("used %d of %d bytes", used, len(data))
		}
		var whole, pieces transcript
		decodeInSteps(t, format.New(Options{}), data, len(data), &whole)
		decodeInSteps(t, format.New(Options{}), data, int(step|15)+1, &pieces)
		if whole.String() != pieces.String() {
			t.Errorf("%s in pieces of %d: -whole +pieces:\n%s", format.Name, int(step|15)+1, cmp.Diff(whole.String(), pieces.String()))
		}
	})
}

// crmChecker allows for the mark at the start of a joined file, which the access
// log's decoder takes off the content of a rejection.
type crmChecker struct{ checker }

func (c *crmChecker) Reject(r Rejection) {
	if bytes.HasPrefix(c.data[r.Offset:], byteOrderMark) && !bytes.HasPrefix(r.Content, byteOrderMark) {
		r.Offset += int64(len(byteOrderMark))
	}
	c.checker.Reject(r)
}

func TestCRMTime(t *testing.T) {
	const nine = 1772442720000 // 2026-03-02T09:12:00Z
	berlin := salesforceOptions(t).Zone
	for _, c := range []struct {
		text string
		zone *time.Location
		want int64
	}{
		{"Mon Mar  2 09:12:00 2026", nil, nine},
		{"Mon Mar  2 10:12:00 2026", berlin, nine},
		{"Mon 02 Mar 2026 09:12:00 AM UTC", nil, nine},
		{"Mar 2, 2026 09:12 AM", nil, nine},
		{"Mar 2, 2026 at 9:12:00am", nil, nine},
		{"2 March 2026 12:12 am", nil, nine - 9*3600_000},
		{"02-Mar-2026 14:42:00 +0530", nil, nine},
		{"2026-03-02 09:12:00 +0000", berlin, nine},
		{"2026-03-02T14:42:00+05:30", berlin, nine},
		{"Mon Mar  2 10:12:00 CET 2026", berlin, nine},
		{"1772442720000", berlin, nine},
		{"1772442720", nil, nine},
		{"Mon Mar  2 10:12:00 CET 2026", nil, -1}, // which CET is not known without a zone
		{"Mon Feb 30 10:12:00 2026", nil, -1},
		{"Mar 2 09:12:00", nil, -1},
		{"Mar 2, 2026 13:12 PM", nil, -1},
		{"Mar 2, 2026", nil, -1},
		{"03/04/2026 09:12", nil, -1},
		{"", nil, -1}, {":", nil, -1}, {"Mar Mar Mar", nil, -1}, {strings.Repeat("1", 100), nil, -1},
	} {
		if got, wrong := crmTimeOf(c.text, c.zone); (wrong == "") != (c.want >= 0) || wrong == "" && got != c.want {
			t.Errorf("%q: got %d, %q, want %d", c.text, got, wrong, c.want)
		}
	}
}
