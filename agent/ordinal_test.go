package agent

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/crmwatch/crmwatch/schema"
)

func TestOrdinalsCountRepetitions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := newOrdinals()
		for range 2 {
			seen := map[schema.UID]uint32{}
			for range rapid.IntRange(0, 20_000).Draw(t, "records") {
				uid := schema.HashUID(string(rune('a' + len(seen)%7)))
				if rapid.IntRange(0, 3).Draw(t, "new") == 0 {
					uid = schema.HashUID("new", string(rune(len(seen))))
				}
				if got, want := o.Next(uid), seen[uid]; got != want {
					t.Fatalf("ordinal %d, want %d", got, want)
				}
				seen[uid]++
			}
			o.Reset()
		}
	})
}

func TestOrdinalsAreBounded(t *testing.T) {
	o := newOrdinals()
	o.limit = 100
	for i := range 1000 {
		o.Next(schema.HashUID(string(rune(i))))
	}
	if !o.Overflowed || o.used != 100 {
		t.Errorf("%d records are remembered, overflow %v", o.used, o.Overflowed)
	}
	if n := o.Next(schema.HashUID(string(rune(5)))); n != 1 {
		t.Errorf("a remembered record counts %d", n)
	}
	var zero schema.UID
	if a, b := o.Next(zero), o.Next(zero); a != 0 || b != 0 {
		t.Errorf("the zero identity beyond the limit counts %d, %d", a, b)
	}
}
