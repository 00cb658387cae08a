package formats

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crmwatch/crmwatch/schema"
)

// rtemEvents reads a sample; the events' text is copied.
type rtemEvents struct {
	events []schema.Event
}

func (s *rtemEvents) Event(e *schema.Event) {
	kept := *e
	for i := range kept.Text {
		kept.Text[i] = strings.Clone(kept.Text[i])
	}
	s.events = append(s.events, kept)
}

func (s *rtemEvents) Reject(Rejection) {}

func readRTEM(t *testing.T, text string) []schema.Event {
	t.Helper()
	var got rtemEvents
	decodeInSteps(t, salesforceRTEM.New(Options{Tenant: "acme"}), []byte(text), len(text), &got)
	return got.events
}

// An event of the stream, its stored copy and the copy of a bridge are one event,
// whatever is around it; its type is the same.
func TestRTEMIdentityIsThatOfTheIdentifier(t *testing.T) {
	names := map[schema.UID]string{}
	for _, e := range readRTEM(t, readSample(t, "salesforce-rtem", "stream.json")) {
		names[e.UID] = e.Text[schema.MetadataLogName]
	}
	for _, file := range []string{"page.json", "single.json", "bridge.json"} {
		events := readRTEM(t, readSample(t, "salesforce-rtem", file))
		if len(events) == 0 {
			t.Errorf("%s holds no event", file)
		}
		for _, e := range events {
			if want, known := names[e.UID]; !known || want != e.Text[schema.MetadataLogName] {
				t.Errorf("%s: %s at %s is a %q in the stream", file, e.Text[schema.MetadataLogName], e.When(), want)
			}
		}
	}
}

func readSample(t *testing.T, format, file string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", format, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// What was not identified by Salesforce is by what it says.
func TestRTEMWithoutIdentifier(t *testing.T) {
	const event = `{"channel":"/event/LogoutEventStream","data":{"payload":{"EventDate":"2026-03-02T09:12:00Z","Username":"NAME"}}}`
	events := readRTEM(t, event+"\n"+strings.Replace(event, "NAME", "other", 1)+"\n"+event)
	if len(events) != 3 || events[0].UID != events[2].UID || events[0].UID == events[1].UID {
		t.Errorf("got %v", events)
	}
}

func TestRiskScore(t *testing.T) {
	for written, want := range map[string]int{"0": 0, "0.7212": 72, "1": 100, "1.5": 2, "55": 55, "100.0": 100, "100.1": -1, "-1": -1, "NaN": -1, "": -1, "much": -1} {
		got, ok := riskScore(written)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q: got %d, want %d", written, got, want)
		}
	}
}

// Several decoders of other formats share names with these events.
func TestRTEMDetectsOnlyItsOwn(t *testing.T) {
	for _, format := range All() {
		files, _ := filepath.Glob(filepath.Join("testdata", format.Name, "*.*"))
		for _, file := range files {
			if filepath.Ext(file) == ".golden" {
				continue
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			why := salesforceRTEM.Detect(data[:min(len(data), HeadSize)])
			if (why != "") != (format.Name == rtemName) {
				t.Errorf("%s: %q", file, why)
			}
		}
	}
	for _, file := range []string{"stream.json", "page.json", "single.json", "bridge.json", "bad.json"} {
		data := strings.TrimPrefix(readSample(t, rtemName, file), "\ufeff")
		for _, other := range All() {
			if why := other.Detect([]byte(data)); why != "" && other.Name != rtemName {
				t.Errorf("%s is claimed by %s: %s", file, other.Name, why)
			}
		}
	}
	for _, head := range []string{"", "{", `{"channel":"/event/Order__e","data":{"payload":{}}}`, `{"attributes":{"type":"Account"},"Id":"x"}`, `{"payload":{"a":1}}`,
		`{"event":"login","data":{"id":1}}`, `{"channel":"LoginEvent"`, `{"Status":"Success","LoginType":"x"}`} {
		if why := salesforceRTEM.Detect([]byte(head)); why != "" && !strings.Contains(head, "LoginEvent") {
			t.Errorf("%q: %s", head, why)
		}
	}
}

// The number of rows of an event in several parts counts once.
func TestRTEMRowsOfSplitEventsCountOnce(t *testing.T) {
	var rows uint64
	for _, e := range readRTEM(t, readSample(t, "salesforce-rtem", "stream.json")) {
		if e.Text[schema.APIOperation] == "ReportExported" {
			rows += e.Number[schema.RowsProcessed]
		}
	}
	if rows != 60000 {
		t.Errorf("%d rows were exported", rows)
	}
}

// BenchmarkRTEM reads the sample of all events again and again.
func BenchmarkRTEM(b *testing.B) {
	data, err := os.ReadFile(filepath.Join("testdata", "salesforce-rtem", "stream.json"))
	if err != nil {
		b.Fatal(err)
	}
	data = []byte(strings.Repeat(string(data), 100))
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		d := salesforceRTEM.New(Options{Tenant: "acme"})
		d.Decode(data, true, ignored{})
	}
}

type ignored struct{}

func (ignored) Event(*schema.Event) {}

func (ignored) Reject(Rejection) {}
