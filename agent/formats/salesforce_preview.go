package formats

import (
	"bytes"
	"unicode/utf8"
)

// csvPreview is what the first bytes of a file say about how all of it is written.
type csvPreview struct {
	// comma separates the fields: a comma, or what a spreadsheet saved instead.
	comma byte
	// windows1252: the titles of the columns are known only as Windows-1252.
	windows1252 bool
	// order is that of the dates in the rows; mixed says that they contradict each
	// other or the language of the header.
	order DateOrder
	mixed bool
}

var csvSeparators = []byte{',', ';', '\t'}

// csvHeader finds the header of the object at the start of head, by which fields it
// is separated, and where it ends.
func (o *salesforceObject) csvHeader(head []byte, whole bool) (names []string, p csvPreview, end int, ok bool) {
	for _, comma := range csvSeparators {
		s := csvSplitter{comma: comma}
		n, result := s.split(head, whole)
		if result != csvRecord {
			continue
		}
		names = names[:0]
		windows1252 := false
		for _, field := range s.fields {
			windows1252 = windows1252 || !utf8.ValidString(field)
			names = append(names, fromWindows1252(field))
		}
		if _, _, is := o.columnsOf(names); is {
			return names, csvPreview{comma: comma, windows1252: windows1252}, n, true
		}
	}
	return nil, csvPreview{comma: ','}, 0, false
}

// maxBadRows is how many unreadable rows the preview passes over: each may cost a look
// at all that is left.
const maxBadRows = 100

// preview looks at the first bytes of a file, and at the dates of the rows in them.
func (o *salesforceObject) preview(head []byte, whole bool) csvPreview {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, byteOrderMark), "\r\n\x00")
	if len(head) == 0 {
		return csvPreview{comma: ','}
	}
	names, p, at, ok := o.csvHeader(head, whole)
	if !ok {
		return p
	}
	columns, language, _ := o.columnsOf(names)
	clock := o.clock(columns)
	if clock < 0 {
		return p
	}
	s := csvSplitter{comma: p.comma}
	var found DateOrder
	for bad := 0; at < len(head) && bad < maxBadRows; {
		n, result := s.split(head[at:], whole)
		if result == csvMore {
			break
		}
		if result != csvRecord {
			newline := bytes.IndexByte(head[at:], '\n')
			if newline < 0 {
				break
			}
			at += newline + 1
			bad++
			continue
		}
		at += n
		if s.count != len(names) {
			continue
		}
		switch order := orderOf(s.fields[clock]); {
		case order == DateOrderUnknown || order == YearMonthDay || order == found:
		case found == DateOrderUnknown:
			found = order
		default:
			p.mixed = true
		}
	}
	switch {
	case p.mixed:
	case language == nil || language.order == found:
		p.order = found
	case found == DateOrderUnknown:
		p.order = language.order
	default:
		p.mixed = true
	}
	return p
}

// newCSV is a decoder for a CSV file that begins with head.
func (d *salesforceDecoder) newCSV(head []byte, whole bool) Decoder {
	if looksUTF16(head) {
		return newCSVRecords(d.start, d.table)
	}
	p := d.table.object.preview(head, whole)
	if d.table.order == DateOrderUnknown {
		d.table.order = p.order
	}
	r := newCSVRecords(d.start, d.table)
	r.splitter.comma, r.splitter.windows1252 = p.comma, p.windows1252
	return r
}
