package agent

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/crmwatch/crmwatch/agent/formats"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with testdata/NAME.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// writeFiles makes files in a new folder; a name that ends in "/" makes a folder,
// and content that begins with "-> " a link.
func writeFiles(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if target, isLink := strings.CutPrefix(content, "-> "); err == nil && isLink {
			err = os.Symlink(target, path)
		} else if err == nil {
			err = os.WriteFile(path, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// load loads paths into s.
func load(t testing.TB, s *store, o LoadOptions) Report {
	t.Helper()
	if o.Ship == nil {
		o.Ship = s.Ship
	}
	o.Redactor, o.Source = testRedactor(), "scan"
	report, err := Load(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

const apiHeader = `"EVENT_TYPE","TIMESTAMP","REQUEST_ID","ORGANIZATION_ID","USER_ID","RUN_TIME","URI","CLIENT_IP","QUERY","TIMESTAMP_DERIVED"` + "\n"

// apiRow is a row of a RestApi EventLogFile.
func apiRow(n int, query string) string {
	at := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * 7 * time.Second)
	return fmt.Sprintf(`"RestApi","%s","REQ%06d","00D7x0000004Abc","0057x000001QwEr","%d","/services/data/v62.0/query","198.51.100.23","%s","%s"`+"\n",
		at.Format("20060102150405.000"), n, n%300, strings.ReplaceAll(query, `"`, `""`), at.Format("2006-01-02T15:04:05.000Z"))
}

func apiRows(from, to int) string {
	var b strings.Builder
	for n := from; n < to; n++ {
		b.WriteString(apiRow(n, "SELECT Id FROM Contact"))
	}
	return b.String()
}

func gzipped(t testing.TB, parts ...string) string {
	t.Helper()
	var b bytes.Buffer
	for _, part := range parts {
		z := gzip.NewWriter(&b)
		z.Write([]byte(part))
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func zipped(t testing.TB, members ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		w, err := z.Create(members[i])
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(members[i+1]))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zstandard(t testing.TB, content string) string {
	t.Helper()
	e, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(e.EncodeAll([]byte(content), nil))
}

func noise(n int) string {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

// TestBadInputs loads every kind of bad file beside good ones: each is named with a
// reason, and the good records around it are in.
func TestBadInputs(t *testing.T) {
	row := apiRow(3, "SELECT Id FROM Lead")
	files := map[string]string{
		"01 good.csv":             apiHeader + apiRows(0, 3),
		"02 binary junk.csv":      noise(100_000),
		"03 empty.csv":            "",
		"04 header only.csv":      apiHeader,
		"05 cut last record.csv":  apiHeader + apiRows(0, 3) + row[:len(row)/2],
		"06 quoted newline.csv":   apiHeader + apiRow(0, "SELECT Id\nFROM \"Lead\"\r\n") + apiRows(1, 3),
		"07 column count.csv":     apiHeader + apiRows(0, 2) + `"RestApi","20260302000014.000","short"` + "\n" + apiRows(2, 4),
		"08 changed header.csv":   apiHeader + apiRows(0, 2) + `"EVENT_TYPE","TIMESTAMP_DERIVED","REQUEST_ID"` + "\n" + `"Logout","2026-03-02T00:00:40.000Z","REQ9"` + "\n",
		"09 dangling link.csv":    "-> nowhere.csv",
		"10 link out.csv":         "-> ../../../../../../../../etc/hostname",
		"11 long line.csv":        apiHeader + apiRows(0, 2) + `"RestApi","` + strings.Repeat("x", 5<<20) + `"` + "\n" + apiRows(2, 4),
		"12 no newline.log":       "203.0.113.7 - - [02/Mar/2026:09:00:00 +0000] \"GET /a HTTP/1.1\" 200 1 \"-\" \"x\"",
		"13 readme.md":            "# How to read these logs\n\nAsk the admin.\n",
		"14 utf16.csv":            "\xff\xfeE\x00V\x00E\x00N\x00T\x00",
		"15 gzip.csv.gz":          gzipped(t, apiHeader+apiRows(0, 2), apiRows(2, 5)),
		"16 cut gzip.csv.gz":      gzipped(t, apiHeader+noiseRows(2000))[:20_000],
		"17 bomb.csv.gz":          gzipped(t, strings.Repeat("\x00", 100<<20)),
		"18 zip.zip":              zipped(t, "b/api.csv", apiHeader+apiRows(5, 8), "a.log", line(1), "c.txt.gz", gzipped(t, line(2)), "d.zip", zipped(t, "e", "f")),
		"19 zstd.csv.zst":         zstandard(t, apiHeader+apiRows(8, 12)),
		"20 sheet.xlsx":           zipped(t, "[Content_Types].xml", "<x/>", "xl/workbook.xml", "<x/>"),
		"21 broken.zip":           zipped(t, "a.csv", apiHeader)[:60],
		"22 time travel.log":      line(1) + strings.Replace(line(2), "2026", "2262", 1) + line(3),
		"23 gzip in gzip.gz":      gzipped(t, gzipped(t, line(1))),
		"24 same file.csv":        "-> 01 good.csv",
		"25 wrong name.png":       lines(0, 4),
		".26 hidden":              lines(4, 6),
		"27 not utf-8.log":        strings.Replace(line(7), "sync", "s\xffnc", 1),
		"28 crlf.csv":             strings.ReplaceAll(apiHeader+apiRows(12, 14), "\n", "\r\n"),
		"29 kong.json":            `{"started_at":1772442720118,"client_ip":"203.0.113.77","request":{"method":"GET","uri":"/crm/contacts","headers":{},"querystring":{},"size":180},"response":{"status":401,"size":240,"headers":{}},"latencies":{"kong":1,"proxy":-1,"request":1}}` + "\n{\"started_at\":17724\n",
		"30 empty archive.zip":    zipped(t),
		"31 folder/32 nested.csv": apiHeader + apiRows(14, 16),
	}
	dir := writeFiles(t, files)
	s := newStore()
	report := load(t, s, LoadOptions{Paths: []string{dir, filepath.Join(dir, "missing.csv")}, Workers: 2})
	// The folder's own name is made up by the test.
	names := strings.NewReplacer(dir, "DIR", filepath.Base(dir)+"/", "")
	for i := range report.Files {
		report.Files[i].File = names.Replace(report.Files[i].File)
		report.Files[i].Reason = names.Replace(report.Files[i].Reason)
	}
	var got bytes.Buffer
	for _, f := range report.Files {
		encode(t, &got, f)
	}
	encode(t, &got, report.Totals)
	golden(t, "bad_inputs.jsonl", got.Bytes())
	totals := report.Totals
	if totals.Records != totals.Stored+totals.StoredQuarantined || totals.Pending != 0 {
		t.Errorf("the ledger does not balance: %+v", totals)
	}
}

func encode(t *testing.T, to *bytes.Buffer, v any) {
	t.Helper()
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		t.Fatal(err)
	}
}

func noiseRows(n int) string {
	r := rand.New(rand.NewPCG(3, 4))
	var b strings.Builder
	for i := range n {
		b.WriteString(apiRow(i, fmt.Sprintf("SELECT Id FROM Lead WHERE Name = '%x%x'", r.Uint64(), r.Uint64())))
	}
	return b.String()
}

// TestLoadDoesNotDependOnWorkers loads the same folder with one worker and with four.
func TestLoadDoesNotDependOnWorkers(t *testing.T) {
	files := map[string]string{}
	for i := range 40 {
		files[fmt.Sprintf("%02d.csv", i)] = apiHeader + apiRows(i*50, i*50+60)
	}
	dir := writeFiles(t, files)
	one, four := newStore(), newStore()
	reports := [2]Report{
		load(t, one, LoadOptions{Paths: []string{dir}, Workers: 1}),
		load(t, four, LoadOptions{Paths: []string{dir}, Workers: 4}),
	}
	if diff := cmp.Diff(reports[0], reports[1]); diff != "" {
		t.Errorf("reports differ:\n%s", diff)
	}
	if len(one.rows) != len(four.rows) || len(one.rows) != 2010 {
		t.Errorf("%d and %d events, want 2010", len(one.rows), len(four.rows))
	}
	for uid := range one.rows {
		if _, ok := four.rows[uid]; !ok {
			t.Fatalf("event %s is only in one", uid)
		}
	}
}

// TestPanickingDecoderFailsOneFile has a decoder with a defect.
func TestPanickingDecoderFailsOneFile(t *testing.T) {
	dir := writeFiles(t, map[string]string{"a.log": lines(0, 5), "b.log": lines(5, 10)})
	s := newStore()
	out := make(chan Sealed, 4)
	r := &reader{source: "scan", redactor: testRedactor(), sealer: newSealer(testRedactor(), newFillings(4), out), ordinals: newOrdinals()}
	f := &fileReading{reader: r, report: &FileReport{}, decoder: panicking{}, name: "broken", end: 10}
	if _, err := f.decode(make([]byte, 10), true); err == nil || !strings.Contains(err.Error(), "has a defect") || strings.Contains(err.Error(), "secret") {
		t.Errorf("the panic became %v", err)
	}
	if _, err := f.decode(make([]byte, formats.MaxRecord+2*blockSize), false); err == nil {
		t.Error("a decoder that uses nothing is called for ever")
	}
	if report := load(t, s, LoadOptions{Paths: []string{dir}}); report.Totals.Events != 10 {
		t.Errorf("%d events, want 10", report.Totals.Events)
	}
}

type panicking struct{}

func (panicking) Decode(data []byte, atEOF bool, _ formats.Sink) int {
	if atEOF {
		panic("secret")
	}
	return 0
}

// TestMemoryLimits reads one long line in gzip: what is read at once stays bounded.
func TestMemoryLimits(t *testing.T) {
	dir := writeFiles(t, map[string]string{"long.csv.gz": gzipped(t, apiHeader+apiRows(0, 2)+strings.Repeat("y", 60<<20)+"\n"+apiRows(2, 4))})
	s := newStore()
	report := load(t, s, LoadOptions{Paths: []string{dir}, Workers: 1})
	f := report.Files[0]
	if f.Events != 4 || f.Quarantined < 14 || f.Status != StatusOK {
		t.Errorf("report: %+v", f)
	}
	dir = writeFiles(t, map[string]string{"bomb.csv.gz": gzipped(t, apiHeader+apiRows(0, 2)+strings.Repeat("\n", 200<<20))})
	report = load(t, s, LoadOptions{Paths: []string{dir}, Workers: 1})
	if f := report.Files[0]; f.Events != 2 || f.Status != StatusPartlyRead || !strings.Contains(f.Reason, "100 times its size") || f.Bytes > 80<<20 {
		t.Errorf("report: %+v", f)
	}
	report = load(t, s, LoadOptions{Paths: []string{dir}, MaxUnpacked: 1 << 20})
	if f := report.Files[0]; f.Status != StatusPartlyRead || !strings.Contains(f.Reason, "more than 1 MiB") {
		t.Errorf("report: %+v", f)
	}
}

func TestProgress(t *testing.T) {
	dir := writeFiles(t, map[string]string{"a.csv": apiHeader + apiRows(0, 20_000), "b.csv.gz": gzipped(t, apiHeader+apiRows(0, 20_000)), "c.zip": zipped(t, "x.csv", apiHeader+apiRows(0, 9))})
	var last Progress
	calls := 0
	load(t, newStore(), LoadOptions{Paths: []string{dir}, Progress: func(p Progress) {
		if p.BytesDone < last.BytesDone || p.Events < last.Events || p.BytesDone > p.BytesTotal {
			t.Errorf("progress went from %+v to %+v", last, p)
		}
		last, calls = p, calls+1
	}})
	want := Progress{BytesDone: last.BytesTotal, BytesTotal: last.BytesTotal, FilesDone: 3, FilesTotal: 3, Events: 40_009}
	if last != want || calls < 6 {
		t.Errorf("after %d calls: %+v, want %+v", calls, last, want)
	}
}

func TestLoadEndsWithItsContext(t *testing.T) {
	dir := writeFiles(t, map[string]string{"a.csv": apiHeader + apiRows(0, 1000)})
	ctx, cancel := context.WithCancel(t.Context())
	report, err := Load(ctx, LoadOptions{Paths: []string{dir}, Redactor: testRedactor(), Ship: func(ctx context.Context, _ Sealed) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	}})
	if err == nil || report.Totals.Pending != 1000 {
		t.Errorf("load ends with %v and %+v", err, report.Totals)
	}
}
