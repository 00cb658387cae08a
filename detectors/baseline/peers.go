package baseline

import (
	"math"
	"slices"
)

// Peers is the past of other series of the same kind. A series whose own history does not
// suffice yet can be held against it. It has no hours and no weeks: what is usual for many
// is ranked by level alone.
type Peers struct {
	past    tail
	options Options
}

// PeerVerdict is what is said of a value beside the peers.
type PeerVerdict struct {
	// Strange says that the value is one that opens an episode alone: far past all of the
	// peers' values, and past the guards.
	Strange bool
	// Score is how surprising the value's level is; Share the part of the peers' values
	// below it, 0 to 1; Median and Largest are theirs.
	Score, Share, Median, Largest float64
}

// NewPeers takes the values of the peers, in any order. What is no number is left out.
func NewPeers(o Options, values []float64) *Peers {
	// A digest depends a little on the order in which it learns.
	values = slices.Sorted(slices.Values(values))
	p := &Peers{options: o}
	for _, x := range values {
		if finite(x) {
			p.past.add(x, 1, 0)
		}
	}
	return p
}

// Judge holds a value against the peers; against none, nothing is strange.
func (p *Peers) Judge(x float64) PeerVerdict {
	if p.past.count == 0 || !finite(x) {
		return PeerVerdict{}
	}
	v := PeerVerdict{Median: p.past.at(p.past.sorted(), 0.5), Largest: p.past.high.value, Share: 1 - p.past.share(x, 1, true)}
	var beyond float64
	v.Score, beyond = p.past.score(x, 1, true)
	atOnce := openAtOnce
	if s := New(p.options); s.o.Bucket.Hours() >= 1 {
		atOnce = openAtOnceHour
	}
	g := p.options.Guards
	v.Strange = v.Score >= atOnce && beyond >= atOnceBeyond && x >= g.Least && x >= g.Ratio*v.Median && x >= g.OverPeak*v.Largest &&
		x-v.Median >= countingNoise*math.Sqrt(max(0, v.Median)+1)
	return v
}
