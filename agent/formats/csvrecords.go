package formats

import (
	"bytes"

	"github.com/crmwatch/crmwatch/schema"
)

// csvTable is what a CSV format knows about its rows.
type csvTable interface {
	// isHeader says whether fields are a header.
	isHeader(fields []string) bool
	// setHeader takes over the columns of a header, or says what is wrong with it.
	setHeader(fields []string) (wrong string)
	// row fills the event, which is empty, from a record that has as many fields
	// as the header. It returns nil, or why the record cannot be read.
	row(fields []string, event *schema.Event) *csvFailure
	// wanted describes the header that the format needs, for messages.
	wanted() string
}

// csvFailure is why a record with the right number of fields cannot be read.
type csvFailure struct {
	reason, detail string
	// field is the index of the field at fault, or -1.
	field int
}

// csvRecords reads the records of a CSV file, whatever their columns mean. It
// finds headers anywhere in the file, keeps count of lines, and gets back in step
// after a record that it cannot read. What it reads does not depend on how the
// file is cut into calls of Decode.
type csvRecords struct {
	table    csvTable
	splitter csvSplitter
	event    schema.Event
	// max is MaxRecord, except in tests.
	max int
	// next is where the data of the next Decode begins, and lineStart where its
	// line does.
	next      Position
	lineStart int64
	// columns is the number of fields of the header; 0 before the first.
	columns int
	// headers counts the headers that were read.
	headers int
	// inLongLine: the rest of a line that was rejected as too long follows.
	inLongLine bool
	// outOfStep: a bad record was rejected without finding the next good one.
	outOfStep bool
	// isUTF16: the file was rejected as a whole.
	isUTF16 bool

	// The rest belongs to one call of Decode.
	sink Sink
	data []byte
	// used is how much of data is done with. limit is where the record at used
	// ends at the latest; whole says that nothing follows there, and full that no
	// more will be looked at.
	used, limit int
	atEOF       bool
	whole, full bool
	// The lines of data[:counted] are in next.Line.
	counted int
}

func newCSVRecords(start Position, table csvTable) *csvRecords {
	if start.Offset == 0 && start.Line == 0 {
		start.Line = 1
	}
	return &csvRecords{table: table, next: start, lineStart: start.Offset, max: MaxRecord}
}

// Decode implements Decoder.
func (r *csvRecords) Decode(data []byte, atEOF bool, sink Sink) int {
	r.data, r.atEOF, r.sink = data, atEOF, sink
	r.used, r.counted = 0, 0
	if r.next.Offset == 0 && !r.start() {
		return 0
	}
	for r.used < len(data) && r.record() {
	}
	r.lineAt(r.used)
	r.next.Offset += int64(r.used)
	r.data, r.sink = nil, nil
	return r.used
}

// start looks at the first bytes of the file: a UTF-8 byte order mark is dropped,
// UTF-16 is refused. It returns false when it has to see more.
func (r *csvRecords) start() bool {
	if len(r.data) < 4 && !r.atEOF {
		return false
	}
	if looksUTF16(r.data) {
		r.isUTF16 = true
		r.reject(len(r.data), 0, ReasonNotText, `the file is UTF-16, not UTF-8: save it as UTF-8 ("CSV UTF-8" in a spreadsheet) and read it again`)
	} else if bytes.HasPrefix(r.data, byteOrderMark) {
		r.used = len(byteOrderMark)
	}
	return true
}

// looksUTF16 says whether head begins with a UTF-16 byte order mark, or with ASCII
// in UTF-16.
func looksUTF16(head []byte) bool {
	if len(head) < 4 {
		return false
	}
	switch [2]byte(head) {
	case [2]byte{0xFF, 0xFE}, [2]byte{0xFE, 0xFF}:
		return true
	}
	return head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0 ||
		head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0
}

// record reads what begins at used: a record, a header, white space or bytes that
// are none of these. It returns false when it has to see more.
func (r *csvRecords) record() bool {
	if r.isUTF16 {
		r.used = len(r.data) // the one rejection at the start stands for all of it
		return true
	}
	r.limit, r.whole, r.full = len(r.data), r.atEOF, r.atEOF
	if r.limit >= r.used+r.max {
		r.limit, r.whole, r.full = r.used+r.max, false, true
	}
	rest := r.data[r.used:r.limit]
	switch {
	case r.inLongLine:
		return r.longLine()
	case r.outOfStep:
		return r.resync(r.used, 0, ReasonQuote, "this follows a record that could not be read, and no good record begins in it")
	case rest[0] == '\n':
		r.used++
		return true
	case rest[0] == '\r' && len(rest) == 1:
		if r.atEOF {
			r.used++
		}
		return r.atEOF
	case rest[0] == '\r' && rest[1] == '\n':
		r.used += 2
		return true
	case rest[0] == 0:
		return r.zeros()
	}
	n, result := r.split(r.used)
	switch result {
	case csvRecord:
		r.fields(n)
		return true
	case csvMore:
		if !r.full {
			return false
		}
	default:
		if n := r.headerBehindMark(); n > 0 {
			r.used += n
			return true
		}
	}
	return r.unreadable(n, result)
}

// split cuts the record that begins at data[at].
func (r *csvRecords) split(at int) (int, csvResult) {
	return r.splitter.split(r.data[at:r.limit], r.whole)
}

// place is the line (0 when unknown) and the column of data[at], at or behind used.
func (r *csvRecords) place(at int) (line int64, column int) {
	line = r.lineAt(r.used)
	ahead := r.data[r.used:at]
	if newline := bytes.LastIndexByte(ahead, '\n'); newline >= 0 {
		column = len(ahead) - newline
	} else {
		column = int(r.next.Offset + int64(at) - r.lineStart + 1)
	}
	if line > 0 {
		line += int64(bytes.Count(ahead, []byte{'\n'}))
	}
	return line, column
}

// lineAt counts the lines up to data[at], which is at used or at the end of it.
func (r *csvRecords) lineAt(at int) int64 {
	done := r.data[r.counted:at]
	if newline := bytes.LastIndexByte(done, '\n'); newline >= 0 {
		r.lineStart = r.next.Offset + int64(r.counted+newline+1)
		if r.next.Line > 0 {
			r.next.Line += int64(bytes.Count(done, []byte{'\n'}))
		}
	}
	r.counted = at
	return r.next.Line
}

// reject gives the next n bytes to the sink as unreadable, and goes on behind them.
func (r *csvRecords) reject(n, column int, reason, detail string) {
	r.sink.Reject(Rejection{
		Position: Position{Offset: r.next.Offset + int64(r.used), Line: r.lineAt(r.used)},
		Column:   column,
		Reason:   reason,
		Detail:   detail,
		Content:  r.data[r.used : r.used+n],
	})
	r.used += n
}
