package simulate

import (
	"hash/fnv"
	"math/bits"
	"math/rand/v2"
	"slices"
	"time"
)

// dice is one entity's own stream of chance. Each person, integration and
// incident has its own, so that one more incident changes nothing else. Only
// whole numbers are drawn: floating-point results may differ between processors.
type dice struct{ source *rand.PCG }

// newDice makes the stream of the entity with this name.
func newDice(seed uint64, name string) dice {
	h := fnv.New64a()
	h.Write([]byte(name))
	return dice{rand.NewPCG(seed, h.Sum64())}
}

// below draws from 0 to n-1; it is 0 for n below 1.
func (d dice) below(n int) int {
	if n < 1 {
		return 0
	}
	high, _ := bits.Mul64(d.source.Uint64(), uint64(n))
	return int(high)
}

// between draws from low to high, both included.
func (d dice) between(low, high int) int { return low + d.below(high-low+1) }

// perMille is true n times in a thousand.
func (d dice) perMille(n int) bool { return d.below(1000) < n }

// pick draws one of the given words.
func (d dice) pick(words []string) string { return words[d.below(len(words))] }

// within draws a duration from 0 up to span, in milliseconds.
func (d dice) within(span time.Duration) time.Duration {
	return time.Duration(d.below(int(span/time.Millisecond))) * time.Millisecond
}

// instants draws n times in [from, from+span), in order.
func (d dice) instants(n int, from time.Time, span time.Duration) []time.Time {
	times := make([]time.Time, max(n, 0))
	for i := range times {
		times[i] = from.Add(d.within(span))
	}
	slices.SortFunc(times, time.Time.Compare)
	return times
}

const (
	alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	hexadecimal  = "0123456789abcdef"
)

// text draws n letters of the alphabet.
func (d dice) text(n int, alphabet string) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[d.below(len(alphabet))]
	}
	return string(b)
}

// uuid draws a version 4 UUID.
func (d dice) uuid() string {
	h := d.text(30, hexadecimal)
	return h[:8] + "-" + h[8:12] + "-4" + h[12:15] + "-a" + h[15:18] + "-" + h[18:30]
}
