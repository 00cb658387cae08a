package formats

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// text reads the string whose opening quote stands at o.at.
func (o *jsonObjects) text() (string, error) {
	start := o.at + 1
	end, escaped, high := o.closingQuote(start)
	if end < 0 {
		return "", o.cutOr(errJSONLine)
	}
	o.at = end + 1
	raw := o.data[start:end]
	s := unsafe.String(unsafe.SliceData(raw), len(raw))
	if escaped {
		s = o.unescape(s)
		high = true
	}
	if high && !utf8.ValidString(s) {
		from := len(o.scratch)
		o.scratch = appendValid(o.scratch, s)
		s = o.own(from)
	}
	return s, nil
}

const (
	manyQuoteMarks = '"' * everyByte
	manyBackslash  = '\\' * everyByte
	manySpaces     = ' ' * everyByte
)

// closingQuote finds the end of the string that begins at data[i]; -1, with o.at
// at the place, when there is none.
func (o *jsonObjects) closingQuote(i int) (end int, escaped, high bool) {
	data := o.data
	var seen uint64
	for {
		for i+8 <= len(data) {
			w := binary.LittleEndian.Uint64(data[i:])
			hit := zeroBytes(w^manyQuoteMarks) | zeroBytes(w^manyBackslash) | (w-manySpaces)&^w&highBits
			if hit != 0 {
				seen |= w & (hit&-hit - 1)
				i += bits.TrailingZeros64(hit) >> 3
				break
			}
			seen |= w
			i += 8
		}
		for i < len(data) && data[i] != '"' && data[i] != '\\' && data[i] >= ' ' {
			seen |= uint64(data[i])
			i++
		}
		if i >= len(data) {
			o.at = len(data)
			return -1, false, false
		}
		switch data[i] {
		case '"':
			return i, escaped, seen&highBits != 0
		case '\\':
			escaped = true
			i++
			if i < len(data) && data[i] != '\n' {
				i++
			}
		case '\n':
			o.at = i
			return -1, false, false
		default:
			i++
		}
	}
}

// unescape undoes the escapes of a string. Bytes that nginx wrote as \xHH become
// the characters that they are, except for control characters, which stay escaped,
// as do escapes that mean nothing.
func (o *jsonObjects) unescape(s string) string {
	from := len(o.scratch)
	for i := 0; i < len(s); {
		next := strings.IndexByte(s[i:], '\\')
		if next < 0 || i+next+1 >= len(s) {
			o.scratch = append(o.scratch, s[i:]...)
			break
		}
		o.scratch = append(o.scratch, s[i:i+next]...)
		i += next
		n := 2
		switch c := s[i+1]; c {
		case '"', '\\', '/':
			o.scratch = append(o.scratch, c)
		case 'n':
			o.scratch = append(o.scratch, '\n')
		case 't':
			o.scratch = append(o.scratch, '\t')
		case 'r':
			o.scratch = append(o.scratch, '\r')
		case 'b', 'f':
			o.scratch = append(o.scratch, ' ')
		case 'u':
			r, size := hexRune(s[i:])
			if n = size; r >= 0 {
				o.scratch = utf8.AppendRune(o.scratch, r)
			} else {
				o.scratch = append(o.scratch, s[i:i+n]...)
			}
		case 'x':
			if c, ok := hexByte(s[i+2:]); ok && c >= ' ' && c != 0x7F {
				o.scratch, n = append(o.scratch, c), 4
			} else {
				o.scratch = append(o.scratch, s[i:i+n]...)
			}
		default:
			o.scratch = append(o.scratch, s[i:i+n]...)
		}
		i += n
	}
	return o.own(from)
}

