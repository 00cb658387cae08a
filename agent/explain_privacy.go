package agent

import (
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// withoutPeople takes people out of a record's explanation, and notes what that did.
func (x *explaining) withoutPeople(r *Explanation) {
	if x.privacy == nil {
		return
	}
	before := cloneEvent(r.Event)
	x.privacy.Event(x.Redactor, r.Event)
	note := func(column, was, is string) {
		if why := x.privacy.Why(column); why != "" && was != "" {
			r.Redactions = slices.DeleteFunc(r.Redactions, func(other Redaction) bool { return other.Column == column })
			r.Redactions = append(r.Redactions, Redaction{column, why, 1})
		} else if n := x.privacy.Pseudonyms(is); n > 0 && was != is {
			r.Redactions = append(r.Redactions, Redaction{column, "pseudonym", n})
		}
	}
	for i := range before.Text {
		note(schema.Text(i).Column(), before.Text[i], r.Event.Text[i])
	}
	for i := range before.Number {
		if before.Number[i] != r.Event.Number[i] {
			note(schema.Number(i).Column(), "x", "")
		}
	}
	left := r.Event.Unmapped
	for _, a := range before.Unmapped {
		if x.privacy.Why("unmapped."+a.Name) != "" {
			note("unmapped."+a.Name, a.Value, "")
			continue
		}
		note("unmapped."+x.privacy.Word(a.Name), a.Value, left[0].Value)
		left = left[1:]
	}
	for i := range r.Redactions {
		r.Redactions[i].Column = x.privacy.Word(r.Redactions[i].Column)
	}
	for i := range r.Fields {
		f := &r.Fields[i]
		f.Name = x.privacy.Word(f.Name)
		for j := range f.Columns {
			f.Columns[j] = x.privacy.Word(f.Columns[j])
		}
	}
	slices.SortStableFunc(r.Redactions, func(a, b Redaction) int { return strings.Compare(a.Column+a.Kind, b.Column+b.Kind) })
}
