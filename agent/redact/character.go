package redact

// Text in logs is often written with escapes, once or more: %3D in URLs, \x22 in
// nginx logs, \u003d and \" in JSON. The functions here read one character in
// either direction and undo its escape, so that what looks for a secret sees what
// the reader of the log will see.

// anyDepth undoes %HH however often it was escaped itself.
const anyDepth = 4

// at reads the character at s[i]. n is its length in s, and 0 at the end. Besides
// \xHH and \u00HH it undoes %HH when depth is 1, %25HH too when it is 2, and so on.
func at(s string, i, depth int) (c byte, n int) {
	if i >= len(s) {
		return 0, 0
	}
	switch c = s[i]; c {
	case '%':
		j := i + 1
		for j+3 < len(s) && s[j] == '2' && s[j+1] == '5' && isHex(s[j+2]) && isHex(s[j+3]) && j < i+2*anyDepth-1 {
			j += 2
		}
		if (j-i)/2 < depth && j+1 < len(s) && isHex(s[j]) && isHex(s[j+1]) {
			return unhex(s[j])<<4 | unhex(s[j+1]), j + 2 - i
		}
	case '\\':
		if i+3 < len(s) && s[i+1] == 'x' && isHex(s[i+2]) && isHex(s[i+3]) {
			return unhex(s[i+2])<<4 | unhex(s[i+3]), 4
		}
		if i+5 < len(s) && s[i+1] == 'u' && s[i+2] == '0' && s[i+3] == '0' && isHex(s[i+4]) && isHex(s[i+5]) {
			return unhex(s[i+4])<<4 | unhex(s[i+5]), 6
		}
		if i+1 < len(s) && (s[i+1] == 'n' || s[i+1] == 'r' || s[i+1] == 't') {
			return ' ', 2
		}
	}
	return c, 1
}

// before reads the character that ends in front of s[i]. n is its length in s, and
// 0 at the start. Every escape is undone.
func before(s string, i int) (c byte, n int) {
	if i <= 0 {
		return 0, 0
	}
	c = s[i-1]
	if i < 2 || !endsEscape[c] {
		return c, 1
	}
	for length := 2; length <= 2*anyDepth+1 && length <= i; length++ {
		if first := s[i-length]; first == '%' || first == '\\' {
			if c, n := at(s[:i], i-length, anyDepth); n == length {
				return c, n
			}
		}
	}
	return c, 1
}

// endsEscape are the last characters of escapes.
var endsEscape = func() (set [256]bool) {
	for c := range 256 {
		set[c] = isHex(byte(c)) || c == 'n' || c == 'r' || c == 't'
	}
	return set
}()

func isHex(c byte) bool { return c-'0' < 10 || c|0x20-'a' < 6 }

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

func isDigit(c byte) bool  { return c-'0' < 10 }
func isUpper(c byte) bool  { return c-'A' < 26 }
func isLetter(c byte) bool { return c|0x20-'a' < 26 }
func isAlnum(c byte) bool  { return isDigit(c) || isLetter(c) }
func isSpace(c byte) bool  { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
func isQuote(c byte) bool  { return c == '"' || c == '\'' || c == '`' }
