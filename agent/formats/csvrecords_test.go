package formats

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/crmwatch/crmwatch/schema"
)

// ledger notes which rows arrived, and that every byte is accounted for.
type ledger struct {
	rows       []string
	reasons    []string
	rejected   int
	rejections []Rejection
}

func (l *ledger) Event(e *schema.Event) {
	l.rows = append(l.rows, strings.Clone(e.Text[schema.MetadataCorrelationUID]))
}

func (l *ledger) Reject(r Rejection) {
	l.reasons = append(l.reasons, r.Reason)
	l.rejected += len(r.Content)
	r.Content = slices.Clone(r.Content)
	l.rejections = append(l.rejections, r)
}

const testHeader = "\"EVENT_TYPE\",\"TIMESTAMP\",\"REQUEST_ID\",\"QUERY\"\n"

func testRow(id string, query string) string {
	return fmt.Sprintf("\"RestApi\",\"20260302140001.000\",\"%s\",\"%s\"\n", id, query)
}

// smallRecords is a decoder with a limit that tests can reach.
func smallRecords(limit int) *csvRecords {
	r := newCSVRecords(Position{}, &elfTable{})
	r.max = limit
	return r
}

// Damage costs the records that it touches, and no others.
func TestCSVRecordsGetBackInStep(t *testing.T) {
	for name, c := range map[string]struct {
		damage, reason string
		lost           int
	}{
		"stray quote":       {"\"RestApi\",\"20260302140001.000\",\"bad\",\"a \" b\"\n", ReasonQuote, 0},
		"open quote":        {"\"RestApi\",\"20260302140001.000\",\"bad\",\"open\n", ReasonQuote, 0},
		"quote in unquoted": {"RestApi,20260302140001.000,bad,a\"b\n", ReasonQuote, 0},
		"too few":           {"\"RestApi\"\n", ReasonColumnCount, 0},
		"too many":          {"a,b,c,d,e,f\n", ReasonColumnCount, 0},
		"blank":             {"\n\r\n", "", 0},
		"zeros":             {"\x00\x00\x00", ReasonNotText, 0},
		"long line":         {strings.Repeat("x", 1000) + "\n", ReasonTooLong, 0},
		"long quoted line":  {"\"RestApi\",\"" + strings.Repeat("é", 1000) + "\",\"\",\"\"\n", ReasonTooLong, 0},
		"long with lines":   {"\"RestApi\",\"20260302140001.000\",\"bad\",\"" + strings.Repeat("line\n", 300) + "\"\n", ReasonQuote, 0},
		"bad time":          {"\"RestApi\",\"never\",\"bad\",\"\"\n", ReasonTime, 0},
		"no type":           {"\"\",\"20260302140001.000\",\"bad\",\"\"\n", ReasonEventType, 0},
		"many lines, wrong": {"\"two\nlines\",\"x\"\n", ReasonColumnCount, 0},
		"crlf":              {"\"RestApi\",\"never\",\"bad\",\"\"\r\n", ReasonTime, 0},
	} {
		t.Run(name, func(t *testing.T) {
			good := testRow("1", "SELECT \"\"Id\"\"\nFROM Case")
			file := testHeader + good + c.damage + testRow("2", "") + testRow("3", "x")
			for _, step := range []int{len(file), 1, 13, 300} {
				var l ledger
				decodeInSteps(t, smallRecords(400), []byte(file), step, &l)
				if !slices.Equal(l.rows, []string{"1", "2", "3"}) {
					t.Errorf("in steps of %d: rows %q, rejections %q", step, l.rows, l.reasons)
				}
				for _, reason := range l.reasons {
					if reason != c.reason {
						t.Errorf("in steps of %d: reasons %q, want %q", step, l.reasons, c.reason)
					}
				}
				if space := strings.Trim(c.damage, "\r\n") == ""; !space && l.rejected != len(c.damage) {
					t.Errorf("in steps of %d: %d bytes rejected, want %d", step, l.rejected, len(c.damage))
				}
			}
		})
	}
}

// Two stray quotes far apart make one record of all that stands between them, as
// CSV goes; when its number of columns is wrong, the rows between are saved.
func TestCSVRecordsSaveSwallowedRows(t *testing.T) {
	file := "EVENT_TYPE,TIMESTAMP,REQUEST_ID,QUERY\nA,20260302140001,1,\nA,20260302140001,\"2,\nA,20260302140001,3,\nA,20260302140001,4,\nA,20260302140001,x\",\nA,20260302140001,6,\n"
	var l ledger
	decodeInSteps(t, smallRecords(4000), []byte(file), len(file), &l)
	// The swallowing record has four columns by chance: it stays one.
	if !slices.Equal(l.rows, []string{"1", "2,\nA,20260302140001,3,\nA,20260302140001,4,\nA,20260302140001,x", "6"}) {
		t.Errorf("rows %q", l.rows)
	}
	file = strings.Replace(file, "x\",", "x\",,", 1)
	l = ledger{}
	decodeInSteps(t, smallRecords(4000), []byte(file), len(file), &l)
	if !slices.Equal(l.rows, []string{"1", "3", "4", "6"}) {
		t.Errorf("rows %q, reasons %q", l.rows, l.reasons)
	}
	if !slices.Equal(l.reasons, []string{ReasonQuote, ReasonQuote}) {
		t.Errorf("reasons %q", l.reasons)
	}
}

