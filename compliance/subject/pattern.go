package subject

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What stands around a word, in RE2: no letter or digit, or an escape that stands for
// none. An escape of %HH may itself be escaped.
const (
	noWordHex = `(?:[01][0-9A-Fa-f]|2[0-9A-Fa-f]|3[A-Fa-f]|40|5[B-Fb-f]|60|7[B-Fb-f])`
	percent   = `%(?:25)*`
	// Letters and digits up to U+1FFF, as ranges: the classes of Unicode would make
	// expressions a hundred times as large.
	wordRunes  = `0-9A-Za-z\x{C0}-\x{24F}\x{370}-\x{1FFF}`
	beforeWord = `(^|[^` + wordRunes + `]|` + percent + noWordHex + `|\\u00` + noWordHex + `|\\[bfnrt])`
	afterWord  = `($|[^` + wordRunes + `%]|%$|%[^0-9A-Fa-f]|` + percent + noWordHex + `)`
)

// pattern is the regular expression of an identifier as a word: in any case but for
// ids, with the escapes of URLs and JSON. Its first and second group are what stands
// around.
func (i Identifier) pattern() string { return beforeWord + `(?:` + i.letters() + `)` + afterWord }

func (i Identifier) letters() string {
	var p strings.Builder
	for _, r := range i.Value {
		variants := []rune{r}
		if lower, upper := unicode.ToLower(r), unicode.ToUpper(r); i.Kind != UID && lower != upper {
			variants = []rune{lower, upper}
		}
		var plain, escaped, unicoded []string
		for _, v := range variants {
			plain = append(plain, regexp.QuoteMeta(string(v)))
			var b [utf8.UTFMax]byte
			var bytes strings.Builder
			for n, c := range b[:utf8.EncodeRune(b[:], v)] {
				if n > 0 {
					bytes.WriteString(percent)
				}
				fmt.Fprintf(&bytes, "(?i:%02x)", c)
			}
			escaped = append(escaped, bytes.String())
			if v < 0x10000 {
				unicoded = append(unicoded, fmt.Sprintf("(?i:%04x)", v))
			}
			switch v {
			case ' ':
				plain = append(plain, `\+`)
			case '/', '"', '\\':
				plain = append(plain, `\\+`+regexp.QuoteMeta(string(v)))
			}
		}
		fmt.Fprintf(&p, `(?:%s|%s(?:%s)`, strings.Join(plain, "|"), percent, strings.Join(escaped, "|"))
		if len(unicoded) > 0 {
			fmt.Fprintf(&p, `|\\+u(?:%s)`, strings.Join(unicoded, "|"))
		}
		p.WriteByte(')')
	}
	return p.String()
}

// needle is the longest run of letters and digits of ASCII: what a text has to hold, in
// any case, unless it is escaped.
func (i Identifier) needle() string {
	longest := ""
	value := i.Value
	if at := strings.LastIndexByte(value, '@'); at > 0 {
		value = value[:at] // more people have the same domain
	}
	for _, run := range strings.FieldsFunc(value, func(r rune) bool {
		return r >= utf8.RuneSelf || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		if len(run) > len(longest) {
			longest = run
		}
	}
	return strings.ToLower(longest)
}

// words is how texts are searched: what a text must hold, the one pattern of all, and
// those of each.
type words struct {
	needles, patterns []string
	all               string
	// loose says that some identifier has no needle: every text is searched.
	loose bool
}

func (s Subject) words() words {
	w := words{needles: []string{}, patterns: []string{}}
	var letters []string
	for _, i := range s.Identifiers {
		if !i.Words {
			continue
		}
		w.patterns = append(w.patterns, i.pattern())
		letters = append(letters, i.letters())
		if needle := i.needle(); needle != "" {
			w.needles = append(w.needles, needle)
		} else {
			w.loose = true
		}
	}
	w.all = `$^` // nothing
	if len(letters) > 0 {
		w.all = beforeWord + `(?:` + strings.Join(letters, "|") + `)` + afterWord
	}
	return w
}

// find is the pattern as Go has it, for files on disk.
func (s Subject) find() (*regexp.Regexp, error) {
	re, err := regexp.Compile(s.words().all)
	if err != nil {
		return nil, fmt.Errorf("search for the identifiers: %w", err)
	}
	return re, nil
}
