package formats

import (
	"strings"
	"unicode/utf8"
)

// windows1252High are the characters 0x80 to 0x9F of Windows-1252, the code page in
// which spreadsheets of western Europe save CSV; 0 where there is none. The others
// are those of Unicode. Source: Unicode's mapping table CP1252.TXT.
var windows1252High = [32]rune{
	0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0,
	0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178,
}

// appendWindows1252 appends the character that a byte is in Windows-1252; one that
// is none is written as \xNN.
func appendWindows1252(dst []byte, c byte) []byte {
	switch {
	case c < 0x80:
		return append(dst, c)
	case c >= 0xA0:
		return utf8.AppendRune(dst, rune(c))
	case windows1252High[c-0x80] != 0:
		return utf8.AppendRune(dst, windows1252High[c-0x80])
	}
	return appendHexEscape(dst, c)
}

// fromWindows1252 is text with the bytes that are no UTF-8 read as Windows-1252.
func fromWindows1252(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	var out []byte
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			out = appendWindows1252(out, text[i])
		} else {
			out = append(out, text[i:i+size]...)
		}
		i += size
	}
	return strings.Clone(string(out))
}
