package redact

import (
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// runeAt reads the rune at s[i], which is in s, with its escapes undone. n is its
// length in s.
func runeAt(s string, i int) (r rune, n int) {
	if c := s[i]; c < 0x80 && c != '%' && c != '\\' {
		return rune(c), 1
	}
	if r, ok := unicodeEscape(s, i); ok {
		if utf16.IsSurrogate(r) && i+6 < len(s) {
			if low, ok := unicodeEscape(s, i+6); ok {
				return utf16.DecodeRune(r, low), 12
			}
		}
		return r, 6
	}
	c, n := at(s, i, anyDepth)
	switch {
	case c < 0x80:
		return rune(c), n
	case n == 1:
		return utf8.DecodeRuneInString(s[i:])
	}
	encoded := [utf8.UTFMax]byte{c}
	known := 1
	for end := n; known < len(encoded) && !utf8.FullRune(encoded[:known]); known++ {
		next, more := at(s, i+end, anyDepth)
		if more < 2 || next&0xC0 != 0x80 {
			return utf8.RuneError, n
		}
		encoded[known] = next
		end += more
		n = end
	}
	r, _ = utf8.DecodeRune(encoded[:known])
	return r, n
}

// unicodeEscape reads \uHHHH.
func unicodeEscape(s string, i int) (r rune, ok bool) {
	if i+5 >= len(s) || s[i] != '\\' || s[i+1] != 'u' {
		return 0, false
	}
	for _, c := range []byte(s[i+2 : i+6]) {
		if !isHex(c) {
			return 0, false
		}
		r = r<<4 | rune(unhex(c))
	}
	return r, true
}

// isWordRune says whether r is part of a word: a letter or a digit of a script that
// puts something between words.
func isWordRune(r rune) bool {
	if r < 0x80 {
		return isAlnum(byte(r))
	}
	return r < firstWithoutSpaces && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r))
}

// firstWithoutSpaces is the first rune of the scripts of East Asia.
const firstWithoutSpaces = 0x2E80
