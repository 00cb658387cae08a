package detectors

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/agent/formats"
	"github.com/crmwatch/crmwatch/compliance/audit"
	"github.com/crmwatch/crmwatch/schema"
)

// logKey is a log, as its rows name it.
type logKey struct{ product, log string }

// logWords are what the rows of one log hold: which columns are ever filled, and with
// what those are whose values are codes.
type logWords struct {
	columns, unmapped, vendors map[string]bool
	// deeds are the pairs of class_uid and activity_id.
	deeds    map[[2]uint64]bool
	statuses map[uint64]bool
}

func newLogWords() *logWords {
	return &logWords{map[string]bool{}, map[string]bool{}, map[string]bool{}, map[[2]uint64]bool{}, map[uint64]bool{}}
}

func (w *logWords) add(other *logWords) {
	maps.Copy(w.columns, other.columns)
	maps.Copy(w.unmapped, other.unmapped)
	maps.Copy(w.vendors, other.vendors)
	maps.Copy(w.deeds, other.deeds)
	maps.Copy(w.statuses, other.statuses)
}

// namedByRecord are logs in whose records the product is a name of the writer's own
// (a program, a device, a service): what one of them fills, all can.
var namedByRecord = []string{"cef", "leef", "syslog", "json-lines", "logfmt", "gelf", "otlp", "csv"}

// filledByAgent are columns that the agent fills, whatever the log.
var filledByAgent = []schema.Text{schema.SourceName, schema.SourceFile}

// wordsOfLogs runs every decoder over its samples.
func wordsOfLogs(t *testing.T) map[logKey]*logWords {
	t.Helper()
	words := map[logKey]*logWords{}
	options := formats.Options{Tenant: "acme", Zone: time.UTC, Reference: time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)}
	for _, format := range formats.All() {
		files, err := filepath.Glob(filepath.Join("..", "agent", "formats", "testdata", format.Name, "*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no samples of %s: %v", format.Name, err)
		}
		for _, file := range files {
			if filepath.Ext(file) == ".golden" {
				continue
			}
			sample, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			format.New(options).Decode(sample, true, wordSink(words))
		}
	}
	for _, r := range ownRecords() {
		e := r.Event()
		wordSink(words).Event(&e)
	}
	return words
}

// ownRecords are samples of what crmwatch writes of itself, as the rule monitor-weakened
// reads it; that it writes them so is tested where it does.
func ownRecords() []audit.Record {
	record := func(action, kind string, attributes ...string) audit.Record {
		r := audit.Record{At: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), Actor: "ana@soc-1", Via: audit.ViaCLI, Action: action, ObjectType: kind, Object: "x", Detail: "x", Attributes: map[string]string{}}
		for _, name := range attributes {
			r.Attributes[name] = "x"
		}
		return r
	}
	refused := record("alert.resolve", "alert")
	refused.Failed = true
	return []audit.Record{
		refused, record("rule.disable", "rule"), record("rule.enable", "rule"), record("rule.remove", "rule"), record("configuration.load", "configuration"),
		record("rule.change", "rule", "was.parameters.threshold", "now.parameters.threshold"),
		record("configuration.change", "configuration", "was.alerts.notify_from", "now.alerts.notify_from", "was.rules.self_test", "now.rules.self_test",
			"was.alerts.heartbeat.url_file", "now.alerts.heartbeat.url_file"),
		record("silence.add", "silence", "hours", "match"), record("exception.add", "exception", "now.rules", "now.users"),
	}
}

// wordSink notes which words events use.
type wordSink map[logKey]*logWords

func (s wordSink) Reject(formats.Rejection) {}

func (s wordSink) Event(e *schema.Event) {
	key := logKey{strings.Clone(e.Text[schema.MetadataProductName]), strings.Clone(e.Text[schema.MetadataLogName])}
	w := s[key]
	if w == nil {
		w = newLogWords()
		s[key] = w
	}
	for i, value := range e.Text {
		if value != "" {
			w.columns[schema.Text(i).Column()] = true
		}
	}
	for i, value := range e.Number {
		if value != 0 {
			w.columns[schema.Number(i).Column()] = true
		}
	}
	for _, field := range e.Unmapped {
		w.unmapped[strings.Clone(field.Name)] = true
	}
	w.vendors[strings.Clone(e.Text[schema.MetadataProductVendorName])] = true
	w.deeds[[2]uint64{e.Number[schema.ClassUID], e.Number[schema.ActivityID]}] = true
	w.statuses[e.Number[schema.StatusID]] = true
}

// misfits says what in a test's row the log never holds.
func (w *logWords) misfits(e TestEvent) []string {
	var amiss []string
	for column, value := range e.Text {
		if value != "" && !w.columns[column.Column()] && !slices.Contains(filledByAgent, column) {
			amiss = append(amiss, "column "+column.Column())
		}
	}
	for column, value := range e.Number {
		if value != 0 && !w.columns[column.Column()] {
			amiss = append(amiss, "column "+column.Column())
		}
	}
	for name := range e.Unmapped {
		if !w.unmapped[name] {
			amiss = append(amiss, "unmapped "+name)
		}
	}
	if vendor := e.Text[schema.MetadataProductVendorName]; vendor != "" && !w.vendors[vendor] {
		amiss = append(amiss, "vendor "+vendor)
	}
	class, activity := e.Number[schema.ClassUID], e.Number[schema.ActivityID]
	fits := func(deed [2]uint64) bool {
		return (class == 0 || deed[0] == class) && (activity == 0 || deed[1] == activity)
	}
	if !slices.ContainsFunc(slices.Collect(maps.Keys(w.deeds)), fits) {
		amiss = append(amiss, fmt.Sprintf("class %d with activity %d", class, activity))
	}
	if status := e.Number[schema.StatusID]; status != 0 && !w.statuses[status] {
		amiss = append(amiss, fmt.Sprintf("status %d", status))
	}
	slices.Sort(amiss)
	return amiss
}

// candidates are the logs that a row can be of: it may leave product, log or both open.
func candidates(words map[logKey]*logWords, e TestEvent) map[logKey]*logWords {
	product, log := e.Text[schema.MetadataProductName], e.Text[schema.MetadataLogName]
	found := map[logKey]*logWords{}
	for key, w := range words {
		free := slices.Contains(namedByRecord, log) && key.log == log
		switch {
		case log != "" && key.log != log:
		case free:
			own := logKey{product, log}
			if found[own] == nil {
				found[own] = newLogWords()
			}
			found[own].add(w)
		case product == "" || key.product == product:
			found[key] = w
		}
	}
	return found
}

// misfitsOf says what keeps a row from being of the log that it fits best.
func misfitsOf(words map[logKey]*logWords, e TestEvent) []string {
	all := candidates(words, e)
	if len(all) == 0 {
		return []string{fmt.Sprintf("no decoder writes %q of %q", e.Text[schema.MetadataLogName], e.Text[schema.MetadataProductName])}
	}
	var best []string
	for i, key := range slices.SortedFunc(maps.Keys(all), func(a, b logKey) int { return strings.Compare(a.product+a.log, b.product+b.log) }) {
		amiss := all[key].misfits(e)
		for j := range amiss {
			amiss[j] = fmt.Sprintf("%q of %q never has %s", key.log, key.product, amiss[j])
		}
		if i == 0 || len(amiss) < len(best) {
			best = amiss
		}
	}
	return best
}
