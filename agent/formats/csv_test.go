package formats

import (
	"bytes"
	"encoding/csv"
	"io"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// splitAll reads all records of data, giving the splitter the data in growing
// pieces of step bytes. It returns false when a record cannot be read.
func splitAll(data []byte, step int) (records [][]string, ok bool) {
	var s csvSplitter
	for end := min(step, len(data)); len(data) > 0; {
		window := data[:end]
		atEOF := end == len(data)
		switch {
		case len(window) == 0:
		case window[0] == '\n':
			data, end = data[1:], end-1
			continue
		case len(window) > 1 && window[0] == '\r' && window[1] == '\n':
			data, end = data[2:], end-2
			continue
		case atEOF && len(window) == 1 && window[0] == '\r':
			return records, true
		case len(window) == 1 && window[0] == '\r':
		default:
			used, result := s.split(window, atEOF)
			switch result {
			case csvRecord:
				var record []string
				for _, field := range s.fields {
					record = append(record, strings.Clone(field))
				}
				records = append(records, record)
				data, end = data[used:], end-used
				continue
			case csvBadQuote, csvOpenQuote:
				return records, false
			}
		}
		if atEOF && len(window) > 0 {
			panic("the splitter wants more than there is")
		}
		end = min(end+step, len(data))
	}
	return records, true
}

// readAll is what encoding/csv makes of data.
func readAll(data []byte) (records [][]string, ok bool) {
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord = -1
	for {
		record, err := r.Read()
		if err == io.EOF {
			return records, true
		}
		if err != nil {
			return records, false
		}
		records = append(records, record)
	}
}

func compareWithEncodingCSV(t interface {
	Fatalf(string, ...any)
	Helper()
}, data []byte, step int) {
	t.Helper()
	got, gotOK := splitAll(data, step)
	want, wantOK := readAll(data)
	if gotOK != wantOK || !slices.EqualFunc(got, want, slices.Equal) {
		t.Fatalf("%q in steps of %d:\n got %q, %v\nwant %q, %v", data, step, got, gotOK, want, wantOK)
	}
}

func TestCSVSplitterReadsAsEncodingCSVDoes(t *testing.T) {
	pieces := []string{`"`, `""`, `,`, "\n", "\r\n", "\r", "a", "bc", `"x"`, `"x",`, "\x00", "é", "0123456789", `"0123456789ab"`, `"a ""b"" c"`, "\"two\nlines\"", "\"two\r\nlines\"", " "}
	rapid.Check(t, func(t *rapid.T) {
		var data []byte
		for _, i := range rapid.SliceOf(rapid.IntRange(0, len(pieces)-1)).Draw(t, "pieces") {
			data = append(data, pieces[i]...)
		}
		compareWithEncodingCSV(t, data, rapid.IntRange(1, 20).Draw(t, "step"))
	})
}

func TestCSVSplitterReadsWhatEncodingCSVWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var file bytes.Buffer
		w := csv.NewWriter(&file)
		w.UseCRLF = rapid.Bool().Draw(t, "crlf")
		for range rapid.IntRange(1, 5).Draw(t, "rows") {
			if err := w.Write(rapid.SliceOfN(rapid.String(), 2, 5).Draw(t, "row")); err != nil {
				t.Fatal(err)
			}
		}
		w.Flush()
		compareWithEncodingCSV(t, file.Bytes(), rapid.IntRange(1, 200).Draw(t, "step"))
	})
}

func FuzzCSVSplitter(f *testing.F) {
	for _, seed := range []string{"", "a,b\n", "\"a\",\"b\"\r\n", "\"a\"\"b\",\n\n,", "\"open\nline", "a\"b\n", "\"a\"b\n", "\"a\r\nb\"\r"} {
		f.Add([]byte(seed), uint8(3))
	}
	f.Fuzz(func(t *testing.T, data []byte, step uint8) {
		compareWithEncodingCSV(t, data, int(step)%64+1)
	})
}

func TestCSVSplitterEscapesInvalidText(t *testing.T) {
	var s csvSplitter
	line := []byte("caf\xe9,\xff\xfe,\xed\xa0\x80,ok é \uFFFD,\"\"\"\xe9\"\n")
	if _, result := s.split(line, true); result != csvRecord {
		t.Fatal(result)
	}
	if s.ascii {
		t.Error("the record passed for ASCII")
	}
	s.escapeInvalid()
	want := []string{`caf\xE9`, `\xFF\xFE`, `\xED\xA0\x80`, "ok é \uFFFD", `"\xE9`}
	if !slices.Equal(s.fields, want) {
		t.Errorf("got %q, want %q", s.fields, want)
	}
}
