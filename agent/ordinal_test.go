package agent

import (
	"encoding/binary"
	"fmt"
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
				if got, want := o.next(keyOf(uid)), seen[uid]; got != want {
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
		o.next(keyOf(schema.HashUID(string(rune(i)))))
	}
	if !o.Overflowed || o.used != 100 {
		t.Errorf("%d records are remembered, overflow %v", o.used, o.Overflowed)
	}
	if n := o.next(keyOf(schema.HashUID(string(rune(5))))); n != 1 {
		t.Errorf("a remembered record counts %d", n)
	}
	var zero schema.UID
	if a, b := o.next(keyOf(zero)), o.next(keyOf(zero)); a != 0 || b != 0 {
		t.Errorf("the zero identity beyond the limit counts %d, %d", a, b)
	}
}

func keyOf(uid schema.UID) uint64 { return binary.BigEndian.Uint64(uid[:8]) }

// TestRepetitionsAreNumberedAcrossBatches has identical events in one batch, in the
// next, and beside events of another file.
func TestRepetitionsAreNumberedAcrossBatches(t *testing.T) {
	o := newOrdinals()
	b := schema.NewBatch()
	seen := map[schema.UID]bool{}
	for batch := range 3 {
		b.Reset()
		other := schema.Event{UID: schema.HashUID("the same")} // of a file before
		b.Append(&other)
		for i := range 500 {
			b.Append(&schema.Event{UID: schema.HashUID(fmt.Sprint(i % 200))})
		}
		o.Resolve(b, 1)
		if b.UID(0) != other.UID {
			t.Fatal("an event of another file got another identity")
		}
		for row := 1; row <= 500; row++ {
			uid, i := b.UID(row), row-1
			n := uint64(0)
			for before := range batch*500 + i {
				if before%500%200 == i%200 {
					n++
				}
			}
			want := schema.HashUID(fmt.Sprint(i % 200))
			if n > 0 {
				want = repeated(want, n)
			}
			if uid != want || seen[uid] {
				t.Fatalf("batch %d, event %d (repetition %d): uid %s, want %s", batch, i, n, uid, want)
			}
			seen[uid] = true
		}
	}
}
