package redact

// maxCard is the number of digits of the longest card number.
const maxCard = 19

// card finds the end of the card number that begins at s[i]; 0 when none does.
// Groups of digits have one separator between them.
func card(s string, i int) (end int) {
	var digits [maxCard]byte
	n, group, groups := 0, 0, 1
	for {
		c, size := at(s, i, anyDepth)
		switch {
		case isDigit(c) && size == 1:
			if n == maxCard {
				return end
			}
			digits[n] = c - '0'
			n, group = n+1, group+1
			i++
			if next, _ := at(s, i, anyDepth); isDigit(next) {
				continue
			}
			if groups > 1 && (group < 3 || group > 7) {
				return end
			}
			if next, _ := at(s, i, anyDepth); !isLetter(next) && next != '_' && isCard(digits[:n]) {
				end = i
			}
		case size > 0 && (c == ' ' || c == '-' || c == '+') && group > 0:
			if groups == 1 && (group < 3 || group > 7) {
				return end
			}
			group = 0
			groups++
			i += size
		default:
			return end
		}
	}
}

// isCard says whether digits have the length and the beginning of a payment card's
// number, and its check digit (Luhn, ISO/IEC 7812-1).
func isCard(digits []byte) bool {
	n := len(digits)
	if n < minNumber {
		return false
	}
	head := int(digits[0])*1000 + int(digits[1])*100 + int(digits[2])*10 + int(digits[3])
	switch {
	case head/1000 == 4 && (n == 13 || n == 16 || n == 19):
	case n == 16 && (head/100 >= 51 && head/100 <= 55 || head >= 2221 && head <= 2720):
	case n == 15 && (head/100 == 34 || head/100 == 37):
	case n == 14 && (head/10 >= 300 && head/10 <= 305 || head/100 == 36 || head/100 == 38 || head/100 == 39):
	case n >= 16 && (head == 6011 || head/100 == 65 || head/10 >= 644 && head/10 <= 649 || head/100 == 62 || head >= 3528 && head <= 3589):
	default:
		return false
	}
	sum := 0
	for i, d := range digits {
		v := int(d)
		if (n-i)%2 == 0 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return sum%10 == 0
}
