package sigma

import (
	"strings"
)

// pattern is a Sigma value: text with wildcards. Between two texts, and only there,
// stands a wildcard: '*' any text, '?' any one character.
type pattern struct {
	texts []string
	wild  []byte
}

// parsePattern reads a value. A backslash takes a wildcard's or another backslash's
// meaning away; before anything else it is itself.
func parsePattern(value string) pattern {
	var p pattern
	var text strings.Builder
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case c == '\\' && i+1 < len(value) && strings.IndexByte(`\*?`, value[i+1]) >= 0:
			i++
			text.WriteByte(value[i])
		case c == '*' || c == '?':
			if c == '*' && text.Len() == 0 && len(p.wild) > 0 && p.wild[len(p.wild)-1] == '*' {
				continue
			}
			p.texts, p.wild = append(p.texts, text.String()), append(p.wild, c)
			text.Reset()
		default:
			text.WriteByte(c)
		}
	}
	p.texts = append(p.texts, text.String())
	return p
}

func plainPattern(text string) pattern { return pattern{texts: []string{text}} }

// plain is the text of a pattern without wildcards.
func (p pattern) plain() (string, bool) { return p.texts[0], len(p.wild) == 0 }

// around puts wildcards for any text before and after, as contains, startswith and
// endswith do.
func (p pattern) around(before, after bool) pattern {
	texts, wild := append([]string{}, p.texts...), append([]byte{}, p.wild...)
	if before && (len(wild) == 0 || wild[0] != '*' || texts[0] != "") {
		texts, wild = append([]string{""}, texts...), append([]byte{'*'}, wild...)
	}
	if after && (len(wild) == 0 || wild[len(wild)-1] != '*' || texts[len(texts)-1] != "") {
		texts, wild = append(texts, ""), append(wild, '*')
	}
	return pattern{texts, wild}
}

type shape uint8

const (
	shapeEqual shape = iota
	shapeContains
	shapeStarts
	shapeEnds
	// shapeAny is a text that is not empty.
	shapeAny
	shapeLike
)

// shape finds the simplest comparison that says the same, and its text.
func (p pattern) shape() (shape, string) {
	wild := string(p.wild)
	last := len(p.texts) - 1
	switch {
	case wild == "":
		return shapeEqual, p.texts[0]
	case strings.Trim(wild, "*") == "" && strings.Join(p.texts, "") == "":
		return shapeAny, ""
	case wild == "*" && p.texts[0] == "":
		return shapeEnds, p.texts[1]
	case wild == "*" && p.texts[1] == "":
		return shapeStarts, p.texts[0]
	case wild == "**" && p.texts[0] == "" && p.texts[last] == "":
		return shapeContains, p.texts[1]
	}
	return shapeLike, ""
}

// like writes the pattern for LIKE.
func (p pattern) like() string {
	var out strings.Builder
	for i, text := range p.texts {
		if i > 0 {
			out.WriteByte(map[byte]byte{'*': '%', '?': '_'}[p.wild[i-1]])
		}
		out.WriteString(likeEscapes.Replace(text))
	}
	return out.String()
}

var likeEscapes = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// matches says whether a text fits.
func (p pattern) matches(text string, cased bool) bool {
	if !cased {
		text = strings.ToLower(text)
	}
	fold := func(s string) string {
		if cased {
			return s
		}
		return strings.ToLower(s)
	}
	type tokenRune struct {
		r    rune
		wild byte
	}
	var tokens []tokenRune
	for i, part := range p.texts {
		if i > 0 {
			tokens = append(tokens, tokenRune{wild: p.wild[i-1]})
		}
		for _, r := range fold(part) {
			tokens = append(tokens, tokenRune{r: r})
		}
	}
	runes := []rune(text)
	i, j, star, mark := 0, 0, -1, 0
	for i < len(runes) {
		switch {
		case j < len(tokens) && tokens[j].wild == '*':
			star, mark = j, i
			j++
		case j < len(tokens) && (tokens[j].wild == '?' || tokens[j].wild == 0 && tokens[j].r == runes[i]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = mark, star+1
		default:
			return false
		}
	}
	for j < len(tokens) && tokens[j].wild == '*' {
		j++
	}
	return j == len(tokens)
}

// sample is a text that fits.
func (p pattern) sample() string {
	var out strings.Builder
	for i, text := range p.texts {
		if i > 0 && (p.wild[i-1] == '?' || strings.Join(p.texts, "") == "") {
			out.WriteByte('x')
		}
		out.WriteString(text)
	}
	return out.String()
}
