package detectors

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a rule file, and how to mend it.
type Problem struct {
	File string
	// Line and Column count from 1; 0 where the place is not known.
	Line, Column int
	// Source is the offending line as it stands in the file.
	Source string
	Detail string
	Mend   string
}

// Error shows the place, the line with a mark under the column, and the mend.
func (p Problem) Error() string {
	var out strings.Builder
	out.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&out, ":%d", p.Line)
		if p.Column > 0 {
			fmt.Fprintf(&out, ":%d", p.Column)
		}
	}
	fmt.Fprintf(&out, ": %s", p.Detail)
	if p.Source != "" {
		number := fmt.Sprintf("%5d | ", p.Line)
		fmt.Fprintf(&out, "\n%s%s", number, p.Source)
		if p.Column > 0 {
			fmt.Fprintf(&out, "\n%s^", strings.Repeat(" ", len(number)+p.Column-1))
		}
	}
	if p.Mend != "" {
		fmt.Fprintf(&out, "\n      %s", p.Mend)
	}
	return out.String()
}

// Problems is everything that is wrong with a set of rule files.
type Problems []Problem

// Error lists the problems, one after the other.
func (p Problems) Error() string {
	texts := make([]string, len(p))
	for i := range p {
		texts[i] = p[i].Error()
	}
	return strings.Join(texts, "\n")
}

// inOrder sorts the problems of one file by their place in it.
func (p Problems) inOrder() Problems {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return p
}

// err is p as an error, each problem once; nil when there is none.
func (p Problems) err() error {
	var once Problems
	for _, problem := range p {
		if !slices.Contains(once, problem) {
			once = append(once, problem)
		}
	}
	if len(once) == 0 {
		return nil
	}
	return once
}
