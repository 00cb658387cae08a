package sigma

import (
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// regexpSamples are short texts in which a regular expression is found.
func regexpSamples(re *regexp.Regexp) []string {
	tree, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return nil
	}
	var out []string
	for extra := range 2 {
		var text strings.Builder
		writeSample(&text, tree, extra)
		for _, sample := range []string{text.String(), "x" + text.String() + "x", " " + text.String() + " "} {
			if re.MatchString(sample) {
				out = append(out, sample)
			}
		}
	}
	return out
}

// maxSample bounds a sample, in bytes.
const maxSample = 2000

// writeSample writes the shortest text, or one with extra repetitions.
func writeSample(out *strings.Builder, tree *syntax.Regexp, extra int) {
	if out.Len() > maxSample {
		return
	}
	repeat := func(least, most int) {
		n := least
		if extra > 0 && (most < 0 || most > least) {
			n++
		}
		for range min(n, maxSample) {
			writeSample(out, tree.Sub[0], extra)
		}
	}
	switch tree.Op {
	case syntax.OpLiteral:
		out.WriteString(string(tree.Rune))
	case syntax.OpCharClass:
		out.WriteRune(pleasant(tree.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		out.WriteByte('x')
	case syntax.OpStar:
		repeat(0, -1)
	case syntax.OpPlus:
		repeat(1, -1)
	case syntax.OpQuest:
		repeat(0, 1)
	case syntax.OpRepeat:
		repeat(tree.Min, tree.Max)
	case syntax.OpCapture:
		writeSample(out, tree.Sub[0], extra)
	case syntax.OpConcat:
		for _, sub := range tree.Sub {
			writeSample(out, sub, extra)
		}
	case syntax.OpAlternate:
		writeSample(out, tree.Sub[min(extra, len(tree.Sub)-1)], extra)
	}
}

// pleasant is a character of a class that can be read, if there is one.
func pleasant(ranges []rune) rune {
	for _, wanted := range "ax1_-. /" {
		for i := 0; i+1 < len(ranges); i += 2 {
			if wanted >= ranges[i] && wanted <= ranges[i+1] {
				return wanted
			}
		}
	}
	if len(ranges) == 0 {
		return 'x'
	}
	return ranges[0]
}

// columnBits is the width of a numeric column.
func columnBits(column string) int {
	for n := range schema.NumberCount {
		if number := schema.Number(n); number.Column() == column {
			if bits, err := strconv.Atoi(strings.TrimPrefix(number.Type(), "UInt")); err == nil {
				return bits
			}
		}
	}
	return 64
}