// What is read, and where it is said to stand, does not depend on how the file is
// cut, and memory is bounded: with max bytes to see, something is always used.
func TestCSVRecordsReadTheSameInPieces(t *testing.T) {
	pieces := []string{
		testRow("1", ""), testRow("2", "a\nb"), testRow("3", "\"\"q\"\""), "\"", "\n", "\r\n", ",", "x", "\x00", testHeader, "\r", "é", "\xff",
		"\"a\",\"b\"\n", strings.Repeat("y", 60), "\"RestApi\",\"20260302140001.000\",\"4\",\"open\n", string(byteOrderMark) + testHeader,
		"\"QUERY\",\"EVENT_TYPE\",\"TIMESTAMP\"\n", "\"q\",\"A\",\"20260302140001\"\n",
	}
	rapid.Check(t, func(t *rapid.T) {
		file := testHeader
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(pieces)-1), 0, 20).Draw(t, "pieces") {
			file += pieces[i]
		}
		limit := rapid.IntRange(80, 500).Draw(t, "limit")
		step := rapid.IntRange(1, 600).Draw(t, "step")
		var whole, cut ledger
		decodeBounded(t, smallRecords(limit), []byte(file), len(file), limit, &whole)
		decodeBounded(t, smallRecords(limit), []byte(file), step, limit, &cut)
		if !slices.Equal(whole.rows, cut.rows) {
			t.Fatalf("%q, limit %d:\n  whole %q %q\npieces %q %q", file, limit, whole.rows, whole.reasons, cut.rows, cut.reasons)
		}
		for i, r := range whole.rejections {
			if i >= len(cut.rejections) || fmt.Sprint(r) != fmt.Sprint(cut.rejections[i]) {
				t.Fatalf("%q, limit %d, step %d: rejection %d\n  whole %+v\npieces %+v", file, limit, step, i, r, cut.rejections)
			}
			if at := int(r.Offset); file[at:at+len(r.Content)] != string(r.Content) || 1+strings.Count(file[:at], "\n") != int(r.Line) {
				t.Fatalf("%q: rejection %+v does not stand there", file, r)
			}
		}
		if len(whole.rejections) != len(cut.rejections) {
			t.Fatalf("%q: %d and %d rejections", file, len(whole.rejections), len(cut.rejections))
		}
	})
}

func decodeBounded(t *rapid.T, d Decoder, data []byte, step, limit int, sink Sink) {
	end := min(step, len(data))
	for {
		atEOF := end == len(data)
		used := d.Decode(data[:end], atEOF, sink)
		if atEOF && used != end {
			t.Fatalf("%d of %d bytes used at the end", used, end)
		}
		if end-used >= limit {
			t.Fatalf("%d bytes are left with a limit of %d", end-used, limit)
		}
		if atEOF {
			return
		}
		data = data[used:]
		end = min(end-used+step, len(data))
	}
}

// A header and nothing else, or nothing at all, is no error of the decoder.
func TestCSVRecordsEmpty(t *testing.T) {
	for _, file := range []string{"", "\n", testHeader, string(byteOrderMark) + testHeader, strings.TrimSuffix(testHeader, "\n"), "\r\n\r\n"} {
		var l ledger
		decodeInSteps(t, smallRecords(400), []byte(file), len(file), &l)
		if len(l.rows)+len(l.reasons) > 0 {
			t.Errorf("%q: rows %q, rejections %q", file, l.rows, l.reasons)
		}
	}
}

// A file that is followed from its middle says so where rows come without header.
func TestCSVRecordsWithoutHeader(t *testing.T) {
	d := salesforceELF.New(Options{Start: Position{Offset: 1000, Line: 11}})
	var l ledger
	decodeInSteps(t, d, []byte(testRow("1", "")), 1000, &l)
	if len(l.rejections) != 1 || l.rejections[0].Reason != ReasonHeader || l.rejections[0].Line != 11 || l.rejections[0].Offset != 1000 {
		t.Errorf("got %+v", l.rejections)
	}
}

func TestCSVHeaderLimits(t *testing.T) {
	wide := strings.Repeat("X,", 10_000)
	var l ledger
	decodeInSteps(t, smallRecords(1<<20), []byte("EVENT_TYPE,TIMESTAMP,"+wide+"\nA,20260302140001,"+wide+"\n"), 1<<20, &l)
	if len(l.rows) != 0 || !slices.Equal(l.reasons, []string{ReasonHeader, ReasonHeader}) {
		t.Errorf("rows %q, reasons %q", l.rows, l.reasons)
	}
}
