package agent

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// realTimeEvents are events of Salesforce's stream, from a number up to another.
func realTimeEvents(from, to int) string {
	var b strings.Builder
	for n := from; n < to; n++ {
		fmt.Fprintf(&b, `{"channel":"/event/ApiEventStream","data":{"payload":{"EventIdentifier":"7d0c6a0e-%04d","EventDate":"2026-03-02T08:12:00Z","Username":"svc@acme.example","Operation":"Query"},"event":{"replayId":%d}}}`+"\n", n, 1000+n)
	}
	return b.String()
}

// storedEvents are the same events as a query for the stored ones gives them.
func storedEvents(from, to int) string {
	var b strings.Builder
	for n := from; n < to; n++ {
		fmt.Fprintf(&b, `{"attributes":{"type":"ApiEvent"},"EventIdentifier":"7d0c6a0e-%04d","EventDate":"2026-03-02T08:12:00.000+0000","Username":"svc@acme.example","Operation":"Query"}`+"\n", n)
	}
	return b.String()
}

// What has an identifier of its own is one event, however often and wherever it comes:
// twice in a file, in another file, in a followed log.
func TestIdentifiedEventsAreStoredOnce(t *testing.T) {
	s := newStore()
	dir := writeFiles(t, map[string]string{"stream.json": realTimeEvents(0, 20) + realTimeEvents(10, 30), "stored.json": storedEvents(0, 30), "again.json": realTimeEvents(0, 1) + storedEvents(0, 1)})
	report := load(t, s, LoadOptions{Paths: []string{dir}})
	if len(s.rows) != 30 || report.Totals.Events != 72 || len(s.quarantine) > 0 {
		t.Errorf("%d events of %d are stored, quarantine %q", len(s.rows), report.Totals.Events, s.quarantine)
	}

	r := newRig(t, Source{Name: "stream", Kind: KindFollow, Paths: []string{"logs/stream*"}})
	r.write("logs/stream.json", realTimeEvents(0, 5))
	r.step(time.Minute)
	r.add("logs/stream.json", realTimeEvents(3, 8)+storedEvents(0, 8))
	r.settle()
	r.flushed()
	if len(r.store.rows) != 8 {
		t.Errorf("%d events of the followed log are stored, want 8", len(r.store.rows))
	}
	for uid := range r.store.rows {
		if _, known := s.rows[uid]; known {
			continue
		}
		t.Errorf("the followed log's event %s is in no file", uid)
	}
}
