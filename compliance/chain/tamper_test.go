package chain

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// changed is a value other than the column's, by the column's type.
func changed(kind, column string) string {
	switch {
	case strings.HasPrefix(kind, "UInt"):
		return column + " + 1"
	case strings.HasPrefix(kind, "DateTime64"):
		return column + " + toIntervalMillisecond(1)"
	case kind == "UUID":
		return "toUUID('12345678-1234-1234-1234-123456789abc')"
	case kind == "Array(UUID)":
		return "arrayPushBack(" + column + ", toUUID('12345678-1234-1234-1234-123456789abc'))"
	case kind == "Array(String)":
		return "arrayMap((x, i) -> if(i = 1, concat(x, 'x'), x), " + column + ", arrayEnumerate(" + column + "))"
	}
	return "concat(" + column + ", 'x')"
}

// Whatever column of whatever row of whatever covered table is changed, it is found.
func TestEveryChangedColumnIsFound(t *testing.T) {
	a := newArchive(t)
	a.fill()
	r := a.mustBeIntact()
	if r.Entries != 7 || r.Summaries != 4 || r.Happenings != 3 || r.Waiting != 0 {
		t.Fatalf("the chain is %+v", r)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for _, table := range []string{"evidence_chain", "summaries", "alert_transitions", "alert_requests"} {
		a.exec("CREATE TABLE kept_" + table + " ENGINE = MergeTree ORDER BY kept AS SELECT *, rowNumberInAllBlocks() AS kept FROM " + table + " FINAL")
		var names, kinds []string
		var count uint64
		if err := a.QueryRow(t.Context(), "SELECT groupArray(name), groupArray(type), (SELECT count() FROM kept_"+table+`)
			FROM system.columns WHERE database = currentDatabase() AND table = {table:String}`, schema.Named("table", table)).Scan(&names, &kinds, &count); err != nil {
			t.Fatal(err)
		}
		if count < 2 || len(names) < 11 {
			t.Fatalf("%s has %d rows of %d columns", table, count, len(names))
		}
		for i, name := range names {
			row := random.Uint64N(count)
			a.exec("TRUNCATE TABLE " + table)
			a.exec(fmt.Sprintf("INSERT INTO %s SELECT * EXCEPT kept REPLACE (if(kept = %d, %s, %s) AS %s) FROM kept_%s", table, row, changed(kinds[i], name), name, name, table))
			if r := a.verify(a.pinned()); r.Intact() {
				t.Errorf("%s.%s of row %d was changed, and nothing is found", table, name, row)
			}
		}
		a.exec("TRUNCATE TABLE " + table)
		a.exec("INSERT INTO " + table + " SELECT * EXCEPT kept FROM kept_" + table)
		a.mustBeIntact()
	}
}

// Rows that are removed, put in or moved are named.
func TestRemovedAndInsertedRowsAreNamed(t *testing.T) {
	a := newArchive(t)
	a.fill()
	a.exec("CREATE TABLE kept AS alert_transitions")
	a.exec("INSERT INTO kept SELECT * FROM alert_transitions")
	restore := func() {
		a.exec("TRUNCATE TABLE alert_transitions")
		a.exec("INSERT INTO alert_transitions SELECT * FROM kept")
		a.mustBeIntact()
	}
	a.exec("DELETE FROM alert_transitions WHERE transition_uid = {t:UUID}", schema.Named("t", transitionUID(2)))
	mustSay(t, a.verify(a.pinned()), 2, transitionUID(2), "is gone")
	restore()

	a.exec("INSERT INTO alert_transitions (alert_uid, transition_uid, at, version, action) SELECT alert_uid, {t:UUID}, at + 1, 2, 'resolve' FROM alert_transitions WHERE transition_uid = {old:UUID}",
		schema.Named("t", transitionUID(99)), schema.Named("old", transitionUID(1)))
	mustSay(t, a.verify(a.pinned()), 2, transitionUID(99), "was not there when it was written")
	restore()

	// Two that change places in time.
	a.exec("TRUNCATE TABLE alert_transitions")
	a.exec(`INSERT INTO alert_transitions SELECT * REPLACE (multiIf(transition_uid = {one:UUID}, (SELECT at FROM kept WHERE transition_uid = {two:UUID}),
		transition_uid = {two:UUID}, (SELECT at FROM kept WHERE transition_uid = {one:UUID}), at) AS at) FROM kept`, schema.Named("one", transitionUID(1)), schema.Named("two", transitionUID(2)))
	mustSay(t, a.verify(a.pinned()), 2, "is not what entry 2 says")
	restore()

	// A request that nothing tells of, and one that is put under what happened by itself.
	a.exec("INSERT INTO alert_requests (request_uid, version, alert_uid, state) VALUES ({t:UUID}, 2, {a:UUID}, 'done')", schema.Named("t", transitionUID(98)), schema.Named("a", alertUID(1)))
	mustSay(t, a.verify(a.pinned()), 7, transitionUID(98), "does not tell of it")
	a.exec("DELETE FROM alert_requests WHERE request_uid = {t:UUID}", schema.Named("t", transitionUID(98)))
	a.exec("INSERT INTO alert_requests (request_uid, version, alert_uid, state) VALUES ({t:UUID}, 2, {a:UUID}, 'done')", schema.Named("t", transitionUID(2)), schema.Named("a", alertUID(2)))
	mustSay(t, a.verify(a.pinned()), 2, transitionUID(2), "is not what entry 2 says")
	a.exec("DELETE FROM alert_requests WHERE request_uid = {t:UUID}", schema.Named("t", transitionUID(2)))
	a.mustBeIntact()

	a.exec("DELETE FROM summaries WHERE version = 2")
	mustSay(t, a.verify(a.pinned()), 4, "version 2", "is gone")
}

// An entry that is removed, put in, doubled or moved is found, and so is an end that was
// cut off, by whoever has a head from before.
func TestRemovedInsertedAndMovedEntriesAreFound(t *testing.T) {
	a := newArchive(t)
	a.fill()
	whole := a.entries()
	head := whole[len(whole)-1].Hash
	anchored := a.pinned()
	anchored.Anchor = head
	if r := a.verify(anchored); !r.Intact() || r.Anchor != 7 || r.Head != head {
		t.Fatalf("the whole chain: %+v", r)
	}
	for i := range whole {
		without := slices.Delete(slices.Clone(whole), i, i+1)
		if r := VerifyEntries(without, anchored); r.Intact() {
			t.Errorf("without entry %d nothing is found", i+1)
		}
		if r := VerifyEntries(without, a.pinned()); r.Intact() != (i == len(whole)-1) {
			t.Errorf("without entry %d and without anchor: %+v", i+1, r.Problems)
		}
		if i > 0 {
			swapped := slices.Clone(whole)
			swapped[i].Sequence, swapped[i-1].Sequence = swapped[i-1].Sequence, swapped[i].Sequence
			if VerifyEntries(swapped, anchored).Intact() {
				t.Errorf("entries %d and %d are exchanged, and nothing is found", i, i+1)
			}
		}
		doubled := slices.Clone(whole)
		extra := whole[i]
		extra.Content += " "
		doubled = slices.Insert(doubled, i, extra)
		if VerifyEntries(doubled, anchored).Intact() {
			t.Errorf("entry %d is there twice, and nothing is found", i+1)
		}
		if i < len(whole)-1 {
			mustSay(t, VerifyEntries(whole[:i], anchored), uint64(i), "the anchor", "its end was cut off")
		}
	}
	mustSay(t, VerifyEntries(slices.Delete(slices.Clone(whole), 2, 5), a.pinned()), 3, "entries 3 to 5 are missing")
	huge := append(slices.Clone(whole), Entry{Sequence: 1 << 60, At: a.now})
	mustSay(t, VerifyEntries(huge, a.pinned()), 8, "missing")

	// The same from the table, as it is left by whoever cuts the end off.
	a.replaceEntries(whole[:4])
	mustSay(t, a.verify(anchored), 4, "the anchor", "its end was cut off")
}

// A chain that is made anew has other hashes, and without the key no signatures.
func TestForgedChain(t *testing.T) {
	a := newArchive(t)
	a.fill()
	whole := a.entries()
	expect := a.pinned()
	expect.Anchor = whole[6].Hash

	// Hashes made anew, signatures as they were.
	forged, before := slices.Clone(whole), Hash{}
	forged[3].Content = strings.Replace(forged[3].Content, `"version":2`, `"version":3`, 1)
	for i := range forged {
		e := &forged[i]
		e.ContentHash, e.Previous = HashOf([]byte(e.Content)), before
		e.Hash = HashOf(e.Text())
		before = e.Hash
	}
	mustSay(t, VerifyEntries(forged, Expect{}), 4, "the signature of entry 4", "without the signing key")

	// Signed by a key of the forger's own.
	before = Hash{}
	for i := range forged {
		forged[i].Previous = before
		forged[i].seal(testKey(66))
		before = forged[i].Hash
	}
	mustSay(t, VerifyEntries(forged, a.pinned()), 1, "another key")
	if !VerifyEntries(forged, Expect{}).Intact() {
		t.Error("who knows neither key nor anchor cannot tell")
	}
	mustSay(t, VerifyEntries(forged, Expect{Anchor: whole[6].Hash}), 7, "the anchor", "made anew")
	mixed := append(slices.Clone(whole[:3]), forged[3:]...)
	mustSay(t, VerifyEntries(mixed, Expect{}), 4, "another key")

	// By the holder of the key: only the anchor tells.
	before = Hash{}
	for i := range forged {
		forged[i].Previous = before
		forged[i].seal(a.key)
		before = forged[i].Hash
	}
	mustSay(t, VerifyEntries(forged, expect), 7, "the anchor")
}

// Every changed byte of an export is found, or it is no export any more.
func TestEveryChangedByteOfAnExportIsFound(t *testing.T) {
	a := newArchive(t)
	a.fill()
	var export bytes.Buffer
	if err := Export(t.Context(), a, &export); err != nil {
		t.Fatal(err)
	}
	expect := a.pinned()
	expect.Anchor = a.mustBeIntact().Head
	intact := func(text []byte) ([]Entry, bool) {
		entries, err := ReadExport(bytes.NewReader(text))
		return entries, err == nil && VerifyEntries(entries, expect).Intact()
	}
	whole, is := intact(export.Bytes())
	if !is {
		t.Fatal("the export itself is not intact")
	}
	text := export.Bytes()
	for i := range text {
		if i%7 != 0 && i%11 != 0 {
			continue
		}
		for _, flip := range []byte{1, 0x20} {
			other := bytes.Clone(text)
			other[i] ^= flip
			// The names of JSON's fields are read in either case: then the entries are the same.
			if entries, is := intact(other); is && !slices.Equal(entries, whole) {
				t.Errorf("byte %d of the export was changed, %q, and nothing is found", i, other[max(i-20, 0):min(i+20, len(other))])
			}
		}
	}
}

// An auditor has the files and an export, and no database.
func TestFilesAlone(t *testing.T) {
	a := newArchive(t)
	a.fill()
	dir := t.TempDir()
	for day := 1; day <= 3; day++ {
		for _, f := range []struct{ name, text string }{{"acme-%d.html", "page %d"}, {"acme-%d.json", "json %d"}} {
			if err := WriteFile(filepath.Join(dir, "acme", fmt.Sprintf(f.name, day)), fmt.Appendf(nil, f.text, day)); err != nil {
				t.Fatal(err)
			}
		}
	}
	check := func() *Report {
		t.Helper()
		r, err := VerifyFiles(dir, "", a.entries(), a.pinned())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := check(); !r.Intact() || r.Files != 6 || len(r.Remarks) > 0 {
		t.Fatalf("the files: %+v", r)
	}
	path := filepath.Join(dir, "acme", "acme-2.html")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v, %v", info.Mode(), err)
	}
	text := []byte("page 2")
	for i := range text {
		other := bytes.Clone(text)
		other[i] ^= 1
		if err := os.WriteFile(path, other, 0o600); err != nil {
			t.Fatal(err)
		}
		mustSay(t, check(), 3, "acme-2.html", "is not the file that entry 3 names")
	}
	if err := errors.Join(os.WriteFile(path, []byte("page x"), 0o600), os.Rename(path, filepath.Join(dir, "other.html"))); err != nil {
		t.Fatal(err)
	}
	mustSay(t, check(), 0, "other.html is not known to the chain")
	if err := os.Remove(filepath.Join(dir, "other.html")); err != nil {
		t.Fatal(err)
	}
	if r := check(); !r.Intact() || len(r.Remarks) != 1 || !strings.Contains(r.Remarks[0].What, "1 files that the chain names are not in") {
		t.Errorf("without a file: %+v", r)
	}
	if err := os.Rename(filepath.Join(dir, "acme", "acme-1.html"), filepath.Join(dir, "first.html")); err != nil {
		t.Fatal(err)
	}
	if r := check(); !r.Intact() || len(r.Remarks) != 2 || !strings.Contains(r.Remarks[1].What, "calls acme-1.html") {
		t.Errorf("a file under a name of its own: %+v", r)
	}
	if err := os.Rename(filepath.Join(dir, "first.html"), path); err != nil {
		t.Fatal(err)
	}
	mustSay(t, check(), 3, "another was put in its place")
}

func TestTextOfAnEntryIsAsDocumented(t *testing.T) {
	e := Entry{Sequence: 3, At: time.Date(2026, 3, 2, 6, 0, 0, 7e6, time.UTC), Kind: KindSummary, Subject: schema.HashUID("x"), SubjectVersion: 2, Content: "{}"}
	e.seal(testKey(1))
	const want = `crmwatch evidence 1
sequence 3
at 2026-03-02T06:00:00.007Z
kind summary
subject UID 2
content 44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a
previous 0000000000000000000000000000000000000000000000000000000000000000
key KEY
`
	if got := string(e.Text()); got != strings.NewReplacer("UID", e.Subject.String(), "KEY", e.PublicKey).Replace(want) {
		t.Errorf("the text is\n%s", got)
	}
}
