package agent

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/klauspost/compress/gzip"
	"pgregory.net/rapid"
)

// nastyCSV is an export with everything that can mislead those who cut it: line ends
// and quotes inside fields, stray quotes, headers, lines that are too long or cut.
func nastyCSV(t *rapid.T, rows int) string {
	var out strings.Builder
	out.WriteString(apiHeader)
	odd := rapid.SampledFrom([]int{0, 0, 1, 40}).Draw(t, "odd rows in 1000")
	for n := range rows {
		if rapid.IntRange(0, 999).Draw(t, "odd") >= odd {
			out.WriteString(apiRow(n%500, fmt.Sprintf("SELECT Id FROM Contact LIMIT %d", n%700)))
			continue
		}
		switch rapid.IntRange(0, 8).Draw(t, "what") {
		case 0:
			out.WriteString(apiRow(n, "SELECT Id\nFROM Contact\n\nLIMIT 1"))
		case 1:
			out.WriteString(apiRow(n, `SELECT ""Id"" FROM Contact WHERE Name = ',`+"\n"+`'`))
		case 2:
			out.WriteString(apiRow(n, `SELECT "Id FROM Contact`)) // a stray quote
		case 3:
			out.WriteString(apiHeader)
		case 4:
			out.WriteString("\"half a row\",\"and no more\"\n")
		case 5:
			out.WriteString("\n\n")
		case 6:
			out.WriteString(strings.Repeat("\x00", 20))
		case 7:
			row := apiRow(n, "SELECT Id")
			out.WriteString(row[:len(row)/2] + "\n")
		case 8:
			out.WriteString(strings.ReplaceAll(apiRow(n, "SELECT Id\nFROM Lead"), "\n", "\r\n"))
		}
	}
	text := out.String()
	return text[:len(text)-rapid.IntRange(0, 80).Draw(t, "missing at the end")]
}

func nastyLines(t *rapid.T, rows int) string {
	var out strings.Builder
	for n := range rows {
		switch rapid.IntRange(0, 300).Draw(t, "what") {
		case 0:
			out.WriteString("no line of an access log \"\n")
		case 1:
			out.WriteString("\n")
		case 2:
			out.WriteString(strings.Repeat("\x00", 30) + "\n")
		default:
			out.WriteString(lines(n, n+1))
		}
	}
	return out.String()
}

var sorted = cmpopts.SortSlices(strings.Compare)

// TestManyReadersReadWhatOneReads compares what several workers read of a file with
// what one decoder alone reads: events, identities, rejections, reports.
func TestManyReadersReadWhatOneReads(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		name, text := "api.csv", ""
		if rapid.Bool().Draw(t, "csv") {
			text = nastyCSV(t, rapid.IntRange(200, 1500).Draw(t, "rows"))
		} else {
			name, text = "access.log", nastyLines(t, rapid.IntRange(500, 4000).Draw(t, "lines"))
		}
		path := filepath.Join(dir, name)
		content := []byte(text)
		if rapid.IntRange(0, 9).Draw(t, "packed") == 0 {
			var packed bytes.Buffer
			w := gzip.NewWriter(&packed)
			fmt.Fprint(w, text)
			w.Close()
			content = packed.Bytes()
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		read := func(workers, chunk int) (*store, Report) {
			s := newStore()
			report, err := Load(context.Background(), LoadOptions{Paths: []string{path}, Ship: s.Ship, Redactor: testRedactor(), Source: "scan", Workers: workers, chunkSize: chunk})
			if err != nil {
				t.Fatal(err)
			}
			return s, report
		}
		one, wantReport := read(1, 0)
		many, report := read(rapid.IntRange(2, 5).Draw(t, "workers"), rapid.IntRange(600, 9000).Draw(t, "chunk"))
		if diff := cmp.Diff(wantReport, report); diff != "" {
			t.Errorf("report (-one +many):\n%s", diff)
		}
		if diff := cmp.Diff(one.rows, many.rows, cmp.AllowUnexported(row{})); diff != "" {
			t.Errorf("events (-one +many):\n%s", diff)
		}
		if diff := cmp.Diff(one.places, many.places, sorted); diff != "" {
			t.Errorf("places (-one +many):\n%s", diff)
		}
		if diff := cmp.Diff(one.rejections, many.rejections, sorted); diff != "" {
			t.Errorf("rejections (-one +many):\n%s", diff)
		}
	})
}
