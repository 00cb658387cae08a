package formats

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strings"
	"unsafe"
)

// csvSplitter cuts one CSV record (RFC 4180) into its fields. It reads as
// encoding/csv does: a field may be quoted, "" stands for a quote, a quoted field
// may hold newlines, CRLF counts as LF everywhere, and a quote in an unquoted
// field is an error. It copies nothing unless a field has to be changed.
type csvSplitter struct {
	// fields are those of the last record. They point into its data or into
	// scratch, and are valid until the next call.
	fields []string
	// count is the number of fields, also where it is more than maxCSVFields.
	count int
	// ascii says that all quoted fields of the last record are plain ASCII.
	ascii   bool
	scratch []byte
	// comma separates the fields; 0 means a comma.
	comma byte
	// windows1252: bytes that are no UTF-8 are characters of Windows-1252.
	windows1252 bool
}

// maxCSVFields is how many fields of a record are kept. A header is refused far
// below it; the rest are only counted.
const maxCSVFields = 4096

type csvResult uint8

const (
	// csvRecord: a whole record was read.
	csvRecord csvResult = iota
	// csvMore: the data ends inside the record.
	csvMore
	// csvBadQuote: a quote stands where none may; used is its place.
	csvBadQuote
	// csvOpenQuote: the input ends inside a quoted field; used is its first byte.
	csvOpenQuote
)

const (
	everyByte  = 0x0101010101010101
	highBits   = 0x8080808080808080
	manyQuotes = '"' * everyByte
	manyLines  = '\n' * everyByte
)

// zeroBytes has the high bit set in the lowest zero byte of w, and in no byte
// below it.
func zeroBytes(w uint64) uint64 { return (w - everyByte) &^ w & highBits }

// split reads the record at the start of data, which is not empty. used is the
// length of the record with its line end, or the place of the error.
func (s *csvSplitter) split(data []byte, atEOF bool) (used int, result csvResult) {
	text := unsafe.String(unsafe.SliceData(data), len(data))
	fields := s.fields[:0]
	s.scratch = s.scratch[:0]
	var seen uint64
	count, i := 0, 0
	result = csvRecord
	comma := s.comma
	if comma == 0 {
		comma = ','
	}
	manyCommas := uint64(comma) * everyByte
	for {
		count++
		if i < len(data) && data[i] == '"' {
			start := i + 1
			if start+1 < len(data) && data[start] == '"' && data[start+1] == comma {
				if len(fields) < maxCSVFields {
					fields = append(fields, "")
				}
				i = start + 2
				continue
			}
			end := start
			escaped := false
			for {
				for end+8 <= len(data) {
					w := binary.LittleEndian.Uint64(data[end:])
					seen |= w
					if hit := zeroBytes(w ^ manyQuotes); hit != 0 {
						end += bits.TrailingZeros64(hit) >> 3
						goto quote
					}
					end += 8
				}
				for end < len(data) && data[end] != '"' {
					seen |= uint64(data[end])
					end++
				}
				if end == len(data) {
					if atEOF {
						used, result = start-1, csvOpenQuote
					} else {
						result = csvMore
					}
					goto done
				}
			quote:
				if end+1 < len(data) && data[end+1] == '"' {
					escaped = true
					end += 2
					continue
				}
				break
			}
			if len(fields) < maxCSVFields {
				if escaped {
					fields = append(fields, s.unescape(text[start:end]))
				} else {
					fields = append(fields, text[start:end])
				}
			}
			i = end + 1
		} else {
			start := i
			end := start
			for end+8 <= len(data) {
				w := binary.LittleEndian.Uint64(data[end:])
				seen |= w
				if hit := zeroBytes(w^manyCommas) | zeroBytes(w^manyLines) | zeroBytes(w^manyQuotes); hit != 0 {
					end += bits.TrailingZeros64(hit) >> 3
					goto delimiter
				}
				end += 8
			}
			for end < len(data) && data[end] != comma && data[end] != '\n' && data[end] != '"' {
				seen |= uint64(data[end])
				end++
			}
		delimiter:
			if end < len(data) && data[end] == '"' {
				used, result = end, csvBadQuote
				goto done
			}
			i = end
			// A CR before the line end belongs to it.
			if end > start && data[end-1] == '\r' && (end == len(data) && atEOF || end < len(data) && data[end] == '\n') {
				end--
			}
			if len(fields) < maxCSVFields {
				fields = append(fields, text[start:end])
			}
		}
		// i stands behind the field.
		if i == len(data) {
			used = i
			if !atEOF {
				result = csvMore
			}
			goto done
		}
		switch data[i] {
		case comma:
			i++
			continue
		case '\n':
			used = i + 1
			goto done
		case '\r':
			switch {
			case i+1 < len(data) && data[i+1] == '\n':
				used = i + 2
				goto done
			case i+1 == len(data) && atEOF:
				used = i + 1
				goto done
			case i+1 == len(data):
				result = csvMore
				goto done
			}
		}
		used, result = i-1, csvBadQuote
		goto done
	}
done:
	s.fields, s.count, s.ascii = fields, count, seen&highBits == 0
	if result == csvRecord && bytes.IndexByte(data[:used-1], '\n') >= 0 {
		s.joinLineEnds()
	}
	return used, result
}

// joinLineEnds writes CRLF as LF in the fields. It is called only for records that
// span lines, which are few.
func (s *csvSplitter) joinLineEnds() {
	for i, field := range s.fields {
		if strings.Contains(field, "\r\n") {
			s.fields[i] = strings.ReplaceAll(field, "\r\n", "\n")
		}
	}
}

// unescape undoes what quoting did to a field: "" is one quote.
func (s *csvSplitter) unescape(field string) string {
	from := len(s.scratch)
	for {
		quote := strings.IndexByte(field, '"')
		if quote < 0 {
			break
		}
		s.scratch = append(s.scratch, field[:quote+1]...)
		field = field[quote+2:]
	}
	s.scratch = append(s.scratch, field...)
	return s.own(from)
}

// escapeInvalid makes the fields valid UTF-8: a byte that is not part of it is
// written as \xNN, so that it can still be recognised, or as the character that it is
// in Windows-1252 where the file is known to be that.
func (s *csvSplitter) escapeInvalid() {
	for i, field := range s.fields {
		valid := strings.ToValidUTF8(field, "")
		if len(valid) == len(field) {
			continue
		}
		from := len(s.scratch)
		for at, r := range field {
			if r == '\uFFFD' && !strings.HasPrefix(field[at:], "\uFFFD") {
				if s.windows1252 {
					s.scratch = appendWindows1252(s.scratch, field[at])
				} else {
					s.scratch = appendHexEscape(s.scratch, field[at])
				}
				continue
			}
			s.scratch = append(s.scratch, string(r)...)
		}
		s.fields[i] = s.own(from)
	}
}

// own is what was appended to scratch since from. When scratch grows, strings of
// the same record keep the older array alive, so they stay right.
func (s *csvSplitter) own(from int) string {
	return unsafe.String(unsafe.SliceData(s.scratch[from:]), len(s.scratch)-from)
}
