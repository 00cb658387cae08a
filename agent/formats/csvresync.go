package formats

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// unreadable deals with the record at used, which could not be split: n is where
// the splitter stopped. It returns false when it has to see more.
func (r *csvRecords) unreadable(n int, result csvResult) bool {
	rest := r.data[r.used:r.limit]
	newline := bytes.IndexByte(rest, '\n')
	if result == csvMore {
		if newline < 0 {
			return r.longLine()
		}
		return r.resync(r.used+newline+1, 0, ReasonQuote, fmt.Sprintf(
			"a quoted field of this record is not closed within %d MiB: write each quote inside a field twice", MaxRecord>>20))
	}
	line, column := r.place(r.used + n)
	at := fmt.Sprintf("column %d", column)
	if line > 0 {
		at = fmt.Sprintf("line %d, column %d", line, column)
	}
	if result == csvOpenQuote {
		if newline < 0 {
			r.reject(len(rest), column, ReasonCut, "the file ends inside the quoted field that begins in "+at+": it was cut off; fetch it again")
			return true
		}
		return r.resync(r.used+newline+1, column, ReasonQuote, "the quote in "+at+" is never closed: write each quote inside a field twice, or fetch the file again if it was cut off")
	}
	if newline < 0 {
		newline = len(rest) - 1
		if !r.full {
			return false
		}
		if !r.whole {
			return r.longLine()
		}
	}
	return r.resync(r.used+newline+1, column, ReasonQuote, "the quote in "+at+" stands inside a field: put the field in quotes and write each quote inside it twice")
}

// resync rejects what stands between used and the first line, at or behind from,
// that begins a good record. It returns false when it has to see more.
func (r *csvRecords) resync(from, column int, reason, detail string) bool {
	at, more := r.goodLine(from, r.limit)
	switch {
	case at >= 0:
		r.outOfStep = false
	case more || !r.full:
		return false
	case r.whole:
		at, r.outOfStep = r.limit, false
	default:
		// The search goes on at a line's start, with the next call's limit.
		r.outOfStep = true
		at = r.used + bytes.LastIndexByte(r.data[r.used:r.limit], '\n') + 1
		if at == r.used {
			at, r.inLongLine = r.limit, true
		}
	}
	if at > r.used {
		r.reject(at-r.used, column, reason, detail)
	}
	return true
}

// goodLine finds the first line in data[from:to] that begins a record with the
// right number of fields, or a header, and ends before to. It returns -1 when
// there is none, and more when it cannot know before it sees more.
func (r *csvRecords) goodLine(from, to int) (at int, more bool) {
	for at = from; at < to; {
		n, result := r.split(at)
		if result == csvMore && !r.full && to == r.limit {
			return -1, true
		}
		if result == csvRecord && at+n <= to && r.good() {
			return at, false
		}
		newline := bytes.IndexByte(r.data[at:to], '\n')
		if newline < 0 {
			break
		}
		at += newline + 1
	}
	return -1, false
}

// good says whether the record that was just split can be a row or a header.
func (r *csvRecords) good() bool {
	return r.columns > 0 && r.splitter.count == r.columns || r.table.isHeader(r.splitter.fields)
}

// wrongCount rejects the record of n bytes at used, which has too few or too many
// fields. When it spans lines, a quote may have swallowed good ones: then only
// what stands before the first of them is rejected.
func (r *csvRecords) wrongCount(n int) {
	found := r.splitter.count
	if newline := bytes.IndexByte(r.data[r.used:r.used+n-1], '\n'); newline >= 0 {
		if at, _ := r.goodLine(r.used+newline+1, r.used+n); at >= 0 {
			r.reject(at-r.used, 0, ReasonQuote, "a quote in this record swallows good records behind it: write each quote inside a field twice")
			return
		}
	}
	r.reject(n, 0, ReasonColumnCount, fmt.Sprintf(
		"expected %d columns as in the header, found %d: put fields that hold commas in quotes, or fetch the file again", r.columns, found))
}

// longLine rejects a line, or a part of it, that is longer than max. It returns
// false when it has to see more.
func (r *csvRecords) longLine() bool {
	rest := r.data[r.used:r.limit]
	n := bytes.IndexByte(rest, '\n') + 1
	switch {
	case n > 0:
		r.inLongLine = false
	case !r.full:
		return false
	default:
		n = len(rest)
		r.inLongLine = !r.whole
		if r.inLongLine {
			n = wholeCharacters(rest)
		}
	}
	r.reject(n, 0, ReasonTooLong, fmt.Sprintf("the line is longer than %d MiB, the most that a record may have", MaxRecord>>20))
	return true
}

// wholeCharacters is the length of data without a UTF-8 character that is cut off
// at its end.
func wholeCharacters(data []byte) int {
	for back := 1; back < utf8.UTFMax && back < len(data); back++ {
		if from := len(data) - back; utf8.RuneStart(data[from]) {
			if utf8.FullRune(data[from:]) {
				break
			}
			return from
		}
	}
	return len(data)
}

// zeros rejects a run of zero bytes, which a truncated file can have at its start.
// It returns false when it has to see more.
func (r *csvRecords) zeros() bool {
	rest := r.data[r.used:r.limit]
	n := 0
	for n < len(rest) && rest[n] == 0 {
		n++
	}
	if n == len(rest) && !r.full {
		return false
	}
	r.reject(n, 0, ReasonNotText, fmt.Sprintf("%d zero bytes stand where a record should begin: the file was truncated or is not text", n))
	return true
}
