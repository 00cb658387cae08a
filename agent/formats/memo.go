package formats

import (
	"strings"

	"github.com/zeebo/xxh3"
)

// memoSize is the number of values a memo holds; a power of two. Keys longer than
// maxMemoKey bytes are computed every time, so a memo's memory is bounded.
const (
	memoSize   = 1024
	maxMemoKey = 512
)

// memo remembers what was computed from a string: logs repeat the same few
// addresses, ids and user agents millions of times. Each key has two places, so the
// memo never grows and a new value takes the place of an old one. The zero memo is
// ready to use.
type memo[V any] struct {
	slots []memoSlot[V]
	last  V
}

type memoSlot[V any] struct {
	key   string
	value V
	full  bool
}

// get returns compute(key), computed now or earlier. The key given to compute is
// a copy, so the value may keep it or a part of it. The result is valid until the
// next call.
func (m *memo[V]) get(key string, compute func(string) V) *V {
	if len(key) > maxMemoKey {
		m.last = compute(strings.Clone(key))
		return &m.last
	}
	if m.slots == nil {
		m.slots = make([]memoSlot[V], memoSize)
	}
	at := xxh3.HashString(key) & (memoSize - 1)
	slot, neighbour := &m.slots[at], &m.slots[at^1]
	if slot.full && slot.key == key {
		return &slot.value
	}
	if neighbour.full && neighbour.key == key {
		return &neighbour.value
	}
	own := strings.Clone(key)
	*neighbour = *slot
	*slot = memoSlot[V]{own, compute(own), true}
	return &slot.value
}
