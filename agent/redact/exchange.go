package redact

import (
	"cmp"
	"slices"
	"strings"
)

// exchange is a place in a text, and what is put there.
type exchange struct {
	from, to int
	with     string
}

// exchanged puts in what was found. Of places that overlap, the longest of those that
// begin first says what is put there.
func exchanged(s string, found []exchange) string {
	slices.SortFunc(found, func(a, b exchange) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to))
	})
	var out strings.Builder
	at := 0
	for i := 0; i < len(found); {
		next := found[i]
		for i++; i < len(found) && found[i].from < next.to; i++ {
			next.to = max(next.to, found[i].to)
		}
		out.WriteString(s[at:next.from])
		out.WriteString(next.with)
		at = next.to
	}
	out.WriteString(s[at:])
	return out.String()
}
