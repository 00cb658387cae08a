package sigma

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// modifiers are all that are understood.
var modifiers = []string{
	"contains", "startswith", "endswith", "all", "re", "i", "m", "s", "cidr", "base64", "base64offset", "windash", "exists",
	"gt", "gte", "lt", "lte", "cased", "fieldref", "wide", "utf16", "utf16le", "utf16be",
}

var signs = map[string]string{"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

// value compares a field with one value under its modifiers; nil after a mistake.
func (rd *reader) value(at *node, f field, mods []string, v *node) *term {
	m := match{field: f, by: byPattern}
	has := func(name string) bool { return slices.Contains(mods, name) }
	for _, name := range mods {
		if name == "expand" {
			rd.problem(at, "the modifier expand asks for a list that stands elsewhere", "write the values into the rule")
			return nil
		}
		if !slices.Contains(modifiers, name) {
			rd.problem(at, fmt.Sprintf("the modifier %q is not known", name), "modifiers are "+strings.Join(modifiers, ", "))
			return nil
		}
		if sign, compares := signs[name]; compares {
			if _, err := strconv.ParseFloat(v.text, 64); err != nil || v.kind != scalarNode {
				rd.problem(v, fmt.Sprintf("%q is not a number", v.text), name+" compares numbers")
				return nil
			}
			m.by, m.sign, m.bound = byNumber, sign, v.text
			return rd.alone(at, mods, m, name)
		}
	}
	m.cased, m.before, m.after = has("cased"), has("contains") || has("endswith"), has("contains") || has("startswith")
	switch {
	case has("exists"):
		m.by = byNothing
		t, said := rd.alone(at, mods, m, "exists"), strings.ToLower(v.text)
		if said != "true" && said != "false" && said != "yes" && said != "no" {
			rd.problem(v, fmt.Sprintf("%q is neither true nor false", v.text), "write field|exists: true")
			return nil
		}
		if t != nil && (said == "true" || said == "yes") {
			return negate(t)
		}
		return t
	case v.kind == nullNode:
		m.by = byNothing
		return leaf(m)
	case has("re"):
		return rd.regexp(v, mods, m)
	case has("cidr"):
		prefix, err := netip.ParsePrefix(v.text)
		if err != nil {
			rd.problem(v, fmt.Sprintf("%q is not a network", v.text), "write for example 203.0.113.0/24")
			return nil
		}
		m.by, m.prefix = byRange, prefix.Masked()
		return rd.alone(at, mods, m, "cidr")
	case has("fieldref"):
		m.by, m.other = byField, rd.field(v, v.text)
		if f.kind == keywordKind {
			rd.problem(at, "fieldref stands without a field", "write field|fieldref: other")
			return nil
		}
		return leaf(m)
	}
	return rd.texts(at, mods, m, v)
}

// alone refuses modifiers that say nothing beside another.
func (rd *reader) alone(at *node, mods []string, m match, name string) *term {
	for _, other := range mods {
		if other != name && other != "all" {
			rd.problem(at, fmt.Sprintf("the modifiers %s and %s do not go together", name, other), "keep one of the two")
			return nil
		}
	}
	return leaf(m)
}

// regexp reads a regular expression. It is looked for anywhere in the value.
func (rd *reader) regexp(v *node, mods []string, m match) *term {
	flags := ""
	for _, flag := range []string{"i", "m", "s"} {
		if slices.Contains(mods, flag) {
			flags += flag
		}
	}
	source := v.text
	if flags != "" {
		source = "(?" + flags + ")" + source
	}
	compiled, err := regexp.Compile(source)
	if err != nil {
		detail := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		rd.set.problems = append(rd.set.problems, rd.rule.doc.inside(v, 0, "the regular expression is not RE2's: "+detail,
			"RE2 has no lookaround and no backreferences: write (?!...) as a selection of its own that is negated in the condition"))
		return nil
	}
	// ClickHouse lets '.' match a line's end unless it is told otherwise.
	if tree, err := syntax.Parse(source, syntax.Perl); err == nil && crossesNoLine(tree) {
		source = "(?-s)" + source
	}
	m.by, m.regexp, m.source = byRegexp, compiled, source
	return leaf(m)
}

func crossesNoLine(tree *syntax.Regexp) bool {
	return tree.Op == syntax.OpAnyCharNotNL || slices.ContainsFunc(tree.Sub, crossesNoLine)
}

// dashes are what windash puts in a dash's place.
var dashes = []string{"-", "/", "\u2013", "\u2014", "\u2015"}

var dashBeforeWord = regexp.MustCompile(`(^|\s)[-/](\w)`)

// texts compares with a text, or with the texts that encodings and dashes make of it.
func (rd *reader) texts(at *node, mods []string, m match, v *node) *term {
	texts := []string{v.text}
	encoded, wide := false, false
	for _, mod := range mods {
		switch mod {
		case "windash":
			var variants []string
			for _, text := range texts {
				for _, dash := range dashes {
					if variant := dashBeforeWord.ReplaceAllString(text, "${1}"+dash+"${2}"); !slices.Contains(variants, variant) {
						variants = append(variants, variant)
					}
				}
			}
			texts = variants
		case "wide", "utf16", "utf16le", "utf16be":
			texts[0], wide = utf16Text(texts[0], mod), true
		case "base64", "base64offset":
			if encoded || len(texts) > 1 {
				rd.problem(at, "a text is encoded twice, or after windash", "keep one of the modifiers")
				return nil
			}
			encoded = true
			// Another case is another text.
			m.cased = true
			texts = encodings(texts[0], mod == "base64offset")
		}
	}
	if wide && !encoded {
		rd.problem(at, "a text in UTF-16 is looked for, and logs are stored in UTF-8", "write base64 or base64offset after it")
		return nil
	}
	var terms []*term
	for _, text := range texts {
		if encoded {
			m.pattern = plainPattern(text)
		} else {
			m.pattern = parsePattern(text)
		}
		if m.field.kind == keywordKind {
			m.pattern = m.pattern.around(true, true)
		}
		m.pattern = m.pattern.around(m.before, m.after)
		terms = append(terms, leaf(m))
	}
	if len(terms) == 0 {
		rd.problem(v, "the text is too short to be looked for in base64", "write at least three characters")
		return nil
	}
	return join(isOr, terms...)
}

// encodings is a text in base64; with offsets, as it looks inside a longer text, of
// which the first and last characters depend on what stands beside it.
func encodings(text string, offsets bool) []string {
	if !offsets {
		return []string{base64.StdEncoding.EncodeToString([]byte(text))}
	}
	var out []string
	for offset := range 3 {
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", offset) + text))
		from := []int{0, 2, 3}[offset]
		to := len(encoded) - []int{0, 3, 2}[(len(text)+offset)%3]
		if from < to {
			out = append(out, encoded[from:to])
		}
	}
	return out
}

func utf16Text(text, mod string) string {
	var out strings.Builder
	if mod == "utf16" {
		out.WriteString("\xff\xfe")
	}
	for _, unit := range utf16.Encode([]rune(text)) {
		low, high := byte(unit), byte(unit>>8)
		if mod == "utf16be" {
			low, high = high, low
		}
		out.WriteByte(low)
		out.WriteByte(high)
	}
	return out.String()
}
