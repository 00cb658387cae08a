package redact

import (
	"cmp"
	"slices"
	"strings"
)

// span is the place of a secret in a text.
type span struct {
	from, to int
	kind     Kind
}

const marker = "[redacted:"

// found notes a secret, unless what stands there is the mark of one.
func (r *Redactor) found(s string, from, to int, kind Kind) {
	if from < to && !isMarked(s[from:to]) {
		r.spans = append(r.spans, span{from, to, kind})
	}
}

// marked is the length of the marks that s begins with.
func marked(s string) (n int) {
	for {
		rest, ok := strings.CutPrefix(s[n:], marker)
		if !ok {
			return n
		}
		end := strings.IndexByte(rest[:min(len(rest), maxName)], ']')
		if end < 0 || !slices.Contains(kindNames[:], rest[:end]) {
			return n
		}
		n += len(marker) + end + 1
	}
}

// isMarked says whether s is one or more marks and nothing else.
func isMarked(s string) bool { return marked(s) == len(s) }

// replace puts marks in the place of the secrets that were found. Of those that
// overlap, the first gives its name.
func (r *Redactor) replace(s string) string {
	slices.SortFunc(r.spans, func(a, b span) int {
		if c := cmp.Compare(a.from, b.from); c != 0 {
			return c
		}
		return cmp.Compare(b.to, a.to)
	})
	var out strings.Builder
	out.Grow(len(s))
	at := 0
	for i := 0; i < len(r.spans); {
		next := r.spans[i]
		for i++; i < len(r.spans) && r.spans[i].from < next.to; i++ {
			next.to = max(next.to, r.spans[i].to)
		}
		out.WriteString(s[at:next.from])
		out.WriteString(marker)
		out.WriteString(next.kind.String())
		out.WriteByte(']')
		r.count[next.kind]++
		at = next.to
	}
	out.WriteString(s[at:])
	return out.String()
}
