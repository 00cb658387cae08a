package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// minPerson and maxPerson are the lengths in bytes of the names that are looked for in
// text: shorter ones would be found where they mean something else, and longer ones are
// no names.
const (
	minPerson = 3
	maxPerson = 128
)

// person is a name or an address of somebody, and what stands in its place.
type person struct {
	// serial tells persons apart, from 1 on.
	serial    uint32
	pseudonym string
	// stays says that the name is nobody's, or excepted: it is left readable.
	stays bool
	// name is in lower case; first and upper are the first bytes of its first letter
	// in either case.
	name         []rune
	first, upper byte
}

// person finds or makes the person of a value; nil when the value says nothing.
func (p *Privacy) person(value string) *person {
	if known := p.persons[value]; known != nil {
		return known
	}
	normal := normalName(value)
	if normal == "" {
		return nil
	}
	if len(p.persons) >= maxKnown {
		clear(p.persons)
	}
	p.serial++
	found := &person{serial: p.serial, stays: PseudonymKeyID(normal) == p.options.Key.id || p.excepted(normal)}
	if !found.stays {
		found.pseudonym = p.options.Key.Pseudonym(normal, p.options.KeepDomain)
		if len(normal) >= minPerson && len(normal) <= maxPerson {
			found.name = []rune(normal)
			var b [utf8.UTFMax]byte
			utf8.EncodeRune(b[:], found.name[0])
			found.first = b[0]
			utf8.EncodeRune(b[:], unicode.ToUpper(found.name[0]))
			found.upper = b[0]
		}
	}
	p.persons[strings.Clone(value)] = found
	return found
}

// excepted says whether a name, in lower case, is to stay readable.
func (p *Privacy) excepted(name string) bool {
	for _, pattern := range p.options.Except {
		if matches(pattern, name) {
			return true
		}
	}
	return false
}

// matches says whether s is what the pattern says, in which * stands for any text. It
// takes no more steps than the lengths of both multiplied.
func matches(pattern, s string) bool {
	star, again := -1, 0
	i, j := 0, 0
	for j < len(s) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, again = i, j
			i++
		case i < len(pattern) && pattern[i] == s[j]:
			i, j = i+1, j+1
		case star >= 0:
			again++
			i, j = star+1, again
		default:
			return false
		}
	}
	return strings.Trim(pattern[i:], "*") == ""
}

// findIn finds the name wherever it stands in s as a word, in either case and with
// escapes.
func (o *person) findIn(s string, found []exchange) []exchange {
	if len(o.name) == 0 || len(s) < len(o.name) {
		return found
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c != o.first && c != o.upper && c != '%' && c != '\\' {
			continue
		}
		if end := o.endAt(s, i); end > 0 {
			found = append(found, exchange{i, end, o.pseudonym})
			i = end - 1
		}
	}
	return found
}

// endAt is where the name ends that begins at s[i]; 0 when none does.
func (o *person) endAt(s string, i int) int {
	if isWordRune(o.name[0]) {
		if c, _ := before(s, i); isAlnum(c) || c >= 0x80 && endsWord(s[:i]) {
			return 0
		}
	}
	end := i
	for _, want := range o.name {
		if end >= len(s) {
			return 0
		}
		r, n := runeAt(s, end)
		if r != want && unicode.ToLower(r) != want && (want != ' ' || r != '+') {
			return 0
		}
		end += n
	}
	if end < len(s) && isWordRune(o.name[len(o.name)-1]) {
		if r, _ := runeAt(s, end); isWordRune(r) {
			return 0
		}
	}
	return end
}

// endsWord says whether s ends with a letter beyond ASCII; an escaped one counts as one.
func endsWord(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return r < 0x80 || isWordRune(r)
}
