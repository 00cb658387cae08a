package formats

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/crmwatch/crmwatch/schema"
)

// tally takes what a decoder reads: the events' identities, and why records were
// rejected.
type tally struct {
	t       *testing.T
	events  []schema.UID
	reasons []string
}

func (y *tally) Event(e *schema.Event) {
	y.events = append(y.events, e.UID)
	for i, text := range e.Text {
		if !utf8.ValidString(text) {
			y.t.Errorf("%s is not UTF-8: %q", schema.Text(i).Column(), text)
		}
	}
}

func (y *tally) Reject(r Rejection) { y.reasons = append(y.reasons, r.Reason) }

// tallyOf reads data as a file of the middle of March 2026.
func tallyOf(t *testing.T, format Format, zone *time.Location, data []byte) *tally {
	y := &tally{t: t}
	o := Options{Tenant: "acme", Zone: zone, Reference: time.Date(2026, 3, 14, 0, 0, 0, 0, time.UTC)}
	if used := format.New(o).Decode(data, true, y); used != len(data) {
		t.Fatalf("used %d of %d bytes", used, len(data))
	}
	return y
}

// eachGoodSample runs test for every sample of every format that is read without a
// rejection.
func eachGoodSample(t *testing.T, test func(t *testing.T, format Format, zone *time.Location, data []byte, whole *tally)) {
	for _, format := range all {
		files, _ := filepath.Glob(filepath.Join("testdata", format.Name, "*"))
		tested := 0
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if filepath.Base(file) == "counted.log" { // each message says how long it is: a changed one has another length
				continue
			}
			if filepath.Ext(file) == ".golden" || looksUTF16(data) || bytes.HasPrefix(data, []byte("PK")) {
				continue
			}
			data = bytes.TrimPrefix(data, byteOrderMark)
			zone := salesforceOptions(t).Zone // some samples name zones by letters that only one zone has
			whole := tallyOf(t, format, zone, data)
			if len(whole.reasons) > 0 {
				zone = nil
				whole = tallyOf(t, format, zone, data)
			}
			if len(whole.events) == 0 || len(whole.reasons) > 0 {
				continue
			}
			tested++
			t.Run(format.Name+"/"+filepath.Base(file), func(t *testing.T) { test(t, format, zone, data, whole) })
		}
		if tested == 0 {
			t.Errorf("%s has no sample of which every record is good", format.Name)
		}
	}
}

// A mark in front of a file, as Windows tools write it, changes nothing.
func TestAByteOrderMarkChangesNothing(t *testing.T) {
	eachGoodSample(t, func(t *testing.T, format Format, zone *time.Location, data []byte, whole *tally) {
		marked := tallyOf(t, format, zone, append(slices.Clone(byteOrderMark), data...))
		if !slices.Equal(marked.events, whole.events) || len(marked.reasons) > 0 {
			t.Errorf("%d events and %q, want %d", len(marked.events), marked.reasons, len(whole.events))
		}
	})
}

// Windows' line ends lose no record. They may change the identity of one that holds a
// line's end itself.
func TestWindowsLineEndsLoseNothing(t *testing.T) {
	eachGoodSample(t, func(t *testing.T, format Format, zone *time.Location, data []byte, whole *tally) {
		unix := bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
		windows := tallyOf(t, format, zone, bytes.ReplaceAll(unix, []byte("\n"), []byte("\r\n")))
		if len(windows.events) != len(whole.events) || len(windows.reasons) > 0 {
			t.Errorf("%d events and %q, want %d", len(windows.events), windows.reasons, len(whole.events))
		}
	})
}

// A file that is cut off anywhere gives the events in front of the cut, and says that
// it was cut, or reads a last record that looks whole.
func TestACutLosesNothingBeforeIt(t *testing.T) {
	eachGoodSample(t, func(t *testing.T, format Format, zone *time.Location, data []byte, whole *tally) {
		if resource := bytes.LastIndex(data, []byte(`"resource"`)); format.Name == otlpName && resource > bytes.Index(data, []byte(`"scopeLogs"`)) && bytes.Count(data, []byte("\n{")) == 0 {
			return // what stands behind the records belongs to them
		}
		for cut := 1; cut < len(data); cut += 1 + len(data)/97 {
			short := tallyOf(t, format, zone, data[:cut])
			same := 0
			for same < len(short.events) && same < len(whole.events) && short.events[same] == whole.events[same] {
				same++
			}
			if len(short.events)-same > 1 {
				t.Errorf("cut at %d: %d events, of which the first %d are those of the whole file", cut, len(short.events), same)
			}
		}
	})
}

// A damaged line in the middle costs itself, and is kept with a reason.
func TestADamagedLineCostsItself(t *testing.T) {
	eachGoodSample(t, func(t *testing.T, format Format, zone *time.Location, data []byte, whole *tally) {
		lines := bytes.SplitAfter(bytes.TrimRight(data, "\r\n"), []byte("\n"))
		if !format.Line || format.Multiline || len(lines) < 3 || len(lines) != len(whole.events) {
			return // a record is not a line
		}
		for _, damage := range []string{"\x01\x02 ~~ garbage \xff\xfe ~~\n", "{\"a\":\n", "\"\n", strings.Repeat("x", 5000) + "\n"} {
			damaged := slices.Concat(slices.Concat(lines[:2]...), []byte(damage), slices.Concat(lines[2:]...))
			got := tallyOf(t, format, zone, damaged)
			if len(got.events) < len(whole.events) || !containsAll(got.events, whole.events) {
				t.Errorf("%.20q costs %d of %d events (%q)", damage, len(whole.events)-len(got.events), len(whole.events), got.reasons)
			}
			if len(got.events)+len(got.reasons) <= len(whole.events) {
				t.Errorf("%.20q is neither read nor rejected", damage)
			}
		}
	})
}

func containsAll(have, want []schema.UID) bool {
	return !slices.ContainsFunc(want, func(uid schema.UID) bool { return !slices.Contains(have, uid) })
}

// Two files joined, each with its header if it has one, give the records of both.
func TestJoinedFilesGiveBothTheirRecords(t *testing.T) {
	eachGoodSample(t, func(t *testing.T, format Format, zone *time.Location, data []byte, whole *tally) {
		joined := slices.Clone(data)
		if !bytes.HasSuffix(joined, []byte("\n")) {
			joined = append(joined, '\n')
		}
		got := tallyOf(t, format, zone, append(joined, data...))
		if len(got.events) != 2*len(whole.events) || len(got.reasons) > 0 {
			t.Errorf("%d events and %q, want %d", len(got.events), got.reasons, 2*len(whole.events))
		}
	})
}
