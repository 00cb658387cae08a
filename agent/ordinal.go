package agent

import (
	"sync"

	"github.com/crmwatch/crmwatch/schema"
)

// maxDistinct is how many different records of one file ordinals remembers: 256
// MiB, 384 while the table grows. Beyond it (a file of some 10 GB), records not
// seen before are no longer remembered, and identical ones among them count as one.
const maxDistinct = 1 << 24

// ordinals numbers the identical records of one file: 0, 1, 2... It remembers
// 64 bits of each identity in an open-addressing table (10-21 bytes a record) and
// counts only those that come again. Two records that share those 64 bits by
// accident would make the second look like a repetition: below one file in
// 100,000 even at ten million records, and then the only effect is a different uid.
type ordinals struct {
	slots   []uint64
	used    int
	repeats map[uint64]uint32
	limit   int
	// touched has no meaning; without it the reads ahead would be left out.
	touched uint64
	// mu is for files that several goroutines read.
	mu sync.Mutex
	// Overflowed says that the limit was reached.
	Overflowed bool
}

func newOrdinals() *ordinals {
	return &ordinals{slots: make([]uint64, 1<<12), repeats: map[uint64]uint32{}, limit: maxDistinct}
}

// Reset forgets everything, for the next file. A table that a big file made large
// is given back: clearing it would cost a small file more than reading it.
func (o *ordinals) Reset() {
	if len(o.slots) > 1<<16 {
		o.slots = make([]uint64, 1<<12)
	} else {
		clear(o.slots)
	}
	clear(o.repeats)
	o.used, o.Overflowed = 0, false
}

// lookAhead is how many records are looked for at a time.
const lookAhead = 64

// Resolve numbers the events of a batch from a row on: an event that repeats one of
// the file gets an identity and an ordinal of its own. Looking in a large table is
// waiting for memory, so the slots of many events are touched before the first is
// used, and the processor waits for all of them at once.
func (o *ordinals) Resolve(b *schema.Batch, from int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for rows := b.Rows(); from < rows; from += lookAhead {
		some := min(rows, from+lookAhead)
		mask := uint64(len(o.slots) - 1)
		for row := from; row < some; row++ {
			o.touched += o.slots[b.Identity(row)&mask]
		}
		for row := from; row < some; row++ {
			if n := o.next(b.Identity(row)); n > 0 {
				b.Identify(row, repeated(b.UID(row), uint64(n)), uint64(n))
			}
		}
	}
}

// next returns how many records with this identity came before.
func (o *ordinals) next(key uint64) uint32 {
	if key == 0 {
		key = 1
	}
	slot := o.find(key)
	if o.slots[slot] == key {
		o.repeats[key]++
		return o.repeats[key]
	}
	if o.used >= o.limit {
		o.Overflowed = true
		return 0
	}
	o.slots[slot] = key
	o.used++
	if o.used*4 > len(o.slots)*3 {
		o.grow()
	}
	return 0
}

// find returns the slot that holds key, or the free one where it belongs. The
// keys are hashes already, so their low bits spread.
func (o *ordinals) find(key uint64) uint64 {
	mask := uint64(len(o.slots) - 1)
	slot := key & mask
	for o.slots[slot] != 0 && o.slots[slot] != key {
		slot = (slot + 1) & mask
	}
	return slot
}

func (o *ordinals) grow() {
	old := o.slots
	o.slots = make([]uint64, 2*len(old))
	for _, key := range old {
		if key != 0 {
			o.slots[o.find(key)] = key
		}
	}
}
