package redact

// The lengths of what may be a line of an encoded key.
const (
	minOpaque = 60
	maxOpaque = 2 * minOpaque
)

// opaque finds a line of base64, such as a line of a key without its head, around
// the run s[from:to].
func (r *Redactor) opaque(s string, from, to int) {
	first, last := from, to
	for first > 0 && from-first < maxOpaque && isBase64(s[first-1]) {
		first--
	}
	for last < len(s) && last-to < maxOpaque && isBase64(s[last]) {
		last++
	}
	if last-first < minOpaque || s[first] == '/' || first > 0 && !isSpace(s[first-1]) && !isQuote(s[first-1]) || !isMixed(s[first:last]) {
		return
	}
	r.found(s, first, last, KindOpaque)
}

func isBase64(c byte) bool { return inBase64[c] }

var inBase64 = func() (set [256]bool) {
	for c := range 256 {
		set[c] = isAlnum(byte(c)) || c == '/' || c == '+' || c == '='
	}
	return set
}()

// isMixed says whether s has capitals, small letters and digits.
func isMixed(s string) bool {
	upper, lower, digit := false, false, false
	for i := range len(s) {
		switch {
		case isDigit(s[i]):
			digit = true
		case isUpper(s[i]):
			upper = true
		case isLetter(s[i]):
			lower = true
		}
	}
	return upper && lower && digit
}
