package formats

import (
	"bytes"
	"fmt"
	"unsafe"

	"github.com/crmwatch/crmwatch/schema"
)

// fields deals with the n bytes of a record that could be split.
func (r *csvRecords) fields(n int) {
	s := &r.splitter
	if !s.ascii {
		s.escapeInvalid()
	}
	var failure *csvFailure
	if s.count == r.columns {
		r.event.Reset()
		r.event.Number[schema.SourceOffset] = uint64(r.next.Offset) + uint64(r.used)
		if failure = r.table.row(s.fields, &r.event); failure == nil {
			r.sink.Event(&r.event)
			r.used += n
			return
		}
	}
	if r.table.isHeader(s.fields) {
		if wrong := r.table.setHeader(s.fields); wrong != "" {
			r.columns = 0
			r.reject(n, 0, ReasonHeader, wrong)
			return
		}
		r.columns = s.count
		r.headers++
		r.used += n
		return
	}
	switch {
	case failure != nil:
		r.reject(n, r.columnOf(failure.field), failure.reason, failure.detail)
	case r.columns == 0:
		r.reject(n, 0, ReasonHeader, "no usable header stands before this row: the file has to begin with "+r.table.wanted())
	case r.whole && r.used+n == r.limit && s.count < r.columns && r.data[r.limit-1] != '\n':
		r.reject(n, 0, ReasonCut, fmt.Sprintf("the file ends after %d of %d columns: it was cut off; fetch it again", s.count, r.columns))
	default:
		r.wrongCount(n)
	}
}

// columnOf is the column in which a field of the record at used begins, or 0 when
// the field is empty or had to be changed.
func (r *csvRecords) columnOf(field int) int {
	if field < 0 || r.splitter.fields[field] == "" {
		return 0
	}
	first := uintptr(unsafe.Pointer(unsafe.SliceData(r.data)))
	at := uintptr(unsafe.Pointer(unsafe.StringData(r.splitter.fields[field])))
	if at < first+uintptr(r.used) || at >= first+uintptr(r.limit) {
		return 0
	}
	_, column := r.place(int(at - first))
	return column
}

// headerBehindMark returns the length of a header that stands behind a byte order
// mark in the middle of the file, as in files that were joined.
func (r *csvRecords) headerBehindMark() int {
	if !bytes.HasPrefix(r.data[r.used:r.limit], byteOrderMark) || len(r.data[r.used:r.limit]) == len(byteOrderMark) {
		return 0
	}
	n, result := r.split(r.used + len(byteOrderMark))
	if result != csvRecord {
		return 0
	}
	if !r.table.isHeader(r.splitter.fields) || r.table.setHeader(r.splitter.fields) != "" {
		return 0
	}
	r.columns = r.splitter.count
	r.headers++
	return len(byteOrderMark) + n
}
