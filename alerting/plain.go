package alerting

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// plainLine makes log text harmless on one line: terminal escapes, control
// characters, bidirectional overrides, invisible characters and broken UTF-8 are
// written out as escapes that can be seen; line breaks and tabs become a space.
func plainLine(s string) string { return plain(s, false) }

// PlainLine is plainLine for other packages.
func PlainLine(s string) string { return plainLine(s) }

// plainText is plainLine for text whose line breaks and tabs belong to it.
func plainText(s string) string { return plain(strings.ReplaceAll(s, "\r\n", "\n"), true) }

func plain(s string, keepLines bool) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\n' || r == '\t':
			if keepLines {
				b.WriteRune(r)
			} else {
				b.WriteByte(' ')
			}
		case !harmful(r):
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		i += size
	}
	return b.String()
}

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// harmful says whether a rune does something instead of showing something:
// controls (Cc), format characters such as bidi overrides, zero-width spaces and
// tags (Cf), line and paragraph separators, private use, and the fillers and
// variation selectors that look like nothing.
func harmful(r rune) bool {
	switch {
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co):
		return true
	case r == 0x115F, r == 0x1160, r == 0x3164, r == 0xFFA0, r == 0x034F:
		return true
	}
	return unicode.Is(unicode.Variation_Selector, r)
}

// cut shortens s to at most limit runes and marks that it did.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	n, last := 0, 0
	for i := range s {
		if n++; n == limit {
			last = i
		} else if n > limit {
			return s[:last] + "…"
		}
	}
	return s
}

// shown is at most limit runes of s, made harmless on one line.
func shown(s string, limit int) string { return cut(plainLine(cut(s, limit)), limit) }
