package redact

import (
	"encoding/binary"
	"strings"
	"unsafe"
)

// minText is the length of the shortest text that can hold a secret: "pwd=x" and
// the like.
const minText = 5

// maxGap is how many spaces may stand on either side of a "=" or ":".
const maxGap = 8

// namedField is a place in a text where a name ends and its value begins.
type namedField struct {
	s string
	// at is the place of the "=", ":" or ">", and after the one behind it.
	at, after int
	mark      byte
	// encoded says that the mark was written as %3D or the like, and depth how often
	// it was escaped: the value ends at a delimiter that is escaped no more often.
	encoded bool
	depth   int
	// escapes says that the text has escapes at all.
	escapes bool
}

// eachByte repeats a byte eight times, and highBits has the high bit of each.
const (
	eachByte = 0x0101010101010101
	highBits = 0x8080808080808080
)

// hasMark says whether s may hold a mark between a name and its value: one of
// ":;<=>?", or the beginning of an escape, which may stand for one of them. It looks
// at eight bytes at once.
func hasMark(s string) bool {
	if len(s) < 8 {
		for i := range len(s) {
			if c := s[i]; c-':' < 6 || c == '%' || c == '\\' {
				return true
			}
		}
		return false
	}
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	for i := 0; i < len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[min(i, len(b)-8):])
		low := w &^ highBits
		// The high bit of each sum is set from ':' and from '@' on.
		between := (low + (0x80-':')*eachByte) &^ (low + (0x80-'@')*eachByte) &^ w
		percent, backslash := w^'%'*eachByte, w^'\\'*eachByte
		if (between|(percent-eachByte)&^percent|(backslash-eachByte)&^backslash)&highBits != 0 {
			return true
		}
	}
	return false
}

// findNamed finds secrets that have a name in front of them.
func (r *Redactor) findNamed(s string) {
	escapes := strings.IndexByte(s, '%') >= 0 || strings.IndexByte(s, '\\') >= 0
	for _, mark := range []byte{'=', ':', '>'} {
		for i := 0; ; {
			next := strings.IndexByte(s[i:], mark)
			if next < 0 {
				break
			}
			i += next
			if !escapes && i >= 2 && isLetter(s[i-1]) && !nameEnds[pair(s[i-2], s[i-1])] && (mark != ':' || !strings.HasPrefix(s[i+1:], "//")) {
				i++
				continue
			}
			i = r.named(namedField{s: s, at: i, after: i + 1, mark: mark, escapes: escapes})
		}
	}
	if !escapes {
		return
	}
	for _, escape := range []byte{'%', '\\'} {
		for i := 0; ; {
			next := strings.IndexByte(s[i:], escape)
			if next < 0 {
				break
			}
			i += next
			if i+2 < len(s) && !mayBeMark(s[i+1], s[i+2]) {
				i++
				continue
			}
			c, n := at(s, i, anyDepth)
			if n > 2 && (c == '=' || c == ':' || c == '>') {
				i = r.named(namedField{s: s, at: i, after: i + n, mark: c, encoded: true, depth: (n - 1) / 2, escapes: true})
			} else {
				i++
			}
		}
	}
}

// mayBeMark says whether an escape that goes on with a and b may stand for a mark:
// %3D, %3A, %3E, %25.., \x3d, \u003d.
func mayBeMark(a, b byte) bool {
	return a == '3' && (b|0x20 == 'd' || b|0x20 == 'a' || b|0x20 == 'e') || a == '2' && b == '5' || a == 'x' && b == '3' || a == 'u' && b == '0'
}

// named looks at one field, and returns the place from which to look for the next.
func (r *Redactor) named(f namedField) (next int) {
	if f.mark == ':' && strings.HasPrefix(f.s[f.after:], "//") || f.encoded && f.mark == ':' && f.slashes() {
		return r.userInfo(f)
	}
	var buf [maxName]byte
	name, start := f.name(&buf)
	kind, weak := r.kindOfName(name)
	if kind == noKind {
		return f.after
	}
	if f.mark == '>' {
		return r.element(f, start, kind)
	}
	from, to, prose := f.value(kind, start)
	if !isSecretValue(f.s[from:to], kind, weak, prose) {
		return f.after
	}
	r.found(f.s, from, to, kind)
	return max(to, f.after)
}

// name reads the name in front of the mark, with its escapes undone. start is where
// it begins.
func (f *namedField) name(buf *[maxName]byte) (name string, start int) {
	if !f.escapes {
		return f.plainName()
	}
	i := f.at
	for range maxGap {
		c, n := before(f.s, i)
		if n == 0 || !isSpace(c) && !isQuote(c) && c != '\\' && !(f.encoded && c == '+') {
			break
		}
		i -= n
	}
	from := len(buf)
	for from > 0 {
		c, n := before(f.s, i)
		if n == 0 || !isAlnum(c) && c != '_' && c != '-' && c != '.' {
			break
		}
		from--
		buf[from] = c
		i -= n
		if from == len(buf)-2 && !isDigit(buf[from+1]) && !nameEnds[pair(buf[from], buf[from+1])] {
			return "", i
		}
	}
	return unsafe.String(unsafe.SliceData(buf[from:]), len(buf)-from), i
}

// plainName is name for a text without escapes.
func (f *namedField) plainName() (name string, start int) {
	s, end := f.s, f.at
	for end > 0 && end > f.at-maxGap && (isSpace(s[end-1]) || isQuote(s[end-1])) {
		end--
	}
	start = end
	for start > 0 && start > end-maxName && (inRun[s[start-1]] || s[start-1] == '.') {
		start--
	}
	return s[start:end], start
}