// hexRune reads \uHHHH, or two of them that are one character. r is -1 when s is
// something else, half a character, or a control character but a line's end.
func hexRune(s string) (r rune, size int) {
	if len(s) < 6 {
		return -1, 2
	}
	high, ok1 := hexByte(s[2:])
	low, ok2 := hexByte(s[4:])
	if !ok1 || !ok2 {
		return -1, 2
	}
	r = rune(high)<<8 | rune(low)
	switch {
	case r < ' ' && r != '\n' && r != '\t' && r != '\r' || r == 0x7F:
		return -1, 6
	case !utf16.IsSurrogate(r):
		return r, 6
	case len(s) >= 12 && s[6] == '\\' && s[7] == 'u':
		high, ok1 = hexByte(s[8:])
		low, ok2 = hexByte(s[10:])
		if r = utf16.DecodeRune(r, rune(high)<<8|rune(low)); ok1 && ok2 && r != utf8.RuneError {
			return r, 12
		}
	}
	return -1, 6
}

// own is what was appended to scratch since from. When scratch grows, strings of
// the same object keep the older array alive, so they stay right.
func (o *jsonObjects) own(from int) string {
	return unsafe.String(unsafe.SliceData(o.scratch[from:]), len(o.scratch)-from)
}

// bare reads a number, true, false, null, a list of numbers, or nothing.
func (o *jsonObjects) bare() (string, error) {
	start, i := o.at, o.at
	for i < len(o.data) {
		c := o.data[i]
		if isBare(c) {
			i++
			continue
		}
		more := bareList(o.data[i:])
		if i == start || more == 0 {
			break
		}
		i += more
	}
	o.at = i
	if i >= len(o.data) {
		return "", errJSONCut
	}
	if c := o.data[i]; i == start && c != ',' && c != '}' {
		return "", errJSONValue
	}
	s := unsafe.String(unsafe.SliceData(o.data[start:]), i-start)
	if s == "null" {
		s = ""
	}
	return s, nil
}

func isBare(c byte) bool {
	return c-'0' < 10 || c|0x20-'a' < 26 || c == '-' || c == '+' || c == '.' || c == '_'
}

// bareList is the length of ", " or " : " in front of another number; 0 without.
func bareList(data []byte) int {
	i := 0
	for i < len(data) && i < 3 && (data[i] == ' ' || data[i] == ',' || data[i] == ':') {
		i++
	}
	if i < len(data) && (data[i]-'0' < 10 || data[i] == '-') {
		return i
	}
	return 0
}

// array reads an array, whatever is in it, as compact JSON.
func (o *jsonObjects) array() (string, error) {
	start, depth, loose := o.at, 0, false
	for o.at < len(o.data) {
		switch o.data[o.at] {
		case '[', '{':
			if depth++; depth > maxJSONDepth {
				return "", errJSONDepth
			}
		case ']', '}':
			depth--
		case '\n':
			o.newlines++
			loose = true
		case ' ', '\t', '\r':
			loose = true
		case '"':
			end, escaped, _ := o.closingQuote(o.at + 1)
			if end < 0 {
				return "", o.cutOr(errJSONLine)
			}
			o.at, loose = end, loose || escaped
		}
		o.at++
		if depth == 0 {
			return o.compact(o.data[start:o.at], loose), nil
		}
	}
	return "", errJSONCut
}

// compact drops empty arrays altogether and, in loose ones, white space outside
// strings and the escapes that some writers put before each slash.
func (o *jsonObjects) compact(raw []byte, loose bool) string {
	s := unsafe.String(unsafe.SliceData(raw), len(raw))
	if loose {
		from, quoted := len(o.scratch), false
		for i := 0; i < len(s); i++ {
			c := s[i]
			switch {
			case quoted && c == '\\' && i+1 < len(s):
				i++
				if s[i] != '/' {
					o.scratch = append(o.scratch, c)
				}
				c = s[i]
			case c == '"':
				quoted = !quoted
			case !quoted && (c == ' ' || c == '\t' || c == '\r' || c == '\n'):
				continue
			}
			o.scratch = append(o.scratch, c)
		}
		s = o.own(from)
	}
	if s == "[]" {
		return ""
	}
	if !utf8.ValidString(s) {
		from := len(o.scratch)
		o.scratch = appendValid(o.scratch, s)
		s = o.own(from)
	}
	return s
}
