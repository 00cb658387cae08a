package formats

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/schema"
)

var ipaasFormats = []Format{
	mulesoftLog, mulesoftJSON, mulesoftAnalytics, mulesoftAudit, boomiAudit, boomiExecution, boomiLog,
	workatoJob, workatoActivity, bpaLog, windowsEvents,
}

// Each sample has beside it what is read from it.
func TestIPaaSGolden(t *testing.T) { wantGolden(t, ipaasFormats, salesforceOptions(t)) }

// What is read does not depend on how the file is cut into calls.
func TestIPaaSReadsTheSameInPieces(t *testing.T) {
	wantSameInPieces(t, ipaasFormats, salesforceOptions(t))
}

// Every sample is claimed by its own format and by no other, whole or cut.
func TestIPaaSDetect(t *testing.T) {
	wantOwnFormat(t, ipaasFormats)
	for _, format := range All() {
		if isIPaaS(format) {
			continue
		}
		files, _ := filepath.Glob(filepath.Join("testdata", format.Name, "*.*"))
		for _, file := range files {
			if filepath.Ext(file) == ".golden" {
				continue
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, own := range ipaasFormats {
				if why := own.Detect(data[:min(len(data), HeadSize)]); why != "" {
					t.Errorf("%s is claimed as %s: %s", file, own.Name, why)
				}
			}
		}
	}
	for name, head := range map[string]string{
		"spring":   "2026-03-02 09:12:00,118 INFO [main] com.acme.App - started\n2026-03-02 09:12:00,118 INFO [main] com.acme.App - done\n",
		"log4j":    "INFO  2026-03-02 09:12:00,118 [main] com.acme.App: started\n",
		"zap":      "2026-03-02T09:12:00.118Z\tINFO\tserver/main.go:12\tlistening\n",
		"ecs":      `{"@timestamp":"2026-03-02T09:12:00.118Z","log.level":"INFO","log.logger":"com.acme","message":"x"}`,
		"log4j2":   `{"instant":{"epochSecond":1772442720,"nanoOfSecond":1},"thread":"main","level":"INFO","loggerName":"com.acme","message":"x"}`,
		"rss":      "<?xml version=\"1.0\"?><rss><channel><Event>x</Event></channel></rss>",
		"csv":      "time,level,name,message\n2026-03-02 09:12:00,Error,x,y\n",
		"calendar": "Mar 2, 2026 9:12:00 AM INFO a meeting\nMar 3, 2026 9:12:00 AM INFO another\n",
		"api":      `{"data":[{"id":1,"timestamp":"2026-03-02T09:12:00Z","action":"login","user":"x"}],"total":1}`,
		"envelope": `{"data":[`, "empty": "", "brace": "{", "angle": "<", "zeros": "\x00\x00\x00",
	} {
		for _, format := range ipaasFormats {
			if why := format.Detect([]byte(head)); why != "" {
				t.Errorf("%s is claimed as %s: %s", name, format.Name, why)
			}
		}
	}
}

func isIPaaS(format Format) bool {
	for _, own := range ipaasFormats {
		if own.Name == format.Name {
			return true
		}
	}
	return false
}

// Logs that are followed leave their last record unused until the next begins.
func TestMultilineLeavesTheLastRecord(t *testing.T) {
	for _, format := range []Format{mulesoftLog, boomiLog, bpaLog} {
		if !format.Line || !format.Multiline {
			t.Errorf("%s cannot be followed", format.Name)
		}
	}
	head := "ERROR 2026-03-02 09:12:04,401 [[crm-sync].uber.07] org.mule.Handler: failed\n"
	next := "INFO  2026-03-02 09:12:05,000 [[crm-sync].uber.07] org.mule.Logger: again\n"
	var got transcript
	d := mulesoftLog.New(Options{})
	if used := d.Decode([]byte(head+"\tat x\n"), false, &got); used != 0 || got.events != 0 {
		t.Errorf("used %d bytes of a record that may go on, %d events", used, got.events)
	}
	whole := head + "\tat x\n"
	if used := d.Decode([]byte(whole+next), false, &got); used != len(whole) || got.events != 1 {
		t.Errorf("used %d bytes, want %d; %d events", used, len(whole), got.events)
	}
	if used := d.Decode([]byte(next), true, &got); used != len(next) || got.events != 2 {
		t.Errorf("used %d bytes at the end, want %d; %d events", used, len(next), got.events)
	}
}

// Without the header that names the columns, a line of another order is refused.
func TestBPAWithoutItsHeader(t *testing.T) {
	data := []byte("13.03.2026 09:12:00;BPA01;Error;Contacts to Sage;REST;failed;4711\n2026-03-13 09:12:01,Error,Task,Step,failed\n")
	r := &reasons{}
	decodeInSteps(t, bpaLog.New(Options{Start: Position{Offset: 400}}), data, len(data), r)
	if diff := cmp.Diff([]string{ReasonHeader, ""}, r.list); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A record longer than the limit is rejected in parts, and the next one is read.
func TestMultilineLongRecord(t *testing.T) {
	head := "ERROR 2026-03-02 09:12:04,401 [[a].uber.07] org.mule.Handler: "
	const limit = 1000
	for name, test := range map[string]struct {
		data string
		want []string
	}{
		"long line":    {head + strings.Repeat("é", limit) + "\n" + head + "x\n", []string{ReasonTooLong, ReasonTooLong, ReasonTooLong, ""}},
		"many lines":   {head + "\n" + strings.Repeat("\tat org.mule.x\n", limit/8) + head + "x\n", []string{ReasonTooLong, ReasonTooLong, ""}},
		"hole":         {head + "x\n" + strings.Repeat("\x00", limit/2) + head + "y\n", []string{"", ReasonNotText, ""}},
		"hole in line": {head + "x" + strings.Repeat("\x00", limit*3) + head + "y\n", []string{"", ReasonNotText, ReasonNotText, ReasonNotText, ""}},
	} {
		for _, size := range []int{len(test.data), 1, 50, limit, limit + 1} {
			d := mulesoftLog.New(Options{}).(*headRecords)
			d.lines.max = limit
			r := &reasons{}
			decodeInSteps(t, d, []byte(test.data), size, r)
			if name == "hole in line" { // how many parts a long hole has does not matter
				r.join(ReasonNotText)
				test.want = []string{"", ReasonNotText, ""}
			}
			if diff := cmp.Diff(test.want, r.list); diff != "" {
				t.Errorf("%s in pieces of %d: -want +got:\n%s", name, size, diff)
			}
		}
	}
}

// reasons lists what became of the records: "" for an event.
type reasons struct{ list []string }

func (r *reasons) Event(*schema.Event) { r.list = append(r.list, "") }
func (r *reasons) Reject(j Rejection)  { r.list = append(r.list, j.Reason) }

func (r *reasons) join(reason string) {
	var list []string
	for _, one := range r.list {
		if one != reason || len(list) == 0 || list[len(list)-1] != reason {
			list = append(list, one)
		}
	}
	r.list = list
}

// A record has one identity whatever its neighbours, and its spelling in JSON.
func TestIPaaSIdentity(t *testing.T) {
	uid := func(format Format, text string) string {
		var got transcript
		decodeInSteps(t, format.New(Options{Tenant: "acme"}), []byte(text), len(text), &got)
		if len(got.uids) != 1 {
			t.Fatalf("%d events: %s", len(got.uids), got.String())
		}
		return got.uids[0].String()
	}
	job := `{"id":"j-1","master_job_id":"j-1","recipe_id":3,"status":"failed","completed_at":"%s","started_at":"2026-03-02T01:12:00-08:00"%s}`
	one := uid(workatoJob, fmt.Sprintf(job, "2026-03-02T01:12:04-08:00", ""))
	if page := uid(workatoJob, `{"items":[`+fmt.Sprintf(job, "2026-03-02T01:12:04-08:00", `,"title":"x"`)+`],"job_count":1}`); page != one {
		t.Error("a job has another identity in a page with more fields")
	}
	if again := uid(workatoJob, fmt.Sprintf(job, "2026-03-02T01:22:04-08:00", "")); again == one {
		t.Error("a repeated job has the identity of the first run")
	}
}

func TestBPALayout(t *testing.T) {
	for name, layout := range map[string]BPALayout{
		"no time":       {Columns: []string{"task", "message"}},
		"delimiter":     {Delimiter: 'x'},
		"pattern":       {Pattern: "(?P<time>"},
		"pattern group": {Pattern: `(\d+)`},
	} {
		if _, err := NewBPALog(layout); err == nil {
			t.Errorf("%s: the layout is accepted", name)
		}
	}
	for name, test := range map[string]struct {
		layout BPALayout
		data   string
	}{
		"pattern": {
			BPALayout{Pattern: `(?P<time>\d\d/\d\d/\d{4} [\d:]+) <(?P<level>\w+)> \((?P<task>[^)]*)\) `, Time: "02/01/2006 15:04:05"},
			"02/03/2026 09:12:00 <Error> (Contacts to Sage) 401 Unauthorized\nsecond line\n",
		},
		"columns": {
			BPALayout{Columns: []string{"task", "when", "time", "level", "message"}, Delimiter: '|', Time: "02/01/2006 15:04:05"},
			"Contacts to Sage|now|02/03/2026 09:12:00|Error|401 Unauthorized\nsecond line\n",
		},
	} {
		format, err := NewBPALog(test.layout)
		if err != nil {
			t.Fatal(err)
		}
		var e schema.Event
		decodeInSteps(t, format.New(Options{}), []byte(test.data), 10, sinkFunc(func(got *schema.Event) {
			e = *got
			e.Text[schema.Message] = strings.Clone(got.Text[schema.Message])
			e.Text[schema.ActorAppName] = strings.Clone(got.Text[schema.ActorAppName])
		}))
		if e.Time != 1772442720000 || e.Text[schema.ActorAppName] != "Contacts to Sage" || e.Text[schema.Message] != "401 Unauthorized\nsecond line" || e.Number[schema.HTTPResponseCode] != 401 {
			t.Errorf("%s: %d %q %q %d", name, e.Time, e.Text[schema.ActorAppName], e.Text[schema.Message], e.Number[schema.HTTPResponseCode])
		}
	}
}

type sinkFunc func(*schema.Event)

func (f sinkFunc) Event(e *schema.Event) { f(e) }
func (f sinkFunc) Reject(r Rejection)    { panic(r.Detail) }

func TestIPaaSTime(t *testing.T) {
	for text, want := range map[string]int64{
		"2026-03-02T09:12:00.118Z":          1772442720118,
		"2026-03-02T09:12:00.1180000Z":      1772442720118,
		"2026-03-02T01:12:00-08:00":         1772442720000,
		"2026-03-02T09:12:00+0000":          1772442720000,
		"2026-03-02 09:12:00,118":           1772442720118,
		"2026-03-02 09:12:00 UTC":           1772442720000,
		"2026-03-02 09:12:00 +0000":         1772442720000,
		"2026-03-02 09:12:00+00":            1772442720000,
		"Mar 2, 2026 9:12:00 AM":            1772442720000,
		"Mar 2, 2026, 9:12:00\u202FAM UTC":  1772442720000,
		"1772442720118":                     1772442720118,
		"1772442720":                        1772442720000,
		"13.03.2026 09:12":                  1773393120000,
		"3/13/2026 9:12:00 AM":              1773393120000,
		"":                                  0,
		"soon":                              0,
		"03/02/2026 09:12:00":               0,
		"2026-02-31 09:12:00":               0,
		"Mar 32, 2026 9:12:00 AM":           0,
		"2026-03-02T09:12:00.118Z and more": 0,
	} {
		got, wrong := ipaasMillis(text, nil)
		if (want == 0) != (wrong != "") || got != want {
			t.Errorf("%q: %d, %q; want %d", text, got, wrong, want)
		}
	}
}

func TestFailedCall(t *testing.T) {
	for text, want := range map[string]string{
		"401 Unauthorized calling https://crm.acme.example/api/v1/contacts?x=1.":                    "401  crm.acme.example /api/v1/contacts",
		"HTTP POST on resource 'https://crm.acme.example:443/contacts' failed: unauthorized (401).": "401 POST crm.acme.example /contacts",
		"The remote server returned an error: (403) Forbidden.":                                     "403   ",
		"Test execution completed with error status code 429":                                       "429   ",
		"HTTP/1.1 503 Service Unavailable":                                                          "503   ",
		"pushed 401 contacts":                                                                       "0   ",
		"timeout after 500 ms":                                                                      "0   ",
	} {
		var e schema.Event
		failedCall(&e, text)
		got := fmt.Sprintf("%d %s %s %s", e.Number[schema.HTTPResponseCode], e.Text[schema.HTTPRequestMethod], e.Text[schema.DstEndpointHostname], e.Text[schema.HTTPRequestURLPath])
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
