package redact

import "strings"

// minNumber is the length of the shortest card number, and less than that of any
// IBAN or key block.
const minNumber = 13

// inNumber are the characters of card numbers, IBANs and the heads of key blocks,
// with the separators and escapes between them.
var inNumber = func() (set [256]bool) {
	for c := range 256 {
		set[c] = isDigit(byte(c)) || isUpper(byte(c)) || c == ' ' || c == '-' || c == '+' || c == '%'
	}
	return set
}()

// findNumbers finds card numbers, IBANs and private keys. All are written in
// capitals, digits and separators, at least minNumber of them in a row.
func (r *Redactor) findNumbers(s string) {
	for i := 0; i+minNumber <= len(s); {
		if !inNumber[s[i+minNumber-1]] {
			i += minNumber
			continue
		}
		from, to := i+minNumber-1, i+minNumber
		for from > i && inNumber[s[from-1]] {
			from--
		}
		for to < len(s) && inNumber[s[to]] {
			to++
		}
		i = to
		if to-from >= minNumber {
			i = max(i, r.numbers(s, from, to))
		}
		i++
	}
}

// numbers looks at s[from:to], and returns the place up to which all is known.
func (r *Redactor) numbers(s string, from, to int) int {
	if strings.Contains(s[from:to], "PRIVATE") {
		if end := r.keyBlock(s, from, to); end > 0 {
			return end
		}
	}
	if from >= 2 && s[from-2] == '\\' && (s[from-1] == 'x' || s[from-1] == 'u') {
		_, n := at(s, from-2, 0)
		from = min(from+max(n-2, 0), to)
	}
	boundary := true
	if c, n := before(s, from); n > 0 {
		boundary = !isAlnum(c)
	}
	for i := from; i < to; {
		c, n := at(s, i, anyDepth)
		if boundary {
			end, kind := 0, noKind
			switch {
			case isDigit(c) && n == 1:
				end, kind = card(s, i), KindCard
			case isUpper(c) && n == 1:
				end, kind = iban(s, i), KindIBAN
			}
			if end > 0 {
				r.found(s, i, end, kind)
				i, boundary = end, false
				continue
			}
		}
		boundary = !isAlnum(c)
		i += n
	}
	return to
}
