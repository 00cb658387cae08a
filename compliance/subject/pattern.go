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
	noWordHex  = `(?:[01][0-9A-Fa-f]|2[0-9A-Fa-f]|3[A-Fa-f]|40|5[B-Fb-f]|60|7[B-Fb-f])`
	percent    = `%(?:25)*`
	beforeWord = `(^|[^\pL\pN\pM]|` + percent + noWordHex + `|\\u00` + noWordHex + `|\\[bfnrt])`
	afterWord  = `($|[^\pL\pN\pM%]|%$|%[^0-9A-Fa-f]|` + percent + noWordHex + `)`
)

// pattern is the regular expression of an identifier as a word: in any case but for
// ids, with the escapes of URLs and JSON. Its first and second group are what stands
// around.
func (i Identifier) pattern() string { return beforeWord + `(?:` + i.letters() + `)` + afterWord }

func (i Identifier) letters() string {
	fold := i.Kind != UID
	var p strings.Builder
	for _, r := range i.Value {
		variants := []rune{r}
		if fold {
			variants = []rune{unicode.ToLower(r), unicode.ToUpper(r)}
		}
		p.WriteString("(?:")
		for n, v := range variants {
			if n > 0 {
				p.WriteByte('|')
			}
			p.WriteString(regexp.QuoteMeta(string(v)))
			var escaped strings.Builder
			var b [utf8.UTFMax]byte
			for _, c := range b[:utf8.EncodeRune(b[:], v)] {
				fmt.Fprintf(&escaped, "%s(?i:%02x)", percent, c)
			}
			p.WriteString("|" + escaped.String())
			if v < 0x10000 {
				fmt.Fprintf(&p, `|\\+u(?i:%04x)`, v)
			}
			switch v {
			case ' ':
				p.WriteString(`|\+`)
			case '/', '"', '\\':
				p.WriteString(`|\\+` + regexp.QuoteMeta(string(v)))
			}
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
