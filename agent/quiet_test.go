package agent

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/agent/formats"
)

const sugar = "logs/sugarcrm.log"

// quietRig follows logs/sugarcrm*.log, whose records may have several lines.
func quietRig(t *testing.T) (*rig, *messages) {
	r := newRig(t, Source{Name: "sugar", Kind: KindFollow, Paths: []string{"logs/sugarcrm*.log"}})
	m := &messages{store: r.store, got: map[string]string{}}
	r.w.Ship = m.Ship
	return r, m
}

// messages keeps the message of each event that a watcher ships, by its uid.
type messages struct {
	*store
	mu  sync.Mutex
	got map[string]string
}

func (m *messages) Ship(ctx context.Context, b Sealed) error {
	events, err := decodeRows(b.Events)
	if err != nil {
		return err
	}
	m.mu.Lock()
	for _, e := range events {
		m.got[e["event_uid"]] = e["message"]
	}
	m.mu.Unlock()
	return m.store.Ship(ctx, b)
}

// want checks the messages of all events, and what is in quarantine.
func (m *messages) want(t *testing.T, quarantined int, want ...string) {
	t.Helper()
	m.mu.Lock()
	var got []string
	for _, message := range m.got {
		got = append(got, message)
	}
	m.mu.Unlock()
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	if len(m.quarantine) != quarantined {
		t.Errorf("quarantine holds %q, want %d", m.quarantine, quarantined)
	}
}

// sugarRecord is a record of a SugarCRM log.
func sugarRecord(n int, message string) string {
	return fmt.Sprintf("Mon Mar  2 09:%02d:%02d 2026 [21877][1][FATAL] %s\n", n/60, n%60, message)
}

func TestLastRecordOfAQuietLog(t *testing.T) {
	r, m := quietRig(t)
	r.write(sugar, sugarRecord(0, "a\n more of a")+sugarRecord(1, "b\n more of b"))
	r.step(time.Second)
	r.flushed()
	m.want(t, 0, "a\n more of a")
	// The last record grows while it waits, and is taken once when nothing comes.
	r.add(sugar, " and more\n")
	r.step(4 * time.Second)
	r.step(4 * time.Second)
	r.flushed()
	m.want(t, 0, "a\n more of a")
	r.step(4 * time.Second)
	r.flushed()
	m.want(t, 0, "a\n more of a", "b\n more of b\n and more")
	r.add(sugar, sugarRecord(2, "c"))
	r.settle()
	m.want(t, 0, "a\n more of a", "b\n more of b\n and more", "c")
	r.wantArrived(3)
	if p := r.w.Positions.All("sugar"); len(p) != 1 || p[0].Offset != fileSize(t, r.path(sugar)) {
		t.Errorf("positions: %+v", p)
	}
}

// What comes after the record was taken for whole is kept, and the next is read.
func TestLinesAfterTheQuiet(t *testing.T) {
	r, m := quietRig(t)
	r.write(sugar, sugarRecord(0, "a"))
	r.settle()
	r.add(sugar, " late\n lines\n"+sugarRecord(1, "b"))
	r.settle()
	m.want(t, 1, "a", "b")
}

// A line without its end is no part of a quiet log's last record.
func TestQuietLogWithHalfALine(t *testing.T) {
	r, m := quietRig(t)
	r.write(sugar, sugarRecord(0, "a")+"Mon Mar  2 09:")
	r.settle()
	m.want(t, 0, "a")
	r.add(sugar, "12:00 2026 [1][1][FATAL] b\n")
	r.settle()
	m.want(t, 0, "a", "b")
	r.wantArrived(2)
}

// A record that was waiting when the watcher was killed comes once.
func TestRestartWhileARecordWaits(t *testing.T) {
	r, m := quietRig(t)
	r.write(sugar, sugarRecord(0, "a")+sugarRecord(1, "b"))
	r.step(time.Second)
	r.flushed()
	r.kill()
	r.add(sugar, " more of b\n")
	r.start()
	r.w.Ship = m.Ship
	r.settle()
	m.want(t, 0, "a", "b\n more of b")
	r.wantArrived(2)
}

// Rotation ends the last record, also where the new log has begun.
func TestRotationWhileARecordWaits(t *testing.T) {
	r, m := quietRig(t)
	r.write(sugar, sugarRecord(0, "a")+sugarRecord(1, "b\n more of b"))
	r.step(time.Second)
	r.rename(sugar, "logs/sugarcrm_1.log")
	r.write(sugar, sugarRecord(2, "c"))
	r.step(time.Second)
	r.add("logs/sugarcrm_1.log", " the last of b\n")
	r.settle()
	m.want(t, 0, "a", "b\n more of b\n the last of b", "c")
	r.wantArrived(3)
	r.rename(sugar, "gone.log")
	r.settle()
	if n := len(r.w.sources[0].generations); n > 1 {
		t.Errorf("%d logs are still followed", n)
	}
}

// Deletion ends it too: the file is open until it is read.
func TestDeletionWhileARecordWaits(t *testing.T) {
	r, m := quietRig(t)
	r.write(sugar, sugarRecord(0, "a")+sugarRecord(1, "b"))
	r.step(time.Second)
	if err := os.Remove(r.path(sugar)); err != nil {
		t.Fatal(err)
	}
	r.settle()
	m.want(t, 0, "a", "b")
}

// A record of more lines than are read at a time holds nothing up.
func TestRecordLongerThanABlock(t *testing.T) {
	r, m := quietRig(t)
	dump := "dump\n" + strings.TrimRight(strings.Repeat(strings.Repeat("x", 99)+"\n", (blockSize+liveStretch)/100), "\n")
	r.write(sugar, sugarRecord(0, dump)+sugarRecord(1, "b"))
	r.step(time.Second)
	r.settle()
	m.want(t, 0, "b", dump)
	// The last one too, and one that is longer than a record may be.
	r.add(sugar, sugarRecord(2, dump+"!"))
	r.settle()
	m.want(t, 0, "b", dump, dump+"!")
	r.add(sugar, sugarRecord(3, strings.Repeat(strings.Repeat("y", 99)+"\n", (formats.MaxRecord+2*blockSize)/100))+sugarRecord(4, "z"))
	r.settle()
	m.want(t, 2, "b", dump, dump+"!", "z")
}

// Logs whose records are single lines are not held back.
func TestLinesDoNotWait(t *testing.T) {
	r := followRig(t)
	r.write(log, lines(0, 3))
	r.step(time.Second)
	r.flushed()
	r.wantLines(0, 3)
}

func fileSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// An audit export that came as an archive of several files is read member by member,
// and rows that two members share count once.
func TestZippedAuditExport(t *testing.T) {
	const header = "Audited Time,Done By,Action,Module,Record Name,Details\n"
	row := func(n int) string {
		return fmt.Sprintf("2026-03-02T09:12:%02d+05:30,Priya N,Exported,Contacts,,\"%d,000 records\"\n", n, n+1)
	}
	dir := writeFiles(t, map[string]string{"AuditLog.zip": zipped(t,
		"AuditLog_1.csv", header+row(0)+row(1), "AuditLog_2.csv", header+row(1)+row(2))})
	s := newStore()
	report := load(t, s, LoadOptions{Paths: []string{dir}})
	if len(report.Files) != 2 || len(s.rows) != 3 {
		t.Errorf("%d events of %+v", len(s.rows), report.Files)
	}
	for _, f := range report.Files {
		if f.Format != "zoho-audit" || f.Status != StatusOK || f.Packed != "zip" {
			t.Errorf("%+v", f)
		}
	}
}
