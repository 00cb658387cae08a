package route

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Patterns are what a value may look like: any of them, and none of those that begin
// with "!". In a pattern * stands for any text, ? for one character and [abc] for one
// of some; a backslash takes the meaning of the next character away. Upper and lower
// case are the same.
type Patterns []string

// UnmarshalYAML reads one pattern or a list of them.
func (p *Patterns) UnmarshalYAML(read func(any) error) error {
	var list []string
	if err := read(&list); err == nil {
		*p = list
		return nil
	}
	var one string
	if err := read(&one); err != nil {
		return errors.New("write one pattern, such as svc-*, or a list of them")
	}
	*p = Patterns{one}
	return nil
}

// globs are patterns that have been read.
type globs struct{ any, none []*regexp.Regexp }

func (p Patterns) compile() (g globs, err error) {
	for _, pattern := range p {
		text, not := strings.CutPrefix(pattern, "!")
		compiled, err := compileGlob(text)
		if err != nil {
			return globs{}, err
		}
		if not {
			g.none = append(g.none, compiled)
		} else {
			g.any = append(g.any, compiled)
		}
	}
	return g, nil
}

// empty says that every value is taken, also none at all.
func (g globs) empty() bool { return len(g.any)+len(g.none) == 0 }

// match says whether one of the names of a thing is asked for and none is refused.
func (g globs) match(names ...string) bool {
	for _, refused := range g.none {
		for _, name := range names {
			if refused.MatchString(name) {
				return false
			}
		}
	}
	for _, wanted := range g.any {
		for _, name := range names {
			if wanted.MatchString(name) {
				return true
			}
		}
	}
	return len(g.any) == 0
}

// compileGlob makes a regular expression of a pattern; those of Go take time that is
// linear in the text, whatever the pattern.
func compileGlob(pattern string) (*regexp.Regexp, error) {
	if pattern == "" {
		return nil, errors.New("a pattern is empty: write * for any value, or leave the key out")
	}
	var b strings.Builder
	b.WriteString("(?is)^")
	for rest := pattern; rest != ""; {
		c, size := rest[:1], 1
		switch c {
		case "*":
			c = ".*"
		case "?":
			c = "."
		case "[":
			end := strings.IndexByte(rest, ']')
			if end < 2 {
				return nil, fmt.Errorf("the pattern %q is malformed: close its [ with ], with at least one character between, or write \\[ for the character", pattern)
			}
			c, size = class(rest[1:end]), end+1
		case `\`:
			if len(rest) == 1 {
				return nil, fmt.Errorf("the pattern %q ends in a backslash: write \\\\ for the character", pattern)
			}
			next := []rune(rest[1:])[0]
			c, size = regexp.QuoteMeta(string(next)), 1+len(string(next))
		default:
			r := []rune(rest)[0]
			c, size = regexp.QuoteMeta(string(r)), len(string(r))
			if size > len(rest) {
				size = len(rest) // broken UTF-8
			}
		}
		b.WriteString(c)
		rest = rest[size:]
	}
	b.WriteString("$")
	compiled, err := regexp.Compile(b.String())
	if err != nil {
		return nil, fmt.Errorf("the pattern %q is malformed: check its brackets", pattern)
	}
	return compiled, nil
}

// class writes the inside of brackets as a regular expression has it.
func class(inside string) string {
	not := ""
	if rest, negated := strings.CutPrefix(inside, "!"); negated && rest != "" {
		inside, not = rest, "^"
	} else if rest, negated := strings.CutPrefix(inside, "^"); negated && rest != "" {
		inside, not = rest, "^"
	}
	return "[" + not + strings.NewReplacer(`\`, `\\`, "[", `\[`, "^", `\^`, "&", `\&`).Replace(inside) + "]"
}
